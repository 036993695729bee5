"""What a provider lists of its own statement, as lines that the close compares.

A line is compared by what core knows the money by: a payment by its receipt, all else by the provider's reference. Our
own public id, where the provider repeats it, goes with the line and is looked at first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time

from majuu_core.providers import SettlementLine, StatementLine

# Several lines of one payment go by its receipt; a refund or a payout is a movement of its own.
_BY_RECEIPT = ("charge", "fee")


def as_statement_lines(lines: Iterable[SettlementLine]) -> Iterator[StatementLine]:
    """The lines with their numbers. Those without an amount moved nothing; their fee, if there is one, is a line."""
    counted: dict[date, int] = {}
    for number, line in enumerate(lines, 1):
        day = _moment(line).date()
        counted[day] = counted.get(day, 0) + 1
        if line.gross.amount:
            yield _line(line, number, f"{line.kind}-{day:%Y%m%d}-{counted[day]}")
        elif line.fee.amount:
            yield _fee_alone(line, number, f"{line.kind}-{day:%Y%m%d}-{counted[day]}")


def _line(line: SettlementLine, number: int, otherwise: str) -> StatementLine:
    reference, receipt = line.provider_reference.strip(), line.receipt.strip()
    names = (receipt, reference) if line.kind in _BY_RECEIPT else (reference, receipt)
    return StatementLine(
        line_number=number,
        # Some postings, such as fees of a month, have no reference; without any they could not be compared.
        receipt=next((name for name in (*names, line.line_id) if name), otherwise),
        kind=line.kind,
        direction="in" if line.gross.amount > 0 else "out",
        amount=abs(line.gross),
        fee=line.fee,
        occurred_at=_moment(line),
        counterparty=line.counterparty,
        description=line.description,
        line_id=line.line_id,
        object_id=line.reference,
        provider_reference=reference,
        payout_reference=line.payout_reference,
        presented=line.presented,
    )


def _fee_alone(line: SettlementLine, number: int, otherwise: str) -> StatementLine:
    gone = line.fee.amount > 0
    return StatementLine(
        line_number=number,
        receipt=next((name for name in (line.receipt, line.provider_reference, line.line_id) if name), otherwise),
        kind="fee",
        direction="out" if gone else "in",
        amount=abs(line.fee),
        occurred_at=_moment(line),
        counterparty=line.counterparty,
        description=line.description,
        line_id=line.line_id,
        object_id=line.reference,
        provider_reference=line.provider_reference,
        payout_reference=line.payout_reference,
    )


def _moment(line: SettlementLine) -> datetime:
    return line.occurred_at or datetime.combine(line.settled_on, time(), UTC)
