"""Keeping parts running."""

from __future__ import annotations

import logging
import threading
from time import monotonic

import pytest

from majuu_core.worker.loops import Loop
from majuu_core.worker.parts import LoopPart
from majuu_core.worker.supervisor import Supervisor


class Fragile:
    """Fails a number of times, then runs until it is stopped."""

    name = "fragile"

    def __init__(self, failures: int, *, ends_by_itself: bool = False) -> None:
        self.failures = failures
        self.ends_by_itself = ends_by_itself
        self.started_at: list[float] = []
        self.running = threading.Event()
        self._stop = threading.Event()

    def run(self) -> None:
        self.started_at.append(monotonic())
        if len(self.started_at) <= self.failures:
            if self.ends_by_itself:
                return
            raise RuntimeError("broken")
        self.running.set()
        self._stop.wait()

    def stop(self) -> None:
        self._stop.set()


class Deaf:
    """Does not stop when told to."""

    name = "deaf"

    def __init__(self) -> None:
        self.released = threading.Event()

    def run(self) -> None:
        self.released.wait(30)

    def stop(self) -> None:
        """Ignored."""


@pytest.mark.parametrize("ends_by_itself", [False, True])
def test_a_part_that_fails_starts_again_after_growing_pauses(
    ends_by_itself: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """given a part that fails twice / when supervised / then it starts three times, each pause longer."""
    part, other = Fragile(2, ends_by_itself=ends_by_itself), Fragile(0)
    supervisor = Supervisor([part, other], first_pause=0.05)

    with caplog.at_level(logging.ERROR, logger="majuu.worker"):
        supervisor.start()
        assert part.running.wait(10)
        supervisor.request_stop()
        assert supervisor.wait(grace=10)

    first, second, third = part.started_at
    assert second - first >= 0.05
    assert third - second >= 0.1
    assert len(other.started_at) == 1
    assert sum("part fragile of the worker" in record.getMessage() for record in caplog.records) == 2


def test_a_part_that_does_not_stop_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """given a part that ignores the stop / when the grace is over / then the supervisor says so and goes on."""
    part = Deaf()
    supervisor = Supervisor([part])
    supervisor.start()
    supervisor.request_stop()

    assert not supervisor.wait(grace=0.1)
    assert "did not stop within 0.1 s: deaf" in caplog.text
    part.released.set()


def test_a_loop_runs_at_once_while_there_is_work_and_tells_who_waits_for_it() -> None:
    """given a loop with three groups of work and a long pause / when run / then all three are done at once."""
    counts, woken, empty = [5, 5, 2], [], threading.Event()

    def work() -> int:
        if counts:
            return counts.pop()
        empty.set()
        return 0

    part = LoopPart(Loop(name="test", function=work, pause=60), on_work=lambda: woken.append(1))
    thread = threading.Thread(target=part.run)
    thread.start()
    assert empty.wait(5)
    part.stop()
    thread.join(5)

    assert not thread.is_alive()
    assert len(woken) == 3
