"""One payment, told by two channels: the charge of a customer who was asked to pay, and a notice of incoming money.

Whichever comes first, the money counts once, on the charge. A notice that comes second is not booked. One that came
first was booked into the intake; when the charge learns its receipt, that booking is taken back. A charge may also
succeed without a receipt (M-Pesa's query names none); then account, amount, phone and time say that it is the same
money, and the notice gives the charge its receipt.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from majuu_core.common import clock
from majuu_core.database.batch import WriteBatch
from majuu_core.events.models import Event
from majuu_core.payments.hidden_numbers import fits_holed_hash, hash_phone
from majuu_core.payments.incoming_books import reverse_arrival, reverse_claim
from majuu_core.payments.incoming_shown import add_incoming_event, incoming_entry
from majuu_core.payments.locks import lock_charge, lock_incoming
from majuu_core.payments.models import Charge, Claim, IncomingPayment
from majuu_core.payments.settling import apply_result
from majuu_core.payments.transitions import OPEN_CHARGE
from majuu_core.providers import Result, ResultStatus
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
INCOMING_METHOD = "incoming"  # the payment method of charges that incoming money made
WINDOW = timedelta(minutes=15)
_SKEW = timedelta(minutes=2)  # between the provider's clock and ours
_Ownership, _Status = IncomingPayment.Ownership, IncomingPayment.Status


def on_charge_event(event: Event) -> None:
    """Event handler: a charge brought money or learned its receipt. Was there a notice of the same money?"""
    try:
        charge = _asked_charges().get(pk=Charge.uuid_of(event.object_id))
    except (ValueError, Charge.DoesNotExist):
        return
    if charge.status != Charge.Status.SUCCEEDED:
        return
    found = IncomingPayment.objects.filter(provider=charge.provider, livemode=charge.livemode)
    if charge.receipt:
        incoming = found.filter(receipt=charge.receipt).first()
    else:
        incoming = _notice_for(charge)
        if incoming is not None and incoming.verified_at is None:
            # Anybody could have made it up, receipt and all: the worker sees to it that the provider is asked first.
            IncomingPayment.objects.filter(pk=incoming.pk).update(follow_up_at=clock.now())
            return
    if incoming is not None:
        link_to_charge(incoming.pk, charge.pk)


def charge_with_receipt(*, provider: str, livemode: bool, receipt: str) -> Charge | None:
    """The charge, made by asking a customer, that has this receipt."""
    mine = _asked_charges().filter(receipt=receipt, provider=provider, livemode=livemode)
    return mine.select_related("payment_intent__store").first()


def find_charge(incoming: IncomingPayment) -> Charge | None:
    """The succeeded charge that the money of this notice is: by receipt, or by everything else there is."""
    named = charge_with_receipt(provider=incoming.provider, livemode=incoming.livemode, receipt=incoming.receipt)
    if named is not None:
        return named
    nameless = _near(incoming).filter(Q(receipt=None) | Q(receipt=""), status=Charge.Status.SUCCEEDED)
    alike = [charge for charge in nameless if same_phone(incoming, charge.payer) is True]
    return min(alike, key=lambda charge: abs(charge.created_at - incoming.occurred_at), default=None)


def open_charges_for(incoming: IncomingPayment) -> list[Charge]:
    """Charges still going on that this money could be. While there are any, it is nobody else's."""
    return [
        charge
        for charge in _near(incoming).filter(status__in=OPEN_CHARGE)
        if same_phone(incoming, charge.payer) is not False
    ]


def ask_soon(charges: Iterable[Charge]) -> None:
    """Have the worker ask about these charges now instead of at their next time."""
    keys = [charge.pk for charge in charges]
    now = clock.now()
    Charge.objects.filter(pk__in=keys, status__in=OPEN_CHARGE, follow_up_at__gt=now).update(follow_up_at=now)


def same_phone(incoming: IncomingPayment, payer: str) -> bool | None:
    """Whether the payer is this phone; None when that cannot be told. Compares plain, hashed and masked numbers."""
    digits = re.sub(r"\D", "", payer)
    if not digits or not payer.strip("+0123456789 -") == "":
        return None
    if incoming.payer_phone:
        return incoming.payer_phone == digits
    if re.fullmatch(r"[0-9a-f]{64}", incoming.payer_phone_hash):
        return incoming.payer_phone_hash == hash_phone(digits)
    holed = fits_holed_hash(incoming.payer_phone_masked, digits)
    return _fits_mask(incoming.payer_phone_masked, digits) if holed is None else holed


def link_to_charge(incoming_id: uuid.UUID, charge_id: uuid.UUID, *, named: bool = False) -> bool:
    """Say that the notice and the charge are one payment, and take back what the notice had booked.

    ``named``: the payer wrote the charge's reference. Then it is the same money under whatever receipt a person gave
    it, unless the charge has its money already.

    A claim that came in between is undone: the money was never anybody's but the charge's. Money that paid another
    intent meanwhile stays there, and a person is told: goods may have left for it. False when nothing was to do.
    """
    with transaction.atomic():
        charge, incoming = lock_charge(charge_id), lock_incoming(incoming_id)
        if incoming.ownership == _Ownership.CHARGE or charge.status != Charge.Status.SUCCEEDED:
            return False
        if charge.incoming.exclude(pk=incoming.pk).exists():
            return False
        if charge.receipt and charge.receipt != incoming.receipt and not (named and _is_of_a_person(charge)):
            return False
        if incoming.charge_id is not None or charge.amount_received != incoming.amount:
            _report(incoming, charge)
            return False
        if not charge.receipt:
            # The plan adds the receipt, an event and an audit entry, and nothing else to a charge that has succeeded.
            receipt = Result(status=ResultStatus.SUCCEEDED, receipt=incoming.receipt)
            apply_result(charge_id=charge.pk, result=receipt)
        claim = Claim.objects.select_for_update().filter(incoming=incoming, active_key__isnull=False).first()
        batch = WriteBatch()
        if claim is not None:
            _hand_over_claim(batch, incoming, claim, charge)
        if incoming.status == _Status.SUCCEEDED:
            reverse_arrival(incoming, why=f"The money of {charge.public_id}.")
        _own_by_charge(batch, incoming, charge)
        batch.execute()
    return True


