"""Payments as the API and events show them: plain JSON values, amounts as decimal strings."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.common import ids
from majuu_core.common.money import format_amount
from majuu_core.payments.models import Charge, PaymentIntent, Refund
from majuu_core.providers import NextAction


def represent_time(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with a Z, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z" if moment else None


def represent_action(action: NextAction | None) -> dict[str, Any] | None:
    """What the customer has to do now."""
    if action is None:
        return None
    return {"type": action.type, "data": dict(action.data), "expires_at": represent_time(action.expires_at)}


def represent_intent(intent: PaymentIntent, *, payment_url: str) -> dict[str, Any]:
    """A payment intent. ``payment_url`` is the customer's page."""
    currency = intent.currency
    return {
        "id": intent.public_id,
        "object": "payment_intent",
        "livemode": intent.livemode,
        "amount": format_amount(intent.amount),
        "amount_received": format_amount(intent.amount_received),
        "amount_remaining": format_amount(remaining_amount(intent)),
        "amount_capturable": format_amount(Money(intent.amount_capturable, currency)),
        "surplus": format_amount(intent.surplus),
        "amount_refunded": format_amount(Money(intent.amount_refunded, currency)),
        "refund_status": refund_status_of_intent(intent),
        "disputed": intent.is_disputed,
        "currency": currency,
        "status": intent.status,
        "capture_method": intent.capture_method,
        "payment_methods": intent.payment_methods,
        "reference": intent.reference,
        "description": intent.description,
        "customer_email": intent.customer_email,
        "customer_phone": intent.customer_phone,
        "metadata": intent.metadata,
        "return_url": intent.return_url,
        "payment_url": payment_url,
        "parked": intent.is_parked,
        "cancellation_reason": _cancellation_reason(intent),
        "expires_at": represent_time(intent.expires_at),
        "succeeded_at": represent_time(intent.succeeded_at),
        "canceled_at": represent_time(intent.canceled_at),
        "created_at": represent_time(intent.created_at),
    }


def _cancellation_reason(intent: PaymentIntent) -> str | None:
    """Known beforehand while an authorization is being voided; shown once the intent is canceled."""
    return intent.cancellation_reason if intent.status == PaymentIntent.Status.CANCELED else None


def represent_charge(charge: Charge, *, intent_id: str) -> dict[str, Any]:
    """One attempt to pay."""
    return {
        "id": charge.public_id,
        "object": "charge",
        "livemode": charge.livemode,
        "payment_intent": intent_id,
        "amount": format_amount(charge.amount),
        "amount_received": format_amount(charge.amount_received),
        "fee": format_amount(charge.fee),
        "amount_refunded": format_amount(Money(charge.amount_refunded, charge.currency)),
        "refund_status": refund_status(charge.amount_refunded, charge.amount_received.amount),
        "dispute_status": charge.dispute_status,
        "currency": charge.currency,
        "exchange": _represent_exchange(charge),
        "status": charge.status,
        "provider": charge.provider,
        "payment_method": charge.payment_method,
        "payer": charge.payer,
        "saved_method": ids.encode_id("pm", charge.saved_method_id) if charge.saved_method_id else None,
        "provider_reference": charge.provider_reference,
        "receipt": charge.receipt,
        "failure": _represent_failure(charge),
        "next_action": charge.next_action,
        "amount_to_capture": None if charge.amount_to_capture is None else format_amount(asked_amount(charge)),
        "capture_before": represent_time(charge.capture_before),
        "parked": charge.is_parked,
        "occurred_at": represent_time(charge.occurred_at),
        "created_at": represent_time(charge.created_at),
    }


def _represent_exchange(charge: Charge) -> dict[str, str] | None:
    """What the charge pays of its intent, in the intent's currency; None where the two are the same."""
    if charge.settles_amount is None or charge.fx_rate is None:
        return None
    currency = charge.payment_intent.amount.currency
    return {
        "amount": format_amount(Money(charge.settles_amount, currency)),
        "currency": currency.code,
        "rate": f"{charge.fx_rate.normalize():f}",
        "source": charge.fx_source,
    }


def represent_refund(refund: Refund) -> dict[str, Any]:
    """One return of money. Reads the refund's charge and its intent."""
    return {
        "id": refund.public_id,
        "object": "refund",
        "livemode": refund.livemode,
        "charge": refund.charge.public_id,
        "payment_intent": refund.charge.payment_intent.public_id,
        "amount": format_amount(refund.amount),
        "fee": format_amount(refund.fee),
        "currency": refund.currency,
        "status": refund.status,
        "source": refund.source,
        "reason": refund.reason,
        "method": refund.method,
        "method_reason": refund.method_reason,
        "books_as": refund.books_as,
        "destination": refund.destination,
        "metadata": refund.metadata,
        "provider_reference": refund.provider_reference,
        "receipt": refund.receipt,
        "failure": _represent_failure(refund),
        "parked": refund.is_parked,
        "occurred_at": represent_time(refund.occurred_at),
        "created_at": represent_time(refund.created_at),
    }


def refund_status(refunded: Decimal, received: Decimal) -> str:
    """How much of what came in has gone back: "none", "partially_refunded" or "refunded"."""
    if refunded <= 0:
        return "none"
    return "refunded" if refunded >= received else "partially_refunded"


def refund_status_of_intent(intent: PaymentIntent) -> str:
    """As refund_status, for what was applied. Late or wrong money that went back paid for nothing: it does not count,
    unless there was no other."""
    applied = intent.amount_received.amount + intent.surplus.amount
    refunded = intent.amount_refunded - intent.refunded_unapplied if applied else intent.amount_refunded
    return refund_status(refunded, applied)


def asked_amount(charge: Charge) -> Money:
    """What the charge should bring: what was asked to be captured, once that was asked, else all of it."""
    amount: Money = charge.amount
    return amount if charge.amount_to_capture is None else Money(charge.amount_to_capture, amount.currency)


def remaining_amount(intent: PaymentIntent) -> Money:
    """What is still owed; never below zero. A capture of less than was authorized leaves nothing owed."""
    if intent.status == PaymentIntent.Status.SUCCEEDED:
        return Money(0, intent.amount.currency)
    owed = intent.amount.amount - intent.amount_received.amount
    return Money(max(owed, Decimal(0)), intent.amount.currency)


def _represent_failure(row: Charge | Refund) -> dict[str, str] | None:
    if not row.failure_code:
        return None
    return {
        "code": row.failure_code,
        "provider_code": row.provider_failure_code,
        "message": row.failure_message,
    }
