"""Monthly quotas: a process takes some requests of the month at a time and gives them out one by one.

So most requests ask nobody, and never more are let in than agreed, whatever the number of processes. Near the end they
are taken one at a time. A process that ends gives back what it did not use; one that is killed loses it: at most
``MOST_TAKEN`` requests of a key's month.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from majuu_core.common import clock
from majuu_core.merchants.key_usage import at_process_end, month_after, month_of, used_in_month
from majuu_core.merchants.key_usage_models import ApiKeyMonth
from majuu_core.merchants.models import ApiKey

MOST_TAKEN = 20
ASKED_AGAIN_AFTER = timedelta(seconds=5)
_PART = 100  # at most a hundredth of what is left is taken at once


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaState:
    """Whether a request fits into the month, what is left of ``limit``, and in how many seconds the month is over.

    ``remaining`` is what this process knows: others may have used more.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int


@dataclass(slots=True)
class _Taken:
    month: date
    quota: int
    left: int
    left_elsewhere: int
    at: datetime


class QuotaTakings:
    """What one process has taken, by the first key of each line. Safe between threads."""

    def __init__(self) -> None:
        self._taken: dict[uuid.UUID, _Taken] = {}
        self._lock = threading.Lock()

    def use_one(self, *, first_key_id: uuid.UUID, quota: int, now: datetime) -> QuotaState:
        """Let one more request in, if the month has room for it."""
        month = month_of(now)
        state = self._from_taken(first_key_id, quota, month, now)
        if state is not None:
            return state
        self._give_back_of(first_key_id, quota, month)
        granted, left_elsewhere = _take(first_key_id, quota, month)
        with self._lock:
            known = self._taken.get(first_key_id)
            if known is None or (known.month, known.quota) != (month, quota):
                known = self._taken[first_key_id] = _Taken(month, quota, 0, 0, now)
            known.left, known.left_elsewhere, known.at = known.left + max(0, granted - 1), left_elsewhere, now
            remaining = known.left + left_elsewhere
        return _state(granted > 0, quota, remaining, now)

    def give_back(self) -> None:
        """Put what was taken and not used back into the month."""
        with self._lock:
            taken, self._taken = self._taken, {}
        for first_key_id, known in taken.items():
            _put_back(first_key_id, known.month, known.left)

    def _give_back_of(self, first_key_id: uuid.UUID, quota: int, month: date) -> None:
        """Put back what was taken of another quota: it was changed, or two keys of a line have different ones."""
        with self._lock:
            known = self._taken.get(first_key_id)
            if known is None or known.month != month or known.quota == quota:
                return
            left, known.left = known.left, 0
        _put_back(first_key_id, month, left)

    def forget(self) -> None:
        """Start anew. For tests."""
        with self._lock:
            self._taken.clear()

    def _from_taken(self, first_key_id: uuid.UUID, quota: int, month: date, now: datetime) -> QuotaState | None:
        with self._lock:
            known = self._taken.get(first_key_id)
            if known is None or (known.month, known.quota) != (month, quota):
                return None
            if known.left > 0:
                known.left -= 1
                return _state(True, quota, known.left + known.left_elsewhere, now)
            is_over = known.left_elsewhere == 0 and timedelta(0) <= now - known.at < ASKED_AGAIN_AFTER
            return _state(False, quota, 0, now) if is_over else None


quota_takings = QuotaTakings()


at_process_end(quota_takings.give_back, "what was taken of quotas was not given back")


def used_of_quota(api_key: ApiKey) -> int:
    """How much of this month's quota the key's line has used, including what processes have taken in advance."""
    row = ApiKeyMonth.objects.filter(api_key_id=api_key.line_id, month=month_of(clock.now())).first()
    return 0 if row is None else row.used


def start_counting(first_key_id: uuid.UUID) -> None:
    """Count this month from what the line's keys were used for so far: a quota was given, or given again."""
    month = month_of(clock.now())
    row = _locked(first_key_id, month)
    used = _used(first_key_id, month)
    if row.used < used:
        row.used = used
        row.save(update_fields=["used"])


def _take(first_key_id: uuid.UUID, quota: int, month: date) -> tuple[int, int]:
    """Take some of the month: how many, and how many are left for others."""
    with transaction.atomic():
        row = _locked(first_key_id, month)
        left = max(0, quota - row.used)
        granted = min(left, max(1, min(MOST_TAKEN, left // _PART)))
        if granted:
            row.used += granted
            row.save(update_fields=["used"])
    return granted, left - granted


def _put_back(first_key_id: uuid.UUID, month: date, count: int) -> None:
    """Requests that were taken and not used."""
    if count:
        rows = ApiKeyMonth.objects.filter(api_key_id=first_key_id, month=month, used__gte=count)
        rows.update(used=F("used") - count)


def _locked(first_key_id: uuid.UUID, month: date) -> ApiKeyMonth:
    rows = ApiKeyMonth.objects.select_for_update().filter(api_key_id=first_key_id, month=month)
    row = rows.first()
    if row is not None:
        return row
    try:
        with transaction.atomic():
            ApiKeyMonth(api_key_id=first_key_id, month=month, used=_used(first_key_id, month)).save(force_insert=True)
    except IntegrityError:  # another process was faster
        pass
    return rows.get()


def _used(first_key_id: uuid.UUID, month: date) -> int:
    line = ApiKey.objects.filter(ApiKey.in_line(first_key_id)).values_list("pk", flat=True)
    return used_in_month(api_key_ids=line, month=month)


def _state(allowed: bool, quota: int, remaining: int, now: datetime) -> QuotaState:
    after = month_after(month_of(now))
    end = datetime(after.year, after.month, 1, tzinfo=timezone.get_default_timezone())
    return QuotaState(
        allowed=allowed, limit=quota, remaining=remaining, reset_seconds=max(1, int((end - now).total_seconds()))
    )
