"""Text that crosses the border: into Daraja's short fields, and out of bodies that anybody may have written."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from majuu_core.common.redaction import redact

_MAX_DEPTH = 6
_MAX_ITEMS = 50
_MAX_TEXT = 500
_LONGEST_NUMBER = 10**12  # longer ones become text, so that a card number is found in them


def plain_text(value: Any, *, limit: int) -> str:
    """The value's text on one line, without control, bidirectional and half characters, cut to ``limit``."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    kept = "".join(" " if character.isspace() else character for character in text[: limit * 4])
    kept = "".join(character for character in kept if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"})
    return " ".join(kept.split())[:limit]


def alphanumeric(text: str) -> str:
    """Only the ASCII letters and digits, accents taken off."""
    return re.sub(r"[^A-Za-z0-9]", "", _ascii(text))


def simple_words(text: str) -> str:
    """ASCII letters, digits and single spaces: other characters can make Daraja refuse a description."""
    return " ".join(re.sub(r"[^A-Za-z0-9]", " ", _ascii(text)).split())


def safe_raw(value: Any) -> Any:
    """A redacted, bounded copy of a parsed body that any database can store as JSON."""
    return redact(_bounded(value, _MAX_DEPTH))


def _bounded(value: Any, depth: int) -> Any:
    if isinstance(value, dict) and depth:
        pairs = list(value.items())[:_MAX_ITEMS]
        return {plain_text(key, limit=100): _bounded(item, depth - 1) for key, item in pairs}
    if isinstance(value, list) and depth:
        return [_bounded(item, depth - 1) for item in value[:_MAX_ITEMS]]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < _LONGEST_NUMBER:
        return value
    if isinstance(value, Decimal):
        return str(value)
    return plain_text(value, limit=_MAX_TEXT) if isinstance(value, (str, int)) else f"({type(value).__name__})"


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
