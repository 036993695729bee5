"""``manage.py majuu_platform_account mpesa``: the platform's account from the environment names people already use."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common.problems import Problem
from majuu_core.merchants.environment import DEFAULT_NAME, adopt_environment


class Command(BaseCommand):
    help = (
        "Make the platform's account at a provider, or bring its credentials up to date, from environment variables "
        "such as MPESA_CONSUMER_KEY. Says which names it read, never their values. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", help="The provider's code, such as mpesa.")
        parser.add_argument("--name", default=DEFAULT_NAME, help=f"The account's name ({DEFAULT_NAME}).")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = adopt_environment(provider=options["provider"], environ=os.environ, name=options["name"])
        except Problem as problem:
            raise CommandError(str(problem)) from None
        account = done.account
        self.stdout.write(f"{done.change}: {account} {account.public_id}, used by every store without one of its own")
        self.stdout.write(f"read: {', '.join(done.used)}")
        for note in done.notes:
            self.stdout.write(f"note: {note}")
        self.stdout.write(f"next: manage.py majuu_check_account {account.public_id} --callback")
