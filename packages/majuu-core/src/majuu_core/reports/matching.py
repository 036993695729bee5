"""Comparing what a statement says with what we have, receipt by receipt. Pure: nothing here reads or writes rows.

The order of lines and of records never matters: both are put in an order of their own first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from majuu_core.common.money import Money

MATCHED, MISSING_HERE, MISSING_THERE = "matched", "missing_here", "missing_there"
AMOUNT_DIFFERS, DUPLICATE = "amount_differs", "duplicate"
IN, OUT = "in", "out"
FEE, DISPUTE = "fee", "dispute"
CHARGE, PAYOUT = "charge", "payout"
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
    line_id: str = ""  # the provider's own id of it, where the provider lists its statement
    object_id: str = ""  # our public id, as the provider repeats it
    provider_reference: str = ""
    payout_reference: str = ""  # the payout to the bank that holds it, or that it is
    presented: Money | None = None  # what the customer paid, where that is another currency

    @property
    def worth(self) -> Money:
        """The amount as the customer knows it."""
        return self.presented or self.amount

    @property
    def stands_alone(self) -> bool:
        """Whether it is the provider's own business, of which nothing of ours can know: money to or from the bank."""
        return self.kind == PAYOUT and bool(self.payout_reference)


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
    keeps_fees: bool = True  # a fee can be booked to it: not so for money that came without an intent


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
    late_fees: list[tuple[str, Money]] = field(default_factory=list)  # of which payment; to be booked
    own: list[Line] = field(default_factory=list)  # of the provider's own: to be booked, line by line
    exchanged: list[tuple[Line, Record]] = field(default_factory=list)  # settled in another currency than was paid


def judge(lines: Iterable[Line], records: Iterable[Record], *, disputed: bool = False) -> Judgement:
    """Compare everything that goes by one receipt. ``disputed``: a dispute of ours goes by it."""
    judgement = Judgement()
    given = sorted(lines, key=_line_order)
    every_line = [line for line in given if line.kind != DISPUTE]
    _judge_disputes(judgement, [line for line in given if line.kind == DISPUTE], disputed)
    every_record = sorted(records, key=_record_order)
    every_line = _without_own(judgement, every_line, every_record)
    moved = [line for line in every_line if line.kind != FEE]
    for direction in (IN, OUT):
        there = [line for line in moved if line.direction == direction]
        here = [record for record in every_record if record.direction == direction]
        _judge_direction(judgement, there, here)
    _judge_fees(judgement, every_line, every_record)
    return judgement


def _without_own(judgement: Judgement, lines: Sequence[Line], records: Sequence[Record]) -> list[Line]:
    """Put aside what the provider did by itself: money to the bank, fees of no payment, money sent and returned.

    A fee that stands alone on an uploaded statement is not among it: its payment may be on a line we could not read.
    """
    if records:
        return list(lines)
    own = [line for line in lines if line.stands_alone]
    rest = [line for line in lines if not line.stands_alone]
    if all(line.kind == FEE and line.line_id for line in rest):
        own, rest = [*own, *rest], []
    judgement.own += own
    returned = _returned(rest)
    judgement.outcomes |= {line.pk: MATCHED for line in (*own, *returned)}
    return [line for line in rest if line not in returned]


def _returned(lines: Sequence[Line]) -> list[Line]:
    """Listed lines of money that left and came back under one reference, so that nothing moved in the end."""
    left = [line for line in lines if line.line_id and line.kind not in (CHARGE, FEE)]
    out, back = ([line for line in left if line.direction == way] for way in (OUT, IN))
    pairs = zip(out, back, strict=False)
    return [line for pair in pairs if pair[0].amount == pair[1].amount for line in pair]


def _judge_disputes(judgement: Judgement, lines: Sequence[Line], disputed: bool) -> None:
    """Money goes and comes several times for one dispute; its own books know how much. Here it only has to be known."""
    for line in lines:
        judgement.outcomes[line.pk] = MATCHED if disputed else MISSING_HERE
        if not disputed:
            judgement.findings.append(_of_line(MISSING_HERE, line, "No dispute here goes by this reference."))


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
        record = next((item for item in left_records if item.amount == line.worth), None)
        if record is not None and not pairs:  # one receipt is one payment
            pairs.append((line, record))
            left_lines.remove(line)
            left_records.remove(record)
    if not pairs and left_lines and left_records:
        pairs.append((left_lines.pop(0), left_records.pop(0)))
    return pairs, left_lines, left_records


def _judge_pair(judgement: Judgement, line: Line, record: Record) -> None:
    is_exchanged = _is_exchanged(line, record)
    if line.worth != record.amount and not (is_exchanged and line.presented is None):
        judgement.outcomes[line.pk] = AMOUNT_DIFFERS
        judgement.findings.append(_of_pair(line, record, record.amount, ""))
    elif record.booked != record.amount:
        judgement.outcomes[line.pk] = AMOUNT_DIFFERS
        text = "The ledger has no booking of it." if record.booked is None else "The ledger holds another amount."
        judgement.findings.append(_of_pair(line, record, record.booked, text))
    else:
        judgement.outcomes[line.pk] = MATCHED
        judgement.exchanged += [(line, record)] if is_exchanged else []


def _is_exchanged(line: Line, record: Record) -> bool:
    """Whether the provider settles the payment in another currency than the customer paid in. An uploaded statement is
    in the currency of the account: there, another one is a difference."""
    return bool(line.line_id) and line.amount.currency != record.amount.currency


def _judge_fees(judgement: Judgement, lines: Sequence[Line], records: Sequence[Record]) -> None:
    """Lines of fees follow their transaction. A fee that nobody told us beforehand is no difference: it is booked, when
    it is clear of which payment it is, and counted."""
    fees = [line for line in lines if line.kind == FEE]
    charged = _sums(
        [line.amount if line.direction == OUT else -line.amount for line in fees]
        + [line.fee for line in lines if line.fee is not None]
    )
    known = _sums([record.fee for record in records if record.fee is not None])
    if not records:
        outcome = MISSING_HERE
        if fees and len(fees) == len(lines):
            judgement.findings.append(_of_line(MISSING_HERE, fees[0], "A fee without its transaction."))
    elif known == charged:
        outcome = MATCHED
    elif not known:
        outcome = MATCHED
        _take_late(judgement, charged, records)
    elif not charged and not lines:
        outcome = MATCHED  # the transaction itself is missing there, which says it all
    else:
        outcome = AMOUNT_DIFFERS
        line = fees[0] if fees else lines[0]
        code = next(code for code in sorted({*known, *charged}) if known.get(code) != charged.get(code))
        judgement.findings.append(_of_fee(line, records[0], known.get(code), charged.get(code)))
    judgement.outcomes.update({line.pk: outcome for line in fees})


def _take_late(judgement: Judgement, charged: Mapping[str, Money], records: Sequence[Record]) -> None:
    """Fees that became known with the statement: of the one payment there is, or of none that can be told."""
    [first, *others] = records
    if others or not first.keeps_fees:
        judgement.unbooked_fees += charged.values()
    else:
        judgement.late_fees += [(first.object_id, fee) for fee in charged.values()]


def _of_fee(line: Line, record: Record, known: Money | None, charged: Money | None) -> Finding:
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


def _sums(amounts: Sequence[Money]) -> dict[str, Money]:
    """Totals by currency code, without those of nothing."""
    totals: dict[str, Money] = {}
    for amount in amounts:
        code = amount.currency.code
        totals[code] = totals[code] + amount if code in totals else amount
    return {code: total for code, total in sorted(totals.items()) if total.amount}


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
        there=line.worth,
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
