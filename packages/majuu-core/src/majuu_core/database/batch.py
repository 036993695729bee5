"""Several writes as one: a single statement on PostgreSQL, one transaction elsewhere.

A hot job writes to four or five tables. Statement by statement that is as many round trips; on PostgreSQL a batch sends
them together as data-modifying common table expressions, which commit or fail as one. Elsewhere the same writes run
one after another inside ``atomic()``.

Rules of PostgreSQL that callers keep: no two writes of a batch touch the same row, and no write reads what another one
of the same batch wrote. Foreign keys are checked at the end, so parents and children may come together; elsewhere the
order counts, so parents come first.
"""

# ruff: noqa: S608 - names of tables and columns, no values
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import DataError, IntegrityError, connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field

from majuu_core.database.errors import is_unique_violation

_REFUSAL = "majuu unexpected row count"


class UnexpectedRowCount(Exception):
    """An update of the batch did not find exactly the row it named: somebody changed it first. Nothing was written.

    On PostgreSQL the surrounding transaction, if there is one, can only be rolled back (to a savepoint at least).
    """


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
    """Collects inserts and updates, then writes them together. Used once."""

    def __init__(self) -> None:
        self._guard: models.Model | None = None
        self._writes: list[_Insert | _Update] = []
        self._absent: set[tuple[type[models.Model], Any]] = set()
        self._callbacks: list[Callable[[], object]] = []

    def insert_guard(self, instance: models.Model) -> None:
        """This row first; if a unique constraint already has its like, nothing at all is written."""
        if self._guard is not None:
            raise ValueError("a batch has one guard")
        self._guard = instance

    def insert(self, *instances: models.Model) -> None:
        """Insert the rows. Every field is written; defaults that the database would compute are not supported."""
        self._writes.extend(_Insert(instance) for instance in instances)

    def insert_if_absent(self, *instances: models.Model) -> None:
        """Insert the rows unless a unique constraint already has them. Naming one row twice is the same as once."""
        for instance in instances:
            if (type(instance), instance.pk) not in self._absent:
                if instance.pk is not None:
                    self._absent.add((type(instance), instance.pk))
                self._writes.append(_Insert(instance, ignore_conflicts=True))

    def update(
        self, model: type[models.Model], pk: Any, values: Mapping[str, Any], *, where: Mapping[str, Any] | None = None
    ) -> None:
        """Update one row by primary key, if it also matches ``where`` (plain column equality, None meaning NULL)."""
        if not values:
            raise ValueError("an update changes at least one column")
        self._writes.append(_Update(model, pk, values, where or {}))

    def when_committed(self, callback: Callable[[], object]) -> None:
        """Call this once what the batch wrote is committed; never when it was refused or rolled back."""
        self._callbacks.append(callback)

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
        together = connection.vendor == "postgresql"
        written = self._execute_together(connection) if together else self._execute_one_by_one(using)
        if written:
            for callback in self._callbacks:
                transaction.on_commit(callback, using=using)
        return written

    def _any_model(self) -> type[models.Model]:
        if self._guard is not None:
            return type(self._guard)
        first = self._writes[0]
        return type(first.instance) if isinstance(first, _Insert) else first.model

    def _execute_one_by_one(self, using: str) -> bool:
        with transaction.atomic(using=using):
            if self._guard is not None and not _insert_unless_present(self._guard, using):
                return False
            for write in self._writes:
                _write_by_orm(write, using)
        return True

    def _execute_together(self, connection: BaseDatabaseWrapper) -> bool:
        parts: list[str] = []
        parameters: list[Any] = []
        results: list[str] = []
        if self._guard is not None:
            sql, values = _insert_sql(connection, self._guard, "ON CONFLICT DO NOTHING", guarded=False)
            parts.append(f"guard AS ({sql} RETURNING 1)")
            parameters += values
            results.append("(SELECT count(*) FROM guard)")
        for number, write in enumerate(self._writes):
            sql, values = self._sql(connection, write)
            parts.append(f"w{number} AS ({sql} RETURNING 1)")
            parameters += values
            results.append(self._result(number, write))
        return self._run(connection, f"WITH {', '.join(parts)} SELECT {', '.join(results)}", parameters)

    def _sql(self, connection: BaseDatabaseWrapper, write: _Insert | _Update) -> tuple[str, list[Any]]:
        guarded = self._guard is not None
        if isinstance(write, _Insert):
            suffix = "ON CONFLICT DO NOTHING" if write.ignore_conflicts else ""
            return _insert_sql(connection, write.instance, suffix, guarded=guarded)
        return _update_sql(connection, write, guarded=guarded)

    def _result(self, number: int, write: _Insert | _Update) -> str:
        count = f"(SELECT count(*) FROM w{number})"
        if isinstance(write, _Insert):
            return count
        # An update that misses its row makes the statement itself fail, so that PostgreSQL undoes the other writes
        # without a transaction (two round trips less) or a savepoint.
        fine = f"{count} = 1"
        if self._guard is not None:
            fine += " OR (SELECT count(*) FROM guard) = 0"
        return f"CASE WHEN {fine} THEN 1 ELSE ('{_REFUSAL} {number} ' || {count})::integer END"

    def _run(self, connection: BaseDatabaseWrapper, sql: str, parameters: list[Any]) -> bool:
        with connection.cursor() as cursor:
            try:
                cursor.execute(sql, parameters)
            except DataError as error:
                refused = re.search(rf"{_REFUSAL} (\d+) (\d+)", str(error))
                if refused is None:
                    raise
                raise self._unexpected(int(refused[1])) from error
            row = cursor.fetchone()
        if self._guard is not None and row[0] == 0:
            return False
        for instance in [self._guard, *(write.instance for write in self._writes if isinstance(write, _Insert))]:
            if instance is not None:
                instance._state.adding = False
                instance._state.db = connection.alias
        return True

    def _unexpected(self, number: int) -> UnexpectedRowCount:
        write = self._writes[number]
        assert isinstance(write, _Update)  # noqa: S101 - only updates are counted
        return _unexpected(write)


