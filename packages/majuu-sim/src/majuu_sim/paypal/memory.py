"""PayPal-Request-Id: the answers that are given again instead of doing the thing twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from majuu_sim.paypal import refusals

Key = tuple[str, str, str]  # account, operation, request id


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer and what it answered."""

    fingerprint: str
    body: dict[str, Any] | None
    status: int
    at: datetime


def fingerprint(path: str, body: object) -> str:
    """The same for the same request."""
    return hashlib.sha256(f"{path}\n{json.dumps(body, sort_keys=True)}".encode()).hexdigest()


class Memory:
    """Answers by their PayPal-Request-Id."""

    def __init__(self, seconds: float) -> None:
        """Forget an answer after so many seconds."""
        self._seconds = seconds
        self._kept: dict[Key, Kept] = {}

    def clear(self) -> None:
        """Forget every answer."""
        self._kept.clear()

    def find(self, key: Key, print_: str, now: datetime) -> Kept | None:
        """The answer of the same request; Refusal when the id was used for another one."""
        kept = self._kept.get(key) if key[2] else None
        if kept is None or (now - kept.at).total_seconds() > self._seconds:
            return None
        if kept.fingerprint != print_:
            raise refusals.unprocessable("DUPLICATE_REQUEST_ID")
        return kept

    def keep(self, key: Key, kept: Kept) -> None:
        """Remember an answer, if the request had an id."""
        if key[2]:
            self._kept[key] = kept
