"""Says where a provider is to call about an account, for those whose dashboards want it entered by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.addresses import account_callback_url


class Command(BaseCommand):
    help = "Print the address at which a provider tells of everything that happens to an account. It is a secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="the provider account, pa_…")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            account = ProviderAccount.objects.get(pk=ProviderAccount.uuid_of(options["account"]))
        except (ValueError, ProviderAccount.DoesNotExist):
            raise CommandError(f"There is no provider account {options['account']!r}.") from None
        self.stdout.write(account_callback_url(account.pk))
