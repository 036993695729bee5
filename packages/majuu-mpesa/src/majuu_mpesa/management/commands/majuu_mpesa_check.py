"""``manage.py majuu_mpesa_check``: check M-Pesa accounts, all active ones unless one is named."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = (
        "Check M-Pesa accounts: credentials, certificate, forbidden words in callback addresses, the clock and, with "
        "--callback, whether callbacks reach this site. The same as majuu_check_account --provider mpesa."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", nargs="?", default="", help="Public id of the account; without it, all active.")
        parser.add_argument(
            "--callback", action="store_true", help="Also post to this site's own public address and see it arrive."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        which = [options["account"]] if options["account"] else ["--all"]
        flags = ["--callback"] if options["callback"] else []
        call_command(
            "majuu_check_account", *which, "--provider", "mpesa", *flags, stdout=self.stdout, stderr=self.stderr
        )
