from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from majuu_sim.clock import DEFAULT_START, Clock, ExternalClock, RealClock, VirtualClock
from majuu_sim.scheduler import Job, Scheduler


def note(log: list[str], text: str) -> Job:
    async def job() -> None:
        log.append(text)

    return job


def test_a_virtual_clock_stands_still_and_moves_only_forward() -> None:
    clock = VirtualClock(datetime(2026, 1, 15, 12, 0, tzinfo=timezone(timedelta(hours=3))))
    assert clock.now() == datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
    clock.move_by(90)
    assert clock.now() == datetime(2026, 1, 15, 9, 1, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(DEFAULT_START)
    assert clock.now() == datetime(2026, 1, 15, 9, 1, 30, tzinfo=UTC)


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        VirtualClock(datetime(2026, 1, 15, 12, 0))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize(
    ("clock", "manual"), [(RealClock(), False), (VirtualClock(), True), (ExternalClock(lambda: DEFAULT_START), True)]
)
def test_every_clock_says_whether_it_is_turned_by_hand(clock: Clock, manual: bool) -> None:
    assert isinstance(clock, Clock)
    assert clock.manual is manual
    assert clock.now().utcoffset() == timedelta(0)


def test_jobs_run_in_order_of_time_and_then_of_planning_at_their_own_moment() -> None:
    clock = VirtualClock()
    log: list[str] = []
    scheduler = Scheduler(clock)

    async def at() -> None:
        log.append(str((clock.now() - DEFAULT_START).total_seconds()))

    scheduler.after(5, "b", note(log, "b"))
    scheduler.after(5, "c", note(log, "c"))
    scheduler.after(1, "a", note(log, "a"))
    scheduler.after(7, "when", at)
    scheduler.after(11, "later", note(log, "later"))
    assert asyncio.run(scheduler.advance(10)) == 4
    assert log == ["a", "b", "c", "7.0"]
    assert clock.now() == DEFAULT_START + timedelta(seconds=10)
    assert [due.label for due in scheduler.pending()] == ["later"]


def test_a_job_planned_by_a_job_runs_in_the_same_advance_when_it_is_due() -> None:
    clock = VirtualClock()
    log: list[str] = []
    scheduler = Scheduler(clock)

    async def first() -> None:
        log.append("first")
        scheduler.after(3, "second", note(log, "second"))
        scheduler.after(9, "third", note(log, "third"))

    scheduler.after(2, "first", first)
    asyncio.run(scheduler.advance(6))
    assert log == ["first", "second"]


def test_a_cancelled_job_never_runs() -> None:
    log: list[str] = []
    scheduler = Scheduler(VirtualClock())
    due = scheduler.after(1, "no", note(log, "no"))
    scheduler.cancel(due)
    scheduler.cancel(due)
    assert scheduler.pending() == []
    assert asyncio.run(scheduler.advance(5)) == 0
    assert log == []


def test_settle_runs_what_falls_within_its_limit_and_stops_the_clock_at_the_last_job() -> None:
    clock = VirtualClock()
    log: list[str] = []
    scheduler = Scheduler(clock)
    scheduler.after(100, "in", note(log, "in"))
    scheduler.after(5000, "out", note(log, "out"))
    assert asyncio.run(scheduler.settle(1000)) == 1
    assert log == ["in"]
    assert clock.now() == DEFAULT_START + timedelta(seconds=100)


def test_only_a_virtual_clock_can_be_advanced_and_never_backwards() -> None:
    with pytest.raises(RuntimeError, match="only a virtual clock"):
        asyncio.run(Scheduler(RealClock()).advance(1))
    with pytest.raises(ValueError, match="zero or more"):
        asyncio.run(Scheduler(VirtualClock()).advance(-1))


def test_an_external_clock_decides_what_is_due() -> None:
    moments = [DEFAULT_START]
    log: list[str] = []
    read: Callable[[], datetime] = lambda: moments[-1]  # noqa: E731
    scheduler = Scheduler(ExternalClock(read))
    scheduler.after(10, "x", note(log, "x"))
    assert asyncio.run(scheduler.run_due()) == 0
    moments.append(DEFAULT_START + timedelta(seconds=10))
    assert asyncio.run(scheduler.run_due()) == 1
    assert log == ["x"]


def test_on_a_real_clock_jobs_run_by_themselves_and_a_broken_one_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log: list[str] = []

    async def broken() -> None:
        raise LookupError("broken on purpose")

    async def scenario() -> None:
        scheduler = Scheduler(RealClock())
        scheduler.start()
        scheduler.after(0, "broken", broken)
        scheduler.after(0.01, "good", note(log, "good"))
        await scheduler.settle(5)

    asyncio.run(scenario())
    assert log == ["good"]
    assert "the scheduled job 'broken' failed" in caplog.text


def test_settling_a_real_clock_gives_up_after_its_limit() -> None:
    async def scenario() -> None:
        scheduler = Scheduler(RealClock())
        scheduler.start()
        scheduler.after(60, "far", note([], "far"))
        with pytest.raises(TimeoutError):
            await scheduler.settle(0.02)
        scheduler.clear()
        await scheduler.settle(0.02)

    asyncio.run(scenario())
