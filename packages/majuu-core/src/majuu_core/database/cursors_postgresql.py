"""A psycopg cursor that takes long texts as they are."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import psycopg


class NumberedCursor(psycopg.RawCursor[Any]):
    """Sends ``$1`` for the first ``%s``, and so on, and remembers the result."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> NumberedCursor:
        super().execute(_numbered(query), params, **options)
        return self


@lru_cache(maxsize=512)
def _numbered(text: str) -> bytes:
    *pieces, last = text.split("%s")
    return "".join([*(f"{piece}${number}" for number, piece in enumerate(pieces, 1)), last]).encode()
