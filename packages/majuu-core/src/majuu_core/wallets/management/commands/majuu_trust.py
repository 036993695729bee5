"""``manage.py majuu_trust in|out``: record what reached a trust account, or left it, as its bank statement says."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from majuu_core.common.money import AmountError, format_amount, parse_amount
from majuu_core.common.problems import Problem
from majuu_core.merchants.models import ProviderAccount
from majuu_core.wallets.trust import record_trust_movement


class Command(BaseCommand):
    help = "Record a movement of customers' money to a trust account, or from it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """in|out --trust … --amount … --reference … [--account …]"""
        parser.add_argument("direction", choices=("in", "out"))
        parser.add_argument("--trust", required=True, help="its code in MAJUU_TRUST_ACCOUNTS")
        parser.add_argument("--amount", required=True, help="a decimal number such as 150000.00")
        parser.add_argument("--currency", default="KES")
        parser.add_argument("--reference", required=True, help="the bank's own reference; each is recorded once")
        parser.add_argument("--account", help="the provider account (pa_…) it came from or went to")
        parser.add_argument("--test", action="store_true", help="test money instead of live money")
        parser.add_argument("--description", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Record it and say where it stands."""
        try:
            amount = parse_amount(options["amount"], options["currency"])
            made = record_trust_movement(
                trust=options["trust"],
                incoming=options["direction"] == "in",
                amount=amount,
                reference=options["reference"],
                provider_account=_account(options["account"]),
                livemode=not options["test"],
                description=options["description"],
            )
        except (Problem, AmountError) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{made.public_id}: {format_amount(amount)} {amount.currency.code} {options['direction']}")


def _account(public_id: str | None) -> ProviderAccount | None:
    if public_id is None:
        return None
    try:
        return ProviderAccount.objects.get(pk=ProviderAccount.uuid_of(public_id))
    except (ValueError, ProviderAccount.DoesNotExist):
        raise CommandError(f"There is no provider account {public_id!r}.") from None
