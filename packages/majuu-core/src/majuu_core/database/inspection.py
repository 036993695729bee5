"""Are the safeguards that migrations installed still in the database, and unchanged?

Triggers vanish more easily than columns: rebuilding a table on SQLite drops them, a careless restore leaves them out,
an operator disables them for an hour and forgets. So what relies on them can ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from majuu_core.database.operations import VendorSQL

_CREATES = re.compile(r"CREATE (TRIGGER|FUNCTION|TABLE) (\w+)|ADD (CONSTRAINT) (\w+)")
_BODY = re.compile(r"\$\$(.*)\$\$|FOR EACH ROW (.*)", re.DOTALL)


def guard_problems(connection: BaseDatabaseWrapper, operations: Iterable[VendorSQL]) -> Iterator[str]:
    """One sentence for each trigger, function, table or constraint of the operations that is missing or different."""
    present = _present(connection)
    for operation in operations:
        for statement in operation.forwards[connection.vendor]:
            found = _CREATES.search(statement)
            if found is None:
                continue
            what = (found[1] or found[3]).lower()
            name = found[2] or found[4]
            body = present.get((what, name), "")
            if body == "":
                yield f"{what} {name} is missing"
            elif body is not None and body != _expected(connection, what, statement):
                yield f"{what} {name} is not as the migration made it"


def constraint_problems(connection: BaseDatabaseWrapper, model_list: Iterable[type[models.Model]]) -> Iterator[str]:
    """One sentence for each constraint and unique column of the models that the database does not have."""
    for model in model_list:
        table = model._meta.db_table
        with connection.cursor() as cursor:
            present = connection.introspection.get_constraints(cursor, table)
        unique = [item["columns"] for item in present.values() if item["unique"] or item["primary_key"]]
        for constraint in model._meta.constraints:
            if constraint.name not in present:
                yield f"constraint {constraint.name} of {table} is missing"
        for field in model._meta.local_concrete_fields:
            if field.unique and [field.column] not in unique:
                yield f"column {field.column} of {table} is not unique"


def _expected(connection: BaseDatabaseWrapper, what: str, statement: str) -> str | None:
    if connection.vendor == "sqlite":
        return statement
    body = _BODY.search(statement)
    if body is None or (connection.vendor == "postgresql") != (what == "function"):
        return None
    return body[1] if what == "function" else body[2]


def _present(connection: BaseDatabaseWrapper) -> Mapping[tuple[str, str], str | None]:
    """What exists: (kind, name) to its definition, or None where the name is all we compare."""
    readers = {"postgresql": _in_postgresql, "sqlite": _in_sqlite, "mysql": _in_mariadb}
    with connection.cursor() as cursor:
        return readers[connection.vendor](cursor)


def _in_postgresql(cursor: Any) -> dict[tuple[str, str], str | None]:
    found: dict[tuple[str, str], str | None] = {}
    cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')")
    found.update({("trigger", name): None for (name,) in cursor.fetchall()})
    cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace")
    found.update({("function", name): source for name, source in cursor.fetchall()})
    cursor.execute("SELECT conname FROM pg_constraint WHERE convalidated")
    found.update({("constraint", name): None for (name,) in cursor.fetchall()})
    return found


def _in_sqlite(cursor: Any) -> dict[tuple[str, str], str | None]:
    cursor.execute("SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'table')")
    return {(kind, name): sql for kind, name, sql in cursor.fetchall()}


def _in_mariadb(cursor: Any) -> dict[tuple[str, str], str | None]:
    found: dict[tuple[str, str], str | None] = {}
    cursor.execute(
        "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    )
    found.update({("trigger", name): body for name, body in cursor.fetchall()})
    cursor.execute(
        "SELECT constraint_name FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()"
    )
    found.update({("constraint", name): None for (name,) in cursor.fetchall()})
    return found
