"""Many threads, one moment: each with a connection of its own, all released together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import connection, connections

T = TypeVar("T")
PATIENCE = 60  # seconds a thread may take before the test gives up on it


def at_once(works: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run every work in a thread of its own, started at the same moment; results, or what was raised, in order."""
    gate = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(number: int, work: Callable[[], T]) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20s'")
            gate.wait(PATIENCE)
            results[number] = work()
        except Exception as problem:  # noqa: BLE001 - the test looks at it
            gate.abort() if gate.n_waiting else None
            results[number] = problem
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a thread never came back: a deadlock, or a lock nobody releases"
    return results


def answers(results: Sequence[T | Exception]) -> list[T]:
    """All results; raises the first exception among them."""
    for result in results:
        if isinstance(result, Exception):
            raise result
    return [result for result in results if not isinstance(result, Exception)]


class Rendezvous:
    """Lets one thread stop at a point until another has done something."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def stop_here(self) -> None:
        """Called at the point: tells that it is reached and waits."""
        self.reached.set()
        assert self.go_on.wait(PATIENCE), "nobody said go on"
