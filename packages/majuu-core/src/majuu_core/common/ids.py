"""Public ids: a prefix that names the kind, and a UUIDv7 that orders by time.

``pi_`` + 26 characters of Crockford base 32 hold all 128 bits, so the database keeps a native UUID and no second index
is needed. UUIDv7: RFC 9562 section 5.7.
"""

from __future__ import annotations

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


def new_uuid() -> uuid.UUID:
    """A UUIDv7 from the injected clock: 48 bits of milliseconds, then 74 random bits."""
    milliseconds = (clock.now() - _EPOCH) // _MILLISECOND
    number = (milliseconds & (1 << 48) - 1) << 80
    random = randomness.id_bits(74)
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
