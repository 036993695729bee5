"""``manage.py majuu_close``: compare a day's books with the provider's statement and events."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from majuu_core.common import clock
from majuu_core.common.problems import Problem
from majuu_core.merchants.models import ProviderAccount
from majuu_core.reports.closing import close_day
from majuu_core.reports.days import day_of, zone_of
from majuu_core.reports.due import collect_statement
from majuu_core.reports.findings import count_open

_WIDTH = 30


class Command(BaseCommand):
    help = (
        "Close a day: ledger, provider's statement and received events are compared, and every difference is listed in "
        "the console. Without options: yesterday, for every active account."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="public id of one provider account (pa_…)")
        parser.add_argument("--day", type=_day, help="YYYY-MM-DD, as the account's provider counts days")
        parser.add_argument("--offline", action="store_true", help="ask the provider nothing: uploads only")

    def handle(
        self, *args: Any, account: str | None = None, day: date | None = None, offline: bool = False, **options: Any
    ) -> None:
        failed = 0
        for row in self._accounts(account):
            try:
                self._close(row, day or day_of(clock.now(), zone_of(row)) - timedelta(days=1), offline=offline)
            except Problem as problem:
                failed += 1
                self.stderr.write(f"{row}: {problem.message}")
        if failed:
            raise CommandError(f"{failed} could not be closed.")

    def _accounts(self, public_id: str | None) -> list[ProviderAccount]:
        rows = ProviderAccount.objects.order_by("pk")
        if public_id is None:
            return list(rows.filter(is_active=True))
        try:
            return [rows.get(pk=ProviderAccount.uuid_of(public_id))]
        except (ValueError, ProviderAccount.DoesNotExist):
            raise CommandError(f"There is no provider account {public_id}.") from None

    def _close(self, account: ProviderAccount, day: date, *, offline: bool) -> None:
        if not offline:
            collect_statement(account=account, day=day)
        close = close_day(account=account, day=day, progress=self._show if self.stdout.isatty() else None)
        ended = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in close.outcomes.items() if count)
        self.stdout.write(f"{account} {day}: {ended or 'nothing happened'}; {count_open(close)} open.")
        if not close.has_statement:
            self.stdout.write("  There is no whole statement of this day: nothing was called missing there.")

    def _show(self, done: int, expected: int) -> None:
        share = min(1.0, done / expected) if expected else 1.0
        bar = "#" * int(share * _WIDTH)
        self.stdout.write(f"\r[{bar:<{_WIDTH}}] {done}/{expected}", ending="\n" if done >= expected else "")
        self.stdout.flush()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a day. Write it as 2026-01-31.") from None
