"""The totals of a close as a table: ledger, statement and events side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from majuu_core.common.money import decimal_places
from majuu_core.reports.models import Close

_SIDES = (("payments", "Payments"), ("ledger", "Ledger"), ("statement", "Statement"), ("events", "Events"))
_ROWS = (("in", "Came in"), ("out", "Went out"), ("fees", "Fees"))
_IF_THERE = (("to_bank", "To the bank"), ("from_bank", "Back from the bank"))


def shown_totals(close: Close) -> Iterator[tuple[str, Sequence[str], list[tuple[str, ...]], str]]:
    """For each currency: code, headings, rows, and what is told for information."""
    headers = ("", *(title for _, title in _SIDES))
    for currency, sides in close.totals.get("currencies", {}).items():
        shown = [*_ROWS, *(item for item in _IF_THERE if item[0] in sides.get("statement", {}))]
        rows = [
            (title, *(_cell(sides.get(side, {}).get(name), currency) for side, _ in _SIDES)) for name, title in shown
        ]
        yield currency, headers, rows, _note(close, sides, currency)


def _cell(entry: dict[str, Any] | None, currency: str) -> str:
    """An amount with the decimals of its currency, and how many there were."""
    return f"{Decimal(entry['amount']):,.{decimal_places(currency)}f} ({entry['count']})" if entry else "–"


def _payments(count: int) -> str:
    return f"{count:,} payment{'' if count == 1 else 's'}"


def _note(close: Close, sides: dict[str, Any], currency: str) -> str:
    told = []
    if lost := close.totals.get("events_lost"):
        told.append(f"Of {_payments(lost)} no event ever came: the money was learned of by asking.")
    if fees := sides.get("statement", {}).get("fees_not_told"):
        told.append(f"Fees of no payment in particular, which the ledger does not have: {_cell(fees, currency)}.")
    if late := sides.get("statement", {}).get("fees_late"):
        told.append(f"Fees that only the statement told, booked by this close: {_cell(late, currency)}.")
    if elsewhere := close.totals.get("settled_elsewhere"):
        told.append(f"Settled in another currency than the customer paid in: {_payments(elsewhere)}.")
    if unjudged := close.totals.get("not_covered"):
        told.append(f"Not judged, because no whole statement covers the time: {_payments(unjudged)}.")
    return " ".join(told)
