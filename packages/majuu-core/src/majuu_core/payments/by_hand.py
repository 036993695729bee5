"""Charges of providers that nobody can ask: they wait for money that people see, and give way to another method."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from majuu_core.common import clock
from majuu_core.database.batch import WriteBatch
from majuu_core.events.models import Event
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.locks import lock_charges, lock_intent
from majuu_core.payments.models import Charge, IncomingPayment, PaymentIntent
from majuu_core.payments.outcomes import next_follow_up, plan_outcome
from majuu_core.payments.settling import add_plan, apply_result
from majuu_core.payments.transitions import FINAL_INTENT, OPEN_CHARGE
from majuu_core.providers import LimitsMethods, ProviderInfo, Result, ResultStatus, operations
from majuu_core.providers.installed import installed_providers

_SOONEST = timedelta(minutes=1)
_GONE = Result(status=ResultStatus.CANCELED)


def is_by_hand(provider: str) -> bool:
    """Whether people tell what became of this provider's payments."""
    return provider in by_hand_codes()


def by_hand_codes() -> list[str]:
    """The codes of all installed providers that nobody can ask."""
    return [provider.code for provider in installed_providers() if provider.info.told_by_people]


def gives_way(charge: Charge) -> bool:
    """Whether another charge may begin although this one is open: nothing moves by itself, and late money counts."""
    return charge.status in OPEN_CHARGE and not charge.is_parked and is_by_hand(charge.provider)


def first_look(charge: Charge, info: ProviderInfo) -> datetime | None:
    """When the charge is looked at next, once its provider has answered."""
    now = clock.now()
    if info.told_by_people:
        return max(charge.payment_intent.expires_at, now + _SOONEST)
    return next_follow_up(charge, info.follow_up_seconds, now)


def lock_intent_and_waiting(intent_id: uuid.UUID) -> tuple[PaymentIntent, list[Charge]]:
    """The intent and those of its charges that give way, all locked, in the order of locks.py."""
    waiting = _waiting(intent_id)
    if not waiting:
        return lock_intent(intent_id), []
    charges = lock_charges(waiting)
    return charges[0].payment_intent, [charge for charge in charges if gives_way(charge)]


def add_giving_way(batch: WriteBatch, charges: Sequence[Charge]) -> None:
    """End locked charges because something else happens to their intent, which is not changed by it."""
    for charge in charges:
        plan = plan_outcome(charge, _GONE, now=clock.now())
        plan.intent, plan.intent_event = {}, ""
        add_plan(batch, charge, plan, (charge.status, charge.payment_intent.status))


def end_waiting(charge: Charge) -> None:
    """Its time has come: over with its intent, or never shown to anybody. A person's decision is waited for."""
    if charge.is_parked:
        Charge.objects.filter(pk=charge.pk).update(follow_up_at=None)
    elif charge.payment_intent.expires_at <= clock.now() or not charge.provider_reference:
        apply_result(charge_id=charge.pk, result=_GONE)
    else:
        Charge.objects.filter(pk=charge.pk, status__in=OPEN_CHARGE).update(
            follow_up_at=max(charge.payment_intent.expires_at, clock.now() + _SOONEST)
        )


def on_claimed_event(event: Event) -> None:
    """Event handler: incoming money was given to an intent. If that is all of it, nothing of it waits any longer."""
    try:
        incoming = IncomingPayment.objects.select_related("payment_intent").get(
            pk=IncomingPayment.uuid_of(event.object_id)
        )
    except (ValueError, IncomingPayment.DoesNotExist):
        return
    intent = incoming.payment_intent
    if intent is not None and intent.status in FINAL_INTENT:
        for key in _waiting(intent.pk):
            apply_result(charge_id=key, result=_GONE)


def offers_here(account: ProviderAccount, method: str, currency: str) -> bool:
    """Whether this very account takes the method in the currency, as far as its provider limits that."""
    if "offers" not in operations(installed_providers().get(account.provider)):
        return True
    try:
        provider = provider_for(account)
    except Exception:  # noqa: BLE001 - what is wrong with it is told to whoever uses it
        return True
    return not isinstance(provider, LimitsMethods) or provider.offers(method, currency)


def _waiting(intent_id: uuid.UUID) -> list[uuid.UUID]:
    rows = Charge.objects.filter(
        payment_intent_id=intent_id, status__in=OPEN_CHARGE, is_parked=False, provider__in=by_hand_codes()
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))
