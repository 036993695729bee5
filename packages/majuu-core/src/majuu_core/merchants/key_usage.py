"""Counting requests by key and day: gathered in each process, added to the database every few seconds.

No request waits for another one's row, and none writes more than once in a few seconds. A process that is killed loses
what it counted since it last wrote; one that ends writes it.
"""

from __future__ import annotations

import atexit
import logging
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import DatabaseError, IntegrityError
from django.db.models import Sum
from django.utils import timezone

from majuu_core.common import clock
from majuu_core.database.counting import add_to_counters
from majuu_core.merchants.key_usage_models import ApiKeyUsage

WRITTEN_EVERY = timedelta(seconds=5)
QUIET_AFTER = timedelta(minutes=1)  # a first request after so long is written at once
LONGEST_PERIOD_DAYS = 366
_log = logging.getLogger("majuu.api_keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """A key's requests on one day: let in, and refused by address, rate limit or quota."""

    day: date
    requests: int
    refused: int


@dataclass(slots=True)
class _Counted:
    requests: int = 0
    refused: int = 0


@dataclass(slots=True)
class UsageBuffer:
    """What one process has counted and not written yet. Safe between threads."""

    _counted: dict[tuple[uuid.UUID, date], _Counted] = field(default_factory=dict)
    _since: datetime | None = None
    _written_at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, key_id: uuid.UUID, *, now: datetime, refused: bool = False) -> bool:
        """Count a request. True when it is time to write."""
        with self._lock:
            counted = self._counted.setdefault((key_id, local_day(now)), _Counted())
            counted.requests += not refused
            counted.refused += refused
            self._since = self._since or now
            was_quiet = self._written_at is None or now - self._written_at >= QUIET_AFTER
            return was_quiet or not timedelta(0) <= now - self._since < WRITTEN_EVERY

    def write(self) -> None:
        """Add everything counted so far to the database. What cannot be written is kept for the next time."""
        with self._lock:
            taken, self._counted, self._since = self._counted, {}, None
            self._written_at = clock.now()
        while taken:
            (key_id, day), counted = taken.popitem()
            try:
                _add(key_id, day, counted)
            except IntegrityError:
                _log.warning("the use of an API key that is gone was not written")
            except DatabaseError as problem:
                _log.warning("the use of API keys could not be written: %s", type(problem).__name__)
                taken[key_id, day] = counted
                self._put_back(taken)
                return

    def forget(self) -> None:
        """Throw away what was counted. For tests."""
        with self._lock:
            self._counted, self._since, self._written_at = {}, None, None

    def _put_back(self, taken: dict[tuple[uuid.UUID, date], _Counted]) -> None:
        with self._lock:
            for name, counted in taken.items():
                kept = self._counted.setdefault(name, _Counted())
                kept.requests += counted.requests
                kept.refused += counted.refused
            self._since = self._since or clock.now()


usage_buffer = UsageBuffer()


def at_process_end(work: Callable[[], None], otherwise: str) -> None:
    """Do this when the process ends; if it fails, say so and let it end."""

    def try_it() -> None:
        try:
            work()
        except Exception as problem:  # noqa: BLE001 - the process ends either way
            _log.info("%s: %s", otherwise, type(problem).__name__)

    atexit.register(try_it)


at_process_end(usage_buffer.write, "the use of API keys was not written")


def local_day(moment: datetime) -> date:
    """The day of a moment in the project's time zone."""
    return moment.astimezone(timezone.get_default_timezone()).date()


def month_of(moment: datetime) -> date:
    """The first day of a moment's month, in the project's time zone."""
    return local_day(moment).replace(day=1)


def month_after(month: date) -> date:
    """The first day of the month after the one that begins on ``month``."""
    return (month + timedelta(days=31)).replace(day=1)


def usage_by_day(*, api_key_id: uuid.UUID, first: date, last: date) -> list[DayUsage]:
    """A key's use on every day from ``first`` to ``last``, also on those without any. Late by seconds.

    One query. Raises ValueError for more than 366 days, or none.
    """
    count = (last - first).days + 1
    if not 1 <= count <= LONGEST_PERIOD_DAYS:
        raise ValueError(f"from 1 to {LONGEST_PERIOD_DAYS} days")
    rows = ApiKeyUsage.objects.filter(api_key_id=api_key_id, day__gte=first, day__lte=last)
    found = {row.day: row for row in rows}
    days = [first + timedelta(days=number) for number in range(count)]
    return [_of_day(day, found.get(day)) for day in days]


def used_in_month(*, api_key_ids: Iterable[uuid.UUID], month: date) -> int:
    """How many requests these keys made in the month that begins on ``month``."""
    days = ApiKeyUsage.objects.filter(day__gte=month, day__lt=month_after(month))
    rows = days.filter(api_key_id__in=list(api_key_ids))
    return rows.aggregate(total=Sum("requests"))["total"] or 0


def _of_day(day: date, row: ApiKeyUsage | None) -> DayUsage:
    return DayUsage(day=day, requests=row.requests if row else 0, refused=row.refused if row else 0)


def _add(key_id: uuid.UUID, day: date, counted: _Counted) -> None:
    add_to_counters(
        ApiKeyUsage,
        unique={"api_key_id": key_id, "day": day},
        add={"requests": counted.requests, "refused": counted.refused},
    )
