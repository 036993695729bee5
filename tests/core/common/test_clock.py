"""The one source of time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from majuu_core.common import clock
from majuu_core.common.clock import SystemClock, VirtualClock, use_clock


def test_system_clock_is_aware_and_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert timedelta(0) <= now - before < timedelta(seconds=5)


def test_virtual_clock_stands_still_until_told() -> None:
    virtual = VirtualClock(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    assert virtual.now() == virtual.now() == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert virtual.advance(90) == datetime(2026, 3, 1, 12, 1, 30, tzinfo=UTC)
    assert virtual.advance(timedelta(hours=1)) == datetime(2026, 3, 1, 13, 1, 30, tzinfo=UTC)
    assert virtual.now() == datetime(2026, 3, 1, 13, 1, 30, tzinfo=UTC)


def test_virtual_clock_never_moves_back() -> None:
    virtual = VirtualClock()
    start = virtual.now()
    with pytest.raises(ValueError, match="never moves back"):
        virtual.advance(-1)
    assert virtual.now() == start


def test_virtual_clock_wants_a_time_zone_and_keeps_utc() -> None:
    with pytest.raises(ValueError, match="time zone"):
        VirtualClock(datetime(2026, 3, 1, 12, 0))  # noqa: DTZ001 - the mistake under test
    nairobi = VirtualClock(datetime(2026, 3, 1, 15, 0, tzinfo=timezone(timedelta(hours=3))))
    assert nairobi.now().utcoffset() == timedelta(0)
    assert nairobi.now() == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_use_clock_counts_for_all_threads_and_is_undone() -> None:
    seen: list[datetime] = []
    virtual = VirtualClock(datetime(2030, 1, 1, tzinfo=UTC))
    with use_clock(virtual):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
        assert clock.now() == datetime(2030, 1, 1, tzinfo=UTC)
    assert seen == [datetime(2030, 1, 1, tzinfo=UTC)]
    assert clock.now() != datetime(2030, 1, 1, tzinfo=UTC)


def test_use_clock_is_undone_after_an_error() -> None:
    with pytest.raises(KeyError), use_clock(VirtualClock(datetime(2030, 1, 1, tzinfo=UTC))):
        raise KeyError
    assert clock.now().year != 2030
