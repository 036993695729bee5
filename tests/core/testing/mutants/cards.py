"""Providers broken on purpose: holding money, and the second call after an approval."""

from __future__ import annotations

from dataclasses import replace

from majuu_core.common import randomness
from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    PaymentRequest,
    ProviderError,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_wire import MockReference
from tests.core.testing.mutants.base import caught_by


@caught_by(
    "complete.coming_back_is_not_paying",
    "complete.completed_one_is_found_paid",
)
class BelievesTheReturn(FakeProvider):
    def complete(self, request: FollowUpRequest) -> Result:
        return Result(status=ResultStatus.SUCCEEDED, provider_reference=request.provider_reference)


@caught_by(
    "authorization.authorizing_only_holds",
    "authorization.capture_takes_what_was_held",
    "authorization.partial_capture_keeps_its_word",
    "authorization.capturing_more_is_refused",
    "authorization.void_releases_the_hold",
    "authorization.same_key_never_captures_twice",
    "authorization.captured_amount_is_reported",
    "authorization.captured_money_is_not_voided",
    "authorization.capturing_again_takes_nothing",
    "authorization.same_key_voids_once",
    "authorization.voided_hold_is_not_captured",
    "authorization.voided_hold_stays_void",
)
class TakesInsteadOfHolding(FakeProvider):
    def authorize(self, request: PaymentRequest) -> Result:
        return self.sale(request)


@caught_by(
    "authorization.partial_capture_keeps_its_word",
    "authorization.captured_amount_is_reported",
)
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


@caught_by(
    "authorization.void_releases_the_hold",
    "authorization.same_key_voids_once",
)
class OnlySaysThatItVoids(FakeProvider):
    def void(self, request: FollowUpRequest) -> Result:
        super().void(request)
        return Result(status=ResultStatus.AUTHORIZED, provider_reference=request.provider_reference)


@caught_by("authorization.same_key_never_captures_twice", "authorization.capturing_again_takes_nothing")
class CapturesTwice(FakeProvider):
    def capture(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"auth"})
        self._memory.keep("captured", parent.nonce, "")
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


@caught_by("authorization.captured_amount_is_reported")
class KeepsQuietAboutCaptures(FakeProvider):
    def capture(self, request: FollowUpRequest) -> Result:
        return replace(super().capture(request), amount=None)

    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        return replace(found, amount=None) if found.raw.get("operation") == "capture" else found


@caught_by("authorization.captured_amount_is_reported")
class ReportsTheHoldAsCaptured(FakeProvider):
    """Answers well and looks up the amount that was held."""

    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        return replace(found, amount=request.amount) if found.raw.get("operation") == "capture" else found


@caught_by("authorization.capturing_again_takes_nothing")
class CapturesAgainUnderAnotherKey(FakeProvider):
    def capture(self, request: FollowUpRequest) -> Result:
        self._memory.keep("captured", self._parent(request, {"auth"}).nonce, "")
        return super().capture(request)


@caught_by("authorization.voided_hold_is_not_captured", "authorization.voided_hold_stays_void")
class ForgetsThatItVoided(FakeProvider):
    def void(self, request: FollowUpRequest) -> Result:
        result = super().void(request)
        self._memory.keep("voided", self._parent(request, {"auth"}).nonce, "")
        return result


@caught_by("authorization.voided_hold_is_not_captured")
class CapturesWhatWasVoided(FakeProvider):
    def capture(self, request: FollowUpRequest) -> Result:
        self._memory.keep("voided", self._parent(request, {"auth"}).nonce, "")
        return super().capture(request)


@caught_by("authorization.voided_hold_stays_void")
class StillSeesTheHold(FakeProvider):
    def fetch_payment(self, request: FetchRequest) -> Result:
        found = super().fetch_payment(request)
        gone = found.status is ResultStatus.CANCELED and found.raw.get("operation") == "auth"
        return replace(found, status=ResultStatus.AUTHORIZED) if gone else found


@caught_by("authorization.same_key_voids_once")
class VoidsOnlyOnce(FakeProvider):
    def void(self, request: FollowUpRequest) -> Result:
        if self._memory.get("voided", self._parent(request, {"auth"}).nonce):
            raise RequestRejected("the hold is gone", code="wrong_state")
        return super().void(request)


@caught_by("authorization.captured_money_is_not_voided")
class VoidsCapturedMoney(FakeProvider):
    def void(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"auth"})
        if self._capture_of(parent):
            return Result(status=ResultStatus.CANCELED, provider_reference=request.provider_reference)
        return super().void(request)


@caught_by("complete.approved_one_says_so")
class NeverSaysThatItWaits(FakeProvider):
    """The look-up tells of a payment as if the customer were still away."""

    def fetch_payment(self, request: FetchRequest) -> Result:
        return replace(super().fetch_payment(request), needs_completion=False)


@caught_by("complete.completing_twice_takes_once")
class RefusesASecondCompletion(FakeProvider):
    def complete(self, request: FollowUpRequest) -> Result:
        token = self._parent(request, {"sale", "auth"})
        if self._memory.get("completed", token.nonce):
            raise RequestRejected("it is completed already", code="wrong_state")
        return super().complete(request)


@caught_by("complete.completing_twice_takes_once")
class TakesAgainWithEveryCompletion(FakeProvider):
    def complete(self, request: FollowUpRequest) -> Result:
        token = self._parent(request, {"sale", "auth"})
        if not self._memory.get("completed", token.nonce):
            return super().complete(request)
        again = replace(token, nonce=randomness.secret_bytes(8).hex())
        self._memory.keep("completed", again.nonce, "1")
        return self._state(again)


@caught_by("complete.early_completion_spoils_nothing")
class GivesUpWhenAskedTooEarly(FakeProvider):
    """Cancels the order when it is captured before the customer approved."""

    def complete(self, request: FollowUpRequest) -> Result:
        token = self._parent(request, {"sale", "auth"})
        if self._state(token).status is ResultStatus.REQUIRES_ACTION:
            self._memory.keep("given up", token.nonce, "1")
        return super().complete(request)

    def _state(self, token: MockReference, *, return_url: str = "") -> Result:
        given_up = self._memory.get("given up", token.nonce)
        return (
            Result(status=ResultStatus.CANCELED, provider_reference=token.sign(self._secret))
            if given_up
            else super()._state(token, return_url=return_url)
        )


@caught_by("complete.completed_one_is_found_paid")
class ForgetsTheCompletion(FakeProvider):
    def complete(self, request: FollowUpRequest) -> Result:
        result = super().complete(request)
        self._memory.keep("completed", self._parent(request, {"sale", "auth"}).nonce, "")
        return result


@caught_by(
    "complete.approved_payment_ends_paid",
    "complete.completing_twice_takes_once",
    "complete.early_completion_spoils_nothing",
    "complete.completed_one_is_found_paid",
)
class LeavesTheApprovedWaiting(FakeProvider):
    """Asks where the payment stands instead of taking the money."""

    def complete(self, request: FollowUpRequest) -> Result:
        return self._state(self._parent(request, {"sale", "auth"}))
