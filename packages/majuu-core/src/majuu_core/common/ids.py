"""Public ids: a prefix that names the kind, and a UUIDv7 that orders by time.

``pi_`` + 26 characters of Crockford base 32 hold all 128 bits, so the database keeps a native UUID and no second index
is needed. UUIDv7: RFC 9562 section 5.7.
"""

from __future__ import annotations

import os
import threading
import uuid
from datetime import UTC, datetime, timedelta

from majuu_core.common import clock, randomness

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
# Ten bits at a time: ids are written several times for every request.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)


class _Sequence:
    """What follows the milliseconds: random, and rising within one of them, so that newest first means just that.

    RFC 9562 section 6.2, method 2. The first of a millisecond leaves its highest bit clear, and a step is at most a
    2^33rd of what is left. A forked process begins anew, and so does whoever changes the source of randomness.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: tuple[int, int] | None = None
        self._last = 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def next(self) -> tuple[int, int]:
        """The clock's milliseconds, and what follows them."""
        with self._lock:  # the clock is read inside: whoever comes later reads no earlier time
            at = (clock.now() - _EPOCH) // _MILLISECOND, randomness.id_source()
            if at == self._at and self._last >> 73 == 0:
                self._last += 1 + randomness.id_bits(40)
            else:
                self._at, self._last = at, randomness.id_bits(73)
            return at[0], self._last

    def _forget(self) -> None:
        self._lock, self._at = threading.Lock(), None


_sequence = _Sequence()


def new_uuid() -> uuid.UUID:
    """A UUIDv7 from the injected clock: 48 bits of milliseconds, then 74 bits that rise within one process."""
    milliseconds, random = _sequence.next()
    number = (milliseconds & (1 << 48) - 1) << 80
    number |= 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return uuid.UUID(int=number)


def encode_id(prefix: str, value: uuid.UUID) -> str:
    """Write a UUID as a public id, e.g. ``pi_01kaf3v9m2…``."""
    number = value.int
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"


def decode_id(prefix: str, public_id: str) -> uuid.UUID:
    """Read a public id back. Raises ValueError when the prefix or the form is wrong."""
    head, separator, tail = public_id.rpartition("_")
    if not separator or head != prefix or len(tail) != 26:
        raise ValueError(f"not a {prefix}_ id")
    number = 0
    for character in tail:
        if character not in _VALUES:
            raise ValueError(f"not a {prefix}_ id")
        number = number << 5 | _VALUES[character]
    if number >> 128:
        raise ValueError(f"not a {prefix}_ id")
    return uuid.UUID(int=number)


def first_uuid(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of that millisecond: rows made since then have primary keys from it on."""
    return uuid.UUID(int=((moment - _EPOCH) // _MILLISECOND & (1 << 48) - 1) << 80)
