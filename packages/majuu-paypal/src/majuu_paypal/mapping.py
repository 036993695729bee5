"""Writes PayPal's orders and reads what it says about them, their captures and authorizations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from majuu_core.common.money import Money
from majuu_core.common.redaction import redact_text
from majuu_core.providers import NextAction, PaymentRequest, Result, ResultStatus
from majuu_paypal import failures
from majuu_paypal.currencies import read_money, write_money
from majuu_paypal.fields import inside, link, moment, rows, shown, text

CAPTURE, AUTHORIZE = "CAPTURE", "AUTHORIZE"
# How long PayPal keeps an order that nobody approved.
APPROVAL_TIME = timedelta(hours=3)
_LONGEST = 127
_ODD = re.compile(r"[^A-Za-z0-9-]+")
_TAKEN = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
_S = ResultStatus


def order_body(request: PaymentRequest, *, intent: str, brand: str) -> dict[str, Any]:
    """The order for a payment. The customer comes back to ``return_url`` after approving it."""
    unit: dict[str, Any] = {
        "amount": write_money(request.amount),
        "custom_id": request.reference,
        "invoice_id": invoice_id(request.merchant_reference, request.reference),
    }
    if request.description.strip():
        unit["description"] = request.description.strip()[:_LONGEST]
    experience = {
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
        "return_url": request.return_url,
        "cancel_url": request.cancel_url or request.return_url,
    }
    if brand:
        experience["brand_name"] = brand
    wallet: dict[str, Any] = {"experience_context": experience}
    if request.customer_email:
        wallet["email_address"] = request.customer_email
    return {"intent": intent, "purchase_units": [unit], "payment_source": {"paypal": wallet}}


def invoice_id(merchant_reference: str, reference: str) -> str:
    """The shop's number, made unique by ours: PayPal refuses a second payment for the same invoice."""
    number = _ODD.sub("-", merchant_reference).strip("-")[: _LONGEST - len(reference) - 1]
    ours = reference.replace("_", "-")
    return f"{number}-{ours}" if number else ours


def order_result(body: Mapping[str, Any]) -> Result:
    """What an order says about the payment: the money it took, holds, or waits for."""
    unit: Mapping[str, Any] = next(iter(rows(body, "purchase_units")), {})
    captures = rows(unit, "payments", "captures")
    authorizations = rows(unit, "payments", "authorizations")
    details: dict[str, Any] = {"payer": payer(body), "raw": shown(body)}
    order_id = text(body, "id") or None
    taken = [capture for capture in captures if text(capture, "status") not in {"DECLINED", "FAILED"}]
    if taken or (captures and not authorizations):
        return captured_result((taken or captures)[-1], order_id=order_id, **details)
    if authorizations:
        return authorization_result(authorizations[-1], order_id=order_id, **details)
    return _unpaid_result(body, read_money(inside(unit, "amount")), order_id, details)


def captured_result(
    capture: Mapping[str, Any], *, order_id: str | None, payer: str | None = None, raw: Mapping[str, Any] | None = None
) -> Result:
    """What a capture says. A capture that was given back later is a payment that succeeded."""
    status = text(capture, "status")
    common: dict[str, Any] = {
        "provider_reference": order_id,
        "receipt": text(capture, "id") or None,
        "amount": read_money(inside(capture, "amount")),
        "payer": payer,
        "raw": shown(capture) if raw is None else raw,
    }
    if status in _TAKEN and common["amount"] is None:
        return Result(status=_S.UNKNOWN, **common)  # paid, and nobody can read how much: core would take it for all
    if status in _TAKEN:
        fee = read_money(inside(capture, "seller_receivable_breakdown", "paypal_fee"))
        return Result(status=_S.SUCCEEDED, fee=fee, occurred_at=_when(capture, "create_time"), **common)
    if status == "PENDING":
        return Result(status=_S.PENDING, **common)
    if status in {"DECLINED", "FAILED"}:
        why = text(capture, "processor_response", "response_code") or text(capture, "status_details", "reason")
        return Result(status=_S.FAILED, failure=failures.processor_failure(why, status), **common)
    return Result(status=_S.UNKNOWN, **common)


def authorization_result(
    authorization: Mapping[str, Any],
    *,
    order_id: str | None,
    payer: str | None = None,
    raw: Mapping[str, Any] | None = None,
) -> Result:
    """What an authorization without a capture says."""
    status = text(authorization, "status")
    common: dict[str, Any] = {
        "provider_reference": order_id,
        "amount": read_money(inside(authorization, "amount")),
        "payer": payer,
        "raw": shown(authorization) if raw is None else raw,
    }
    if status == "CREATED":
        until = moment(authorization, "expiration_time")
        at = _when(authorization, "create_time")
        return Result(status=_S.AUTHORIZED, capture_before=until, occurred_at=at, **common)
    if status == "PENDING":
        return Result(status=_S.PENDING, **common)
    if status == "DENIED":
        why = text(authorization, "processor_response", "response_code")
        return Result(status=_S.FAILED, failure=failures.processor_failure(why, status), **common)
    if status == "VOIDED":  # by us, or by PayPal when it expired
        return Result(status=_S.CANCELED, **common)
    return Result(status=_S.UNKNOWN, **common)


def redirect(url: str, created: datetime | None) -> NextAction:
    """Send the customer to PayPal."""
    expires_at = created + APPROVAL_TIME if created else None
    return NextAction(type="redirect", data={"url": url}, expires_at=expires_at)


def payer(body: Mapping[str, Any]) -> str | None:
    """Who paid, by e-mail address or PayPal's id of them."""
    found = (
        text(body, "payment_source", "paypal", "email_address")
        or text(body, "payer", "email_address")
        or text(body, "payer", "payer_id")
    )
    return found or None


def approval_link(body: Any) -> str:
    """Where the customer approves an order; "" unless it is a web address."""
    found = link(body, "payer-action", "approve", "redirect")
    return found if found.startswith(("https://", "http://127.0.0.1", "http://localhost")) else ""


def _unpaid_result(
    body: Mapping[str, Any], amount: Money | None, order_id: str | None, details: Mapping[str, Any]
) -> Result:
    common: dict[str, Any] = {"provider_reference": order_id, "amount": amount, **details}
    status = text(body, "status")
    if status == "APPROVED":
        return Result(status=_S.PENDING, needs_completion=True, **common)
    url = approval_link(body)
    if status in {"CREATED", "SAVED", "PAYER_ACTION_REQUIRED"} and url:
        action = redirect(url, moment(body, "create_time"))
        return Result(status=_S.REQUIRES_ACTION, next_action=action, **common)
    if status == "VOIDED":
        return Result(status=_S.CANCELED, **common)
    return Result(status=_S.UNKNOWN, **common)


def _when(body: Mapping[str, Any], name: str) -> datetime | None:
    return moment(body, name) or moment(body, "update_time")


def note(reason: str, limit: int) -> str:
    """A reason as it may stand on a customer's statement: one line, no longer than PayPal takes."""
    return " ".join(redact_text(reason).split())[:limit]


def last(items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The newest of an order's authorizations or captures; {} without one."""
    return items[-1] if items else {}
