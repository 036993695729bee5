"""Money is held first and taken later: every outcome, what the books say then, and what the shop is told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.models import Event
from majuu_core.payments.captures import capture_payment_intent
from majuu_core.payments.charges import offered_accounts
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.incoming_applying import apply_to_intent
from majuu_core.payments.intents import IntentDetails, cancel_payment_intent, create_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.refund_amounts import refundable_amount
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.payments.resolving import resolve_charge
from majuu_core.payments.settling import apply_result
from majuu_core.providers import NotSent, OutcomeUnknown, RequestRejected, Result, ResultStatus
from majuu_core.testing.factories import make_provider_account
from tests.core.payments.holding import LOST, HoldingTill, booked, held, refusal, tell
from tests.core.payments.incoming_support import arrive, the_money

D = Decimal
WEEK = timedelta(days=7)


def told(intent: PaymentIntent) -> list[str]:
    """The types of all events after the creation, in order."""
    rows = Event.objects.exclude(type="payment_intent.created").order_by("created_at", "id")
    return list(rows.values_list("type", flat=True))


def fresh(charge: Charge) -> tuple[PaymentIntent, Charge]:
    found = Charge.objects.select_related("payment_intent__store").get(pk=charge.pk)
    return found.payment_intent, found


def snapshot(charge: Charge) -> Any:
    """Everything a refusal must leave as it was."""
    rows = Charge.objects.filter(pk=charge.pk).values(), PaymentIntent.objects.filter(charges=charge.pk).values()
    return [list(row) for row in rows], Event.objects.count(), AuditEntry.objects.count()


def test_an_authorization_holds_and_takes_nothing(holding: HoldingTill, virtual_clock: VirtualClock) -> None:
    intent, charge = holding.authorize("1500")
    assert (intent.status, charge.status) == ("requires_capture", "authorized")
    assert (intent.amount_capturable, intent.amount_received) == (D(1500), Money(0, "KES"))
    assert charge.capture_before == virtual_clock.now() + WEEK
    assert charge.follow_up_at == virtual_clock.now() + timedelta(days=1)
    assert holding.books() == held("1500")
    assert told(intent) == ["payment_intent.amount_capturable_updated"]
    assert holding.bank.names() == ["authorize"]


def test_capturing_all_of_it(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    intent, charge = capture_payment_intent(intent=intent)
    assert (intent.status, charge.status) == ("succeeded", "succeeded")
    assert intent.amount_received == charge.amount_received == Money(1500, "KES")
    assert (intent.amount_capturable, charge.follow_up_at, charge.hold_id) == (D(0), None, None)
    assert holding.books() == booked("1500")
    assert holding.bank.keys("capture") == [f"{charge.public_id}:capture"]
    assert sorted(told(intent))[1:] == ["payment_intent.amount_capturable_updated", "payment_intent.succeeded"]
    asked = AuditEntry.objects.get(action="charge.capture_requested")
    assert (asked.object_id, asked.changes) == (charge.public_id, {"amount": [None, "1500.00"]})


def test_capturing_a_part_is_final_and_releases_the_rest(holding: HoldingTill) -> None:
    intent, _ = holding.authorize("1500")
    intent, charge = capture_payment_intent(intent=intent, amount=Money("400.50", "KES"))
    assert (intent.status, charge.status) == ("succeeded", "succeeded")
    assert intent.amount_received == charge.amount_received == Money("400.50", "KES")
    assert (intent.amount_capturable, charge.amount_to_capture, intent.is_parked) == (D(0), D("400.50"), False)
    assert holding.books() == booked("400.50")
    before = snapshot(charge)
    with pytest.raises(Conflict) as refused:
        capture_payment_intent(intent=intent, amount=Money(1, "KES"))
    assert (refused.value.code, snapshot(charge)) == ("nothing_to_capture", before)


def test_what_was_captured_can_be_refunded_and_no_more(holding: HoldingTill) -> None:
    intent, _ = holding.authorize("1500")
    _, charge = capture_payment_intent(intent=intent, amount=Money(400, "KES"))
    assert refundable_amount(charge) == Money(400, "KES")
    with pytest.raises((Invalid, Conflict)):
        create_refund(store=holding.store, livemode=False, details=_refund(charge, "400.01"))
    for _ in range(4):
        create_refund(store=holding.store, livemode=False, details=_refund(charge, "100"))
    _, charge = fresh(charge)
    assert (charge.amount_refunded, refundable_amount(charge)) == (D(400), Money(0, "KES"))
    assert holding.books() == {}


def _refund(charge: Charge, amount: str) -> RefundDetails:
    return RefundDetails(charge=charge.public_id, amount=Money(amount, "KES"), reason="sent back")


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money("1500.01", "KES"), "capture_amount_out_of_range"),
        (Money(0, "KES"), "capture_amount_out_of_range"),
        (Money(-1, "KES"), "capture_amount_out_of_range"),
        (Money(100, "UGX"), "currency_mismatch"),
    ],
)
def test_amounts_that_cannot_be_captured(holding: HoldingTill, amount: Money, code: str) -> None:
    intent, charge = holding.authorize("1500")
    before = snapshot(charge)
    with pytest.raises(Invalid) as refused:
        capture_payment_intent(intent=intent, amount=amount)
    assert (refused.value.code, refused.value.field, snapshot(charge)) == (code, "amount", before)
    assert holding.bank.names() == ["authorize"]


def test_a_provider_that_captures_all_or_nothing(forgetful: HoldingTill) -> None:
    intent, charge = forgetful.authorize("1500")
    before = snapshot(charge)
    with pytest.raises(Invalid) as refused:
        capture_payment_intent(intent=intent, amount=Money(1499, "KES"))
    assert (refused.value.code, snapshot(charge)) == ("partial_capture_unsupported", before)
    intent, _ = capture_payment_intent(intent=intent, amount=Money(1500, "KES"))
    assert intent.status == "succeeded"


def test_an_authorization_that_expired_is_not_captured(holding: HoldingTill, virtual_clock: VirtualClock) -> None:
    intent, charge = holding.authorize("1500")
    virtual_clock.advance(WEEK)
    before = snapshot(charge)
    with pytest.raises(Conflict) as refused:
        capture_payment_intent(intent=intent)
    assert (refused.value.code, snapshot(charge)) == ("authorization_expired", before)


def test_a_payment_under_review_is_not_captured(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    Charge.objects.filter(pk=charge.pk).update(is_parked=True)
    for attempt in (capture_payment_intent, cancel_payment_intent):
        before = snapshot(charge)
        with pytest.raises(Conflict) as refused:
            attempt(intent=intent)
        assert (refused.value.code, snapshot(charge)) == ("payment_intent_under_review", before)


def test_the_same_request_joins_its_capture(holding: HoldingTill) -> None:
    intent, _ = holding.authorize("1500")
    first = capture_payment_intent(intent=intent, amount=Money(400, "KES"), request_key="a")[1]
    again = capture_payment_intent(intent=intent, amount=Money(400, "KES"), request_key="a")[1]
    assert (first.pk, again.amount_received) == (again.pk, Money(400, "KES"))
    assert holding.bank.names() == ["authorize", "capture"]


def test_a_lost_answer_is_found_out_by_asking(forgetful: HoldingTill, virtual_clock: VirtualClock) -> None:
    intent, charge = forgetful.authorize("1500")
    forgetful.bank.trouble["capture"] = [LOST]
    intent, charge = capture_payment_intent(intent=intent)
    assert (intent.status, charge.status, charge.amount_to_capture) == ("requires_capture", "authorized", D(1500))
    assert forgetful.books() == held("1500")
    with pytest.raises(Conflict) as refused:
        capture_payment_intent(intent=intent)
    assert refused.value.code == "capture_in_progress"
    virtual_clock.advance(60)
    assert run_due_follow_ups() == 1
    intent, charge = fresh(charge)
    assert (intent.status, charge.status) == ("succeeded", "succeeded")
    assert forgetful.books() == booked("1500")
    assert forgetful.bank.names() == ["authorize", "capture"]


def test_a_capture_that_never_arrived_is_sent_again_under_its_key(
    holding: HoldingTill, virtual_clock: VirtualClock
) -> None:
    intent, charge = holding.authorize("1500")
    holding.bank.trouble["capture"] = [OutcomeUnknown("dead"), OutcomeUnknown("dead")]
    capture_payment_intent(intent=intent, amount=Money(300, "KES"))
    virtual_clock.advance(60)
    run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (intent.status, charge.amount_received) == ("succeeded", Money(300, "KES"))
    assert holding.bank.keys("capture") == [f"{charge.public_id}:capture"] * 3


def test_a_capture_that_may_not_be_repeated_ends_with_a_person(
    forgetful: HoldingTill, virtual_clock: VirtualClock
) -> None:
    forgetful.bank.holds_for = None
    intent, charge = forgetful.authorize("1500")
    forgetful.bank.trouble["capture"] = [OutcomeUnknown("dead")]
    capture_payment_intent(intent=intent)
    for _ in range(60):
        virtual_clock.advance(3601)
        run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (charge.status, charge.is_parked, charge.follow_up_at) == ("authorized", True, None)
    assert forgetful.bank.names() == ["authorize", "capture"]
    assert AuditEntry.objects.filter(action="charge.parked").count() == 1
    resolve_charge(charge=charge, succeeded=True, reason="line 12 of the statement")
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, charge.is_parked) == ("succeeded", "succeeded", False)
    assert forgetful.books() == booked("1500")


@pytest.mark.parametrize(
    "trouble", [refusal("do_not_honor"), RequestRejected("no", code="do_not_honor"), NotSent("no line")]
)
def test_a_refused_capture_keeps_the_authorization(holding: HoldingTill, trouble: Any) -> None:
    intent, charge = holding.authorize("1500")
    holding.bank.trouble["capture"] = [trouble] * (3 if isinstance(trouble, NotSent) else 1)
    intent, charge = capture_payment_intent(intent=intent, request_key="a")
    expected = "not_sent" if isinstance(trouble, NotSent) else "do_not_honor"
    assert (intent.status, charge.status, charge.provider_failure_code) == ("requires_capture", "authorized", expected)
    assert (charge.amount_to_capture, intent.amount_capturable) == (None, D(1500))
    assert holding.books() == held("1500")
    assert "payment_intent.capture_failed" in told(intent)
    intent, charge = capture_payment_intent(intent=intent, request_key="b")
    assert (intent.status, charge.failure_code, holding.books()) == ("succeeded", "", booked("1500"))
    # The refused request is not repeated under its key: the provider would only repeat its answer.
    assert holding.bank.keys("capture")[-1] == f"{charge.public_id}:capture:2"


def test_a_refused_capture_of_what_is_gone_ends_the_payment(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    holding.bank.payments[charge.public_id].state = ResultStatus.CANCELED
    intent, charge = capture_payment_intent(intent=intent)
    assert (intent.status, charge.status, intent.amount_capturable) == ("canceled", "canceled", D(0))
    assert holding.books() == {}


def test_another_amount_than_was_asked_for_is_parked(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    holding.bank.trouble["capture"] = [Result(status=ResultStatus.SUCCEEDED, amount=Money(1500, "KES"))]
    intent, charge = capture_payment_intent(intent=intent, amount=Money(400, "KES"))
    assert (charge.status, charge.is_parked, intent.is_parked) == ("succeeded", True, True)
    assert charge.parked_reason == "The provider reports 1500 KES; 400.00 was asked for."
    assert holding.books()["store_unapplied"] == (D(1500), D(0))
    assert "store_payable" not in holding.books()


def test_a_message_of_the_provider_settles_a_capture(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    holding.bank.trouble["capture"] = [OutcomeUnknown("dead"), OutcomeUnknown("dead")]
    capture_payment_intent(intent=intent, amount=Money(400, "KES"))
    assert tell(charge, id="e1", status="succeeded", amount="400") == 200
    intent, charge = fresh(charge)
    assert (intent.status, charge.amount_received, charge.is_parked) == ("succeeded", Money(400, "KES"), False)
    assert holding.books() == booked("400")


def test_canceling_lets_authorized_money_go(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    intent = cancel_payment_intent(intent=intent, reason="abandoned")
    _, charge = fresh(charge)
    assert (intent.status, intent.cancellation_reason, charge.status) == ("canceled", "abandoned", "canceled")
    assert (intent.amount_capturable, charge.hold_id, charge.follow_up_at) == (D(0), None, None)
    assert holding.books() == {}
    assert holding.bank.keys("void") == [f"{charge.public_id}:void"]
    assert sorted(told(intent)) == [
        "charge.failed",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
    ]
    cancel_payment_intent(intent=intent)
    assert holding.bank.names() == ["authorize", "void"]


def test_the_hold_stays_until_the_provider_says_that_it_let_go(
    forgetful: HoldingTill, virtual_clock: VirtualClock
) -> None:
    intent, charge = forgetful.authorize("1500")
    forgetful.bank.trouble["void"] = [LOST]
    intent = cancel_payment_intent(intent=intent)
    assert (intent.status, forgetful.books()) == ("requires_capture", held("1500"))
    with pytest.raises(Conflict) as refused:
        capture_payment_intent(intent=intent)
    assert refused.value.code == "void_in_progress"
    virtual_clock.advance(60)
    run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (intent.status, intent.cancellation_reason, charge.status) == ("canceled", "requested", "canceled")
    assert (forgetful.books(), forgetful.bank.names()) == ({}, ["authorize", "void"])


def test_a_refused_void_leaves_the_payment_as_it_was(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    holding.bank.trouble["void"] = [refusal("not_now")]
    intent = cancel_payment_intent(intent=intent)
    _, charge = fresh(charge)
    assert (intent.status, intent.cancellation_reason, charge.status) == ("requires_capture", "", "authorized")
    assert (charge.void_requested_at, charge.provider_failure_code) == (None, "not_now")
    assert holding.books() == held("1500")
    assert capture_payment_intent(intent=intent)[0].status == "succeeded"


def test_a_void_that_comes_too_late_finds_the_money_taken(holding: HoldingTill) -> None:
    """Somebody captured it at the provider's own page."""
    intent, charge = holding.authorize("1500")
    holding.bank.payments[charge.public_id].state = ResultStatus.SUCCEEDED
    intent = cancel_payment_intent(intent=intent)
    assert (intent.status, holding.books()) == ("succeeded", booked("1500"))


