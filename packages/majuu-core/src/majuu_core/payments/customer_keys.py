"""How a customer's address and number are kept beside the spelling the shop gave, so that they can be compared."""

from __future__ import annotations

from majuu_core.common.phone_numbers import read_phone

# Whose number it is that begins with 0. Other currencies are at home in many countries, or it is too easy to be wrong:
# 0712345678 is one person in Kenya and another in Tanzania.
_COUNTRIES = {"KES": "KE", "UGX": "UG", "TZS": "TZ", "RWF": "RW"}
_SHORTEST_WITH_COUNTRY = 10


def email_key(address: str) -> str:
    """The address in lower case, without blanks around it."""
    return address.strip().lower()


def phone_key(number: str, currency: str) -> str:
    """The digits with the country code (``254712345678``); "" when there is no telling whose number it is.

    A number without country code is read as one of the country the currency is of.
    """
    digits = "".join(character for character in number if character.isascii() and character.isdecimal())
    if not digits:
        return ""
    if number.strip().startswith("+") or digits.startswith("00"):
        return read_phone(f"+{digits.removeprefix('00')}", "").removeprefix("+")
    whole = "" if digits.startswith("0") or len(digits) < _SHORTEST_WITH_COUNTRY else read_phone(f"+{digits}", "")
    country = _COUNTRIES.get(currency, "")
    found = whole or (read_phone(digits, country) if country else "")
    return found.removeprefix("+")
