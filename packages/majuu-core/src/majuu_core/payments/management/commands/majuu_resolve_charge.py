"""Settles by hand a charge that nobody could find out about."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common.problems import Problem
from majuu_core.payments.models import Charge
from majuu_core.payments.resolving import resolve_charge


class Command(BaseCommand):
    help = "Settle an open charge as the provider's statement shows it. The decision and its reason are audited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("charge", help="the charge, ch_…")
        outcome = parser.add_mutually_exclusive_group(required=True)
        outcome.add_argument("--succeeded", action="store_true", help="the statement shows the money")
        outcome.add_argument("--failed", action="store_true", help="the statement does not show it")
        parser.add_argument("--reason", required=True, help="what the decision rests on")
        parser.add_argument("--receipt", default="", help="the provider's receipt number, if it succeeded")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = Charge.uuid_of(options["charge"])
            charge = Charge.objects.select_related("payment_intent__store").get(pk=key)
            done = resolve_charge(
                charge=charge, succeeded=options["succeeded"], reason=options["reason"], receipt=options["receipt"]
            )
        except (ValueError, Charge.DoesNotExist):
            raise CommandError(f"There is no charge {options['charge']!r}.") from None
        except Problem as problem:
            raise CommandError(problem.message) from None
        self.stdout.write(f"{done.public_id} is {done.status}; its payment intent is {done.payment_intent.status}.")
