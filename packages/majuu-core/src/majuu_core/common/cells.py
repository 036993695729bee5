"""Cells of exported tables that no spreadsheet program takes for a formula (OWASP ASVS 5.0, 1.2.10)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_MOVING = ("\t", "\r", "\n")  # some programs take these for the start of another cell
# What a program or a file format may leave out, so that what follows comes first.
_UNSEEN = "".join(map(chr, range(32))) + " \x7f\x85\xa0\u200b\u200c\u200d\u2060\ufeff"


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
    is_formula = text.startswith(_MOVING) or text.lstrip(_UNSEEN).startswith(_STARTS)
    return f"'{text}" if is_formula else text
