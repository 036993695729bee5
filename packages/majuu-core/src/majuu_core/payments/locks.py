"""The only place of this room that locks rows.

Order, everywhere: the charge, then its intent. A transaction calls one of these once, as late as it can and before it
looks at what it is about to change.
"""

from __future__ import annotations

import uuid

from majuu_core.payments.models import Charge, PaymentIntent


def lock_charge(charge_id: uuid.UUID) -> Charge:
    """The charge with its intent and store, charge and intent locked. Raises Charge.DoesNotExist."""
    return (
        Charge.objects.select_related("payment_intent__store", "provider_account")
        .select_for_update(of=("self", "payment_intent"))
        .get(pk=charge_id)
    )


def lock_intent(intent_id: uuid.UUID) -> PaymentIntent:
    """The intent with its store, the intent locked. Raises PaymentIntent.DoesNotExist."""
    return PaymentIntent.objects.select_related("store").select_for_update(of=("self",)).get(pk=intent_id)
