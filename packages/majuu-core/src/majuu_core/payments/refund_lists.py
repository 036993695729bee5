"""The refunds that people pay out: which they are, as a list to work off, and as a file for the bank."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from majuu_core.common.cells import safe_cell
from majuu_core.common.xlsx import write_xlsx
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.by_hand import by_hand_codes
from majuu_core.payments.models import Refund
from majuu_core.payments.transitions import OPEN_OUTGOING

COLUMNS = (
    *("Refund", "Amount", "Currency", "Way", "Account name", "Account number", "Bank", "Reason", "Order"),
    *("Charge", "Store", "Paid from", "Asked for on"),
)
_PIECE = 500


def refunds_to_pay(*, livemode: bool, account: str = "", currency: str = "") -> QuerySet[Refund]:
    """Open refunds of providers that nobody can ask, the oldest first. ``account`` is the public id of one."""
    rows = Refund.objects.filter(
        livemode=livemode, status__in=OPEN_OUTGOING, provider_account__provider__in=by_hand_codes()
    )
    if account:
        try:
            rows = rows.filter(provider_account_id=ProviderAccount.uuid_of(account))
        except ValueError:
            return rows.none()
    rows = rows.filter(currency=currency) if currency else rows
    return rows.select_related("charge__payment_intent", "store", "provider_account").order_by("pk")


def list_csv(rows: QuerySet[Refund]) -> Iterator[bytes]:
    """The list as CSV, piece by piece; no cell is a formula."""
    writer = csv.writer(_Echo())
    yield b"\xef\xbb\xbf" + writer.writerow(COLUMNS)
    for cells in _cells(rows):
        yield writer.writerow([safe_cell(cell) for cell in cells])


def list_xlsx(rows: QuerySet[Refund]) -> Iterator[bytes]:
    """The list as one sheet, piece by piece; amounts are numbers, account numbers are texts."""

    def table() -> Iterator[Sequence[object]]:
        yield COLUMNS
        yield from _cells(rows)

    return write_xlsx(table())


def _cells(rows: QuerySet[Refund]) -> Iterable[tuple[Any, ...]]:
    for row in rows.iterator(chunk_size=_PIECE):
        told = row.destination
        yield (
            row.public_id,
            row.amount.amount,
            row.currency,
            row.method,
            told.get("account_name", ""),
            told.get("account_number", ""),
            told.get("bank_name", ""),
            row.reason,
            row.charge.payment_intent.reference,
            row.charge.public_id,
            row.store.name,
            row.provider_account.name,
            row.created_at.date(),
        )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> bytes:
        return text.encode("utf-8", "replace")
