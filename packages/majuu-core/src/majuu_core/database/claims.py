"""Taking work from a table so that two workers never take the same row.

A row is taken by setting its lease. On PostgreSQL that is one ``UPDATE`` over rows locked with SKIP LOCKED; elsewhere
every candidate is taken by an ``UPDATE`` that names the lease it was seen with, and only the worker whose update found
the row has it. A worker that dies keeps nothing: when the lease ends, the row may be taken again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connections, models, router
from django.db.models import Q

from majuu_core.common import clock

Row = TypeVar("Row", bound=models.Model)


def claim_rows(
    queryset: models.QuerySet[Row],
    *,
    limit: int,
    lease: timedelta,
    due: str = "next_attempt_at",
    leased_until: str = "leased_until",
) -> list[Row]:
    """Take up to ``limit`` rows that are due and not leased, the longest due first.

    ``queryset`` says which rows are work (their state); ``due`` and ``leased_until`` name its two time columns. A row
    without a due time is not due. Returns the rows as they are after the claim; the caller clears the lease when done.
    Call it outside a transaction, or the lease is not seen by others before the transaction ends.
    """
    if limit < 1:
        return []
    now = clock.now()
    free = Q(**{f"{leased_until}__isnull": True}) | Q(**{f"{leased_until}__lte": now})
    waiting = queryset.filter(free, **{f"{due}__lte": now}).order_by(due, "pk")
    using = router.db_for_write(queryset.model)
    if connections[using].vendor == "postgresql":
        return _claim_together(waiting, using, limit, leased_until, now + lease)
    return _claim_one_by_one(waiting, using, limit, leased_until, now + lease)


def _claim_together(
    waiting: models.QuerySet[Row], using: str, limit: int, leased_until: str, until: datetime
) -> list[Row]:
    model, connection = waiting.model, connections[using]
    quote = connection.ops.quote_name
    table, key, lease = (
        quote(model._meta.db_table),
        quote(_column(model, "pk")),
        quote(_column(model, leased_until)),
    )
    # Django refuses to compile select_for_update outside a transaction; one statement needs none.
    picked_sql, parameters = waiting.using(using).values("pk")[:limit].query.get_compiler(using).as_sql()
    sql = (
        f"WITH picked (pk) AS ({picked_sql} FOR UPDATE OF {table} SKIP LOCKED) "  # noqa: S608 - names only
        f"UPDATE {table} SET {lease} = %s FROM picked WHERE {table}.{key} = picked.pk RETURNING {table}.*"
    )
    return list(model._base_manager.using(using).raw(sql, [*parameters, until]))


def _claim_one_by_one(
    waiting: models.QuerySet[Row], using: str, limit: int, leased_until: str, until: datetime
) -> list[Row]:
    manager, taken = waiting.model._base_manager.using(using), []
    for pk, seen in waiting.using(using).values_list("pk", leased_until)[: limit * 2]:
        same = {f"{leased_until}__isnull": True} if seen is None else {leased_until: seen}
        if waiting.using(using).order_by().filter(pk=pk, **same).update(**{leased_until: until}):
            taken.append(pk)
        if len(taken) == limit:
            break
    found = manager.in_bulk(taken)
    return [found[pk] for pk in taken]


def _column(model: type[models.Model], name: str) -> str:
    if name == "pk":
        assert model._meta.pk is not None  # noqa: S101 - every model has a key
        return str(model._meta.pk.column)
    return str(model._meta.get_field(name).column)  # type: ignore[union-attr]