def _unexpected(write: _Update) -> UnexpectedRowCount:
    return UnexpectedRowCount(f"{write.model.__name__} {write.pk} is not as expected")


def _write_by_orm(write: _Insert | _Update, using: str) -> None:
    if isinstance(write, _Update):
        manager = write.model._base_manager.using(using)
        # MariaDB counts changed rows, not found ones: a lock and a look first give the same answer everywhere.
        if not manager.filter(pk=write.pk, **write.where).select_for_update().exists():
            raise _unexpected(write)
        manager.filter(pk=write.pk).update(**write.values)
    elif write.ignore_conflicts:
        _insert_unless_present(write.instance, using)
    else:
        write.instance.save(using=using, force_insert=True)


def _insert_unless_present(instance: models.Model, using: str) -> bool:
    # INSERT IGNORE would also swallow what is wrong with the row, so only "it is there already" is let pass.
    try:
        with transaction.atomic(using=using):
            instance.save(using=using, force_insert=True)
    except IntegrityError as error:
        if not is_unique_violation(error):
            raise
        return False
    return True


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
    columns = ", ".join(quote(_column(item)) for item in fields)
    places = ", ".join(_place(connection, item) for item in fields)
    source = f"SELECT {places} WHERE EXISTS (SELECT 1 FROM guard)" if guarded else f"VALUES ({places})"
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {source} {suffix}".rstrip(), fields


def _place(connection: BaseDatabaseWrapper, item: Field[Any, Any]) -> str:
    # Without the length: a cast to varchar(32) would cut a long text silently, where the column itself refuses it.
    return "%s::" + re.sub(r"\([0-9, ]+\)", "", item.db_type(connection) or "text")


def _column(item: Field[Any, Any]) -> str:
    assert item.column is not None  # noqa: S101 - a concrete field
    return item.column


def _update_sql(connection: BaseDatabaseWrapper, write: _Update, *, guarded: bool) -> tuple[str, list[Any]]:
    quote, meta = connection.ops.quote_name, write.model._meta
    parameters: list[Any] = []

    def field_of(name: str) -> Field[Any, Any]:
        item = meta.pk if name == "pk" else meta.get_field(name)
        assert isinstance(item, Field)  # noqa: S101 - relations backwards have no column
        return item

    def equals(name: str, value: Any) -> str:
        item = field_of(name)
        parameters.append(item.get_db_prep_save(value, connection))
        return f"{quote(_column(item))} = {_place(connection, item)}"

    changes = ", ".join(equals(name, value) for name, value in write.values.items())
    conditions = [
        f"{quote(_column(field_of(name)))} IS NULL" if value is None else equals(name, value)
        for name, value in {**write.where, "pk": write.pk}.items()
    ]
    if guarded:
        conditions.append("EXISTS (SELECT 1 FROM guard)")
    sql = f"UPDATE {quote(meta.db_table)} SET {changes} WHERE {' AND '.join(conditions)}"
    return sql, parameters
