"""What an API key looks like: ``sk_test_`` + 49 random characters + 6 characters of checksum.

Secrets of OAuth clients (``ck_``) and the access tokens they are traded for (``tk_``) look alike.

The fixed shape lets others find a leaked key in a public place and be sure that it is one; the checksum lets us turn
down a mistyped one without asking the database.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from majuu_core.common import randomness

PREFIXES = {
    ("secret", False): "sk_test_",
    ("secret", True): "sk_live_",
    ("publishable", False): "pk_test_",
    ("publishable", True): "pk_live_",
    ("client", False): "ck_test_",
    ("client", True): "ck_live_",
    ("token", False): "tk_test_",
    ("token", True): "tk_live_",
}
PATTERN = re.compile(r"[spct]k_(?:test|live)_[0-9A-Za-z]{55}")
_IN_TEXT = re.compile(rf"(?<![0-9A-Za-z_]){PATTERN.pattern}(?![0-9A-Za-z])")
_BY_PREFIX = {prefix: named for named, prefix in PREFIXES.items()}

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundKey:
    """A text that has the shape of a key. ``is_right``: its checksum is that of a key. The key itself stays out."""

    line: int
    kind: str
    livemode: bool
    shown: str
    is_right: bool


def find_keys(text: str) -> list[FoundKey]:
    """Whatever has the shape of a key in a text, with the number of its line, from 1 on."""
    found = []
    for match in _IN_TEXT.finditer(text):
        key = match.group()
        kind, livemode = _BY_PREFIX[prefix_of(key)]
        found.append(
            FoundKey(
                line=text.count("\n", 0, match.start()) + 1,
                kind=kind,
                livemode=livemode,
                shown=f"{prefix_of(key)}…{key[-4:]}",
                is_right=is_well_formed(key),
            )
        )
    return found


def kind_of(text: str) -> str:
    """What the text says it is: "secret", "publishable", "client", "token"; "" for none of these."""
    return _BY_PREFIX.get(prefix_of(text), ("", False))[0]


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
