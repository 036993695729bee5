"""Raw SQL against the books, as an intruder or a careless hand would write it: refused, and nothing changed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from majuu_core.common import ids
from majuu_core.common.money import Money
from majuu_core.ledger import services
from majuu_core.ledger.chart import AccountKind
from majuu_core.ledger.guards import ACCOUNTS, BALANCES, TRANSACTIONS, TRANSFERS
from majuu_core.ledger.models import LedgerAccount, LedgerBalance, LedgerTransaction, LedgerTransfer
from tests.core.ledger.books import (
    assert_in_order,
    book,
    clearing,
    everything,
    hold,
    payable,
    sale,
    store,
)

pytestmark = pytest.mark.django_db
VENDOR = connection.vendor
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def on(*vendors: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(VENDOR not in vendors, reason=f"speaks the language of {' and '.join(vendors)}")


def raw(value: uuid.UUID) -> str:
    """A UUID as this database's SQL wants it."""
    return str(value) if connection.features.has_native_uuid_field else value.hex


def refused(sql: str, parameters: Sequence[Any] = ()) -> str:
    """Run the statement; it must be refused and change nothing. Returns the database's words."""
    before = everything()
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    assert everything() == before
    return str(refusal.value)


@pytest.fixture(autouse=True)
def books() -> dict[str, uuid.UUID]:
    """Accounts in two currencies and both modes; one posted transfer, one open hold, one resolved."""
    found = {}
    first = book(sale("100.00"), key="first")[0]
    found["transaction"], found["posted"] = first.transaction_id, first.pk
    found["hold"] = hold("50.00")
    found["resolved"] = hold("20.00")
    services.void_hold(key="void", kind="charge_void", reference="ch_01", hold_id=found["resolved"])
    for currency, livemode in (("USD", False), ("KES", True)):
        ends = clearing(currency, livemode=livemode), payable(currency, livemode=livemode)
        amount = Money(1, currency)
        book(services.Move(debit=ends[0], credit=ends[1], amount=amount))
    return found


def insert_transfer(verb: str = "INSERT", **changes: Any) -> tuple[str, list[Any]]:
    """An INSERT of a transfer that would be fine, but for the changes."""
    row: dict[str, Any] = {
        "id": raw(ids.new_uuid()),
        "transaction_id": raw(LedgerTransaction.objects.get(key="first").pk),
        "phase": "posted",
        "debit_account_id": raw(clearing().id),
        "credit_account_id": raw(payable().id),
        "amount": "10.00",
        "currency": "KES",
        "livemode": False,
        "pending_id": None,
        "created_at": NOW if VENDOR == "postgresql" else "2026-03-01 00:00:00",
        **{name: raw(value) if isinstance(value, uuid.UUID) else value for name, value in changes.items()},
    }
    places = ", ".join(["%s"] * len(row))
    return f"{verb} INTO {TRANSFERS} ({', '.join(row)}) VALUES ({places})", list(row.values())


def test_the_attacks_start_from_an_insert_that_is_accepted() -> None:
    with connection.cursor() as cursor:
        cursor.execute(*insert_transfer())

    assert_in_order()


# --- changing and removing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {TRANSFERS} SET amount = amount + 1",
        f"UPDATE {TRANSFERS} SET created_at = created_at",
        f"UPDATE {TRANSFERS} SET phase = 'pending' WHERE phase = 'posted'",
        f"DELETE FROM {TRANSFERS}",
        f"DELETE FROM {TRANSFERS} WHERE phase = 'void_pending'",
        f"UPDATE {TRANSACTIONS} SET reference = 'ch_99'",
        f"DELETE FROM {TRANSACTIONS}",
        f"UPDATE {ACCOUNTS} SET currency = 'USD' WHERE currency = 'KES'",
        f"UPDATE {ACCOUNTS} SET livemode = NOT livemode",
        f"UPDATE {ACCOUNTS} SET kind = 'wallet'",
        f"UPDATE {ACCOUNTS} SET owner = 'st_99'",
        f"DELETE FROM {ACCOUNTS}",
    ],
)
def test_rows_are_never_changed_or_removed(sql: str) -> None:
    assert "append-only" in refused(sql)


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {BALANCES} SET debits_posted = 0",
        f"UPDATE {BALANCES} SET credits_pending = credits_pending + 1 WHERE slot >= 0",
        f"DELETE FROM {BALANCES}",
    ],
)
def test_balances_are_never_written_from_outside(sql: str) -> None:
    assert "kept by triggers" in refused(sql)


