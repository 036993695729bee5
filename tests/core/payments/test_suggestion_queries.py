"""Which orders and which money are brought together, by how many queries, and for whose eyes."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.merchants.models import Store
from majuu_core.payments.intents import IntentDetails, cancel_payment_intent, create_payment_intent
from majuu_core.payments.models import Charge, IncomingPayment, PaymentIntent
from majuu_core.payments.suggestion_queries import (
    MOST_SHOWN,
    NAME_KEY,
    WINDOW,
    last_receiver,
    suggest_money,
    suggest_orders,
    unclaimed_money,
)
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.arrivals import give_prefix, save_incoming


@pytest.fixture
def duka(db: None, virtual_clock: Any) -> Store:
    return give_prefix(make_store(name="Duka"), "DUKA")


@pytest.fixture
def paybill(duka: Store) -> Any:
    """The platform's account, that all stores share."""
    return make_provider_account(platform=True)


def owe(store: Store, reference: str = "", amount: str = "1500", **details: Any) -> PaymentIntent:
    wanted = IntentDetails(amount=Money(amount, "KES"), reference=reference, **details)
    return create_payment_intent(store=store, livemode=False, details=wanted)


def best(incoming: IncomingPayment, **options: Any) -> tuple[Any, int]:
    """The order suggested first and its score; (None, 0) without one."""
    found = suggest_orders([incoming], **options)[incoming.pk]
    return (found[0].expectation.key, found[0].score) if found else (None, 0)


def codes(incoming: IncomingPayment) -> list[str]:
    return [reason.code for reason in suggest_orders([incoming])[incoming.pk][0].reasons]


def test_everything_known_of_an_order_is_used(duka, paybill):
    intent = owe(duka, "ORD-10452", customer_phone="0712 345 678", metadata={NAME_KEY: "Jane Achieng", "other": "x"})
    hashed = hashlib.sha256(b"254712345678").hexdigest()
    money = save_incoming(
        paybill, account_reference="duka ord 10452 6", payer_name="ACHIENG JANE", payer_phone_hash=hashed
    )
    assert codes(money) == ["reference_checked", "phone_same", "amount_exact", "name_same", "time_minutes"]
    assert best(money) == (intent.pk, 100)
    assert best(money, store_id=duka.pk) == (intent.pk, 100)


def test_the_phone_of_an_earlier_attempt_is_known(till, virtual_clock):
    intent = till.intent("1500")
    Charge.objects.create(
        payment_intent=intent,
        livemode=False,
        provider_account=till.account,
        provider="mock",
        payment_method="mock",
        payer="254733000111",
        status=Charge.Status.FAILED,
        **{name: Money(amount, "KES") for name, amount in {"amount": 1500, "amount_received": 0, "fee": 0}.items()},
    )
    assert "phone_same" in codes(save_incoming(till.account, payer_phone="254733000111"))


def test_what_remains_is_owed(duka, paybill):
    intent = owe(duka, "ORD-10452")
    PaymentIntent.objects.filter(pk=intent.pk).update(amount_received=1000)
    assert codes(save_incoming(paybill, "500", account_reference="ORD10452"))[:2] == ["reference_exact", "amount_exact"]


@pytest.mark.parametrize("state", ["open", "canceled", "expired"])
def test_open_canceled_and_expired_orders_are_candidates(duka, paybill, virtual_clock, state):
    intent = owe(duka, "ORD-10452", lifetime=timedelta(hours=1))
    if state == "canceled":
        cancel_payment_intent(intent=intent, reason="requested")
    if state == "expired":
        virtual_clock.advance(timedelta(hours=2))
    money = save_incoming(paybill, account_reference="ORD10452")
    assert best(money)[0] == intent.pk
    assert ("order_closed" in codes(money)) == (state != "open")


def test_a_paid_order_is_no_candidate_and_its_number_speaks_against_others(till):
    paid, _ = till.pay_new("1500", reference="ORD-10451")
    till.intent("1500", reference="ORD-10452")
    money = save_incoming(till.account, account_reference="ord10451")
    assert paid.status == "succeeded"
    assert best(money) == (None, 0)


def test_old_orders_and_other_currencies_and_modes_are_left_out(duka, paybill, virtual_clock):
    owe(duka, "ORD-10452")
    live = make_provider_account(platform=True, livemode=True)
    assert best(save_incoming(live, account_reference="ORD10452")) == (None, 0)
    assert best(save_incoming(paybill, currency="UGX", account_reference="ORD10452")) == (None, 0)
    virtual_clock.advance(WINDOW + timedelta(hours=1))
    assert best(save_incoming(paybill, account_reference="ORD10452")) == (None, 0)


def test_an_account_of_another_merchants_store_does_not_concern_a_store(duka, paybill):
    """Given the same number and amount in two stores, when the money is on the account of one, then only hers fits."""
    soko = make_store(name="Soko")
    account = make_provider_account(store=soko)
    owe(duka, "10452")
    hers = owe(soko, "10452")
    money = save_incoming(account, account_reference="10452")
    assert best(money)[0] == hers.pk
    assert best(money, store_id=duka.pk) == (None, 0)
    assert money not in unclaimed_money(livemode=False, store_id=duka.pk)
    assert money in unclaimed_money(livemode=False, store_id=soko.pk)


