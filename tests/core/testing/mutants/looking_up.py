"""Providers broken on purpose: looking payments up and holding money."""

from __future__ import annotations

from dataclasses import replace

from moneyed import Money

from majuu_core.common import randomness
from majuu_core.providers import (
    FailureCode,
    FetchRequest,
    PaymentRequest,
    Result,
    ResultStatus,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_wire import MockReference
from tests.core.testing.mutants.base import FAILED, caught_by


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


@caught_by(
    "fetch.pending_turns_into_paid",
    "complete.approved_one_says_so",
)
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


@caught_by(
    "fetch.amount_is_not_copied_from_the_question",
    "payment.other_amount_is_passed_on",
    "authorization.captured_amount_is_reported",
)
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
