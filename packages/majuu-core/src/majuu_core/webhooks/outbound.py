"""What the parts of the deliverer pass to each other, and when a failed delivery is tried again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from majuu_core.common import clock, randomness
from majuu_core.webhooks.models import WebhookDelivery

State = WebhookDelivery.State

# Seconds from one attempt to the next: ten attempts over 75 hours and a half, the example of Standard Webhooks.
RETRY_DELAYS = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
MAX_ATTEMPTS = len(RETRY_DELAYS) + 1
MAX_RETRY_AFTER = 86_400  # an endpoint may ask for a day's patience, not for a year's
MAX_PAUSE = timedelta(hours=1)  # for how long one answer may hold up the endpoint's other events

# A claimed delivery belongs to its worker this long. An attempt must start early enough to end within the lease.
LEASE = timedelta(seconds=60)
START_WITHIN = timedelta(seconds=30)

GONE = 410
_BUSY = frozenset({429, 503})


# Made for every message; frozen dataclasses take several times as long to make. Nobody changes them once they are full.


@dataclass(slots=True, eq=False)
class Job:
    """One attempt, claimed: nobody else has this number of this delivery. Equal only to itself."""

    delivery_id: uuid.UUID
    endpoint_id: uuid.UUID
    number: int
    message_id: str
    body: bytes
    url: str
    keys: tuple[bytes, ...]
    claimed_at: datetime
    is_failing: bool = False  # the endpoint's last finished attempt was a failure


@dataclass(slots=True)
class Answer:
    """What came back: a status, or an error when none did."""

    status: int | None = None
    body: str = ""
    error: str = ""
    retry_after: str = ""
    duration_ms: int = 0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True, eq=False)
class Result:
    """An attempt as it will be written: the delivery's next state, and what it means for the endpoint."""

    job: Job
    answer: Answer
    started_at: datetime
    state: str
    next_attempt_at: datetime | None
    finished_at: datetime | None
    pause_until: datetime | None = None


def judge(job: Job, answer: Answer, *, started_at: datetime) -> Result:
    """Decide what an answer means.

    2xx is success. Everything else, redirects included, is tried again after the schedule's delay, or later when the
    endpoint says so in ``Retry-After``; after ten attempts, or on 410, it is given up.
    """
    now = clock.now()
    if answer.is_success:
        return Result(job, answer, started_at, State.SUCCEEDED, None, now)
    if answer.status == GONE or job.number >= MAX_ATTEMPTS:
        return Result(job, answer, started_at, State.FAILED, None, now)
    wished = wished_delay(answer, now)
    wait = max(retry_delay(job.number), wished)
    pause = now + min(timedelta(seconds=wished), MAX_PAUSE) if wished else None
    return Result(job, answer, started_at, State.PENDING, now + timedelta(seconds=wait), None, pause)


def retry_delay(number: int) -> int:
    """Seconds to wait after attempt ``number`` failed: the schedule's, and up to a tenth more."""
    delay = RETRY_DELAYS[number - 1]
    return delay + randomness.jitter(0, delay // 10)


def wished_delay(answer: Answer, now: datetime) -> int:
    """The seconds asked for by ``Retry-After`` of a 429 or 503, at most a day; 0 without a usable one."""
    text = answer.retry_after.strip()
    if answer.status not in _BUSY or not text:
        return 0
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
        seconds = int((moment - now).total_seconds()) + 1
    except (ValueError, TypeError, OverflowError):  # TypeError: a date without a zone cannot be compared
        return 0
    return min(max(seconds, 0), MAX_RETRY_AFTER)
