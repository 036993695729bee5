"""The short reference that a customer copies into a bank transfer: eight characters and one that checks them.

Thirty-one characters, a prime number, without those that look like others; every place has a weight of its own. So any
wrong character is noticed, and any two that changed places. O is read as 0, I and L as 1; case, spaces and hyphens do
not matter. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTWXYZ"
LENGTH = 9
_BODY = LENGTH - 1
_BASE = len(ALPHABET)
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS = re.compile(r"[^0-9A-Z]+")
_GROUP = 3
_MOST_FOUND = 40
_LONGEST_TEXT = 1000


def make_reference(seed: str) -> str:
    """The reference that belongs to a public id: always the same one, and nothing of the id can be read from it."""
    number = int.from_bytes(hashlib.sha256(f"majuu.manual|{seed}".encode()).digest())
    body = ""
    for _ in range(_BODY):
        number, value = divmod(number, _BASE)
        body += ALPHABET[value]
    return body + check_character(body)


def check_character(body: str) -> str:
    """The ninth character of eight. The weighted sum of all nine is a multiple of thirty-one."""
    total = sum(weight * _VALUES[character] for weight, character in enumerate(body, start=1))
    return ALPHABET[-total * pow(LENGTH, -1, _BASE) % _BASE]


def read_reference(text: str) -> str | None:
    """The reference that was typed, in its canonical form; None when it is none, or mistyped."""
    typed = _SEPARATORS.sub("", _fold(text))
    return typed if _holds(typed) else None


def find_references(text: str) -> tuple[str, ...]:
    """Everything in a free text that could be a reference, whole words first, at most forty.

    A statement's text is cut and joined in any way, so every run of nine characters is looked at; one in thirty-one
    holds by chance. Whoever asks knows which references were given out.
    """
    words = [word for word in _SEPARATORS.split(_fold(text[:_LONGEST_TEXT])) if word]
    found = dict.fromkeys([*_whole_words(words), *_runs("".join(words))])
    return tuple(found)[:_MOST_FOUND]


def grouped(reference: str) -> str:
    """The reference as it is printed: ``K7Q-M3X-NP5``."""
    return "-".join(reference[start : start + _GROUP] for start in range(0, len(reference), _GROUP))


def _fold(text: str) -> str:
    return text.upper().translate(_LOOKALIKES)


def _holds(typed: str) -> bool:
    if len(typed) != LENGTH or any(character not in _VALUES for character in typed):
        return False
    return check_character(typed[:_BODY]) == typed[_BODY]


def _whole_words(words: list[str]) -> Iterator[str]:
    for first in range(len(words)):
        joined = ""
        for word in words[first:]:
            joined += word
            if len(joined) >= LENGTH:
                break
        if _holds(joined):
            yield joined


def _runs(text: str) -> Iterator[str]:
    for start in range(len(text) - LENGTH + 1):
        if _holds(text[start : start + LENGTH]):
            yield text[start : start + LENGTH]
