"""Settles by hand a refund that nobody could find out about, or takes note of one that is parked."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common.problems import Problem
from majuu_core.payments.models import Refund
from majuu_core.payments.refund_outcomes import resolve_refund


class Command(BaseCommand):
    help = "Settle an open refund as the provider's statement shows it. The decision and its reason are audited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("refund", help="the refund, re_…")
        outcome = parser.add_mutually_exclusive_group(required=True)
        outcome.add_argument("--succeeded", action="store_true", help="the statement shows that the money went back")
        outcome.add_argument("--failed", action="store_true", help="the statement does not show it")
        outcome.add_argument("--noted", action="store_true", help="the outcome is known; it is parked no more")
        parser.add_argument("--reason", required=True, help="what the decision rests on")
        parser.add_argument("--receipt", default="", help="the provider's receipt number, if it succeeded")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            refund = Refund.objects.select_related("store").get(pk=Refund.uuid_of(options["refund"]))
            done = resolve_refund(
                refund=refund,
                succeeded=None if options["noted"] else options["succeeded"],
                reason=options["reason"],
                receipt=options["receipt"],
            )
        except (ValueError, Refund.DoesNotExist):
            raise CommandError(f"There is no refund {options['refund']!r}.") from None
        except Problem as problem:
            raise CommandError(problem.message) from None
        self.stdout.write(f"{done.public_id} is {done.status}.")
