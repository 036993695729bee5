"""Telephone numbers as people write them, read into the one form in which they can be compared."""

from __future__ import annotations

import phonenumbers


def read_phone(text: str, country: str) -> str:
    """The number as ``+254712345678`` (E.164); "" when it is none.

    Without "+" it is read as one of ``country`` (ISO 3166-1, such as KE); with country "" only "+" says whose it is.
    """
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
