"""Registers where a provider tells of money that arrives without an intent."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common.problems import Problem
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.incoming_registering import register_incoming


class Command(BaseCommand):
    help = "Tell the provider of an account where to ask before it takes a payment, and where to tell of one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="the provider account, pa_…")
        parser.add_argument(
            "--refuse-when-unreachable",
            action="store_true",
            help="payments are refused while this site does not answer (usually they are taken)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = ProviderAccount.uuid_of(options["account"])
            account = ProviderAccount.objects.select_related("store").get(pk=key)
            accept = not options["refuse_when_unreachable"]
            register_incoming(account=account, accept_when_unreachable=accept)
        except (ValueError, ProviderAccount.DoesNotExist):
            raise CommandError(f"There is no provider account {options['account']!r}.") from None
        except Problem as problem:
            raise CommandError(problem.message) from None
        self.stdout.write(f"{account} is registered: payments without an intent are told to this site now.")
