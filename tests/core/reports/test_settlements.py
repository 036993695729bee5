"""What a provider lists of its own statement: found by our references, booked once, and never a false difference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import USD, Money

from majuu_core.audit.models import AuditEntry
from majuu_core.events.models import Event
from majuu_core.ledger.chart import AccountKind, AccountRef, fx_trading
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.verification import find_problems
from majuu_core.reports.bank_payouts import content_of, lines_of
from majuu_core.reports.due import collect_statement
from majuu_core.reports.models import BankPayout, Close, SettlementLine
from majuu_core.testing.factories import make_provider_account
from tests.core.reports.desk import DAY, Desk, kes
from tests.core.reports.listed_provider import NOON, ListedPlugin, ListedProvider, listed

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def office(desk: Desk, temporary_plugin: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    temporary_plugin(ListedPlugin())
    monkeypatch.setattr(ListedProvider, "lines", [])
    monkeypatch.setattr(ListedProvider, "asked", [])
    desk.account = make_provider_account(store=desk.store, provider="listed", credentials={})
    yield desk
    assert list(find_problems()) == []


def close(office: Desk, *lines: Any, day: date = DAY) -> Close:
    ListedProvider.lines[:] = lines or ListedProvider.lines
    collect_statement(account=office.account, day=day)
    return office.close(day)


def on(office: Desk, kind: AccountKind, owner: str = "", currency: str = "KES") -> Decimal:
    ref = AccountRef(kind, owner or office.account.public_id, currency, livemode=False)
    return Decimal(balance(ref).posted.amount)


def test_payments_are_found_by_our_id_by_receipt_and_by_the_providers_reference(office: Desk) -> None:
    """given three charges of which the provider names another thing each / then all match, and a receipt is learned."""
    told, receipt = office.charge(None, 10), office.charge("RC2", 20)
    known = office.charge(None, 30)
    refund = office.refund(receipt, None, 5)
    closed = close(
        office,
        listed("t1", "charge", kes(10), reference=told.public_id, receipt="RC1"),
        listed("t2", "charge", kes(20), receipt="RC2"),
        listed("t3", "charge", kes(30), provider_reference=known.provider_reference),
        # What takes money back may repeat the receipt, and even our id, of what it takes back.
        listed("t4", "refund", kes(-5), receipt="RC2", reference=refund.public_id),
    )
    assert (closed.outcomes["matched"], office.open_ones()) == (4, [])
    assert closed.has_statement
    told.refresh_from_db()
    assert (told.receipt, told.status) == ("RC1", "succeeded")


def test_an_unknown_payment_and_a_missing_one_are_the_only_differences(office: Desk) -> None:
    lost = office.charge("RC9", 55)
    known = office.charge("RC1", 10)
    close(
        office,
        listed("t1", "charge", kes(10), receipt="RC1"),
        listed("t2", "charge", kes(70), receipt="RC7", reference="ch_00000000000000000000000000"),
        # Of the other payment this tells nothing: it is only about it.
        listed("t3", "adjustment", kes(-1), reference=lost.public_id),
    )
    assert office.open_ones() == [("missing_here", "RC7"), ("missing_here", "own-t3"), ("missing_there", "RC9")]
    assert known.public_id


def test_two_lines_of_one_receipt_are_two_and_the_same_list_again_changes_nothing(office: Desk) -> None:
    charge = office.charge("RC1", 100)
    office.refund(charge, None, 30)
    first = office.refund(charge, None, 30)
    lines = [
        listed("t1", "charge", kes(100), receipt="RC1"),
        listed("t2", "refund", kes(-30), receipt="RC1", reference=first.public_id),
        listed("t3", "refund", kes(-30), receipt="RC1", provider_reference="re-2"),
    ]
    close(office, *lines)
    before = list(SettlementLine.objects.order_by("pk").values_list("pk", "line_id", "leg", "amount"))
    assert [row[1] for row in before] == ["t1", "t2", "t3"]
    again = close(office)
    assert list(SettlementLine.objects.order_by("pk").values_list("pk", "line_id", "leg", "amount")) == before
    assert (again.outcomes["matched"], again.outcomes["missing_here"]) == (2, 1)
    # A line that says something else now is the same line.
    close(office, replace_line(lines[2], gross=kes(-31), kind="adjustment"))
    assert SettlementLine.objects.get(line_id="t3").amount == 31
    assert SettlementLine.objects.count() == 3


def replace_line(line: Any, **changes: Any) -> Any:
    return type(line)(**{name: changes.get(name, getattr(line, name)) for name in line.__dataclass_fields__})


def test_a_fee_that_comes_with_the_statement_is_booked_once_and_shown(office: Desk) -> None:
    charge, other = office.charge("RC1", 100), office.charge("RC2", 100, fee=kes(3))
    lines = [
        listed("t1", "charge", kes(100), "2.90", receipt="RC1"),
        listed("t2", "charge", kes(100), "4", receipt="RC2"),
    ]
    for _ in range(2):
        close(office, *lines)
    charge.refresh_from_db()
    other.refresh_from_db()
    assert (charge.fee, other.fee) == (kes("2.90"), kes(3))
    assert on(office, AccountKind.PROVIDER_FEES, office.store.public_id) == Decimal("2.90")
    assert on(office, AccountKind.PROVIDER_CLEARING) == Decimal("197.10")
    assert LedgerTransaction.objects.filter(reference=charge.public_id, kind="charge_fee").count() == 1
    assert Event.objects.filter(object_id=charge.public_id, type="charge.updated").count() == 1
    assert office.open_ones() == [("amount_differs", "RC2")]
    booked = [entry.changes["booked"] for entry in AuditEntry.objects.filter(action="close.finished").order_by("pk")]
    assert booked == [{"fees": 1, "lines": 0}, {"fees": 0, "lines": 0}]


def test_the_providers_own_fee_is_booked_and_one_given_back_is_reversed(office: Desk) -> None:
    close(office, listed("t1", "fee", kes(-20)), listed("t2", "fee", kes(5)), listed("t3", "fee", kes(0), "7"))
    assert office.open_ones() == []
    assert on(office, AccountKind.PROVIDER_FEES, office.store.public_id) == 22
    assert on(office, AccountKind.PROVIDER_CLEARING) == -22


def test_payouts_to_the_bank_are_booked_and_those_that_come_back_are_reversed(office: Desk) -> None:
    """given a payout on the next day that holds lines of the day / then it adds up, and the bank has what is not
    given back."""
    charge = office.charge("RC1", 100)
    lines = [listed("t1", "charge", kes(100), "3", receipt="RC1")]
    close(office, *lines)
    later = NOON + timedelta(days=1)
    paid = {"payout_reference": "po-1", "provider_reference": "po-1"}
    lines = [
        replace_line(lines[0], payout_reference="po-1"),
        listed("t2", "payout", kes(-97), at=later, **paid),
    ]
    close(office, *lines, day=NEXT)
    statement = Close.objects.get(day=NEXT).totals["currencies"]["KES"]["statement"]
    assert statement == {"to_bank": {"amount": "97.0000", "count": 1}}
    merchant = office.store.merchant.public_id
    assert [on(office, AccountKind.PROVIDER_CLEARING), on(office, AccountKind.BANK, merchant)] == [0, 97]
    assert ListedProvider.asked == [(DAY, DAY), (NEXT, NEXT), (DAY, DAY)]
    payout = BankPayout.objects.get(line_id="t2")
    assert [line.line_id for line in lines_of(payout)] == ["t1"]
    content = content_of(payout)
    assert (content.count, content.net, content.adds_up_to(payout.money)) == (1, kes(97), True)

    back = listed("t3", "payout", kes(97), at=later + timedelta(days=1), **paid)
    close(office, *lines, back, day=NEXT + timedelta(days=1))
    office.close(NEXT)  # the worker does, for the payout is of that day
    office.close(NEXT)
    assert [on(office, AccountKind.PROVIDER_CLEARING), on(office, AccountKind.BANK, merchant)] == [97, 0]
    assert office.open_ones() == []
    assert charge.public_id


def test_money_sent_to_somebody_that_we_know_nothing_of_is_missing_here(office: Desk) -> None:
    """A payout that names itself is one to the bank; one that does not went to somebody else."""
    close(office, listed("t1", "payout", kes(-40)), listed("t2", "payout", kes(-60), provider_reference="x"))
    assert office.open_ones() == [("missing_here", "own-t1"), ("missing_here", "x")]
    assert on(office, AccountKind.BANK, office.store.merchant.public_id) == 0


def test_a_payment_settled_in_another_currency_is_no_difference(office: Desk) -> None:
    """given KES charges on an account that settles in dollars / then what customers paid is compared, where it is told,
    and the books change the money once."""
    office.charge("RC1", 1300), office.charge("RC2", 260), office.charge("RC3", 130)
    for _ in range(2):
        closed = close(
            office,
            listed("t1", "charge", Money(10, USD), "0.50", receipt="RC1", presented=kes(1300)),
            listed("t2", "charge", Money(2, USD), receipt="RC2"),
            listed("t3", "charge", Money(1, USD), receipt="RC3", presented=kes(131)),
        )
    assert office.open_ones() == [("amount_differs", "RC3")]
    assert closed.totals["settled_elsewhere"] == 2
    assert on(office, AccountKind.PROVIDER_CLEARING) == 130
    assert on(office, AccountKind.PROVIDER_CLEARING, currency="USD") == Decimal("11.50")
    assert on(office, AccountKind.PROVIDER_FEES, office.store.public_id, "USD") == Decimal("0.50")
    assert balance(fx_trading("USD", "KES", livemode=False)).posted == Money(12, USD)
    assert balance(fx_trading("KES", "USD", livemode=False)).posted == kes(-1560)


def test_money_that_left_and_came_back_moved_nothing(office: Desk) -> None:
    close(
        office,
        listed("t1", "refund", kes(-30), provider_reference="re-1"),
        listed("t2", "refund", kes(30), provider_reference="re-1"),
        listed("t3", "refund", kes(-30), provider_reference="re-2"),
    )
    assert office.open_ones() == [("missing_here", "re-2")]


def test_a_dispute_goes_by_its_own_reference_and_touches_no_payment(office: Desk) -> None:
    office.charge("RC1", 100)
    close(
        office,
        listed("t1", "charge", kes(100), receipt="RC1"),
        listed("t2", "dispute", kes(-100), "15", receipt="RC1", provider_reference="dp-1"),
    )
    assert office.open_ones() == [("missing_here", "dp-1")]
    assert on(office, AccountKind.PROVIDER_FEES, office.store.public_id) == 0


def test_a_booking_that_no_longer_is_what_the_provider_says_is_a_difference(office: Desk) -> None:
    close(office, listed("t1", "fee", kes(-20)))
    close(office, listed("t1", "fee", kes(-21)))
    assert office.open_ones() == [("amount_differs", "own-t1")]
    assert on(office, AccountKind.PROVIDER_FEES, office.store.public_id) == 20


def test_a_close_asks_the_database_as_often_for_twenty_lines_as_for_two(office: Desk) -> None:
    """Without new bookings, which are made one by one."""

    def queries(first: int, count: int) -> int:
        for number in range(first, count):
            office.charge(f"RC{number}", 100, fee=kes(1))
        lines = [listed(f"t{n}", "charge", kes(100), "1", receipt=f"RC{n}", reference="x") for n in range(count)]
        close(office, *lines, listed("p", "payout", kes(-5), payout_reference="p", provider_reference="p"))
        with CaptureQueriesContext(connection) as found:
            office.close()
        return len(found)

    assert queries(0, 2) == queries(2, 20)
