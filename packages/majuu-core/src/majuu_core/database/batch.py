"""Several writes as one: a single statement on PostgreSQL, one transaction elsewhere.

A hot job writes to four or five tables. Statement by statement that is as many round trips; on PostgreSQL a batch sends
them together as data-modifying common table expressions, which commit or fail as one. Elsewhere the same writes run
one after another inside ``atomic()``.

Rules of PostgreSQL that callers keep: no two writes of a batch touch the same row, and no write reads what another one
of the same batch wrote (foreign keys are checked at the end, so parents and children may come together).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field


class UnexpectedRowCount(Exception):
    """An update of the batch did not find exactly the row it named: somebody changed it first. Nothing was written."""


@dataclass(frozen=True, slots=True)
class _Insert:
    instance: models.Model
    ignore_conflicts: bool = False


@dataclass(frozen=True, slots=True)
class _Update:
    model: type[models.Model]
    pk: Any
    values: Mapping[str, Any]
    where: Mapping[str, Any] = field(default_factory=dict)


class WriteBatch:
    """Collects inserts and updates, then writes them together."""

    def __init__(self) -> None:
        self._guard: models.Model | None = None
        self._writes: list[_Insert | _Update] = []

    def insert_guard(self, instance: models.Model) -> None:
        """This row first; if a unique constraint already has its like, nothing at all is written."""
        if self._guard is not None:
            raise ValueError("a batch has one guard")
        self._guard = instance

    def insert(self, *instances: models.Model) -> None:
        """Insert the rows. Every field is written; defaults that the database would compute are not supported."""
        self._writes.extend(_Insert(instance) for instance in instances)

    def insert_if_absent(self, *instances: models.Model) -> None:
        """Insert the rows unless a unique constraint already has them."""
        self._writes.extend(_Insert(instance, ignore_conflicts=True) for instance in instances)

    def update(
        self, model: type[models.Model], pk: Any, values: Mapping[str, Any], *, where: Mapping[str, Any] | None = None
    ) -> None:
        """Update one row by primary key, if it also matches ``where`` (plain column equality)."""
        self._writes.append(_Update(model, pk, values, where or {}))

    def __len__(self) -> int:
        return len(self._writes) + (self._guard is not None)

    def execute(self) -> bool:
        """Write everything or nothing. False when the guard row was there already.

        Raises UnexpectedRowCount when an update found no row, and the database's own errors.
        """
        if not len(self):
            return True
        using = router.db_for_write(self._any_model())
        connection = connections[using]
        if connection.vendor == "postgresql":
            return self._execute_together(connection)
        return self._execute_one_by_one(using)

    def _any_model(self) -> type[models.Model]:
        if self._guard is not None:
            return type(self._guard)
        first = self._writes[0]
        return type(first.instance) if isinstance(first, _Insert) else first.model

    def _execute_one_by_one(self, using: str) -> bool:
        with transaction.atomic(using=using):
            if self._guard is not None:
                try:
                    with transaction.atomic(using=using):
                        self._guard.save(using=using, force_insert=True)
                except IntegrityError:
                    return False
            for write in self._writes:
                _write_by_orm(write, using)
        return True

    def _execute_together(self, connection: BaseDatabaseWrapper) -> bool:
        parts: list[str] = []
        parameters: list[Any] = []
        expected: list[int | None] = []
        if self._guard is not None:
            sql, values = _insert_sql(connection, self._guard, "ON CONFLICT DO NOTHING", guarded=False)
            parts.append(f"guard AS ({sql} RETURNING 1)")
            parameters += values
        for number, write in enumerate(self._writes):
            sql, values = self._sql(connection, write)
            parts.append(f"w{number} AS ({sql} RETURNING 1)")
            parameters += values
            expected.append(1 if isinstance(write, _Update) else None)
        counts = [f"(SELECT count(*) FROM {part.split(' ', 1)[0]})" for part in parts]
        checks = [index for index, count in enumerate(expected, start=len(parts) - len(expected)) if count]
        return self._run(connection, f"WITH {', '.join(parts)} SELECT {', '.join(counts)}", parameters, checks)

    def _sql(self, connection: BaseDatabaseWrapper, write: _Insert | _Update) -> tuple[str, list[Any]]:
        guarded = self._guard is not None
        if isinstance(write, _Insert):
            suffix = "ON CONFLICT DO NOTHING" if write.ignore_conflicts else ""
            return _insert_sql(connection, write.instance, suffix, guarded=guarded)
        return _update_sql(connection, write, guarded=guarded)

    def _run(self, connection: BaseDatabaseWrapper, sql: str, parameters: list[Any], checks: Sequence[int]) -> bool:
        # One statement is atomic by itself; only updates that must be undone when their row is gone need a transaction.
        if checks and not connection.in_atomic_block:
            with transaction.atomic(using=connection.alias):
                return self._run(connection, sql, parameters, checks)
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            row = cursor.fetchone()
        if self._guard is not None and row[0] == 0:
            return False
        for index in checks:
            if row[index] != 1:
                raise UnexpectedRowCount(f"update {index} of the batch found {row[index]} rows instead of 1")
        for instance in [self._guard, *(write.instance for write in self._writes if isinstance(write, _Insert))]:
            if instance is not None:
                instance._state.adding = False
                instance._state.db = connection.alias
        return True


def _write_by_orm(write: _Insert | _Update, using: str) -> None:
    if isinstance(write, _Update):
        manager = write.model._base_manager.using(using)
        # MariaDB counts changed rows, not found ones: a lock and a look first give the same answer everywhere.
        if not manager.filter(pk=write.pk, **write.where).select_for_update().exists():
            raise UnexpectedRowCount(f"{write.model.__name__} {write.pk} is not as expected")
        manager.filter(pk=write.pk).update(**write.values)
    elif write.ignore_conflicts:
        type(write.instance)._base_manager.using(using).bulk_create([write.instance], ignore_conflicts=True)
    else:
        write.instance.save(using=using, force_insert=True)


# The statement's text depends on the model and the flags only, so it is built once and psycopg can prepare it.
_insert_texts: dict[tuple[type[models.Model], str, bool], tuple[str, list[Field[Any, Any]]]] = {}


def _insert_sql(
    connection: BaseDatabaseWrapper, instance: models.Model, suffix: str, *, guarded: bool
) -> tuple[str, list[Any]]:
    key = (type(instance), suffix, guarded)
    if key not in _insert_texts:
        _insert_texts[key] = _insert_text(connection, type(instance), suffix, guarded=guarded)
    text, fields = _insert_texts[key]
    return text, [item.get_db_prep_save(item.pre_save(instance, True), connection) for item in fields]


def _insert_text(
    connection: BaseDatabaseWrapper, model: type[models.Model], suffix: str, *, guarded: bool
) -> tuple[str, list[Field[Any, Any]]]:
    quote = connection.ops.quote_name
    # An automatic key is left to the database.
    fields = [item for item in model._meta.concrete_fields if not isinstance(item, models.AutoField)]
    columns = ", ".join(quote(item.column) for item in fields)
    places = ", ".join(f"%s::{item.db_type(connection)}" for item in fields)
    source = f"SELECT {places} WHERE EXISTS (SELECT 1 FROM guard)" if guarded else f"VALUES ({places})"
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {source} {suffix}".rstrip(), fields


def _update_sql(connection: BaseDatabaseWrapper, write: _Update, *, guarded: bool) -> tuple[str, list[Any]]:
    quote, meta = connection.ops.quote_name, write.model._meta
    parameters: list[Any] = []

    def assign(name: str, value: Any) -> str:
        item = meta.get_field(name)
        assert isinstance(item, Field)  # noqa: S101 - relations backwards have no column
        parameters.append(item.get_db_prep_save(value, connection))
        return f"{quote(item.column)} = %s::{item.db_type(connection)}"

    changes = ", ".join(assign(name, value) for name, value in write.values.items())
    conditions = [assign("pk" if name == "pk" else name, value) for name, value in write.where.items()]
    assert meta.pk is not None  # noqa: S101 - every model has a key
    conditions.append(assign(meta.pk.name, write.pk))
    if guarded:
        conditions.append("EXISTS (SELECT 1 FROM guard)")
    return f"UPDATE {quote(meta.db_table)} SET {changes} WHERE {' AND '.join(conditions)}", parameters
