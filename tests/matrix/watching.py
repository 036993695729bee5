"""What a request wrote, and whether anything in the database differs from before."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

_WRITE = re.compile(
    r"\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM|REPLACE\s+INTO)\s+[`\"]?(\w+)", re.IGNORECASE
)


class WriteLog:
    """The tables that statements wrote to, in order."""

    def __init__(self) -> None:
        self.tables: list[str] = []

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if found := _WRITE.match(str(sql)):
            self.tables.append(found.group(1))
        return execute(sql, params, many, context)


@contextmanager
def one_request(log: WriteLog) -> Iterator[None]:
    """Everything inside is undone afterwards; what it writes is in ``log``."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as TestCase does, so that durable blocks open
    with block:
        with connection.execute_wrapper(log):
            yield
        transaction.set_rollback(True)


@cache
def all_models() -> tuple[type[models.Model], ...]:
    """Every model with a table. The console keeps no log of Django's own, so that one has none."""
    tables = set(connection.introspection.table_names())
    known = apps.get_models(include_auto_created=True)
    return tuple(model for model in known if model._meta.db_table in tables and not model._meta.proxy)


def digest() -> dict[str, str]:
    """A hash of all rows of each table, by name."""
    return {model._meta.db_table: hash_of_table(model) for model in all_models()}


def hash_of_table(model: type[models.Model]) -> str:
    """A hash of all rows of one table."""
    whole = hashlib.sha256()
    for row in model._base_manager.order_by("pk").values_list():
        whole.update(repr(row).encode())
    return whole.hexdigest()


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables whose rows are not what they were."""
    return sorted(name for name in before if before[name] != after[name])


Keys = dict[type[models.Model], set[Any]]


def keys_of_rows() -> Keys:
    """The primary keys of all rows there are."""
    return {model: set(model._base_manager.values_list("pk", flat=True)) for model in all_models()}


def new_rows(before: Keys) -> Keys:
    """The rows that came since."""
    return {model: keys - before[model] for model, keys in keys_of_rows().items()}


def reaching(rows: Keys, into: Keys) -> list[str]:
    """The foreign keys of ``rows`` that lead to rows in ``into``."""
    found: list[str] = []
    for model, keys in rows.items():
        if not keys:
            continue
        for item in model._meta.concrete_fields:
            if not isinstance(item, models.ForeignKey):
                continue
            targets = into.get(item.related_model, set())
            named = model._base_manager.filter(pk__in=keys).values_list(item.attname, flat=True)
            if targets.intersection(named):
                found.append(f"{model._meta.label}.{item.name}")
    return found


def hash_of_rows(rows: Keys) -> str:
    """A hash of just these rows."""
    whole = hashlib.sha256()
    for model, keys in rows.items():
        for row in model._base_manager.filter(pk__in=keys).order_by("pk").values_list():
            whole.update(repr(row).encode())
    return whole.hexdigest()
