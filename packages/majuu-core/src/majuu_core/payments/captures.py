"""Taking authorized money: what was asked for is written down first, then the provider is called, then it is settled.

A capture is the last of its authorization. One of less than was authorized is final too: the rest is released, and the
intent has succeeded with what was captured.
"""

from __future__ import annotations

import logging

from django.db import transaction
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.errors import CredentialsUnreadable
from majuu_core.payments.calls import Conversation
from majuu_core.payments.holds import audit_request, capture_held, held_amount, values_when_asked
from majuu_core.payments.locks import lock_charge
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.transitions import FINAL_INTENT
from majuu_core.providers import PaymentProvider, SupportsAuthorization

logger = logging.getLogger("majuu.payments")
IN_A_MOMENT = 10


def capture_payment_intent(
    *, intent: PaymentIntent, amount: Money | None = None, request_key: str = ""
) -> tuple[PaymentIntent, Charge]:
    """Take the money an intent's authorized charge holds; all of it without an amount, in the intent's currency.

    Returns both as they are once the provider has answered: while its answer is missing the charge stays authorized,
    with ``amount_to_capture``; after a refusal too, with the failure. ``request_key`` names the API request: the same
    one again joins its capture. Raises Invalid for an amount that cannot be captured and Conflict when nothing can be
    captured now; nothing is written then.
    """
    charge = _find(intent, request_key)
    if request_key and charge.capture_key == request_key:
        return charge.payment_intent, charge
    conversation = Conversation(charge.provider_account, charge)
    provider = open_provider(conversation)
    charge, started = _ask_for_it(charge, provider, amount, request_key)
    if started:
        conversation.charge = charge
        charge = capture_held(charge, conversation).charge
    return charge.payment_intent, charge


def open_provider(conversation: Conversation) -> PaymentProvider:
    """The provider that holds the money. Raises Conflict when it cannot be used."""
    try:
        provider = conversation.provider()
    except CredentialsUnreadable:
        logger.exception("the credentials of %s do not open", conversation.account)
        raise Conflict(
            "provider_account_unusable",
            "The credentials of this payment's account cannot be read. Enter them again in the console.",
        ) from None
    if not isinstance(provider, SupportsAuthorization):
        raise Conflict("capture_unsupported", "The provider of this payment cannot capture or void what it holds.")
    return provider


def authorized_charge(intent: PaymentIntent) -> Charge | None:
    """The intent's authorized charge, as it is now, not locked."""
    rows = intent.charges.select_related("payment_intent__store", "provider_account")
    return rows.filter(status=Charge.Status.AUTHORIZED).order_by("pk").last()


def _find(intent: PaymentIntent, request_key: str) -> Charge:
    rows = intent.charges.select_related("payment_intent__store", "provider_account")
    mine = rows.filter(capture_key=request_key).first() if request_key else None
    charge = mine or authorized_charge(intent)
    if charge is None:
        raise _nothing_authorized(intent)
    return charge


def _nothing_authorized(intent: PaymentIntent) -> Conflict:
    return Conflict(
        "nothing_to_capture", f"The payment intent is {intent.status}: no money is authorized that could be captured."
    )


def _ask_for_it(
    found: Charge, provider: PaymentProvider, amount: Money | None, request_key: str
) -> tuple[Charge, bool]:
    """The first transaction. False when this very request had asked before."""
    with transaction.atomic():
        charge = lock_charge(found.pk)
        if request_key and charge.capture_key == request_key:
            return charge, False
        check_capturable(charge)
        wanted = _amount_to_capture(charge, provider, amount)
        values = {"amount_to_capture": wanted.amount, "capture_key": request_key, **values_when_asked(charge)}
        batch = WriteBatch()
        batch.update(Charge, charge.pk, values)
        audit_request(batch, charge, "charge.capture_requested", {"amount": [None, format_amount(wanted)]})
        batch.execute()
        for name, value in values.items():
            setattr(charge, name, value)
    return charge, True


def check_capturable(charge: Charge) -> None:
    """Raise Conflict unless the charge, which is locked, can be captured now."""
    intent = charge.payment_intent
    if charge.status != Charge.Status.AUTHORIZED or intent.status in FINAL_INTENT:
        raise _nothing_authorized(intent)
    if charge.is_parked or intent.is_parked:
        raise Conflict("payment_intent_under_review", "This payment is being looked at. Nothing can be captured now.")
    if charge.void_requested_at is not None:
        raise Conflict("void_in_progress", "The authorization is being voided.", retry_after=IN_A_MOMENT)
    if charge.amount_to_capture is not None:
        raise Conflict("capture_in_progress", "It is being captured. Wait for the outcome.", retry_after=IN_A_MOMENT)
    if charge.capture_before is not None and charge.capture_before <= clock.now():
        raise Conflict("authorization_expired", "The authorization has expired. Create a new payment intent.")


def _amount_to_capture(charge: Charge, provider: PaymentProvider, amount: Money | None) -> Money:
    """In the charge's currency. Raises Invalid."""
    held = held_amount(charge)
    whole: Money = charge.amount
    if amount is None or amount == held:
        return whole
    if amount.currency != held.currency:
        raise Invalid("currency_mismatch", f"This payment intent is in {held.currency.code}.", field="amount")
    if not 0 < amount.amount <= held.amount:
        raise Invalid(
            "capture_amount_out_of_range",
            f"At most {format_amount(held)}, which is authorized, can be captured.",
            field="amount",
        )
    if not provider.info.partial_captures:
        raise Invalid(
            "partial_capture_unsupported",
            f"{provider.info.display_name} captures only all that was authorized: {format_amount(held)}.",
            field="amount",
        )
    if held.currency != whole.currency:
        raise Invalid(
            "partial_capture_exchanged",
            f"The customer is charged in {whole.currency.code}: capture all that is authorized, {format_amount(held)}.",
            field="amount",
        )
    return amount
