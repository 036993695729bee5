"""Demand 18: the same money told by a charge and by a notice counts once, whichever came first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.events.handlers import run_due_handlers
from majuu_core.events.models import Event
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.incoming_links import on_charge_event, same_phone
from majuu_core.payments.incoming_settling import run_due_incoming, settle_incoming
from majuu_core.payments.models import Charge, Claim, IncomingPayment
from majuu_core.payments.notices import Ending
from majuu_core.payments.settling import apply_result
from majuu_core.providers import Result, ResultStatus
from majuu_core.testing.factories import make_store
from majuu_core.webhooks.dispatch import dispatch_due
from tests.core.payments.incoming_support import PHONE, arrive, claim, money, payable, the_money, unclaimed
from tests.core.payments.support import Till

RECEIPT = "UKP7X1A2B3"
HASHED = {"payer_phone": "", "payer_phone_hash": hashlib.sha256(PHONE.encode()).hexdigest()}
MASKED = {"payer_phone": "", "payer_phone_masked": "2547 ***** 678"}
DIGEST = HASHED["payer_phone_hash"]
HOLED = {"payer_phone": "", "payer_phone_masked": f"{DIGEST[:34]} ***** {DIGEST[42:]}"}  # as tills are told
PENDING = "7723"  # pending for an hour, then paid


def prompted(till: Till, amount: str = PENDING, reference: str = "1001") -> Charge:
    """A charge whose customer has been asked on the phone and has not answered."""
    intent = till.intent(amount, reference=reference)
    return till.pay(intent, payment_method_data={"phone": PHONE})[1]


def paid(charge: Charge, receipt: str | None = None) -> Charge:
    apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.SUCCEEDED, receipt=receipt))
    charge.refresh_from_db()
    return charge


def settle_all() -> None:
    for row in IncomingPayment.objects.all():
        settle_incoming(row.pk)


def hand_out() -> None:
    """What the worker does with events."""
    while dispatch_due() or run_due_handlers():
        pass


def assert_counted_once(till: Till, charge: Charge, receipt: str = RECEIPT) -> None:
    charge.refresh_from_db()
    kept = the_money(receipt)
    assert (charge.status, charge.receipt, kept.ownership, kept.charge) == ("succeeded", receipt, "charge", charge)
    assert (kept.store, kept.payment_intent_id, kept.follow_up_at) == (till.store, charge.payment_intent_id, None)
    amount = charge.amount_received.amount
    assert till.books() == {"provider_clearing": (amount, Decimal(0)), "store_payable": (amount, Decimal(0))}
    assert unclaimed() == Decimal(0)
    assert list(find_problems()) == []


def test_a_notice_after_the_charge_is_not_booked(till: Till) -> None:
    charge = paid(prompted(till), RECEIPT)
    assert arrive(till.account, amount=PENDING).ending is Ending.APPLIED
    assert_counted_once(till, charge)
    assert arrive(till.account, amount=PENDING).ending is Ending.DUPLICATE


def test_a_notice_before_the_charge_is_taken_back(till: Till) -> None:
    """The confirmation carries the order number and comes first: it must not pay the intent a second time."""
    charge = prompted(till)
    arrive(till.account, amount=PENDING, account_reference="1001")
    assert (the_money().ownership, unclaimed(), Charge.objects.count()) == ("unclaimed", Decimal(PENDING), 1)
    paid(charge, RECEIPT)
    hand_out()
    assert_counted_once(till, charge)
    assert Event.objects.filter(type="incoming_payment.linked").count() == 1


@pytest.mark.parametrize("who", [{}, HASHED, MASKED])
@pytest.mark.parametrize("notice_first", [True, False])
def test_a_charge_that_succeeded_by_query_gets_its_receipt(till: Till, who: dict[str, Any], notice_first: bool) -> None:
    charge = prompted(till)
    if notice_first:
        arrive(till.account, amount=PENDING, **who)
        paid(charge)
    else:
        paid(charge)
        hand_out()
        arrive(till.account, amount=PENDING, **who)
    hand_out()
    assert_counted_once(till, charge)


@pytest.mark.parametrize(
    "fields",
    [
        {"payer_phone": "254700000000"},
        {"payer_phone": "", "payer_phone_masked": "2547 ***** 999"},
        {"payer_phone": ""},
        {"amount": "7722"},
    ],
)
def test_other_money_is_not_given_to_a_charge_without_receipt(till: Till, fields: dict[str, Any]) -> None:
    charge = paid(prompted(till))
    arrive(till.account, **{"amount": PENDING, **fields})
    hand_out()
    charge.refresh_from_db()
    assert (charge.receipt, the_money().ownership) == (None, "unclaimed")


def test_money_outside_the_window_is_not_the_charges(till: Till, virtual_clock: VirtualClock) -> None:
    charge = paid(prompted(till))
    virtual_clock.advance(timedelta(minutes=15, seconds=1))
    arrive(till.account, amount=PENDING)
    hand_out()
    charge.refresh_from_db()
    assert (charge.receipt, the_money().ownership) == (None, "unclaimed")


def test_money_that_an_open_charge_could_be_is_nobodys(till: Till) -> None:
    charge = prompted(till)
    Charge.objects.update(follow_up_at=charge.created_at + timedelta(hours=1))
    arrive(till.account, amount=PENDING)
    for store in (till.store, make_store(merchant=till.store.merchant)):
        with pytest.raises(Conflict) as caught:
            claim(store)
        assert caught.value.code == "incoming_payment_held"
        assert caught.value.retry_after == 30
    charge.refresh_from_db()
    assert charge.follow_up_at == charge.created_at, "the worker asks now"
    assert (Claim.objects.count(), unclaimed()) == (0, Decimal(PENDING))


def test_when_the_charge_fails_the_money_is_free_and_pays_the_intent_it_names(
    till: Till, virtual_clock: VirtualClock
) -> None:
    charge = prompted(till)
    arrive(till.account, amount=PENDING, account_reference="1001")
    apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.CANCELED))
    virtual_clock.advance(10)
    assert run_due_incoming() == 1
    intent = charge.payment_intent
    intent.refresh_from_db()
    assert (intent.status, the_money().ownership) == ("succeeded", "claimed")
    assert till.books()["store_payable"] == (Decimal(PENDING), Decimal(0))
    assert run_due_incoming() == 0


def claimed_before_the_charge_knew(till: Till, store: Any) -> Charge:
    """The charge's phone was unknown to the notice's telling, so nothing held the claim back."""
    charge = prompted(till)
    arrive(till.account, amount=PENDING, payer_phone="254799999999")
    claim(store)
    paid(charge, RECEIPT)
    hand_out()
    return charge


def test_the_stores_own_claim_becomes_the_mark_on_the_charge(till: Till) -> None:
    charge = claimed_before_the_charge_knew(till, till.store)
    assert_counted_once(till, charge)
    assert claim(till.store).charge == charge
    with pytest.raises(Conflict):
        claim(till.store, reference="1002")


def test_another_stores_claim_is_undone_and_it_is_told(till: Till) -> None:
    sister = make_store(merchant=till.store.merchant)
    charge = claimed_before_the_charge_knew(till, sister)
    assert_counted_once(till, charge)
    assert payable(sister) == Decimal(0)
    made = Claim.objects.get()
    assert (made.active_key, made.undone_by) == (None, "system")
    assert Event.objects.get(type="incoming_payment.claim_undone").store_id == sister.pk


def test_money_that_paid_another_intent_stays_and_a_person_is_told_once(till: Till) -> None:
    charge = prompted(till)
    other = till.intent(PENDING, reference="2002")
    arrive(till.account, amount=PENDING, payer_phone="254799999999", account_reference="2002")
    paid(charge, RECEIPT)
    hand_out()
    on_charge_event(Event.objects.filter(type="charge.succeeded", object_id=charge.public_id).get())
    other.refresh_from_db()
    assert (other.status, the_money().payment_intent) == ("succeeded", other)
    assert Event.objects.filter(type="incoming_payment.conflict").count() == 1


def test_a_notice_that_names_another_amount_than_the_charge_is_parked(till: Till) -> None:
    paid(prompted(till), RECEIPT)
    assert arrive(till.account, amount="7722").ending is Ending.PARKED
    assert IncomingPayment.objects.count() == 0


@pytest.mark.parametrize(
    ("told", "payer", "same"),
    [
        ({}, "+254 712 345-678", True),
        ({}, "254712345679", False),
        ({}, "Jane", None),
        ({}, "", None),
        (HASHED, PHONE, True),
        (HASHED, "254700000000", False),
        ({"payer_phone": "", "payer_phone_hash": "ab12 ***** 9f"}, PHONE, None),
        (MASKED, PHONE, True),
        (MASKED, "254112345678", False),
        (HOLED, PHONE, True),
        (HOLED, "254700000000", False),
        ({"payer_phone": "", "payer_phone_masked": f"{DIGEST[:40]} ***** {DIGEST[30:]}"}, PHONE, False),
        ({"payer_phone": "", "payer_phone_masked": f"{DIGEST[:6]} ***** {DIGEST[-6:]}"}, PHONE, None),
        ({"payer_phone": "", "payer_phone_masked": "254***"}, PHONE, True),
        ({"payer_phone": "", "payer_phone_masked": "***"}, PHONE, None),
    ],
)
def test_phones_are_compared_in_every_form(told: dict[str, Any], payer: str, same: bool | None) -> None:
    said = money(**told)
    row = IncomingPayment(
        payer_phone=said.payer_phone,
        payer_phone_hash=said.payer_phone_hash,
        payer_phone_masked=said.payer_phone_masked,
    )
    assert same_phone(row, payer) is same


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(["notice", "notice", "query", "callback", "handlers", "settle"]))
def test_every_order_ends_in_the_same_books(till: Till, steps: list[str]) -> None:
    till, receipt = Till(), f"R{Charge.objects.count()}"
    charge = prompted(till)
    done: dict[str, Callable[[], Any]] = {
        "notice": lambda: arrive(till.account, receipt, PENDING, account_reference="1001"),
        "query": lambda: paid(charge),
        "callback": lambda: paid(charge, receipt),
        "handlers": hand_out,
        "settle": settle_all,
    }
    for step in steps:
        done[step]()
    hand_out()
    assert_counted_once(till, charge, receipt)
