"""Which posting a statement's line is, the same in every file that shows it. Pure.

A bank's own number with its day, else what the line says. Lines of one day that are alike in that are counted, so that
two equal payments are two. Everything is bound to the account: two banks may use one number.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from datetime import date

_LONGEST = 40
_TAG = 6


def posting_identity(account_id: str, bank_reference: str, day: date, occurrence: int = 1) -> str:
    """What a posting with a number of the bank is called here, at most 64 characters."""
    plain = re.sub(r"\s+", "", bank_reference)
    if len(plain) > _LONGEST:
        plain = f"{plain[:20]}~{_digest(plain, 16)}"
    return _named(plain, account_id, day, occurrence)


def line_identity(account_id: str, texts: tuple[str, ...], day: date, occurrence: int = 1) -> str:
    """What a posting without a number is called: by everything the line says."""
    return _named(_digest("\x1f".join(texts), 16), account_id, day, occurrence)


class Occurrences:
    """Counts lines that are alike, within one file and a day."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def count(self, *parts: str) -> int:
        """Which one of its kind this is, from 1."""
        key = _digest("\x1f".join(parts), 24)
        self._seen[key] += 1
        return self._seen[key]


def _named(body: str, account_id: str, day: date, occurrence: int) -> str:
    number = f".{occurrence}" if occurrence > 1 else ""
    return f"{body}-{day:%y%m%d}{number}-{_digest(account_id, _TAG)}"


def _digest(text: str, length: int) -> str:
    return base64.b32encode(hashlib.sha256(text.encode("utf-8", "replace")).digest()).decode()[:length]
