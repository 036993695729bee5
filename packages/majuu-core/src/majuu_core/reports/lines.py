"""Writing the lines of statements: what is new, what is known, what has changed. The same line twice is one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from majuu_core.common.storable import storable
from majuu_core.providers import StatementLine
from majuu_core.reports.days import SKEW, day_of
from majuu_core.reports.models import Close, Settlement, SettlementLine

Key = tuple[str, str, str]
_COMPARED = ("amount", "currency", "fee", "balance_after", "occurred_at")
_COPIED = (*_COMPARED, "day", "counterparty", "description", "reference", "linked_receipt", "raw", "line_number")
_SHOWN_CHANGES = 20


@dataclass(slots=True)
class Difference:
    """What a statement would change: counts, the first changes, and the days it touches."""

    new: int = 0
    known: int = 0
    changed: int = 0
    changes: list[dict[str, str]] = field(default_factory=list)
    days: set[date] = field(default_factory=set)


def compare_lines(
    settlement: Settlement, lines: Sequence[StatementLine], zone: str, difference: Difference, *, write: bool
) -> None:
    """Compare a piece of a statement with what is there, and write it, if that is wanted, in one transaction.

    Rows that say the same are one line. A row that says something else under the same receipt, kind and direction is a
    correction when it comes in another statement, and a second posting when it comes in the same one, or when it is of
    another day: a statement of that day does not show the first, so it says nothing about it.
    """
    with transaction.atomic():
        there = _there(settlement, lines)
        piece = _Piece(settlement, there, difference)
        # What is known already must not be taken for what has changed.
        rows = [_row(settlement, line, zone) for line in lines]
        for row in [row for row in rows if not piece.takes_known(row)]:
            piece.take(row)
        if write:
            piece.write()


def _there(settlement: Settlement, lines: Iterable[StatementLine]) -> dict[Key, list[SettlementLine]]:
    receipts = {line.receipt for line in lines}
    rows = SettlementLine.objects.filter(provider_account_id=settlement.provider_account_id, receipt__in=receipts)
    grouped: dict[Key, list[SettlementLine]] = defaultdict(list)
    for row in rows.order_by("leg"):
        grouped[_key(row)].append(row)
    return grouped


class _Piece:
    """One piece of a statement on its way into the table."""

    def __init__(self, settlement: Settlement, there: dict[Key, list[SettlementLine]], difference: Difference) -> None:
        self._settlement, self._there, self._difference = settlement, there, difference
        self._new: list[SettlementLine] = []
        self._changed: list[SettlementLine] = []
        self._seen: set[int] = set()
        # A receipt is judged on the day of its first posting.
        self._days: dict[str, set[date]] = defaultdict(set)
        for (receipt, _, _), rows in there.items():
            self._days[receipt] |= {row.day for row in rows}

    def takes_known(self, row: SettlementLine) -> bool:
        """True when the very same line is there."""
        same = next((item for item in self._there[_key(row)] if _is_same(item, row)), None)
        if same is None:
            return False
        self._difference.known += 1
        if same.pk is not None:
            self._seen.add(same.pk)
            same.seen_in = self._settlement
        return True

    def take(self, row: SettlementLine) -> None:
        """A line that is not there as it is now."""
        if self.takes_known(row):  # the same row twice in one file
            self._difference.known -= 1
            return
        group = self._there[_key(row)]
        others = (item for item in group if item.seen_in_id != self._settlement.pk)
        old = next((item for item in others if not _is_of_another_day(item, row)), None)
        self._difference.days |= {row.day, *self._days.get(row.receipt, ())}
        if old is None:
            row.leg = len(group) + 1
            group.append(row)
            self._new.append(row)
            self._difference.new += 1
        else:
            self._change(old, row)

    def _change(self, old: SettlementLine, row: SettlementLine) -> None:
        self._difference.changed += 1
        if len(self._difference.changes) < _SHOWN_CHANGES:
            self._difference.changes += [
                {
                    "row": str(row.line_number),
                    "receipt": row.receipt,
                    "column": name,
                    "before": _shown(getattr(old, name)),
                    "after": _shown(getattr(row, name)),
                }
                for name in _COMPARED
                if getattr(old, name) != getattr(row, name)
            ]
        for name in _COPIED:
            setattr(old, name, getattr(row, name))
        old.seen_in = self._settlement
        self._changed.append(old)

    def write(self) -> None:
        SettlementLine.objects.bulk_create(self._new)
        SettlementLine.objects.filter(pk__in=self._seen).update(seen_in=self._settlement)
        if self._changed:
            SettlementLine.objects.bulk_update(self._changed, [*_COPIED, "seen_in"])


def ask_for_closes(settlement: Settlement, days: Iterable[date], zone: str) -> None:
    """Let the worker close these days (again): the statement says something new about them.

    A run that is at work may have passed the new lines: it stops at its next step, and the day is closed anew.
    """
    wanted = sorted(set(days))
    rows = [
        Close(provider_account_id=settlement.provider_account_id, livemode=settlement.livemode, day=day, time_zone=zone)
        for day in wanted
    ]
    Close.objects.bulk_create(rows, ignore_conflicts=True)
    Close.objects.filter(provider_account_id=settlement.provider_account_id, day__in=wanted).update(
        state=Close.State.WAITING
    )


def _row(settlement: Settlement, line: StatementLine, zone: str) -> SettlementLine:
    values: dict[str, Any] = {
        "receipt": storable(line.receipt, 64),
        "counterparty": storable(line.counterparty, 200),
        "description": storable(line.description, 300),
        "reference": storable(line.reference, 64),
        "linked_receipt": storable(line.linked_receipt, 64),
        "raw": {storable(name, 60): storable(text, 300) for name, text in line.raw.items()},
    }
    return SettlementLine(
        settlement=settlement,
        seen_in=settlement,
        provider_account_id=settlement.provider_account_id,
        livemode=settlement.livemode,
        day=day_of(line.occurred_at, zone),
        kind=line.kind,
        direction=line.direction,
        amount=line.amount.amount,
        currency=line.amount.currency.code,
        fee=None if line.fee is None else line.fee.amount,
        balance_after=None if line.balance is None else line.balance.amount,
        occurred_at=line.occurred_at,
        line_number=line.line_number,
        **values,
    )


def _shown(value: object) -> str:
    """For people: an amount without the zeros that the database adds."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else "" if value is None else str(value)


def _key(row: SettlementLine) -> Key:
    return row.receipt, row.kind, row.direction


def _is_same(old: SettlementLine, new: SettlementLine) -> bool:
    """Whether two rows tell of one posting. What one source does not tell says nothing about the other."""
    return (
        (old.amount, old.currency) == (new.amount, new.currency)
        and _agree(old.balance_after, new.balance_after)
        and abs(old.occurred_at - new.occurred_at).total_seconds() < 1
        and _agree(old.fee, new.fee)
    )


def _is_of_another_day(old: SettlementLine, new: SettlementLine) -> bool:
    """Whether both are too far apart to be one posting; around midnight two sources may name different days."""
    return old.day != new.day and abs(old.occurred_at - new.occurred_at) > SKEW


def _agree(old: Decimal | None, new: Decimal | None) -> bool:
    return old is None or new is None or old == new
