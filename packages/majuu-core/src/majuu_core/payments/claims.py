"""Claiming a receipt: one store, one purpose, once; and undoing that, which needs two people.

A claim moves incoming money from the intake to the store, or onto one of its payment intents, in one transaction with
the ledger. The receipt of a store's own charge can be claimed too: no money moves, but the receipt counts as used, so
that it never pays for a second order.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.database.batch import WriteBatch
from majuu_core.database.errors import is_unique_violation
from majuu_core.ledger.services import ledger_errors
from majuu_core.merchants.models import Store
from majuu_core.merchants.services import INTAKE_CODE
from majuu_core.payments.claim_rows import active_key, build_claim
from majuu_core.payments.custody import require_may_hold_for
from majuu_core.payments.incoming_applying import add_payment, can_pay, is_free, own
from majuu_core.payments.incoming_books import book_claim
from majuu_core.payments.incoming_links import INCOMING_METHOD, ask_soon, open_charges_for
from majuu_core.payments.incoming_settling import is_doubtful, link_if_certain
from majuu_core.payments.incoming_shown import claim_entry
from majuu_core.payments.intents import get_payment_intent
from majuu_core.payments.locks import lock_incoming, lock_intent
from majuu_core.payments.models import Charge, Claim, IncomingPayment, PaymentIntent

_Ownership, _Status = IncomingPayment.Ownership, IncomingPayment.Status
POOLED_INTAKE = "Money at the platform's account for other merchants"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """What a store wants a receipt for. ``payment_intent`` is the public id of one of its intents, to be paid by it."""

    receipt: str
    reference: str
    payment_intent: str = ""
    method: str = Claim.Method.MANUAL
    score: int | None = None
    reasons: list[str] = field(default_factory=list)


def claim_incoming(*, store: Store, livemode: bool, request: ClaimRequest) -> Claim:
    """Make the receipt's money the store's. The same claim again gets the same answer.

    Raises NotFound for a receipt that no store like this one may have, and Conflict: ``incoming_payment_claimed`` when
    it is somebody's (whose is not said), ``incoming_payment_held`` while a payment that is still going on could be
    this money, ``incoming_payment_unverified`` until the provider confirms it, ``payment_intent_final``. Raises Denied
    ``custodial_disabled`` for money at the platform's account when this site may not hold any for the store.
    """
    if not request.reference.strip():
        raise Invalid("reference_missing", "Say what the money is for: your order number.", field="reference")
    incoming = find_incoming(store=store, livemode=livemode, receipt=request.receipt)
    if incoming is not None and incoming.ownership == _Ownership.UNCLAIMED:
        _refuse_held(incoming)
        incoming.refresh_from_db()
    if incoming is None or incoming.ownership == _Ownership.CHARGE:
        return _claim_own_charge(store, livemode, request)
    intent = None
    if request.payment_intent:
        intent = get_payment_intent(store_id=store.pk, livemode=livemode, public_id=request.payment_intent)
    return _claim(incoming.pk, store, request, intent)


def find_incoming(*, store: Store, livemode: bool, receipt: str) -> IncomingPayment | None:
    """Incoming money that came to an account of the store's merchant or of the platform, whoever has it now."""
    rows = IncomingPayment.objects.select_related("provider_account__store", "store").exclude(status=_Status.REFUTED)
    found = rows.filter(livemode=livemode, receipt__in={receipt, receipt.strip().upper()})
    return next((incoming for incoming in found if is_reachable(incoming, store)), None)


def is_reachable(incoming: IncomingPayment, store: Store) -> bool:
    """Whether money of this account could ever be the store's."""
    owner = incoming.provider_account.store
    return owner is None or owner.merchant_id == store.merchant_id


def may_own(incoming: IncomingPayment, store: Store) -> bool:
    """Whether the store may claim this unclaimed money: nobody is named for it, or its own merchant is."""
    return incoming.store.code == INTAKE_CODE or incoming.store.merchant_id == store.merchant_id


def own_charges(store: Store, *, livemode: bool, receipt: str) -> QuerySet[Charge]:
    """The store's succeeded charges with this receipt, without those that incoming money made."""
    mine = Charge.objects.filter(payment_intent__store_id=store.pk, livemode=livemode, status=Charge.Status.SUCCEEDED)
    return mine.filter(receipt__in={receipt, receipt.strip().upper()}).exclude(payment_method=INCOMING_METHOD)


