"""Reading payments for the customer's page."""

from __future__ import annotations

from majuu_core.payments.models import Charge, PaymentIntent


def intent_for_link(token: str) -> PaymentIntent | None:
    """The intent a payment link opens, with its store; None when the link opens nothing."""
    return PaymentIntent.objects.select_related("store").filter(link_token=token).first() if token else None


def charges_of(intent: PaymentIntent) -> list[Charge]:
    """All attempts to pay the intent, oldest first, with their provider accounts."""
    return list(intent.charges.select_related("provider_account").order_by("pk"))
