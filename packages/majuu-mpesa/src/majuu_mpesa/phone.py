"""Kenyan phone numbers, in the one form that M-Pesa takes: 254 and nine digits.

A prefix never proves the network (numbers are ported), so none is refused for its prefix.
"""

from __future__ import annotations

import re

_MAX_LENGTH = 40
_LOCAL_LENGTH = 9
_SEPARATORS = re.compile(r"[ \t\u00a0()\[\]-]+")
_KENYAN = re.compile(r"(?:\+254|00254|254|0)?([17][0-9]{8})")
_FOREIGN = re.compile(r"(?:\+|00)(?!254)[1-9][0-9]+")


class PhoneError(ValueError):
    """A number that M-Pesa cannot be asked to charge. ``code`` is stable; the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def normalise_phone(text: str) -> str:
    """The number as ``254XXXXXXXXX``.

    Accepts 07…, 01…, 7…, 1…, 254…, +254… and 00254…, with spaces, dashes and brackets. Raises PhoneError with code
    ``phone_missing``, ``phone_foreign``, ``phone_length`` or ``phone_invalid``.
    """
    digits = _SEPARATORS.sub("", text)
    if not digits:
        raise PhoneError("phone_missing", "Enter the M-Pesa phone number that pays, such as 0712 345 678.")
    if len(text) > _MAX_LENGTH:
        raise PhoneError("phone_length", "The phone number is too long. Enter it as 0712 345 678.")
    if match := _KENYAN.fullmatch(digits):
        return f"254{match.group(1)}"
    raise _refusal(digits)


def mask_phone(phone: str) -> str:
    """The number with its middle hidden, as on Safaricom's own receipts: ``2547 ***** 149``."""
    return f"{phone[:4]} ***** {phone[-3:]}" if len(phone) > 7 else "*****"


def _refusal(digits: str) -> PhoneError:
    if not digits.isascii():
        return PhoneError("phone_invalid", "Write the phone number with the digits 0 to 9 only, such as 0712 345 678.")
    if _FOREIGN.fullmatch(digits):
        return PhoneError(
            "phone_foreign", "This is not a Kenyan number. M-Pesa in Kenya needs one that starts with +254."
        )
    if digits.startswith(("2540", "+2540", "002540")):
        return PhoneError("phone_invalid", "Leave out the 0 after 254: write 254712345678 or 0712345678.")
    if digits.removeprefix("+").isdigit():
        return _wrong_digits(digits.removeprefix("+"))
    return PhoneError("phone_invalid", "This is not a phone number. Enter it as 0712 345 678.")


def _wrong_digits(digits: str) -> PhoneError:
    local = digits.removeprefix("00").removeprefix("254").removeprefix("0")
    if len(local) != _LOCAL_LENGTH:
        return PhoneError(
            "phone_length", f"A Kenyan mobile number has {_LOCAL_LENGTH} digits after +254. Check this one."
        )
    return PhoneError("phone_invalid", "Write a Kenyan mobile number as 0712 345 678 or +254 712 345 678.")
