"""A scripted PayPal without sockets: answers in turn, remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from majuu_core.providers import FetchRequest, FollowUpRequest
from majuu_core.testing.memory import MemoryCache, provider_context
from majuu_paypal.credentials import PaypalCredentials
from majuu_paypal.provider import PaypalProvider

CREDENTIALS = {
    "client_id": "id-Zx81kQpLmN",
    "client_secret": "secret-4TbW9vYcR2",
    "webhook_id": "1JE4291016473214C",
}
CHARGE, REFUND, PAYOUT = (f"{prefix}_01kaf3v9m2000000000000000a" for prefix in ("ch", "re", "po"))


class ScriptedPaypal:
    """Issues tokens T1, T2, … and answers everything else with the given replies in turn."""

    def __init__(self, *replies: httpx.Response | Exception, token: httpx.Response | Exception | None = None) -> None:
        self.replies = list(replies)
        self.token = token
        self.tokens = 0
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/oauth2/token":
            self.tokens += 1
            issued = self.token or answer({"access_token": f"T{self.tokens}", "expires_in": 32_400})
            return _play(issued)
        self.requests.append(request)
        return _play(self.replies.pop(0))

    def provider(
        self, *, livemode: bool = False, cache: MemoryCache | None = None, options: Mapping[str, str] | None = None
    ) -> PaypalProvider:
        credentials = PaypalCredentials.model_validate(CREDENTIALS)
        context = provider_context(credentials, livemode=livemode, handler=self, cache=cache, options=options)
        return PaypalProvider(context)

    @property
    def paths(self) -> list[str]:
        """What was asked, as "GET /v2/…"."""
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def sent(self, number: int = 0) -> Any:
        """The JSON of a request."""
        return json.loads(self.requests[number].content)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


def refused(issue: str, *, status: int = 422, description: str = "", **more: Any) -> httpx.Response:
    body = {
        "name": "UNPROCESSABLE_ENTITY",
        "message": "The requested action could not be performed.",
        "debug_id": "f1d2",
        "details": [{"issue": issue, "description": description or f"{issue} it is."}],
        **more,
    }
    return httpx.Response(status, json=body)


def money(value: str, code: str = "USD") -> dict[str, str]:
    return {"currency_code": code, "value": value}


def order(status: str, *, intent: str = "CAPTURE", payments: Any = None, reference: str = CHARGE) -> dict[str, Any]:
    """An order as PayPal shows it."""
    unit: dict[str, Any] = {"amount": money("20.00"), "custom_id": reference}
    if payments is not None:
        unit["payments"] = payments
    return {
        "id": "5O190127TN364715T",
        "intent": intent,
        "status": status,
        "create_time": "2026-01-05T09:00:00Z",
        "purchase_units": [unit],
        "links": [
            {"rel": "payer-action", "href": "https://www.sandbox.paypal.com/checkoutnow?token=5O190127TN364715T"}
        ],
    }


def fetch(reference: str = CHARGE, provider_reference: str | None = "5O190127TN364715T") -> FetchRequest:
    return FetchRequest(reference=reference, provider_reference=provider_reference)


def follow_up(reference: str = CHARGE, **changes: Any) -> FollowUpRequest:
    fields: dict[str, Any] = {
        "idempotency_key": f"key-{reference}",
        "reference": reference,
        "provider_reference": "5O190127TN364715T",
        **changes,
    }
    return FollowUpRequest(**fields)


def _play(reply: httpx.Response | Exception) -> httpx.Response:
    if isinstance(reply, Exception):
        raise reply
    return reply
