from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction

from majuu_core.database.batch import UnexpectedRowCount, WriteBatch
from majuu_core.events.models import Event, HandlerRun
from majuu_core.merchants.models import Merchant, Store
from majuu_core.payments.models import PaymentIntent

pytestmark = pytest.mark.django_db
TOGETHER = connection.vendor == "postgresql"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(**changes: Any) -> Event:
    return Event(
        **{"store_id": uuid.UUID(int=1), "livemode": False, "type": "x.made", "object_id": "x_1", "data": {}, **changes}
    )


def saved_event(**changes: Any) -> Event:
    row = event(**changes)
    row.save()
    return row


def run_of(parent: Event, handler: str = "mail") -> HandlerRun:
    return HandlerRun(event=parent, handler=handler)


def batch_of(*instances: Any) -> WriteBatch:
    batch = WriteBatch()
    batch.insert(*instances)
    return batch


# --- inserting -----------------------------------------------------------------------------------------------------


def test_rows_arrive_as_saving_them_would_write_them() -> None:
    rows = {"a": [1, None, {"ä": "€"}], "quote": 'it\'s "so" %s'}
    made = event(data=rows, livemode=True, type="x.paid", created_at=NOON, dispatched_at=NOON)

    assert batch_of(made).execute() is True

    found = Event.objects.get()
    assert {
        name: getattr(found, name) for name in ("pk", "data", "livemode", "type", "created_at", "dispatched_at")
    } == {
        "pk": made.pk,
        "data": rows,
        "livemode": True,
        "type": "x.paid",
        "created_at": NOON,
        "dispatched_at": NOON,
    }
    assert made._state.adding is False


def test_parents_and_children_come_together() -> None:
    parent = event()

    batch_of(parent, run_of(parent), run_of(parent, "sms")).execute()

    assert sorted(parent.handler_runs.values_list("handler", "state", "attempts", "next_attempt_at")) == [
        ("mail", "pending", 0, None),
        ("sms", "pending", 0, None),
    ]


def test_money_columns() -> None:
    merchant = Merchant(name="Duka", country="KE")
    store = Store(merchant=merchant, name="Duka", code="duka")
    intent = PaymentIntent(
        store=store,
        livemode=False,
        amount=Decimal("1500.25"),
        amount_received=Decimal(0),
        surplus=Decimal(0),
        currency="KES",
        expires_at=NOON,
    )

    batch_of(merchant, store, intent).execute()

    found = PaymentIntent.objects.get()
    assert (found.amount.amount, found.amount.currency.code) == (Decimal("1500.2500"), "KES")
    assert found.store.merchant.country.code == "KE"
    batch = WriteBatch()
    batch.update(PaymentIntent, intent.pk, {"amount_received": found.amount, "status": "succeeded"})
    batch.execute()
    found.refresh_from_db()
    assert (found.amount_received, found.status) == (found.amount, "succeeded")


def test_an_empty_batch_does_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert WriteBatch().execute() is True


@pytest.mark.skipif(not TOGETHER, reason="only PostgreSQL takes a batch in one statement")
def test_everything_is_one_statement(django_assert_num_queries: Any) -> None:
    old, parent = saved_event(), event()
    batch = batch_of(parent, run_of(parent), run_of(parent, "sms"))
    batch.insert_guard(event())
    batch.insert_if_absent(saved_event())
    batch.update(Event, old.pk, {"type": "x.done"}, where={"type": "x.made"})

    with django_assert_num_queries(1):
        assert batch.execute() is True


@pytest.mark.skipif(not TOGETHER, reason="elsewhere a batch is a transaction")
@pytest.mark.django_db(transaction=True)
def test_one_statement_needs_no_transaction(django_assert_num_queries: Any) -> None:
    old = saved_event()
    batch = batch_of(event())
    batch.update(Event, old.pk, {"type": "x.done"})

    with django_assert_num_queries(1):
        batch.execute()

    assert Event.objects.filter(type="x.done").count() == 1


def test_one_bad_row_stops_all() -> None:
    parent = saved_event()

    with pytest.raises(IntegrityError), transaction.atomic():
        batch_of(event(), run_of(parent), run_of(parent)).execute()

    assert (Event.objects.count(), HandlerRun.objects.count()) == (1, 0)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no lengths")
