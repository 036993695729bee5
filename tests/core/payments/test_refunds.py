"""Giving money back through the service: what it takes from, what it refuses, what it writes."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.calls import TransactionOpen
from majuu_core.payments.intents import cancel_payment_intent, expire_due_intents
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refunds import RefundDetails, create_refund, get_refund, plan_refund
from majuu_core.payments.representation import represent_charge, represent_intent
from majuu_core.payments.settling import apply_result
from majuu_core.plugins.manager import temporary_plugin
from majuu_core.plugins.markers import hookimpl
from majuu_core.providers import Result, ResultStatus, Violation
from majuu_core.testing.factories import make_store
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.refund_support import TwoWayProvider, deliver, give_back, letter, two_ways
from tests.core.payments.support import Till

pytestmark = pytest.mark.django_db
_D = Decimal
PENDING, LOST_FOREVER = "7723", "7733"


def money_moved() -> int:
    return LedgerTransaction.objects.count()


def test_all_of_a_payment_goes_back(till: Till) -> None:
    """Given a paid charge, when it is refunded, then books, rows, event and audit entry tell the same."""
    intent, charge = till.pay_new("1500")
    refund = give_back(till, charge)
    charge.refresh_from_db()
    intent.refresh_from_db()
    assert (refund.status, refund.amount, refund.hold_id) == ("succeeded", Money("1500", "KES"), None)
    assert (refund.source, refund.method, refund.books_as) == ("merchant", "refund", "reversal")
    assert (charge.amount_refunded, intent.amount_refunded, intent.refunded_unapplied) == (_D(1500), _D(1500), _D(0))
    assert till.books() == {}
    kinds = LedgerTransaction.objects.filter(reference=refund.public_id).order_by("pk").values_list("kind", "key")
    assert list(kinds) == [
        ("refund_reversal", f"{refund.public_id}:hold"),
        ("refund_reversal", f"{refund.public_id}:post"),
    ]
    events = Event.objects.filter(object_id=refund.public_id).order_by("pk")
    assert [event.type for event in events] == ["refund.created", "refund.succeeded"]
    assert events[1].data["refund"] | {"created_at": ""} == {
        "id": refund.public_id,
        "object": "refund",
        "livemode": False,
        "charge": charge.public_id,
        "payment_intent": intent.public_id,
        "amount": "1500.00",
        "fee": "0.00",
        "currency": "KES",
        "status": "succeeded",
        "source": "merchant",
        "reason": "Wrong size",
        "method": "refund",
        "method_reason": "The provider gives the payment back the way it came.",
        "books_as": "reversal",
        "destination": {},
        "metadata": {},
        "provider_reference": refund.provider_reference,
        "receipt": refund.receipt,
        "failure": None,
        "parked": False,
        "occurred_at": "2026-01-05T09:00:00.000Z",
        "created_at": "",
    }
    audited = AuditEntry.objects.filter(object_id=refund.public_id).order_by("pk").values_list("action", flat=True)
    assert list(audited) == ["refund.created", "refund.succeeded"]
    assert list(find_problems()) == []


def test_partial_refunds_to_the_last_cent(till: Till) -> None:
    _, charge = till.pay_new("10.00")
    for part in ("3.33", "3.33", "3.33"):
        assert give_back(till, charge, part).status == "succeeded"
    with pytest.raises(Invalid) as refusal:
        give_back(till, charge, "0.02")
    assert (refusal.value.code, refusal.value.field) == ("refund_amount_out_of_range", "amount")
    assert "0.01" in refusal.value.message
    assert give_back(till, charge).amount == Money("0.01", "KES")
    with pytest.raises(Invalid) as refusal:
        give_back(till, charge)
    assert refusal.value.code == "refund_nothing_left"
    charge.refresh_from_db()
    assert charge.amount_refunded == _D("10.00")
    assert till.books() == {}
    assert list(find_problems()) == []


@pytest.mark.parametrize(
    ("amount", "code"), [("0", "refund_amount_out_of_range"), ("-5", "refund_amount_out_of_range")]
)
def test_nothing_and_less_cannot_go_back(till: Till, amount: str, code: str) -> None:
    _, charge = till.pay_new()
    before = money_moved()
    with pytest.raises(Invalid) as refusal:
        give_back(till, charge, amount)
    assert refusal.value.code == "refund_amount_out_of_range"
    assert (Refund.objects.count(), money_moved()) == (0, before)


def test_another_currency_cannot_go_back(till: Till) -> None:
    _, charge = till.pay_new()
    with pytest.raises(Invalid) as refusal:
        create_refund(
            store=till.store,
            livemode=False,
            details=RefundDetails(charge=charge.public_id, amount=Money(1, "USD"), reason="x"),
        )
    assert (refusal.value.code, Refund.objects.count()) == ("currency_mismatch", 0)


@pytest.mark.parametrize("amount", ["7702", PENDING])
def test_money_that_did_not_come_does_not_go_back(till: Till, amount: str) -> None:
    _, charge = till.pay_new(amount)
    with pytest.raises(Conflict) as refusal:
        give_back(till, charge)
    assert (refusal.value.code, Refund.objects.count()) == ("charge_not_refundable", 0)


def test_another_store_finds_no_charge(till: Till) -> None:
    _, charge = till.pay_new()
    other = make_store()
    for store, livemode in ((other, False), (till.store, True)):
        with pytest.raises(NotFound):
            create_refund(
                store=store, livemode=livemode, details=RefundDetails(charge=charge.public_id, reason="mine now")
            )
    assert Refund.objects.count() == 0
    refund = give_back(till, charge)
    with pytest.raises(NotFound):
        get_refund(store_id=other.pk, livemode=False, public_id=refund.public_id)


@pytest.mark.parametrize("details", [{}, {"charge": "ch_1", "payment_intent": "pi_1"}])
def test_exactly_one_subject_is_named(till: Till, details: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        create_refund(store=till.store, livemode=False, details=RefundDetails(reason="x", **details))
    assert refusal.value.code == "refund_subject_missing"


def test_a_refund_on_its_way_counts(till: Till) -> None:
    """While one refund is pending and another unknown, only the rest can go back."""
    _, charge = till.pay_new("20000")
    assert give_back(till, charge, PENDING).status == "pending"
    assert give_back(till, charge, LOST_FOREVER).status == "unknown"
    assert plan_refund(charge=charge).refundable == Money(20000 - 7723 - 7733, "KES")
    with pytest.raises(Invalid):
        give_back(till, charge, "4545")
    assert give_back(till, charge, "4544").status == "succeeded"
    assert till.books() == {
        "provider_clearing": (_D(20000 - 4544), _D(7723 + 7733)),
        "store_payable": (_D(20000 - 4544), _D(7723 + 7733)),
    }
    assert list(find_problems()) == []


def test_a_failed_refund_makes_its_amount_free_again(till: Till) -> None:
    _, charge = till.pay_new("8000")
    refund = give_back(till, charge, "7702")
    assert (refund.status, refund.failure_code, refund.hold_id) == ("failed", "declined", None)
    charge.refresh_from_db()
    assert charge.amount_refunded == 0
    assert till.books() == {"provider_clearing": (_D(8000), _D(0)), "store_payable": (_D(8000), _D(0))}
    assert give_back(till, charge).amount == Money(8000, "KES")
    types = list(Event.objects.filter(object_id=refund.public_id).order_by("pk").values_list("type", flat=True))
    assert types == ["refund.created", "refund.failed"]


@pytest.mark.parametrize(("amount", "code"), [("7741", "not_sent"), ("7743", "magic_amount"), ("7744", "rate_limited")])
def test_a_refund_that_never_left_has_failed(till: Till, amount: str, code: str) -> None:
    _, charge = till.pay_new("8000")
    refund = give_back(till, charge, amount)
    assert (refund.status, refund.provider_failure_code) == ("failed", code)
    assert till.books()["store_payable"] == (_D(8000), _D(0))


def test_a_provider_is_never_called_in_a_transaction(till: Till) -> None:
    _, charge = till.pay_new()
    with transaction.atomic(), pytest.raises(TransactionOpen):
        give_back(till, charge)


def test_a_refund_with_a_fee_books_it(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    _, charge = till.pay_new("1500")
    answer = Result(
        status=ResultStatus.SUCCEEDED, provider_reference="r1", receipt="RB1", fee=Money("13", "KES"), amount=None
    )
    monkeypatch.setattr(FakeProvider, "refund", lambda self, request: answer)
    refund = give_back(till, charge, "500")
    assert (refund.fee, refund.receipt) == (Money("13", "KES"), "RB1")
    assert till.books() == {
        "provider_clearing": (_D(987), _D(0)),
        "store_payable": (_D(1000), _D(0)),
        "provider_fees": (_D(13), _D(0)),
    }


# --- whose money it is ---------------------------------------------------------------------------------------------


def test_a_parked_late_payment_goes_back(db: None, virtual_clock: VirtualClock) -> None:
    """Given a payment that came after its intent was canceled, when it is refunded, nobody has to decide any more."""
    till = Till(late_success="park")
    intent, charge = till.pay_new(PENDING)
    cancel_payment_intent(intent=intent)
    virtual_clock.advance(3600)
    apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.SUCCEEDED, amount=charge.amount))
    charge.refresh_from_db()
    assert (charge.is_parked, till.books()["store_unapplied"]) == (True, (_D(PENDING), _D(0)))
    plan = plan_refund(charge=charge)
    assert [(source.account, source.amount) for source in plan.sources] == [("store_unapplied", charge.amount)]
    first = give_back(till, charge, "723")
    charge.refresh_from_db()
    assert (first.status, charge.is_parked) == ("succeeded", True)
    assert give_back(till, charge, "7000").status == "succeeded"
    charge.refresh_from_db()
    intent.refresh_from_db()
    assert (charge.is_parked, charge.parked_reason, intent.is_parked, intent.parked_reason) == (False, "", False, "")
    assert (intent.amount_refunded, intent.refunded_unapplied) == (_D(PENDING), _D(PENDING))
    assert represent_intent(intent, payment_url="")["refund_status"] == "refunded"
    assert till.books() == {}
    assert list(find_problems()) == []


def test_what_was_paid_too_much_goes_back_first(till: Till, virtual_clock: VirtualClock) -> None:
    """Two late charges pay one intent twice: a refund takes the surplus, then what the store has earned."""
    intent = till.intent("7723")
    _, first = till.pay(intent)
    apply_result(charge_id=first.pk, result=_failed())
    intent.refresh_from_db()
    till.pay(intent, "7000")  # another charge pays most of it
    virtual_clock.advance(3600)
    apply_result(charge_id=first.pk, result=Result(status=ResultStatus.SUCCEEDED))  # and then the first succeeds
    first.refresh_from_db()
    assert till.books()["store_surplus"] == (_D(7000), _D(0))
    plan = plan_refund(charge=first, amount=Money(7100, "KES"))
    assert [(source.account, source.amount.amount) for source in plan.sources] == [
        ("store_surplus", _D(7000)),
        ("store_payable", _D(100)),
    ]
    assert all(source.reason for source in plan.sources)
    refund = give_back(till, first, "7100")
    assert refund.status == "succeeded"
    assert "From store_surplus 7000.00, store_payable 100.00." in refund.method_reason
    assert till.books() == {"provider_clearing": (_D(7623), _D(0)), "store_payable": (_D(7623), _D(0))}
    intent.refresh_from_db()
    assert represent_intent(intent, payment_url="")["refund_status"] == "partially_refunded"
    assert give_back(till, first).amount == Money(623, "KES")
    assert list(find_problems()) == []


def test_a_split_refund_that_fails_gives_each_account_its_part_back(till: Till, virtual_clock: VirtualClock) -> None:
    intent = till.intent("7723")
    _, first = till.pay(intent)
    apply_result(charge_id=first.pk, result=_failed())
    intent.refresh_from_db()
    till.pay(intent, "7700")
    virtual_clock.advance(3600)
    apply_result(charge_id=first.pk, result=Result(status=ResultStatus.SUCCEEDED))
    before = till.books()
    refund = give_back(till, first, "7702")  # 7700 of it surplus; declined
    assert refund.status == "failed"
    assert till.books() == before
    assert list(find_problems()) == []


def test_a_wrong_amount_goes_back_as_it_came(till: Till) -> None:
    _, charge = till.pay_new("7751")  # the provider reports one less
    charge.refresh_from_db()
    assert (charge.is_parked, charge.amount_received) == (True, Money(7750, "KES"))
    refund = give_back(till, charge)
    assert (refund.amount, refund.status) == (Money(7750, "KES"), "succeeded")
    charge.refresh_from_db()
    assert charge.is_parked is False
    assert till.books() == {}


def test_another_currency_than_asked_is_not_refundable_here(till: Till) -> None:
    _, charge = till.pay_new("7752")
    with pytest.raises(Invalid) as refusal:
        give_back(till, charge)
    assert refusal.value.code == "refund_nothing_left"


def test_a_refunded_duplicate_says_nothing_about_the_goods(db: None, virtual_clock: VirtualClock) -> None:
    """Given a paid intent and a parked second payment, refunding the second leaves the intent "none" refunded."""
    till = Till(late_success="park")
    intent = till.intent("7723")
    _, first = till.pay(intent)
    apply_result(charge_id=first.pk, result=_failed())
    intent.refresh_from_db()
    till.pay(intent, "7000")
    cancel = intent.__class__.objects.filter(pk=intent.pk)
    cancel.update(status="canceled")
    virtual_clock.advance(3600)
    apply_result(charge_id=first.pk, result=Result(status=ResultStatus.SUCCEEDED))
    first.refresh_from_db()
    for part in ("7000", "723"):
        assert give_back(till, first, part).status == "succeeded"
    intent.refresh_from_db()
    shown = represent_intent(intent, payment_url="")
    assert (shown["amount_refunded"], shown["refund_status"]) == ("7723.00", "none")


def _failed() -> Result:
    from majuu_core.providers import Failure, FailureCode

    failure = Failure(code=FailureCode.EXPIRED, provider_code="1037", message="No answer.")
    return Result(status=ResultStatus.FAILED, failure=failure)


@pytest.mark.parametrize(
    ("refunded", "status"), [("0", "none"), ("0.01", "partially_refunded"), ("1499.99", "partially_refunded")]
)
def test_what_a_charge_shows(till: Till, refunded: str, status: str) -> None:
    intent, charge = till.pay_new("1500")
    if refunded != "0":
        give_back(till, charge, refunded)
    charge.refresh_from_db()
    shown = represent_charge(charge, intent_id=intent.public_id)
    assert (_D(shown["amount_refunded"]), shown["refund_status"]) == (_D(refunded), status)


def test_a_part_that_expired_is_refunded_and_the_intent_canceled(till: Till, virtual_clock: VirtualClock) -> None:
    """Given an intent parked because it expired in part, when the part has gone back, then it can be canceled."""
    intent = till.intent("1000")
    _, charge = till.pay(intent, "400")
    virtual_clock.advance(2 * 86400)
    assert expire_due_intents() == 1
    give_back(till, charge, "399")
    with pytest.raises(Conflict) as refusal:
        cancel_payment_intent(intent=intent)
    assert refusal.value.code == "payment_intent_partially_paid"
    give_back(till, charge)
    canceled = cancel_payment_intent(intent=intent)
    assert (canceled.status, canceled.is_parked, canceled.parked_reason) == ("canceled", False, "")
    assert till.books() == {}


# --- an intent's charges --------------------------------------------------------------------------------------------


def refund_intent(till: Till, intent: Any, amount: str | None = None, **details: Any) -> list[Refund]:
    money = None if amount is None else Money(amount, "KES")
    request_key = details.pop("request_key", "")
    wanted = RefundDetails(payment_intent=intent.public_id, amount=money, reason="Returned", **details)
    return create_refund(store=till.store, livemode=False, details=wanted, request_key=request_key)


def paid_in_parts(till: Till, *parts: str) -> Any:
    intent = till.intent(str(sum(_D(part) for part in parts)))
    for part in parts:
        till.pay(intent, part)
        intent.refresh_from_db()
    return intent


def test_an_intents_charges_are_refunded_newest_first(till: Till) -> None:
    intent = paid_in_parts(till, "100", "200", "300")
    made = refund_intent(till, intent, "450")
    newest = list(intent.charges.order_by("-pk"))
    assert [(refund.charge_id, refund.amount.amount) for refund in made] == [
        (newest[0].pk, _D(300)),
        (newest[1].pk, _D(150)),
    ]
    assert {refund.status for refund in made} == {"succeeded"}
    intent.refresh_from_db()
    assert intent.amount_refunded == _D(450)
    assert till.books()["store_payable"] == (_D(150), _D(0))
    assert [refund.amount.amount for refund in refund_intent(till, intent)] == [_D(50), _D(100)]
    assert till.books() == {}
    assert list(find_problems()) == []


def test_all_of_an_intents_refunds_are_held_or_none(till: Till) -> None:
    intent = paid_in_parts(till, "100", "200")
    before = money_moved()
    with pytest.raises(Invalid) as refusal:
        refund_intent(till, intent, "300.01")
    assert refusal.value.code == "refund_amount_out_of_range"
    assert (Refund.objects.count(), money_moved()) == (0, before)


def test_an_intent_that_nobody_paid_has_nothing_to_give_back(till: Till) -> None:
    with pytest.raises(Conflict) as refusal:
        refund_intent(till, till.intent())
    assert refusal.value.code == "charge_not_refundable"


def test_one_of_several_may_fail_and_the_other_goes_back(till: Till) -> None:
    intent = paid_in_parts(till, "100", "8000")
    made = refund_intent(till, intent, "7702")
    assert [refund.status for refund in made] == ["failed"]
    assert [refund.status for refund in refund_intent(till, intent)] == ["succeeded", "succeeded"]


# --- the same request again -----------------------------------------------------------------------------------------


def test_the_same_request_finds_its_refund(till: Till) -> None:
    _, charge = till.pay_new("1500")
    first = give_back(till, charge, "500", request_key="k1")
    again = give_back(till, charge, "500", request_key="k1")
    other = give_back(till, charge, "500", request_key="k2")
    assert (first.pk, Refund.objects.count()) == (again.pk, 2)
    assert other.pk != first.pk


def test_the_same_request_is_answered_even_when_nothing_is_left(till: Till) -> None:
    intent = paid_in_parts(till, "100", "200")
    first = refund_intent(till, intent, request_key="k1")
    again = refund_intent(till, intent, request_key="k1")
    assert [refund.pk for refund in again] == [refund.pk for refund in first]
    assert Refund.objects.count() == 2


# --- ways ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_way_till(till: Till) -> Any:
    """The store's account has two ways of giving money back."""
    with two_ways(till):
        yield till


