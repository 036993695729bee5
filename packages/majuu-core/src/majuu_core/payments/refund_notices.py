"""What providers tell of refunds by themselves: of ours, and of those made in their own dashboards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from moneyed import Money

from majuu_core.audit.services import build_entry
from majuu_core.common import clock, ids
from majuu_core.common.problems import Invalid
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.payments.locks import lock_charge
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.notices import APPLIED, Notice, Verdict, duplicate, parked, waiting
from majuu_core.payments.outgoing_follow_ups import apply_notice
from majuu_core.payments.refund_amounts import count_reserved, settled_by_refund
from majuu_core.payments.refund_outcomes import REFUNDS, TOO_MUCH, add_refund_event, add_success
from majuu_core.payments.refund_planner import ONLY_METHOD
from majuu_core.payments.transitions import OPEN_CHARGE
from majuu_core.providers import ResultStatus, Trust

_GONE = "The refund was made in the provider's own dashboard."


def apply_refund_event(notice: Notice) -> Verdict:
    """What a provider's message says of a refund: of ours, or of one made in the provider's own dashboard.

    The latter name the charge (``event.reference``), not a refund, and are believed only when they are signed.
    """
    told = notice.event.result
    if told.status in (ResultStatus.FAILED, ResultStatus.CANCELED):
        # Only who proves that the message is genuine can take back a refund that had been done.
        at = (told.occurred_at or notice.event.occurred_at) if notice.trust is Trust.SIGNED else None
        notice = replace(notice, event=replace(notice.event, result=replace(told, occurred_at=at)))
    charge = None if notice.subject_id else _charge_named(notice)
    return apply_notice(REFUNDS, notice) if charge is None else _hear_of_external(notice, charge)


def record_external_refund(
    *,
    charge: Charge,
    provider_reference: str,
    amount: Money,
    occurred_at: datetime | None = None,
    receipt: str | None = None,
    fee: Money | None = None,
    reason: str = "",
) -> Refund:
    """Book a refund that was made without us. The provider's reference makes a repetition the same refund.

    It has happened, so it is booked whatever else went back; more than the charge brought is parked. Raises Invalid
    for an amount that cannot be, or in another currency than the charge's.
    """
    if amount.currency != charge.amount.currency:
        raise Invalid("currency_mismatch", f"The charge is in {charge.currency}.", field="amount")
    if amount.amount <= 0 or not provider_reference:
        raise Invalid("refund_unreadable", "A refund has an amount above zero and the provider's reference.")
    try:
        with transaction.atomic():
            locked = lock_charge(charge.pk)
            known = _known(locked, provider_reference)
            if known is not None:
                return known
            refund = _build(locked, provider_reference, amount, occurred_at)
            refund.reason = reason[:255] or _GONE
            refund.receipt = storable(receipt, 64) if receipt else None
            _write(locked, refund, fee)
    except IntegrityError:
        known = _known(charge, provider_reference)
        if known is None:
            raise
        return known
    return refund


def _charge_named(notice: Notice) -> Charge | None:
    """The charge of this account that the message names in place of a refund."""
    try:
        key = Charge.uuid_of(notice.event.reference or "")
    except ValueError:
        return None
    return Charge.objects.filter(pk=key, provider_account=notice.account).first()


def _hear_of_external(notice: Notice, charge: Charge) -> Verdict:
    event, told = notice.event, notice.event.result
    ours = charge.refunds.filter(provider_reference=event.provider_reference[:128]).first()
    if ours is not None:  # one of ours all the same, or one that we know already
        return apply_notice(REFUNDS, replace(notice, event=replace(event, reference=ours.public_id)))
    if notice.trust is not Trust.SIGNED:
        return parked("It tells of a refund that we did not make, and nothing proves that it is genuine.")
    if told.status is not ResultStatus.SUCCEEDED:
        return duplicate("A refund made elsewhere that moved no money yet.")
    if told.amount is None:
        return parked("It tells of a refund that we did not make, without its amount.")
    if charge.status in OPEN_CHARGE:
        return waiting("The payment that it gives back is not known to be paid yet.")
    try:
        refund = record_external_refund(
            charge=charge,
            provider_reference=event.provider_reference,
            amount=told.amount,
            occurred_at=told.occurred_at or event.occurred_at,
            receipt=told.receipt,
            fee=told.fee,
        )
    except Invalid as problem:
        return parked(problem.message)
    return parked(refund.parked_reason) if refund.is_parked else APPLIED


def _known(charge: Charge, provider_reference: str) -> Refund | None:
    return Refund.objects.filter(
        provider_account_id=charge.provider_account_id, provider_reference=provider_reference[:128]
    ).first()


def _build(charge: Charge, provider_reference: str, amount: Money, occurred_at: datetime | None) -> Refund:
    now = clock.now()
    amounts: dict[str, Any] = {"amount": amount, "fee": Money(0, amount.currency)}
    return Refund(
        **amounts,
        id=ids.new_uuid(),
        store=charge.payment_intent.store,
        charge=charge,
        provider_account=charge.provider_account,
        livemode=charge.livemode,
        status=Refund.Status.SUCCEEDED,
        source=Refund.Source.PROVIDER,
        method=ONLY_METHOD,
        method_reason=_GONE,
        settles_amount=settled_by_refund(charge, amount),
        provider_reference=provider_reference[:128],
        created_by="provider",
        occurred_at=occurred_at or now,
        created_at=now,
        updated_at=now,
    )


def _write(charge: Charge, refund: Refund, fee: Money | None) -> None:
    """Refund, bookings, event and audit entry together. The charge is locked."""
    if count_reserved(charge) + refund.amount.amount > charge.amount_received.amount:
        refund.is_parked, refund.parked_reason = True, TOO_MUCH
    if fee is not None and fee.currency == refund.amount.currency and fee.amount > 0:
        refund.fee = fee
    batch = WriteBatch()
    batch.insert(refund)
    add_success(batch, refund, refund.fee if refund.fee.amount else None)
    add_refund_event(batch, refund, "succeeded")
    if refund.is_parked:
        add_refund_event(batch, refund, "parked")
    batch.insert(
        build_entry(
            action="refund.parked" if refund.is_parked else "refund.succeeded",
            object_id=refund.public_id,
            merchant_id=refund.store.merchant_id,
            store_id=refund.store_id,
            changes={"source": [None, refund.source], "amount": [None, str(refund.amount.amount)]},
        )
    )
    batch.execute()
