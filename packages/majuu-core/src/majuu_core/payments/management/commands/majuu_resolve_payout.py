"""Settles by hand a payout that nobody could find out about."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common.problems import Problem
from majuu_core.payments.models import Payout
from majuu_core.payments.payout_resolving import resolve_payout


class Command(BaseCommand):
    help = "Settle an open or parked payout as the provider's statement shows it. Decision and reason are audited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("payout", help="the payout, po_…")
        outcome = parser.add_mutually_exclusive_group(required=True)
        outcome.add_argument("--succeeded", action="store_true", help="the statement shows that it was sent")
        outcome.add_argument("--failed", action="store_true", help="the statement does not show it")
        parser.add_argument("--reason", required=True, help="what the decision rests on")
        parser.add_argument("--receipt", default="", help="the provider's receipt number, if it succeeded")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = Payout.uuid_of(options["payout"])
            payout = Payout.objects.select_related("store").get(pk=key)
            done = resolve_payout(
                payout=payout, succeeded=options["succeeded"], reason=options["reason"], receipt=options["receipt"]
            )
        except (ValueError, Payout.DoesNotExist):
            raise CommandError(f"There is no payout {options['payout']!r}.") from None
        except Problem as problem:
            raise CommandError(problem.message) from None
        self.stdout.write(f"{done.public_id} is {done.status}.")
