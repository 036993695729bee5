"""Pesapal's words in the words of the contract. No HTTP, no clock: tables and functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from moneyed import Money

from majuu_core.common.money import CURRENCY_CODES
from majuu_core.common.redaction import redact
from majuu_core.providers import Failure, FailureCode, Result, ResultStatus, WebhookRejected
from majuu_pesapal.client import error_of

INVALID, COMPLETED, FAILED, REVERSED = 0, 1, 2, 3
_NOT_YET = "payment_details_not_found"  # the customer has not paid, or is still at it
_REASONS = (
    ("insufficient", FailureCode.INSUFFICIENT_FUNDS),
    ("cancel", FailureCode.CUSTOMER_CANCELED),
    ("expired", FailureCode.EXPIRED),
    ("limit", FailureCode.LIMIT_EXCEEDED),
    ("authenticat", FailureCode.AUTHENTICATION_FAILED),
)


def payment_result(tracking_id: str, body: Mapping[str, Any]) -> Result:
    """What a transaction's status says about the payment. A reversed one was paid: giving back is the refund's."""
    status, code = body.get("status_code"), error_of(body)[0]
    if code == _NOT_YET or (not code and status == INVALID):
        return Result(status=ResultStatus.PENDING, provider_reference=tracking_id, raw=_kept(body))
    if code or status not in (COMPLETED, FAILED, REVERSED):
        return Result(status=ResultStatus.UNKNOWN)
    failure = _failure(body) if status == FAILED else None
    return Result(
        status=ResultStatus.FAILED if failure else ResultStatus.SUCCEEDED,
        provider_reference=tracking_id,
        receipt=str(body.get("confirmation_code") or "") or None,
        amount=read_money(body),
        failure=failure,
        payer=str(body.get("payment_account") or "") or None,
        occurred_at=_read_time(body.get("created_date")),
        raw=_kept(body),
    )


def refund_result(reference: str, body: Mapping[str, Any]) -> Result:
    """What the same status says about the one refund that a payment can have."""
    status = ResultStatus.UNKNOWN
    if not error_of(body)[0] and body.get("status_code") == REVERSED:
        status = ResultStatus.SUCCEEDED
    elif not error_of(body)[0] and body.get("status_code") == COMPLETED:
        status = ResultStatus.PENDING
    amount = read_money(body) if status is ResultStatus.SUCCEEDED else None
    return Result(status=status, provider_reference=reference, amount=amount, raw=_kept(body))


def read_money(body: Mapping[str, Any]) -> Money | None:
    """The amount as the provider reports it; None when there is none that can be read."""
    currency = str(body.get("currency") or "")
    try:
        amount = Decimal(str(body.get("amount")))
    except InvalidOperation:
        return None
    return Money(amount, currency) if currency in CURRENCY_CODES and amount.is_finite() else None


def read_notification(body: bytes) -> tuple[str, str]:
    """Tracking id and our reference in an instant payment notification. Raises WebhookRejected."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise WebhookRejected("the notification is not JSON") from problem
    if not isinstance(found, dict) or found.get("OrderNotificationType") != "IPNCHANGE":
        raise WebhookRejected("this is no IPNCHANGE")
    tracking_id, reference = found.get("OrderTrackingId"), found.get("OrderMerchantReference")
    for text in (tracking_id, reference):
        if not isinstance(text, str) or not 0 < len(text) <= 80 or not text.isprintable():
            raise WebhookRejected("the notification lacks OrderTrackingId or OrderMerchantReference")
    return str(tracking_id), str(reference)


def _failure(body: Mapping[str, Any]) -> Failure:
    text = str(body.get("description") or body.get("message") or "The payment failed.")
    code = next((code for word, code in _REASONS if word in text.lower()), FailureCode.DECLINED)
    return Failure(code=code, provider_code=str(body.get("payment_status_description") or "Failed"), message=text)


def _read_time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _kept(body: Mapping[str, Any]) -> dict[str, Any]:
    """What people may read later: plain JSON, amounts as text."""
    cleaned: dict[str, Any] = redact(json.loads(json.dumps(dict(body), default=str)))
    return cleaned