@pytest.mark.parametrize("how", ["insert", "insert_if_absent", "insert_guard"])
def test_a_text_that_is_too_long_is_refused_not_cut(how: str) -> None:
    batch = WriteBatch()
    getattr(batch, how)(event(type="x" * 65))

    with pytest.raises(DataError), transaction.atomic():
        batch.execute()

    assert Event.objects.count() == 0


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no lengths")
def test_an_updated_text_that_is_too_long_is_refused_not_cut() -> None:
    old = saved_event()
    batch = WriteBatch()
    batch.update(Event, old.pk, {"type": "x" * 65})

    with pytest.raises(DataError), transaction.atomic():
        batch.execute()

    old.refresh_from_db()
    assert old.type == "x.made"


# --- unless present ------------------------------------------------------------------------------------------------


def test_insert_if_absent_leaves_a_row_that_is_there() -> None:
    old = saved_event(type="x.old")
    batch = WriteBatch()
    batch.insert_if_absent(event(pk=old.pk, type="x.new"), event(type="x.other"))

    assert batch.execute() is True

    assert sorted(Event.objects.values_list("type", flat=True)) == ["x.old", "x.other"]


def test_insert_if_absent_sees_every_unique_constraint() -> None:
    parent = saved_event()
    run_of(parent).save()
    batch = WriteBatch()
    batch.insert_if_absent(run_of(parent), run_of(parent, "sms"))

    batch.execute()

    assert sorted(parent.handler_runs.values_list("handler", flat=True)) == ["mail", "sms"]


def test_naming_an_absent_row_twice_is_the_same_as_once() -> None:
    row = event()
    batch = WriteBatch()
    batch.insert_if_absent(row, event(pk=row.pk))
    batch.insert_if_absent(row)

    assert len(batch) == 1
    batch.execute()
    assert Event.objects.count() == 1


@pytest.mark.parametrize("how", ["insert_if_absent", "insert_guard"])
def test_what_is_wrong_with_a_row_is_not_taken_for_its_presence(how: str) -> None:
    batch = WriteBatch()
    getattr(batch, how)(event(type=None))

    with pytest.raises(IntegrityError), transaction.atomic():
        batch.execute()

    assert Event.objects.count() == 0


# --- guards --------------------------------------------------------------------------------------------------------


def guarded(guard: Event, old: Event) -> WriteBatch:
    batch = batch_of(event(type="x.child"))
    batch.insert_guard(guard)
    batch.insert_if_absent(event(type="x.perhaps"))
    batch.update(Event, old.pk, {"type": "x.updated"})
    return batch


def test_a_new_guard_lets_everything_through() -> None:
    old = saved_event()

    assert guarded(event(type="x.guard"), old).execute() is True

    assert sorted(Event.objects.values_list("type", flat=True)) == ["x.child", "x.guard", "x.perhaps", "x.updated"]


def test_a_guard_that_is_there_stops_everything() -> None:
    old, guard = saved_event(), saved_event(type="x.guard")

    assert guarded(event(pk=guard.pk), old).execute() is False

    assert sorted(Event.objects.values_list("type", flat=True)) == ["x.guard", "x.made"]


def test_a_guard_that_is_there_stops_even_an_update_that_would_miss() -> None:
    guard = saved_event()

    assert guarded(event(pk=guard.pk), event()).execute() is False


def test_a_batch_has_one_guard() -> None:
    batch = WriteBatch()
    batch.insert_guard(event())

    with pytest.raises(ValueError, match="one guard"):
        batch.insert_guard(event())


# --- updating ------------------------------------------------------------------------------------------------------


def test_an_update_changes_one_row() -> None:
    old, other = saved_event(), saved_event()
    batch = WriteBatch()
    batch.update(Event, old.pk, {"type": "x.done", "data": {"n": 1}, "dispatched_at": NOON}, where={"type": "x.made"})

    batch.execute()

    old.refresh_from_db()
    other.refresh_from_db()
    assert (old.type, old.data, old.dispatched_at) == ("x.done", {"n": 1}, NOON)
    assert (other.type, other.data, other.dispatched_at) == ("x.made", {}, None)


