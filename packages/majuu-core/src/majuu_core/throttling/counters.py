"""Which counter is used: the shared one while it answers, else the process's own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings

from majuu_core.throttling.windows import MovingWindow, ProcessWindows, SharedWindows

Answer = TypeVar("Answer")

REDIS_BACKENDS = ("django.core.cache.backends.redis.RedisCache", "django_redis.cache.RedisCache")
REDIS_TIMEOUT_SECONDS = 0.5
PAUSE_SECONDS = 2.0
_log = logging.getLogger("majuu.throttling")
_here = MovingWindow(ProcessWindows())


class SharedCounterDown(Exception):
    """Redis does not answer, or did not a moment ago."""


class _Outage:
    """Remembers that Redis is down, so that not every request waits for it."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    def is_on(self) -> bool:
        return time.monotonic() < self._until

    def begin(self, problem: Exception) -> None:
        with self._lock:
            if not self.is_on():
                _log.warning("rate limits: Redis does not answer (%s)", type(problem).__name__)
            self._until = time.monotonic() + PAUSE_SECONDS

    def forget(self) -> None:
        self._until = 0.0


_outage = _Outage()


def here() -> MovingWindow:
    """The counter of this process."""
    return _here


def redis_address() -> tuple[str, Mapping[str, Any]] | None:
    """The address and the options of the Redis behind Django's default cache; None when that is something else."""
    cache: Mapping[str, Any] = settings.CACHES.get("default", {})
    if cache.get("BACKEND") not in REDIS_BACKENDS:
        return None
    location = cache.get("LOCATION", "")
    address = location[0] if isinstance(location, (list, tuple)) else str(location).split(",")[0].split(";")[0]
    options = {name: value for name, value in cache.get("OPTIONS", {}).items() if isinstance(value, (str, int))}
    return address, options


def ask_shared(ask: Callable[[MovingWindow], Answer]) -> Answer | None:
    """Ask the shared counter; None when this site has none. Raises SharedCounterDown."""
    found = redis_address()
    if found is None:
        return None
    if _outage.is_on():
        raise SharedCounterDown
    address, options = found
    try:
        return ask(_shared(address, tuple(sorted(options.items()))))
    except Exception as problem:
        _outage.begin(problem)
        raise SharedCounterDown from problem


def forget_everything_here() -> None:
    """Start counting anew in this process. For tests."""
    _here.storage.reset()
    _outage.forget()


def forget_everything_shared() -> None:
    """Start counting anew for all processes; nothing happens without Redis, or while it is down. For tests."""
    with suppress(SharedCounterDown):
        ask_shared(lambda counter: counter.storage.reset())


@lru_cache(maxsize=4)
def _shared(address: str, options: tuple[tuple[str, Any], ...]) -> MovingWindow:
    timeouts = {"socket_timeout": REDIS_TIMEOUT_SECONDS, "socket_connect_timeout": REDIS_TIMEOUT_SECONDS}
    return MovingWindow(SharedWindows(address, key_prefix="majuu:rate", **(timeouts | dict(options))))
