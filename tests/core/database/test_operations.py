"""The safeguards that migrations install: there, back again, and what they refuse. Tried on tables made for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from majuu_core.database.inspection import guard_problems
from majuu_core.database.operations import AppendOnly, CompositeForeignKey, KeepTriggers, VendorSQL

# Tables come and go: nothing that a transaction could take back everywhere.
pytestmark = pytest.mark.django_db(transaction=True)
VENDOR = connection.vendor


def run(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall()) if sql.startswith("SELECT") else []


def refused(sql: str) -> str:
    with pytest.raises(DatabaseError) as refusal:
        run(sql)
    return str(refusal.value)


def apply(operation: Any, *, backwards: bool = False) -> None:
    state = ProjectState()
    with connection.schema_editor() as editor:
        if backwards:
            operation.database_backwards("majuu_test", editor, state, state)
        else:
            operation.database_forwards("majuu_test", editor, state, state)


@pytest.fixture
def tables() -> Iterator[None]:
    run("CREATE TABLE majuu_test_parent (id integer PRIMARY KEY, mode integer NOT NULL, UNIQUE (id, mode))")
    run("CREATE TABLE majuu_test_child (id integer PRIMARY KEY, code integer UNIQUE, parent_id integer, mode integer)")
    run("INSERT INTO majuu_test_parent (id, mode) VALUES (1, 0), (2, 1)")
    run("INSERT INTO majuu_test_child (id, code, parent_id, mode) VALUES (1, 10, 1, 0)")
    try:
        yield
    finally:
        run("DROP TABLE majuu_test_child")
        run("DROP TABLE majuu_test_parent")


def children() -> list[Any]:
    return run("SELECT id, code, parent_id, mode FROM majuu_test_child ORDER BY id")


# --- AppendOnly ----------------------------------------------------------------------------------------------------


@pytest.fixture
def append_only(tables: None) -> Iterator[AppendOnly]:
    operation = AppendOnly("majuu_test_child", unique=(("id",), ("code",)))
    apply(operation)
    yield operation
    apply(operation, backwards=True)


def test_rows_can_be_added(append_only: AppendOnly) -> None:
    run("INSERT INTO majuu_test_child (id, code) VALUES (2, 20), (3, NULL), (4, NULL)")

    assert len(children()) == 4


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE majuu_test_child SET code = 11",
        "UPDATE majuu_test_child SET code = code",
        "DELETE FROM majuu_test_child",
        "DELETE FROM majuu_test_child WHERE id = 1",
    ],
)
def test_rows_are_not_changed_or_removed(append_only: AppendOnly, sql: str) -> None:
    assert "majuu_test_child is append-only" in refused(sql)
    assert children() == [(1, 10, 1, 0)]


@pytest.mark.skipif(VENDOR != "postgresql", reason="SQLite has no TRUNCATE, on MariaDB no trigger sees it")
def test_the_table_is_not_truncated(append_only: AppendOnly) -> None:
    refused("TRUNCATE majuu_test_child")
    assert children() == [(1, 10, 1, 0)]


@pytest.mark.skipif(VENDOR == "postgresql", reason="PostgreSQL has no REPLACE")
@pytest.mark.parametrize("values", ["(1, 99)", "(9, 10)"])
def test_rows_are_not_replaced(append_only: AppendOnly, values: str) -> None:
    refused(f"REPLACE INTO majuu_test_child (id, code) VALUES {values}")
    assert children() == [(1, 10, 1, 0)]


@pytest.mark.skipif(VENDOR != "sqlite", reason="how SQLite would lose a row")
def test_without_the_guard_sqlite_replaces_rows_unseen(tables: None) -> None:
    run("CREATE TRIGGER majuu_test_only BEFORE DELETE ON majuu_test_child BEGIN SELECT RAISE(ABORT, 'no'); END")

    run("REPLACE INTO majuu_test_child (id, code) VALUES (9, 10)")

    assert children() == [(9, 10, None, None)]


def test_it_can_be_taken_back(tables: None) -> None:
    operation = AppendOnly("majuu_test_child")
    apply(operation)
    apply(operation, backwards=True)

    run("DELETE FROM majuu_test_child")

    assert children() == []
    assert all(message.endswith("is missing") for message in guard_problems(connection, [operation]))


# --- CompositeForeignKey -------------------------------------------------------------------------------------------


@pytest.fixture
def composite(tables: None) -> Iterator[CompositeForeignKey]:
    operation = CompositeForeignKey(
        "majuu_test_mode", "majuu_test_child", ("parent_id", "mode"), "majuu_test_parent", ("id", "mode")
    )
    apply(operation)
    yield operation
    apply(operation, backwards=True)


@pytest.mark.parametrize("values", ["(2, 2, 1)", "(2, NULL, 1)", "(2, 1, NULL)", "(2, NULL, NULL)"])
def test_columns_that_agree(composite: CompositeForeignKey, values: str) -> None:
    run(f"INSERT INTO majuu_test_child (id, parent_id, mode) VALUES {values}")

    assert len(children()) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO majuu_test_child (id, parent_id, mode) VALUES (2, 1, 1)",
        "INSERT INTO majuu_test_child (id, parent_id, mode) VALUES (2, 3, 0)",
        "UPDATE majuu_test_child SET mode = 1",
        "UPDATE majuu_test_child SET parent_id = 2",
    ],
)
def test_columns_that_do_not_agree(composite: CompositeForeignKey, sql: str) -> None:
    assert "majuu_test_mode" in refused(sql)
    assert children() == [(1, 10, 1, 0)]


def test_an_update_of_both_columns_that_agrees(composite: CompositeForeignKey) -> None:
    run("UPDATE majuu_test_child SET parent_id = 2, mode = 1")

    assert children() == [(1, 10, 2, 1)]


# --- any vendor ----------------------------------------------------------------------------------------------------


def test_a_database_without_statements_is_an_error() -> None:
    operation = VendorSQL(forwards={"oracle": ["SELECT 1"]}, backwards={"oracle": []})

    with pytest.raises(NotImplementedError, match=f"not on {VENDOR}"):
        apply(operation)


@pytest.mark.parametrize(
    "operation",
    [
        AppendOnly("a_table", unique=(("id",), ("x", "y"))),
        CompositeForeignKey("a_name", "a_table", ("x", "y"), "b_table", ("id", "y")),
        VendorSQL(forwards={"sqlite": ["SELECT 1"]}, backwards={"sqlite": ["SELECT 2"]}),
        KeepTriggers([AppendOnly("a_table")]),
    ],
)
def test_operations_can_be_written_into_migrations(operation: Any) -> None:
    name, arguments, named = operation.deconstruct()
    again = type(operation)(*arguments, **named)

    assert name == type(operation).__name__
    assert MigrationWriter.serialize(operation)[0].startswith("majuu_core.database.operations.")
    if isinstance(operation, VendorSQL):
        assert (again.forwards, again.backwards) == (operation.forwards, operation.backwards)
    assert operation.describe() == again.describe() != ""


# --- KeepTriggers --------------------------------------------------------------------------------------------------


def state_with(length: int) -> ProjectState:
    state = ProjectState()
    migrations.CreateModel(
        "Parent",
        [("id", models.IntegerField(primary_key=True)), ("note", models.CharField(max_length=length, default=""))],
        options={"db_table": "majuu_test_parent"},
    ).state_forwards("majuu_test", state)
    return state


@pytest.fixture
def guarded_parent() -> Iterator[list[VendorSQL]]:
    state = state_with(10)
    with connection.schema_editor() as editor:
        editor.create_model(state.apps.get_model("majuu_test", "Parent"))
    run("CREATE TABLE majuu_test_child (id integer PRIMARY KEY, parent_id integer)")
    guards = [
        AppendOnly("majuu_test_parent"),
        CompositeForeignKey("majuu_test_known", "majuu_test_child", ("parent_id",), "majuu_test_parent", ("id",)),
    ]
    for guard in guards:
        apply(guard)
    try:
        yield guards
    finally:
        run("DROP TABLE majuu_test_child")
        run("DROP TABLE majuu_test_parent")
        if VENDOR == "postgresql":
            run("DROP FUNCTION majuu_test_parent_refuse()")


def alter(operation: Any, before: ProjectState, after: ProjectState, *, backwards: bool = False) -> None:
    with connection.schema_editor() as editor:
        if backwards:
            operation.database_backwards("majuu_test", editor, after, before)
        else:
            operation.database_forwards("majuu_test", editor, before, after)


def test_a_guarded_table_can_be_altered_and_altered_back(guarded_parent: list[VendorSQL]) -> None:
    run("INSERT INTO majuu_test_parent (id, note) VALUES (1, 'one')")
    operation = KeepTriggers(
        [
            migrations.AlterField("parent", "note", models.CharField(max_length=20, default="")),
            migrations.AddField("parent", "extra", models.IntegerField(null=True)),
        ]
    )
    before = state_with(10)
    after = before.clone()
    operation.state_forwards("majuu_test", after)

    alter(operation, before, after)
    assert run("SELECT id, note, extra FROM majuu_test_parent") == [(1, "one", None)]
    assert list(guard_problems(connection, guarded_parent)) == []

    alter(operation, before, after, backwards=True)
    assert run("SELECT id, note FROM majuu_test_parent") == [(1, "one")]
    assert list(guard_problems(connection, guarded_parent)) == []
    refused("UPDATE majuu_test_parent SET note = 'two'")
    refused("INSERT INTO majuu_test_child (id, parent_id) VALUES (1, 7)")


@pytest.mark.skipif(VENDOR != "sqlite", reason="only SQLite builds tables anew")
def test_without_it_sqlite_cannot_alter_what_a_trigger_names(guarded_parent: list[VendorSQL]) -> None:
    before, after = state_with(10), state_with(20)
    operation = migrations.AlterField("parent", "note", models.CharField(max_length=20, default=""))

    with pytest.raises(DatabaseError, match="error in trigger"):
        alter(operation, before, after)
