"""An intent is paid by the mock provider: every outcome, what the books say then, and what the shop is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.events.models import Event
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.intents import cancel_payment_intent, expire_due_intents
from majuu_core.payments.models import Charge, PaymentIntent, ProviderCall
from majuu_core.payments.outcomes import plan_outcome
from majuu_core.payments.resolving import resolve_charge
from majuu_core.payments.settling import apply_result
from majuu_core.providers import Failure, FailureCode, Result, ResultStatus
from tests.core.payments.support import Till, seconds

D = Decimal


def told() -> list[str]:
    """The types of all events, in order."""
    return list(Event.objects.order_by("created_at", "id").values_list("type", flat=True))


def test_a_payment_that_succeeds_at_once(till: Till) -> None:
    intent, charge = till.pay_new("1500")
    assert (intent.status, charge.status) == ("succeeded", "succeeded")
    assert intent.amount_received == charge.amount_received == Money(1500, "KES")
    assert (charge.follow_up_at, charge.hold_id, charge.next_action) == (None, None, None)
    assert till.books() == {"provider_clearing": (D(1500), D(0)), "store_payable": (D(1500), D(0))}
    assert sorted(told()) == ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("7701", "insufficient_funds"),
        ("7702", "declined"),
        ("7703", "customer_canceled"),
        ("7704", "authentication_failed"),
        ("7705", "limit_exceeded"),
        ("7706", "invalid_payment_method"),
        ("7707", "processing_error"),
    ],
)
def test_a_decline_leaves_the_books_empty_and_the_intent_payable(till: Till, amount: str, code: str) -> None:
    intent, charge = till.pay_new(amount)
    assert (intent.status, charge.status, charge.failure_code) == ("requires_payment_method", "failed", code)
    assert charge.follow_up_at is None
    assert till.books() == {}
    assert sorted(told()) == ["charge.failed", "payment_intent.created", "payment_intent.payment_failed"]


def test_money_that_is_not_decided_is_held(till: Till) -> None:
    intent, charge = till.pay_new("7721")
    assert (intent.status, charge.status) == ("processing", "pending")
    assert till.books() == {"provider_clearing": (D(0), D(7721)), "store_payable": (D(0), D(7721))}


def test_a_pending_payment_is_asked_about_until_it_is_decided(till: Till, virtual_clock: VirtualClock) -> None:
    intent, charge = till.pay_new("7721")
    assert charge.follow_up_at == virtual_clock.now() + seconds(10)
    assert run_due_follow_ups() == 0
    virtual_clock.advance(10)
    assert run_due_follow_ups() == 1
    intent.refresh_from_db()
    assert intent.status == "succeeded"
    assert till.books() == {"provider_clearing": (D(7721), D(0)), "store_payable": (D(7721), D(0))}
    assert run_due_follow_ups() == 0


def test_questions_follow_the_schedule_and_then_a_person_is_asked(till: Till, virtual_clock: VirtualClock) -> None:
    _, charge = till.pay_new("7724")
    start, asked = virtual_clock.now(), []
    while True:
        charge.refresh_from_db()
        if charge.follow_up_at is None:
            break
        virtual_clock.advance(charge.follow_up_at - virtual_clock.now())
        asked.append(int((virtual_clock.now() - start).total_seconds()))
        assert run_due_follow_ups() == 1
    assert asked[:7] == [10, 20, 40, 120, 300, 900, 3600]
    assert asked[7:] == [3600 * hour for hour in range(2, 26)]
    assert (charge.status, charge.is_parked) == ("pending", True)
    assert "statement" in charge.parked_reason
    assert told().count("charge.updated") == 1
    assert AuditEntry.objects.filter(action="charge.parked", object_id=charge.public_id).count() == 1
    assert till.books()["store_payable"] == (D(0), D(7724))


def test_an_answer_that_is_lost_makes_the_charge_unknown_and_never_a_second_one(
    till: Till, virtual_clock: VirtualClock
) -> None:
    intent, charge = till.pay_new("7733")
    assert (intent.status, charge.status) == ("processing", "unknown")
    with pytest.raises(Conflict) as refused:
        till.pay(intent)
    assert refused.value.code == "charge_in_progress"
    assert Charge.objects.count() == 1


@pytest.mark.parametrize(("amount", "status"), [("7731", "succeeded"), ("7732", "failed"), ("7734", "succeeded")])
def test_an_unknown_outcome_is_found_out(till: Till, virtual_clock: VirtualClock, amount: str, status: str) -> None:
    _, charge = till.pay_new(amount)
    for _ in range(4):
        virtual_clock.advance(40)
        run_due_follow_ups()
    charge.refresh_from_db()
    assert charge.status == status


def test_what_never_left_us_has_failed_for_certain(till: Till) -> None:
    from majuu_core.testing.mock_amounts import MAGIC_AMOUNTS, Trouble

    never = next(item for item in MAGIC_AMOUNTS if item.trouble is Trouble.NOT_SENT)
    _, charge = till.pay_new(str(never.amount))
    assert (charge.status, charge.provider_failure_code) == ("failed", "not_sent")
    assert till.books() == {}


def test_refused_credentials_mark_the_account(till: Till) -> None:
    from majuu_core.testing.mock_amounts import MAGIC_AMOUNTS, Trouble

    bad = next(item for item in MAGIC_AMOUNTS if item.trouble is Trouble.BAD_CREDENTIALS)
    _, charge = till.pay_new(str(bad.amount))
    till.account.refresh_from_db()
    assert (charge.status, charge.provider_failure_code) == ("failed", "invalid_credentials")
    assert till.account.health == "unhealthy"


def test_a_misreported_amount_is_parked_and_booked_where_nobody_spends_it(till: Till) -> None:
    from majuu_core.testing.mock_amounts import MAGIC_AMOUNTS

    wrong = next(item for item in MAGIC_AMOUNTS if item.misreported == "amount")
    intent, charge = till.pay_new(str(wrong.amount))
    reported = charge.amount_received.amount
    assert reported != charge.amount.amount
    assert (charge.status, charge.is_parked, intent.is_parked) == ("succeeded", True, True)
    assert intent.amount_received == Money(0, "KES")
    assert till.books() == {"provider_clearing": (reported, D(0)), "store_unapplied": (reported, D(0))}
    assert "payment_intent.parked" in told()
    with pytest.raises(Conflict) as refused:
        till.pay(intent)
    assert refused.value.code == "payment_intent_under_review"


def test_another_currency_is_parked_in_that_currency(till: Till) -> None:
    from majuu_core.testing.mock_amounts import MAGIC_AMOUNTS

    wrong = next(item for item in MAGIC_AMOUNTS if item.misreported == "currency")
    intent, charge = till.pay_new(str(wrong.amount))
    assert (charge.is_parked, intent.is_parked) == (True, True)
    assert charge.amount_received == Money(0, "KES")
    assert till.books("KES") == {}
    reported = charge.parked_reason.split()[4]
    assert till.books(reported.rstrip(";"))["store_unapplied"][0] > 0


def test_parts_add_up_to_the_amount(till: Till) -> None:
    intent = till.intent("1000")
    intent, _ = till.pay(intent, "400")
    assert (intent.status, intent.amount_received) == ("requires_payment_method", Money(400, "KES"))
    intent, charge = till.pay(intent)
    assert charge.amount == Money(600, "KES")
    assert (intent.status, intent.amount_received, intent.surplus) == ("succeeded", Money(1000, "KES"), Money(0, "KES"))
    assert told().count("payment_intent.partially_paid") == 1
    assert till.books() == {"provider_clearing": (D(1000), D(0)), "store_payable": (D(1000), D(0))}


def test_a_partly_paid_intent_is_not_canceled_and_parked_when_it_expires(
    till: Till, virtual_clock: VirtualClock
) -> None:
    intent, _ = till.pay(till.intent("1000"), "400")
    with pytest.raises(Conflict) as refused:
        cancel_payment_intent(intent=intent)
    assert refused.value.code == "payment_intent_partially_paid"
    virtual_clock.advance(seconds(86_401))
    assert (expire_due_intents(), expire_due_intents()) == (1, 0)
    intent.refresh_from_db()
    assert (intent.status, intent.is_parked) == ("requires_payment_method", True)
    assert told().count("payment_intent.parked") == 1


def test_a_part_that_arrives_after_cancellation_is_parked(till: Till) -> None:
    intent, charge = till.pay(till.intent("10000"), "7724")
    cancel_payment_intent(intent=intent)
    late = succeed(charge)
    assert (late.status, late.is_parked, late.amount_received) == ("canceled", True, Money(0, "KES"))
    assert till.books() == {"provider_clearing": (D(7724), D(0)), "store_unapplied": (D(7724), D(0))}


def succeed(charge: Charge, amount: str | None = None, receipt: str = "") -> PaymentIntent:
    """The provider says, out of the blue, that the charge succeeded."""
    result = Result(
        status=ResultStatus.SUCCEEDED,
        amount=None if amount is None else Money(amount, charge.currency),
        receipt=receipt or None,
    )
    return apply_result(charge_id=charge.pk, result=result).charge.payment_intent


def test_money_after_a_failure_is_booked_and_the_intent_succeeds(till: Till) -> None:
    _, charge = till.pay_new("7702")
    assert succeed(charge).status == "succeeded"
    charge.refresh_from_db()
    assert (charge.status, charge.failure_code) == ("succeeded", "")
    assert till.books() == {"provider_clearing": (D(7702), D(0)), "store_payable": (D(7702), D(0))}


def test_money_after_cancellation_succeeds_by_default(till: Till) -> None:
    intent, charge = till.pay_new("7724")
    assert cancel_payment_intent(intent=intent).status == "canceled"
    assert succeed(charge).status == "succeeded"
    assert till.books()["store_payable"] == (D(7724), D(0))


def test_money_after_cancellation_is_parked_when_the_store_wants_that(virtual_clock: VirtualClock, db: None) -> None:
    till = Till(late_success="park")
    intent, charge = till.pay_new("7724")
    cancel_payment_intent(intent=intent)
    late = succeed(charge)
    assert (late.status, late.is_parked) == ("canceled", True)
    assert till.books() == {"provider_clearing": (D(7724), D(0)), "store_unapplied": (D(7724), D(0))}


def test_paying_twice_books_the_second_payment_as_surplus(till: Till) -> None:
    intent, first = till.pay_new("7702")
    till.pay(PaymentIntent.objects.select_related("store").get(pk=intent.pk), "7000")
    late = succeed(first)
    assert (late.status, late.amount_received, late.surplus) == (
        "succeeded",
        Money(7702, "KES"),
        Money(7000, "KES"),
    )
    assert till.books() == {
        "provider_clearing": (D(14702), D(0)),
        "store_payable": (D(7702), D(0)),
        "store_surplus": (D(7000), D(0)),
    }


def test_a_charge_after_success_is_all_surplus_and_said_so(till: Till) -> None:
    intent, first = till.pay_new("7702")
    till.pay(PaymentIntent.objects.select_related("store").get(pk=intent.pk), "702")
    till.pay(PaymentIntent.objects.select_related("store").get(pk=intent.pk))
    late = succeed(first)
    assert (late.amount_received, late.surplus) == (Money(7702, "KES"), Money(7702, "KES"))
    assert told().count("payment_intent.overpaid") == 1


def test_a_fee_is_booked_against_the_money_at_the_provider(till: Till) -> None:
    _, charge = till.pay_new("7724")
    result = Result(status=ResultStatus.SUCCEEDED, amount=Money(7724, "KES"), fee=Money("38.62", "KES"))
    apply_result(charge_id=charge.pk, result=result)
    charge.refresh_from_db()
    assert charge.fee == Money("38.62", "KES")
    assert till.books() == {
        "provider_clearing": (D("7685.38"), D(0)),
        "store_payable": (D(7724), D(0)),
        "provider_fees": (D("38.62"), D(0)),
    }


def test_repeating_an_answer_changes_nothing(till: Till) -> None:
    _, charge = till.pay_new("1500")
    before = (till.books(), told(), Charge.objects.values().get())
    for result in (
        Result(status=ResultStatus.SUCCEEDED, amount=Money(1500, "KES")),
        Result(status=ResultStatus.PENDING),
        Result(status=ResultStatus.UNKNOWN),
        Result(
            status=ResultStatus.FAILED,
            failure=Failure(code=FailureCode.DECLINED, provider_code="1", message="no"),
        ),
        Result(status=ResultStatus.CANCELED),
    ):
        assert apply_result(charge_id=charge.pk, result=result).changed is False
    assert (till.books(), told(), Charge.objects.values().get()) == before


def test_a_receipt_that_comes_later_is_added_and_told(till: Till) -> None:
    _, charge = till.pay_new("1500")
    Charge.objects.filter(pk=charge.pk).update(receipt=None)
    succeed(charge, receipt="UK21ABCDEF")
    charge.refresh_from_db()
    assert charge.receipt == "UK21ABCDEF"
    assert told().count("charge.updated") == 1


def test_an_expired_intent_is_canceled_and_cannot_be_paid(till: Till, virtual_clock: VirtualClock) -> None:
    intent = till.intent()
    virtual_clock.advance(seconds(86_401))
    with pytest.raises(Conflict) as refused:
        till.pay(intent)
    assert refused.value.code == "payment_intent_expired"
    assert (expire_due_intents(), expire_due_intents()) == (1, 0)
    intent.refresh_from_db()
    assert (intent.status, intent.cancellation_reason) == ("canceled", "expired")
    assert told() == ["payment_intent.created", "payment_intent.canceled"]


def test_an_intent_whose_charge_is_open_does_not_expire(till: Till, virtual_clock: VirtualClock) -> None:
    intent, _ = till.pay_new("7733")
    virtual_clock.advance(seconds(86_401))
    assert expire_due_intents() == 0
    intent.refresh_from_db()
    assert intent.status == "processing"


def test_every_word_with_the_provider_is_kept_without_secrets(till: Till) -> None:
    till.pay_new("1500")
    # The mock speaks to nobody: no call is invented either.
    assert not ProviderCall.objects.exists()


def test_the_same_request_joins_its_charge(till: Till) -> None:
    from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent

    intent = till.intent("7724")
    choice = PaymentChoice(payment_method="mock")
    _, first = confirm_payment_intent(intent=intent, choice=choice, request_key="request-1")
    _, again = confirm_payment_intent(intent=intent, choice=choice, request_key="request-1")
    assert first.pk == again.pk
    assert Charge.objects.count() == 1


def test_a_prompt_stays_a_prompt_while_the_provider_is_still_at_it(till: Till, virtual_clock: VirtualClock) -> None:
    _, charge = till.pay_new("7724")
    charge = Charge.objects.select_related("payment_intent__store").get(pk=charge.pk)
    charge.status = Charge.Status.REQUIRES_ACTION
    charge.next_action = {
        "type": "await_phone_prompt",
        "data": {},
        "expires_at": (virtual_clock.now() + seconds(60)).isoformat(),
    }
    still = Result(status=ResultStatus.PENDING)
    assert not plan_outcome(charge, still, now=virtual_clock.now())
    plan = plan_outcome(charge, still, now=virtual_clock.advance(61))
    assert plan.charge["status"] == "pending"


def test_a_charge_whose_provider_is_gone_is_still_asked_about_and_parked(
    till: Till, virtual_clock: VirtualClock
) -> None:
    _, charge = till.pay_new("7724")
    Charge.objects.filter(pk=charge.pk).update(provider="removed")
    for _ in range(40):
        virtual_clock.advance(3600)
        run_due_follow_ups()
    charge.refresh_from_db()
    assert (charge.status, charge.is_parked) == ("pending", True)


def test_one_charge_that_cannot_be_followed_up_does_not_hold_up_the_others(
    till: Till, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from majuu_core.payments import follow_ups

    _, broken = till.pay_new("7724")
    _, fine = till.pay_new("7721")
    real = follow_ups.follow_up_charge

    def fail_for_one(charge_id: object) -> bool:
        if charge_id == broken.pk:
            raise RuntimeError("a bug")
        return real(charge_id)  # type: ignore[arg-type]

    monkeypatch.setattr(follow_ups, "follow_up_charge", fail_for_one)
    virtual_clock.advance(10)
    assert run_due_follow_ups() == 2
    fine.refresh_from_db()
    broken.refresh_from_db()
    assert fine.status == "succeeded"
    assert broken.follow_up_at == virtual_clock.now() + seconds(10)  # 20 s after the charge: the schedule goes on
    for _ in range(40):
        virtual_clock.advance(3600)
        run_due_follow_ups()
    given_up = Charge.objects.get(pk=broken.pk)
    assert (given_up.status, given_up.is_parked, given_up.follow_up_at) == ("pending", True, None)


@pytest.mark.parametrize("amount", [Money("7724.005", "KES"), Money("-1", "KES"), Money("5", "XAU")])
def test_an_amount_that_the_books_cannot_hold_is_parked_at_once(till: Till, amount: Money) -> None:
    _, charge = till.pay_new("7724")
    applied = apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.SUCCEEDED, amount=amount))
    assert (applied.charge.status, applied.charge.is_parked, applied.parked) == ("pending", True, True)
    assert "cannot hold" in applied.charge.parked_reason
    assert till.books()["store_payable"] == (D(0), D(7724))


def test_a_fee_in_another_currency_is_booked_in_it(till: Till) -> None:
    _, charge = till.pay_new("7724")
    apply_result(
        charge_id=charge.pk,
        result=Result(status=ResultStatus.SUCCEEDED, amount=Money(7724, "KES"), fee=Money("0.30", "USD")),
    )
    charge.refresh_from_db()
    assert charge.fee == Money(0, "KES")
    assert till.books("USD") == {"provider_clearing": (D("-0.30"), D(0)), "provider_fees": (D("0.30"), D(0))}


def test_a_person_settles_what_nobody_could_find_out(till: Till) -> None:
    _, charge = till.pay_new("7733")
    paid = resolve_charge(charge=charge, succeeded=True, reason="line 12 of the statement", receipt="UKL1ABC234")
    assert (paid.status, paid.receipt, paid.payment_intent.status) == ("succeeded", "UKL1ABC234", "succeeded")
    assert till.books() == {"provider_clearing": (D(7733), D(0)), "store_payable": (D(7733), D(0))}
    entry = AuditEntry.objects.get(action="charge.resolved")
    assert entry.changes["reason"] == "line 12 of the statement"
    with pytest.raises(Conflict) as refused:
        resolve_charge(charge=paid, succeeded=False, reason="changed my mind")
    assert refused.value.code == "charge_settled"


def test_a_person_settles_by_command_and_the_customer_may_try_again(till: Till, capsys: Any) -> None:
    _, charge = till.pay_new("7733")
    with pytest.raises(CommandError):
        call_command("majuu_resolve_charge", charge.public_id, "--failed", "--reason", "x")
    call_command(
        "majuu_resolve_charge", charge.public_id, "--failed", "--reason", "not on the statement of 21 November"
    )
    assert "is failed; its payment intent is requires_payment_method" in capsys.readouterr().out
    assert till.books() == {}
    with pytest.raises(CommandError):
        call_command("majuu_resolve_charge", "ch_nonsense", "--failed", "--reason", "not on the statement")


def test_a_plugin_cannot_bring_in_an_account_that_is_not_offered(till: Till, temporary_plugin: Any) -> None:
    from majuu_core.plugins import hookimpl

    stranger = Till()

    class Chooser:
        @hookimpl
        def select_provider_account(self, candidates: Any) -> Any:
            return stranger.account

    temporary_plugin(Chooser())
    with pytest.raises(RuntimeError, match="not offered"):
        till.pay_new()
    assert not Charge.objects.exists()


def test_unreadable_credentials_refuse_before_anything_is_stored(till: Till) -> None:
    type(till.account).objects.filter(pk=till.account.pk).update(credentials="m1.00000000.AAAA")
    intent = till.intent()
    with pytest.raises(Conflict) as refused:
        till.pay(intent)
    assert refused.value.code == "provider_account_unusable"
    assert not Charge.objects.exists()


def test_every_event_we_tell_is_in_the_catalogue() -> None:
    import inspect
    import re

    from majuu_core.events.catalogue import event_types
    from majuu_core.payments import intents, outcomes

    source = inspect.getsource(outcomes) + inspect.getsource(intents)
    named = set(re.findall(r'"((?:payment_intent|charge)\.[a-z_]+)"', source)) - {"charge.parked", "charge.authorized"}
    assert len(named) >= 10
    assert named <= set(event_types())


def test_money_that_is_only_held_is_not_charged_again(till: Till) -> None:
    intent, charge = till.pay_new("7724")
    apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.AUTHORIZED))
    intent.refresh_from_db()
    assert intent.status == "requires_capture"
    with pytest.raises(Conflict) as refused:
        till.pay(intent)
    assert refused.value.code == "payment_intent_not_payable"
    assert Charge.objects.count() == 1
