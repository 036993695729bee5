"""Text from outside, as every database can keep it."""

from __future__ import annotations

import re

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# PostgreSQL refuses NUL, and half of a surrogate pair cannot be encoded at all. JSON may hold both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str, limit: int | None = None) -> str:
    """The text without characters that no database takes, cut to ``limit`` characters.

    What a provider wrote must never be the reason that its answer cannot be booked.
    """
    return _UNSTORABLE.sub(_REPLACEMENT, text if limit is None else text[:limit])