def test_an_authorization_that_lapses_ends_the_intent(holding: HoldingTill, virtual_clock: VirtualClock) -> None:
    intent, charge = holding.authorize("1500")
    for _ in range(6):
        virtual_clock.advance(timedelta(days=1))
        assert run_due_follow_ups() == 1
    assert fresh(charge)[1].status == "authorized"
    holding.bank.payments[charge.public_id].state = ResultStatus.CANCELED
    virtual_clock.advance(timedelta(days=1, minutes=1))
    run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (intent.status, intent.cancellation_reason, charge.status) == ("canceled", "expired", "canceled")
    assert holding.books() == {}
    assert told(intent)[-2:] == ["charge.failed", "payment_intent.canceled"]


def test_a_provider_that_never_lets_go_is_looked_at_by_a_person(
    holding: HoldingTill, virtual_clock: VirtualClock
) -> None:
    _, charge = holding.authorize("1500")
    virtual_clock.advance(WEEK + timedelta(days=3))
    run_due_follow_ups()
    _, charge = fresh(charge)
    assert (charge.status, charge.is_parked, charge.follow_up_at) == ("authorized", True, None)


def test_money_that_is_authorized_after_the_cancellation_is_let_go(
    forgetful: HoldingTill, virtual_clock: VirtualClock
) -> None:
    forgetful.bank.trouble["authorize"] = [LOST]
    intent, charge = forgetful.authorize("1500")
    assert charge.status == "unknown"
    assert cancel_payment_intent(intent=intent).status == "canceled"
    for _ in range(2):
        virtual_clock.advance(60)
        run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, forgetful.books()) == ("canceled", "canceled", {})
    assert forgetful.bank.names() == ["authorize", "void"]


