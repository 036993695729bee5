"""Migration operations that Django does not have.

* ``VendorSQL``: statements per database vendor, forwards and backwards.
* ``AppendOnly``: UPDATE and DELETE (and TRUNCATE on PostgreSQL) of a table are refused by triggers.
* ``CompositeForeignKey``: two columns together must exist in another table. A foreign key on PostgreSQL and MariaDB;
  triggers on SQLite, which cannot add constraints to a table that exists.
* ``same_mode``: such a key over an id and ``livemode``, so that test and live never mix.
* ``refuse_changes``, ``refuse_insert``: columns that stay as they were inserted, rows that may not be.
* ``ExactText``: a text column that tells "a" from "A" and from "a " on MariaDB too.
* ``KeepTriggers``: for later migrations that alter a table which any of these triggers touches.
"""

# ruff: noqa: S608 - names from migrations, no values
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

Statements = Sequence[str]


class VendorSQL(Operation):
    """Run statements chosen by ``connection.vendor`` ("postgresql", "sqlite", "mysql"; MariaDB is "mysql").

    A vendor without an entry is an error: silently skipping a safeguard would be worse.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, forwards: Mapping[str, Statements], backwards: Mapping[str, Statements]) -> None:
        self.forwards = forwards
        self.backwards = backwards

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing in the models changes."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        _run(schema_editor, self.forwards)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        _run(schema_editor, self.backwards)

    def describe(self) -> str:
        return "Run statements for this database"

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (type(self).__qualname__, [], {"forwards": self.forwards, "backwards": self.backwards})


def _run(schema_editor: BaseDatabaseSchemaEditor, statements: Mapping[str, Statements]) -> None:
    vendor = schema_editor.connection.vendor
    if vendor not in statements:
        raise NotImplementedError(f"Majuu runs on PostgreSQL, SQLite and MariaDB, not on {vendor}")
    for statement in statements[vendor]:
        schema_editor.execute(statement, params=None)


class AppendOnly(VendorSQL):
    """Rows of ``table`` can be added and read, never changed or removed.

    ``unique`` lists the table's unique columns, primary key first: on SQLite ``INSERT OR REPLACE`` removes rows without
    a DELETE that a trigger would see, so an insert that would replace is refused too. What triggers cannot refuse:
    TRUNCATE on MariaDB (do not give the application's database user the DROP privilege), and an owner of the table who
    drops the triggers.
    """

    def __init__(self, table: str, unique: Sequence[Sequence[str]] = (("id",),)) -> None:
        self.table = table
        self.unique = tuple(tuple(columns) for columns in unique)
        super().__init__(*_append_only_statements(table, self.unique))

    def describe(self) -> str:
        return f"Refuse UPDATE and DELETE on {self.table}"

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (type(self).__qualname__, [self.table, self.unique], {})


def _append_only_statements(
    table: str, unique: Sequence[Sequence[str]]
) -> tuple[dict[str, Statements], dict[str, Statements]]:
    message = f"{table} is append-only"
    forwards: dict[str, list[str]] = {
        "postgresql": [
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END $$",
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {table}_refuse()",
        ],
        "sqlite": [],
        "mysql": [],
    }
    backwards: dict[str, list[str]] = {
        "postgresql": [
            f"DROP TRIGGER {table}_no_truncate ON {table}",
            f"DROP TRIGGER {table}_append_only ON {table}",
            f"DROP FUNCTION {table}_refuse()",
        ],
        "sqlite": [],
        "mysql": [],
    }
    for verb in ("UPDATE", "DELETE"):
        name = f"{table}_no_{verb.lower()}"
        forwards["sqlite"].append(
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        forwards["mysql"].append(
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW "
            f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'"
        )
        backwards["sqlite"].append(f"DROP TRIGGER {name}")
        backwards["mysql"].append(f"DROP TRIGGER {name}")
    for columns in unique:
        name = f"{table}_no_replace_{'_'.join(columns)}"
        forwards["sqlite"].append(_refuse_replacing(name, table, columns))
        backwards["sqlite"].append(f"DROP TRIGGER {name}")
    return dict(forwards), dict(backwards)


def _refuse_replacing(name: str, table: str, columns: Sequence[str]) -> str:
    same = " AND ".join(f"{column} = NEW.{column}" for column in columns)
    where = ", ".join(f"{table}.{column}" for column in columns)
    return (
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
        f"BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: {where}'); END"
    )


class CompositeForeignKey(VendorSQL):
    """``columns`` of ``table`` together must equal ``to_columns`` of a row of ``to_table`` (or one of them is NULL).

    ``to_columns`` need a unique constraint. The rows pointed at must not change those columns afterwards.
    """

    def __init__(self, name: str, table: str, columns: Sequence[str], to_table: str, to_columns: Sequence[str]) -> None:
        self.arguments = (name, table, tuple(columns), to_table, tuple(to_columns))
        super().__init__(*_composite_statements(*self.arguments))

    def describe(self) -> str:
        name, table, columns, to_table, _ = self.arguments
        return f"Let {', '.join(columns)} of {table} agree with {to_table} ({name})"

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (type(self).__qualname__, list(self.arguments), {})


def _composite_statements(
    name: str, table: str, columns: Sequence[str], to_table: str, to_columns: Sequence[str]
) -> tuple[dict[str, Statements], dict[str, Statements]]:
    here, there = ", ".join(columns), ", ".join(to_columns)
    add = f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({here}) REFERENCES {to_table} ({there})"
    present = " AND ".join(f"NEW.{column} IS NOT NULL" for column in columns)
    match = " AND ".join(f"{other} = NEW.{column}" for column, other in zip(columns, to_columns, strict=True))
    body = (
        f"WHEN {present} AND NOT EXISTS (SELECT 1 FROM {to_table} WHERE {match}) "
        f"BEGIN SELECT RAISE(ABORT, '{name}: {here} of {table} must agree with {to_table}'); END"
    )
    changed = ", ".join(columns)
    forwards = {
        "postgresql": [f"{add} DEFERRABLE INITIALLY IMMEDIATE"],
        "mysql": [add],
        "sqlite": [
            f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {table} {body}",
            f"CREATE TRIGGER {name}_update BEFORE UPDATE OF {changed} ON {table} {body}",
        ],
    }
    backwards = {
        "postgresql": [f"ALTER TABLE {table} DROP CONSTRAINT {name}"],
        "mysql": [f"ALTER TABLE {table} DROP FOREIGN KEY {name}"],
        "sqlite": [f"DROP TRIGGER {name}_insert", f"DROP TRIGGER {name}_update"],
    }
    return dict(forwards), dict(backwards)


def same_mode(name: str, table: str, column: str, to_table: str) -> CompositeForeignKey:
    """Test and live never mix: a row of ``table`` has the mode of the row that ``column`` names."""
    return CompositeForeignKey(name, table, (column, "livemode"), to_table, ("id", "livemode"))


def refuse_changes(name: str, table: str, columns: Sequence[str], message: str) -> VendorSQL:
    """These columns of ``table`` keep the value they were inserted with."""
    changed = ", ".join(columns)
    different = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    different_sqlite = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
    same_mysql = " AND ".join(f"NEW.{column} <=> OLD.{column}" for column in columns)
    return VendorSQL(
        forwards={
            "postgresql": [
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END $$",
                f"CREATE TRIGGER {name} BEFORE UPDATE OF {changed} ON {table} "
                f"FOR EACH ROW WHEN ({different}) EXECUTE FUNCTION {name}()",
            ],
            "sqlite": [
                f"CREATE TRIGGER {name} BEFORE UPDATE OF {changed} ON {table} "
                f"WHEN {different_sqlite} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            ],
            "mysql": [_signal(name, "UPDATE", table, f"NOT ({same_mysql})", message)],
        },
        backwards=_without_trigger(name, table),
    )


def refuse_insert(name: str, table: str, wrong: str, message: str) -> VendorSQL:
    """A row for which ``wrong`` (SQL that may name NEW) is true is not inserted."""
    return VendorSQL(
        forwards={
            "postgresql": [
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN IF {wrong} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END IF; "
                "RETURN NEW; END $$",
                f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            ],
            "sqlite": [
                f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {wrong} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            ],
            "mysql": [_signal(name, "INSERT", table, wrong, message)],
        },
        backwards=_without_trigger(name, table),
    )


def _signal(name: str, verb: str, table: str, wrong: str, message: str) -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW "
        f"IF {wrong} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'; END IF"
    )


def _without_trigger(name: str, table: str) -> dict[str, Statements]:
    return {
        "postgresql": [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"],
        "sqlite": [f"DROP TRIGGER {name}"],
        "mysql": [f"DROP TRIGGER {name}"],
    }


class ExactText(VendorSQL):
    """``column`` of ``table`` compares exactly. PostgreSQL and SQLite do so anyway; MariaDB ignores case and spaces at
    the end, so that two keys would be one.

    For columns of ``length`` characters without a default. A later AlterField of the column loses it: run this again.
    """

    def __init__(self, table: str, column: str, length: int, *, null: bool = False) -> None:
        self.arguments = (table, column, length)
        self.null = null
        self._modify = f"ALTER TABLE {table} MODIFY `{column}` varchar({length})"
        self._nullness = "NULL" if null else "NOT NULL"
        plain = f"{self._modify} {self._nullness}"
        super().__init__(
            forwards={"postgresql": [], "sqlite": [], "mysql": [self._exact("utf8mb4_nopad_bin")]},
            backwards={"postgresql": [], "sqlite": [], "mysql": [plain]},
        )

    def _exact(self, collation: str) -> str:
        return f"{self._modify} CHARACTER SET utf8mb4 COLLATE {collation} {self._nullness}"

    def describe(self) -> str:
        table, column, _ = self.arguments
        return f"Compare {column} of {table} exactly"

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (type(self).__qualname__, list(self.arguments), {"null": self.null} if self.null else {})


class KeepTriggers(Operation):
    """Run the operations with all triggers of an SQLite database put aside, and put them back.

    To alter a table, Django builds it anew on SQLite, which loses the table's triggers and fails when a trigger of
    another table names it. So wrap what alters a guarded table, or one that a CompositeForeignKey points at::

        operations = [KeepTriggers([migrations.AlterField("ledgeraccount", "owner", ...)])]

    Elsewhere the operations simply run.
    """

    reduces_to_sql = False
    reversible = True

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = list(operations)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """All the operations' changes."""
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        triggers = _put_aside(schema_editor)
        before = from_state
        for operation in self.operations:
            after = before.clone()
            operation.state_forwards(app_label, after)
            operation.database_forwards(app_label, schema_editor, before, after)
            before = after
        _put_back(schema_editor, triggers)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        triggers = _put_aside(schema_editor)
        states = [to_state]
        for operation in self.operations:
            states.append(states[-1].clone())
            operation.state_forwards(app_label, states[-1])
        for number, operation in reversed(list(enumerate(self.operations))):
            operation.database_backwards(app_label, schema_editor, states[number + 1], states[number])
        _put_back(schema_editor, triggers)

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.operations)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (type(self).__qualname__, [self.operations], {})


def _put_aside(schema_editor: BaseDatabaseSchemaEditor) -> list[str]:
    if schema_editor.connection.vendor != "sqlite":
        return []
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
    for name, _ in triggers:
        schema_editor.execute(f"DROP TRIGGER {name}", params=None)
    return [statement for _, statement in triggers]


def _put_back(schema_editor: BaseDatabaseSchemaEditor, triggers: Sequence[str]) -> None:
    for statement in triggers:
        schema_editor.execute(statement, params=None)
