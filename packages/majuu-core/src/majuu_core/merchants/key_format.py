"""What an API key looks like: ``sk_test_`` + 49 random characters + 6 characters of checksum.

The fixed shape lets others find a leaked key in a public place and be sure that it is one; the checksum lets us turn
down a mistyped one without asking the database.
"""

from __future__ import annotations

import re
import zlib

from majuu_core.common import randomness

PREFIXES = {
    ("secret", False): "sk_test_",
    ("secret", True): "sk_live_",
    ("publishable", False): "pk_test_",
    ("publishable", True): "pk_live_",
}
PATTERN = re.compile(r"[sp]k_(?:test|live)_[0-9A-Za-z]{55}")

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# 288 random bits. The last four characters of the key are shown to people and tell at most 24 of them.
_SECRET_BYTES = 36
_SECRET_LENGTH = 49
_CHECKSUM_LENGTH = 6


def new_key(*, kind: str, livemode: bool) -> str:
    """A fresh key of this kind and mode."""
    secret = _base62(int.from_bytes(randomness.secret_bytes(_SECRET_BYTES), "big"), _SECRET_LENGTH)
    body = PREFIXES[kind, livemode] + secret
    return body + _checksum(body)


def is_well_formed(text: str) -> bool:
    """True when the text has the shape of a key and its checksum is right. Says nothing about whether it opens."""
    if PATTERN.fullmatch(text) is None:
        return False
    return _checksum(text[:-_CHECKSUM_LENGTH]) == text[-_CHECKSUM_LENGTH:]


def prefix_of(key: str) -> str:
    """The part that names kind and mode, e.g. ``sk_test_``."""
    return key[:8]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))
