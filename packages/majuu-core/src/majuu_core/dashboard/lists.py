"""Lists of the dashboard: newest first, one page at a time, as fast on the last page as on the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows, and where the next and the first ones are. Empty addresses: there are none."""

    rows: list[Row]
    next_url: str
    first_url: str


def page_of(request: HttpRequest, rows: QuerySet[Row], *, size: int = PAGE) -> Page[Row]:
    """The rows after the one that ``after`` in the address names. Their ids are ordered by time. One query."""
    model: Any = rows.model
    after = request.GET.get("after", "")
    try:
        key = model.uuid_of(after) if after else None
    except ValueError:
        key = None
    if key is not None:
        rows = rows.filter(pk__lt=key)
    found: list[Any] = list(rows.order_by("-pk")[: size + 1])
    shown = found[:size]
    has_more = len(found) > size
    return Page(
        rows=shown,
        next_url=_address(request, shown[-1].public_id) if has_more else "",
        first_url=_address(request, "") if key is not None else "",
    )


def _address(request: HttpRequest, after: str) -> str:
    asked = request.GET.copy()
    asked.pop("after", None)
    asked.pop("mode", None)
    if after:
        asked["after"] = after
    return f"{request.path}?{asked.urlencode()}"
