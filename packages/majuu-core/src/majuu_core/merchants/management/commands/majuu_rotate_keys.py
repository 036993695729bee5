"""``manage.py majuu_rotate_keys``: encrypt everything anew with the newest master key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common.crypto import key_id
from majuu_core.configuration import encryption_keys
from majuu_core.database.sealed import sealed_columns
from majuu_core.merchants.api_keys import keys_under_older_masters


class Command(BaseCommand):
    help = (
        "Encrypt all stored secrets anew with the first key of MAJUU_ENCRYPTION_KEYS and say what still needs an older "
        "one. Safe to repeat and to interrupt."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="Change nothing; fail when something still needs an older key."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Newest key: {key_id(encryption_keys()[0])}")
        unreadable: list[str] = []
        if not options["check"]:
            unreadable = self._reseal()
        left = sum(column.outdated().count() for column in sealed_columns())
        keys = keys_under_older_masters().count()
        self.stdout.write(f"Secrets under older keys: {left}")
        self.stdout.write(f"API keys under older keys: {keys} (each moves over when it is used next)")
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} secrets do not open with any configured key: {', '.join(unreadable[:20])}. "
                "Put the key that made them back into MAJUU_ENCRYPTION_KEYS, or enter them again."
            )
        if options["check"] and (left or keys):
            raise CommandError("Older keys are still needed: keep them in MAJUU_ENCRYPTION_KEYS.")

    def _reseal(self) -> list[str]:
        unreadable: list[str] = []
        for column in sealed_columns():
            report = column.reseal()
            self.stdout.write(f"{column.model}.{column.column}: {report.resealed} encrypted anew")
            unreadable += [f"{column.model} {name}" for name in report.unreadable]
        return unreadable
