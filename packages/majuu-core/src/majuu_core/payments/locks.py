"""The only place of this room that locks rows.

Order, everywhere: the charge, then its intent, then an incoming payment and its claim, then a refund, dispute or
payout; an account of the books comes last. A transaction calls one of these once, as late as it can and before it
looks at what it is about to change. Stores and provider accounts are never locked: payments of one store must not
queue.

On PostgreSQL there is a shorter way: read without a lock, decide, and write only if both rows still are what was read,
all in one statement. Who was overtaken starts again, with locks.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from majuu_core.database.compiled import RowByKey, row_version
from majuu_core.payments.models import Charge, Claim, Dispute, IncomingPayment, PaymentIntent, Payout, Refund


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


def lock_charges(charge_ids: Sequence[uuid.UUID]) -> list[Charge]:
    """Charges of one intent, all locked, then the intent they share. In the order of the ids given."""
    rows = {row.pk: row for row in Charge.objects.select_for_update().filter(pk__in=charge_ids).order_by("pk")}
    charges = [rows[key] for key in charge_ids]
    intent = lock_intent(charges[0].payment_intent_id)
    for charge in charges:
        charge.payment_intent = intent
    return charges


def lock_intent(intent_id: uuid.UUID) -> PaymentIntent:
    """The intent with its store, the intent locked. Raises PaymentIntent.DoesNotExist."""
    if _locks_named_tables():
        found = _LOCKED_INTENT.get(intent_id)
        if found is None:
            raise PaymentIntent.DoesNotExist
        return found
    return PaymentIntent.objects.select_for_update().get(pk=intent_id)


def lock_payout(payout_id: uuid.UUID) -> Payout:
    """The payout with its store and account, the payout locked. Raises Payout.DoesNotExist."""
    if _locks_named_tables():
        related = Payout.objects.select_related("store", "provider_account")
        return related.select_for_update(of=("self",)).get(pk=payout_id)
    return Payout.objects.select_for_update().get(pk=payout_id)


def lock_waiting_payouts(batch_id: uuid.UUID, limit: int) -> list[Payout]:
    """Up to so many payouts of a batch that wait for a second person, with their store, locked in the order of keys."""
    waiting = Payout.objects.filter(batch_id=batch_id, status=Payout.Status.REQUIRES_APPROVAL).order_by("pk")
    if _locks_named_tables():
        return list(waiting.select_related("store").select_for_update(of=("self",))[:limit])
    return list(waiting.select_for_update().prefetch_related("store")[:limit])


def lock_refund(refund_id: uuid.UUID) -> Refund:
    """The refund with its charge, intent, store and account; the charge, the intent and the refund locked.

    The charge comes first: whoever wants to refund more of it waits there. Raises Refund.DoesNotExist.
    """
    charge = lock_charge(Refund.objects.values_list("charge_id", flat=True).get(pk=refund_id))
    rows = Refund.objects.select_for_update()
    if _locks_named_tables():
        rows = Refund.objects.select_related("store", "provider_account").select_for_update(of=("self",))
    refund = rows.get(pk=refund_id)
    refund.charge = charge
    return refund


def lock_dispute(dispute_id: uuid.UUID) -> Dispute:
    """The dispute with its charge, intent, store and account; the charge, the intent and the dispute locked.

    The charge comes first: whoever wants to refund it waits there. Raises Dispute.DoesNotExist.
    """
    charge = lock_charge(Dispute.objects.values_list("charge_id", flat=True).get(pk=dispute_id))
    dispute = Dispute.objects.select_for_update().get(pk=dispute_id)
    dispute.charge, dispute.store = charge, charge.payment_intent.store
    dispute.provider_account = charge.provider_account
    return dispute


def lock_incoming(incoming_id: uuid.UUID) -> IncomingPayment:
    """The incoming payment, locked, after charges and intents if the transaction locks any.

    No joins: its store may be another one once the lock is held, and a join would then find no row at all. Raises
    IncomingPayment.DoesNotExist.
    """
    return IncomingPayment.objects.select_for_update().get(pk=incoming_id)


def lock_claim(claim_id: uuid.UUID) -> Claim:
    """The claim, locked: the last of all. Raises Claim.DoesNotExist."""
    return Claim.objects.select_for_update().get(pk=claim_id)


_WITH_STORE: dict[type[Any], tuple[str, ...]] = {
    Charge: ("payment_intent__store", "provider_account"),
    Refund: ("charge__payment_intent", "store", "provider_account"),
    Payout: ("store", "provider_account"),
}


def lock_for_fees(model: type[Any], keys: Sequence[uuid.UUID]) -> list[Any]:
    """Charges, refunds or payouts with their store and account, in the order of their keys; only they are locked.

    For a transaction that locks nothing else and changes nothing but what the provider kept of them.
    """
    rows = model.objects.filter(pk__in=keys).order_by("pk")
    list(rows.select_for_update().values_list("pk", flat=True))
    return list(rows.select_related(*_WITH_STORE[model]))


def _locks_named_tables() -> bool:
    """PostgreSQL locks the tables that are named; MariaDB would lock the store as well, and SQLite locks everything."""
    return bool(connection.features.has_select_for_update_of)
