"""Drives FakeProvider through the contract checks; also an example of a harness."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal

from moneyed import Money
from pydantic import SecretStr

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.providers import (
    FollowUpRequest,
    IncomingMoney,
    PaymentProvider,
    PaymentRequest,
    PayoutRequest,
    Result,
    WebhookRequest,
)
from majuu_core.testing.fake import WEBHOOK_TOLERANCE_SECONDS, FakeProvider, MockCredentials
from majuu_core.testing.harness import NotOffered, Outcome, ProviderHarness, WebhookKind, new_reference
from majuu_core.testing.memory import provider_context
from majuu_core.testing.mock_amounts import amount_named
from majuu_core.testing.mock_incoming import RECEIVER

SECRET = "mock-secret-of-the-contract-tests"
_AMOUNTS = {
    Outcome.SUCCEEDS: 1500,
    Outcome.DECLINED: amount_named("declined"),
    Outcome.INSUFFICIENT_FUNDS: amount_named("insufficient_funds"),
    Outcome.CUSTOMER_CANCELS: amount_named("customer_canceled"),
    Outcome.PENDING: amount_named("pending_succeeds"),
    Outcome.NEEDS_ACTION: amount_named("redirect_succeeds"),
    Outcome.LOST_PAID: amount_named("lost_succeeded"),
    Outcome.LOST_UNPAID: amount_named("lost_failed"),
    Outcome.SERVER_ERROR: amount_named("unknown_succeeds"),
    Outcome.NOT_SENT: amount_named("not_sent"),
    Outcome.REJECTED: amount_named("rejected"),
    Outcome.RATE_LIMITED: amount_named("rate_limited"),
    Outcome.WRONG_AMOUNT: amount_named("wrong_amount"),
    Outcome.WRONG_CURRENCY: amount_named("wrong_currency"),
}


class MockHarness(ProviderHarness):
    """One mock account and a clock of its own; ``settle`` moves the clock."""

    provider_class: type[FakeProvider] = FakeProvider  # type: ignore[misc]
    secrets = (SECRET,)

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self._open = ExitStack()
        self._open.enter_context(use_clock(self.clock))

    def close(self) -> None:
        self._open.close()

    def make_provider(self) -> FakeProvider:
        return self._make(SECRET)

    def make_provider_with_bad_credentials(self) -> PaymentProvider:
        return self._make(SECRET, livemode=True)

    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> PaymentRequest:
        reference = new_reference("ch")
        return PaymentRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            amount=_money(outcome),
            payment_method="mock",
            payment_method_data={},
        )

    def settle(self) -> None:
        self.clock.advance(120)

    def refund(self, paid: PaymentRequest, result: Result, outcome: Outcome = Outcome.SUCCEEDS) -> FollowUpRequest:
        if outcome is Outcome.SUCCEEDS:
            return self.follow_up("re", result)
        larger = replace(paid, amount=paid.amount * 10, reference=new_reference("ch"))
        return self.follow_up("re", self.make_provider().sale(larger), amount=_money(outcome))

    def payout(self, outcome: Outcome = Outcome.SUCCEEDS) -> PayoutRequest:
        reference = new_reference("po")
        return PayoutRequest(
            idempotency_key=f"key-{reference}", reference=reference, amount=_money(outcome), destination={}
        )

    def webhook(self, kind: WebhookKind, request: PaymentRequest, result: Result) -> WebhookRequest:
        signer = self._make("another-secret-of-somebody-else") if kind is WebhookKind.FORGED else self.make_provider()
        if kind is WebhookKind.WRONG_SENDER:
            raise NotOffered("the mock provider may send from anywhere")
        reference = (result if kind is not WebhookKind.FORGED else signer.sale(request)).provider_reference or ""
        good = FakeProvider.make_webhook(signer, reference=request.reference, provider_reference=reference)
        if kind is WebhookKind.TAMPERED:
            return replace(good, body=good.body.replace(b"1500", b"9500"))
        if kind is WebhookKind.UNSIGNED:
            return replace(good, headers={"content-type": "application/json", **_only(good, "mock-timestamp")})
        if kind is WebhookKind.STALE:
            self.clock.advance(WEBHOOK_TOLERANCE_SECONDS + 1)
        return good

    def incoming(self, kind: WebhookKind, money: IncomingMoney) -> WebhookRequest:
        if kind not in (WebhookKind.GOOD, WebhookKind.FORGED):
            return super().incoming(kind, money)
        signer = self._make("another-secret-of-somebody-else") if kind is WebhookKind.FORGED else self.make_provider()
        return FakeProvider.make_incoming_webhook(signer, replace(money, receiver=RECEIVER))

    def incoming_check(self, money: IncomingMoney) -> WebhookRequest:
        return replace(self.incoming(WebhookKind.GOOD, money), topic="check")

    def _make(self, secret: str, *, livemode: bool = False) -> FakeProvider:
        return self.provider_class(provider_context(MockCredentials(secret=SecretStr(secret)), livemode=livemode))


def _money(outcome: Outcome) -> Money:
    return Money(Decimal(_AMOUNTS[outcome]), "KES")


def _only(request: WebhookRequest, name: str) -> dict[str, str]:
    return {name: request.headers[name]}
