"""Cells of exported tables that no spreadsheet program takes for a formula (OWASP ASVS 5.0, 1.2.10)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(value: object) -> str:
    """The value as text for a CSV or XLSX cell. Text that could be a formula gets an apostrophe in front.

    Numbers stay numbers (a negative Decimal is no formula); times are ISO 8601; None is empty.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, Decimal)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS) else text
