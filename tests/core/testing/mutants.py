"""Providers that are broken on purpose. Each says which checks must catch it, and no other may."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from moneyed import Money

from majuu_core.common import randomness
from majuu_core.providers import (
    Explanation,
    Failure,
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    InvalidCredentials,
    NextAction,
    NotSent,
    OutcomeUnknown,
    PaymentProvider,
    PaymentRequest,
    PayoutRequest,
    ProviderContext,
    ProviderError,
    ProviderEvent,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    SettlementLine,
    Trust,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_wire import MockReference
from tests.core.testing.full_provider import FullProvider


@dataclass(frozen=True)
class Mutant:
    provider: type[FakeProvider]
    caught_by: frozenset[str]


MUTANTS: list[Mutant] = []


def caught_by(*ids: str) -> Any:
    """Declare a mutant and the checks that must fail for it."""

    def declare(provider: type[FakeProvider]) -> type[FakeProvider]:
        MUTANTS.append(Mutant(provider, frozenset(ids)))
        return provider

    return declare


def _without(*operations: str) -> Any:
    """FakeProvider's code in a class that lacks some operations."""

    def start(self: Any, context: ProviderContext) -> None:
        self.context = context
        self._secret = context.credentials.secret.get_secret_value().encode()  # type: ignore[attr-defined]

    kept = {name: value for name, value in vars(FakeProvider).items() if name not in {*operations, "__dict__"}}
    return type("Less", (PaymentProvider,), {**kept, "__init__": start})


FAILED = Result(
    status=ResultStatus.FAILED,
    failure=Failure(code=FailureCode.PROCESSING_ERROR, provider_code="x", message="Something went wrong."),
)


# What it says about itself


@caught_by("definition.code_is_a_plain_name")
class ShoutsItsCode(FakeProvider):
    code = "My Provider"


@caught_by("definition.class_is_complete")
class IsOfAnotherVersion(FakeProvider):
    contract_version = 99


@caught_by("definition.capabilities_are_whole")
class RefundsButCannotLook(_without("fetch_refund")):  # type: ignore[misc]
    pass


@caught_by("definition.something_is_offered")
class OffersNothing(_without("sale", "authorize", "capture", "void", "payout", "fetch_payout")):  # type: ignore[misc]
    pass


@caught_by("definition.signatures_fit", "complete.approved_payment_ends_paid", "complete.coming_back_is_not_paying")
class WantsMoreArguments(FakeProvider):
    def complete(self, request: FollowUpRequest, token: str) -> Result:  # type: ignore[override]
        return super().complete(request)


@caught_by("definition.facts_are_usable")
class NamesACountryInFull(FakeProvider):
    info = replace(FakeProvider.info, countries=frozenset({"Kenya"}))


@caught_by("definition.follow_ups_rise")
class NeverFollowsUp(FakeProvider):
    info = replace(FakeProvider.info, follow_up_seconds=())


@caught_by("credentials.bad_ones_are_named")
class AcceptsAnyCredentials(FakeProvider):
    def check_credentials(self) -> None:
        return None


@caught_by("credentials.good_ones_are_accepted")
class RefusesGoodCredentials(FakeProvider):
    def check_credentials(self) -> None:
        raise InvalidCredentials("no")


