"""Reads the callback of M-Pesa Express in every shape it has been seen in.

Nothing in a callback proves who sent it, so nothing here is believed: core asks Daraja before it applies anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from majuu_core.common import clock
from majuu_core.common.money import Money, format_amount
from majuu_core.providers import ProviderEvent, Result, ResultStatus, WebhookRejected, WebhookRequest
from majuu_mpesa.codes import code_text
from majuu_mpesa.fields import read_amount, read_moment, read_receipt
from majuu_mpesa.mapping import checkout_request_id, settled
from majuu_mpesa.text import plain_text, safe_raw

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


def read_event(request: WebhookRequest, payload: dict[str, Any]) -> ProviderEvent:
    """The one event in a callback. Raises WebhookRejected, with the reason, for anything else."""
    callback = read_callback(payload)
    return ProviderEvent(
        event_id=callback.event_id,
        type="payment.updated",
        reference=request.reference,
        provider_reference=callback.checkout_id,
        result=callback.result(),
        occurred_at=callback.occurred_at or clock.now(),
    )


def read_callback(payload: dict[str, Any]) -> StkCallback:
    """Parse a body. Raises WebhookRejected for one that is not an M-Pesa Express callback."""
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
        amount=read_amount(items.get("Amount")),
        receipt=read_receipt(items.get("MpesaReceiptNumber")),
        payer=plain_text(items.get("PhoneNumber"), limit=_PAYER_LENGTH) or None,
        occurred_at=read_moment(items.get("TransactionDate")),
        raw=safe_raw(payload),
    )


def _stk_callback(payload: dict[str, Any]) -> dict[str, Any]:
    outer = payload.get("Body")
    callback = outer.get("stkCallback") if isinstance(outer, dict) else None
    if isinstance(callback, dict):
        return callback
    raise WebhookRejected("this is not an M-Pesa Express callback: Body.stkCallback is missing")


def _items(metadata: Any) -> dict[str, Any]:
    """Name to value: a list or a single object, entries without a value left out, the first of a name kept."""
    entries = metadata.get("Item") if isinstance(metadata, dict) else None
    found: dict[str, Any] = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, dict) and isinstance(entry.get("Name"), str) and entry.get("Value") is not None:
            found.setdefault(entry["Name"], entry["Value"])
    return found
