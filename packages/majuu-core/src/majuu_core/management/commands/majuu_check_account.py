"""``manage.py majuu_check_account``: find out what is wrong with a provider account before customers do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.account_checks import check_account, has_errors
from majuu_core.providers import SelfCheck
from majuu_core.webhooks.self_test import run_self_test

_MARKS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


class Command(BaseCommand):
    help = (
        "Check provider accounts: stored credentials, the provider's answer, its own checks and, with --callback, "
        "whether callbacks reach this site. Fails when something is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", nargs="?", default="", help="Public id of the account, such as pa_….")
        parser.add_argument("--all", action="store_true", dest="every", help="All active accounts.")
        parser.add_argument("--provider", default="", help="Only accounts at this provider, such as mpesa.")
        parser.add_argument(
            "--callback", action="store_true", help="Also post to this site's own public address and see it arrive."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = list(_accounts(options["account"], every=options["every"], provider=options["provider"]))
        failed = [account for account in accounts if not self._check(account, callback=options["callback"])]
        if failed:
            names = ", ".join(account.public_id for account in failed)
            raise CommandError(f"{len(failed)} of {len(accounts)} accounts have errors: {names}")

    def _check(self, account: ProviderAccount, *, callback: bool) -> bool:
        self.stdout.write(f"{account} {account.public_id}")
        found = check_account(account)
        if callback:
            found += run_self_test(account)
        width = max(len(check.name) for check in found)
        for check in found:
            self.stdout.write(_line(check, width))
        return not has_errors(found)


def _line(check: SelfCheck, width: int) -> str:
    return f"  {_MARKS[check.state]}  {check.name:{width}}  {check.message}"


def _accounts(public_id: str, *, every: bool, provider: str) -> QuerySet[ProviderAccount]:
    rows = ProviderAccount.objects.select_related("store").order_by("pk")
    if provider:
        rows = rows.filter(provider=provider)
    if bool(public_id) == every:
        raise CommandError("Name one account by its public id, or all active ones by --all.")
    if every:
        rows = rows.filter(is_active=True)
    else:
        try:
            rows = rows.filter(pk=ProviderAccount.uuid_of(public_id))
        except ValueError:
            raise CommandError(f"{public_id!r} is not the public id of a provider account (pa_…).") from None
    if not rows.exists():
        raise CommandError("There is no such account." if public_id else "There is no such active account.")
    return rows
