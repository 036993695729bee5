"""Reads the callback of M-Pesa Express in every shape it has been seen in.

Nothing in a callback proves who sent it, so nothing here is believed: core asks Daraja before it applies anything.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

from majuu_core.common import clock
from majuu_core.common.money import Money, format_amount
from majuu_core.providers import ProviderEvent, Result, ResultStatus, WebhookRejected, WebhookRequest
from majuu_mpesa.codes import code_text
from majuu_mpesa.mapping import checkout_request_id, settled
from majuu_mpesa.text import plain_text, safe_raw

MAX_BODY = 64 * 1024
CURRENCY = "KES"

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_RECEIPT = re.compile(r"[A-Za-z0-9]{1,32}")
_LARGEST_AMOUNT = 10**12
_MOMENT = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2}) ?([0-9]{2}):?([0-9]{2}):?([0-9]{2})")
_PAYER_LENGTH = 100  # a masked or hashed number is longer than a plain one


@dataclass(frozen=True, slots=True, kw_only=True)
class StkCallback:
    """A callback's content in one type each."""

    checkout_id: str
    code: str
    description: str
    amount: Money | None
    receipt: str | None
    payer: str | None
    occurred_at: datetime | None
    raw: dict[str, Any]

    @property
    def event_id(self) -> str:
        """The same for a repeated delivery; another one as soon as the outcome, receipt or amount differs."""
        amount = format_amount(self.amount) if self.amount else ""
        return f"stk:{self.checkout_id}:{self.code}:{self.receipt or ''}:{amount}"

    def result(self) -> Result:
        """What the callback claims, in the words of the contract."""
        result = settled(
            self.code,
            checkout_id=self.checkout_id,
            description=self.description,
            raw=self.raw,
            occurred_at=self.occurred_at,
        )
        if result.status is not ResultStatus.SUCCEEDED:
            return result
        return replace(result, amount=self.amount, receipt=self.receipt, payer=self.payer)


def read_event(request: WebhookRequest) -> ProviderEvent:
    """The one event in a callback. Raises WebhookRejected, with the reason, for anything else."""
    callback = read_callback(request.body)
    return ProviderEvent(
        event_id=callback.event_id,
        type="payment.updated",
        reference=request.reference,
        provider_reference=callback.checkout_id,
        result=callback.result(),
        occurred_at=callback.occurred_at or clock.now(),
    )


def read_callback(body: bytes) -> StkCallback:
    """Parse a body. Raises WebhookRejected for one that is too long, not JSON or not an M-Pesa Express callback."""
    payload = _json(body)
    callback = _stk_callback(payload)
    checkout_id = checkout_request_id(callback.get("CheckoutRequestID"))
    if checkout_id is None:
        raise WebhookRejected("CheckoutRequestID is missing or unreadable")
    code = code_text(callback.get("ResultCode"))
    if code is None:
        raise WebhookRejected("ResultCode is missing or unreadable")
    items = _items(callback.get("CallbackMetadata"))
    return StkCallback(
        checkout_id=checkout_id,
        code=code,
        description=plain_text(callback.get("ResultDesc"), limit=200),
        amount=_amount(items.get("Amount")),
        receipt=_receipt(items.get("MpesaReceiptNumber")),
        payer=plain_text(items.get("PhoneNumber"), limit=_PAYER_LENGTH) or None,
        occurred_at=_moment(items.get("TransactionDate")),
        raw=safe_raw(payload),
    )


def _json(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise WebhookRejected(f"the body is longer than {MAX_BODY} bytes")
    try:
        payload = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError):  # arithmetic: an exponent that Decimal cannot hold
        raise WebhookRejected("the body is not JSON") from None
    if not isinstance(payload, dict):
        raise WebhookRejected("the body is not a JSON object")
    return payload


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _stk_callback(payload: dict[str, Any]) -> dict[str, Any]:
    outer = payload.get("Body")
    callback = outer.get("stkCallback") if isinstance(outer, dict) else None
    if isinstance(callback, dict):
        return callback
    if "TransID" in payload:
        raise WebhookRejected("this is a C2B notification, sent to the address of an M-Pesa Express payment")
    if "Result" in payload:
        raise WebhookRejected("this is a B2C, B2B or query result, sent to the address of an M-Pesa Express payment")
    raise WebhookRejected("this is not an M-Pesa Express callback: Body.stkCallback is missing")


def _items(metadata: Any) -> dict[str, Any]:
    """Name to value: a list or a single object, entries without a value left out, the first of a name kept."""
    entries = metadata.get("Item") if isinstance(metadata, dict) else None
    found: dict[str, Any] = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, dict) and isinstance(entry.get("Name"), str) and entry.get("Value") is not None:
            found.setdefault(entry["Name"], entry["Value"])
    return found


def _amount(value: Any) -> Money | None:
    """The amount, exact. Raises WebhookRejected for one that is there but cannot be money."""
    if value is None:
        return None
    if isinstance(value, str) and _AMOUNT.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise WebhookRejected("Amount is not a number")
    if not 0 < value < _LARGEST_AMOUNT:
        raise WebhookRejected("Amount is out of range")
    exact = Decimal(value)
    cents = exact.quantize(Decimal("0.01"))
    if cents != exact:
        raise WebhookRejected("Amount has more than two decimals")
    return Money(cents, CURRENCY)


def _receipt(value: Any) -> str | None:
    text = plain_text(value, limit=40)
    return text if _RECEIPT.fullmatch(text) else None


def _moment(value: Any) -> datetime | None:
    text = plain_text(value, limit=30)
    match = _MOMENT.fullmatch(text)
    try:
        # East Africa Time, as all times of Daraja without a zone.
        return datetime.strptime("".join(match.groups()) + "+0300", "%Y%m%d%H%M%S%z").astimezone(UTC) if match else None
    except (ValueError, OverflowError):
        return None
