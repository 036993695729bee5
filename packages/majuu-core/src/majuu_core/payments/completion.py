"""Completing a payment that the customer has approved at the provider: only this call moves the money."""

from __future__ import annotations

from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.calls import Conversation, take_money
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.transitions import FINAL_INTENT
from majuu_core.providers import FollowUpRequest, Result, ResultStatus, SupportsCompletion


def is_wanted(charge: Charge) -> bool:
    """Whether the intent, as it is now, still waits for the money of an approved payment.

    Nobody takes money on purpose for what is canceled, or was paid in another way.
    """
    return not PaymentIntent.objects.filter(pk=charge.payment_intent_id, status__in=FINAL_INTENT).exists()


def complete(conversation: Conversation, charge: Charge, approved: Result) -> Result:
    """Take or hold the money of an approved payment. ``approved`` is the answer that says so.

    A refusal of the call itself decides nothing, because an earlier call may have arrived: the payment waits then,
    and the next question tells.
    """
    provider = conversation.provider()
    if not isinstance(provider, SupportsCompletion):
        raise TypeError(f"the provider {provider.code} asks for a completion and has no complete()")
    request = FollowUpRequest(
        idempotency_key=f"{charge.public_id}:complete",
        reference=charge.public_id,
        provider_reference=charge.provider_reference or approved.provider_reference or "",
        amount=charge.amount,
        webhook_url=charge_callback_url(charge.pk),
    )
    run = provider.complete
    result = take_money(conversation, lambda: run(request), replay_safe=provider.info.replay_safe, repeated=True)
    return approved if result.status is ResultStatus.UNKNOWN else result
