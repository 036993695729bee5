"""The second transaction of every provider call: lock, decide, write everything at once.

Answers to our calls, fetched truths and webhooks all end here, in whatever order they come, and any order ends in the
same state.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from moneyed import Money

from majuu_core.audit.services import build_entry
from majuu_core.common import clock
from majuu_core.database.batch import WriteBatch
from majuu_core.events.services import build_event
from majuu_core.merchants.models import Store
from majuu_core.payments import bookings
from majuu_core.payments.addresses import payment_url
from majuu_core.payments.locks import lock_charge
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.outcomes import Plan, plan_outcome
from majuu_core.payments.representation import represent_charge, represent_intent
from majuu_core.payments.transitions import OPEN_CHARGE
from majuu_core.providers import Result

logger = logging.getLogger("majuu.payments")


@dataclass(frozen=True, slots=True)
class Applied:
    """The charge as it is now, and whether this answer moved it."""

    charge: Charge
    changed: bool


def apply_result(
    *,
    charge_id: uuid.UUID,
    result: Result,
    claimed: Money | None = None,
    records: Iterable[models.Model] = (),
    charge_values: dict[str, Any] | None = None,
    extend: Callable[[WriteBatch], None] | None = None,
) -> Applied:
    """Apply a provider's answer to charge, intent, ledger, outbox and audit trail, in one transaction.

    ``records`` are rows written with it (provider calls); ``charge_values`` are columns to set besides, if it stays
    open; ``extend`` lets the caller add to the same batch. A repeated or overtaken answer changes nothing but adds its
    records.
    """
    with transaction.atomic():
        charge = lock_charge(charge_id)
        before = (charge.status, charge.payment_intent.status)
        plan = plan_outcome(charge, result, claimed=claimed, now=clock.now())
        if plan.charge.get("status", charge.status) in OPEN_CHARGE:
            plan.charge = {**(charge_values or {}), **plan.charge}
        batch = WriteBatch()
        batch.insert(*records)
        if plan:
            add_plan(batch, charge, plan, before)
        if extend is not None:
            extend(batch)
        batch.execute()
    changed = charge.status != before[0]
    if changed:
        logger.info("charge %s: %s -> %s", charge.public_id, before[0], charge.status)
    if plan.unapplied is not None:
        logger.error("charge %s parked: %s", charge.public_id, charge.parked_reason)
    return Applied(charge, changed)


def add_plan(batch: WriteBatch, charge: Charge, plan: Plan, before: tuple[str, str]) -> None:
    """Put a plan's rows into the batch and its values on the instances."""
    intent, store = charge.payment_intent, charge.payment_intent.store
    _add_bookings(batch, charge, store, plan)
    if plan.charge:
        batch.update(Charge, charge.pk, plan.charge)
        _assign(charge, plan.charge)
    if plan.intent:
        batch.update(PaymentIntent, intent.pk, plan.intent)
        _assign(intent, plan.intent)
    if plan.charge_event:
        add_event(batch, intent, plan.charge_event, charge=charge)
    if plan.intent_event:
        add_event(batch, intent, plan.intent_event)
    if plan.audit_action:
        batch.insert(
            build_entry(
                action=plan.audit_action,
                object_id=charge.public_id,
                merchant_id=store.merchant_id,
                store_id=store.pk,
                changes={"status": [before[0], charge.status], "payment_intent_status": [before[1], intent.status]},
            )
        )


def add_event(batch: WriteBatch, intent: PaymentIntent, type: str, *, charge: Charge | None = None) -> None:
    """Tell of the intent, or of one of its charges, as it now is."""
    data = (
        {"charge": represent_charge(charge, intent_id=intent.public_id)}
        if charge is not None
        else {"payment_intent": represent_intent(intent, payment_url=payment_url(intent))}
    )
    batch.insert(
        build_event(
            store_id=intent.store_id,
            livemode=intent.livemode,
            type=type,
            object_id=(charge or intent).public_id,
            data=data,
        )
    )


def _add_bookings(batch: WriteBatch, charge: Charge, store: Store, plan: Plan) -> None:
    if plan.applied is not None and plan.surplus is not None:
        bookings.book_payment(batch, charge, store, applied=plan.applied, surplus=plan.surplus, fee=plan.fee)
    elif plan.unapplied is not None:
        bookings.book_unapplied(batch, charge, store, plan.unapplied, plan.fee)
    elif plan.releases_hold:
        bookings.release_hold(batch, charge, store)


def _assign(instance: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(instance, name, value)
