"""Drives the M-Pesa provider through the contract checks, against the simulated Daraja over real HTTP."""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta, timezone

import httpx

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.common.randomness import encode_url_safe
from majuu_core.providers import (
    FollowUpRequest,
    IncomingMoney,
    PaymentProvider,
    PaymentRequest,
    PayoutRequest,
    Result,
    ResultStatus,
    Trust,
    WebhookRequest,
)
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, WebhookKind, new_reference
from majuu_core.testing.memory import MemoryCache, provider_context
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.options import CALLBACK_ADDRESSES
from majuu_mpesa.provider import MpesaProvider
from majuu_sim.clock import ExternalClock
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, App, DarajaConfig, DarajaSimulator, Initiator
from majuu_sim.transport import CollectingTransport

_NAIROBI = timezone(timedelta(hours=3))
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


# How a payout or a reversal ends, by what is scripted for the first request of its kind.
_OUTGOING_FAULTS = {
    Outcome.DECLINED: "initiator_not_allowed",
    Outcome.INSUFFICIENT_FUNDS: "insufficient",
    Outcome.LOST_PAID: "timeout_after_commit",
    Outcome.LOST_UNPAID: "refuse_before_commit",
    Outcome.SERVER_ERROR: "accepted_5xx",
    Outcome.RATE_LIMITED: "spike_arrest",
}
INITIATOR, INITIATOR_PASSWORD = "majuu-api", "Contract#Tests%26"


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
    secrets = (KEY, SECRET, SANDBOX_PASSKEY, CALLBACK_TOKEN, INITIATOR_PASSWORD)
    refunds_are_payouts = True
    refund_method = ""  # as it suits: all of a payment by reversal, a part by B2C

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.mail = CollectingTransport()
        self.sim = DarajaSimulator(
            clock=ExternalClock(self.clock.now),
            transport=self.mail,
            config=DarajaConfig(
                apps=(App(consumer_key=KEY, consumer_secret=SECRET),),
                initiators=(Initiator(name=INITIATOR, password=INITIATOR_PASSWORD),),
            ),
        )
        # The simulator speaks plain HTTP: no certificates have to be read for it.
        self.line = _Line(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._exchanges: list[Exchange] = []
        self._cache = MemoryCache()
        self._customers = 0
        self._letters: list[tuple[str, bytes]] = []
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

    def refund(self, paid: PaymentRequest, result: Result, outcome: Outcome = Outcome.SUCCEEDS) -> FollowUpRequest:
        receipt = self._receipt_of(paid)
        if self.refund_method == "b2c" and receipt is None:
            raise NotOffered("a B2C refund is a payout: Daraja knows nothing of the payment it is for")
        self._script(outcome, "b2c_payment" if self.refund_method == "b2c" else "reversal")
        wanted = self.follow_up("re", result, amount=paid.amount)
        return replace(
            wanted,
            receipt=receipt,
            method=self.refund_method,
            paid=paid.amount,
            destination={"phone": paid.payment_method_data["phone"]},
            webhook_url=self._address("r", wanted.reference),
        )

    def payout(self, outcome: Outcome = Outcome.SUCCEEDS) -> PayoutRequest:
        self._script(outcome, "b2c_payment")
        reference = new_reference("po")
        return PayoutRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            amount=Money(500, "KES"),
            destination={"phone": "0711 000 111"},
            webhook_url=self._address("o", reference),
        )

    def learn_refund(self, request: FollowUpRequest, result: Result) -> Result:
        return self._told(request, result)

    def learn_payout(self, request: PayoutRequest, result: Result) -> Result:
        return self._told(request, result)

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

    def redelivery(self, request: PaymentRequest, result: Result) -> WebhookRequest:
        self.clock.advance(300)
        return self.webhook(WebhookKind.GOOD, request, result)

    def incoming(self, kind: WebhookKind, money: IncomingMoney) -> WebhookRequest:
        if kind is not WebhookKind.GOOD:
            raise NotOffered("Safaricom does not sign its callbacks")
        body = {
            "TransactionType": "Pay Bill",
            "TransID": money.receipt,
            "TransTime": f"{money.occurred_at.astimezone(_NAIROBI):%Y%m%d%H%M%S}",
            "TransAmount": str(money.amount.amount),
            "BusinessShortCode": money.receiver or SANDBOX_SHORTCODE,
            "BillRefNumber": money.account_reference,
            "OrgAccountBalance": "49197.00",
            "MSISDN": money.payer_phone,
            "FirstName": money.payer_name,
        }
        return WebhookRequest(
            method="POST",
            headers={"content-type": "application/json"},
            query={},
            body=json.dumps(body).encode(),
            remote_addr=CALLBACK_ADDRESSES[0],
            topic="notice",
        )

    def incoming_check(self, money: IncomingMoney) -> WebhookRequest:
        return replace(self.incoming(WebhookKind.GOOD, money), topic="check")

    def bad_payment(self) -> PaymentRequest:
        return replace(self.payment(), payment_method_data={"phone": "+447700900123"})

    def count_payments(self, request: PaymentRequest) -> int:
        phone = "254" + request.payment_method_data["phone"][-9:]
        return sum(payment.msisdn == phone for payment in self.sim.payments())

    @property
    def exchanges(self) -> Sequence[Exchange]:
        return self._exchanges

    def _script(self, outcome: Outcome, operation: str) -> None:
        self.line.cut = outcome is Outcome.NOT_SENT
        if outcome in _OUTGOING_FAULTS:
            self.sim.script(_OUTGOING_FAULTS[outcome], operation=operation)
        elif outcome not in {Outcome.SUCCEEDS, Outcome.NOT_SENT}:
            raise NotOffered(f"this harness makes no {operation} that ends as {outcome}")

    def _address(self, kind: str, reference: str) -> str:
        """As core writes it: in letters that never spell a word for which Daraja refuses an address ("exe", "cmd")."""
        return f"https://pay.example.co.ke/in/{kind}{encode_url_safe(reference.encode())}/{CALLBACK_TOKEN}"

    def _receipt_of(self, paid: PaymentRequest) -> str | None:
        phone = "254" + paid.payment_method_data["phone"][-9:]
        return next((one.receipt for one in self.sim.payments() if one.msisdn == phone), None)

    def _told(self, request: FollowUpRequest | PayoutRequest, result: Result) -> Result:
        """What the result says that was sent to the request's own address; core would believe it if the ids agree."""
        self._letters += self.mail.take()
        for url, body in self._letters:
            if url == request.webhook_url:
                message = WebhookRequest(
                    method="POST",
                    headers={"content-type": "application/json"},
                    query={},
                    body=body,
                    remote_addr=CALLBACK_ADDRESSES[0],
                    reference=request.reference,
                )
                provider = self.make_provider()
                assert provider.verify_webhook(message) is Trust.CORRELATED
                [event] = provider.parse_webhook(message)
                assert event.provider_reference == result.provider_reference
                return event.result
        return Result(status=ResultStatus.UNKNOWN)

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
                "initiator_name": INITIATOR,
                "initiator_password": INITIATOR_PASSWORD,
                "certificate": self.sim.certificate(),
            }
        )
        context = provider_context(credentials, cache=self._cache, options={"base_url": self.sim.base_url})
        http = ProviderHttp(client=self._client, observe=self._exchanges.append, read_timeout=5)
        return MpesaProvider(replace(context, http=http))


class MpesaPayingBackHarness(MpesaHarness):
    """The same, with refunds by B2C."""

    refund_method = "b2c"