def test_what_was_paid_in_another_way_meanwhile_is_not_captured_too(
    forgetful: HoldingTill, virtual_clock: VirtualClock
) -> None:
    intent, charge = forgetful.authorize("1500")
    PaymentIntent.objects.filter(pk=intent.pk).update(status="succeeded")  # by money that came by itself
    for attempt, code in (
        (capture_payment_intent, "nothing_to_capture"),
        (cancel_payment_intent, "payment_intent_succeeded"),
    ):
        before = snapshot(charge)
        with pytest.raises(Conflict) as refused:
            attempt(intent=intent)
        assert (refused.value.code, snapshot(charge)) == (code, before)
    virtual_clock.advance(timedelta(days=1))
    run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, intent.amount_capturable) == ("succeeded", "canceled", D(0))
    assert forgetful.bank.names() == ["authorize", "void"]
    assert forgetful.books() == {}


def test_the_rest_of_a_part_paid_intent_stays_open_when_its_authorization_goes(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    PaymentIntent.objects.filter(pk=intent.pk).update(amount_received=Money(100, "KES"))
    intent.refresh_from_db()
    with pytest.raises(Conflict) as refused:
        cancel_payment_intent(intent=intent)
    assert refused.value.code == "payment_intent_partially_paid"
    apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.CANCELED))
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, intent.amount_capturable) == ("requires_payment_method", "canceled", D(0))


