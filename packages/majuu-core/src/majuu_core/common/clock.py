"""The one source of time. Tests and simulations put their own clock in; nothing else asks the system for the time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that can say what time it is, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """A clock that moves only when told to. Shared by all threads of a test."""

    def __init__(self, start: datetime | None = None) -> None:
        start = start or datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
        if start.tzinfo is None:
            raise ValueError("a clock's time has a time zone")
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def advance(self, seconds: int | timedelta) -> datetime:
        """Move forward by whole seconds or a timedelta and return the new time. Time never moves back."""
        step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        if step < timedelta(0):
            raise ValueError("a clock never moves back")
        with self._lock:
            self._now += step
            return self._now


_system = SystemClock()
_current: Clock = _system


def now() -> datetime:
    """The present moment, timezone-aware, in UTC."""
    return _current.now()


@contextmanager
def use_clock(clock: Clock) -> Iterator[Clock]:
    """Put another clock in for the whole process while the block runs (threads included)."""
    global _current
    previous, _current = _current, clock
    try:
        yield clock
    finally:
        _current = previous
