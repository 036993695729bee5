"""Drives the M-Pesa provider through the contract checks, against the simulated Daraja over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import httpx

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import PaymentProvider, PaymentRequest, Result, WebhookRequest
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, WebhookKind, new_reference
from majuu_core.testing.memory import MemoryCache, provider_context
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.options import CALLBACK_ADDRESSES
from majuu_mpesa.provider import MpesaProvider
from majuu_sim.clock import ExternalClock
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, App, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport

KEY, SECRET = "consumer-key-of-the-contract-tests", "consumer-secret-of-the-contract-tests"
CALLBACK_TOKEN = "zzyyxxwwvvuuttrr0123"
_FAULTS = {
    Outcome.DECLINED: "wrong_pin",
    Outcome.INSUFFICIENT_FUNDS: "insufficient",
    Outcome.CUSTOMER_CANCELS: "cancel",
    Outcome.LOST_PAID: "timeout_after_commit",
    Outcome.LOST_UNPAID: "refuse_before_commit",
    Outcome.SERVER_ERROR: "accepted_5xx",
    Outcome.RATE_LIMITED: "spike_arrest",
}


class _Line(httpx.HTTPTransport):
    """A connection that can be cut."""

    cut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("the line is cut")
        return super().handle_request(request)


class MpesaHarness(ProviderHarness):
    """One paybill at a simulated Daraja; each payment is made by another customer."""

    provider_class = MpesaProvider
    secrets = (KEY, SECRET, SANDBOX_PASSKEY, CALLBACK_TOKEN)

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.mail = CollectingTransport()
        self.sim = DarajaSimulator(
            clock=ExternalClock(self.clock.now),
            transport=self.mail,
            config=DarajaConfig(apps=(App(consumer_key=KEY, consumer_secret=SECRET),)),
        )
        self.line = _Line()
        self._exchanges: list[Exchange] = []
        self._cache = MemoryCache()
        self._customers = 0
        self._open = ExitStack()
        self._open.enter_context(use_clock(self.clock))
        self._open.enter_context(self.sim.serve())
        self._client = self._open.enter_context(httpx.Client(transport=self.line))

    def close(self) -> None:
        self._open.close()

    def make_provider(self) -> MpesaProvider:
        return self._make(SECRET)

    def make_provider_with_bad_credentials(self) -> PaymentProvider:
        return self._make("not-the-secret")

    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> PaymentRequest:
        if outcome in {Outcome.WRONG_AMOUNT, Outcome.WRONG_CURRENCY}:
            raise NotOffered("Daraja's answers to a push and to a query hold no amount")
        self._customers += 1
        customer = f"2547112233{self._customers:02}"
        self.line.cut = outcome is Outcome.NOT_SENT
        if outcome in _FAULTS:
            self.sim.script(_FAULTS[outcome], customer=customer)
        host = (
            "mpesa.example.co.ke" if outcome is Outcome.REJECTED else "pay.example.co.ke"
        )  # a word that Daraja refuses
        reference = new_reference("ch")
        return PaymentRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            amount=Money(1500, "KES"),
            payment_method="mpesa_stk",
            payment_method_data={"phone": f"0{customer[3:]}"},
            webhook_url=f"https://{host}/in/paabbdd00112233/{CALLBACK_TOKEN}",
        )

    def settle(self) -> None:
        for _ in range(3):
            self.clock.advance(30)
            self.sim.run_due()

    def webhook(self, kind: WebhookKind, request: PaymentRequest, result: Result) -> WebhookRequest:
        good = WebhookRequest(
            method="POST",
            headers={"content-type": "application/json"},
            query={},
            body=self._callback(result.provider_reference or ""),
            remote_addr=CALLBACK_ADDRESSES[0],
            reference=request.reference,
        )
        if kind is WebhookKind.WRONG_SENDER:
            return replace(good, remote_addr="203.0.113.9")
        if kind is not WebhookKind.GOOD:
            raise NotOffered("Safaricom does not sign its callbacks")
        return good

    def bad_payment(self) -> PaymentRequest:
        return replace(self.payment(), payment_method_data={"phone": "+447700900123"})

    def count_payments(self, request: PaymentRequest) -> int:
        phone = "254" + request.payment_method_data["phone"][-9:]
        return sum(payment.msisdn == phone for payment in self.sim.payments())

    @property
    def exchanges(self) -> Sequence[Exchange]:
        return self._exchanges

    def _callback(self, checkout_id: str) -> bytes:
        for attempt in self.sim.callbacks():
            if attempt.subject == checkout_id:
                return json.dumps(attempt.body).encode()
        raise NotOffered("there is no callback about this payment")

    def _make(self, secret: str) -> MpesaProvider:
        credentials = MpesaCredentials.model_validate(
            {
                "consumer_key": KEY,
                "consumer_secret": secret,
                "passkey": SANDBOX_PASSKEY,
                "shortcode": SANDBOX_SHORTCODE,
            }
        )
        context = provider_context(credentials, cache=self._cache, options={"base_url": self.sim.base_url})
        http = ProviderHttp(client=self._client, observe=self._exchanges.append, read_timeout=5)
        return MpesaProvider(replace(context, http=http))