def test_balances_are_never_inserted_from_outside() -> None:
    sql = (
        f"INSERT INTO {BALANCES} (account_id, slot, debits_posted, credits_posted, debits_pending, credits_pending) "
        "VALUES (%s, 65, 0, 1000000, 0, 0)"
    )

    assert "kept by triggers" in refused(sql, [raw(payable().id)])


@on("postgresql")
@pytest.mark.parametrize("tables", [TRANSFERS, BALANCES, f"{ACCOUNTS}, {TRANSACTIONS}, {TRANSFERS}, {BALANCES}"])
def test_tables_are_not_truncated(tables: str) -> None:
    refused(f"TRUNCATE {tables} CASCADE")


@on("postgresql", "sqlite")
def test_upsert_does_not_change_a_row(books: dict[str, uuid.UUID]) -> None:
    sql, parameters = insert_transfer(id=books["posted"])

    refused(f"{sql} ON CONFLICT (id) DO UPDATE SET amount = 1000000", parameters)


@on("mysql")
def test_upsert_does_not_change_a_row_on_mariadb(books: dict[str, uuid.UUID]) -> None:
    sql, parameters = insert_transfer(id=books["posted"])

    refused(f"{sql} ON DUPLICATE KEY UPDATE amount = 1000000", parameters)


@on("mysql", "sqlite")
def test_replace_does_not_change_a_row(books: dict[str, uuid.UUID]) -> None:
    """On SQLite, REPLACE removes the old row without any DELETE trigger."""
    refused(*insert_transfer("REPLACE", id=books["posted"], amount="1000000"))


@on("mysql", "sqlite")
def test_replace_by_another_unique_column_does_not_remove_a_row(books: dict[str, uuid.UUID]) -> None:
    voids_again: dict[str, Any] = {"phase": "void_pending", "pending_id": books["resolved"], "amount": "20.00"}

    refused(*insert_transfer("REPLACE", **voids_again))


@on("mysql", "sqlite")
def test_replace_does_not_exchange_a_transaction_or_an_account() -> None:
    columns = "id, key, kind, reference, description, livemode, reverses_id, created_at"
    columns = columns.replace("key", connection.ops.quote_name("key"))
    selected = columns.replace("id,", "%s,", 1)
    refused(
        f"REPLACE INTO {TRANSACTIONS} ({columns}) SELECT {selected} FROM {TRANSACTIONS} WHERE reverses_id IS NULL",
        [raw(ids.new_uuid())],
    )
    refused(
        f"REPLACE INTO {ACCOUNTS} (id, kind, owner, category, currency, livemode, created_at) "
        f"SELECT %s, kind, owner, category, currency, livemode, created_at FROM {ACCOUNTS} LIMIT 1",
        [raw(ids.new_uuid())],
    )


@on("mysql", "sqlite")
def test_replace_does_not_exchange_a_reversal(books: dict[str, uuid.UUID]) -> None:
    services.reverse_transaction(
        transaction_id=books["transaction"], key="undo", kind="correction", reference="ch_01", description=""
    )
    columns = "kind, reference, description, livemode, reverses_id, created_at"

    refused(
        f"REPLACE INTO {TRANSACTIONS} (id, {connection.ops.quote_name('key')}, {columns}) "
        f"SELECT %s, 'another', {columns} FROM {TRANSACTIONS} WHERE reverses_id IS NOT NULL",
        [raw(ids.new_uuid())],
    )


@on("sqlite")
@pytest.mark.parametrize("policy", ["OR REPLACE", "OR IGNORE"])
def test_conflict_policies_do_not_open_the_books(policy: str, books: dict[str, uuid.UUID]) -> None:
    refused(f"UPDATE {policy} {TRANSFERS} SET amount = 1000000")
    refused(f"UPDATE {policy} {BALANCES} SET credits_posted = 1000000")
    refused(*insert_transfer(f"INSERT {policy}", id=books["posted"], amount="1000000"))


@pytest.mark.parametrize("model", [LedgerAccount, LedgerTransaction, LedgerTransfer, LedgerBalance])
def test_the_orm_cannot_delete_either(model: Any) -> None:
    before = everything()

    with pytest.raises(DatabaseError), transaction.atomic():
        model.objects.all()._raw_delete(using="default")

    assert everything() == before


# --- transfers that must not exist ---------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["0", "-1", "-0.0001", "1000000000000000"])
def test_amounts_are_above_zero_and_below_the_limit(amount: str) -> None:
    refused(*insert_transfer(amount=amount))


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "ten", ""])
def test_amounts_are_numbers(amount: str) -> None:
    """PostgreSQL holds NaN to be greater than every number; SQLite stores whatever text it is given."""
    refused(*insert_transfer(amount=amount))


