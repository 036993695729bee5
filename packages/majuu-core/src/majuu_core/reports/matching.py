"""Comparing what a statement says with what we have, receipt by receipt. Pure: nothing here reads or writes rows.

The order of lines and of records never matters: both are put in an order of their own first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from majuu_core.common.money import Money

MATCHED, MISSING_HERE, MISSING_THERE = "matched", "missing_here", "missing_there"
AMOUNT_DIFFERS, DUPLICATE = "amount_differs", "duplicate"
IN, OUT = "in", "out"
FEE = "fee"
_NUMBER = re.compile(r"[0-9*][0-9* ]{5,19}[0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A posting of the statement. ``amount`` is positive."""

    pk: int
    receipt: str
    kind: str
    direction: str
    amount: Money
    occurred_at: datetime
    fee: Money | None = None
    leg: int = 1
    counterparty: str = ""
    linked_receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Money of ours: a charge, an incoming payment, a refund or a payout that moved. ``amount`` is positive.

    ``booked`` is what the ledger holds of it on the provider's clearing account, above zero when the direction is
    right; None when there is nothing at all.
    """

    object_id: str
    receipt: str
    direction: str
    amount: Money
    occurred_at: datetime
    fee: Money | None = None
    reference: str = ""  # what the provider acknowledged: some statements go by that
    original: str = ""  # of a refund: the receipt of the payment it takes back
    booked: Money | None = None
    was_told: bool = True  # an event of the provider told of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference. ``here`` and ``there`` are the amounts of both sides, where there are any."""

    kind: str
    direction: str
    receipt: str
    occurred_at: datetime
    line_pk: int | None = None
    object_id: str = ""
    part: str = ""  # what of it: "fee", or a second posting such as "leg 2"
    here: Money | None = None
    there: Money | None = None
    detail: str = ""

    @property
    def key(self) -> str:
        """What makes it the same difference in the next run: its kind and what it is about."""
        return f"{self.kind}:{self.direction}:{self.receipt}:{self.object_id}:{self.part}"


@dataclass(slots=True)
class Judgement:
    """How every line of one receipt ends, and what is wrong."""

    outcomes: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unbooked_fees: list[Money] = field(default_factory=list)


def judge(lines: Iterable[Line], records: Iterable[Record]) -> Judgement:
    """Compare everything that goes by one receipt."""
    judgement = Judgement()
    every_line, every_record = sorted(lines, key=_line_order), sorted(records, key=_record_order)
    moved = [line for line in every_line if line.kind != FEE]
    for direction in (IN, OUT):
        there = [line for line in moved if line.direction == direction]
        here = [record for record in every_record if record.direction == direction]
        _judge_direction(judgement, there, here)
    _judge_fees(judgement, every_line, every_record)
    return judgement


def _judge_direction(judgement: Judgement, lines: Sequence[Line], records: Sequence[Record]) -> None:
    pairs, lone_lines, lone_records = _pair(lines, records)
    for line, record in pairs:
        _judge_pair(judgement, line, record)
    for number, line in enumerate(lone_lines):
        is_second = bool(pairs) or number > 0
        judgement.outcomes[line.pk] = DUPLICATE if is_second else MISSING_HERE
        detail = "The statement shows this receipt more than once." if is_second else ""
        judgement.findings.append(_of_line(judgement.outcomes[line.pk], line, detail))
    for number, record in enumerate(lone_records):
        is_second = bool(pairs) or number > 0
        detail = "The same receipt is recorded here more than once." if is_second else ""
        judgement.findings.append(_of_record(DUPLICATE if is_second else MISSING_THERE, record, detail))


def _pair(
    lines: Sequence[Line], records: Sequence[Record]
) -> tuple[list[tuple[Line, Record]], list[Line], list[Record]]:
    """Equal amounts belong together; of what is left, one line and one record are the same money told differently."""
    pairs: list[tuple[Line, Record]] = []
    left_lines, left_records = list(lines), list(records)
    for line in lines:
        record = next((item for item in left_records if item.amount == line.amount), None)
        if record is not None and not pairs:  # one receipt is one payment
            pairs.append((line, record))
            left_lines.remove(line)
            left_records.remove(record)
    if not pairs and left_lines and left_records:
        pairs.append((left_lines.pop(0), left_records.pop(0)))
    return pairs, left_lines, left_records


def _judge_pair(judgement: Judgement, line: Line, record: Record) -> None:
    if line.amount != record.amount:
        judgement.outcomes[line.pk] = AMOUNT_DIFFERS
        judgement.findings.append(_of_pair(line, record, record.amount, ""))
    elif record.booked != record.amount:
        judgement.outcomes[line.pk] = AMOUNT_DIFFERS
        text = "The ledger has no booking of it." if record.booked is None else "The ledger holds another amount."
        judgement.findings.append(_of_pair(line, record, record.booked, text))
    else:
        judgement.outcomes[line.pk] = MATCHED


