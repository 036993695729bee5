"""The simulator's idea of time: the machine's, a virtual one, or one that somebody else turns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

DEFAULT_START = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


@runtime_checkable
class Clock(Protocol):
    """Where a simulator reads the time."""

    @property
    def manual(self) -> bool:
        """True when due jobs run only on request (``advance``, ``run_due``, ``settle``)."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class RealClock:
    """The machine's clock. Due jobs run by themselves."""

    manual = False

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """A clock that stands still until a simulator advances it.

    Two simulators may share one: advance by the first, then call ``run_due()`` on the second.
    """

    manual = True

    def __init__(self, start: datetime = DEFAULT_START) -> None:
        """Start at ``start``, which must carry a time zone; ValueError otherwise."""
        if start.tzinfo is None:
            raise ValueError("a virtual clock needs a start with a time zone")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The virtual time in UTC."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Turn the clock to ``moment``. It never goes back: ValueError. Fires nothing by itself."""
        if moment < self._now:
            raise ValueError(f"the clock is at {self._now.isoformat()} and cannot go back to {moment.isoformat()}")
        self._now = moment.astimezone(UTC)

    def move_by(self, seconds: float) -> None:
        """Turn the clock ``seconds`` forward. Fires nothing by itself."""
        self.move_to(self._now + timedelta(seconds=seconds))


class ExternalClock:
    """A clock somebody else turns, for example the application's own frozen clock.

    ``read`` is called on the simulator's thread and must return an aware datetime. Due jobs run on ``run_due()``.
    """

    manual = True

    def __init__(self, read: Callable[[], datetime]) -> None:
        """Read the time from ``read``."""
        self._read = read

    def now(self) -> datetime:
        """What ``read`` says, in UTC."""
        return self._read().astimezone(UTC)
