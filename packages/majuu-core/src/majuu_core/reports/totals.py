"""The three totals of a close side by side: what the ledger, the statement and the provider's events say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from majuu_core.common.money import Money
from majuu_core.reports.matching import FEE, IN, Judgement, Line, Record

SIDES = ("payments", "ledger", "statement", "events")
_SHOWN = 50


@dataclass(slots=True)
class Totals:
    """Sums by side, currency and direction, and what is told for information only."""

    sums: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    lost_events: list[str] = field(default_factory=list)
    lost_event_count: int = 0
    not_covered: int = 0
    settled_elsewhere: int = 0

    def add(self, side: str, direction: str, amount: Money) -> None:
        """One more amount on a side."""
        key = (side, amount.currency.code, direction)
        self.sums[key] = self.sums.get(key, Decimal(0)) + amount.amount
        self.counts[key] += 1

    def add_lines(self, lines: Iterable[Line]) -> None:
        """Postings of the statement; fees, and what went to the bank and came back, are sums of their own."""
        for line in lines:
            if line.stands_alone:
                self.add("statement", "from_bank" if line.direction == IN else "to_bank", line.amount)
            else:
                self.add("statement", "fees" if line.kind == FEE else line.direction, line.amount)
            if line.fee is not None and line.fee.amount:
                self.add("statement", "fees", line.fee)

    def add_records(self, records: Iterable[Record]) -> None:
        """Payments of ours, what the ledger holds of them, and whether an event told of what came in."""
        for record in records:
            self.add("payments", record.direction, record.amount)
            if record.booked is not None:
                self.add("ledger", record.direction, record.booked)
            if record.fee is not None and record.fee.amount:
                self.add("ledger", "fees", record.fee)
            if record.direction == IN and record.was_told:
                self.add("events", record.direction, record.amount)
            elif record.direction == IN:
                self.lost_event_count += 1
                self.lost_events += [record.object_id] if len(self.lost_events) < _SHOWN else []

    def add_booked(self, judgement: Judgement) -> None:
        """What the close books by itself, and what was settled in another currency than it was paid in."""
        for _, fee in judgement.late_fees:
            self.add("statement", "fees_late", fee)
        self.settled_elsewhere += len(judgement.exchanged)

    def to_json(self) -> dict[str, Any]:
        """As a close keeps it: amounts are text."""
        sides: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        for (side, currency, direction), total in sorted(self.sums.items()):
            count = self.counts[side, currency, direction]
            sides.setdefault(currency, {}).setdefault(side, {})[direction] = {"amount": str(total), "count": count}
        return {
            "currencies": sides,
            "events_lost": self.lost_event_count,
            "events_lost_for": self.lost_events,
            "not_covered": self.not_covered,
            "settled_elsewhere": self.settled_elsewhere,
        }
