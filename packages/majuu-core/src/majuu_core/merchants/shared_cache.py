"""The cache that providers share between processes, over Django's default cache.

Values are encrypted, because they are access tokens. One provider's entries in one mode are kept apart from all
others; accounts of one provider share them, because some providers know one token per app, not per account. When the
cache is down, nothing is found and nothing is locked: payments go on, only slower.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.core.cache import cache

from majuu_core.common import randomness
from majuu_core.common.crypto import Cipher, DecryptionError
from majuu_core.configuration import encryption_keys

Answer = TypeVar("Answer")

LONGEST_WAIT_SECONDS = 30
_FIRST_PAUSE_MS = 10
_LONGEST_PAUSE_MS = 150
_log = logging.getLogger("majuu.shared_cache")


class DjangoSharedCache:
    """A ``providers.SharedCache`` for one provider and mode."""

    def __init__(self, *, provider: str, livemode: bool) -> None:
        self._prefix = f"majuu:{provider}:{'live' if livemode else 'test'}:"

    def get(self, key: str) -> str | None:
        """The value, None when there is none, it is out of date, or the cache is down."""
        name = self._prefix + key
        sealed = _unless_down(lambda: cache.get(name), otherwise=None)
        if not isinstance(sealed, str):
            return None
        try:
            return _cipher().decrypt(sealed, bound_to=name).decode()
        except DecryptionError:
            return None

    def set(self, key: str, value: str, *, seconds: int) -> None:
        """Keep a value for so many seconds."""
        name = self._prefix + key
        sealed = _cipher().encrypt(value.encode(), bound_to=name)
        _unless_down(lambda: cache.set(name, sealed, timeout=seconds), otherwise=None)

    def delete(self, key: str) -> None:
        """Forget a value."""
        name = self._prefix + key
        _unless_down(lambda: cache.delete(name), otherwise=False)

    @contextmanager
    def lock(self, key: str, *, seconds: int) -> Iterator[bool]:
        """Hold a lock for at most ``seconds``. Waits as long for another holder (30 s at most), then yields False."""
        name = f"{self._prefix}lock:{key}"
        token = randomness.secret_bytes(16).hex()
        held = _take(name, token, seconds)
        try:
            yield held
        finally:
            if held:
                _unless_down(lambda: _release(name, token), otherwise=None)


def _take(name: str, token: str, seconds: int) -> bool:
    # A real wait for another process: the machine's clock, whatever clock the payments run on.
    deadline = time.monotonic() + min(seconds, LONGEST_WAIT_SECONDS)
    pause = _FIRST_PAUSE_MS
    while True:
        taken = _unless_down(lambda: bool(cache.add(name, token, timeout=seconds)), otherwise=None)
        if taken is not False:
            return bool(taken)
        if time.monotonic() >= deadline:
            return False
        time.sleep(randomness.jitter(pause // 2, pause) / 1000)
        pause = min(pause * 2, _LONGEST_PAUSE_MS)


def _release(name: str, token: str) -> None:
    # A lock that outlived its time may belong to somebody else by now.
    if cache.get(name) == token:
        cache.delete(name)


def _unless_down(ask: Callable[[], Answer], *, otherwise: Answer) -> Answer:
    try:
        return ask()
    except Exception as problem:  # noqa: BLE001 - every cache backend has errors of its own
        _log.warning("the cache does not answer: %s", type(problem).__name__)
        return otherwise


def _cipher() -> Cipher:
    return Cipher(encryption_keys(), "provider-cache")
