"""The only place of this room that locks rows.

Order, everywhere: the charge, its intent, the incoming payment, the claim.
A transaction calls one of these once, as late as it can and before it
looks at what it is about to change. Stores and accounts are never locked: payments of one store must not queue.

On PostgreSQL there is a shorter way: read without a lock, decide, and write only if both rows still are what was read,
all in one statement. Who was overtaken starts again, with locks.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import connection, models

from majuu_core.database.compiled import RowByKey, row_version
from majuu_core.payments.models import Charge, Claim, IncomingPayment, PaymentIntent


def _charges() -> models.QuerySet[Charge]:
    return Charge.objects.select_related("payment_intent__store", "provider_account")


_CHARGE = RowByKey(_charges)
_VERSIONED_CHARGE = RowByKey(
    lambda: _charges().annotate(charge_version=row_version(Charge), intent_version=row_version(PaymentIntent))
)
_LOCKED_CHARGE = RowByKey(lambda: _charges().select_for_update(of=("self", "payment_intent")))
_LOCKED_INTENT = RowByKey(lambda: PaymentIntent.objects.select_related("store").select_for_update(of=("self",)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A charge with its intent, store and account as just read, not locked, and which versions of both rows these are.

    For one decision only: once it was acted on, the instances may differ from the rows.
    """

    charge: Charge
    charge_version: str | None = None
    intent_version: str | None = None

    @property
    def is_versioned(self) -> bool:
        """Whether something can be written on the strength of it: not inside a transaction, nor without versions."""
        return self.charge_version is not None and not connection.in_atomic_block


def look_at_charge(charge_id: uuid.UUID) -> Seen | None:
    """The charge as it is now; None when there is none."""
    charge = (_VERSIONED_CHARGE if connection.vendor == "postgresql" else _CHARGE).get(charge_id)
    if charge is None:
        return None
    return Seen(charge, getattr(charge, "charge_version", None), getattr(charge, "intent_version", None))


def lock_charge(charge_id: uuid.UUID) -> Charge:
    """The charge with its intent and store, charge and intent locked. Raises Charge.DoesNotExist."""
    if _locks_named_tables():
        found = _LOCKED_CHARGE.get(charge_id)
        if found is None:
            raise Charge.DoesNotExist
        return found
    charge = Charge.objects.select_for_update().get(pk=charge_id)
    charge.payment_intent = lock_intent(charge.payment_intent_id)
    return charge


def lock_intent(intent_id: uuid.UUID) -> PaymentIntent:
    """The intent with its store, the intent locked. Raises PaymentIntent.DoesNotExist."""
    if _locks_named_tables():
        found = _LOCKED_INTENT.get(intent_id)
        if found is None:
            raise PaymentIntent.DoesNotExist
        return found
    return PaymentIntent.objects.select_for_update().get(pk=intent_id)


def lock_incoming(incoming_id: uuid.UUID) -> IncomingPayment:
    """The incoming payment, locked, after charges and intents if the transaction locks any.

    No joins: its store may be another one once the lock is held, and a join would then find no row at all. Raises
    IncomingPayment.DoesNotExist.
    """
    return IncomingPayment.objects.select_for_update().get(pk=incoming_id)


def lock_claim(claim_id: uuid.UUID) -> Claim:
    """The claim, locked: the last of all. Raises Claim.DoesNotExist."""
    return Claim.objects.select_for_update().get(pk=claim_id)


def _locks_named_tables() -> bool:
    """PostgreSQL locks the tables that are named; MariaDB would lock the store as well, and SQLite locks everything."""
    return bool(connection.features.has_select_for_update_of)
