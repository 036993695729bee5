"""Fair turns: how many threads of one process talk to one provider account at the same time.

A provider that hangs holds up its own questions and nobody else's: its account's turns are taken, and whoever looks for
work leaves its rows out until one is free again.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """At most ``at_once`` threads per account. Rows without an account are not limited."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._taken: Counter[uuid.UUID] = Counter()

    def busy(self) -> list[uuid.UUID]:
        """The accounts that have no turn left now."""
        with self._lock:
            return [account for account, taken in self._taken.items() if taken >= self._at_once]

    @contextmanager
    def take(self, account: uuid.UUID | None) -> Iterator[bool]:
        """Hold a turn while the block runs; False, and nothing is held, when there is none left."""
        mine = account is None or self._enter(account)
        try:
            yield mine
        finally:
            if mine and account is not None:
                self._leave(account)

    def _enter(self, account: uuid.UUID) -> bool:
        with self._lock:
            if self._taken[account] >= self._at_once:
                return False
            self._taken[account] += 1
            return True

    def _leave(self, account: uuid.UUID) -> None:
        with self._lock:
            self._taken[account] -= 1
            if not self._taken[account]:
                del self._taken[account]
