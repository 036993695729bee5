from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger import selectors, services
from majuu_core.ledger.chart import AccountKind, Side
from majuu_core.ledger.models import LedgerTransfer
from majuu_core.ledger.selectors import StatementLine, balance, balances, statement, trial_balance
from majuu_core.ledger.services import Move
from tests.core.ledger.books import bank, book, clearing, hold, kes, payable, sale, usd

pytestmark = pytest.mark.django_db


def test_an_account_nobody_used_has_zeros() -> None:
    present = balance(payable())

    assert {present.posted, present.available, present.incoming, present.debits_posted} == {kes("0")}
    assert balance(payable(), datetime.fromisoformat("2026-01-01T00:00:00+00:00")) == present


def test_a_balance_shows_both_sides() -> None:
    book(sale("100.50"))
    book(Move(debit=payable(), credit=clearing(), amount=kes("30.25")))
    hold("7.00")
    book(Move(debit=payable(), credit=clearing(), amount=kes("2.00"), phase="pending"))

    present = balance(payable())

    assert present.credits_posted == kes("100.50")
    assert present.debits_posted == kes("30.25")
    assert present.credits_pending == kes("7.00")
    assert present.debits_pending == kes("2.00")
    assert (present.posted, present.available, present.incoming) == (kes("70.25"), kes("68.25"), kes("7.00"))


def test_sums_are_exact() -> None:
    """Ten times 0.10 is 1.00, beside a large amount too."""
    for _ in range(10):
        book(sale("0.10"))
    book(sale("99999999.99"))

    assert balance(payable()).posted == kes("100000000.99")
    assert balance(payable(), datetime.fromisoformat("2100-01-01T00:00:00+00:00")).posted == kes("100000000.99")


def test_many_balances_take_one_query(django_assert_num_queries: object) -> None:
    for owner in ("st_01", "st_02", "st_03"):
        book(Move(debit=clearing(), credit=payable(owner=owner), amount=kes("5")))
    refs = [payable(owner=f"st_0{number}") for number in range(1, 5)]

    with django_assert_num_queries(1):  # type: ignore[operator]
        found = balances(refs)

    assert [found[ref].posted for ref in refs] == [kes("5"), kes("5"), kes("5"), kes("0")]


def test_no_balances_take_no_query(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert balances([]) == {}


def test_a_balance_as_of_an_instant(virtual_clock: VirtualClock) -> None:
    times = [virtual_clock.now()]
    first = hold("100")
    times.append(virtual_clock.advance(60))
    services.post_hold(key="post", kind="charge", reference="ch_01", hold_id=first, amount=kes("80"))
    times.append(virtual_clock.advance(60))
    second = hold("10")
    times.append(virtual_clock.advance(60))
    services.void_hold(key="void", kind="charge_void", reference="ch_01", hold_id=second)

    seen = [(balance(payable(), at).posted, balance(payable(), at).incoming) for at in times]

    assert seen == [
        (kes("0"), kes("100")),
        (kes("80"), kes("0")),
        (kes("80"), kes("10")),
        (kes("80"), kes("0")),
    ]
    assert balance(payable(), times[0] - timedelta(microseconds=1)).incoming == kes("0")
    assert balance(payable(), times[-1]) == balance(payable())
    assert balance(clearing(), times[-1]) == balance(clearing())


@pytest.fixture
def march(virtual_clock: VirtualClock) -> datetime:
    """A sale a day for three days, a refund on the second, a hold that never counts. Returns the first instant."""
    start = virtual_clock.now()
    book(sale("100.00"))
    virtual_clock.advance(timedelta(days=1))
    book(sale("50.00"))
    book(Move(debit=payable(), credit=clearing(), amount=kes("20.00")), kind="refund")
    hold("999.00")
    virtual_clock.advance(timedelta(days=1))
    book(sale("7.00"))
    return start


def test_a_statement_of_a_period(march: datetime) -> None:
    day = timedelta(days=1)

    shown = statement(payable(), march + day, march + 2 * day)
    lines = list(shown.lines)

    assert (shown.opening, shown.closing) == (kes("100.00"), kes("130.00"))
    assert sorted((line.side, line.amount, line.kind) for line in lines) == [
        (Side.CREDIT, kes("50.00"), "charge"),
        (Side.DEBIT, kes("-20.00"), "refund"),
    ]
    assert lines[-1].balance == shown.closing
    assert {line.at for line in lines} == {march + day}
    assert {line.reference for line in lines} == {"ch_01"}


def test_a_statement_of_the_other_side_has_the_same_signs(march: datetime) -> None:
    shown = statement(clearing(), march, march + timedelta(days=9))

    lines = list(shown.lines)

    assert [line.side for line in lines].count(Side.DEBIT) == 3
    assert (shown.opening, lines[-1].balance, shown.closing) == (kes("0"), kes("137.00"), kes("137.00"))


def test_a_statement_of_an_empty_period(march: datetime) -> None:
    shown = statement(payable(), march, march)

    assert (shown.opening, list(shown.lines), shown.closing) == (kes("0"), [], kes("0"))


def test_a_statement_does_not_run_backwards(march: datetime) -> None:
    with pytest.raises(ValueError, match="not after its end"):
        statement(payable(), march, march - timedelta(seconds=1))


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_pages_lose_and_repeat_nothing(page: int, monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock) -> None:
    """Lines at one instant on both sides, over several pages."""
    start = virtual_clock.now()
    for number in range(1, 8):
        book(sale(f"{number}.00"))
        if number % 3 == 0:
            book(Move(debit=payable(), credit=clearing(), amount=kes("0.50")))
            virtual_clock.advance(1)
    monkeypatch.setattr(selectors, "_PAGE", page)

    shown = statement(payable(), start, start + timedelta(minutes=1))
    lines: list[StatementLine] = list(shown.lines)

    assert {line.transfer_id for line in lines} == set(LedgerTransfer.objects.values_list("pk", flat=True))
    assert len(lines) == 9
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert lines[-1].balance == shown.closing == kes("27.00")


def test_the_trial_balance(virtual_clock: VirtualClock) -> None:
    book(sale("100.00"))
    book(Move(debit=bank(), credit=clearing(), amount=kes("40.00")))
    book(Move(debit=clearing("USD"), credit=payable("USD"), amount=usd("3.00")))
    live = Move(debit=clearing(livemode=True), credit=payable(livemode=True), amount=kes("8.00"))
    book(live)

    assert [(line.kind, line.debits, line.credits) for line in trial_balance(False)] == [
        (AccountKind.PROVIDER_CLEARING, kes("100.00"), kes("40.00")),
        (AccountKind.STORE_PAYABLE, kes("0"), kes("100.00")),
        (AccountKind.TRUST_BANK, kes("40.00"), kes("0")),
        (AccountKind.PROVIDER_CLEARING, usd("3.00"), usd("0")),
        (AccountKind.STORE_PAYABLE, usd("0"), usd("3.00")),
    ]
    assert [(line.kind, line.debits) for line in trial_balance(True)] == [
        (AccountKind.PROVIDER_CLEARING, kes("8.00")),
        (AccountKind.STORE_PAYABLE, kes("0")),
    ]
