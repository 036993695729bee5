"""What a provider says of a dispute, written down: dispute, charge, intent, books, events and audit trail at once.

Messages, fetched truths, lists and the answers to our own calls all end here, in any order and any number of times.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, models, transaction
from moneyed import Money

from majuu_core.audit.services import build_entry
from majuu_core.common import clock, ids
from majuu_core.common.money import AmountError, to_minor_units
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.dispute_bookings import book_difference
from majuu_core.payments.dispute_events import add_dispute_event
from majuu_core.payments.dispute_facts import DisputeFacts, facts_of, hear
from majuu_core.payments.dispute_schedule import next_look
from majuu_core.payments.locks import lock_charge
from majuu_core.payments.models import Charge, Dispute, PaymentIntent
from majuu_core.payments.refund_amounts import count_refunds
from majuu_core.providers import DisputeState

logger = logging.getLogger("majuu.payments")
_C = Charge.DisputeStatus
_REFERENCE = 128


class UnfitDispute(Exception):
    """It cannot be applied as it is told; a person has to look. The text says why."""


@dataclass(frozen=True, slots=True)
class AppliedDispute:
    """The dispute as it is now, and what it was: "" when nobody knew of it."""

    dispute: Dispute
    before: str
    parked: bool = False


@dataclass(slots=True)
class _Change:
    """One word from the provider on its way into the tables. The charge is locked."""

    dispute: Dispute
    charge: Charge
    facts: DisputeFacts
    before: str
    batch: WriteBatch
    values: dict[str, Any]


def apply_dispute(
    *,
    account: ProviderAccount,
    state: DisputeState,
    at: datetime,
    records: Iterable[models.Model] = (),
    values: Mapping[str, Any] | None = None,
    extend: Callable[[WriteBatch, Dispute], None] | None = None,
) -> AppliedDispute:
    """Apply what the provider says, in one transaction. ``at`` is when it became so, if the state does not say it.

    ``records`` are rows written with it (provider calls); ``values`` are columns to set besides; ``extend`` adds to
    the same batch. What is known already changes nothing but adds those. Raises UnfitDispute; nothing is written then.
    """
    _check(state)
    charge_id = _find_charge(account, state).pk
    kept = list(records)
    moment = state.occurred_at or at.replace(microsecond=0)
    for attempt in (1, 2):
        try:
            with transaction.atomic():
                charge = lock_charge(charge_id)
                change = _prepare(account, charge, state, moment)
                change.values |= values or {}
                change.batch.insert_if_absent(*kept)
                applied = _write(change, extend)
            break
        except IntegrityError:  # somebody wrote the same dispute under another charge
            if attempt == 2 or not _known(account, state).exists():
                raise
            charge_id = _known(account, state).values_list("charge_id", flat=True).get()
    _log(applied)
    return applied


def _known(account: ProviderAccount, state: DisputeState) -> models.QuerySet[Dispute]:
    return Dispute.objects.filter(provider_account=account, provider_reference=state.provider_reference[:_REFERENCE])


def _check(state: DisputeState) -> None:
    amounts = [state.amount, *(money for money in (state.withdrawn, state.fee) if money is not None)]
    try:
        for money in amounts:
            to_minor_units(money)
    except AmountError as problem:
        raise UnfitDispute(f"It names an amount that cannot be: {problem}") from None
    if state.amount.amount <= 0 or any(money.amount < 0 for money in amounts):
        raise UnfitDispute("It names an amount below zero, or disputes nothing.")
    if state.withdrawn is not None and state.withdrawn.currency != state.amount.currency:
        raise UnfitDispute(f"It disputes {state.amount.currency.code} and withdraws {state.withdrawn.currency.code}.")
    if not state.provider_reference:
        raise UnfitDispute("It has no reference of its own.")


def _find_charge(account: ProviderAccount, state: DisputeState) -> Charge:
    """The charge it is about: what we know of the dispute comes first, then our own id, then the provider's."""
    known = Charge.objects.filter(disputes__in=_known(account, state)).first()
    named = _charge_named(account, state)
    if known is not None and named is not None and known.pk != named.pk:
        raise UnfitDispute(f"It names {named.public_id}; {known.public_id} was named before.")
    found = known or named
    if found is None:
        raise UnfitDispute(f"No charge of this account is {state.payment_reference[:100] or state.charge_reference}.")
    return found


def _charge_named(account: ProviderAccount, state: DisputeState) -> Charge | None:
    rows = Charge.objects.filter(provider_account=account)
    if state.charge_reference:
        try:
            return rows.filter(pk=Charge.uuid_of(state.charge_reference)).first()
        except ValueError:
            pass  # not ours: the provider's name decides
    if not state.payment_reference:
        return None
    found = rows.filter(provider_reference=state.payment_reference[:_REFERENCE]).first()
    if found is not None:
        return found
    same = list(rows.filter(receipt=state.payment_reference[:64])[:2])
    if len(same) > 1:
        raise UnfitDispute(f"More than one charge has the receipt {same[0].receipt}.")
    return same[0] if same else None