def test_a_part_that_comes_by_itself_leaves_the_authorization_capturable(holding: HoldingTill) -> None:
    """given 1,500 held / when 400 arrive by themselves / then no second payment begins, and a capture pays the rest."""
    intent, charge = holding.authorize("1500")
    arrive(holding.account, amount="400")
    assert apply_to_intent(the_money().pk, intent.pk)
    intent, charge = fresh(charge)
    assert (intent.status, intent.amount_received, intent.amount_capturable) == (
        "requires_capture",
        Money(400, "KES"),
        D(1500),
    )
    intent, _ = capture_payment_intent(intent=intent)
    assert (intent.status, intent.amount_received, intent.surplus) == (
        "succeeded",
        Money(1500, "KES"),
        Money(400, "KES"),
    )


def test_a_capture_made_elsewhere_counts(holding: HoldingTill, virtual_clock: VirtualClock) -> None:
    _, charge = holding.authorize("1500")
    holding.bank.payments[charge.public_id].state = ResultStatus.SUCCEEDED
    virtual_clock.advance(timedelta(days=1))
    run_due_follow_ups()
    intent, charge = fresh(charge)
    assert (intent.status, charge.status, holding.books()) == ("succeeded", "succeeded", booked("1500"))


def test_only_methods_that_can_hold_are_offered(holding: HoldingTill) -> None:
    make_provider_account(store=holding.store)
    automatic, manual = holding.intent("1500"), holding.intent("1500", capture_method="manual")
    assert sorted(offered_accounts(automatic)) == ["holding_card", "mock"]
    assert sorted(offered_accounts(manual)) == ["holding_card", "mock"]
    with pytest.raises(Invalid) as refused:
        holding.pay(manual, "500")
    assert (refused.value.code, refused.value.field) == ("partial_authorization_unsupported", "amount")


