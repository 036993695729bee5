"""What a customer does outside our pages, at the provider's: in a payment page, in the bank's app, some time later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from majuu_sim.faults import FaultScript


@dataclass(frozen=True, slots=True)
class Visit:
    """Steps that a customer takes one after the other, ``after`` seconds each. None: they never come, or go away."""

    steps: tuple[str, ...] = ()
    after: int = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """How the next payment goes: what the provider does, and what its customer does there."""

    script: FaultScript
    visit: Visit


@dataclass(slots=True)
class Diary:
    """Who comes when. Steps are taken by ``act(payment, step)``."""

    now: Callable[[], datetime]
    act: Callable[[str, str], None]
    expected: Visit = field(default_factory=Visit)  # of the payment that is made next
    _known: set[str] = field(default_factory=set)
    _due: list[tuple[datetime, str, str]] = field(default_factory=list)

    def clear(self) -> None:
        """Nobody comes any more."""
        self.expected = Visit()
        self._known.clear()
        self._due.clear()

    def notice(self, payments: list[str]) -> None:
        """Payments that exist: the customer of a new one makes plans."""
        for payment in payments:
            if payment in self._known:
                continue
            self._known.add(payment)
            for number, step in enumerate(self.expected.steps, start=1):
                self._due.append((self.now() + timedelta(seconds=number * self.expected.after), payment, step))

    def run_due(self) -> None:
        """Take the steps whose time has come."""
        due = [item for item in sorted(self._due) if item[0] <= self.now()]
        for item in due:
            self._due.remove(item)
            self.act(item[1], item[2])

    def next_due(self) -> datetime | None:
        """When somebody comes next."""
        return min((item[0] for item in self._due), default=None)
