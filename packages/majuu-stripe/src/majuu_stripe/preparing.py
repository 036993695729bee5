"""What can be wrong with a card payment before Stripe is asked, and what is sent when nothing is."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from majuu_core.common import clock
from majuu_core.common.redaction import contains_card_number
from majuu_core.providers import InvalidPaymentData, PaymentRequest, RequestRejected, Violation
from majuu_stripe import options
from majuu_stripe.account import Account, made_at, order_metadata
from majuu_stripe.currencies import charge_violations, to_stripe
from majuu_stripe.fields import CHECKOUT, DIRECT, seconds_of

METHOD = "card"
TOKEN = "payment_method"  # noqa: S105 - a field's name
_TOKEN = re.compile(r"(?:pm|card|src)_[A-Za-z0-9_]{1,250}")
_CUSTOMER = re.compile(r"cus_[A-Za-z0-9_]{1,250}")
_CARD_FIELDS = re.compile(
    r"card[\[.].*|(?:card[_-]?)?(?:number|pan|cvc2?|cvv2?|security[_-]?code|exp(?:iry|iration)?(?:[_-]?(?:date|month|year))?)",
    re.IGNORECASE,
)
# Stripe takes no session that ends in less than half an hour; a minute is for the way there.
_SHORTEST = timedelta(minutes=31)
_LONGEST_DESCRIPTION = 500


def prepare(request: PaymentRequest) -> PaymentRequest:
    """The request, when there is nothing to object to; every objection at once in InvalidPaymentData."""
    if request.payment_method != METHOD:
        message = f"Use the payment method {METHOD}."
        raise InvalidPaymentData(Violation(code="payment_method_unsupported", message=message, field="payment_method"))
    violations = charge_violations(request.amount) + _data_violations(request)
    if not violations and is_hosted(request) and not request.return_url:
        message = "Send a return_url: where the customer goes from Stripe's page after paying."
        violations.append(Violation(code="return_url_required", message=message, field="return_url"))
    if violations:
        raise InvalidPaymentData(*violations)
    return request


def is_hosted(request: PaymentRequest) -> bool:
    """True when the customer enters the card in Stripe's own page."""
    return not token_of(request)


def token_of(request: PaymentRequest) -> str:
    """The Stripe payment method that is to be charged; "" without one."""
    return request.saved_method or request.payment_method_data.get(TOKEN, "").strip()


def card_data_violations(data: dict[str, str]) -> list[Violation]:
    """Objections to what may be a card's own data. A card number is never repeated, stored or sent on."""
    field = f"payment_method_data.{TOKEN}"
    if any(contains_card_number(f"{name} {value}") for name, value in data.items()):
        message = "Never send card numbers here. Send a Stripe payment method (pm_…), or nothing to use Stripe's page."
        return [Violation(code="card_number_refused", message=message, field="payment_method_data")]
    if any(_CARD_FIELDS.fullmatch(name) for name in data):
        message = "Never send card data here. Send a Stripe payment method (pm_…), or nothing to use Stripe's page."
        return [Violation(code="card_data_refused", message=message, field="payment_method_data")]
    token = data.get(TOKEN, "").strip()
    if token and not _TOKEN.fullmatch(token):
        message = "payment_method must be a Stripe payment method such as pm_1Nv…; leave it out to use Stripe's page."
        return [Violation(code="payment_method_invalid", message=message, field=field)]
    return []


def payment_intent_params(account: Account, request: PaymentRequest, capture_method: str) -> dict[str, Any]:
    """What is sent to charge a card whose token we have, at once."""
    params: dict[str, Any] = {
        "amount": to_stripe(request.amount),
        "currency": request.amount.currency.code.lower(),
        "payment_method": token_of(request),
        "payment_method_types": ["card"],
        "confirm": True,
        "expand": ["latest_charge.balance_transaction"],
        **_intent_params(account, request, capture_method, DIRECT),
    }
    if request.customer_reference:
        params["customer"] = request.customer_reference
    if not request.customer_present:
        params["off_session"] = True
    elif request.return_url:
        params["return_url"] = request.return_url
    return params


def session_params(account: Account, request: PaymentRequest, capture_method: str) -> dict[str, Any]:
    """What is sent for a page of Stripe's, where the customer enters the card."""
    name = (request.description or request.merchant_reference or "Payment").strip()[:250]
    price = {
        "currency": request.amount.currency.code.lower(),
        "unit_amount": to_stripe(request.amount),
        "product_data": {"name": name},
    }
    intent = _intent_params(account, request, capture_method, CHECKOUT)
    params: dict[str, Any] = {
        "mode": "payment",
        "payment_method_types": ["card"],
        "line_items": [{"quantity": 1, "price_data": price}],
        "client_reference_id": request.reference,
        "metadata": intent["metadata"],
        "payment_intent_data": intent,
        "success_url": request.return_url,
        "cancel_url": request.cancel_url or request.return_url,
    }
    if request.customer_reference:
        params["customer"] = request.customer_reference
    elif request.customer_email:
        params["customer_email"] = request.customer_email
    until = expires_at(account, request.reference)
    return params if until is None else params | {"expires_at": seconds_of(until)}


def expires_at(account: Account, reference: str) -> datetime | None:
    """When the page closes: a round time after the payment was begun, so that a repeated request is the same one.

    Stripe refuses a known idempotency key with other parameters. None for a reference that holds no time.
    """
    begun = made_at(reference)
    if begun is None:
        return None
    try:
        length = options.checkout_time(account.options)
    except options.OptionsError as problem:
        raise RequestRejected(f"the setting is wrong: {problem}", code="configuration") from problem
    soonest = clock.now() + _SHORTEST
    late = max(soonest - begun - length, timedelta(0))
    return begun + length * (1 + -(-late // length))


def _intent_params(account: Account, request: PaymentRequest, capture_method: str, flow: str) -> dict[str, Any]:
    more = {**request.metadata, **order_metadata(request.merchant_reference)}
    params: dict[str, Any] = {
        "capture_method": capture_method,
        "metadata": account.metadata(request.reference, more, flow=flow),
    }
    description = request.description or request.merchant_reference
    if description:
        params["description"] = description[:_LONGEST_DESCRIPTION]
    if account.credentials.statement_descriptor_suffix:
        params["statement_descriptor_suffix"] = account.credentials.statement_descriptor_suffix
    return params


def _data_violations(request: PaymentRequest) -> list[Violation]:
    violations = card_data_violations(dict(request.payment_method_data))
    if request.saved_method and not _TOKEN.fullmatch(request.saved_method):
        message = "The saved method is not one of Stripe's."
        violations.append(Violation(code="saved_method_invalid", message=message, field="saved_method"))
    if request.customer_reference and not _CUSTOMER.fullmatch(request.customer_reference):
        message = "The customer is not one of Stripe's."
        violations.append(Violation(code="customer_invalid", message=message, field="customer"))
    if request.saved_method and not request.customer_reference:
        message = "A saved card can only be charged together with its customer."
        violations.append(Violation(code="customer_required", message=message, field="customer"))
    if not request.customer_present and not request.saved_method:
        message = "Without the customer only a saved card can be charged."
        violations.append(Violation(code="saved_method_required", message=message, field="saved_method"))
    return violations
