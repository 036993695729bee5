"""The customer approves at the provider, and only then is the money taken: by whoever hears of it first, once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.payments.captures import capture_payment_intent
from majuu_core.payments.follow_ups import follow_up_charge, run_due_follow_ups
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.providers import InvalidCredentials, NotSent, OutcomeUnknown, Result, ResultStatus
from tests.core.payments.holding import LOST, HoldingTill, booked, held, refusal, tell
from tests.core.payments.test_captures import fresh, told


def sent_away(till: HoldingTill, **details: str) -> tuple[PaymentIntent, Charge]:
    """An intent whose customer is on the bank's page."""
    till.bank.redirects = True
    return till.pay(till.intent("1500", **details))


def test_a_question_finds_the_approval_and_completes(holding: HoldingTill, virtual_clock: VirtualClock) -> None:
    intent, charge = sent_away(holding)
    assert (intent.status, charge.status, holding.bank.names()) == ("requires_action", "requires_action", ["sale"])
    follow_up_charge(charge.pk)
    assert holding.bank.names() == ["sale"]
    holding.bank.approve(charge)
    virtual_clock.advance(60)
    assert run_due_follow_ups() == 1
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, charge.next_action) == ("succeeded", "succeeded", None)
    assert holding.bank.keys("complete") == [f"{charge.public_id}:complete"]
    assert holding.books() == booked("1500")


def test_completing_an_authorization_holds_the_money(holding: HoldingTill) -> None:
    _, charge = sent_away(holding, capture_method="manual")
    holding.bank.approve(charge)
    follow_up_charge(charge.pk)
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("requires_capture", "authorized", held("1500"))
    assert intent.amount_capturable == Decimal(1500)
    intent, _ = capture_payment_intent(intent=intent, amount=Money(400, "KES"))
    assert (intent.status, holding.books()) == ("succeeded", booked("400"))


def test_an_answer_that_needs_completion_is_completed_in_the_same_request(holding: HoldingTill) -> None:
    holding.bank.trouble["sale"] = [LOST]  # opened, and never answered …
    approved = Result(status=ResultStatus.PENDING, provider_reference="bank-x", needs_completion=True)
    holding.bank.on_call = lambda name: _approve_all(holding)
    holding.bank.redirects = True
    holding.bank.trouble["sale"] = [LOST, approved]  # … but the repetition of the same key is
    intent, charge = holding.pay(holding.intent("1500"))
    assert (intent.status, charge.status, holding.books()) == ("succeeded", "succeeded", booked("1500"))
    assert holding.bank.names() == ["sale", "sale", "complete"]
    assert holding.bank.calls[-1][1].provider_reference == "bank-x"
    assert charge.provider_reference == f"bank-{charge.public_id}"


def _approve_all(till: HoldingTill) -> None:
    for payment in till.bank.payments.values():
        payment.is_approved = True


def test_a_message_in_a_request_leaves_the_call_to_the_worker(
    holding: HoldingTill, virtual_clock: VirtualClock
) -> None:
    _, charge = sent_away(holding)
    holding.bank.approve(charge)
    assert tell(charge, id="e1", status="pending", needs_completion=True) == 200
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, charge.next_action) == ("processing", "pending", None)
    assert (charge.follow_up_at, holding.bank.names()) == (virtual_clock.now(), ["sale"])
    assert run_due_follow_ups() == 1
    intent, charge = fresh(charge)
    assert (intent.status, holding.books()) == ("succeeded", booked("1500"))


@pytest.mark.parametrize(
    "trouble", [[LOST, OutcomeUnknown("dead")], [NotSent("no line")] * 3, [InvalidCredentials("expired key")]]
)
def test_a_completion_without_an_answer_is_asked_about_again(
    holding: HoldingTill, virtual_clock: VirtualClock, trouble: list[object]
) -> None:
    _, charge = sent_away(holding)
    holding.bank.approve(charge)
    holding.bank.trouble["complete"] = trouble
    follow_up_charge(charge.pk)
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("processing", "pending", held("1500"))
    assert charge.follow_up_at is not None
    assert charge.follow_up_at > virtual_clock.now()
    virtual_clock.advance(60)
    run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("succeeded", "succeeded", booked("1500"))


def test_a_declined_completion_lets_the_customer_try_again(holding: HoldingTill) -> None:
    _, charge = sent_away(holding)
    holding.bank.approve(charge)
    holding.bank.trouble["complete"] = [refusal("instrument_declined")]
    follow_up_charge(charge.pk)
    intent, charge = fresh(charge)
    assert (intent.status, charge.status) == ("requires_payment_method", "failed")
    assert charge.provider_failure_code == "instrument_declined"
    assert holding.books() == {}


