"""Reading payments for the rooms above."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from majuu_core.payments.models import Charge, PaymentIntent


def intent_for_link(token: str) -> PaymentIntent | None:
    """The intent a payment link opens, with its store; None when the link opens nothing."""
    return PaymentIntent.objects.select_related("store").filter(link_token=token).first() if token else None


def charges_of(intent: PaymentIntent) -> list[Charge]:
    """All attempts to pay the intent, oldest first, with their provider accounts."""
    return list(intent.charges.select_related("provider_account").order_by("pk"))


def charges_told_of(charge_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Which of the charges an event of the provider told of. Events themselves belong to a room above this one."""
    told = Charge.objects.filter(pk__in=charge_ids, inbound__isnull=False).exclude(inbound__state="rejected")
    return set(told.order_by().values_list("pk", flat=True))
