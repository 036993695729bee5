"""What is due: yesterday of each account, and days about which a statement said something new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any, ClassVar

import pytest
from django.core.management import CommandError, call_command
from moneyed import KES, Money

from majuu_core.plugins import hookimpl
from majuu_core.providers import IncomingMoney, NotSent, SettlementLine
from majuu_core.reports import due
from majuu_core.reports.closing import close_day
from majuu_core.reports.models import Close, Settlement
from majuu_core.reports.models import SettlementLine as Stored
from majuu_core.testing.factories import make_provider_account
from tests.core.reports.desk import DAY, NOON, Desk, at
from tests.core.reports.paper_provider import PaperProvider

YESTERDAY = date(2026, 1, 11)


class ListingProvider(PaperProvider):
    """Lists what it took, or is not there."""

    code: ClassVar[str] = "listing"
    is_away: ClassVar[bool] = False

    def list_incoming(self, *, start: datetime, end: datetime) -> Iterator[IncomingMoney]:
        if self.is_away:
            raise NotSent("away")
        yield IncomingMoney(
            receipt="UP01", amount=Money(5, KES), occurred_at=start, receiver="174379", payer_phone="254"
        )


class StatementProvider(PaperProvider):
    """Lists its whole statement."""

    code: ClassVar[str] = "whole"

    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        if start != DAY:
            return
        common: dict[str, Any] = {"settled_on": start, "occurred_at": at(f"{start}T12:00:00"), "fee": Money(0, KES)}
        yield SettlementLine(provider_reference="ref-1", kind="charge", gross=Money(100, KES), **common)
        yield SettlementLine(provider_reference="ref-2", kind="payout", gross=Money(-30, KES), **common)
        yield SettlementLine(provider_reference="", kind="fee", gross=Money(-7, KES), **common)


@pytest.fixture
def listing(desk: Desk, temporary_plugin) -> Desk:
    class Plugin:
        @hookimpl
        def register_payment_providers(self):
            return [ListingProvider, StatementProvider]

    temporary_plugin(Plugin())
    return desk


def closes() -> list[tuple[date, str]]:
    return list(Close.objects.order_by("day").values_list("day", "state"))


def make_old(desk: Desk) -> None:
    type(desk.account).objects.update(created_at=desk.clock.now() - timedelta(days=9))


def test_yesterday_of_every_active_account_is_closed_once(desk: Desk) -> None:
    make_provider_account()  # its statement cannot be had
    off = make_provider_account(provider="paper", credentials={})
    type(off).objects.filter(pk=off.pk).update(is_active=False)
    make_old(desk)
    assert due.run_due_closes() == 1
    assert closes() == [(YESTERDAY, "done")]
    assert due.run_due_closes() == 0
    assert Close.objects.get().runs == 1


def test_a_day_is_over_two_hours_after_its_midnight(desk: Desk) -> None:
    make_old(desk)
    desk.clock.advance(timedelta(hours=10, minutes=59))  # 22:59 in Nairobi
    due.plan_closes()
    desk.clock.advance(timedelta(hours=2, minutes=59))  # 01:58
    due.plan_closes()
    assert [day for day, _ in closes()] == [YESTERDAY]
    desk.clock.advance(timedelta(minutes=3))
    due.plan_closes()
    assert [day for day, _ in closes()] == [YESTERDAY, date(2026, 1, 12)]


def test_days_on_which_no_worker_ran_are_closed_too(desk: Desk) -> None:
    """given a close of the 11th / when the worker was away for three days / then every day since is planned, once."""
    make_old(desk)
    due.plan_closes()
    desk.clock.advance(timedelta(days=3))
    assert (due.plan_closes(), due.plan_closes()) == (3, 0)
    days = [YESTERDAY, *(date(2026, 1, day) for day in (12, 13, 14))]
    assert [day for day, _ in closes()] == days


def test_a_new_account_has_no_yesterday(desk: Desk) -> None:
    assert (due.plan_closes(), closes()) == (0, [])


def test_an_import_is_followed_by_its_closes(desk: Desk) -> None:
    desk.bring(f"UA01,{NOON},100", first_day=DAY, last_day=DAY)
    assert closes() == [(DAY, "waiting")]
    assert due.run_due_closes() == 1
    assert closes() == [(DAY, "done")]
    assert desk.open_ones() == [("missing_here", "UA01")]


def test_a_close_that_fails_does_not_stop_the_others(desk: Desk, monkeypatch) -> None:
    desk.bring(f"UA01,{NOON},100", first_day=DAY, last_day=YESTERDAY)

    def fail_once(*, account, day):
        if day == DAY:
            raise RuntimeError("broken")
        return close_day(account=account, day=day)

    monkeypatch.setattr(due, "close_day", fail_once)
    assert due.run_due_closes(limit=5) == 2
    assert closes() == [(DAY, "failed"), (YESTERDAY, "done")]


def test_money_the_provider_lists_is_compared_and_proves_no_absence(listing: Desk) -> None:
    listing.account = make_provider_account(provider="listing", credentials={})
    listing.charge("UX01")
    due.collect_statement(account=listing.account, day=DAY)
    due.collect_statement(account=listing.account, day=DAY)
    assert [(row.receipt, row.kind, row.day) for row in Stored.objects.all()] == [("UP01", "charge", DAY)]
    close = listing.close()
    assert (close.has_statement, listing.open_ones()) == (False, [("missing_here", "UP01")])


def test_a_provider_that_is_away_does_not_stop_the_close(listing: Desk, monkeypatch) -> None:
    listing.account = make_provider_account(provider="listing", credentials={})
    monkeypatch.setattr(ListingProvider, "is_away", True)
    due.collect_statement(account=listing.account, day=DAY)
    assert Settlement.objects.count() == 0


def test_a_whole_statement_by_the_providers_own_references(listing: Desk) -> None:
    listing.account = make_provider_account(provider="whole", credentials={})
    known = listing.charge(None, 100)
    type(known).objects.filter(pk=known.pk).update(provider_reference="ref-1")
    lost = listing.charge(None, 55)
    for day in (date(2026, 1, 9), DAY, YESTERDAY):
        due.collect_statement(account=listing.account, day=day)
    close = listing.close()
    assert close.has_statement
    assert listing.open_ones() == [
        ("missing_here", "fee-20260110-3"),  # a posting without a reference is not passed over
        ("missing_here", "ref-2"),
        ("missing_there", lost.public_id),
    ]


def test_the_command_closes_and_says_how_it_ended(desk: Desk) -> None:
    desk.bring(f"UA01,{NOON},100")
    out = StringIO()
    call_command("majuu_close", f"--account={desk.account.public_id}", f"--day={DAY}", stdout=out)
    assert f"{DAY}: 1 missing here; 1 open." in out.getvalue()
    assert Close.objects.get(day=DAY).state == "done"


def test_the_command_draws_a_bar_for_people(desk: Desk) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    desk.bring(f"UA01,{NOON},100")
    out = Terminal()
    call_command("majuu_close", f"--account={desk.account.public_id}", f"--day={DAY}", stdout=out)
    assert f"[{'#' * 30}] 1/1\n" in out.getvalue()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"account": "pa_nothing"}, "There is no provider account pa_nothing."),
        ({"day": "10/01/2026"}, "Write it as 2026-01-31."),
    ],
)
def test_the_command_refuses_what_it_does_not_know(desk: Desk, options: dict[str, str], message: str) -> None:
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with pytest.raises(CommandError, match=message):
        call_command("majuu_close", *arguments)
    assert Close.objects.count() == 0
