"""Keeps the parts of a worker running: a part that fails starts again, after a pause that grows with each failure."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from time import monotonic, sleep
from typing import Protocol

from django.db import connections

_log = logging.getLogger("majuu.worker")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
_LOOK_EVERY = 0.1
_GOOD_RUN = 60.0  # seconds after which a part counts as running well and the pauses start over


class Part(Protocol):
    """Something that works until it is told to stop."""

    name: str

    def run(self) -> None:
        """Work. Returns after ``stop``; coming back or raising before that is a failure."""
        ...

    def stop(self) -> None:
        """Finish what is under way and return from ``run``. Called from another thread."""
        ...


class Supervisor:
    """Runs each part in a thread of its own."""

    def __init__(self, parts: Sequence[Part], *, first_pause: float = FIRST_PAUSE) -> None:
        self._parts = parts
        self._first_pause = first_pause
        self._requested = False
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start all parts."""
        for part in self._parts:
            # Daemons: a part that does not stop must not keep the process from ending.
            thread = threading.Thread(target=self._keep_running, args=(part,), name=part.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def request_stop(self) -> None:
        """Tell everybody to finish. Safe to call from a signal handler, and more than once."""
        self._requested = True  # no lock here: the signal may interrupt the very code that holds it

    def wait(self, *, grace: float) -> bool:
        """Wait until a stop is requested, then for the parts to finish. False when some did not within ``grace``."""
        while not self._requested:
            sleep(_LOOK_EVERY)
        self._stop.set()
        for part in self._parts:
            part.stop()
        ends = monotonic() + grace
        for thread in self._threads:
            thread.join(max(ends - monotonic(), 0))
        late = [thread.name for thread in self._threads if thread.is_alive()]
        if late:
            _log.error("these parts did not stop within %g s: %s", grace, ", ".join(late))
        return not late

    def _keep_running(self, part: Part) -> None:
        pause = self._first_pause
        while not self._stop.is_set():
            started = monotonic()
            try:
                part.run()
                if not self._stop.is_set():
                    _log.error("part %s of the worker ended by itself", part.name)
            except Exception:  # noqa: BLE001 - whatever it was, the part starts again
                _log.exception("part %s of the worker failed", part.name)
            finally:
                connections.close_all()
            if monotonic() - started > _GOOD_RUN:
                pause = self._first_pause
            self._stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
