"""Where hits are counted: storages for ``limits`` that run on the injected clock and answer in one step.

``limits`` asks the system for the time, and its memory storage starts a thread for every few hits. Both storages here
do neither; its strategies and its items stay in use.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, NamedTuple, Protocol

from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from majuu_core.common import clock

MAX_KEYS = 100_000


class Taken(NamedTuple):
    """Whether the hit fitted, the moment (UNIX seconds) of the oldest hit that counts, and how many count now."""

    fitted: bool
    oldest: float
    hits: int


class Windows(Protocol):
    """A storage that can count a hit and tell the state in one step."""

    def take(self, key: str, limit: int, seconds: int, cost: int) -> Taken: ...


class MovingWindow(MovingWindowRateLimiter):
    """The moving window of ``limits``, with an answer that is good for the headers too."""

    storage: Any

    def take(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> Taken:
        """Count ``cost`` hits if they fit."""
        windows: Windows = self.storage
        return windows.take(item.key_for(*identifiers), item.amount, item.get_expiry(), cost)


def _now() -> float:
    return clock.now().timestamp()


class ProcessWindows(MemoryStorage):
    """Counts in this process. At most ``MAX_KEYS`` keys: the ones whose first hit is oldest are forgotten first."""

    STORAGE_SCHEME = ["majuu-process"]

    def __init__(self, size: int = MAX_KEYS) -> None:
        super().__init__()
        self.timer.cancel()
        self._size = size
        self._hits: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str, limit: int, seconds: int, cost: int) -> Taken:
        now = _now()
        with self._lock:
            hits = self._current(key, now - seconds)
            fitted = len(hits) + cost <= limit
            if fitted:
                hits.extend([now] * cost)
            return Taken(fitted, hits[0] if hits else now, len(hits))

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return self.take(key, limit, expiry, amount).fitted

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        _, oldest, hits = self.take(key, limit, expiry, 0)
        return oldest, hits

    def clear(self, key: str) -> None:
        with self._lock:
            self._hits.pop(key, None)

    def reset(self) -> int | None:
        with self._lock:
            count = len(self._hits)
            self._hits.clear()
        return count

    def _current(self, key: str, start: float) -> deque[float]:
        hits = self._hits.get(key)
        if hits is None:
            while len(self._hits) >= self._size:
                self._hits.pop(next(iter(self._hits)))
            hits = self._hits[key] = deque()
        while hits and hits[0] <= start:
            hits.popleft()
        return hits


# A list of the moments that count, the newest first, as ``limits`` keeps it; here in one step instead of two.
_TAKE = """
local now, limit, seconds, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local hits = redis.call('LLEN', KEYS[1])
while hits > 0 and tonumber(redis.call('LINDEX', KEYS[1], -1)) <= now - seconds do
    redis.call('RPOP', KEYS[1])
    hits = hits - 1
end
local fitted = 0
if hits + cost <= limit then
    for _ = 1, cost do
        redis.call('LPUSH', KEYS[1], ARGV[1])
    end
    redis.call('EXPIRE', KEYS[1], seconds)
    hits, fitted = hits + cost, 1
end
return {fitted, redis.call('LINDEX', KEYS[1], -1) or ARGV[1], hits}
"""


class SharedWindows(RedisStorage):
    """Counts in Redis, for all processes together. Errors of the client pass through."""

    STORAGE_SCHEME = ["majuu-redis"]

    def __init__(self, address: str, **options: Any) -> None:
        super().__init__(address, **options)
        client: Any = self.get_connection()
        self._take = client.register_script(_TAKE)

    def take(self, key: str, limit: int, seconds: int, cost: int) -> Taken:
        """One round trip."""
        fitted, oldest, hits = self._take([self.prefixed_key(key)], [repr(_now()), limit, seconds, cost])
        return Taken(bool(fitted), float(oldest), int(hits))

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return self.take(key, limit, expiry, amount).fitted

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        _, oldest, hits = self.take(key, limit, expiry, 0)
        return oldest, hits
