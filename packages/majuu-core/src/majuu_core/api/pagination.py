"""Cursor pagination: newest first, stable while rows are added, as fast on the last page as on the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from majuu_core.common.problems import Invalid
from majuu_core.database.public_ids import PublicIdMixin

Row = TypeVar("Row", bound=Model)
MAX_LIMIT = 100


def paginate(
    rows: QuerySet[Row], *, limit: int, cursor: str | None, represent: Callable[[Row], dict[str, Any]]
) -> dict[str, Any]:
    """One page of rows whose ids are time-ordered. ``cursor`` is the ``next_cursor`` of the page before."""
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid("limit_invalid", f"limit must be between 1 and {MAX_LIMIT}.", field="limit")
    model: Any = rows.model
    if cursor:
        rows = rows.filter(pk__lt=_cursor_key(model, cursor))
    found = list(rows.order_by("-pk")[: limit + 1])
    page: list[Any] = found[:limit]
    has_more = len(found) > limit
    return {
        "object": "list",
        "data": [represent(row) for row in page],
        "has_more": has_more,
        "next_cursor": page[-1].public_id if has_more else None,
    }


def _cursor_key(model: type[PublicIdMixin], cursor: str) -> Any:
    try:
        return model.uuid_of(cursor)
    except ValueError:
        text = "cursor must be the next_cursor of an earlier page."
        raise Invalid("cursor_invalid", text, field="cursor") from None
