"""Real worker processes: two at once, one that is killed, one that is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.core.webhooks.outbound.receiver import Receiver, Reply, run_receiver
from tests.core.worker.conftest import Stage

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
ENDPOINTS, EVENTS = 4, 60
ALL = ENDPOINTS * EVENTS


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as running:
        yield running


def wait_until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


def arrivals(receiver: Receiver) -> Counter[tuple[str, str]]:
    return Counter((got.path, got.headers["webhook-id"]) for got in list(receiver.received))


def fill(stage: Stage, receiver: Receiver) -> None:
    stage.run("fill", f"http://127.0.0.1:{receiver.port}", str(ENDPOINTS), str(EVENTS))


def test_two_workers_at_once_send_every_message_once(stage: Stage, receiver: Receiver) -> None:
    """given 240 messages / when two workers empty the tables together / then each message arrived exactly once."""
    receiver.default = Reply(delay=0.02)
    fill(stage, receiver)

    workers = [stage.start_worker("--once") for _ in range(2)]

    assert [worker.wait(120) for worker in workers] == [0, 0], stage.output(0) + stage.output(1)
    arrived = arrivals(receiver)
    assert len(arrived) == ALL
    assert set(arrived.values()) == {1}
    report = stage.run("report")
    assert report == {"states": {"succeeded": ALL}, "undispatched": 0, "attempts": ALL, "numbers": {"1": ALL}}


def test_a_killed_worker_loses_nothing(stage: Stage, receiver: Receiver) -> None:
    """given a worker in the middle of its work / when it is killed and another takes over / then everything arrived.

    What was under way at that moment may arrive twice, under the next number; no number is used twice.
    """
    receiver.default = Reply(delay=0.05)
    fill(stage, receiver)
    worker = stage.start_worker("--no-q2")
    wait_until(lambda: len(receiver.received) >= ALL // 4)
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(30) == -signal.SIGKILL
    held = stage.run("report")["states"].get("sending", 0)
    stage.run("age")  # as if the time of the leases had passed

    assert stage.start_worker("--once").wait(120) == 0, stage.output(1)

    arrived = arrivals(receiver)
    assert len(arrived) == ALL
    assert sum(arrived.values()) - ALL <= held
    report = stage.run("report")
    assert report["states"] == {"succeeded": ALL}
    assert report["numbers"].get("2", 0) == held
    assert report["attempts"] == ALL + held


def test_sigterm_finishes_what_is_under_way_and_gives_back_the_rest(stage: Stage, receiver: Receiver) -> None:
    """given a worker in the middle of its work / when it gets SIGTERM / then nothing arrives twice."""
    receiver.default = Reply(delay=0.2)
    fill(stage, receiver)
    worker = stage.start_worker("--no-q2")
    wait_until(lambda: len(receiver.received) >= 20)

    worker.terminate()

    assert worker.wait(60) == 0, stage.output(0)
    assert "The worker has finished." in stage.output(0)
    states = stage.run("report")["states"]
    assert set(states) <= {"succeeded", "pending"}
    receiver.default = Reply()
    assert stage.start_worker("--once").wait(120) == 0
    assert set(arrivals(receiver).values()) == {1}
    assert stage.run("report")["states"] == {"succeeded": ALL}


def children_of(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads the process table as Linux has it")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_django_q2_ends_with_its_worker_however_that_ends(stage: Stage, number: signal.Signals) -> None:
    """given a worker with its django-q2 / when it is told to stop or killed / then the cluster ends, too."""
    worker = stage.start_worker()
    wait_until(lambda: "The worker is running" in stage.output(0) and len(children_of(worker.pid)) == 1)
    (cluster,) = children_of(worker.pid)
    wait_until(lambda: len(children_of(cluster)) >= 1)  # its own processes: it has started

    worker.send_signal(number)

    assert worker.wait(60) == (0 if number == signal.SIGTERM else -signal.SIGKILL), stage.output(0)
    wait_until(lambda: not Path(f"/proc/{cluster}").exists() or is_dead(cluster))


def is_dead(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
