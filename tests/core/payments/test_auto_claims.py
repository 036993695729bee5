"""When money may be claimed without asking: each condition alone stops it."""

from __future__ import annotations

from typing import Any

import pytest
from moneyed import Money

from majuu_core.common import clock
from majuu_core.merchants.models import Store
from majuu_core.payments.auto_claims import certain_order
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import IncomingPayment, PaymentIntent
from majuu_core.payments.suggestion_reasons import AUTO_CLAIM_SCORE
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.arrivals import give_prefix, save_incoming


@pytest.fixture
def duka(db: None, virtual_clock: Any) -> Store:
    """A store that lets certain money be claimed."""
    store = give_prefix(make_store(name="Duka"), "DUKA")
    return choose(store, AUTO_CLAIM_SCORE)


@pytest.fixture
def paybill(duka: Store) -> Any:
    return make_provider_account(platform=True)


def choose(store: Store, score: int | None) -> Store:
    Store.objects.filter(pk=store.pk).update(auto_claim_score=score)
    store.refresh_from_db()
    return store


def owe(store: Store, reference: str = "ORD-10452") -> PaymentIntent:
    wanted = IntentDetails(amount=Money("1500", "KES"), reference=reference)
    return create_payment_intent(store=store, livemode=False, details=wanted)


def paid(account: Any, **fields: Any) -> IncomingPayment:
    """Confirmed money with the reference that was printed."""
    fields.setdefault("account_reference", "dukaord104526")
    fields.setdefault("verified_at", clock.now())
    return save_incoming(account, **fields)


def test_the_printed_reference_with_the_right_amount_is_certain(duka, paybill):
    intent = owe(duka)
    found = certain_order(paid(paybill))
    assert found is not None
    assert (found[0], found[1].score) == (intent, 94)
    assert [reason.code for reason in found[1].reasons] == ["reference_checked", "amount_exact", "time_minutes"]


def test_a_store_that_chose_nothing_decides_itself(duka, paybill):
    owe(duka)
    money = paid(paybill)
    choose(duka, None)
    assert certain_order(money) is None


@pytest.mark.parametrize(("threshold", "is_claimed"), [(94, True), (95, False)])
def test_the_threshold_is_the_stores(duka, paybill, threshold, is_claimed):
    owe(duka)
    choose(duka, threshold)
    assert (certain_order(paid(paybill)) is not None) is is_claimed


@pytest.mark.parametrize(
    "fields",
    [
        {"verified_at": None},
        {"ownership": "claimed"},
        {"ownership": "charge"},
        {"status": "reversed"},
        {"status": "refuted"},
    ],
)
def test_money_that_is_not_confirmed_and_free_is_left_alone(duka, paybill, fields):
    owe(duka)
    assert certain_order(paid(paybill, **fields)) is None


def test_a_store_that_is_switched_off_gets_nothing(duka, paybill):
    owe(duka)
    Store.objects.filter(pk=duka.pk).update(is_active=False)
    assert certain_order(paid(paybill)) is None


def test_two_payments_for_one_order_are_for_people(duka, paybill):
    owe(duka)
    first, second = paid(paybill), paid(paybill)
    assert certain_order(first) is None
    assert certain_order(second) is None


def test_a_second_payment_of_little_evidence_does_not_stop_the_first(duka, paybill):
    intent = owe(duka)
    first = paid(paybill)
    paid(paybill, account_reference="")
    found = certain_order(first)
    assert found is not None
    assert found[0] == intent


def test_two_stores_with_the_same_number_are_for_people(duka, paybill):
    soko = choose(make_store(name="Soko"), 50)
    for store in (duka, soko):
        owe(store, "10452")
    assert certain_order(paid(paybill, account_reference="10452")) is None


def test_a_store_without_the_setting_is_a_rival_all_the_same(duka, paybill):
    """Given the same order number and amount at a store that claims by hand, then the other does not get it either."""
    for store in (duka, make_store(name="Soko")):
        owe(store, "10452")
    assert certain_order(paid(paybill, account_reference="10452")) is None
