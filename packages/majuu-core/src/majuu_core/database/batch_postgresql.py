"""A write batch as one PostgreSQL statement: data-modifying common table expressions, built once for each shape.

The shape of a batch (which models, which columns, in which order) decides the statement's text. Texts are few and are
kept, so that neither Python joins nor psycopg parses nor PostgreSQL plans them again.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import DataError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field

from majuu_core.database.cursors import statement_cursor
from majuu_core.database.writes import Insert, Update, Write, unexpected

_REFUSAL = "majuu unexpected row count"
# What the driver takes as it is. Values of another type go through the field, as Django does it.
_PLAIN: tuple[tuple[type[Field[Any, Any]], type], ...] = (
    (models.UUIDField, UUID),
    (models.CharField, str),
    (models.TextField, str),
    (models.BooleanField, bool),
    (models.DecimalField, Decimal),
)


def write_together(connection: BaseDatabaseWrapper, guard: models.Model | None, writes: Sequence[Write]) -> bool:
    """Write everything or nothing, in one statement. False when the guard row was there already.

    Raises UnexpectedRowCount and the database's own errors.
    """
    every = writes if guard is None else [Insert(guard, ignore_conflicts=True), *writes]
    statement = _statement(connection, guard is not None, every)
    parameters: list[Any] = []
    for write, columns in zip(every, statement.columns, strict=True):
        parameters += _values(write, columns, connection)
    try:
        with statement_cursor(connection) as cursor:
            cursor.execute(statement.text, parameters)
            written = cursor.fetchone()[0]
    except DataError as error:
        refused = re.search(rf"{_REFUSAL} (\d+)", str(error))
        if refused is None:
            raise
        missed = every[int(refused[1])]
        assert isinstance(missed, Update)  # noqa: S101 - only updates are counted
        raise unexpected(missed) from error
    if not written:
        return False
    for write in every:
        if isinstance(write, Insert):
            write.instance._state.adding = False
            write.instance._state.db = connection.alias
    return True


# --- the text ------------------------------------------------------------------------------------------------------


class _Column(NamedTuple):
    """Where a parameter comes from: an attribute, of a type that needs no conversion, else through the field."""

    name: str
    plain: type | None
    field: Field[Any, Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    columns: tuple[tuple[_Column, ...], ...]  # of each write, in the order of its parameters


_statements: dict[Hashable, _Statement] = {}


def _statement(connection: BaseDatabaseWrapper, guarded: bool, writes: Sequence[Write]) -> _Statement:
    shape = (guarded, *map(_shape, writes))
    found = _statements.get(shape)
    if found is None:
        found = _statements[shape] = _build(connection, guarded, writes)
    return found


def _shape(write: Write) -> Hashable:
    if isinstance(write, Insert):
        return type(write.instance), write.ignore_conflicts
    where = tuple((name, value is None) for name, value in write.where.items())
    return write.model, tuple(write.values), where, write.version is not None


def _build(connection: BaseDatabaseWrapper, guarded: bool, writes: Sequence[Write]) -> _Statement:
    """The first result is 0 when the guard was there already; the other results only make the statement fail.

    An update that misses its row raises an error, so that PostgreSQL undoes the other writes without a transaction
    (two round trips less) or a savepoint.
    """
    parts, results, columns = [], ["(SELECT count(*) FROM w0)" if guarded else "1"], []
    for number, write in enumerate(writes):
        only_if = "EXISTS (SELECT 1 FROM w0)" if guarded and number else ""
        if isinstance(write, Insert):
            text, used = _insert_text(connection, write, only_if)
            returning = " RETURNING 1" if guarded and not number else ""
        else:
            text, used = _update_text(connection, write, only_if)
            returning = " RETURNING 1"
            count = f"(SELECT count(*) FROM w{number})"  # noqa: S608 - a number
            fine = f"{count} = 1 OR (SELECT count(*) FROM w0) = 0" if guarded else f"{count} = 1"  # noqa: S608
            results.append(f"CASE WHEN {fine} THEN 1 ELSE ('{_REFUSAL} {number} ' || {count})::integer END")
        parts.append(f"w{number} AS ({text}{returning})")
        columns.append(used)
    return _Statement(f"WITH {', '.join(parts)} SELECT {', '.join(results)}", tuple(columns))


def _insert_text(connection: BaseDatabaseWrapper, write: Insert, only_if: str) -> tuple[str, tuple[_Column, ...]]:
    quote, meta = connection.ops.quote_name, type(write.instance)._meta
    # An automatic key is left to the database.
    fields = [item for item in meta.concrete_fields if not isinstance(item, models.AutoField)]
    if any(getattr(item, "auto_now", False) or getattr(item, "auto_now_add", False) for item in fields):
        raise NotImplementedError(f"{meta.label} has a column that Django computes on saving")
    names = ", ".join(quote(_column_name(item)) for item in fields)
    places = ", ".join(_place(connection, item) for item in fields)
    source = f"SELECT {places} WHERE {only_if}" if only_if else f"VALUES ({places})"
    suffix = " ON CONFLICT DO NOTHING" if write.ignore_conflicts else ""
    text = f"INSERT INTO {quote(meta.db_table)} ({names}) {source}{suffix}"
    return text, tuple(_column(item) for item in fields)


def _update_text(connection: BaseDatabaseWrapper, write: Update, only_if: str) -> tuple[str, tuple[_Column, ...]]:
    quote, meta = connection.ops.quote_name, write.model._meta
    columns: list[_Column] = []

    def equals(name: str) -> str:
        item = _field_of(write.model, name)
        columns.append(_column(item))
        return f"{quote(_column_name(item))} = {_place(connection, item)}"

    changes = ", ".join(equals(name) for name in write.values)
    conditions = [
        f"{quote(_column_name(_field_of(write.model, name)))} IS NULL" if value is None else equals(name)
        for name, value in {**write.where, "pk": write.pk}.items()
    ]
    if write.version is not None:
        conditions.append("xmin = %s::text::xid")
    where = " AND ".join([*conditions, only_if] if only_if else conditions)
    return f"UPDATE {quote(meta.db_table)} SET {changes} WHERE {where}", tuple(columns)  # noqa: S608 - names only


def _field_of(model: type[models.Model], name: str) -> Field[Any, Any]:
    item = model._meta.pk if name == "pk" else model._meta.get_field(name)
    assert isinstance(item, Field)  # noqa: S101 - relations backwards have no column
    return item


def _column(item: Field[Any, Any]) -> _Column:
    kind = item.target_field if isinstance(item, models.ForeignKey) else item
    plain = next((plain for field, plain in _PLAIN if isinstance(kind, field)), None)
    return _Column(item.attname, plain, item)


def _column_name(item: Field[Any, Any]) -> str:
    assert item.column is not None  # noqa: S101 - a concrete field
    return item.column


def _place(connection: BaseDatabaseWrapper, item: Field[Any, Any]) -> str:
    # Without the length: a cast to varchar(32) would cut a long text silently, where the column itself refuses it.
    return "%s::" + re.sub(r"\([0-9, ]+\)", "", item.db_type(connection) or "text")


# --- the parameters ------------------------------------------------------------------------------------------------


def _values(write: Write, columns: Sequence[_Column], connection: BaseDatabaseWrapper) -> list[Any]:
    if isinstance(write, Insert):
        # Past the descriptors: that of a money column would make a Money of the number that is wanted here.
        attributes = write.instance.__dict__
        given = [attributes[name] if name in attributes else getattr(write.instance, name) for name, _, _ in columns]
    else:
        given = [*write.values.values(), *(value for value in write.where.values() if value is not None), write.pk]
    values = [
        value if type(value) is plain or value is None else _prepared(field, value, connection)
        for (_, plain, field), value in zip(columns, given, strict=True)
    ]
    if isinstance(write, Update) and write.version is not None:
        values.append(write.version)
    return values


def _prepared(field: Field[Any, Any], value: Any, connection: BaseDatabaseWrapper) -> Any:
    if type(value) is datetime and value.tzinfo is not None:
        return value
    if type(value) in (dict, list) and isinstance(field, models.JSONField) and field.encoder is None:
        try:
            return orjson.dumps(value).decode()
        except TypeError:
            pass  # Django's own way says better what is wrong, and takes numbers of any size
    return field.get_db_prep_save(value, connection)
