"""What a signed-in person may know about the payments they made, in whatever store: nothing that is the store's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet
from moneyed import Money

from majuu_core.common.money import format_amount
from majuu_core.payments.customer_keys import email_key
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.representation import refund_status_of_intent, represent_time


def payments_of(*, emails: Collection[str], phone: str) -> QuerySet[PaymentIntent]:
    """The live payments that stores made out to any of these addresses, or to this number (E.164, or "").

    Whoever asks must have shown that all of them are theirs.
    """
    keys = {email_key(address) for address in emails} - {""}
    number = phone.removeprefix("+")
    if not keys and not number:
        return PaymentIntent.objects.none()
    wanted = Q(customer_email_key__in=keys) if keys else Q()
    if number:
        wanted |= Q(customer_phone_key=number)
    rows = PaymentIntent.objects.filter(wanted, livemode=True)
    return rows.select_related("store").prefetch_related("charges")


def represent_own_payment(intent: PaymentIntent) -> dict[str, Any]:
    """A payment as its customer sees it. Reads the intent's store and charges."""
    charges = sorted(intent.charges.all(), key=lambda charge: charge.pk)
    return {
        "object": "user_payment",
        "id": intent.public_id,
        "store": intent.store.name,
        "amount": format_amount(intent.amount),
        "amount_paid": format_amount(intent.amount_received + intent.surplus),
        "amount_refunded": format_amount(Money(intent.amount_refunded, intent.currency)),
        "currency": intent.currency,
        "status": intent.status,
        "refund_status": refund_status_of_intent(intent),
        "payment_method": charges[-1].payment_method if charges else None,
        "receipts": [_represent_receipt(charge) for charge in charges if charge.amount_received.amount],
        "created_at": represent_time(intent.created_at),
        "paid_at": represent_time(intent.succeeded_at),
    }


def _represent_receipt(charge: Charge) -> dict[str, Any]:
    """One sum that arrived; in another currency than the payment where the provider takes another."""
    return {
        "receipt": charge.receipt,
        "payment_method": charge.payment_method,
        "amount": format_amount(charge.amount_received),
        "currency": charge.currency,
        "paid_at": represent_time(charge.occurred_at or charge.created_at),
    }
