"""The one source of randomness: ids, tokens and jitter.

Secrets always come from the operating system's generator. Ids and jitter come from a generator that a simulation may
seed, so that a failing run can be replayed exactly.
"""

from __future__ import annotations

import itertools
import os
import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Thirty-two characters without e, c, s and q. No word that M-Pesa forbids in callback addresses
# (mpesa, safaricom, exe, exec, cmd, sql, query) can be spelt with them.
URL_SAFE_ALPHABET = "0123456789abdfghijklmnoprtuvwxyz"
_PAIRS = [first + second for first in URL_SAFE_ALPHABET for second in URL_SAFE_ALPHABET]  # ten bits at a time

_RESERVE_BYTES = 1024


class _ReservedRandom(random.SystemRandom):
    """The operating system's generator, asked for some hundred ids at a time.

    Every question is a system call during which another thread takes the interpreter; a request needs a dozen ids. A
    reserve belongs to one thread, and a forked process begins without one: no bits are ever used twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def getrandbits(self, k: int, /) -> int:
        size = -(-k // 8)
        reserve: bytes = getattr(self._thread, "reserve", b"")
        if len(reserve) < size:
            reserve = os.urandom(max(size, _RESERVE_BYTES))
        self._thread.reserve = reserve[size:]
        return int.from_bytes(reserve[:size], "big") >> size * 8 - k

    def _forget(self) -> None:
        self._thread = threading.local()


_system: random.Random = _ReservedRandom()
_ids: random.Random = _system
_source = 0
_sources = itertools.count(1)


def id_source() -> int:
    """Names the source of ``id_bits`` as it is now: another number for every block of ``seeded_ids``."""
    return _source


def id_bits(bits: int) -> int:
    """Random bits for a time-ordered id. Not a secret."""
    return _ids.getrandbits(bits)


def jitter(low: int, high: int) -> int:
    """A whole number between low and high, both included, to spread retries."""
    return _ids.randint(low, high)


def secret_bytes(count: int) -> bytes:
    """Bytes nobody can guess. Never seeded."""
    return secrets.token_bytes(count)


def secret_digits(count: int) -> str:
    """Decimal digits nobody can guess, such as a code that people type. Never seeded."""
    return f"{secrets.randbelow(10**count):0{count}d}"


def encode_url_safe(data: bytes) -> str:
    """Write bytes with the URL alphabet, five bits a character, fixed length for a given size."""
    number, length = int.from_bytes(data, "big"), -(-len(data) * 8 // 5)
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(length // 2 * 10 - 10, -1, -10)]
    return (URL_SAFE_ALPHABET[number >> length * 5 - 5] if length % 2 else "") + "".join(pairs)


def decode_url_safe(text: str, *, size: int) -> bytes:
    """The inverse of encode_url_safe. Raises ValueError for foreign characters, a wrong length or an overflow."""
    if len(text) != -(-size * 8 // 5):
        raise ValueError("wrong length")
    number = 0
    for character in text:
        digit = URL_SAFE_ALPHABET.find(character)
        if digit < 0:
            raise ValueError("not in the alphabet")
        number = number * 32 + digit
    if number >> (size * 8):
        raise ValueError("too large")
    return number.to_bytes(size, "big")


@contextmanager
def seeded_ids(seed: int) -> Iterator[None]:
    """Make ids and jitter repeatable while the block runs. Secrets stay unpredictable."""
    global _ids, _source
    previous, _ids = (_ids, _source), random.Random(seed)  # noqa: S311 - ids are not secrets
    _source = next(_sources)
    try:
        yield
    finally:
        _ids, _source = previous
