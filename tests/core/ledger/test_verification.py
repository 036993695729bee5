"""Every rule of ``verify`` finds what it is there for, once somebody got past the guards."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from majuu_core.common import clock, ids
from majuu_core.ledger import services, verification
from majuu_core.ledger.chart import AccountKind, Category
from majuu_core.ledger.guards import ACCOUNTS, BALANCES, TRANSACTIONS, TRANSFERS
from majuu_core.ledger.models import LedgerAccount, LedgerTransaction, LedgerTransfer
from majuu_core.ledger.services import Move
from majuu_core.ledger.verification import Problem, find_problems
from majuu_core.testing.database import guards_lifted
from tests.core.ledger.books import assert_in_order, book, clearing, hold, kes, payable, sale, store, wallet

# With triggers out of force; on MariaDB that cannot happen inside a transaction.
pytestmark = pytest.mark.django_db(transaction=True)
VENDOR = connection.vendor


def raw(value: uuid.UUID) -> str:
    return str(value) if connection.features.has_native_uuid_field else value.hex


def tamper(*statements: tuple[str, Sequence[Any]]) -> None:
    """Run the statements with no trigger, foreign key or check in the way."""
    with guards_lifted(connection), connection.cursor() as cursor:
        _checks(cursor, on=False)
        try:
            for sql, parameters in statements:
                cursor.execute(sql, [raw(item) if isinstance(item, uuid.UUID) else item for item in parameters])
        finally:
            _checks(cursor, on=True)


def _checks(cursor: Any, *, on: bool) -> None:
    if VENDOR == "sqlite":
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")
        cursor.execute(f"PRAGMA ignore_check_constraints = {'OFF' if on else 'ON'}")
    elif VENDOR == "mysql":
        cursor.execute(f"SET foreign_key_checks = {int(on)}, check_constraint_checks = {int(on)}")


def found() -> list[tuple[str, str]]:
    return sorted((problem.check, problem.message) for problem in find_problems())


def checks_found() -> set[str]:
    return {problem.check for problem in find_problems()}


@pytest.fixture
def books() -> dict[str, Any]:
    first = book(sale("100.00"), key="first")[0]
    return {"transfer": first.pk, "transaction": first.transaction_id, "hold": hold("50.00")}


def test_an_empty_ledger_is_in_order() -> None:
    assert_in_order()


def test_a_ledger_with_everything_in_it_is_in_order(books: dict[str, Any]) -> None:
    services.post_hold(key="a", kind="charge", reference="ch_01", hold_id=books["hold"], amount=kes("49.99"))
    services.void_hold(key="b", kind="charge_void", reference="ch_01", hold_id=hold("3.00"))
    services.reverse_transaction(
        transaction_id=books["transaction"], key="c", kind="correction", reference="ch_01", description=""
    )
    book(Move(debit=clearing(livemode=True), credit=payable(livemode=True), amount=kes("1")))

    assert_in_order()


def test_a_changed_balance(books: dict[str, Any]) -> None:
    tamper((f"UPDATE {BALANCES} SET credits_posted = credits_posted + 0.01 WHERE account_id = %s", [payable().id]))

    problems = [problem for problem in find_problems() if problem.check == "balances"]
    assert len(problems) == 1
    assert uuid.UUID(problems[0].subject) == payable().id
    assert problems[0].message.startswith("differs from its transfers by 0")
    assert "-0.01" in problems[0].message
    assert [problem.subject for problem in find_problems() if problem.check == "sum"] == ["KES"]


def test_a_changed_hold_on_a_balance(books: dict[str, Any]) -> None:
    tamper((f"UPDATE {BALANCES} SET debits_pending = 0 WHERE account_id = %s", [clearing().id]))

    assert checks_found() == {"balances", "sum"}


def test_a_removed_balance(books: dict[str, Any]) -> None:
    tamper((f"DELETE FROM {BALANCES} WHERE account_id = %s", [payable().id]))

    assert checks_found() == {"balances", "sum"}


def test_a_changed_amount(books: dict[str, Any]) -> None:
    tamper((f"UPDATE {TRANSFERS} SET amount = 100000 WHERE id = %s", [books["transfer"]]))

    assert [problem.check for problem in find_problems()] == ["balances", "balances"]


def test_a_removed_transfer_and_its_empty_transaction(books: dict[str, Any]) -> None:
    tamper((f"DELETE FROM {TRANSFERS} WHERE id = %s", [books["transfer"]]))

    assert ("transactions", "charge ch_01 has no transfer") in found()
    assert "balances" in checks_found()


def test_a_transfer_that_is_no_move(books: dict[str, Any]) -> None:
    same = f"UPDATE {TRANSFERS} SET credit_account_id = debit_account_id WHERE id = %s"
    if VENDOR == "postgresql":
        tamper(
            (f"ALTER TABLE {TRANSFERS} DROP CONSTRAINT majuu_transfer_two_accounts", []), (same, [books["transfer"]])
        )
    else:
        tamper((same, [books["transfer"]]))

    assert any(check == "transfers" and "is not a move" in message for check, message in found())
    if VENDOR == "postgresql":
        assert ("guards", f"constraint majuu_transfer_two_accounts of {TRANSFERS} is missing") in found()
        _make_the_constraint_again(books["transfer"])


def _make_the_constraint_again(transfer: uuid.UUID) -> None:
    tamper((f"UPDATE {TRANSFERS} SET credit_account_id = %s WHERE id = %s", [payable().id, transfer]))
    constraint = next(item for item in LedgerTransfer._meta.constraints if item.name == "majuu_transfer_two_accounts")
    with connection.schema_editor() as editor:
        editor.add_constraint(LedgerTransfer, constraint)
    assert_in_order()


def test_a_transfer_in_a_foreign_currency(books: dict[str, Any]) -> None:
    tamper((f"UPDATE {TRANSFERS} SET currency = 'USD' WHERE id = %s", [books["transfer"]]))

    assert [message for _, message in found()] == [
        "its credit account is missing, or has another currency or mode than USD",
        "its debit account is missing, or has another currency or mode than USD",
    ]


def test_a_transfer_of_the_other_mode(books: dict[str, Any]) -> None:
    tamper((f"UPDATE {TRANSFERS} SET livemode = %s WHERE id = %s", [True, books["transfer"]]))

    assert ("transfers", "its transaction is missing, or of the other mode") in found()


def test_a_transfer_without_account(books: dict[str, Any]) -> None:
    tamper((f"DELETE FROM {ACCOUNTS} WHERE id = %s", [payable().id]))

    assert ("transfers", "its credit account is missing, or has another currency or mode than KES") in found()


def test_a_transfer_without_transaction(books: dict[str, Any]) -> None:
    tamper((f"DELETE FROM {TRANSACTIONS} WHERE id = %s", [books["transaction"]]))

    assert found() == [("transfers", "its transaction is missing, or of the other mode")]


def test_a_hold_posted_beyond_its_amount(books: dict[str, Any]) -> None:
    post = services.post_hold(key="a", kind="charge", reference="ch_01", hold_id=books["hold"])[0]
    tamper((f"UPDATE {TRANSFERS} SET amount = 51 WHERE id = %s", [post.pk]))

    assert checks_found() == {"holds", "balances"}


def test_a_resolution_of_what_is_no_hold(books: dict[str, Any]) -> None:
    void = services.void_hold(key="a", kind="charge_void", reference="ch_01", hold_id=books["hold"])[0]
    tamper((f"UPDATE {TRANSFERS} SET pending_id = %s WHERE id = %s", [books["transfer"], void.pk]))

    assert "holds" in checks_found()


@pytest.mark.skipif(VENDOR == "sqlite", reason="the unique index cannot be dropped on SQLite")
def test_a_hold_resolved_twice(books: dict[str, Any]) -> None:
    """Only possible without the unique constraint, which is reported too."""
    services.void_hold(key="a", kind="charge_void", reference="ch_01", hold_id=books["hold"])
    second = LedgerTransaction.objects.create(key="b", kind="charge_void", reference="ch_01", livemode=False)
    field = LedgerTransfer._meta.get_field("pending")
    loose = _without_unique(field)
    with connection.schema_editor() as editor:
        editor.alter_field(LedgerTransfer, field, loose)
    try:
        columns = "phase, debit_account_id, credit_account_id, amount, currency, livemode, pending_id, created_at"
        tamper(
            (
                f"INSERT INTO {TRANSFERS} (id, transaction_id, {columns}) SELECT %s, %s, {columns} FROM {TRANSFERS} "
                "WHERE phase = 'void_pending'",
                [ids.new_uuid(), second.pk],
            )
        )
        assert ("holds", "resolved 2 times") in found()
        assert ("guards", f"column pending_id of {TRANSFERS} is not unique") in found()
    finally:
        tamper((f"DELETE FROM {TRANSFERS} WHERE transaction_id = %s", [second.pk]))
        with connection.schema_editor() as editor:
            editor.alter_field(LedgerTransfer, loose, field)
    assert [problem.message for problem in find_problems()] == ["charge_void ch_01 has no transfer"]


def _without_unique(field: Any) -> Any:
    from django.db import models

    loose: Any = models.ForeignKey(LedgerTransfer, null=True, on_delete=models.PROTECT, related_name="+")
    loose.set_attributes_from_name("pending")
    loose.model = LedgerTransfer
    return loose


def test_an_account_under_a_false_name(books: dict[str, Any]) -> None:
    LedgerAccount.objects.create(
        id=uuid.UUID(int=5), kind="store_payable", owner="st_09", category="liability", currency="KES", livemode=False
    )
    LedgerAccount.objects.create(
        id=uuid.UUID(int=6), kind="piggy_bank", owner="st_09", category="asset", currency="KES", livemode=False
    )
    losses = store(AccountKind.LOSSES, owner="st_09")
    LedgerAccount.objects.create(
        id=losses.id, kind="losses", owner="st_09", category=Category.INCOME, currency="KES", livemode=False
    )

    assert sorted(message for check, message in found() if check == "accounts") == [
        "its id does not belong to store_payable:st_09:KES:test",
        "its name means nothing: 'piggy_bank' is not a valid AccountKind",
        "losses:st_09:KES:test is filed as income instead of expense",
    ]


def test_an_overdrawn_wallet() -> None:
    """Nothing stops a booking that was not checked first; ``verify`` tells."""
    book(Move(debit=clearing(), credit=wallet(), amount=kes("10")))
    book(Move(debit=wallet(), credit=payable(), amount=kes("6")))
    book(Move(debit=wallet(), credit=payable(), amount=kes("4.01"), phase="pending"))

    assert found() == [("guarded", "wallet cu_01 has less than nothing available")]


def test_a_reversal_that_undoes_something_else(books: dict[str, Any]) -> None:
    entry = LedgerTransaction.objects.create(
        key="undo", kind="correction", reference="ch_01", livemode=False, reverses_id=books["transaction"]
    )
    LedgerTransfer.objects.create(
        transaction=entry,
        phase="posted",
        debit_account_id=payable().id,
        credit_account_id=clearing().id,
        amount="99.99",
        currency="KES",
        livemode=False,
        created_at=clock.now(),
    )

    assert [check for check, _ in found()] == ["reversals", "reversals"]


def test_long_lists_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MAX_FINDINGS", 3)
    for number in range(5):
        LedgerTransaction.objects.create(key=str(number), kind="empty", reference="ch_01", livemode=False)

    problems = list(find_problems())

    assert len(problems) == 4
    assert problems[-1] == Problem("transactions", "...", "and more than 3 in all")


def test_accounts_are_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_PAGE", 2)
    for number in range(5):
        LedgerAccount.objects.create(
            id=uuid.uuid4(), kind="piggy_bank", owner=f"st_{number}", category="asset", currency="KES", livemode=False
        )

    assert len(list(find_problems())) == 5


# --- missing guards ------------------------------------------------------------------------------------------------


def _triggers() -> list[str]:
    with connection.cursor() as cursor:
        if VENDOR == "sqlite":
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'majuu_ledger%%'", []
            )
        elif VENDOR == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid "
                "WHERE NOT tgisinternal AND c.relname LIKE 'majuu_ledger%%'",
                [],
            )
        else:
            cursor.execute(
                "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
                "AND event_object_table LIKE 'majuu_ledger%%'",
                [],
            )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.skipif(VENDOR == "postgresql", reason="dropped in a transaction there: see the next test")
def test_every_missing_trigger_is_reported() -> None:
    with guards_lifted(connection):
        reported = {message for _, message in found()}

    assert {f"trigger {name} is missing" for name in _triggers()} <= reported
    assert_in_order()


@pytest.mark.skipif(VENDOR != "postgresql", reason="only PostgreSQL takes back what it dropped")
@pytest.mark.parametrize("how", ["DISABLE", "ENABLE REPLICA"])
@pytest.mark.django_db
def test_every_disabled_trigger_is_reported(how: str) -> None:
    tables = (ACCOUNTS, TRANSACTIONS, TRANSFERS, BALANCES)
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = %s::regclass", [table])
            for (name,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} {how} TRIGGER {name}")

    assert {message for _, message in found()} == {f"trigger {name} is missing" for name in _triggers()}
    assert len(_triggers()) == 9


@pytest.mark.skipif(VENDOR != "postgresql", reason="functions of triggers exist on PostgreSQL only")
@pytest.mark.django_db
def test_an_exchanged_trigger_function_is_reported() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {TRANSFERS}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NEW; END $$"
        )

    assert found() == [("guards", f"function {TRANSFERS}_refuse is not as the migration made it")]


@pytest.mark.skipif(VENDOR != "postgresql", reason="only PostgreSQL takes back what it dropped")
@pytest.mark.django_db
@pytest.mark.parametrize("name", ["majuu_transfer_debit_fits", "majuu_transfer_transaction_fits"])
def test_a_missing_foreign_key_is_reported(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TRANSFERS} DROP CONSTRAINT {name}")

    assert found() == [("guards", f"constraint {name} is missing")]


@pytest.mark.skipif(VENDOR != "sqlite", reason="DDL is part of the transaction here, and a trigger can be exchanged")
@pytest.mark.django_db
def test_an_exchanged_trigger_is_reported() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {TRANSFERS}_no_update")
        cursor.execute(f"CREATE TRIGGER {TRANSFERS}_no_update BEFORE UPDATE ON {TRANSFERS} BEGIN SELECT 1; END")

    assert found() == [("guards", f"trigger {TRANSFERS}_no_update is not as the migration made it")]
