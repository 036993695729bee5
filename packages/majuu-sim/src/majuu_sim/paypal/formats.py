"""Ids and moments as PayPal writes them. Pure functions; the randomness comes from the caller."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime

_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_PLAIN = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_TOKEN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # noqa: S105 - an alphabet


def _letters(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choices(alphabet, k=length))


def transaction_id(rng: random.Random) -> str:
    """Of an order, a capture, a refund: 17 capitals and digits, beginning with a digit."""
    return rng.choice("123456789") + _letters(rng, _CAPITALS, 16)


def payer_id(rng: random.Random) -> str:
    """Of an account: 13 characters that cannot be confused."""
    return _letters(rng, _PLAIN, 13)


def batch_id(rng: random.Random) -> str:
    """Of a payout batch or item: 13 capitals and digits."""
    return _letters(rng, _CAPITALS, 13)


def access_token(rng: random.Random) -> str:
    """A bearer token."""
    return "A21AA" + _letters(rng, _TOKEN, 84)


def event_id(rng: random.Random) -> str:
    """Of a webhook event."""
    return f"WH-{transaction_id(rng)}-{transaction_id(rng)}"


def dispute_id(rng: random.Random) -> str:
    """Of a dispute: ``PP-R-ABC-12345678``."""
    return f"PP-R-{_letters(rng, _CAPITALS[:26], 3)}-{rng.randrange(10**7, 10**8)}"


def debug_id(rng: random.Random) -> str:
    """Of an answer: 13 hex digits."""
    return f"{rng.getrandbits(52):013x}"


def transmission_id(rng: random.Random) -> str:
    """Of one delivery."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=1))


def iso(moment: datetime) -> str:
    """``2026-01-15T09:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
