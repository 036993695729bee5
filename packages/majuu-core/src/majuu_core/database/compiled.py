"""Reading one row by its primary key, with its relations, without compiling the same query again each time.

Compiling a select of eighty columns costs Django more than a millisecond, several times what the database needs to
answer it. Hot paths therefore keep the text and fill in the key. Everything else stays Django's: the columns, the
conversions, the instances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

from majuu_core.database.cursors import statement_cursor

Row = TypeVar("Row", bound=models.Model)


def row_version(model: type[models.Model]) -> RawSQL:
    """To annotate a query on PostgreSQL: the number of the transaction that wrote the row as it was read.

    It differs after every change, so an update that names it writes only what was decided on the present state.
    """
    return RawSQL(f'"{model._meta.db_table}"."xmin"::text', (), models.CharField())  # noqa: S611 - a name, no value


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    compiler: Any
    converters: Any
    names: list[str]
    columns: slice
    populators: list[Any]
    annotations: Mapping[str, int]


class Found(NamedTuple):
    """A row as the database gave it: its columns, unconverted."""

    using: str
    values: tuple[Any, ...]


class RowByKey(Generic[Row]):
    """A queryset that is filtered by primary key, or another unique field, only, compiled once for each database.

    ``build`` makes the queryset; it may join by ``select_related`` and lock by ``select_for_update``.
    """

    def __init__(self, build: Callable[[], models.QuerySet[Row]], *, field: str = "") -> None:
        self._build = build
        self._field = field
        self._compiled: dict[str, _Compiled] = {}

    @cached_property
    def _queryset(self) -> models.QuerySet[Row]:
        return self._build()

    def get(self, key: Any) -> Row | None:
        """The row with this key, None when there is none.

        Raises TransactionManagementError for a query that locks outside a transaction.
        """
        found = self.find(key)
        return None if found is None else self.build(found)

    def find(self, key: Any) -> Found | None:
        """As ``get``, but what the database answered, before an instance is made of it.

        Equal answers make equal instances: who keeps the last one need not make another.
        """
        model, locks = self._queryset.model, self._queryset.query.select_for_update
        using = router.db_for_write(model) if locks else router.db_for_read(model)
        connection = connections[using]
        if locks and not connection.in_atomic_block:
            raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        compiled = self._compiled.get(using)
        if compiled is None:
            compiled = self._compiled[using] = _compile(self._queryset.using(using), using, self._field or "pk", key)
        field: Any = model._meta.get_field(self._field) if self._field else model._meta.pk
        parameter = field.get_db_prep_value(key, connection)
        with statement_cursor(connection) as cursor:
            cursor.execute(compiled.text, [parameter])
            found = cursor.fetchone()
        return None if found is None else Found(using, tuple(found))

    def build(self, found: Found) -> Row:
        """The instance of an answer."""
        model, connection = self._queryset.model, connections[found.using]
        return _instance(model, self._compiled[found.using], connection, found.values)


def _compile(queryset: models.QuerySet[Any], using: str, field: str, key: Any) -> _Compiled:
    compiler: Any = queryset.filter(**{field: key}).order_by().query.get_compiler(using=using)
    text, parameters = compiler.as_sql()
    if len(parameters) != 1:
        raise ValueError("a RowByKey has one parameter: its key")
    fields = compiler.klass_info["select_fields"]
    columns = slice(fields[0], fields[-1] + 1)
    return _Compiled(
        text=text,
        compiler=compiler,
        converters=compiler.get_converters([item[0] for item in compiler.select[: compiler.col_count]]),
        names=[item[0].target.attname for item in compiler.select[columns]],
        columns=columns,
        populators=_populators(queryset, compiler, using),
        annotations=compiler.annotation_col_map or {},
    )


def _populators(queryset: models.QuerySet[Any], compiler: Any, using: str) -> list[Any]:
    # Since Django 6.1 a queryset also says how its instances fetch what was not read.
    modes = [queryset._fetch_mode] if hasattr(queryset, "_fetch_mode") else []
    populate: Callable[..., list[Any]] = get_related_populators
    return populate(compiler.klass_info, compiler.select, using, *modes)


def _instance(model: type[Row], compiled: _Compiled, connection: BaseDatabaseWrapper, found: Any) -> Row:
    row = found
    if compiled.converters:
        (row,) = compiled.compiler.apply_converters([found], compiled.converters)
    instance = model.from_db(connection.alias, compiled.names, row[compiled.columns])
    for populator in compiled.populators:
        populator.populate(row, instance)
    for name, number in compiled.annotations.items():
        setattr(instance, name, row[number])
    return instance
