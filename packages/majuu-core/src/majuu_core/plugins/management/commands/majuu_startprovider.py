"""``manage.py majuu_startprovider NAME``: a package for a new provider whose tests say what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.plugins.start_provider import LICENSES, CannotStart, NewProvider, start_provider


class Command(BaseCommand):
    help = "Write the package of a new payment provider. Its tests run at once and fail where you have to write."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the distribution, such as majuu-acme")
        parser.add_argument("--directory", type=Path, default=Path(), help="where its folder is made; here by default")
        parser.add_argument("--license", choices=LICENSES, default=LICENSES[0])
        parser.add_argument("--author", default="", help="who holds the copyright")

    def handle(self, *args: Any, name: str, directory: Path, license: str, author: str, **options: Any) -> None:
        new = NewProvider(name=name, license=license, author=author)
        try:
            written = start_provider(new, directory)
        except CannotStart as problem:
            raise CommandError(str(problem)) from problem
        folder = directory / name
        self.stdout.write(f"{len(written)} files are in {folder}. What to do now:\n")
        self.stdout.write(f'  cd {folder} && python -m pip install --editable ".[testing]" && pytest')