def test_a_whole_young_payment_is_reversed(two_way_till: Till) -> None:
    _, charge = two_way_till.pay_new("1500")
    refund = give_back(two_way_till, charge)
    assert (refund.method, refund.books_as, refund.status) == ("reversal", "reversal", "succeeded")
    (asked,) = TwoWayProvider.refunds
    assert (asked.method, asked.destination, asked.amount) == ("reversal", {}, Money(1500, "KES"))
    assert (asked.reference, asked.idempotency_key) == (refund.public_id, refund.public_id)
    assert "/in/r" in asked.webhook_url


def test_the_provider_is_told_what_the_payment_brought(two_way_till: Till) -> None:
    """So that one which cannot look at the payment refuses more than that itself."""
    _, charge = two_way_till.pay_new("1000")
    give_back(two_way_till, charge)
    (asked,) = TwoWayProvider.refunds
    assert (asked.paid, asked.amount) == (charge.amount_received, Money(1000, "KES"))


def test_a_part_is_sent_anew_and_the_books_say_so(two_way_till: Till) -> None:
    _, charge = two_way_till.pay_new("1500")
    Charge.objects.filter(pk=charge.pk).update(payer="254712345678")
    charge.refresh_from_db()
    refund = give_back(two_way_till, charge, "500")
    assert (refund.method, refund.books_as, refund.destination) == ("b2c", "payout", {"phone": "254712345678"})
    assert refund.method_reason == (
        "New money is sent to the phone. Not open: reversal: Only a whole payment can be reversed."
    )
    assert TwoWayProvider.refunds[0].destination == {"phone": "254712345678"}
    kinds = LedgerTransaction.objects.filter(reference=refund.public_id).values_list("kind", flat=True)
    assert set(kinds) == {"refund_payout"}