def _prepare(account: ProviderAccount, charge: Charge, state: DisputeState, at: datetime) -> _Change:
    dispute = _known(account, state).select_for_update().first()
    if dispute is not None and dispute.charge_id != charge.pk:
        raise IntegrityError("the dispute belongs to another charge")
    if dispute is not None and state.amount.currency != dispute.amount.currency:
        raise UnfitDispute(f"It was in {dispute.currency}, and is now in {state.amount.currency.code}.")
    before = "" if dispute is None else dispute.status
    known = None if dispute is None else facts_of(dispute)
    facts = hear(known, state, at)
    if dispute is None:
        dispute = _build(charge, state, facts)
    dispute.charge, dispute.provider_account = charge, charge.provider_account
    dispute.store = charge.payment_intent.store
    changed = known is None or facts != known
    values: dict[str, Any] = {}
    if changed:
        values = {**facts.columns(), "amount": Money(facts.amount, state.amount.currency), "updated_at": clock.now()}
    return _Change(dispute, charge, facts, before, WriteBatch(), values)


def _build(charge: Charge, state: DisputeState, facts: DisputeFacts) -> Dispute:
    now = clock.now()
    amounts: dict[str, Any] = {"amount": Money(facts.amount, state.amount.currency)}
    return Dispute(
        **{**facts.columns(), **amounts},
        id=ids.new_uuid(),
        store=charge.payment_intent.store,
        charge=charge,
        provider_account=charge.provider_account,
        livemode=charge.livemode,
        provider_reference=state.provider_reference[:_REFERENCE],
        created_at=now,
        updated_at=now,
    )


def _write(change: _Change, extend: Callable[[WriteBatch, Dispute], None] | None) -> AppliedDispute:
    dispute, facts, batch = change.dispute, change.facts, change.batch
    is_new, was_parked, told = change.before == "", dispute.is_parked, "status" in change.values
    moved = Decimal(0)
    if told:
        moved = book_difference(batch, dispute, facts)
        _park_if_doubtful(change)
    for name, value in change.values.items():
        setattr(dispute, name, value)
    if change.values:
        change.values["follow_up_at"] = dispute.follow_up_at = next_look(dispute, clock.now())
    if is_new:
        batch.insert(dispute)
    elif change.values:
        batch.update(Dispute, dispute.pk, change.values)
    if told:
        _mark_payment(change)
        _tell(change, moved, newly_parked=dispute.is_parked and not was_parked)
    if extend is not None:
        extend(batch, dispute)
    batch.execute()
    return AppliedDispute(dispute, change.before, parked=dispute.is_parked and not was_parked)


def _park_if_doubtful(change: _Change) -> None:
    """It has happened, so it is booked; what does not fit the charge is for a person besides."""
    reason = _doubt_about(change)
    if reason and reason not in (change.dispute.parked_reason, change.dispute.noted_reason):
        change.values |= {"is_parked": True, "parked_reason": reason}


def _doubt_about(change: _Change) -> str:
    charge, facts, currency = change.charge, change.facts, change.dispute.currency
    received = charge.amount_received.amount
    if charge.status != Charge.Status.SUCCEEDED:
        return f"It disputes a charge that is {charge.status} here."
    if currency != charge.currency:
        return f"It is in {currency}; the charge is in {charge.currency}."
    others = charge.disputes.exclude(pk=change.dispute.pk)
    gone = count_refunds(charge) + sum((row.withdrawn for row in others), start=facts.withdrawn)
    if facts.amount > received or gone > received:
        return "More is disputed, or has gone back, than this payment brought. Look at the provider's statement."
    return ""


def _mark_payment(change: _Change) -> None:
    """The charge shows the worst of its disputes, the intent whether one of its charges is affected."""
    charge, intent = change.charge, change.charge.payment_intent
    others = charge.disputes.exclude(pk=change.dispute.pk)
    found = {_seen_from_charge(facts_of(row)) for row in others} | {_seen_from_charge(change.facts)}
    status = next(item for item in (_C.OPEN, _C.LOST, _C.WON) if item in found)
    if charge.dispute_status == status:
        return
    charge.dispute_status = status
    change.batch.update(Charge, charge.pk, {"dispute_status": status})
    is_disputed = status in (_C.OPEN, _C.LOST) or (
        intent.charges.exclude(pk=charge.pk).filter(dispute_status__in=[_C.OPEN, _C.LOST]).exists()
    )
    if intent.is_disputed != is_disputed:
        intent.is_disputed = is_disputed
        change.batch.update(PaymentIntent, intent.pk, {"is_disputed": is_disputed})


def _seen_from_charge(facts: DisputeFacts) -> Charge.DisputeStatus:
    """Over without a loss is won: an inquiry that ended took nothing."""
    if facts.is_open:
        return _C.OPEN
    return _C.LOST if facts.lost else _C.WON


def _tell(change: _Change, moved: Decimal, *, newly_parked: bool) -> None:
    dispute, facts = change.dispute, change.facts
    words = ["created"] if change.before == "" else []
    closed = not facts.is_open and change.before != facts.status
    words += ["closed"] if closed else ["updated"] if change.before else []
    words += ["withdrawn"] if moved > 0 else ["reinstated"] if moved < 0 else []
    for word in words:
        add_dispute_event(change.batch, dispute, word)
    main = next(word for word in ("created", "closed", "updated") if word in words)
    for action in [main, "parked"] if newly_parked else [main]:
        change.batch.insert(
            build_entry(
                action=f"dispute.{action}",
                object_id=dispute.public_id,
                merchant_id=dispute.store.merchant_id,
                store_id=dispute.store_id,
                changes={"status": [change.before or None, facts.status], "withdrawn": str(facts.withdrawn)},
            )
        )


def _log(applied: AppliedDispute) -> None:
    dispute = applied.dispute
    if applied.before != dispute.status:
        logger.info("%s: %s -> %s", dispute.public_id, applied.before or "unknown", dispute.status)
    if applied.parked:
        logger.error("%s parked: %s", dispute.public_id, dispute.parked_reason)