def test_an_update_to_what_is_there_already_counts() -> None:
    """MariaDB reports changed rows, not found ones."""
    old = saved_event()
    batch = WriteBatch()
    batch.update(Event, old.pk, {"type": "x.made"})

    assert batch.execute() is True


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({"type": "x.made"}, True),
        ({"type": "x.gone"}, False),
        ({"dispatched_at": None}, True),
        ({"dispatched_at": NOON}, False),
        ({"livemode": False, "object_id": "x_1"}, True),
        ({"livemode": False, "object_id": "x_2"}, False),
    ],
)
def test_an_update_finds_its_row_or_undoes_everything(where: dict[str, Any], fits: bool) -> None:
    old = saved_event()
    batch = batch_of(event(type="x.new"))
    batch.update(Event, old.pk, {"type": "x.done"}, where=where)

    if fits:
        batch.execute()
    else:
        with pytest.raises(UnexpectedRowCount, match=f"Event {old.pk}"), transaction.atomic():
            batch.execute()

    assert sorted(Event.objects.values_list("type", flat=True)) == (["x.done", "x.new"] if fits else ["x.made"])


@pytest.mark.django_db(transaction=True)
def test_an_update_that_misses_undoes_everything_without_a_transaction_around_it() -> None:
    batch = batch_of(event())
    batch.update(Event, uuid.uuid4(), {"type": "x.done"})

    with pytest.raises(UnexpectedRowCount):
        batch.execute()

    assert Event.objects.count() == 0
    assert connection.in_atomic_block is False


def test_the_update_that_missed_is_named() -> None:
    fine = saved_event()
    batch = WriteBatch()
    batch.update(Event, fine.pk, {"type": "x.done"})
    batch.update(HandlerRun, 12345, {"attempts": 1})

    with pytest.raises(UnexpectedRowCount, match="HandlerRun 12345"), transaction.atomic():
        batch.execute()


def test_other_data_errors_pass_unchanged() -> None:
    old = saved_event()
    batch = WriteBatch()
    batch.update(Event, old.pk, {"type": "x\x00y" if TOGETHER else None})

    with pytest.raises((DatabaseError, ValueError)), transaction.atomic():
        batch.execute()

    old.refresh_from_db()
    assert old.type == "x.made"


def test_an_update_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one column"):
        WriteBatch().update(Event, uuid.uuid4(), {})


def test_foreign_keys_are_set_by_instance_or_key() -> None:
    first, second = saved_event(), saved_event()
    run = run_of(first)
    run.save()
    batch = WriteBatch()
    batch.update(HandlerRun, run.pk, {"event": second.pk}, where={"event": first.pk})

    batch.execute()

    run.refresh_from_db()
    assert run.event_id == second.pk


# --- callbacks -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_callbacks_run_when_the_outermost_transaction_is_committed() -> None:
    called: list[str] = []
    batch = batch_of(event())
    batch.when_committed(lambda: called.append("yes"))

    with transaction.atomic():
        batch.execute()
        assert called == []

    assert called == ["yes"]


@pytest.mark.django_db(transaction=True)
def test_callbacks_run_at_once_without_a_transaction() -> None:
    called: list[str] = []
    batch = batch_of(event())
    batch.when_committed(lambda: called.append("yes"))

    batch.execute()

    assert called == ["yes"]


@pytest.mark.django_db(transaction=True)
def test_callbacks_do_not_run_after_a_rollback_a_refusal_or_a_guard() -> None:
    called: list[str] = []
    old = saved_event()

    rolled_back, refused, stopped = batch_of(event()), batch_of(event()), batch_of(event())
    refused.update(Event, uuid.uuid4(), {"type": "x.done"})
    stopped.insert_guard(event(pk=old.pk))
    for batch in (rolled_back, refused, stopped):
        batch.when_committed(lambda: called.append("no"))
    with transaction.atomic():
        rolled_back.execute()
        transaction.set_rollback(True)
    with pytest.raises(UnexpectedRowCount):
        refused.execute()
    assert stopped.execute() is False

    assert called == []
    assert Event.objects.count() == 1
