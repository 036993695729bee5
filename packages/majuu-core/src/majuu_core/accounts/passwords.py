"""Passwords that are known: from a list of breached ones on this machine, and those people here think of first.

No password ever leaves this machine. There are no rules of composition: length counts, and not being known.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ValidationError

from majuu_core.accounts.configuration import breached_passwords

KNOWN_WORDS = Path(__file__).parent / "known_words.txt"
_LINE = 128  # longer than any line of the list: a hash, a colon, a count
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")
_AROUND = re.compile(r"([^a-z]*)(.*?)([^a-z]*)", re.DOTALL)
_MOST_DECORATION = 12


class KnownPasswordValidator:
    """Refuses a password of the breached list, or one that is nothing but a well-known word with decoration."""

    def validate(self, password: str, user: Any = None) -> None:
        if is_obvious(password) or is_breached(password):
            raise ValidationError(
                "This password is known from a breach or easy to guess. Choose another one; a few unrelated words do.",
                code="password_known",
            )

    def get_help_text(self) -> str:
        return "Your password must not be one that is known from a breach."


def is_obvious(password: str) -> bool:
    """Whether a password is one or more known words, with nothing but digits and signs around and between them."""
    found = _AROUND.fullmatch(password.casefold())
    if found is None or not found[2]:
        return False
    before, core, after = found[1][-_MOST_DECORATION:], found[2], found[3][:_MOST_DECORATION]
    # "n41r0b1!2024": what looks like letters may belong to the word.
    forms = {
        (before[start:] + core + after[:end]).translate(_LOOKALIKES)
        for start in range(len(before) + 1)
        for end in range(len(after) + 1)
    }
    return any(_is_made_of_known_words(form) for form in {core, *forms})


def is_breached(password: str) -> bool:
    """Whether ``MAJUU_BREACHED_PASSWORDS`` lists the password; False when there is no list.

    The list holds SHA-1 hashes in hexadecimal, upper case, one a line, sorted, each perhaps with ``:count`` behind.
    """
    path = breached_passwords()
    if path is None:
        return False
    # SHA-1 is what such lists are made of; nothing is protected by it here.
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        return _holds(file, path.stat().st_size, digest)


def _holds(file: IO[bytes], size: int, digest: bytes) -> bool:
    """Binary search by position: a list of 40 GB takes about 36 short reads."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        start, line = _line_at(file, middle)
        found = line[: len(digest)].upper()
        if found == digest:
            return True
        if not line or found > digest:
            high = middle
        else:
            low = start + len(line)
    return False


def _line_at(file: IO[bytes], position: int) -> tuple[int, bytes]:
    """The line that holds this byte, with where it begins."""
    begin = max(0, position - _LINE)
    file.seek(begin)
    before = file.read(position - begin)
    start = begin + before.rfind(b"\n") + 1
    file.seek(start)
    return start, file.readline(_LINE)


def _is_made_of_known_words(text: str) -> bool:
    parts = [part for part in re.split(r"[^a-z]+", text) if part]
    return bool(parts) and all(_splits(part, _words()) for part in parts)


def _splits(text: str, words: frozenset[str]) -> bool:
    """Whether a text is known words one after the other; at most three, so that a phrase of chance words passes."""
    reachable = {0: 0}
    for end in range(1, len(text) + 1):
        counts = [reachable[start] + 1 for start in reachable if text[start:end] in words]
        if counts:
            reachable[end] = min(counts)
    return reachable.get(len(text), 4) <= 3


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    lines = KNOWN_WORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
