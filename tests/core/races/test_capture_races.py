"""Captures, voids, callbacks and questions at the same moment: the money is taken once, or let go once, never both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.events.models import Event
from majuu_core.payments.captures import capture_payment_intent
from majuu_core.payments.follow_ups import follow_up_charge, run_due_follow_ups
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.refunds import RefundDetails, create_refund
from tests.core.payments.holding import LOST, HoldingPlugin, HoldingTill, booked, tell
from tests.core.races.threads import answers, at_once

pytestmark = pytest.mark.postgresql


@pytest.fixture
def holding(till: Any, temporary_plugin: Callable[[object], object]) -> HoldingTill:
    """A store whose bank holds money first."""
    plugin = HoldingPlugin()
    temporary_plugin(plugin)
    return HoldingTill(plugin.bank)


def fresh(charge: Charge) -> tuple[PaymentIntent, Charge]:
    found = Charge.objects.select_related("payment_intent").get(pk=charge.pk)
    return found.payment_intent, found


def count(type: str) -> int:
    return Event.objects.filter(type=type).count()


def test_eight_captures_at_once_take_the_money_once(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    amounts = [Money(100 * number, "KES") for number in range(1, 9)]
    results = at_once([partial(capture_payment_intent, intent=intent, amount=amount) for amount in amounts])
    won = [result for result in results if not isinstance(result, Exception)]
    assert len(won) == 1
    lost = {result.code for result in results if isinstance(result, Conflict)}
    assert lost <= {"capture_in_progress", "nothing_to_capture"}
    intent, charge = fresh(charge)
    assert (charge.status, charge.amount_received) == ("succeeded", won[0][1].amount_received)
    assert holding.bank.names() == ["authorize", "capture"]
    assert holding.books() == booked(str(charge.amount_received.amount))
    assert (count("charge.succeeded"), count("payment_intent.succeeded")) == (1, 1)


def test_one_request_sent_eight_times_joins_one_capture(holding: HoldingTill) -> None:
    intent, _ = holding.authorize("1500")
    capture = partial(capture_payment_intent, intent=intent, amount=Money(400, "KES"), request_key="one")
    found = {charge.pk for _, charge in answers(at_once([capture] * 8))}
    assert (len(found), holding.bank.names()) == (1, ["authorize", "capture"])


def test_a_capture_against_a_void(holding: HoldingTill) -> None:
    for _ in range(6):
        intent, charge = holding.authorize("1500")
        capture: Callable[[], Any] = partial(capture_payment_intent, intent=intent)
        cancel: Callable[[], Any] = partial(cancel_payment_intent, intent=intent)
        first, second = at_once([capture, cancel])
        intent, charge = fresh(charge)
        assert (intent.status, charge.status) in {("succeeded", "succeeded"), ("canceled", "canceled")}
        loser = second if intent.status == "succeeded" else first
        assert isinstance(loser, Conflict)
        calls = [name for name, request in holding.bank.calls if request.reference == charge.public_id]
        assert calls == ["authorize", "capture" if intent.status == "succeeded" else "void"]


@pytest.mark.parametrize("amount", ["1500", "400"])
def test_the_callback_overtakes_the_answer_of_the_capture(holding: HoldingTill, amount: str) -> None:
    intent, charge = holding.authorize("1500")

    def callback(name: str) -> None:
        if name == "capture":
            answers(at_once([partial(tell, charge, id="e1", status="succeeded", amount=amount)]))

    holding.bank.on_call = callback
    capture_payment_intent(intent=intent, amount=Money(amount, "KES"))
    intent, charge = fresh(charge)
    assert (intent.status, charge.amount_received, charge.is_parked) == ("succeeded", Money(amount, "KES"), False)
    assert holding.books() == booked(amount)
    assert (count("charge.succeeded"), count("payment_intent.succeeded")) == (1, 1)


def test_callbacks_and_questions_after_a_lost_answer(holding: HoldingTill, virtual_clock: VirtualClock) -> None:
    intent, charge = holding.authorize("1500")
    holding.bank.trouble["capture"] = [LOST, LOST]
    capture_payment_intent(intent=intent, amount=Money(400, "KES"))
    assert fresh(charge)[1].status == "authorized"
    virtual_clock.advance(60)
    works: list[Callable[[], Any]] = [partial(follow_up_charge, charge.pk) for _ in range(4)]
    works += [partial(tell, charge, id=f"e{number}", status="succeeded", amount="400") for number in range(4)]
    works += [run_due_follow_ups]
    answers(at_once(works))
    intent, charge = fresh(charge)
    assert (intent.status, charge.amount_received, holding.books()) == ("succeeded", Money(400, "KES"), booked("400"))
    assert (count("charge.succeeded"), count("payment_intent.succeeded")) == (1, 1)


def test_an_approval_is_completed_by_several_at_once(holding: HoldingTill, virtual_clock: VirtualClock) -> None:
    holding.bank.redirects = True
    intent, charge = holding.pay(holding.intent("1500"))
    holding.bank.approve(charge)
    virtual_clock.advance(timedelta(minutes=1))
    works: list[Callable[[], Any]] = [partial(follow_up_charge, charge.pk) for _ in range(4)]
    works += [partial(tell, charge, id="e1", status="pending", needs_completion=True), run_due_follow_ups]
    answers(at_once(works))
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("succeeded", "succeeded", booked("1500"))
    assert set(holding.bank.keys("complete")) == {f"{charge.public_id}:complete"}
    assert count("charge.succeeded") == 1


def test_fifty_refunds_of_a_partial_capture_give_back_no_more_than_was_captured(holding: HoldingTill) -> None:
    intent, _ = holding.authorize("1500")
    _, charge = capture_payment_intent(intent=intent, amount=Money(100, "KES"))
    details = RefundDetails(charge=charge.public_id, amount=Money(10, "KES"), reason="sent back")
    results = at_once([partial(create_refund, store=holding.store, livemode=False, details=details)] * 50)
    assert sum(not isinstance(result, Exception) for result in results) == 10
    _, charge = fresh(charge)
    assert (charge.amount_refunded, bool(holding.books())) == (Decimal(100), False)
