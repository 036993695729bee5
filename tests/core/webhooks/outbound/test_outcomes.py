"""What an answer means, and when a failed delivery is tried again."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.webhooks.outbound import (
    MAX_ATTEMPTS,
    MAX_PAUSE,
    MAX_RETRY_AFTER,
    RETRY_DELAYS,
    Answer,
    Job,
    judge,
    wished_delay,
)


def make_job(number: int = 1) -> Job:
    return Job(
        delivery_id=uuid.uuid4(),
        endpoint_id=uuid.uuid4(),
        number=number,
        message_id="evt_1",
        body=b"{}",
        url="https://shop.example/hook",
        keys=(b"k" * 32,),
        claimed_at=clock.now(),
    )


def test_the_schedule_is_ten_attempts_over_at_least_75_hours() -> None:
    """given the schedule / when its delays are added / then they are the published ones and last 75 hours."""
    assert MAX_ATTEMPTS == 10
    assert RETRY_DELAYS == (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert timedelta(seconds=sum(RETRY_DELAYS)) >= timedelta(hours=75)


@pytest.mark.parametrize("number", range(1, 10))
def test_a_failure_waits_the_schedules_delay_and_up_to_a_tenth_more(virtual_clock: VirtualClock, number: int) -> None:
    """given attempt n failed / when it is judged often / then the wait lies in the jittered range and varies."""
    now, delay = virtual_clock.now(), RETRY_DELAYS[number - 1]
    waits = set()

    for _ in range(200):
        result = judge(make_job(number), Answer(status=500), started_at=now)
        assert result.next_attempt_at is not None
        assert (result.state, result.finished_at, result.pause_until) == ("pending", None, None)
        waits.add((result.next_attempt_at - now).total_seconds())

    assert min(waits) >= delay
    assert max(waits) <= delay + delay // 10
    assert len(waits) > 1 or delay < 10


def test_the_tenth_failure_is_the_last(virtual_clock: VirtualClock) -> None:
    """given ten attempts failed / when the tenth is judged / then the delivery has failed for good."""
    result = judge(make_job(10), Answer(status=500), started_at=virtual_clock.now())

    assert (result.state, result.next_attempt_at, result.finished_at) == ("failed", None, virtual_clock.now())


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(virtual_clock: VirtualClock, status: int) -> None:
    """given any 2xx / when it is judged / then the delivery has succeeded."""
    result = judge(make_job(), Answer(status=status), started_at=virtual_clock.now())

    assert (result.state, result.next_attempt_at, result.finished_at) == ("succeeded", None, virtual_clock.now())


@pytest.mark.parametrize(
    "status", [None, 101, 199, 300, 301, 302, 307, 308, 400, 401, 404, 429, 500, 502, 503, 504, 599]
)
def test_everything_else_is_tried_again(virtual_clock: VirtualClock, status: int | None) -> None:
    """given no answer, a redirect or an error / when it is judged / then the delivery waits for its next attempt."""
    assert judge(make_job(), Answer(status=status), started_at=virtual_clock.now()).state == "pending"


def test_410_ends_the_delivery_at_once(virtual_clock: VirtualClock) -> None:
    """given 410 Gone on the first attempt / when it is judged / then the delivery has failed."""
    assert judge(make_job(), Answer(status=410), started_at=virtual_clock.now()).state == "failed"


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_honoured_when_it_is_longer(virtual_clock: VirtualClock, status: int) -> None:
    """given 429 or 503 with Retry-After 600 / when judged / then delivery and endpoint wait that long."""
    now = virtual_clock.now()
    result = judge(make_job(), Answer(status=status, retry_after="600"), started_at=now)

    assert result.next_attempt_at == now + timedelta(seconds=600)
    assert result.pause_until == now + timedelta(seconds=600)


def test_a_short_retry_after_never_shortens_the_schedule(virtual_clock: VirtualClock) -> None:
    """given Retry-After 1 on the third attempt / when judged / then the schedule's half hour stands."""
    result = judge(make_job(3), Answer(status=503, retry_after="1"), started_at=virtual_clock.now())

    assert result.next_attempt_at is not None
    assert result.next_attempt_at >= virtual_clock.now() + timedelta(minutes=30)


def test_a_retry_after_of_years_is_cut_to_a_day_and_the_pause_to_an_hour(virtual_clock: VirtualClock) -> None:
    """given Retry-After of three years / when judged / then the delivery waits a day, the endpoint's others an hour."""
    now = virtual_clock.now()
    result = judge(make_job(), Answer(status=429, retry_after="99999999"), started_at=now)

    assert result.next_attempt_at == now + timedelta(days=1)
    assert result.pause_until == now + MAX_PAUSE


def test_retry_after_as_a_date(virtual_clock: VirtualClock) -> None:
    """given Retry-After as an HTTP date in ten minutes / when read / then it is those ten minutes."""
    then = format_datetime(virtual_clock.now() + timedelta(minutes=10), usegmt=True)

    assert wished_delay(Answer(status=503, retry_after=then), virtual_clock.now()) in {600, 601}


def test_retry_after_of_other_answers_is_ignored(virtual_clock: VirtualClock) -> None:
    """given a 500 with Retry-After / when read / then it asks for nothing."""
    assert wished_delay(Answer(status=500, retry_after="600"), virtual_clock.now()) == 0


@given(text=st.text(max_size=60) | st.from_regex(r"-?[0-9]{1,40}", fullmatch=True))
def test_any_retry_after_gives_a_wait_of_at_most_a_day(text: str) -> None:
    """given whatever a receiver writes / when it is read / then the wait lies between nothing and a day."""
    now = datetime.fromisoformat("2026-01-05T09:00:00+00:00")

    assert 0 <= wished_delay(Answer(status=429, retry_after=text), now) <= MAX_RETRY_AFTER
