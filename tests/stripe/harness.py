"""Drives the Stripe provider through the contract checks, against the simulated Stripe over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from typing import Any

import httpx
import stripe

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    FollowUpRequest,
    PaymentProvider,
    PaymentRequest,
    Result,
    SaveMethodRequest,
    WebhookRequest,
)
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, WebhookKind, new_reference
from majuu_core.testing.memory import MemoryCache, provider_context
from majuu_sim.clock import ExternalClock
from majuu_sim.stripe import Endpoint, StripeAccount, StripeConfig, StripeSimulator
from majuu_sim.transport import CollectingTransport
from majuu_stripe.credentials import StripeCredentials
from majuu_stripe.provider import StripeProvider

KEY, SIGNING_SECRET = "sk_test_contract000000000001", "whsec_contract000000000000001"
OLD_SECRET = "whsec_contract000000000000000"  # replaced, and still listed
ENDPOINT = "https://pay.example.co.ke/in/aabbccdd00112233/secret"
_TOKENS = {
    Outcome.DECLINED: "pm_card_chargeDeclined",
    Outcome.INSUFFICIENT_FUNDS: "pm_card_chargeDeclinedInsufficientFunds",
    Outcome.REJECTED: "pm_unknown",
}
_FAULTS: dict[str, Any] = {
    Outcome.PENDING: {"answer_after": 20.0},
    Outcome.LOST_PAID: "timeout_after_commit",
    Outcome.LOST_UNPAID: "refuse_before_commit",
    Outcome.SERVER_ERROR: "accepted_5xx",
    Outcome.RATE_LIMITED: "spike_arrest",
    "fails_late": {"outcome": "refund_fails", "answer_after": 20.0},
}
_SECRETS = {"retired_secret": "whsec_contract_of_last_year", "old_secret": OLD_SECRET}
_IN_STRIPES_PAGE = frozenset({Outcome.NEEDS_ACTION, Outcome.CUSTOMER_CANCELS})


class Line(httpx.HTTPTransport):
    """A connection that can be cut, and that can change what comes back."""

    cut = False
    alter: Callable[[Any], None] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("the line is cut")
        answer = super().handle_request(request)
        if self.alter is None:
            return answer
        answer.read()
        body = json.loads(answer.content)
        self.alter(body)
        return httpx.Response(answer.status_code, json=body)


class StripeHarness(ProviderHarness):
    """One account at a simulated Stripe; each payment is made with one of Stripe's test cards."""

    provider_class = StripeProvider
    secrets = (KEY, SIGNING_SECRET, OLD_SECRET)

    def __init__(self, **settings: Any) -> None:
        """``settings`` are the simulator's; money can be paid out at once, so that the statement's days are today."""
        settings = {"available_after": 0.0, **settings}
        self.clock = VirtualClock()
        self.mail = CollectingTransport()
        endpoint = Endpoint(url=ENDPOINT, secrets=(SIGNING_SECRET,))
        account = StripeAccount(secret_key=KEY, endpoints=(endpoint,))
        self.sim = StripeSimulator(
            clock=ExternalClock(self.clock.now),
            transport=self.mail,
            config=StripeConfig(accounts=(account,), **settings),
        )
        self.line = Line()
        self._exchanges: list[Exchange] = []
        self._cache = MemoryCache()
        self._letters: list[bytes] = []
        self._verdicts: dict[str, bool] = {}  # of disputes, by their ids
        self._open = ExitStack()
        self._open.enter_context(use_clock(self.clock))
        self._open.enter_context(self.sim.serve())
        self._client = self._open.enter_context(httpx.Client(transport=self.line))

    def close(self) -> None:
        self._open.close()

    def make_provider(self) -> StripeProvider:
        return self._make(KEY)

    def make_provider_with_bad_credentials(self) -> PaymentProvider:
        return self._make("sk_test_revoked000000000001")

    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> PaymentRequest:
        self.line.cut = outcome is Outcome.NOT_SENT
        self.line.alter = {Outcome.WRONG_AMOUNT: _other_amount, Outcome.WRONG_CURRENCY: _other_currency}.get(outcome)
        if outcome in _FAULTS:
            self.sim.script(_FAULTS[outcome], operation="payment_create")
        reference = new_reference("ch")
        token = {} if outcome in _IN_STRIPES_PAGE else {"payment_method": _TOKENS.get(outcome, "pm_card_visa")}
        return PaymentRequest(
            idempotency_key=reference,
            reference=reference,
            amount=Money(1500, "KES"),
            payment_method="card",
            payment_method_data=token,
            description="Order 1042",
            return_url="https://shop.example.co.ke/thanks",
            cancel_url=f"https://shop.example.co.ke/{'left' if outcome is Outcome.CUSTOMER_CANCELS else 'cart'}",
        )

    def settle(self) -> None:
        """Customers pay in Stripe's page or leave it, and what takes time gets it."""
        leaving = False
        for session in self._open_sessions():
            if session["cancel_url"].endswith("left"):
                leaving = True
            else:
                self.sim.pay_session(session["id"])
        self.clock.advance(4000 if leaving else 60)
        self.sim.run_due()
        for name, won in list(self._verdicts.items()):
            if self.sim.object(name)["status"] in ("under_review", "warning_under_review"):
                self.sim.decide_dispute(name, won=won)
                del self._verdicts[name]

    def refund(self, paid: PaymentRequest, result: Result, outcome: Outcome = Outcome.SUCCEEDS) -> FollowUpRequest:
        self.line.cut = outcome is Outcome.NOT_SENT
        if outcome in {Outcome.DECLINED}:
            self.sim.refund_in_dashboard(result.receipt or "")  # there is nothing left to give back
        elif outcome in _FAULTS:
            self.sim.script(_FAULTS[outcome], operation="refund_create")
        elif outcome not in {Outcome.SUCCEEDS, Outcome.NOT_SENT}:
            raise NotOffered(f"this harness makes no refund that ends as {outcome}")
        return replace(self.follow_up("re", result), paid=paid.amount)

    def webhook(self, kind: WebhookKind, request: PaymentRequest, result: Result) -> WebhookRequest:
        if kind is WebhookKind.WRONG_SENDER:
            raise NotOffered("Stripe may send from anywhere; its signature counts")
        body = self.event_about(request.reference, "payment_intent.succeeded")
        good = signed(body, "whsec_somebody_elses_secret" if kind is WebhookKind.FORGED else SIGNING_SECRET)
        if kind is WebhookKind.TAMPERED:
            return replace(good, body=body.replace(b"150000", b"950000"))
        if kind is WebhookKind.UNSIGNED:
            return replace(good, headers={"content-type": "application/json"})
        if kind is WebhookKind.STALE:
            self.clock.advance(301)
        return good

    def account_webhook(self, kind: str, request: PaymentRequest, result: Result) -> WebhookRequest:
        """Of another account, or signed with a secret that was replaced."""
        body = self.event_about(request.reference, "payment_intent.succeeded")
        if kind == "other_account":
            body = body.replace(b'"pa_test"', b'"pa_other"')
        return signed(body, _SECRETS.get(kind, SIGNING_SECRET))

    def redelivery(self, request: PaymentRequest, result: Result) -> WebhookRequest:
        """An hour later, signed anew."""
        body = self.event_about(request.reference, "payment_intent.succeeded")
        self.clock.advance(3600)
        return signed(body, SIGNING_SECRET)

    def save_method(self, outcome: Outcome = Outcome.SUCCEEDS) -> SaveMethodRequest:
        """A card by its token; NEEDS_ACTION leaves it to Stripe's page."""
        tokens = {
            Outcome.SUCCEEDS: "pm_card_visa",
            Outcome.DECLINED: "pm_card_chargeDeclined",
            Outcome.NEEDS_ACTION: "",
        }
        if outcome not in tokens:
            raise NotOffered(f"this harness saves no method that ends as {outcome}")
        reference = new_reference("sm")
        return SaveMethodRequest(
            idempotency_key=reference,
            reference=reference,
            payment_method="card",
            payment_method_data={"payment_method": tokens[outcome]} if tokens[outcome] else {},
            customer=f"cu_{reference[3:]}",
            return_url="https://shop.example.co.ke/cards",
        )

    def dispute(self, outcome: str = "won") -> Any:
        """A payment that its bank disputes; once it was answered, settle() brings the bank's word."""
        kit: Any = import_module("majuu_core.testing.harness")
        request = self.payment()
        result = self.make_provider().sale(request)
        made = self.sim.dispute(result.receipt or "", reason="product_not_received", inquiry=outcome == "inquiry")
        self._verdicts[made["id"]] = outcome != "lost"
        return kit.Disputed(request=request, result=result, provider_reference=made["id"])

    def dispute_webhook(self, disputed: Any) -> WebhookRequest:
        """Stripe's latest event about the dispute."""
        bodies = [
            body
            for event, body in zip(self.events(), self._letters, strict=True)
            if event["data"]["object"]["id"] == disputed.provider_reference
        ]
        return signed(bodies[-1], SIGNING_SECRET)

    def bad_payment(self) -> PaymentRequest:
        return replace(self.payment(), payment_method_data={"payment_method": "4242 4242 4242 4242"})

    def count_payments(self, request: PaymentRequest) -> int:
        return len(self.sim.charges_of(request.reference))

    @property
    def exchanges(self) -> Sequence[Exchange]:
        return self._exchanges

    def events(self) -> list[dict[str, Any]]:
        """Everything Stripe has sent so far, oldest first."""
        self.clock.advance(2)
        self.sim.run_due()
        self._letters += [letter[1] for letter in self.mail.take()]
        return [json.loads(body) for body in self._letters]

    def event_about(self, reference: str, kind: str) -> bytes:
        """The body of the first event of this kind about an object that was made for the reference."""
        for number, event in enumerate(self.events()):
            about = event["data"]["object"]
            if event["type"] == kind and about.get("metadata", {}).get("majuu_reference") == reference:
                return self._letters[number]
        raise NotOffered(f"Stripe has sent no {kind} about this payment")

    def _open_sessions(self) -> list[dict[str, Any]]:
        [account] = self.sim.state()["accounts"]
        return [self.sim.object(name) for name, state in account["checkout_sessions"].items() if state == "open"]

    def _make(self, secret_key: str) -> StripeProvider:
        credentials = StripeCredentials.model_validate(
            {
                "secret_key": secret_key,
                "webhook_secrets": [SIGNING_SECRET, OLD_SECRET],
                "publishable_key": "pk_test_contract001",
            }
        )
        context = provider_context(credentials, cache=self._cache, options={"base_url": self.sim.base_url})
        http = ProviderHttp(client=self._client, observe=self._exchanges.append, read_timeout=5)
        return StripeProvider(replace(context, http=http))


def signed(body: bytes, secret: str, *, at: int | None = None) -> WebhookRequest:
    """A message as Stripe would send it now, signed by the SDK's own helper."""
    moment = int(clock.now().timestamp()) if at is None else at
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, moment)
    return WebhookRequest(
        method="POST",
        headers={"content-type": "application/json", "stripe-signature": header},
        query={},
        body=body,
        remote_addr="3.18.12.63",
    )


def _other_amount(body: Any) -> None:
    if body.get("object") == "payment_intent":
        body["amount_received"] += 100


def _other_currency(body: Any) -> None:
    if body.get("object") == "payment_intent":
        body["currency"] = "usd"
