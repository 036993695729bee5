"""Tests that commit are cleaned up by emptying tables, which append-only tables refuse. Here is the way round that.

``let_tests_flush()`` changes how Django's ``flush`` executes its statements, for the process: call it once, from
``conftest.py``. The guards are out of force only while a flush runs, and only in the test database's connection.
"""

# ruff: noqa: S608 - names from the database's own catalogue
from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations

_original = BaseDatabaseOperations.execute_sql_flush


def let_tests_flush() -> None:
    """From now on ``flush``, and so every ``django_db(transaction=True)``, empties guarded tables too."""
    BaseDatabaseOperations.execute_sql_flush = _flush_without_guards  # type: ignore[method-assign]


@contextmanager
def guards_lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """No trigger fires on this connection while the block runs. For tests that must bring the database out of order.

    PostgreSQL needs a superuser. On MariaDB, where triggers cannot be switched off, they are dropped and made again,
    which commits the open transaction.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")
        return
    triggers = _triggers(connection)
    with connection.cursor() as cursor:
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for _, statement in triggers:
                cursor.execute(statement)


def _triggers(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """Name and CREATE statement of every trigger."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            return list(cursor.fetchall())
        cursor.execute(
            "SELECT trigger_name, action_timing, event_manipulation, event_object_table, action_statement "
            "FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY action_order"
        )
        return [
            (name, f"CREATE TRIGGER {name} {timing} {event} ON {table} FOR EACH ROW {statement}")
            for name, timing, event, table, statement in cursor.fetchall()
        ]


def _flush_without_guards(self: Any, sql_list: Iterable[str]) -> None:
    connection: BaseDatabaseWrapper = self.connection
    if connection.vendor == "mysql":
        # A trigger sees DELETE but not TRUNCATE, which is slow: only where it must be.
        guarded = {f"DELETE FROM `{table}`" for table in _tables_with_delete_triggers(connection)}
        sql_list = [
            statement.replace("DELETE FROM", "TRUNCATE TABLE") if statement.rstrip(";") in guarded else statement
            for statement in sql_list
        ]
        _original(self, sql_list)
    else:
        with transaction.atomic(using=connection.alias), guards_lifted(connection):
            _original(self, [part for statement in sql_list for part in _as_deletes(statement)])


def _as_deletes(statement: str) -> list[str]:
    """PostgreSQL's TRUNCATE makes new files for a hundred tables, which takes a second: these are nearly empty."""
    tables = statement.removeprefix("TRUNCATE ").rstrip(";")
    if tables == statement.rstrip(";") or "RESTART" in tables or "CASCADE" in tables:
        return [statement]
    return [f"DELETE FROM {table};" for table in tables.split(", ")]


def _tables_with_delete_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_object_table FROM information_schema.triggers "
            "WHERE trigger_schema = DATABASE() AND event_manipulation = 'DELETE'"
        )
        return [row[0] for row in cursor.fetchall()]
