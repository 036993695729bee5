"""What a shop's own page may ask with a publishable key: how one payment stands. Nothing else takes such a key."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from majuu_core.api.auth import CheckoutBearerKey, CheckoutHeaderKey
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import ProblemOut
from majuu_core.common.money import format_amount
from majuu_core.common.problems import NotFound
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.payments.addresses import payment_url
from majuu_core.payments.representation import remaining_amount, represent_time
from majuu_core.payments.selectors import intent_for_link

router = Router(tags=["Checkout"])
_MAX_TOKEN = 64


class CheckoutIntentOut(Schema):
    """What the customer may know. No e-mail address, phone number or metadata."""

    object: Literal["checkout_payment_intent"]
    id: str
    livemode: bool
    status: str
    amount: str
    amount_received: str
    amount_remaining: str
    currency: str
    description: str
    payment_url: str = Field(description="Send the customer there to pay.")
    expires_at: str | None


@router.get(
    "/payment-intents/{link_token}",
    auth=[CheckoutBearerKey(), CheckoutHeaderKey()],
    response={200: CheckoutIntentOut, 401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 429: ProblemOut},
    operation_id="get_checkout_payment_intent",
    summary="How a payment stands",
    url_name="checkout_payment_intent",
)
def retrieve(request: HttpRequest, link_token: str) -> HttpResponse:
    """For the shop's own page, with a publishable key: the payment whose page ``payment_url`` ends with this token.

    Without the token nobody learns anything, so the key may be seen by everybody. Ask every few seconds, or wait for
    the customer to come back; deliver only after the webhook.
    """
    caller: KeyIdentity = request.auth  # type: ignore[attr-defined]
    intent = intent_for_link(link_token[:_MAX_TOKEN])
    if intent is None or (intent.store_id, intent.livemode) != (caller.store_id, caller.livemode):
        raise NotFound("payment_intent_not_found", "There is no such payment intent in this store and mode.")
    shown = {
        "object": "checkout_payment_intent",
        "id": intent.public_id,
        "livemode": intent.livemode,
        "status": intent.status,
        "amount": format_amount(intent.amount),
        "amount_received": format_amount(intent.amount_received),
        "amount_remaining": format_amount(remaining_amount(intent)),
        "currency": intent.currency,
        "description": intent.description,
        "payment_url": payment_url(intent),
        "expires_at": represent_time(intent.expires_at),
    }
    return json_response(request, 200, shown)