@on("sqlite")
@pytest.mark.parametrize("amount", ["123456789012.34", "0.00001", "1e300", "9e999"])
def test_amounts_that_floats_cannot_hold_are_refused(amount: str) -> None:
    refused(*insert_transfer(amount=amount))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("debit_account_id", clearing("USD").id),
        ("credit_account_id", payable("USD").id),
        ("debit_account_id", clearing(livemode=True).id),
        ("credit_account_id", payable(livemode=True).id),
        ("debit_account_id", store(AccountKind.LOSSES).id),
        ("credit_account_id", uuid.UUID(int=0)),
        ("transaction_id", uuid.UUID(int=0)),
        ("debit_account_id", None),
        ("credit_account_id", None),
        ("transaction_id", None),
        ("currency", "USD"),
        ("currency", "XXX"),
        ("currency", None),
        ("livemode", True),
        ("livemode", None),
        ("amount", None),
        ("credit_account_id", clearing().id),
        ("phase", "nonsense"),
        ("phase", "pending_"),
        ("phase", None),
    ],
)
def test_accounts_currency_and_mode_agree(column: str, value: Any) -> None:
    refused(*insert_transfer(**{column: value}))


def test_a_live_transfer_cannot_join_a_test_transaction() -> None:
    ends: dict[str, Any] = {
        "debit_account_id": clearing(livemode=True).id,
        "credit_account_id": payable(livemode=True).id,
    }

    refused(*insert_transfer(**ends, livemode=True))


def test_a_key_is_used_once() -> None:
    sql = (
        f"INSERT INTO {TRANSACTIONS} SELECT * FROM {TRANSACTIONS}"
        if VENDOR == "mysql"
        else f"INSERT INTO {TRANSACTIONS} SELECT * FROM {TRANSACTIONS} WHERE 1 = 1"
    )

    refused(sql)


# --- holds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["post_pending", "void_pending"])
def test_a_hold_is_resolved_once(phase: str, books: dict[str, uuid.UUID]) -> None:
    refused(*insert_transfer(phase=phase, pending_id=books["resolved"], amount="20.00"))


def test_no_more_is_posted_than_was_held(books: dict[str, uuid.UUID]) -> None:
    refused(*insert_transfer(phase="post_pending", pending_id=books["hold"], amount="50.0001"))


@pytest.mark.parametrize("amount", ["49.99", "50.01"])
def test_a_hold_is_voided_with_its_own_amount(amount: str, books: dict[str, uuid.UUID]) -> None:
    refused(*insert_transfer(phase="void_pending", pending_id=books["hold"], amount=amount))


@pytest.mark.parametrize("phase", ["post_pending", "void_pending"])
@pytest.mark.parametrize("victim", ["posted", "unknown", "itself"])
def test_only_holds_are_resolved(phase: str, victim: str, books: dict[str, uuid.UUID]) -> None:
    own = ids.new_uuid()
    pending = {"posted": books["posted"], "unknown": uuid.UUID(int=7), "itself": own}[victim]

    refused(*insert_transfer(id=own, phase=phase, pending_id=pending, amount="100.00"))


@pytest.mark.parametrize("phase", ["post_pending", "void_pending"])
def test_what_resolves_a_hold_has_its_accounts(phase: str, books: dict[str, uuid.UUID]) -> None:
    swapped = {"debit_account_id": payable().id, "credit_account_id": clearing().id}
    in_usd = {"debit_account_id": clearing("USD").id, "credit_account_id": payable("USD").id, "currency": "USD"}

    for changes in (swapped, in_usd):
        refused(*insert_transfer(phase=phase, pending_id=books["hold"], amount="50.00", **changes))


@pytest.mark.parametrize("phase", ["posted", "pending"])
def test_only_what_resolves_names_a_hold(phase: str, books: dict[str, uuid.UUID]) -> None:
    refused(*insert_transfer(phase=phase, pending_id=books["hold"], amount="50.00"))


@pytest.mark.parametrize("phase", ["post_pending", "void_pending"])
def test_what_resolves_names_a_hold(phase: str) -> None:
    refused(*insert_transfer(phase=phase))


# --- accounts ------------------------------------------------------------------------------------------------------


def test_an_account_exists_once() -> None:
    refused(
        f"INSERT INTO {ACCOUNTS} (id, kind, owner, category, currency, livemode, created_at) "
        f"SELECT %s, kind, owner, category, currency, livemode, created_at FROM {ACCOUNTS} LIMIT 1",
        [raw(ids.new_uuid())],
    )


def test_the_books_are_in_order_after_all_that() -> None:
    assert_in_order()