def _judge_fees(judgement: Judgement, lines: Sequence[Line], records: Sequence[Record]) -> None:
    """Lines of fees follow their transaction. A fee that nobody told us beforehand is no difference, but is counted."""
    fees = [line for line in lines if line.kind == FEE]
    charged = _sum([line.amount for line in fees] + [line.fee for line in lines if line.fee and line.fee.amount])
    known = _sum([record.fee for record in records if record.fee and record.fee.amount])
    if not records:
        outcome = MISSING_HERE
        if fees and len(fees) == len(lines):
            judgement.findings.append(_of_line(MISSING_HERE, fees[0], "A fee without its transaction."))
    elif known is None or known == charged:
        outcome = MATCHED
        if known is None and charged is not None:
            judgement.unbooked_fees.append(charged)
    elif charged is None and not lines:
        outcome = MATCHED  # the transaction itself is missing there, which says it all
    else:
        outcome = AMOUNT_DIFFERS
        judgement.findings.append(_of_fee(fees[0] if fees else lines[0], records[0], known, charged))
    judgement.outcomes.update({line.pk: outcome for line in fees})


def _of_fee(line: Line, record: Record, known: Money, charged: Money | None) -> Finding:
    return Finding(
        kind=AMOUNT_DIFFERS,
        direction=line.direction,
        receipt=line.receipt,
        occurred_at=line.occurred_at,
        line_pk=line.pk,
        object_id=record.object_id,
        part="fee",
        here=known,
        there=charged,
        detail="The fee differs.",
    )


def _sum(amounts: Sequence[Money]) -> Money | None:
    total: Money | None = None
    for amount in amounts:
        total = amount if total is None else total + amount
    return total


def _of_line(kind: str, line: Line, detail: str) -> Finding:
    return Finding(
        kind=kind,
        direction=line.direction,
        receipt=line.receipt,
        occurred_at=line.occurred_at,
        line_pk=line.pk,
        there=line.amount,
        part=f"leg {line.leg}" if line.leg > 1 else "",
        detail=detail,
    )


def _of_record(kind: str, record: Record, detail: str) -> Finding:
    return Finding(
        kind=kind,
        direction=record.direction,
        receipt=record.receipt,
        occurred_at=record.occurred_at,
        object_id=record.object_id,
        here=record.amount,
        detail=detail,
    )


def _of_pair(line: Line, record: Record, here: Money | None, detail: str) -> Finding:
    return Finding(
        kind=AMOUNT_DIFFERS,
        direction=line.direction,
        receipt=line.receipt,
        occurred_at=line.occurred_at,
        line_pk=line.pk,
        object_id=record.object_id,
        here=here,
        there=line.amount,
        detail=detail,
    )


def _line_order(line: Line) -> tuple[object, ...]:
    return (line.leg, line.occurred_at, line.amount.amount, line.kind, line.pk)


def _record_order(record: Record) -> tuple[object, ...]:
    return (record.occurred_at, record.object_id)


# Payments whose receipt we never learned.


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameless:
    """A charge that succeeded and has no receipt: it is known by amount, time and phone."""

    object_id: str
    amount: Money
    started_at: datetime
    phone: str


EARLIEST, LATEST = timedelta(minutes=-2), timedelta(minutes=15)  # of the money, after the charge was started


def pair_nameless(lines: Iterable[Line], charges: Iterable[Nameless]) -> list[tuple[Line, Nameless]]:
    """Which line is which charge: the same amount, no other phone, and the time of a prompt. The nearest first."""
    charges, lines = list(charges), list(lines)
    found = [
        (abs(line.occurred_at - charge.started_at), line.receipt, charge.object_id, line, charge)
        for line in lines
        for charge in charges
        if _may_be(line, charge)
    ]
    pairs: list[tuple[Line, Nameless]] = []
    taken: set[str] = set()
    for _, receipt, object_id, line, charge in sorted(found, key=lambda item: item[:3]):
        if receipt not in taken and object_id not in taken:
            taken |= {receipt, object_id}
            pairs.append((line, charge))
    return pairs


def _may_be(line: Line, charge: Nameless) -> bool:
    return (
        line.amount == charge.amount
        and EARLIEST <= line.occurred_at - charge.started_at <= LATEST
        and names_phone(line.counterparty, charge.phone)
    )


def names_phone(text: str, phone: str) -> bool:
    """Whether a text such as "2547 ***** 149 - JANE" can mean the number. Without any number in it, it cannot."""
    match = _NUMBER.search(text)
    if match is None or not phone:
        return False
    shown = match[0].replace(" ", "").strip("+")
    local = phone[-9:]
    if "*" not in shown:
        return shown[-9:] == local
    head, tail = shown.partition("*")[0], shown.rpartition("*")[2]
    return bool(head or tail) and phone.startswith(head) and phone.endswith(tail)
