"""Daraja's codes for M-Pesa Express, and what each means in the words of the contract.

Codes are text: some are not numbers, and the same code arrives as a number in one place and as text in another.
Only codes listed here ever settle a payment as failed; any other leaves it open.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from majuu_core.providers import FailureCode

SUCCESS = "0"
STILL_PROCESSING = "4999"  # answer of a query only
BAD_REQUEST = "400.002.02"  # the refused field stands in the message only
OVERLOADED = "500.001.1001"  # at least six different things: its message decides

STK_FAILURES: dict[str, FailureCode] = {
    "1": FailureCode.INSUFFICIENT_FUNDS,
    "2": FailureCode.LIMIT_EXCEEDED,
    "3": FailureCode.LIMIT_EXCEEDED,
    "4": FailureCode.LIMIT_EXCEEDED,
    "5": FailureCode.INSUFFICIENT_FUNDS,
    "6": FailureCode.INVALID_PAYMENT_METHOD,
    "7": FailureCode.PROCESSING_ERROR,
    "8": FailureCode.LIMIT_EXCEEDED,
    "17": FailureCode.DECLINED,
    "26": FailureCode.PROCESSING_ERROR,
    "1001": FailureCode.PROCESSING_ERROR,
    "1019": FailureCode.EXPIRED,
    "1025": FailureCode.PROCESSING_ERROR,
    "1031": FailureCode.EXPIRED,
    "1032": FailureCode.CUSTOMER_CANCELED,
    "1037": FailureCode.EXPIRED,
    "2001": FailureCode.AUTHENTICATION_FAILED,
    "2028": FailureCode.PROCESSING_ERROR,
    "8006": FailureCode.AUTHENTICATION_FAILED,
    "9999": FailureCode.PROCESSING_ERROR,
    "E3008": FailureCode.INVALID_PAYMENT_METHOD,
    "SFC_IC0003": FailureCode.PROCESSING_ERROR,
}

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_LARGEST_NUMBER = 10**12


def code_text(value: Any) -> str | None:
    """A code as text, whatever type it came in; None for anything that is no code (null, true, NaN, an object)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        whole = value.is_finite() and abs(value) < _LARGEST_NUMBER and value == value.to_integral_value()
        return str(int(value)) if whole else None
    if isinstance(value, int):
        return str(value) if abs(value) < _LARGEST_NUMBER else None
    if isinstance(value, str) and _CODE.fullmatch(value.strip()):
        return value.strip()
    return None