@caught_by("credentials.bad_ones_are_no_decline")
class CallsWrongKeysADecline(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return FAILED if self.context.livemode else super().sale(request)


# Payments


@caught_by("payment.amount_and_currency_are_echoed", "webhook.event_tells_the_amount")
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
        assert token is not None
        fresh = replace(token, nonce=randomness.secret_bytes(8).hex()).sign(self._secret)
        return replace(result, provider_reference=fresh)


@caught_by("payment.two_payments_have_two_references", "webhook.two_payments_have_two_event_ids")
class HasOneReferenceForAll(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        token = MockReference.read(result.provider_reference or "", self._secret)
        assert token is not None
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


@caught_by("payment.another_process_finds_it", "fetch.pending_turns_into_paid", "fetch.decline_stays_declined")
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


# Looking up


@caught_by("fetch.unheard_of_payment_is_unknown")
class InventsAPayment(FakeProvider):
    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        if request.provider_reference is None and found.status is ResultStatus.UNKNOWN:
            return Result(status=ResultStatus.SUCCEEDED, amount=request.amount)
        return found


@caught_by("fetch.unheard_of_payment_is_unknown")
class CallsTheUnheardOfFailed(FakeProvider):
    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        missing = request.provider_reference is None and found.status is ResultStatus.UNKNOWN
        return FAILED if missing else found


@caught_by("fetch.made_up_reference_is_not_paid")
class BelievesAnyReference(FakeProvider):
    def fetch_payment(self, request: FetchRequest) -> Result:
        known = request.provider_reference is None or MockReference.read(request.provider_reference, self._secret)
        return super().fetch_payment(request) if known else Result(status=ResultStatus.SUCCEEDED)


@caught_by("fetch.decline_stays_declined")
class ChangesItsMind(FakeProvider):
    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        if found.failure and found.failure.code is FailureCode.DECLINED and request.provider_reference:
            return Result(status=ResultStatus.PENDING, provider_reference=found.provider_reference)
        return found


@caught_by("fetch.pending_turns_into_paid")
class CallsPendingFailed(FakeProvider):
    """Treats "still processing" as a no."""

    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        return FAILED if found.status is ResultStatus.PENDING else found


@caught_by("fetch.lost_and_paid_is_never_called_failed")
class CallsTheLostFailed(FakeProvider):
    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        lost = request.provider_reference is None and found.status is ResultStatus.SUCCEEDED
        return FAILED if lost else found


@caught_by("fetch.lost_and_unpaid_is_never_called_paid")
class CallsTheLostPaid(FakeProvider):
    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        lost = request.provider_reference is None and found.status is ResultStatus.FAILED
        return Result(status=ResultStatus.SUCCEEDED) if lost else found


@caught_by("fetch.amount_is_not_copied_from_the_question", "payment.other_amount_is_passed_on")
class AgreesWithTheQuestion(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        result = super().sale(request)
        return replace(result, status=ResultStatus.PENDING) if result.amount == Money(7750, "KES") else result

    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        return replace(found, amount=request.amount) if request.provider_reference else found


@caught_by("fetch.asking_twice_changes_nothing")
class ChangesByAsking(FakeProvider):
    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        return replace(found, raw={**found.raw, "asked": randomness.secret_bytes(4).hex()})


@caught_by("complete.coming_back_is_not_paying")
class BelievesTheReturn(FakeProvider):
    def complete(self, request: FollowUpRequest) -> Result:
        return Result(status=ResultStatus.SUCCEEDED, provider_reference=request.provider_reference)


# Holds


@caught_by(
    "authorization.authorizing_only_holds",
    "authorization.capture_takes_what_was_held",
    "authorization.partial_capture_keeps_its_word",
    "authorization.capturing_more_is_refused",
    "authorization.void_releases_the_hold",
    "authorization.same_key_never_captures_twice",
)
class TakesInsteadOfHolding(FakeProvider):
    def authorize(self, request: PaymentRequest) -> Result:
        return self.sale(request)


@caught_by("authorization.partial_capture_keeps_its_word")
class CapturesEverything(FakeProvider):
    def capture(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"auth"})
        self._share(request, parent)
        return super().capture(replace(request, amount=None))


@caught_by("authorization.capturing_more_is_refused")
class CapturesAsMuchAsItCan(FakeProvider):
    def capture(self, request: FollowUpRequest) -> Result:
        held = self._parent(request, {"auth"}).amount
        more = request.amount is not None and request.amount > held
        return super().capture(replace(request, amount=None if more else request.amount))


@caught_by("authorization.void_releases_the_hold")
class OnlySaysThatItVoids(FakeProvider):
    def void(self, request: FollowUpRequest) -> Result:
        super().void(request)
        return Result(status=ResultStatus.AUTHORIZED, provider_reference=request.provider_reference)


@caught_by("authorization.same_key_never_captures_twice")
class CapturesTwice(FakeProvider):
    def capture(self, request: FollowUpRequest) -> Result:
        return super().capture(replace(request, idempotency_key=randomness.secret_bytes(8).hex()))


@caught_by("authorization.capture_takes_what_was_held", "authorization.partial_capture_keeps_its_word")
class LeavesCapturesPending(FakeProvider):
    def capture(self, request: FollowUpRequest) -> Result:
        return replace(super().capture(request), status=ResultStatus.PENDING)


@caught_by("authorization.decline_is_a_value")
class RaisesForADeclinedHold(FakeProvider):
    def authorize(self, request: PaymentRequest) -> Result:
        result = super().authorize(request)
        if result.failure:
            raise ProviderError("declined")
        return result


# Refunds


@caught_by("refund.refunding_more_is_refused")
class RefundsAsMuchAsItCan(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        held = self._parent(request, {"sale", "capture"}).amount
        more = request.amount is not None and request.amount == held * 2
        return super().refund(replace(request, amount=None if more else request.amount))


@caught_by("refund.partial_refund_keeps_its_word")
class RefundsEverything(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"sale", "capture"})
        self._share(request, parent)
        whole = request.amount is not None and request.amount.amount == parent.amount.amount / 2
        return super().refund(replace(request, amount=None if whole else request.amount))


@caught_by("refund.other_currency_is_refused")
class RefundsInAnyCurrency(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        foreign = request.amount is not None and request.amount.currency.code == "USD"
        return super().refund(replace(request, amount=None if foreign else request.amount))


@caught_by("refund.unpaid_payment_is_not_refunded")
class RefundsWhatWasNeverPaid(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        try:
            return super().refund(request)
        except RequestRejected as problem:
            if problem.code != "wrong_state":
                raise
            return Result(status=ResultStatus.SUCCEEDED, provider_reference="mock-refund")


@caught_by(
    "refund.same_key_never_refunds_twice", "refund.full_refund_ends_paid_back", "refund.partial_refund_keeps_its_word"
)
class RefundsTwice(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        reference = f"mock-refund-{randomness.secret_bytes(8).hex()}"
        result = super().refund(request)
        done = result.status is ResultStatus.SUCCEEDED
        return Result(status=ResultStatus.PENDING, provider_reference=reference) if done else result


@caught_by("refund.lost_answer_is_unknown")
class CallsALostRefundFailed(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        try:
            return super().refund(request)
        except OutcomeUnknown:
            return FAILED


@caught_by("refund.decline_is_a_value")
class CallsADeclinedRefundPending(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        result = super().refund(request)
        return Result(status=ResultStatus.PENDING, provider_reference="later") if result.failure else result


@caught_by("refund.unheard_of_refund_is_unknown")
class InventsARefund(FakeProvider):
    def fetch_refund(self, request: FetchRequest) -> Result:
        found = super().fetch_refund(request)
        missing = found.status is ResultStatus.UNKNOWN and found.provider_reference is None
        return Result(status=ResultStatus.SUCCEEDED) if missing else found


@caught_by("refund.refund_has_its_own_reference")
class NamesRefundsLikePayments(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        return replace(super().refund(request), provider_reference=request.provider_reference)


# Payouts


@caught_by("payout.same_key_never_sends_twice")
class SendsTwice(FakeProvider):
    def payout(self, request: PayoutRequest) -> Result:
        return replace(super().payout(request), provider_reference=randomness.secret_bytes(8).hex())


@caught_by("payout.lost_answer_is_unknown")
class CallsALostPayoutFailed(FakeProvider):
    def payout(self, request: PayoutRequest) -> Result:
        try:
            return super().payout(request)
        except OutcomeUnknown:
            return FAILED


@caught_by("payout.decline_is_a_value")
class RaisesForARefusedPayout(FakeProvider):
    def payout(self, request: PayoutRequest) -> Result:
        result = super().payout(request)
        if result.failure:
            raise RequestRejected("refused")
        return result


@caught_by("payout.good_payout_ends_sent")
class SendsADifferentAmount(FakeProvider):
    def payout(self, request: PayoutRequest) -> Result:
        result = super().payout(request)
        return replace(result, amount=result.amount - Money(10, "KES") if result.amount else None)


@caught_by("payout.unheard_of_payout_is_unknown")
class InventsAPayout(FakeProvider):
    def fetch_payout(self, request: FetchRequest) -> Result:
        found = super().fetch_payout(request)
        missing = found.status is ResultStatus.UNKNOWN and found.provider_reference is None
        return Result(status=ResultStatus.SUCCEEDED) if missing else found


# Webhooks


@caught_by("webhook.forged_one_is_refused", "webhook.changed_one_is_refused")
class ChecksNoSignature(FakeProvider):
    """Only looks whether there is a signature."""

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        try:
            return super().verify_webhook(request)
        except WebhookRejected as problem:
            if "does not fit" in str(problem) and request.headers.get("mock-signature"):
                return Trust.SIGNED
            raise


@caught_by("webhook.changed_one_is_refused")
class SignsOnlyTheTime(FakeProvider):
    def _signature(self, stamp: str, body: bytes) -> str:
        return super()._signature(stamp, b"")


@caught_by("webhook.stale_one_is_refused")
class TakesOldMessages(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        try:
            return super().verify_webhook(request)
        except WebhookRejected as problem:
            if "older" in str(problem):
                return Trust.SIGNED
            raise


@caught_by("webhook.one_without_signature_is_refused")
class TakesMessagesWithoutSignature(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return super().verify_webhook(request) if "mock-signature" in request.headers else Trust.SIGNED


@caught_by(
    "webhook.good_one_is_accepted",
    "webhook.forged_one_is_refused",
    "webhook.changed_one_is_refused",
    "webhook.stale_one_is_refused",
    "webhook.one_without_signature_is_refused",
)
class SaysYesToEverything(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return True  # type: ignore[return-value]


@caught_by("webhook.rubbish_is_refused_calmly")
class StumblesOverRubbish(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        try:
            return super().parse_webhook(request)
        except WebhookRejected as problem:
            raise KeyError("id") from problem


@caught_by("webhook.rubbish_is_refused_calmly")
class SwallowsRubbish(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        try:
            return super().parse_webhook(request)
        except WebhookRejected:
            return []


@caught_by("webhook.strange_headers_are_survived")
class StumblesOverHeaders(FakeProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        int(request.headers.get("mock-timestamp") or 0)
        return super().verify_webhook(request)


@caught_by("webhook.event_id_is_stable")
class NumbersEventsAnew(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        fresh = randomness.secret_bytes(8).hex()
        return [replace(event, event_id=fresh) for event in super().parse_webhook(request)]


@caught_by("webhook.two_payments_have_two_event_ids")
class NumbersEventsByStatus(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, event_id=f"evt_{event.result.status}") for event in super().parse_webhook(request)]


@caught_by("webhook.event_names_the_payment")
class NamesNobody(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, reference=None, provider_reference="?") for event in super().parse_webhook(request)]


@caught_by("webhook.event_tells_the_amount")
class ReadsTheWrongAmount(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        wrong = Money(15, "KES")
        return [replace(event, result=replace(event.result, amount=wrong)) for event in super().parse_webhook(request)]


@caught_by("webhook.event_is_well_formed")
class InventsEventTypes(FakeProvider):
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        return [replace(event, type="payment.maybe") for event in super().parse_webhook(request)]


@caught_by("webhook.accepted_is_answered_with_yes")
class AnswersWithARedirect(FakeProvider):
    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        return WebhookResponse(status=302 if accepted else 400)


@caught_by("webhook.wrong_sender_is_refused")
class TrustsAnySender(FullProvider):
    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return super().verify_webhook(replace(request, remote_addr="127.0.0.1"))


# Secrets


@caught_by("secrecy.not_in_repr")
class ShowsItsSecret(FakeProvider):
    def __repr__(self) -> str:
        return f"<provider {self._secret.decode()}>"


@caught_by("secrecy.not_in_results")
class KeepsItsSecretInRaw(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return replace(super().sale(request), raw={"auth": self._secret.decode()})


@caught_by("secrecy.not_in_results")
class KeepsCardNumbers(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        return replace(super().sale(request), raw={"card": " ".join(["4242"] * 4)})


@caught_by("secrecy.not_in_exceptions")
class ComplainsWithItsSecret(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        try:
            return super().sale(request)
        except NotSent as problem:
            raise NotSent(f"no connection with {self._secret.decode()}") from problem


@caught_by("secrecy.not_in_logs")
class LogsItsSecret(FakeProvider):
    def sale(self, request: PaymentRequest) -> Result:
        logging.getLogger("mutant").debug("signing with %s", self._secret.decode())
        return super().sale(request)


@caught_by("secrecy.not_in_stored_exchanges", "secrecy.not_in_logs")
class SendsItsSecretInTheAddress(FullProvider):
    def tell(self, request: PaymentRequest) -> None:
        self.context.http.send("GET", f"https://provider.invalid/{self._secret.decode()}/sale", operation="sale")


# Statements, payers' data and texts


@caught_by("settlement.paid_payment_is_listed")
class LeavesPaymentsOut(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        return iter(())


@caught_by("settlement.lines_are_well_formed")
class ChargesANegativeFee(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        for line in super().list_settlement_lines(start=start, end=end):
            yield replace(line, fee=Money(-1, "KES"))


@caught_by("settlement.reading_twice_changes_nothing")
class ForgetsWhatItListed(FullProvider):
    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        yield from list(super().list_settlement_lines(start=start, end=end))
        self.context.cache.delete("lines")


@caught_by("prepare.preparing_twice_changes_nothing")
class PreparesAgainAndAgain(FullProvider):
    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        data = {
            "phone": request.payment_method_data["phone"],
            "seen": request.payment_method_data.get("seen", "") + "x",
        }
        super().prepare_payment(request)
        return replace(request, payment_method_data=data)


@caught_by("prepare.money_and_key_are_left_alone")
class PreparesANewKey(FullProvider):
    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        return replace(super().prepare_payment(request), idempotency_key=f"other-{request.reference}")


@caught_by("prepare.bad_data_is_explained")
class TakesAnyNumber(FullProvider):
    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        return replace(request, payment_method_data={"phone": "254712345678"})


@caught_by("explain.declines_are_explained_in_both_languages")
class SpeaksOnlyEnglish(FakeProvider):
    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        return super().explain_failure(provider_code, language="en")


@caught_by("explain.unknown_codes_are_survived")
class StumblesOverNewCodes(FakeProvider):
    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        FailureCode(provider_code)
        return super().explain_failure(provider_code, language=language)