def test_a_method_that_cannot_hold_is_refused(till: Any, temporary_plugin: Any) -> None:
    from tests.core.checkout.phone_provider import PhonePlugin

    temporary_plugin(PhonePlugin())
    make_provider_account(store=till.store, provider="phone", credentials={})
    details = IntentDetails(amount=Money(100, "KES"), capture_method="manual", payment_methods=("mock", "phone_push"))
    with pytest.raises(Invalid) as refused:
        create_payment_intent(store=till.store, livemode=False, details=details)
    assert (refused.value.code, refused.value.field) == ("capture_method_unsupported", "payment_methods.1")
    assert "phone_push cannot hold money. These can: mock." in str(refused.value)
    assert not PaymentIntent.objects.exists()
    intent = till.intent("100", capture_method="manual")
    assert list(offered_accounts(intent)) == ["mock"]


def test_the_mock_provider_is_captured_under_a_new_reference(till: Any) -> None:
    intent, charge = till.pay(till.intent("1500", capture_method="manual"))
    held_as = charge.provider_reference
    intent, charge = capture_payment_intent(intent=intent, amount=Money(400, "KES"))
    assert (intent.status, till.books()) == ("succeeded", booked("400"))
    assert charge.provider_reference != held_as
    create_refund(store=till.store, livemode=False, details=_refund(charge, "400"))
    assert till.books() == {}


def test_answers_that_come_again_change_nothing(holding: HoldingTill) -> None:
    intent, charge = holding.authorize("1500")
    capture_payment_intent(intent=intent, amount=Money(400, "KES"))
    before = snapshot(charge)
    for status in (ResultStatus.AUTHORIZED, ResultStatus.SUCCEEDED, ResultStatus.CANCELED, ResultStatus.UNKNOWN):
        apply_result(charge_id=charge.pk, result=Result(status=status))
    assert snapshot(charge) == before


def test_a_question_from_before_the_authorization_does_not_set_its_clock(holding: HoldingTill) -> None:
    _, charge = holding.authorize("1500")
    asked_before = {"follow_up_at": None, "is_parked": True, "parked_reason": "never said"}
    apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.UNKNOWN), charge_values=asked_before)
    _, now = fresh(charge)
    assert (now.follow_up_at, now.is_parked) == (charge.follow_up_at, False)
