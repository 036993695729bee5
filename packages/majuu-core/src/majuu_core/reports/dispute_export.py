"""Disputes as CSV and XLSX: streamed in pieces, and no cell is a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from majuu_core.common.cells import safe_cell
from majuu_core.common.xlsx import write_xlsx
from majuu_core.payments.models import Dispute

COLUMNS = (
    *("Id", "Status", "Reason", "Provider's reason", "Store", "Account", "Charge", "Payment intent", "Amount"),
    *("Withdrawn", "Currency", "Fee", "Fee currency", "Answer by", "Opened at", "Evidence submitted at"),
    *("Closed at", "Provider's reference", "Parked"),
)
_PIECE = 500


def disputes_as_csv(rows: QuerySet[Dispute]) -> Iterator[bytes]:
    """The disputes as CSV, piece by piece: UTF-8 with its mark, so that spreadsheets show names as they are."""
    writer = csv.writer(_Echo())
    yield b"\xef\xbb\xbf" + writer.writerow(COLUMNS)
    for cells in _cells(rows):
        yield writer.writerow([safe_cell(cell) for cell in cells])


def disputes_as_xlsx(rows: QuerySet[Dispute]) -> Iterator[bytes]:
    """The disputes as one sheet, piece by piece; amounts are numbers."""

    def table() -> Iterator[Sequence[object]]:
        yield COLUMNS
        yield from _cells(rows)

    return write_xlsx(table())


def _cells(rows: QuerySet[Dispute]) -> Iterable[tuple[Any, ...]]:
    found = rows.select_related("store", "provider_account", "charge__payment_intent").order_by("pk")
    for row in found.iterator(chunk_size=_PIECE):
        yield (
            row.public_id,
            row.get_status_display(),
            row.get_reason_display(),
            row.provider_reason,
            row.store.name,
            row.provider_account.name,
            row.charge.public_id,
            row.charge.payment_intent.public_id,
            row.amount.amount,
            row.withdrawn,
            row.currency,
            row.fee if row.fee_currency else None,
            row.fee_currency,
            row.respond_by,
            row.opened_at,
            row.evidence_submitted_at,
            row.closed_at,
            row.provider_reference,
            row.parked_reason,
        )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> bytes:
        return text.encode("utf-8", "replace")