def test_the_stores_of_one_merchant_share_its_accounts(duka, virtual_clock):
    sister = make_store(name="Second shop", merchant=duka.merchant)
    intent = owe(sister, "10452")
    money = save_incoming(make_provider_account(store=duka), account_reference="10452")
    assert best(money)[0] == intent.pk
    assert money in unclaimed_money(livemode=False, store_id=sister.pk)


def test_stores_that_share_a_paybill_are_each_others_rivals(duka, paybill):
    soko = make_store(name="Soko")
    for store in (duka, soko):
        owe(store, "10452")
    money = save_incoming(paybill, account_reference="10452")
    shown = suggest_orders([money])[money.pk]
    assert [one.rival_gap for one in shown] == [0, 0]
    prefixed = save_incoming(paybill, account_reference="DUKA 10452")
    (only,) = suggest_orders([prefixed])[prefixed.pk]
    assert only.expectation.store == duka.pk
    assert suggest_orders([prefixed], store_id=soko.pk)[prefixed.pk] == []


@pytest.mark.parametrize("status", ["refuted", "reversed"])
def test_money_that_is_not_there_is_nobodys(duka, paybill, status):
    money = save_incoming(paybill, status=status)
    claimed = save_incoming(paybill, ownership="claimed", store=duka)
    assert list(unclaimed_money(livemode=False, store_id=duka.pk)) == []
    assert money.pk != claimed.pk


def test_no_more_than_a_few_are_shown_best_first(duka, paybill):
    for _ in range(8):
        owe(duka, customer_phone="0712345678")
    shown = suggest_orders([save_incoming(paybill, payer_phone="254712345678")])
    ((_, found),) = shown.items()
    assert len(found) == MOST_SHOWN
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_money_for_an_order(duka, paybill):
    intent = owe(duka, "ORD-10452", customer_phone="0712345678")
    right = save_incoming(paybill, account_reference="ORD10452", payer_phone="254712345678")
    partly = save_incoming(paybill, "700", payer_phone="254712345678")
    save_incoming(make_provider_account(), account_reference="ORD10452")  # another store's account
    save_incoming(paybill, "7", account_reference="KPLC 1")
    found = suggest_money(intent)
    assert [(row.pk, one.score) for row, one in found] == [(right.pk, 100), (partly.pk, 23)]


def test_two_payments_for_one_order_are_both_uncertain(duka, paybill):
    intent = owe(duka, "ORD-10452")
    for _ in range(2):
        save_incoming(paybill, account_reference="ORD10452")
    assert [(one.score, one.rival_gap) for _, one in suggest_money(intent)] == [(66, 0), (66, 0)]


def test_without_money_or_orders_nothing_is_suggested(duka, paybill):
    assert suggest_orders([]) == {}
    assert suggest_money(owe(duka)) == []
    money = save_incoming(paybill, "7")
    assert suggest_orders([money]) == {money.pk: []}


def test_the_number_money_last_arrived_at(duka, paybill):
    assert last_receiver(livemode=False, store_id=duka.pk) == ""
    save_incoming(paybill, receiver="600100", channel="paybill")
    save_incoming(paybill, receiver="5551", channel="till")
    assert last_receiver(livemode=False, store_id=duka.pk) == "600100"
    save_incoming(make_provider_account(store=duka), receiver="700200", channel="paybill")
    save_incoming(make_provider_account(), receiver="900900", channel="paybill")
    assert last_receiver(livemode=False, store_id=duka.pk) == "700200"
    assert last_receiver(livemode=True, store_id=duka.pk) == ""


def queries_of(work: Any) -> int:
    with CaptureQueriesContext(connection) as seen:
        work()
    return len(seen)


def save_many(store: Store, count: int) -> None:
    now = clock.now()
    money = {"amount": Money(1500, "KES"), "amount_received": Money(0, "KES"), "surplus": Money(0, "KES")}
    PaymentIntent.objects.bulk_create(
        (
            PaymentIntent(
                **money,
                store=store,
                livemode=False,
                reference=f"ORD-{number:05d}",
                customer_phone=f"07{number:08d}",
                link_token=ids.new_uuid().hex,
                expires_at=now + timedelta(days=1),
            )
            for number in range(count)
        ),
        batch_size=500,
    )


def test_ten_thousand_open_orders_take_as_many_queries_as_one(duka, paybill):
    owe(duka, "ORD-99999")
    rows = [
        save_incoming(paybill, account_reference=f"ORD{number:05d}", payer_phone="254712345678") for number in range(20)
    ]
    few = queries_of(lambda: suggest_orders(rows[:1], store_id=duka.pk))
    save_many(duka, 10_000)
    many = queries_of(lambda: suggest_orders(rows, store_id=duka.pk))
    everybody = queries_of(lambda: suggest_orders(rows))
    assert few == many == everybody == 6
    for row in rows[::9]:  # the oldest of them are found although newer ones fill what is read first
        first = suggest_orders([row], store_id=duka.pk)[row.pk][0]
        assert first.expectation.reference == f"ORD-{row.account_reference[3:]}"


def test_an_orders_money_takes_as_many_queries_whatever_there_is(duka, paybill):
    intent = owe(duka, "ORD-10452")
    save_incoming(paybill)
    one = queries_of(lambda: suggest_money(intent))
    for _ in range(20):
        save_incoming(paybill)
    assert queries_of(lambda: suggest_money(intent)) == one
