"""Requests to start from, objects as Stripe sends them, and a scripted Stripe without sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from majuu_core.common import ids
from majuu_core.common.money import Money, parse_amount
from majuu_core.providers import FollowUpRequest, PaymentRequest, Result, WebhookRequest
from majuu_core.testing.memory import provider_context
from majuu_stripe.credentials import StripeCredentials
from majuu_stripe.provider import StripeProvider

KEY = "sk_test_51Majuu000000000000"
SIGNING_SECRET = "whsec_majuu0000000000000001"
ACCOUNT = "pa_test"
CHARGE = ids.encode_id("ch", ids.first_uuid(datetime(2026, 3, 1, 9, tzinfo=UTC)))
REFUND = ids.encode_id("re", ids.first_uuid(datetime(2026, 3, 2, 9, tzinfo=UTC)))
AT = 1_772_355_600  # 2026-03-01 09:00 UTC

Obj = dict[str, Any]


def money(amount: str, currency: str = "KES") -> Money:
    return parse_amount(amount, currency)


def payment(**changes: Any) -> PaymentRequest:
    values: dict[str, Any] = {
        "idempotency_key": CHARGE,
        "reference": CHARGE,
        "amount": money("1500.00"),
        "payment_method": "card",
        "payment_method_data": {"payment_method": "pm_card_visa"},
        "return_url": "https://shop.example.co.ke/thanks",
    }
    return PaymentRequest(**(values | changes))


def follow_up(result: Result, *, reference: str = REFUND, **changes: Any) -> FollowUpRequest:
    values: dict[str, Any] = {
        "idempotency_key": f"key-{reference}",
        "reference": reference,
        "provider_reference": result.provider_reference or "",
        "receipt": result.receipt,
    }
    return FollowUpRequest(**(values | changes))


def make_provider(
    handler: Callable[[httpx.Request], httpx.Response] | None = None,
    *,
    options: dict[str, str] | None = None,
    livemode: bool = False,
    **credentials: Any,
) -> StripeProvider:
    values = {"secret_key": KEY, "webhook_secrets": [SIGNING_SECRET]} | credentials
    context = provider_context(
        StripeCredentials.model_validate(values), handler=handler, options=options, livemode=livemode
    )
    return StripeProvider(context)


class Stripe:
    """Answers requests from a list, in order, and keeps them."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)


def answer(status: int, body: Any, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


def refusal(status: int, **error: Any) -> httpx.Response:
    return answer(status, {"error": {"type": "invalid_request_error", "message": "No.", **error}})


def metadata(reference: str = CHARGE, flow: str = "direct", account: str = ACCOUNT) -> dict[str, str]:
    return {"majuu_reference": reference, "majuu_account": account, "majuu_flow": flow}


def intent(status: str = "succeeded", **changes: Any) -> Obj:
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 150_000,
        "amount_received": 150_000 if status == "succeeded" else 0,
        "amount_capturable": 150_000 if status == "requires_capture" else 0,
        "currency": "kes",
        "created": AT,
        "status": status,
        "latest_charge": "ch_1",
        "metadata": metadata(),
    } | changes


def charge(**changes: Any) -> Obj:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 150_000,
        "amount_captured": 150_000,
        "captured": True,
        "refunded": False,
        "currency": "kes",
        "created": AT,
        "status": "succeeded",
        "payment_intent": "pi_1",
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
        "metadata": metadata(),
    } | changes


def session(status: str = "complete", **changes: Any) -> Obj:
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "mode": "payment",
        "amount_total": 150_000,
        "currency": "kes",
        "created": AT,
        "expires_at": AT + 3600,
        "status": status,
        "payment_status": "paid" if status == "complete" else "unpaid",
        "payment_intent": "pi_1" if status == "complete" else None,
        "url": "https://checkout.stripe.com/c/pay/cs_test_1" if status == "open" else None,
        "metadata": metadata(flow="checkout"),
    } | changes


def refund(**changes: Any) -> Obj:
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 50_000,
        "currency": "kes",
        "created": AT,
        "status": "succeeded",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "metadata": {"majuu_reference": REFUND, "majuu_account": ACCOUNT},
    } | changes


def dispute(status: str = "needs_response", **changes: Any) -> Obj:
    return {
        "id": "du_1",
        "object": "dispute",
        "amount": 150_000,
        "currency": "kes",
        "created": AT,
        "status": status,
        "reason": "product_not_received",
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "balance_transactions": [{"id": "txn_1", "amount": -150_000, "fee": 1500, "currency": "kes"}],
        "evidence_details": {"due_by": AT + 86_400, "submission_count": 0},
        "metadata": {},
    } | changes


def event(kind: str, about: Obj, **changes: Any) -> Obj:
    return {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "created": AT + 10,
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": about},
    } | changes


def message(event: Any) -> WebhookRequest:
    return WebhookRequest(
        method="POST", headers={}, query={}, body=json.dumps(event).encode(), remote_addr="3.18.12.63"
    )