def find_active(*, provider: str, livemode: bool, receipt: str) -> Claim | None:
    """The claim that stands on a receipt."""
    key = active_key(provider=provider, livemode=livemode, receipt=receipt)
    return Claim.objects.select_related("incoming", "charge").filter(active_key=key).first()


def taken() -> Conflict:
    """Somebody has the receipt; who, is not said."""
    return Conflict("incoming_payment_claimed", "This receipt has been claimed already.", field="receipt")


def _claim(incoming_id: uuid.UUID, store: Store, request: ClaimRequest, intent: PaymentIntent | None) -> Claim:
    with transaction.atomic():
        locked_intent = None if intent is None else lock_intent(intent.pk)
        incoming = lock_incoming(incoming_id)
        if incoming.ownership != _Ownership.UNCLAIMED or not may_own(incoming, store):
            return _repeated(incoming, store, request)
        if not is_free(incoming):  # a charge has learned this receipt a moment ago
            raise taken()
        require_may_hold_for(store, incoming.provider_account, POOLED_INTAKE)
        claim = build_claim(
            incoming,
            store,
            reference=request.reference.strip(),
            method=request.method,
            score=request.score,
            reasons=request.reasons,
        )
        if locked_intent is not None:
            _check_intent(locked_intent, incoming)
            add_payment(incoming, locked_intent, claim)
            return claim
        batch = WriteBatch()
        book_claim(batch, incoming, claim, store)
        own(batch, incoming, Store.objects.get(pk=store.pk), {})
        batch.insert(claim)
        with ledger_errors():
            batch.execute()
    return claim


def _check_intent(intent: PaymentIntent, incoming: IncomingPayment) -> None:
    if intent.currency != incoming.currency:
        raise Invalid("currency_mismatch", f"This payment intent is in {intent.currency}.", field="payment_intent")
    if not can_pay(intent, incoming):
        raise Conflict("payment_intent_final", f"The payment intent is {intent.status}; it cannot be paid.")


def _repeated(incoming: IncomingPayment, store: Store, request: ClaimRequest) -> Claim:
    """The store's own claim again, if it is for the same purpose. Raises Conflict otherwise."""
    claim = find_active(provider=incoming.provider, livemode=incoming.livemode, receipt=incoming.receipt)
    if claim is None or claim.store_id != store.pk or claim.reference != request.reference.strip():
        raise taken()
    paid = claim.incoming.payment_intent.public_id if claim.incoming and claim.incoming.payment_intent else ""
    if request.payment_intent and request.payment_intent != paid:
        raise taken()
    return claim


def _refuse_held(incoming: IncomingPayment) -> None:
    """Raise Conflict while this money may still turn out to be a charge's, or not to exist. Hurries the answer."""
    if link_if_certain(incoming):
        return
    if held := open_charges_for(incoming):
        ask_soon(held)
        raise Conflict(
            "incoming_payment_held",
            "A payment that is still going on could be this money. Try again in half a minute.",
            field="receipt",
            retry_after=30,
        )
    if is_doubtful(incoming):
        raise Conflict(
            "incoming_payment_unverified",
            "The provider has not confirmed this payment yet. Try again in half a minute.",
            field="receipt",
            retry_after=30,
        )


def _claim_own_charge(store: Store, livemode: bool, request: ClaimRequest) -> Claim:
    """Mark the receipt of the store's own charge as used."""
    charge = own_charges(store, livemode=livemode, receipt=request.receipt).select_related("payment_intent").first()
    if charge is None:
        raise NotFound("receipt_not_found", "No money with this receipt has arrived that this store could claim.")
    if request.payment_intent not in ("", charge.payment_intent.public_id):
        raise taken()
    claim = build_claim(charge, Store.objects.get(pk=store.pk), reference=request.reference.strip())
    batch = WriteBatch()
    batch.insert(claim, claim_entry(claim, "claim.created", {"reference": [None, claim.reference]}))
    try:
        with transaction.atomic():
            batch.execute()
    except IntegrityError as error:
        if not is_unique_violation(error):
            raise
    else:
        return claim
    first = find_active(provider=charge.provider, livemode=livemode, receipt=charge.receipt or "")
    if first is None or first.store_id != store.pk or first.reference != claim.reference:
        raise taken()
    return first
