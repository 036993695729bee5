"""Drives the provider through Majuu's contract checks, against a small Pesapal on this machine."""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import httpx
from moneyed import Money

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.providers import FollowUpRequest, PaymentProvider, PaymentRequest, Result, WebhookRequest
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, WebhookKind, new_reference
from majuu_core.testing.memory import MemoryCache, provider_context
from majuu_pesapal.credentials import PesapalCredentials
from majuu_pesapal.provider import PesapalProvider
from majuu_pesapal.testing.server import IPN_ID, KEY, SECRET, Pesapal, serve

_FAILURES = {
    Outcome.DECLINED: "Declined by the issuer",
    Outcome.INSUFFICIENT_FUNDS: "Insufficient funds",
    Outcome.CUSTOMER_CANCELS: "Cancelled by the customer",
}
_ANSWERS: dict[Outcome, tuple[int, bytes, dict[str, str]] | None] = {
    Outcome.LOST_UNPAID: None,
    Outcome.SERVER_ERROR: (502, b"<html>Bad gateway</html>", {}),
    Outcome.RATE_LIMITED: (429, b"{}", {"Retry-After": "7"}),
}
_REPORTED: dict[Outcome, dict[str, object]] = {
    Outcome.WRONG_AMOUNT: {"amount": 1499},
    Outcome.WRONG_CURRENCY: {"currency": "UGX"},
}


class _Line(httpx.HTTPTransport):
    """A connection that can be cut."""

    cut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("the line is cut")
        return super().handle_request(request)


class PesapalHarness(ProviderHarness):
    """One account at the small Pesapal. ``settle`` lets every customer and the refund desk do their part."""

    provider_class = PesapalProvider
    secrets = (KEY, SECRET)

    def __init__(self) -> None:
        self.pesapal, self.clock = Pesapal(), VirtualClock()
        self._outcomes: dict[str, Outcome] = {}
        self._exchanges: list[Exchange] = []
        # The small Pesapal speaks plain HTTP: no certificates have to be read for it.
        self._cache, self._line = MemoryCache(), _Line(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._open = ExitStack()
        self._open.enter_context(use_clock(self.clock))
        self._url = self._open.enter_context(serve(self.pesapal))
        self._client = self._open.enter_context(httpx.Client(transport=self._line))

    def close(self) -> None:
        self._open.close()

    def make_provider(self) -> PesapalProvider:
        return self._make(SECRET, self._cache)

    def make_provider_with_bad_credentials(self) -> PaymentProvider:
        return self._make("not-the-secret", MemoryCache())

    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> PaymentRequest:
        if outcome is Outcome.LOST_PAID:
            raise NotOffered("the customer pays at an address that stands in the answer; lost, nobody can pay")
        self._line.cut = outcome is Outcome.NOT_SENT
        self.pesapal.next_answers = [_ANSWERS[outcome]] if outcome in _ANSWERS else []
        reference = new_reference("ch")
        self._outcomes[reference] = outcome
        return PaymentRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            amount=Money("1500", "KES"),
            payment_method="pesapal",
            payment_method_data={},
            return_url="" if outcome is Outcome.REJECTED else "https://pay.example.co.ke/back",
        )

    def settle(self) -> None:
        for order in self.pesapal.orders.values():
            outcome = self._outcomes.get(order.body["id"], Outcome.SUCCEEDS)
            if order.state == 0:
                order.state = 2 if outcome in _FAILURES else 1
                order.description = _FAILURES.get(outcome, "")
                order.reported = dict(_REPORTED.get(outcome, {}))
            elif order.refund_asked:
                order.state = 3

    def refund(self, paid: PaymentRequest, result: Result, outcome: Outcome = Outcome.SUCCEEDS) -> FollowUpRequest:
        if outcome is Outcome.LOST_PAID:
            self.pesapal.next_answers = [None]
        elif outcome is not Outcome.SUCCEEDS:
            raise NotOffered(f"Pesapal's refund desk tells of no refund that ends as {outcome}")
        return self.follow_up("re", result)

    def webhook(self, kind: WebhookKind, request: PaymentRequest, result: Result) -> WebhookRequest:
        if kind is not WebhookKind.GOOD:
            raise NotOffered("Pesapal does not sign its notifications, and may send from anywhere")
        return notification(request.reference, result.provider_reference or "")

    def redelivery(self, request: PaymentRequest, result: Result) -> WebhookRequest:
        self.clock.advance(300)
        return replace(notification(request.reference, result.provider_reference or ""), remote_addr="203.0.113.9")

    def count_payments(self, request: PaymentRequest) -> int:
        return sum(order.body["id"] == request.reference for order in self.pesapal.orders.values())

    @property
    def exchanges(self) -> Sequence[Exchange]:
        return self._exchanges

    def _make(self, secret: str, cache: MemoryCache) -> PesapalProvider:
        credentials = PesapalCredentials.model_validate(
            {"consumer_key": KEY, "consumer_secret": secret, "ipn_id": IPN_ID, "username": "duka"}
        )
        context = provider_context(credentials, cache=cache, options={"base_url": self._url})
        http = ProviderHttp(client=self._client, observe=self._exchanges.append, read_timeout=5)
        return PesapalProvider(replace(context, http=http))


def notification(reference: str, tracking_id: str) -> WebhookRequest:
    """What Pesapal sends to the notification address when something changed."""
    body = {
        "OrderTrackingId": tracking_id,
        "OrderMerchantReference": reference,
        "OrderNotificationType": "IPNCHANGE",
    }
    return WebhookRequest(
        method="POST",
        headers={"content-type": "application/json"},
        query={},
        body=json.dumps(body).encode(),
        remote_addr="203.0.113.7",
    )
