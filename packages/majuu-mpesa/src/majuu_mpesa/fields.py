"""Reads the fields of Daraja's bodies in every type they have been seen in."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

from majuu_core.common.money import Money
from majuu_core.providers import WebhookRejected
from majuu_mpesa.text import plain_text

MAX_BODY = 64 * 1024
CURRENCY = "KES"

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_SIGNED = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?")
_RECEIPT = re.compile(r"[A-Za-z0-9]{1,32}")
_ID = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")
_LARGEST_AMOUNT = 10**12
_MOMENT = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2}) ?([0-9]{2}):?([0-9]{2}):?([0-9]{2})")
_DOTTED = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object in a body, numbers with a point as Decimal. Raises WebhookRejected for anything else."""
    if len(body) > MAX_BODY:
        raise WebhookRejected(f"the body is longer than {MAX_BODY} bytes")
    try:
        payload = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError):  # arithmetic: an exponent that Decimal cannot hold
        raise WebhookRejected("the body is not JSON") from None
    if not isinstance(payload, dict):
        raise WebhookRejected("the body is not a JSON object")
    return payload


def read_amount(value: Any, name: str = "Amount") -> Money | None:
    """An amount above zero, exact; None for None. Raises WebhookRejected for what is there but cannot be money."""
    if value is None:
        return None
    if isinstance(value, str) and _AMOUNT.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise WebhookRejected(f"{name} is not a number")
    if not 0 < value < _LARGEST_AMOUNT:
        raise WebhookRejected(f"{name} is out of range")
    exact = Decimal(value)
    cents = exact.quantize(Decimal("0.01"))
    if cents != exact:
        raise WebhookRejected(f"{name} has more than two decimals")
    return Money(cents, CURRENCY)


def read_balance(value: str) -> Money | None:
    """What stands on an account, also below zero; None for a text that is no such number."""
    text = value.strip()
    if not _SIGNED.fullmatch(text):
        return None
    exact = Decimal(text)
    cents = exact.quantize(Decimal("0.01"))
    return Money(cents, CURRENCY) if cents == exact else None


def read_receipt(value: Any) -> str | None:
    """A receipt number, or None for what cannot be one."""
    text = plain_text(value, limit=40)
    return text if _RECEIPT.fullmatch(text) else None


def read_id(value: Any) -> str | None:
    """An id of Daraja's that can be stored and sent back, or None."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def read_moment(value: Any) -> datetime | None:
    """A time of Daraja's without a zone, which is East Africa Time: 20240706224852 or 06.07.2024 22:48:52."""
    text = plain_text(value, limit=30)
    if match := _MOMENT.fullmatch(text):
        return _moment("".join(match.groups()))
    if match := _DOTTED.fullmatch(text):
        day, month, year, *rest = match.groups()
        return _moment(f"{year}{month}{day}{''.join(rest)}")
    return None


def _moment(digits: str) -> datetime | None:
    try:
        return datetime.strptime(digits + "+0300", "%Y%m%d%H%M%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
