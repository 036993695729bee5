"""The parts of a worker: a thread per loop, the webhook deliverer, and django-q2 in a process of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from majuu_core.webhooks.deliverer import Deliverer, Options
from majuu_core.worker.loops import Loop

_DATABASE_THREADS = 2  # one claims while the other writes
_CLUSTER_GRACE = 25.0  # seconds django-q2 has to finish its tasks


class LoopPart:
    """Runs one loop: at once again while there is work, otherwise after its pause. One database connection, kept."""

    def __init__(self, loop: Loop, *, on_work: Callable[[], None] | None = None, number: int = 1) -> None:
        self.name = loop.name if number == 1 else f"{loop.name} {number}"
        self._loop = loop
        self._on_work = on_work
        self._stop = threading.Event()

    def run(self) -> None:
        while not self._stop.is_set():
            if not self._loop.run():
                self._stop.wait(self._loop.pause)
            elif self._on_work is not None:
                self._on_work()

    def stop(self) -> None:
        self._stop.set()


class DelivererPart:
    """Runs the deliverer in an event loop of its own, on uvloop where it is installed."""

    name = "webhooks.deliver"

    def __init__(self, *, options: Options | None = None) -> None:
        self._options = options
        self._deliverer: Deliverer | None = None
        self._stopped = False

    def run(self) -> None:
        with (
            ThreadPoolExecutor(_DATABASE_THREADS, thread_name_prefix="majuu-deliveries") as database,
            asyncio.Runner(loop_factory=_loop_factory()) as runner,
        ):
            try:
                runner.run(self._deliver(database))
            finally:
                _close_connections(database)

    async def _deliver(self, database: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()

        def run_in_database(*arguments: Any) -> asyncio.Future[Any]:
            return loop.run_in_executor(database, *arguments)

        self._deliverer = Deliverer(run_in_database=run_in_database, options=self._options)
        if not self._stopped:
            await self._deliverer.run()

    def wake(self) -> None:
        """There are new deliveries."""
        if self._deliverer is not None:
            self._deliverer.wake()

    def stop(self) -> None:
        self._stopped = True
        if self._deliverer is not None:
            self._deliverer.stop()


def _close_connections(database: ThreadPoolExecutor) -> None:
    # Each thread has a connection of its own; the barrier makes sure that each of them gets one of the jobs.
    everybody = threading.Barrier(_DATABASE_THREADS, timeout=5)

    def close() -> None:
        connections.close_all()
        everybody.wait()

    for job in [database.submit(close) for _ in range(_DATABASE_THREADS)]:
        job.result()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


class ClusterEnded(Exception):
    """django-q2's process ended though nobody asked it to."""


class ClusterPart:
    """Runs django-q2's cluster as a child process. It ends when this process ends, however that happens."""

    name = "django-q2"

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def run(self) -> None:
        with self._lock:
            if self._stopped:
                return
            self._process = self._start()
        code = self._process.wait()
        if not self._stopped:
            raise ClusterEnded(f"exit status {code}")

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_CLUSTER_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        # A session of its own: Ctrl-C reaches it through us only, once, and in order.
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "majuu_core.worker.cluster", str(os.getpid())],
            env=environment,
            start_new_session=True,
        )
