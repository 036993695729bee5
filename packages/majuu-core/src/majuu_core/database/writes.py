"""What a write batch holds: rows to insert, rows to update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models


@dataclass(frozen=True, slots=True)
class Insert:
    """A row to add; with ``ignore_conflicts`` unless a unique constraint already has its like."""

    instance: models.Model
    ignore_conflicts: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """New values for one row, if it also matches ``where`` and still is the ``version`` that was read."""

    model: type[models.Model]
    pk: Any
    values: Mapping[str, Any]
    where: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None


Write = Insert | Update


class UnexpectedRowCount(Exception):
    """An update of the batch did not find exactly the row it named: somebody changed it first. Nothing was written.

    On PostgreSQL the surrounding transaction, if there is one, can only be rolled back (to a savepoint at least).
    """


def unexpected(write: Update) -> UnexpectedRowCount:
    """The error for an update that missed its row."""
    return UnexpectedRowCount(f"{write.model.__name__} {write.pk} is not as expected")
