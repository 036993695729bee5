"""``manage.py majuu_check_key``: is this text, or anything in these files, one of our API keys? Asks nobody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.merchants.key_format import FoundKey, find_keys

_NAMES = {"client": "secret of an OAuth client", "token": "access token"}


class Command(BaseCommand):
    help = (
        "Find API keys in files, or in what is typed or piped in, by their shape and checksum. Needs no database and "
        "says nothing about whether a key still works. Keys are shown by their start and end only."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", help="Files to search. None: the standard input.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for name, text in _texts(options["files"]):
            for key in find_keys(text):
                found += 1
                self.stdout.write(f"{name}:{key.line}: {key.shown}: {_words(key)}")
        if not found:
            raise CommandError("No API key found.", returncode=1)


def _texts(files: list[str]) -> Iterator[tuple[str, str]]:
    if not files:
        yield "-", sys.stdin.read()
    for name in files:
        try:
            yield name, Path(name).read_text(encoding="utf-8", errors="replace")
        except OSError as problem:
            raise CommandError(f"{name}: {problem.strerror}", returncode=2) from None


def _words(key: FoundKey) -> str:
    mode, what = ("live" if key.livemode else "test"), _NAMES.get(key.kind, f"{key.kind} key")
    if not key.is_right:
        return f"looks like a {mode} {what}, but its checksum is wrong"
    return f"a {mode} {what}"