def _is_of_a_person(charge: Charge) -> bool:
    """Whether no message brought the charge's receipt: somebody entered it who had seen the money."""
    told = IncomingPayment.objects.filter(provider=charge.provider, livemode=charge.livemode, receipt=charge.receipt)
    return not told.exists()


def _own_by_charge(batch: WriteBatch, incoming: IncomingPayment, charge: Charge) -> None:
    before, now = incoming.ownership, clock.now()
    incoming.store, incoming.charge, incoming.payment_intent = (
        charge.payment_intent.store,
        charge,
        charge.payment_intent,
    )
    incoming.ownership, incoming.status = _Ownership.CHARGE, _Status.SUCCEEDED
    values: dict[str, Any] = {
        "store_id": incoming.store_id,
        "charge_id": charge.pk,
        "payment_intent_id": charge.payment_intent_id,
        "ownership": _Ownership.CHARGE,
        "status": _Status.SUCCEEDED,
        "follow_up_at": None,
        "updated_at": now,
    }
    batch.update(IncomingPayment, incoming.pk, values)
    add_incoming_event(batch, incoming, "incoming_payment.linked")
    changes = {"ownership": [before, "charge"], "charge": [None, charge.public_id]}
    batch.insert(incoming_entry(incoming, "incoming_payment.linked", changes))


def _hand_over_claim(batch: WriteBatch, incoming: IncomingPayment, claim: Claim, charge: Charge) -> None:
    """A claim of the charge's own store goes on as its mark "used"; another store's never was right."""
    reverse_claim(claim, why=f"The money of {charge.public_id}.")
    if claim.store_id == charge.payment_intent.store_id:
        batch.update(Claim, claim.pk, {"charge_id": charge.pk, "method": Claim.Method.CHARGE})
        return
    logger.error("claim %s of %s is undone: it is the money of %s", claim.public_id, claim.receipt, charge.public_id)
    reason = "The money belongs to a payment that another customer had been asked for."
    batch.update(
        Claim,
        claim.pk,
        {"active_key": None, "undone_by": "system", "undone_at": clock.now(), "undo_reason": reason},
    )
    add_incoming_event(batch, incoming, "incoming_payment.claim_undone")
    batch.insert(incoming_entry(incoming, "incoming_payment.claim_undone", {"claim": claim.public_id, "why": reason}))


def _report(incoming: IncomingPayment, charge: Charge) -> None:
    """Once: two channels disagree about one receipt, and money may have been counted twice."""
    logger.error("%s and %s have one receipt, %s", incoming.public_id, charge.public_id, incoming.receipt)
    action = "incoming_payment.conflict"
    if Event.objects.filter(object_id=incoming.public_id, type=action).exists():
        return
    batch = WriteBatch()
    add_incoming_event(batch, incoming, action)
    batch.insert(incoming_entry(incoming, action, {"charge": charge.public_id}))
    batch.execute()


def _notice_for(charge: Charge) -> IncomingPayment | None:
    """The unclaimed notice that tells of a charge's money, for a charge without a receipt."""
    near = IncomingPayment.objects.filter(
        provider_account_id=charge.provider_account_id,
        ownership=_Ownership.UNCLAIMED,
        status=_Status.SUCCEEDED,
        amount=charge.amount_received.amount,
        currency=charge.currency,
        occurred_at__range=(charge.created_at - _SKEW, charge.created_at + WINDOW),
    )
    alike = [incoming for incoming in near if same_phone(incoming, charge.payer) is True]
    return min(alike, key=lambda incoming: abs(incoming.occurred_at - charge.created_at), default=None)


def _near(incoming: IncomingPayment) -> QuerySet[Charge]:
    return _asked_charges().filter(
        ~Q(provider__in=_told_by_people()),  # those are known by what the payer wrote, never by nearness
        provider_account_id=incoming.provider_account_id,
        amount=incoming.amount.amount,
        currency=incoming.currency,
        created_at__range=(incoming.occurred_at - WINDOW, incoming.occurred_at + _SKEW),
    )


def _asked_charges() -> QuerySet[Charge]:
    return Charge.objects.exclude(payment_method=INCOMING_METHOD)


def _told_by_people() -> list[str]:
    return [provider.code for provider in installed_providers() if provider.info.told_by_people]


def _fits_mask(mask: str, digits: str) -> bool | None:
    """``2547 ***** 126`` fits every number with that beginning and end."""
    shown = re.fullmatch(r"(\d+)[^\d]*\*[^\d]*(\d*)", mask.strip())
    if shown is None:
        return None
    return digits.startswith(shown[1]) and digits.endswith(shown[2])
