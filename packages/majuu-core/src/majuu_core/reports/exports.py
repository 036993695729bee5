"""Rows as CSV and XLSX: streamed in pieces, and no cell is a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from majuu_core.common.cells import safe_cell
from majuu_core.common.xlsx import write_xlsx
from majuu_core.reports.models import Mismatch

COLUMNS = (
    *("Id", "Kind", "State", "Day", "Account", "Receipt", "Object", "Direction", "Here", "There", "Currency"),
    *("Occurred at", "Counterparty", "Detail", "Days open", "Assignee", "Resolution", "Resolved by", "Resolved at"),
)
_PIECE = 500


def export_csv(rows: QuerySet[Mismatch]) -> Iterator[bytes]:
    """The differences as CSV, piece by piece: UTF-8 with its mark, so that spreadsheets show names as they are."""
    return stream_csv(COLUMNS, _cells(rows))


def export_xlsx(rows: QuerySet[Mismatch]) -> Iterator[bytes]:
    """The differences as one sheet, piece by piece; amounts are numbers."""
    return stream_xlsx(COLUMNS, _cells(rows))


def stream_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Any rows as CSV, piece by piece: UTF-8 with its mark; the columns are named first."""
    writer = csv.writer(_Echo())
    yield b"\xef\xbb\xbf" + writer.writerow(columns)
    for cells in rows:
        yield writer.writerow([safe_cell(cell) for cell in cells])


def stream_xlsx(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Any rows as one sheet, piece by piece; the columns are named first."""

    def table() -> Iterator[Sequence[object]]:
        yield columns
        yield from rows

    return write_xlsx(table())


def _cells(rows: QuerySet[Mismatch]) -> Iterable[tuple[Any, ...]]:
    found = rows.select_related("close", "provider_account", "assignee", "line").order_by("pk")
    for row in found.defer("line__raw").iterator(chunk_size=_PIECE):
        yield (
            row.public_id,
            row.get_kind_display(),
            row.get_state_display(),
            row.close.day,
            row.provider_account.name,
            row.receipt,
            row.object_id,
            row.get_direction_display(),
            row.here,
            row.there,
            row.currency,
            row.occurred_at,
            row.line.counterparty if row.line else "",
            row.detail,
            row.age.days,
            "" if row.assignee is None else str(row.assignee),
            row.resolution,
            row.resolved_by,
            row.resolved_at,
        )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> bytes:
        return text.encode("utf-8", "replace")
