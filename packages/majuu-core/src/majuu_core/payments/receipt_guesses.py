"""Who knows a receipt may claim its money, so receipts must not be found out by trying.

What counts is how many *different* receipts a store names that are none of its business: a shop that asks again and
again for one that has not arrived yet is not guessing.
"""

from __future__ import annotations

import uuid

from majuu_core.common.problems import TooMany
from majuu_core.throttling.services import Decision, allow, is_exhausted

_LIMITS = ("receipt_store", "receipt_store_day")
_SAME = "receipt_again"


def check_guesses(*, store_id: uuid.UUID, livemode: bool) -> None:
    """Raises TooMany ``rate_limited`` when the store has named too many unknown receipts: then not even a right one is
    looked up."""
    key = _key(store_id, livemode)
    for name in _LIMITS:
        if is_exhausted(name, key):
            raise _refusal(name)


def count_wrong_guess(*, store_id: uuid.UUID, livemode: bool, receipt: str) -> None:
    """A receipt turned out to be unknown, or somebody else's."""
    key = _key(store_id, livemode)
    if allow(_SAME, f"{key} {receipt.strip().upper()[:64]}").allowed:
        _count(key)


def _count(key: str) -> list[Decision]:
    return [allow(name, key) for name in _LIMITS]


def _refusal(name: str) -> TooMany:
    text = "This store has named too many unknown receipts. Wait before you ask for another one."
    return TooMany("rate_limited", text, retry_after=_WAITS[name])


# How long to wait is not told exactly: when the oldest guess stops counting is nobody's business.
_WAITS = {"receipt_store": 10 * 60, "receipt_store_day": 60 * 60}


def _key(store_id: uuid.UUID, livemode: bool) -> str:
    return f"{store_id} {livemode}"
