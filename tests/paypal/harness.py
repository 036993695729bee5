"""Drives the PayPal provider through the contract checks, against the simulated PayPal over real HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from majuu_core.common.money import Money
from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    PaymentProvider,
    PaymentRequest,
    PayoutRequest,
    Result,
    WebhookRequest,
)
from majuu_core.providers.http import Exchange
from majuu_core.testing.harness import (
    Disputed,
    DisputeOutcome,
    NotOffered,
    Outcome,
    ProviderHarness,
    WebhookKind,
    new_reference,
)
from majuu_paypal.provider import PaypalProvider
from tests.paypal.shop import CLIENT_ID, CLIENT_SECRET, Shop

_CUSTOMERS = {
    Outcome.SUCCEEDS: "pay",
    Outcome.NEEDS_ACTION: "pay",
    Outcome.NOT_SENT: "pay",
    Outcome.REJECTED: "pay",
    Outcome.WRONG_AMOUNT: "pay",
    Outcome.WRONG_CURRENCY: "pay",
    Outcome.PENDING: "pending",
    Outcome.DECLINED: "capture_declined",
    Outcome.INSUFFICIENT_FUNDS: "capture_declined",
    Outcome.CUSTOMER_CANCELS: "cancel",
    Outcome.LOST_PAID: "timeout_after_commit",
    Outcome.LOST_UNPAID: "refuse_before_commit",
    Outcome.SERVER_ERROR: "accepted_5xx",
    Outcome.RATE_LIMITED: "spike_arrest",
}
_CHANGES = {
    Outcome.WRONG_AMOUNT: (b'"20.00"', b'"2.00"'),
    Outcome.WRONG_CURRENCY: (b'"USD"', b'"EUR"'),
}
_REFUNDS = {
    "succeeds": "pay",
    "declined": "refund_failed",
    "lost_paid": "timeout_after_commit",
    "fails_late": "refund_failed_late",
}
_PAYOUTS = {Outcome.SUCCEEDS: "pay", Outcome.DECLINED: "payout_failed", Outcome.LOST_PAID: "timeout_after_commit"}
_SHAPES = {
    WebhookKind.FORGED: "other_certificate",
    WebhookKind.UNSIGNED: "unsigned",
    WebhookKind.WRONG_SENDER: "other_host",
}
_CAPTURED, _HELD = "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.AUTHORIZATION.CREATED"


def _say_why(body: bytes) -> bytes:
    return body.replace(b'"DECLINED"', b'"DECLINED","processor_response":{"response_code":"5120"}')


class PaypalHarness(ProviderHarness):
    """One REST app at a simulated PayPal. ``settle`` is the customer who approves, and core that completes."""

    provider_class = PaypalProvider
    secrets = (CLIENT_ID, CLIENT_SECRET)

    def __init__(self) -> None:
        self.shop = Shop()
        self._cancelled = False
        self._changed: Outcome | None = None
        self._good: dict[str, WebhookRequest] = {}
        self._verdicts: dict[str, str] = {}  # of disputes, by their ids

    def close(self) -> None:
        self.shop.close()

    def make_provider(self) -> PaypalProvider:
        return self.shop.provider()

    def make_provider_with_bad_credentials(self) -> PaymentProvider:
        return self.shop.provider(secret="not-the-secret")

    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> PaymentRequest:
        shop = self.shop
        shop.line.cut = outcome is Outcome.NOT_SENT
        self._cancelled = outcome is Outcome.CUSTOMER_CANCELS
        # For cards PayPal repeats what the bank said; the simulated wallet says only no.
        shop.line.change = _say_why if outcome is Outcome.INSUFFICIENT_FUNDS else None
        self._changed = outcome if outcome in _CHANGES else None
        request = shop.payment(outcome=_CUSTOMERS[outcome])
        return replace(request, return_url="nowhere") if outcome is Outcome.REJECTED else request

    def settle(self) -> None:
        for _ in range(3):
            self.shop.wait(30)
            self._complete_approved()
        if self._changed is not None:
            old, new = _CHANGES[self._changed]
            self.shop.line.change = lambda body: body.replace(old, new)
        for dispute, verdict in self._verdicts.items():
            found = next(item for item in self.shop.sim.disputes() if item.id == dispute)
            if found.status != "RESOLVED":
                self.shop.sim.decide_dispute(dispute, verdict)
        if self._cancelled:  # PayPal tells nobody; it forgets the order after three hours
            self.shop.clock.advance(timedelta(hours=5))

    def refund(self, paid: PaymentRequest, result: Result, outcome: Outcome = Outcome.SUCCEEDS) -> FollowUpRequest:
        if outcome.value not in _REFUNDS:
            raise NotOffered(f"this harness makes no refund that ends as {outcome}")
        self.shop.sim.script(_REFUNDS[outcome.value], operation="refund")
        return self.follow_up("re", result)

    def payout(self, outcome: Outcome = Outcome.SUCCEEDS) -> PayoutRequest:
        if outcome not in _PAYOUTS:
            raise NotOffered(f"this harness makes no payout that ends as {outcome}")
        self.shop.sim.script(_PAYOUTS[outcome], operation="payout_create")
        reference = new_reference("po")
        return PayoutRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            amount=Money("15.50", "USD"),
            destination={"email": "jane@example.com"},
        )

    def webhook(self, kind: WebhookKind, request: PaymentRequest, result: Result) -> WebhookRequest:
        good = self._good.setdefault(request.reference, self._message_about(request))
        if kind is WebhookKind.TAMPERED:
            return replace(good, body=good.body.replace(b"20.00", b"99.00"))
        if kind is WebhookKind.STALE:
            self.shop.clock.advance(timedelta(days=4))
        return self._forged(_SHAPES[kind], result) if kind in _SHAPES else good

    def account_webhook(self, kind: StrEnum, request: PaymentRequest, result: Result) -> WebhookRequest:
        if kind.value == "other_account":
            return self._forged("other_webhook", result)
        raise NotOffered("PayPal signs with a certificate of its own: an account has no secret to replace")

    def redelivery(self, request: PaymentRequest, result: Result) -> WebhookRequest:
        good = self._message_about(request)
        before = len(self.shop.messages())
        for attempt in self.shop.sim.callbacks():
            if attempt.body["id"].encode() in good.body:
                self.shop.wait(60)
                self.shop.sim.resend(attempt.id)
                return self.shop.messages()[before]
        raise NotOffered("there is no message about this payment")

    def dispute(self, outcome: DisputeOutcome = DisputeOutcome.WON) -> Disputed:
        request = self.payment()
        result = self.make_provider().sale(request)
        self.settle()
        captured = self.make_provider().fetch_payment(
            FetchRequest(reference=request.reference, provider_reference=result.provider_reference)
        )
        stage = "INQUIRY" if outcome is DisputeOutcome.INQUIRY else "CHARGEBACK"
        opened = self.shop.sim.open_dispute(captured.receipt or "", stage=stage)
        self._verdicts[opened.id] = "buyer" if outcome is DisputeOutcome.LOST else "seller"
        return Disputed(request=request, result=captured, provider_reference=opened.id)

    def dispute_webhook(self, disputed: Disputed) -> WebhookRequest:
        self.shop.wait(30)
        name = disputed.provider_reference.encode()
        about = [item for item in self.shop.messages() if name in item.body and b"CUSTOMER.DISPUTE" in item.body]
        if not about:
            raise NotOffered("there is no message about this dispute")
        return about[-1]

    def bad_payment(self) -> PaymentRequest:
        return replace(self.payment(), amount=Money(2000, "KES"))

    def count_payments(self, request: PaymentRequest) -> int:
        return sum(order.custom_id == request.reference for order in self.shop.sim.orders())

    @property
    def exchanges(self) -> Sequence[Exchange]:
        return self.shop.exchanges

    def _message_about(self, request: PaymentRequest) -> WebhookRequest:
        for event_type in (_CAPTURED, _HELD):
            for message in self.shop.messages_of(event_type):
                if request.reference.encode() in message.body:
                    return message
        raise NotOffered("there is no message about this payment")

    def _forged(self, shape: str, result: Result) -> WebhookRequest:
        before = len(self.shop.messages())
        self.shop.sim.forge(result.provider_reference or "", shape=shape)
        return self.shop.messages()[before]

    def _complete_approved(self) -> None:
        """What core does when it hears that a customer approved."""
        for order in self.shop.sim.orders():
            if order.status == "APPROVED":
                request = FollowUpRequest(
                    idempotency_key=f"key-{order.custom_id}-complete",
                    reference=order.custom_id,
                    provider_reference=order.id,
                )
                self.make_provider().complete(request)
