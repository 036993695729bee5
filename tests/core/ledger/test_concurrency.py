"""Many connections at once, on PostgreSQL: nobody waits who need not, nothing deadlocks, nothing is counted twice."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from majuu_core.ledger import services
from majuu_core.ledger.exceptions import DuplicateTransaction, HoldAlreadyResolved, InsufficientFunds
from majuu_core.ledger.models import LedgerAccount, LedgerBalance, LedgerTransaction
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.services import Move
from tests.core.ledger.books import (
    assert_in_order,
    available,
    book,
    clearing,
    hold,
    incoming,
    kes,
    payable,
    posted,
    sale,
    wallet,
)

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="races need PostgreSQL"),
]


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run the work in as many threads, each with a connection of its own that waits at most 5 s for any lock."""

    def one(number: int) -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def slots_taken(*numbers: int) -> Iterator[None]:
    """Another connection has these balance slots, until the block ends."""
    ready, done = threading.Event(), threading.Event()

    def take(_: int) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for number in numbers:
                cursor.execute("SELECT pg_advisory_xact_lock(19786, %s)", [number])
            ready.set()
            assert done.wait(20)

    holder = threading.Thread(target=together, args=(1, take))
    holder.start()
    assert ready.wait(20)
    try:
        yield
    finally:
        done.set()
        holder.join()


def test_sixteen_payments_of_one_store_are_open_at_once() -> None:
    """Each books, then waits for all the others before it commits: if one had to wait for another, none would end."""
    book(sale("1"))
    all_have_booked = threading.Barrier(16)

    def pay(_: int) -> None:
        with transaction.atomic():
            book(sale("10"))
            all_have_booked.wait(20)

    together(16, pay)

    assert posted(payable()) == "161.00"
    assert LedgerBalance.objects.filter(account=payable().id).count() in (16, 17)
    assert_in_order()


def test_a_transaction_takes_any_slot_that_is_free() -> None:
    with slots_taken(*(number for number in range(64) if number != 41)):
        book(sale("10"))

    assert set(LedgerBalance.objects.values_list("slot", flat=True)) == {41}
    assert posted(payable()) == "10.00"


def test_only_the_sixty_fifth_waits_and_then_goes_on() -> None:
    with slots_taken(*range(64)):
        with pytest.raises(OperationalError, match="lock timeout"):
            together(1, lambda _: _impatient_sale())
        assert posted(payable()) == "0.00"

    book(sale("10"))
    assert posted(payable()) == "10.00"


def _impatient_sale() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    book(sale("10"))


def test_money_going_both_ways_does_not_deadlock() -> None:
    there = Move(debit=clearing(), credit=payable(), amount=kes("3"))
    back = Move(debit=payable(), credit=clearing(), amount=kes("1"))
    other = Move(debit=payable(owner="st_02"), credit=payable(), amount=kes("2"))

    def storm(number: int) -> None:
        moves = [there, back, other]
        for step in range(20):
            with transaction.atomic():
                turned = moves[(number + step) % 3 :] + moves[: (number + step) % 3]
                book(*turned)
                book(*reversed(turned))

    together(8, storm)

    # 320 transactions, each 3 in, 1 out, 2 from the other store.
    assert posted(payable()) == "1280.00"
    assert posted(clearing()) == "640.00"
    assert posted(payable(owner="st_02")) == "-640.00"
    assert_in_order()


def test_new_accounts_are_created_once_without_deadlock() -> None:
    owners = [f"st_{number:02}" for number in range(12)]
    moves = [Move(debit=clearing(), credit=payable(owner=owner), amount=kes("1")) for owner in owners]
    start = threading.Barrier(8)

    def first_sales(number: int) -> None:
        start.wait(20)
        book(*(moves if number % 2 else moves[::-1]))

    together(8, first_sales)

    assert LedgerAccount.objects.count() == 13
    assert {posted(payable(owner=owner)) for owner in owners} == {"8.00"}
    assert_in_order()


def test_one_of_many_equal_transactions_is_booked() -> None:
    def try_it(_: int) -> bool:
        try:
            book(sale("10"), key="ch_01:post")
        except DuplicateTransaction:
            return False
        return True

    assert together(12, try_it).count(True) == 1
    assert LedgerTransaction.objects.count() == 1
    assert posted(payable()) == "10.00"


def test_one_of_many_resolves_a_hold() -> None:
    charge = hold("10")

    def resolve(number: int) -> str:
        verb = services.post_hold if number % 2 else services.void_hold
        try:
            verb(key=f"r:{number}", kind="charge", reference="ch_01", hold_id=charge)
        except HoldAlreadyResolved:
            return ""
        return "10.00" if number % 2 else "0.00"

    outcomes = [outcome for outcome in together(12, resolve) if outcome]

    assert len(outcomes) == 1
    assert posted(payable()) == outcomes[0]
    assert incoming(payable()) == "0.00"
    assert_in_order()


def test_a_wallet_is_not_overdrawn_by_many_at_once() -> None:
    book(Move(debit=clearing(), credit=wallet(), amount=kes("100")))

    def spend(_: int) -> bool:
        try:
            with transaction.atomic():
                services.lock_for_spending(wallet(), kes("30"))
                book(Move(debit=wallet(), credit=payable(), amount=kes("30")))
        except InsufficientFunds:
            return False
        return True

    assert together(12, spend).count(True) == 3
    assert available(wallet()) == "10.00"
    assert_in_order()


def test_deposits_do_not_wait_for_a_spender() -> None:
    book(Move(debit=clearing(), credit=wallet(), amount=kes("100")))

    with transaction.atomic():
        services.lock_for_spending(wallet(), kes("30"))
        together(1, lambda _: book(Move(debit=clearing(), credit=wallet(), amount=kes("5"))))
        book(Move(debit=wallet(), credit=payable(), amount=kes("30")))

    assert available(wallet()) == "75.00"


def test_a_balance_is_one_query_over_few_rows_however_many_transfers(django_assert_num_queries: Any) -> None:
    together(4, lambda number: [book(sale("1"), key=f"{number}:{uuid.uuid4()}") for _ in range(10)])

    with django_assert_num_queries(1):
        present = balance(payable())

    assert present.posted == kes("40")
    assert LedgerBalance.objects.filter(account=payable().id).count() <= 64
