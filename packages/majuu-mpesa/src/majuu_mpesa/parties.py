"""Who paid and who was paid, as Daraja writes them: "254708374149 - JOHN DOE", a number, its hash, or a mask."""

from __future__ import annotations

import re
from typing import Any, TypedDict

from majuu_mpesa.text import plain_text

_PHONE = re.compile(r"254[17][0-9]{8}")
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_LENGTH = 100  # a hash with a hole in it has 71 characters


class PayerFields(TypedDict, total=False):
    """What a notice says of a payer's number, one of the three."""

    payer_phone: str
    payer_phone_hash: str
    payer_phone_masked: str


def payer_fields(value: Any) -> PayerFields:
    """The fields of IncomingMoney for a payer's number: plain, as SHA-256, or with some of it hidden."""
    text = plain_text(value, limit=_LENGTH)
    if _PHONE.fullmatch(text):
        return {"payer_phone": text}
    if _HASH.fullmatch(text):
        return {"payer_phone_hash": text.lower()}
    return {"payer_phone_masked": text} if text else {}


def split_party(value: Any) -> tuple[str, str]:
    """Number and name of a party; what has no number is all name."""
    text = plain_text(value, limit=200)
    number, dash, name = text.partition(" - ")
    if dash:
        return number.strip(), name.strip()
    return (text, "") if re.fullmatch(r"[0-9*]+", text) else ("", text)
