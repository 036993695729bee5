"""Providers broken on purpose: giving money back and sending it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from moneyed import Money

from majuu_core.common import randomness
from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    OutcomeUnknown,
    PayoutRequest,
    RefundQuestion,
    RefundRoute,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_wire import MockReference
from tests.core.testing.full_provider import FullProvider
from tests.core.testing.mutants.base import FAILED, caught_by


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
    "refund.same_key_never_refunds_twice",
    "refund.full_refund_ends_paid_back",
    "refund.partial_refund_keeps_its_word",
    "refund.several_parts_are_several_refunds",
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


@caught_by(
    "refund.refund_has_its_own_reference",
    "refund.late_failure_is_told",
    "refund.several_parts_are_several_refunds",
)
class NamesRefundsLikePayments(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        return replace(super().refund(request), provider_reference=request.provider_reference)


@caught_by("refund.routes_are_pure")
class ChangesItsMind(FullProvider):
    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        routes = super().refund_routes(question)
        seen = self.context.cache.get("asked") or ""
        self.context.cache.set("asked", f"{seen}x", seconds=60)
        return routes if len(seen) % 2 else [*reversed(routes)]


@caught_by("refund.routes_are_explained")
class NamesBothWaysAlike(FullProvider):
    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        return [replace(route, method="back") for route in super().refund_routes(question)]


@caught_by("refund.routes_are_explained")
class ClosesAWayWithoutAReason(FullProvider):
    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        routes = super().refund_routes(question)
        return [route if route.possible else replace(route, reason=" ") for route in routes]


@caught_by("refund.routes_are_explained")
class BooksAsSomethingElse(FullProvider):
    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        return [replace(route, books_as="gift") for route in super().refund_routes(question)]


@caught_by("refund.needs_can_be_given")
class NeedsTheUnheardOf(FullProvider):
    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        back, anew = super().refund_routes(question)
        return [back, replace(anew, needs=("phone", "mothers_maiden_name"))]


@caught_by("refund.open_route_is_taken")
class RefusesWhatIsOpen(FullProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        if request.method == "back":
            raise RequestRejected("not this way")
        return super().refund(request)


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


@caught_by("refund.several_parts_are_several_refunds")
class TakesEveryPartForTheFirst(FakeProvider):
    """Derives the refund from the payment, so that the second part is the first one again."""

    def refund(self, request: FollowUpRequest) -> Result:
        payment = self._parent(request, {"sale", "capture"})
        made, amount = self._memory.get("first part", payment.nonce), self._share(request, payment)
        before = MockReference.read(made, self._secret)
        if before is not None and before.amount == amount != payment.amount:
            return self._state(before)
        result = super().refund(request)
        self._memory.keep("first part", payment.nonce, result.provider_reference or "")
        return result


@caught_by("refund.parts_are_never_more_than_the_whole", "refund.money_given_back_is_not_given_again")
class CountsNoRefunds(FakeProvider):
    def refund(self, request: FollowUpRequest) -> Result:
        result = super().refund(request)
        self._memory.keep("refunds", self._parent(request, {"sale", "capture"}).nonce, "")
        return result


@caught_by("refund.parts_are_never_more_than_the_whole")
class LooksOnlyAtTheWhole(FakeProvider):
    """Remembers full refunds, and forgets the parts."""

    def refund(self, request: FollowUpRequest) -> Result:
        payment = self._parent(request, {"sale", "capture"})
        result = super().refund(request)
        if self._share(request, payment) != payment.amount:
            self._memory.keep("refunds", payment.nonce, "")
        return result


@caught_by("refund.late_failure_is_told")
class HidesLateFailures(FakeProvider):
    def fetch_refund(self, request: FetchRequest) -> Result:
        found = super().fetch_refund(request)
        return Result(status=ResultStatus.SUCCEEDED, amount=found.amount) if found.failure else found
