"""A payer's number told as its SHA-256 with some of it hidden, as M-Pesa's tills do. What is left names one number."""

from __future__ import annotations

import hashlib
import re

_HOLED = re.compile(r"([0-9a-f]{16,})\s*\*+\s*([0-9a-f]{16,})", re.IGNORECASE)


def hash_phone(digits: str) -> str:
    """SHA-256 of the digits with the country code, in lower-case hexadecimal."""
    return hashlib.sha256(digits.encode()).hexdigest()


def fits_holed_hash(text: str, digits: str) -> bool | None:
    """Whether this number, with its country code, has the hash that is left; None when the text is no such hash."""
    found = _HOLED.fullmatch(text.strip())
    if found is None:
        return None
    head, tail, digest = found[1].lower(), found[2].lower(), hash_phone(digits)
    return len(head) + len(tail) < len(digest) and digest.startswith(head) and digest.endswith(tail)