def test_a_phone_that_is_needed_and_not_known(two_way_till: Till) -> None:
    _, charge = two_way_till.pay_new("1500")
    assert plan_refund(charge=charge, amount=Money(500, "KES")).missing == ("phone",)
    with pytest.raises(Invalid) as refusal:
        give_back(two_way_till, charge, "500")
    assert refusal.value.code == "refund_destination_missing"
    assert (Refund.objects.count(), TwoWayProvider.refunds) == (0, [])
    assert give_back(two_way_till, charge, "500", destination={"phone": "254712345678"}).status == "succeeded"


def test_no_open_way_is_refused_with_all_reasons(two_way_till: Till) -> None:
    _, charge = two_way_till.pay_new("1500")
    before = money_moved()
    with pytest.raises(Invalid) as refusal:
        give_back(two_way_till, charge, "5")
    assert (refusal.value.code, refusal.value.message) == (
        "refund_no_route",
        "No way back is open. reversal: Only a whole payment can be reversed. b2c: 10 is the least.",
    )
    assert (Refund.objects.count(), money_moved(), TwoWayProvider.refunds) == (0, before, [])


def test_a_failed_reversal_names_the_next_way_and_does_not_take_it(
    two_way_till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, charge = two_way_till.pay_new("1500")
    monkeypatch.setattr(TwoWayProvider, "spent", True)
    refund = give_back(two_way_till, charge)
    assert (refund.status, refund.provider_failure_code) == ("failed", "R000001")
    assert refund.failure_message == (
        'It has been spent. Open instead: b2c. New money is sent to the phone. Refund again with the method "b2c".'
    )
    assert [asked.method for asked in TwoWayProvider.refunds] == ["reversal"]
    assert plan_refund(charge=charge).notes == (f"{refund.public_id} by reversal failed: {refund.failure_message}",)
    second = give_back(two_way_till, charge, method="b2c", destination={"phone": "254712345678"})
    assert (second.status, second.books_as) == ("succeeded", "payout")
    assert two_way_till.books() == {}
    assert list(find_problems()) == []


def test_a_provider_that_was_uninstalled_has_no_way(till: Till) -> None:
    with two_ways(till):
        _, charge = till.pay_new()
    with pytest.raises(Invalid) as refusal:
        give_back(till, charge)
    assert (refusal.value.code, Refund.objects.count()) == ("refund_no_route", 0)
    assert "not installed" in refusal.value.message


def test_an_account_whose_credentials_do_not_open_has_no_way(till: Till) -> None:
    _, charge = till.pay_new()
    ProviderAccount.objects.filter(pk=till.account.pk).update(credentials="not what was encrypted")
    with pytest.raises(Invalid) as refusal:
        give_back(till, charge)
    assert (refusal.value.code, Refund.objects.count()) == ("refund_no_route", 0)


def test_a_plugin_may_object(till: Till) -> None:
    class Objects:
        @hookimpl
        def validate_refund(self, refund: Refund, charge: Charge) -> list[Violation]:
            assert refund.charge_id == charge.pk
            return [Violation(code="too_soon", message="Wait for the goods.", field="charge")]

    _, charge = till.pay_new()
    before = money_moved()
    with temporary_plugin(Objects()), pytest.raises(Invalid) as refusal:
        give_back(till, charge)
    assert (refusal.value.code, refusal.value.field) == ("too_soon", "charge")
    assert (Refund.objects.count(), money_moved()) == (0, before)


# --- whatever somebody asks for ----------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.sampled_from(["1", "2500", "7702", "7721", "7722", "7731", "7732", "7733", "9999.99", "20000"]), max_size=8
    )
)
def test_never_more_goes_back_than_came(till: Till, virtual_clock: VirtualClock, parts: list[str]) -> None:
    """Whatever amounts are asked for, and however they end, what went back never exceeds what came."""
    from majuu_core.payments.refund_outcomes import run_due_refund_questions

    _, charge = till.pay_new("20000")
    before = till.books()["store_payable"][0]
    for part in parts:
        with suppress(Invalid):
            give_back(till, charge, part)
        virtual_clock.advance(60)
        run_due_refund_questions()
        charge.refresh_from_db()
        done = sum(refund.amount.amount for refund in charge.refunds.filter(status="succeeded"))
        alive = sum(refund.amount.amount for refund in charge.refunds.exclude(status__in=["failed", "canceled"]))
        assert charge.amount_refunded == done <= alive <= _D(20000)
        posted = till.books().get("store_payable", (_D(0), _D(0)))[0]
        assert posted == before - done
        assert list(find_problems()) == []


def test_a_webhook_to_the_refunds_address_settles_it(till: Till, virtual_clock: VirtualClock) -> None:
    _, charge = till.pay_new("20000")
    refund = give_back(till, charge, "7723")
    assert refund.status == "pending"
    virtual_clock.advance(3600)
    assert deliver(refund, letter(till, refund)) == 200
    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.status, charge.amount_refunded, refund.follow_up_at) == ("succeeded", _D(7723), None)
