"""Giving incoming money to whom its account reference names: the intent it pays, or the store it was sent to."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.services import ledger_errors
from majuu_core.merchants.models import Store
from majuu_core.payments.claim_rows import build_claim
from majuu_core.payments.custody import may_hold_for
from majuu_core.payments.incoming_books import unclaimed_account
from majuu_core.payments.incoming_links import INCOMING_METHOD, charge_with_receipt
from majuu_core.payments.incoming_shown import add_incoming_event, incoming_entry
from majuu_core.payments.locks import lock_incoming, lock_intent
from majuu_core.payments.models import Charge, Claim, IncomingPayment, PaymentIntent
from majuu_core.payments.outcomes import plan_outcome
from majuu_core.payments.settling import add_plan
from majuu_core.payments.transitions import FINAL_INTENT
from majuu_core.providers import Result, ResultStatus

_Ownership, _Status = IncomingPayment.Ownership, IncomingPayment.Status


def apply_to_intent(incoming_id: uuid.UUID, intent_id: uuid.UUID) -> bool:
    """Pay an open intent with unclaimed money.

    False, and nothing is written, when either is not free any more, or this site may not hold money for the store.
    """
    with transaction.atomic():
        intent, incoming = lock_intent(intent_id), lock_incoming(incoming_id)
        if not can_pay(intent, incoming) or not is_free(incoming):
            return False
        if not may_hold_for(intent.store, incoming.provider_account):
            return False
        claim = build_claim(
            incoming, intent.store, reference=intent.reference or intent.public_id, method=Claim.Method.REFERENCE
        )
        add_payment(incoming, intent, claim)
    return True


def can_pay(intent: PaymentIntent, incoming: IncomingPayment) -> bool:
    """Whether the intent, locked, still takes this money."""
    same = (intent.currency, intent.livemode) == (incoming.currency, incoming.livemode)
    return same and intent.status not in FINAL_INTENT and not intent.is_parked


def is_free(incoming: IncomingPayment) -> bool:
    """Whether the money, locked, is nobody's yet."""
    if incoming.status != _Status.SUCCEEDED or incoming.ownership != _Ownership.UNCLAIMED:
        return False
    told = charge_with_receipt(provider=incoming.provider, livemode=incoming.livemode, receipt=incoming.receipt)
    return told is None


def add_payment(incoming: IncomingPayment, intent: PaymentIntent, claim: Claim) -> Charge:
    """Write a succeeded charge of the intent, paid from the intake, and the claim. Both rows are locked by the caller.

    What the money means for the intent is decided where every provider's answer is: less leaves it open, more is
    surplus.
    """
    charge, now = _build_charge(incoming, intent), clock.now()
    answer = Result(status=ResultStatus.SUCCEEDED, amount=incoming.amount, occurred_at=incoming.occurred_at)
    plan = plan_outcome(charge, answer, now=now)
    for name, value in plan.charge.items():
        setattr(charge, name, value)
    plan.charge, plan.source = {}, unclaimed_account(incoming)
    before, batch = (Charge.Status.PENDING.value, intent.status), WriteBatch()
    batch.insert(charge)
    add_plan(batch, charge, plan, before)
    own(batch, incoming, intent.store, {"charge": charge, "payment_intent": intent})
    batch.insert(claim)
    with ledger_errors():
        batch.execute()
    return charge


def own(batch: WriteBatch, incoming: IncomingPayment, store: Store, also: dict[str, Any]) -> None:
    """Make the store the owner, and tell it."""
    before = incoming.store_id
    incoming.store, incoming.ownership, incoming.follow_up_at = store, _Ownership.CLAIMED, None
    for name, value in also.items():
        setattr(incoming, name, value)
    values = {"store_id": store.pk, "ownership": _Ownership.CLAIMED, "follow_up_at": None, "updated_at": clock.now()}
    batch.update(IncomingPayment, incoming.pk, values | {f"{name}_id": value.pk for name, value in also.items()})
    add_incoming_event(batch, incoming, "incoming_payment.claimed")
    changes = {"ownership": ["unclaimed", "claimed"], "store": [str(before), str(store.pk)]}
    batch.insert(incoming_entry(incoming, "incoming_payment.claimed", changes))


def reserve_for_store(incoming_id: uuid.UUID, store: Store) -> None:
    """The payer named the store, but no order of it: only its merchant's stores may claim the money."""
    with transaction.atomic():
        incoming = lock_incoming(incoming_id)
        if incoming.ownership != _Ownership.UNCLAIMED or incoming.store_id == store.pk:
            return
        before, incoming.store = incoming.store_id, store
        batch = WriteBatch()
        batch.update(IncomingPayment, incoming.pk, {"store_id": store.pk, "updated_at": clock.now()})
        add_incoming_event(batch, incoming, "incoming_payment.assigned")
        changes = {"store": [str(before), str(store.pk)]}
        batch.insert(incoming_entry(incoming, "incoming_payment.assigned", changes))
        batch.execute()


def _build_charge(incoming: IncomingPayment, intent: PaymentIntent) -> Charge:
    now, zero = clock.now(), Money(0, incoming.amount.currency)
    amounts: dict[str, Any] = {"amount": incoming.amount, "amount_received": zero, "fee": zero}
    return Charge(
        **amounts,
        id=ids.new_uuid(),
        payment_intent=intent,
        livemode=incoming.livemode,
        provider_account=incoming.provider_account,
        provider=incoming.provider,
        payment_method=INCOMING_METHOD,
        payer=_payer(incoming),
        status=Charge.Status.PENDING,
        receipt=incoming.receipt,
        created_at=now,
        updated_at=now,
    )


def _payer(incoming: IncomingPayment) -> str:
    """What says most about the payer's number: a refund must find it again. The name only where nothing is told."""
    told = incoming.payer_phone or incoming.payer_phone_hash or incoming.payer_phone_masked or incoming.payer_name
    return told[:80]