def test_a_completion_of_another_amount_is_parked(holding: HoldingTill) -> None:
    _, charge = sent_away(holding)
    holding.bank.approve(charge)
    holding.bank.trouble["complete"] = [Result(status=ResultStatus.SUCCEEDED, amount=Money(15, "KES"))]
    follow_up_charge(charge.pk)
    intent, charge = fresh(charge)
    assert (charge.status, charge.is_parked, intent.is_parked) == ("succeeded", True, True)
    assert intent.amount_received == Money(0, "KES")


def test_canceling_closes_the_page_where_the_provider_can(holding: HoldingTill) -> None:
    intent, charge = sent_away(holding)
    intent = cancel_payment_intent(intent=intent)
    _, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("canceled", "canceled", {})
    assert holding.bank.keys("void") == [f"{charge.public_id}:call_back"]


@pytest.mark.parametrize("trouble", [refusal("not_possible"), OutcomeUnknown("dead")])
def test_a_page_that_cannot_be_closed_is_followed_as_ever(
    holding: HoldingTill, virtual_clock: VirtualClock, trouble: object
) -> None:
    intent, charge = sent_away(holding)
    holding.bank.trouble["void"] = [trouble, trouble]
    intent = cancel_payment_intent(intent=intent)
    _, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("canceled", "requires_action", held("1500"))
    holding.bank.approve(charge)
    virtual_clock.advance(60)
    run_due_follow_ups()
    # then: what only our own call could take is not taken for an intent that was canceled
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("canceled", "canceled", {})
    assert holding.bank.keys("complete") == []
    assert told(intent)[-2:] == ["payment_intent.canceled", "charge.failed"]


def test_a_completion_that_arrived_before_its_intent_was_canceled_counts(
    holding: HoldingTill, virtual_clock: VirtualClock
) -> None:
    # given: the call took the money, and its answer was lost
    intent, charge = sent_away(holding)
    holding.bank.approve(charge)
    holding.bank.trouble["complete"] = [LOST, OutcomeUnknown("dead")]
    follow_up_charge(charge.pk)
    PaymentIntent.objects.filter(pk=intent.pk).update(status="canceled")
    # when
    virtual_clock.advance(60)
    run_due_follow_ups()
    # then
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("succeeded", "succeeded", booked("1500"))


@pytest.mark.parametrize("trouble", [[], [refusal("not_possible")]])
def test_what_was_paid_in_another_way_meanwhile_is_not_completed(
    holding: HoldingTill, virtual_clock: VirtualClock, trouble: list[Result]
) -> None:
    """given an intent paid by other money / when its page is approved too / then that money is never taken."""
    intent, charge = sent_away(holding)
    PaymentIntent.objects.filter(pk=intent.pk).update(status="succeeded", amount_received=Money(1500, "KES"))
    holding.bank.approve(charge)
    holding.bank.trouble["void"] = list(trouble)
    virtual_clock.advance(60)
    run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (charge.status, holding.books()) == ("canceled", {})
    assert (intent.status, intent.surplus.amount) == ("succeeded", 0)
    assert holding.bank.names() == ["sale", "void"]


def test_an_approval_after_the_cancellation_is_not_taken_only_to_be_parked(
    holding: HoldingTill, virtual_clock: VirtualClock
) -> None:
    holding.late("park")
    intent, charge = sent_away(holding)
    holding.bank.trouble["void"] = [refusal("not_possible")]
    cancel_payment_intent(intent=intent)
    holding.bank.approve(charge)
    virtual_clock.advance(60)
    run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (intent.status, intent.is_parked, charge.status, holding.books()) == ("canceled", False, "canceled", {})
    assert holding.bank.names() == ["sale", "void", "void"]


def test_pages_of_ours_are_what_the_provider_sends_customers_back_to(holding: HoldingTill) -> None:
    holding.bank.redirects = True
    intent = holding.intent("1500", customer_email="njeri@example.com", return_url="https://shop.example/old")
    intent, _ = holding.pay(intent, return_url="https://shop.example/thanks")
    request = holding.bank.calls[0][1]
    page = f"http://testserver/pay/{intent.link_token}"
    assert (request.return_url, request.cancel_url) == (f"{page}/return", f"{page}/canceled")
    assert request.customer_email == "njeri@example.com"
    intent.refresh_from_db()
    assert intent.return_url == "https://shop.example/thanks"
