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
    SaveMethodRequest,
    WebhookRequest,
)
from majuu_core.testing.fake import WEBHOOK_TOLERANCE_SECONDS, FakeProvider, MockCredentials
from majuu_core.testing.harness import (
    AccountWebhook,
    Disputed,
    DisputeOutcome,
    NotOffered,
    Outcome,
    ProviderHarness,
    WebhookKind,
    new_reference,
)
from majuu_core.testing.memory import MemoryCache, provider_context
from majuu_core.testing.mock_amounts import amount_named
from majuu_core.testing.mock_disputes import OPENS_AFTER
from majuu_core.testing.mock_incoming import RECEIVER

SECRET, OLD_SECRET = "mock-secret-of-the-contract-tests", "mock-secret-before-that-one"
_SOMEBODY_ELSE = "another-secret-of-somebody-else"
_SAVINGS = {Outcome.SUCCEEDS: "active", Outcome.NEEDS_ACTION: "action", Outcome.DECLINED: "declined"}
_AMOUNTS = {
    Outcome.SUCCEEDS: 1500,
    Outcome.DECLINED: amount_named("declined"),
    Outcome.INSUFFICIENT_FUNDS: amount_named("insufficient_funds"),
    Outcome.CUSTOMER_CANCELS: amount_named("customer_canceled"),
    Outcome.PENDING: amount_named("pending_succeeds"),
    Outcome.NEEDS_ACTION: amount_named("redirect_completes"),
    Outcome.LOST_PAID: amount_named("lost_succeeded"),
    Outcome.LOST_UNPAID: amount_named("lost_failed"),
    Outcome.SERVER_ERROR: amount_named("unknown_succeeds"),
    Outcome.NOT_SENT: amount_named("not_sent"),
    Outcome.REJECTED: amount_named("rejected"),
    Outcome.RATE_LIMITED: amount_named("rate_limited"),
    Outcome.WRONG_AMOUNT: amount_named("wrong_amount"),
    Outcome.WRONG_CURRENCY: amount_named("wrong_currency"),
    Outcome.FAILS_LATE: amount_named("pending_declined"),
}
_DISPUTES = {
    DisputeOutcome.WON: amount_named("disputed_won"),
    DisputeOutcome.LOST: amount_named("disputed_lost"),
    DisputeOutcome.INQUIRY: amount_named("inquiry"),
}


class MockHarness(ProviderHarness):
    """One mock account and a clock of its own; ``settle`` moves the clock."""

    provider_class: type[FakeProvider] = FakeProvider  # type: ignore[misc]
    secrets = (SECRET, OLD_SECRET)

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.cache = MemoryCache()
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

    def save_method(self, outcome: Outcome = Outcome.SUCCEEDS) -> SaveMethodRequest:
        if outcome not in _SAVINGS:
            return super().save_method(outcome)
        reference = new_reference("pm")
        return SaveMethodRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            payment_method="mock",
            payment_method_data={"behaviour": _SAVINGS[outcome]},
            customer=new_reference("cus"),
        )

    def webhook(self, kind: WebhookKind, request: PaymentRequest, result: Result) -> WebhookRequest:
        if kind is WebhookKind.WRONG_SENDER:
            raise NotOffered("the mock provider may send from anywhere")
        good = self._message(request, result)
        if kind is WebhookKind.FORGED:
            return FakeProvider.sign_again(self._make(_SOMEBODY_ELSE), good)
        if kind is WebhookKind.TAMPERED:
            return replace(good, body=good.body.replace(b"1500", b"9500"))
        if kind is WebhookKind.UNSIGNED:
            return replace(good, headers={"content-type": "application/json", **_only(good, "mock-timestamp")})
        if kind is WebhookKind.STALE:
            self.clock.advance(WEBHOOK_TOLERANCE_SECONDS + 1)
        return good

    def dispute(self, outcome: DisputeOutcome = DisputeOutcome.WON) -> Disputed:
        request = replace(self.payment(), amount=Money(_DISPUTES[outcome], "KES"))
        sound = self._sound()
        result = sound.sale(request)
        self.clock.advance(OPENS_AFTER)
        reference = sound.dispute_reference(result.provider_reference or "")
        return Disputed(request=request, result=result, provider_reference=reference)

    def dispute_webhook(self, disputed: Disputed) -> WebhookRequest:
        return self._sound().make_dispute_webhook(disputed.result.provider_reference or "")

    def _sound(self) -> FakeProvider:
        """The provider as it should be, for the same account: what is broken on purpose makes no disputes."""
        return FakeProvider(provider_context(MockCredentials(secret=SecretStr(SECRET)), cache=self.cache))

    def account_webhook(self, kind: AccountWebhook, request: PaymentRequest, result: Result) -> WebhookRequest:
        if kind is AccountWebhook.OTHER_ACCOUNT:
            return self._message(request, result, account="pa_of_somebody_else")
        secret = OLD_SECRET if kind is AccountWebhook.OLD_SECRET else "mock-secret-long-before-that"
        return FakeProvider.sign_again(self._make(secret), self._message(request, result))

    def redelivery(self, request: PaymentRequest, result: Result) -> WebhookRequest:
        self.clock.advance(90)
        return self._message(request, result)

    def incoming(self, kind: WebhookKind, money: IncomingMoney) -> WebhookRequest:
        if kind not in (WebhookKind.GOOD, WebhookKind.FORGED):
            return super().incoming(kind, money)
        signer = self._make(_SOMEBODY_ELSE) if kind is WebhookKind.FORGED else self.make_provider()
        return FakeProvider.make_incoming_webhook(signer, replace(money, receiver=RECEIVER))

    def incoming_check(self, money: IncomingMoney) -> WebhookRequest:
        return replace(self.incoming(WebhookKind.GOOD, money), topic="check")

    def _message(self, request: PaymentRequest, result: Result, account: str = "") -> WebhookRequest:
        return FakeProvider.make_webhook(
            self.make_provider(),
            reference=request.reference,
            provider_reference=result.provider_reference or "",
            account=account,
        )

    def _make(self, secret: str, *, livemode: bool = False) -> FakeProvider:
        return self.provider_class(provider_context(credentials(secret), livemode=livemode, cache=self.cache))


def credentials(secret: str) -> MockCredentials:
    """Credentials whose old secret is still listed."""
    return MockCredentials(secret=SecretStr(secret), old_secret=SecretStr(OLD_SECRET))


def _money(outcome: Outcome) -> Money:
    return Money(Decimal(_AMOUNTS[outcome]), "KES")


def _only(request: WebhookRequest, name: str) -> dict[str, str]:
    return {name: request.headers[name]}
