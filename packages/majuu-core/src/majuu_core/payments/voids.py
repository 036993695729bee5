"""Letting authorized money go, and calling back an attempt that the customer has not finished."""

from __future__ import annotations

import logging

from django.db import transaction

from majuu_core.common import clock
from majuu_core.common.problems import Conflict
from majuu_core.database.batch import WriteBatch
from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.calls import Conversation, take_money
from majuu_core.payments.captures import IN_A_MOMENT, open_provider
from majuu_core.payments.holds import audit_request, values_when_asked, void_held
from majuu_core.payments.locks import lock_charge
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.representation import refund_status_of_intent
from majuu_core.payments.settling import apply_result
from majuu_core.providers import FollowUpRequest, Result, ResultStatus, SupportsAuthorization

logger = logging.getLogger("majuu.payments")
_OVER = frozenset({ResultStatus.CANCELED, ResultStatus.SUCCEEDED})


def void_charge(*, charge: Charge, reason: PaymentIntent.CancellationReason) -> Charge:
    """Let an authorization go and cancel its intent, once the provider confirms it.

    The charge comes back as it is then: while the answer is missing it stays authorized, with ``void_requested_at``;
    after a refusal without it. If the money was captured after all, that counts. Raises Conflict when it cannot be
    voided now; nothing is written then.
    """
    conversation = Conversation(charge.provider_account, charge)
    open_provider(conversation)
    locked, started = _ask_for_it(charge, reason)
    if not started:
        return locked
    conversation.charge = locked
    return void_held(locked, conversation).charge


def waiting_on_a_page(intent: PaymentIntent) -> Charge | None:
    """The intent's charge whose customer was sent to the provider's page and has not finished there."""
    rows = intent.charges.filter(status=Charge.Status.REQUIRES_ACTION)
    charge = rows.select_related("payment_intent__store", "provider_account").order_by("pk").last()
    return charge if charge and (charge.next_action or {}).get("type") == "redirect" else None


def call_back(charge: Charge) -> Charge:
    """Ask the provider to end an attempt that waits for the customer, where it can; nothing is promised.

    Only a clear answer counts. Without one the attempt is followed up as before.
    """
    conversation = Conversation(charge.provider_account, charge)
    try:
        provider = conversation.provider()
    except Exception:
        logger.exception("no provider to call %s back", charge.public_id)
        return charge
    if not isinstance(provider, SupportsAuthorization) or not charge.provider_reference:
        return charge
    request = FollowUpRequest(
        idempotency_key=f"{charge.public_id}:call_back",
        reference=charge.public_id,
        provider_reference=charge.provider_reference,
        webhook_url=charge_callback_url(charge.pk),
    )
    void = provider.void
    result = take_money(conversation, lambda: void(request), replay_safe=provider.info.replay_safe)
    if result.status not in _OVER:
        logger.info("%s could not be called back: the provider says %s", charge.public_id, result.status)
        nothing = Result(status=ResultStatus.UNKNOWN)
        return apply_result(charge_id=charge.pk, result=nothing, records=conversation.records()).charge
    return apply_result(charge_id=charge.pk, result=result, records=conversation.records()).charge


def _ask_for_it(found: Charge, reason: PaymentIntent.CancellationReason) -> tuple[Charge, bool]:
    """The first transaction. False when the void was asked for before, or is done."""
    with transaction.atomic():
        charge = lock_charge(found.pk)
        intent, now = charge.payment_intent, clock.now()
        if intent.status == PaymentIntent.Status.CANCELED or charge.void_requested_at is not None:
            return charge, False
        _check_voidable(charge)
        values = {"void_requested_at": now, **values_when_asked(charge)}
        batch = WriteBatch()
        batch.update(Charge, charge.pk, values)
        batch.update(PaymentIntent, intent.pk, {"cancellation_reason": reason, "updated_at": now})
        audit_request(batch, charge, "charge.void_requested", {"reason": str(reason)})
        batch.execute()
        intent.cancellation_reason = reason
        for name, value in values.items():
            setattr(charge, name, value)
    return charge, True


def _check_voidable(charge: Charge) -> None:
    intent = charge.payment_intent
    if charge.status == Charge.Status.SUCCEEDED or intent.status == PaymentIntent.Status.SUCCEEDED:
        raise Conflict("payment_intent_succeeded", "The payment intent has succeeded; refund it instead.")
    if charge.status != Charge.Status.AUTHORIZED:
        raise Conflict("nothing_to_void", f"The charge is {charge.status}: it holds no money that could be let go.")
    if intent.amount_received.amount > 0 and refund_status_of_intent(intent) != "refunded":
        raise Conflict(
            "payment_intent_partially_paid", "Part of this payment intent has been paid; refund that part instead."
        )
    if charge.amount_to_capture is not None:
        raise Conflict("capture_in_progress", "It is being captured. Wait for the outcome.", retry_after=IN_A_MOMENT)
    if charge.is_parked or intent.is_parked:
        raise Conflict("payment_intent_under_review", "This payment is being looked at. Nothing can be voided now.")
