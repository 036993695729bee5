"""Idempotency-Key: the first answer of a key is given again, as long as the parameters are the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from majuu_sim.clock import Clock
from majuu_sim.stripe import errors
from majuu_sim.stripe.forms import flatten

KEPT = timedelta(hours=24)
LONGEST = 255


@dataclass(slots=True)
class Kept:
    """A key's request and, once it has been made, its answer."""

    fingerprint: str
    at: datetime
    status: int = 0
    body: bytes = b""
    done: bool = False
    request_id: str = ""


class KeyRing:
    """The keys of all accounts."""

    def __init__(self, clock: Clock) -> None:
        """Keys are forgotten after a day of ``clock``."""
        self._clock = clock
        self._kept: dict[tuple[str, str], Kept] = {}

    def clear(self) -> None:
        """Forget every key."""
        self._kept.clear()

    def begin(self, account: str, key: str, path: str, params: dict[str, Any]) -> Kept | None:
        """The kept answer of a key, or None when its request is new and may be worked on.

        A refusal for another request under the same key, and for one that is still being worked on.
        """
        if len(key) > LONGEST:
            raise errors.StripeRefusal(400, f"Idempotency keys can have up to {LONGEST} characters.", began=False)
        now = self._clock.now()
        print_now = fingerprint(path, params)
        known = self._kept.get((account, key))
        if known is None or now - known.at >= KEPT:
            self._kept[account, key] = Kept(print_now, now)
            return None
        if known.fingerprint != print_now:
            raise errors.key_reused(key)
        if not known.done:
            raise errors.key_in_use(key)
        return known

    def keep(self, account: str, key: str, status: int, body: bytes, request_id: str) -> None:
        """Remember the answer."""
        kept = self._kept[account, key]
        kept.status, kept.body, kept.done, kept.request_id = status, body, True, request_id

    def forget(self, account: str, key: str) -> None:
        """The endpoint never began to work: the key is free again."""
        self._kept.pop((account, key), None)


def fingerprint(path: str, params: dict[str, Any]) -> str:
    """The same for the same request."""
    text = repr((path, list(flatten(params))))
    return hashlib.sha256(text.encode()).hexdigest()
