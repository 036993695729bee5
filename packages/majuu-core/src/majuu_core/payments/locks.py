"""The only place of this room that locks rows.

Order, everywhere: the charge, then its intent. A transaction calls one of these once, as late as it can and before it
looks at what it is about to change. Stores and accounts are never locked: payments of one store must not queue.
"""

from __future__ import annotations

import uuid

from django.db import connection

from majuu_core.payments.models import Charge, PaymentIntent


def lock_charge(charge_id: uuid.UUID) -> Charge:
    """The charge with its intent and store, charge and intent locked. Raises Charge.DoesNotExist."""
    if _locks_named_tables():
        return (
            Charge.objects.select_related("payment_intent__store", "provider_account")
            .select_for_update(of=("self", "payment_intent"))
            .get(pk=charge_id)
        )
    charge = Charge.objects.select_for_update().get(pk=charge_id)
    charge.payment_intent = lock_intent(charge.payment_intent_id)
    return charge


def lock_intent(intent_id: uuid.UUID) -> PaymentIntent:
    """The intent with its store, the intent locked. Raises PaymentIntent.DoesNotExist."""
    if _locks_named_tables():
        return PaymentIntent.objects.select_related("store").select_for_update(of=("self",)).get(pk=intent_id)
    return PaymentIntent.objects.select_for_update().get(pk=intent_id)


def _locks_named_tables() -> bool:
    """PostgreSQL locks the tables that are named; MariaDB would lock the store as well, and SQLite locks everything."""
    return bool(connection.features.has_select_for_update_of)
