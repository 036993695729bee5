"""Providers broken on purpose: taking money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from moneyed import Money

from majuu_core.common import randomness
from majuu_core.providers import (
    FailureCode,
    FetchRequest,
    NextAction,
    NotSent,
    OutcomeUnknown,
    PaymentRequest,
    ProviderContext,
    ProviderError,
    ProviderEvent,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    WebhookRequest,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_wire import MockReference
from tests.core.testing.full_provider import FullProvider
from tests.core.testing.mutants.base import FAILED, caught_by


@caught_by(
    "payment.amount_and_currency_are_echoed",
    "webhook.event_tells_the_amount",
    "complete.approved_payment_ends_paid",
    "currency.currency_with_three_decimals_survives",
    "currency.currency_without_decimals_survives",
    "saved.saved_one_pays",
)
class ReportsMinorUnits(FakeProvider):
    """Reports KES 1,500.00 as KES 150,000."""

    def _state(self, token: MockReference, *, return_url: str = "") -> Result:
        result = super()._state(token, return_url=return_url)
        if token.operation in {"sale"} and result.amount:
            return replace(result, amount=result.amount * 100)
        return result


@caught_by("payment.other_amount_is_passed_on", "payment.other_currency_is_passed_on")
class RepeatsTheRequest(FakeProvider):
    """Says what was asked for instead of what the provider reports."""

    def sale(self, request: PaymentRequest) -> Result:
        return replace(super().sale(request), amount=request.amount)


@caught_by(
    "payment.amount_is_reported_somewhere", "payment.other_amount_is_passed_on", "payment.other_currency_is_passed_on"
)
class NeverSaysHowMuch(FakeProvider):
    def _state(self, token: MockReference, *, return_url: str = "") -> Result:
        result = super()._state(token, return_url=return_url)
        return replace(result, amount=None) if token.operation == "sale" else result

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, result=replace(event.result, amount=None)) for event in super().parse_webhook(request)]


@caught_by("payment.same_key_never_pays_twice")
class ForgetsTheKey(FakeProvider):
    """Makes a new payment for every call."""

    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        token = MockReference.read(result.provider_reference or "", self._secret)
        if token is None:
            return result
        fresh = replace(token, nonce=randomness.secret_bytes(8).hex()).sign(self._secret)
        return replace(result, provider_reference=fresh)


@caught_by("payment.two_payments_have_two_references", "webhook.two_payments_have_two_event_ids")
class HasOneReferenceForAll(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        token = MockReference.read(result.provider_reference or "", self._secret)
        if token is None:
            return result
        same = replace(token, nonce="0" * 16, started_at=datetime(2026, 1, 5, 9, tzinfo=UTC)).sign(self._secret)
        return replace(result, provider_reference=same)


@caught_by(
    "payment.decline_is_a_value",
    "payment.decline_says_why",
    "payment.results_are_well_formed",
    "fetch.decline_stays_declined",
    "refund.unpaid_payment_is_not_refunded",
)
class RaisesForADecline(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        if result.failure and result.failure.code is FailureCode.DECLINED:
            raise ProviderError("declined")
        return result


@caught_by("payment.decline_says_why")
class DeclinesWithoutAWord(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        if result.failure and result.failure.code is FailureCode.DECLINED:
            return replace(result, failure=replace(result.failure, message=""))
        return result


@caught_by("payment.missing_money_is_named")
class CallsEverythingDeclined(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        if result.failure and result.failure.code is FailureCode.INSUFFICIENT_FUNDS:
            return replace(result, failure=replace(result.failure, code=FailureCode.DECLINED))
        return result


@caught_by("payment.cancelling_is_named")
class BlamesTheCustomerWhoCancelled(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        if result.failure and result.failure.code is FailureCode.CUSTOMER_CANCELED:
            return replace(result, failure=replace(result.failure, code=FailureCode.PROCESSING_ERROR))
        return result


@caught_by("payment.lost_answer_is_unknown")
class CallsATimeoutFailed(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        try:
            return super().sale(request)
        except OutcomeUnknown:
            return FAILED


@caught_by("payment.server_error_is_unknown")
class CallsAServerErrorFailed(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        return FAILED if result.status is ResultStatus.UNKNOWN else result


@caught_by("payment.not_sent_is_named")
class CallsNotSentUnknown(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        try:
            return super().sale(request)
        except NotSent:
            raise OutcomeUnknown("no answer") from None


@caught_by("payment.wrong_request_is_no_decline")
class CallsOurBugADecline(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        try:
            return super().sale(request)
        except RequestRejected:
            return FAILED


@caught_by("payment.rate_limit_is_named")
class CallsBusyADecline(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        try:
            return super().sale(request)
        except RateLimited:
            return FAILED


@caught_by("payment.pending_is_not_paid")
class CallsPendingPaid(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        return replace(result, status=ResultStatus.SUCCEEDED) if result.status is ResultStatus.PENDING else result


@caught_by("payment.next_action_can_be_shown")
class RedirectsWithoutTls(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        if result.next_action:
            return replace(result, next_action=NextAction(type="redirect", data={"url": "http://pay.example/1"}))
        return result


@caught_by("payment.foreign_currency_is_refused")
class TakesAnyCurrency(FakeProvider):
    """Treats an unknown currency as if it were shillings."""

    def sale(self, request: PaymentRequest) -> Result:
        if request.amount.currency.code not in self.info.currencies:
            request = replace(request, amount=Money(request.amount.amount, "KES"))
        return super().sale(request)


@caught_by("payment.amount_is_never_rounded")
class RoundsTheAmount(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        rounded = request.amount.amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
        return super().sale(replace(request, amount=Money(rounded, request.amount.currency)))


@caught_by("payment.nothing_is_not_paid")
class TakesNegativeAmounts(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return super().sale(replace(request, amount=abs(request.amount) or Money(1, request.amount.currency)))


@caught_by("payment.results_are_well_formed")
class KeepsFloatsInRaw(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return replace(super().sale(request), raw={"amount": 1500.0})


@caught_by("payment.results_are_well_formed")
class TellsNaiveTimes(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return replace(super().sale(request), occurred_at=datetime(2026, 1, 5))  # noqa: DTZ001 - the fault itself


@caught_by(
    "payment.another_process_finds_it",
    "fetch.pending_turns_into_paid",
    "fetch.decline_stays_declined",
    "authorization.captured_money_is_not_voided",
    "authorization.voided_hold_stays_void",
    "complete.approved_one_says_so",
    "complete.completed_one_is_found_paid",
)
class ForgetsBetweenProcesses(FakeProvider):
    """Remembers payments on the instance only."""

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self._seen: set[str | None] = set()

    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        self._seen.add(result.provider_reference)
        return result

    def fetch_payment(self, request: FetchRequest) -> Result:
        strange = request.provider_reference is not None and request.provider_reference not in self._seen
        return Result(status=ResultStatus.UNKNOWN) if strange else super().fetch_payment(request)


@caught_by("payment.good_payment_ends_paid")
class HoldsInsteadOfTaking(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return self.authorize(request) if request.amount.amount == 1500 else super().sale(request)


@caught_by("payment.reference_comes_with_the_answer", "fetch.pending_turns_into_paid")
class LosesTheReference(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        return replace(result, provider_reference=None) if result.status is ResultStatus.PENDING else result


class _CountsInHundreds(FakeProvider):
    currency = ""

    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        wrong = request.amount.currency.code == self.currency and result.amount is not None
        return replace(result, amount=Money(request.amount.amount * self.factor, self.currency)) if wrong else result

    factor = Decimal(1)


@caught_by("currency.currency_without_decimals_survives")
class SendsYenTimesAHundred(_CountsInHundreds):
    currency, factor = "JPY", Decimal(100)


@caught_by("currency.currency_with_three_decimals_survives")
class SendsDinarsByTheHundred(_CountsInHundreds):
    currency, factor = "KWD", Decimal("0.1")


@caught_by("currency.unsupported_currency_is_never_sent")
class SendsFirstAndChecksLater(FullProvider):
    def sale(self, request: PaymentRequest) -> Result:
        self.tell(request)
        return super().sale(request)
