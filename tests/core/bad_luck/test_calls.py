"""What may have arrived is never called a failure; what cannot have happened is never called unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Problem
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.calls import Conversation, take_money
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.intents import cancel_payment_intent, expire_due_intents
from majuu_core.payments.models import Charge, PaymentIntent, ProviderCall
from majuu_core.payments.outcomes import plan_outcome
from majuu_core.payments.settling import apply_result
from majuu_core.providers import (
    Failure,
    FailureCode,
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    Violation,
)
from majuu_core.providers.http import Exchange
from tests.core.bad_luck.deaths import instead_of
from tests.core.bad_luck.support import Counterdesk, Phone
from tests.core.payments.support import Till

pytestmark = pytest.mark.django_db
PAID = Result(status=ResultStatus.SUCCEEDED)
NOTHING_DONE = [
    NotSent("no network"),
    RateLimited("busy"),
    RequestRejected("wrong", code="400"),
    InvalidCredentials("who?"),
    InvalidPaymentData(Violation(code="x", message="x", field="x")),
]


@pytest.fixture
def till(virtual_clock: VirtualClock) -> Till:
    return Till()


def script(*steps: Any) -> Callable[[], Result]:
    """A call that raises or returns its steps, one after the other."""
    left: Iterator[Any] = iter(steps)

    def call() -> Result:
        step = next(left)
        if isinstance(step, Exception):
            raise step
        return step

    return call


def take(account: ProviderAccount, *steps: Any, replay_safe: bool) -> Result:
    return take_money(Conversation(account), script(*steps), replay_safe=replay_safe)


@pytest.mark.parametrize("problem", NOTHING_DONE, ids=lambda problem: type(problem).__name__)
def test_certain_that_nothing_happened(till: Till, problem: Exception) -> None:
    assert take(till.account, *[problem] * 3, replay_safe=False).status is ResultStatus.FAILED


@pytest.mark.parametrize("problem", NOTHING_DONE, ids=lambda problem: type(problem).__name__)
def test_a_refused_repetition_says_nothing_about_the_first_request(till: Till, problem: Exception) -> None:
    result = take(till.account, OutcomeUnknown("timeout"), *[problem] * 3, replay_safe=True)
    assert (result.status, result.failure) == (ResultStatus.UNKNOWN, None)


def test_an_answered_repetition_counts_when_the_provider_is_safe_to_repeat(till: Till) -> None:
    assert take(till.account, OutcomeUnknown("timeout"), PAID, replay_safe=True) is PAID


def test_no_repetition_when_it_is_not(till: Till) -> None:
    assert take(till.account, OutcomeUnknown("timeout"), PAID, replay_safe=False).status is ResultStatus.UNKNOWN


def test_a_crash_of_the_package_is_unknown(till: Till) -> None:
    assert take(till.account, KeyError("bug"), PAID, replay_safe=True).status is ResultStatus.UNKNOWN


def test_the_same_request_joins_its_charge_though_it_could_not_be_made_now(till: Till) -> None:
    """700 of 1,000 was paid by the lost first run of this very request: 700 is more than what remains."""
    intent = till.intent("1000")
    choice = PaymentChoice(payment_method="mock", amount=Money(700, "KES"))
    _, first = confirm_payment_intent(intent=intent, choice=choice, request_key="same")
    intent.refresh_from_db()
    again_intent, again = confirm_payment_intent(intent=intent, choice=choice, request_key="same")
    assert (again.pk, again_intent.amount_received.amount) == (first.pk, Decimal(700))
    with pytest.raises(Problem):
        confirm_payment_intent(intent=intent, choice=choice, request_key="another")
    assert Charge.objects.count() == 1


def test_the_late_success_of_an_old_part_does_not_ask_for_what_is_under_way(till: Till) -> None:
    intent = till.intent("8000")
    _, old = till.pay(intent, "100")
    Charge.objects.filter(pk=old.pk).update(status="failed")
    PaymentIntent.objects.filter(pk=intent.pk).update(amount_received=0, status="requires_payment_method")
    intent.refresh_from_db()
    _, young = till.pay(intent, "7721")
    old.refresh_from_db()
    assert (young.status, old.payment_intent.status) == ("pending", "processing")
    plan = plan_outcome(old, PAID, now=young.created_at)
    assert plan.intent["amount_received"].amount == Decimal(100)
    assert "status" not in plan.intent


def test_an_intent_paid_in_part_at_the_last_moment_does_not_expire(till: Till, virtual_clock: VirtualClock) -> None:
    """It was found before the payment was; the others found with it expire all the same."""
    first, second = till.intent("1000"), till.intent("1000")
    virtual_clock.advance(first.expires_at - virtual_clock.now())

    def paid_meanwhile(real: Any, intent_id: Any) -> Any:
        if intent_id == first.pk:
            PaymentIntent.objects.filter(pk=first.pk).update(amount_received=100)
        return real(intent_id)

    with instead_of("majuu_core.payments.intents", "lock_intent", paid_meanwhile):
        expire_due_intents()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.is_parked) == ("requires_payment_method", True)
    assert (second.status, second.is_parked) == ("canceled", False)


def test_zero_reported_is_not_everything_received(till: Till) -> None:
    _, charge = till.pay_new("7721")
    applied = apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.SUCCEEDED, amount=Money(0, "KES")))
    assert (applied.charge.status, applied.charge.is_parked) == ("succeeded", True)
    assert applied.charge.amount_received.amount == 0
    assert till.books() == {}


@pytest.mark.parametrize("odd", ["nul \x00 byte", "half \ud83d pair"])
def test_characters_that_no_database_takes_cost_no_payment(
    desk: Counterdesk, virtual_clock: VirtualClock, odd: str
) -> None:
    failure = Failure(code=FailureCode.DECLINED, provider_code=odd, message=odd)
    exchange = Exchange(
        operation="sale",
        method="POST",
        url=f"https://provider.example/{odd}",
        request_headers={},
        request_body=odd,
        status=200,
        response_body=odd,
        error=odd,
        started_at=virtual_clock.now(),
        duration_ms=1,
    )
    charge = desk.start(desk.intent("7721"))
    conversation = Conversation(charge.provider_account, charge, [exchange])
    declined = Result(status=ResultStatus.FAILED, failure=failure)
    apply_result(charge_id=charge.pk, result=declined, records=conversation.records())
    charge.refresh_from_db()
    assert (charge.status, charge.failure_code) == ("failed", "declined")
    assert "\N{REPLACEMENT CHARACTER}" in charge.failure_message
    assert "\N{REPLACEMENT CHARACTER}" in ProviderCall.objects.get(charge=charge).response_body
    paid = Result(status=ResultStatus.SUCCEEDED, receipt=odd, payer=odd)
    apply_result(charge_id=charge.pk, result=paid)
    charge.refresh_from_db()
    assert charge.status == "succeeded"


def test_one_charge_that_cannot_be_asked_about_keeps_nobody_waiting(
    desk: Counterdesk, virtual_clock: VirtualClock
) -> None:
    poisoned, good = desk.start(desk.intent("7721")), desk.start(desk.intent("7721"))
    virtual_clock.advance(10)

    def explode(real: Any, **kwargs: Any) -> Any:
        if kwargs["charge_id"] == poisoned.pk and kwargs["result"].status is ResultStatus.SUCCEEDED:
            raise RuntimeError("cannot be written")
        return real(**kwargs)

    with instead_of("majuu_core.payments.follow_ups", "apply_result", explode):
        assert run_due_follow_ups() == 2
    good.refresh_from_db()
    poisoned.refresh_from_db()
    assert (good.status, poisoned.status) == ("succeeded", "pending")
    virtual_clock.advance(60)
    assert run_due_follow_ups() == 1
    poisoned.refresh_from_db()
    assert poisoned.status == "succeeded"


def test_a_canceled_intent_takes_no_new_payment(desk: Counterdesk) -> None:
    intent = desk.intent("7721")
    cancel_payment_intent(intent=intent)
    with pytest.raises(Conflict) as refused:
        desk.start(intent)
    assert (refused.value.code, Charge.objects.count(), dict(Phone.prompts)) == ("payment_intent_final", 0, {})
