"""The second transaction of every provider call: lock, decide, write everything at once.

Answers to our calls, fetched truths and webhooks all end here, in whatever order they come, and any order ends in the
same state.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models, transaction

from majuu_core.audit.services import build_entry
from majuu_core.common import clock
from majuu_core.database.batch import UnexpectedRowCount, WriteBatch
from majuu_core.events.services import build_event
from majuu_core.merchants.models import Store
from majuu_core.payments import bookings
from majuu_core.payments.addresses import payment_url
from majuu_core.payments.locks import Seen, lock_charge
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.outcomes import Plan, plan_outcome
from majuu_core.payments.representation import represent_charge, represent_intent
from majuu_core.payments.transitions import OPEN_CHARGE
from majuu_core.providers import Result

logger = logging.getLogger("majuu.payments")
_FAILED = "payment_intent.payment_failed"
_GOES_ON = timedelta(seconds=45)  # until the next attempt has begun


@dataclass(frozen=True, slots=True)
class Applied:
    """The charge as it is now, and what it was before this answer."""

    charge: Charge
    before: str
    parked: bool = False

    @property
    def changed(self) -> bool:
        """Whether this answer moved the charge."""
        return self.charge.status != self.before


Extend = Callable[[WriteBatch], None]


def apply_result(
    *,
    charge_id: uuid.UUID,
    result: Result,
    records: Iterable[models.Model] = (),
    charge_values: Mapping[str, Any] | None = None,
    hold_values: Mapping[str, Any] | None = None,
    extend: Extend | None = None,
    goes_on: bool = False,
    renames: bool = False,
) -> Applied:
    """Apply a provider's answer to charge, intent, ledger, outbox and audit trail, in one transaction.

    ``goes_on``: another attempt follows at once, so that the intent's event about a failed one would mislead.
    ``records`` are rows written with it (provider calls); ``charge_values`` are columns to set besides, if it stays
    open, and ``hold_values`` if it is authorized; ``extend`` lets the caller add to the same batch. ``renames``: from
    now on the provider is asked by the reference of this answer. A repeated or overtaken answer changes nothing but
    adds its records.
    """
    with transaction.atomic():
        charge = lock_charge(charge_id)
        plan = plan_outcome(charge, result, now=clock.now())
        status = plan.charge.get("status", charge.status)
        if status in OPEN_CHARGE:
            plan.charge = {**_ask_soon(result), **(charge_values or {}), **plan.charge}
        elif status == Charge.Status.AUTHORIZED:
            plan.charge = {**(hold_values or {}), **plan.charge}
        if renames and result.provider_reference:
            plan.charge["provider_reference"] = result.provider_reference[:128]
        if goes_on and plan.intent_event == _FAILED:
            # Untold until the next attempt begins. A process that dies before leaves it to the follow-ups.
            plan.intent_event, plan.charge["follow_up_at"] = "", clock.now() + _GOES_ON
        if plan.charge.get("is_parked") and not charge.is_parked:  # whoever parks it, somebody has to hear of it
            plan.charge_event = plan.charge_event or "charge.updated"
            plan.audit_action = "charge.parked"
        batch = WriteBatch()
        batch.insert_if_absent(*records)  # a transaction that is tried again may have been committed
        applied = _write(batch, charge, plan, extend)
    _tell(applied)
    return applied


def tell_of_failure(charge_id: uuid.UUID) -> None:
    """Tell of a failed attempt after which no other one began, although one was to follow. Repeated, it is a no-op."""
    with transaction.atomic():
        charge = lock_charge(charge_id)
        intent, batch = charge.payment_intent, WriteBatch()
        if charge.status != Charge.Status.FAILED or charge.follow_up_at is None:
            return
        batch.update(Charge, charge.pk, {"follow_up_at": None})
        waits = intent.status == PaymentIntent.Status.REQUIRES_PAYMENT_METHOD
        if waits and not intent.charges.filter(pk__gt=charge.pk).exists():
            add_event(batch, intent, _FAILED)
        batch.execute()


def apply_if_unchanged(*, seen: Seen, result: Result, extend: Extend) -> Applied | None:
    """Apply a trusted answer to a charge as it was just read, by the short way of locks.py.

    None when that way is closed or somebody was faster; nothing was written then, and ``apply_result`` does it.
    """
    plan = plan_outcome(seen.charge, result, now=clock.now())
    if plan.charge.get("status", seen.charge.status) in OPEN_CHARGE:
        plan.charge = {**_ask_soon(result), **plan.charge}
    if not (seen.is_versioned and plan.charge and plan.intent):
        return None  # only rows that are written are known to be unchanged
    try:
        applied = _write(WriteBatch(), seen.charge, plan, extend, seen)
    except UnexpectedRowCount:
        return None
    _tell(applied)
    return applied


def _ask_soon(result: Result) -> dict[str, Any]:
    """The customer has approved: the follow-ups complete the payment, unless who applies this does."""
    return {"follow_up_at": clock.now()} if result.needs_completion else {}


def _write(batch: WriteBatch, charge: Charge, plan: Plan, extend: Extend | None, seen: Seen | None = None) -> Applied:
    before, was_parked = (charge.status, charge.payment_intent.status), charge.is_parked
    if plan:
        add_plan(batch, charge, plan, before, seen)
    if extend is not None:
        extend(batch)
    batch.execute()
    return Applied(charge, before[0], parked=charge.is_parked and not was_parked)


def _tell(applied: Applied) -> None:
    charge = applied.charge
    if applied.changed:
        logger.info("charge %s: %s -> %s", charge.public_id, applied.before, charge.status)
    if applied.parked:
        logger.error("charge %s parked: %s", charge.public_id, charge.parked_reason)


def add_plan(batch: WriteBatch, charge: Charge, plan: Plan, before: tuple[str, str], seen: Seen | None = None) -> None:
    """Put a plan's rows into the batch and its values on the instances. ``seen`` names the versions to be changed."""
    intent, store = charge.payment_intent, charge.payment_intent.store
    _add_bookings(batch, charge, store, plan)
    if plan.charge:
        batch.update(Charge, charge.pk, plan.charge, version=seen.charge_version if seen else None)
        _assign(charge, plan.charge)
    if plan.intent:
        batch.update(PaymentIntent, intent.pk, plan.intent, version=seen.intent_version if seen else None)
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


def add_event(
    batch: WriteBatch,
    intent: PaymentIntent,
    type: str,
    *,
    charge: Charge | None = None,
    shown: Mapping[str, Any] | None = None,
) -> None:
    """Tell of the intent, or of one of its charges, as it now is. ``shown`` is the intent, if represented already."""
    data = (
        {"charge": represent_charge(charge, intent_id=intent.public_id)}
        if charge is not None
        else {"payment_intent": shown or represent_intent(intent, payment_url=payment_url(intent))}
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
        bookings.book_payment(
            batch,
            charge,
            store,
            applied=plan.applied,
            surplus=plan.surplus,
            exchanged=plan.exchanged,
            fee=plan.fee,
            source=plan.source,
        )
    elif plan.unapplied is not None:
        bookings.book_unapplied(batch, charge, store, plan.unapplied, plan.fee, plan.source)
    elif plan.releases_hold:
        bookings.release_hold(batch, charge, store)


def _assign(instance: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(instance, name, value)
