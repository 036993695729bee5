"""Suggestions, references for invoices, and pasted messages, as a shop's server sees them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.events.models import Event
from majuu_core.merchants.models import Store
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, Claim, IncomingPayment, PaymentIntent
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from tests.core.api.support import Shop
from tests.core.payments.arrivals import give_prefix, save_incoming

TEXT = (
    "UKP7A1B2C3 Confirmed. Ksh{amount} sent to PLATFORM for account {account} on {at:%d/%m/%y} at {at:%I:%M %p} "
    "New M-PESA balance is Ksh2,300.00. Transaction cost, Ksh10.00."
)


@pytest.fixture
def paybill(store: Store, virtual_clock: Any) -> Any:
    """The account all stores share."""
    return make_provider_account(platform=True)


@pytest.fixture
def duka(store: Store) -> Store:
    return give_prefix(store, "DUKA")


@pytest.fixture
def stranger(db: None) -> Shop:
    """Another store's server."""
    return Shop(make_api_key(store=make_store(name="Other")).key)


def owe(store: Store, reference: str = "ORD-10452", amount: str = "1500", **details: Any) -> PaymentIntent:
    wanted = IntentDetails(amount=Money(amount, "KES"), reference=reference, **details)
    return create_payment_intent(store=store, livemode=False, details=wanted)


def message(amount: str = "1,500.00", account: str = "ORD-10452", minutes: int = 0) -> dict[str, str]:
    at = clock.now() + timedelta(hours=3, minutes=minutes)
    return {"text": TEXT.format(amount=amount, account=account, at=at)}


def nothing_changed() -> tuple[int, int, int, int]:
    unclaimed = IncomingPayment.objects.filter(ownership="unclaimed").count()
    return unclaimed, Claim.objects.count(), Event.objects.count(), AuditEntry.objects.count()


def test_unclaimed_money_with_the_order_it_may_pay_and_why(shop, duka, paybill):
    intent = owe(duka)
    money = save_incoming(
        paybill,
        receipt="UKP7A1B2C3",
        account_reference="duka ord104526",
        payer_name="JANE ACHIENG",
        payer_phone_masked="2547 ***** 678",
        channel="paybill",
    )
    answer = shop.get("/incoming-payments/suggestions")
    assert answer.status_code == 200
    assert (answer.data["has_more"], answer.data["next_cursor"]) == (False, None)
    (shown,) = answer.data["data"]
    assert shown["incoming_payment"] == {
        "id": money.public_id,
        "object": "incoming_payment",
        "livemode": False,
        "provider": "mock",
        "channel": "paybill",
        "receiver": "600100",
        "amount": "1500.00",
        "currency": "KES",
        "receipt": "UKP7A1B2C3",
        "receipt_masked": "UK******C3",
        "account_reference": "duka ord104526",
        "payer_name_masked": "J*** A***",
        "payer_phone_masked": "*** 678",
        "verified": False,
        "occurred_at": "2026-01-05T09:00:00.000Z",
        "created_at": "2026-01-05T09:00:00.000Z",
    }
    (suggestion,) = shown["suggestions"]
    reasons = suggestion.pop("reasons")
    assert suggestion == {
        "payment_intent": intent.public_id,
        "reference": "ORD-10452",
        "score": 94,
        "certain": False,
    }
    assert reasons[0] == {
        "code": "reference_checked",
        "points": 60,
        "messages": {
            "en": "The account reference is this order's, and its check character holds.",
            "sw": "Namba ya akaunti ni ya oda hii, na herufi yake ya uhakiki ni sahihi.",
        },
    }
    assert [reason["code"] for reason in reasons] == ["reference_checked", "amount_exact", "time_minutes"]


def test_certain_is_what_the_stores_own_threshold_says(shop, duka, paybill):
    owe(duka)
    save_incoming(paybill, account_reference="duka ord104526")
    seen = {}
    for threshold in (None, 94, 95):
        Store.objects.filter(pk=duka.pk).update(auto_claim_score=threshold)
        (shown,) = shop.get("/incoming-payments/suggestions").data["data"]
        seen[threshold] = shown["suggestions"][0]["certain"]
    assert seen == {None: False, 94: True, 95: False}


def test_a_shared_paybill_shows_only_what_the_stores_own_orders_explain(shop, stranger, duka, paybill):
    owe(duka)
    save_incoming(paybill, account_reference="duka ord104526", payer_name="JANE ACHIENG")
    assert len(shop.get("/incoming-payments/suggestions").data["data"]) == 1
    assert stranger.get("/incoming-payments/suggestions").data["data"] == []


def test_a_guess_by_amount_shows_neither_receipt_nor_reference_nor_name(stranger, paybill):
    """Given a store that makes an order over an amount it guessed, then it learns nothing to claim the money by."""
    guesser = Store.objects.get(name="Other")
    owe(guesser, "X-1", customer_phone="0700000000")
    save_incoming(
        paybill, receipt="UKP7A1B2C3", account_reference="0712345678", payer_name="JANE", payer_phone="254712345678"
    )
    for path in ("/incoming-payments/suggestions", ""):
        answer = stranger.get(path or f"/payment-intents/{PaymentIntent.objects.get().public_id}/incoming-suggestions")
        assert answer.status_code == 200
        for secret in ("UKP7A1B2C3", "712345678", "JANE", "254"):
            assert secret not in answer.content.decode()


def test_the_stores_own_account_shows_all_its_money(shop, store, virtual_clock):
    account = store.provider_accounts.get()
    money = save_incoming(account, "7", receipt="UKP7A1B2C3", account_reference="who knows")
    (shown,) = shop.get("/incoming-payments/suggestions").data["data"]
    assert shown["suggestions"] == []
    assert shown["incoming_payment"]["id"] == money.public_id
    assert shown["incoming_payment"]["receipt"] == "UKP7A1B2C3"
    assert shown["incoming_payment"]["account_reference"] == "who knows"


def test_claimed_money_and_the_other_mode_are_not_shown(shop, store, virtual_clock):
    account = store.provider_accounts.get()
    save_incoming(account, ownership="claimed", store=store)
    save_incoming(make_provider_account(store=store, livemode=True))
    assert shop.get("/incoming-payments/suggestions").data["data"] == []


def test_pages_follow_each_other(shop, store, virtual_clock):
    rows = [save_incoming(store.provider_accounts.get(), str(10 + number)) for number in range(5)]
    first = shop.get("/incoming-payments/suggestions?limit=3").data
    second = shop.get(f"/incoming-payments/suggestions?limit=3&cursor={first['next_cursor']}").data
    seen = [one["incoming_payment"]["id"] for one in (*first["data"], *second["data"])]
    assert seen == [row.public_id for row in reversed(rows)]
    assert (first["has_more"], second["has_more"]) == (True, False)


def test_twenty_rows_take_as_many_queries_as_one(shop, store, virtual_clock):
    owe(store)
    account = store.provider_accounts.get()
    save_incoming(account, account_reference="ORD-10452")
    shop.get("/incoming-payments/suggestions")  # the key is known now

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert shop.get("/incoming-payments/suggestions?limit=50").status_code == 200
        return len(seen)

    one = queries()
    for number in range(19):
        save_incoming(account, account_reference=f"ORD-{number}")
        owe(store, f"ORD-{number}")
    assert queries() == one


@pytest.mark.parametrize(("query", "code"), [("limit=0", "limit_invalid"), ("cursor=in_x", "cursor_invalid")])
def test_wrong_pages_are_refused(shop, query, code):
    answer = shop.get(f"/incoming-payments/suggestions?{query}")
    assert (answer.status_code, answer.data["code"]) == (422, code)


def test_the_money_an_intent_may_have_been_paid_with(shop, duka, paybill):
    intent = owe(duka)
    money = save_incoming(paybill, receipt="UKP7A1B2C3", account_reference="duka ord104526")
    answer = shop.get(f"/payment-intents/{intent.public_id}/incoming-suggestions")
    assert answer.status_code == 200
    assert (answer.data["object"], answer.data["payment_intent"]) == ("payment_intent_suggestions", intent.public_id)
    (shown,) = answer.data["suggestions"]
    assert (shown["incoming_payment"]["id"], shown["score"], shown["certain"]) == (money.public_id, 94, False)
    assert shown["incoming_payment"]["receipt"] == "UKP7A1B2C3"


def test_another_stores_intent_is_not_found(stranger, duka):
    answer = stranger.get(f"/payment-intents/{owe(duka).public_id}/incoming-suggestions")
    assert (answer.status_code, answer.data["code"]) == (404, "payment_intent_not_found")


# What to print on an invoice


def test_the_account_reference_of_an_order(shop, duka, paybill):
    save_incoming(paybill, receiver="600100", channel="paybill")
    answer = shop.get("/incoming-payments/account-reference?reference=ord-10452")
    assert answer.status_code == 200
    assert answer.data == {
        "object": "account_reference",
        "reference": "ord-10452",
        "prefix": "DUKA",
        "account_reference": "DUKAORD104526",
        "prompt_reference": None,
        "paybill": "600100",
    }


def test_a_store_without_prefix_and_without_money_yet(shop):
    data = shop.get("/incoming-payments/account-reference?reference=10452").data
    assert (data["prefix"], data["paybill"]) == (None, None)
    assert data["account_reference"] == data["prompt_reference"]
    assert data["account_reference"][:-1] == "10452"


@pytest.mark.parametrize(
    ("reference", "code"),
    [("%20-%20", "account_reference_empty"), ("1" * 20, "account_reference_too_long")],
)
def test_orders_that_no_reference_can_be_made_of(shop, duka, reference, code):
    answer = shop.get(f"/incoming-payments/account-reference?reference={reference}")
    assert (answer.status_code, answer.data["code"], answer.data["param"]) == (422, code, "reference")
    assert answer.data["messages"]["sw"].startswith("Namba")


# Pasted messages


def test_a_message_that_is_true(shop, duka, paybill):
    money = save_incoming(paybill, receipt="UKP7A1B2C3", account_reference="ord 10452", payer_name="JANE ACHIENG")
    before = nothing_changed()
    answer = shop.post("/incoming-payments/verify-message", message())
    assert answer.status_code == 200
    assert (answer.data["verdict"], answer.data["differences"]) == ("found", [])
    assert answer.data["incoming_payment"]["id"] == money.public_id
    assert answer.data["incoming_payment"]["payer_name_masked"] == "J*** A***"
    assert answer.data["message"] == {
        "receipt": "UKP7A1B2C3",
        "amount": "1500.00",
        "currency": "KES",
        "direction": "sent",
        "kind": "paybill",
        "party": "PLATFORM",
        "account": "ORD-10452",
        "fee": "10.00",
        "occurred_at": "2026-01-05T09:00:00.000Z",
        "language": "en",
        "other_receipts": [],
    }
    assert "claim" in answer.data["messages"]["en"]
    assert nothing_changed() == before


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"amount": "15,000.00"}, [("amount", "KES 15000.00", "KES 1500.00")]),
        ({"account": "ORD-99"}, [("account", "ORD-99", "ord 10452")]),
        ({"minutes": 60}, [("occurred_at", "2026-01-05T10:00:00+00:00", "2026-01-05T09:00:00+00:00")]),
    ],
)
def test_a_message_that_says_something_else_than_the_inbox(shop, paybill, body, fields):
    save_incoming(paybill, receipt="UKP7A1B2C3", account_reference="ord 10452")
    answer = shop.post("/incoming-payments/verify-message", message(**body))
    assert answer.data["verdict"] == "differs"
    assert answer.data["differences"] == [
        {"field": field, "message": said, "inbox": arrived} for field, said, arrived in fields
    ]


def test_a_message_about_money_that_the_customer_received(shop, paybill):
    save_incoming(paybill, receipt="UKP7A1B2C3")
    text = "UKP7A1B2C3 Confirmed. You have received Ksh1,500.00 from DUKA LTD on 5/1/26 at 12:00 PM."
    answer = shop.post("/incoming-payments/verify-message", {"text": text})
    assert [one["field"] for one in answer.data["differences"]] == ["direction"]


@pytest.mark.parametrize(("status", "verdict"), [("reversed", "taken_back"), ("refuted", "refuted")])
def test_a_message_about_money_that_is_not_there_any_more(shop, paybill, status, verdict):
    save_incoming(paybill, receipt="UKP7A1B2C3", status=status)
    assert shop.post("/incoming-payments/verify-message", message()).data["verdict"] == verdict


def test_a_message_about_no_money_at_all(shop, paybill):
    answer = shop.post("/incoming-payments/verify-message", message())
    assert (answer.data["verdict"], answer.data["incoming_payment"]) == ("not_found", None)
    assert answer.data["messages"]["sw"].startswith("Pesa hizo hazijafika.")


def test_a_text_without_a_receipt(shop):
    answer = shop.post("/incoming-payments/verify-message", {"text": "I paid, believe me"})
    assert (answer.status_code, answer.data["verdict"], answer.data["message"]) == (200, "unreadable", None)


def test_money_of_another_stores_account_does_not_exist(shop, virtual_clock):
    save_incoming(make_provider_account(), receipt="UKP7A1B2C3", payer_name="JANE")
    answer = shop.post("/incoming-payments/verify-message", message())
    assert (answer.data["verdict"], answer.data["incoming_payment"]) == ("not_found", None)


def test_money_that_another_store_claimed_is_told_as_used_and_no_more(shop, paybill):
    other = make_store(name="Other")
    save_incoming(paybill, "7", receipt="UKP7A1B2C3", ownership="claimed", store=other, payer_name="JANE")
    answer = shop.post("/incoming-payments/verify-message", message())
    assert answer.data["verdict"] == "already_claimed"
    assert (answer.data["incoming_payment"], answer.data["differences"]) == (None, [])
    assert "JANE" not in answer.content.decode()
    assert other.public_id not in answer.content.decode()


def test_money_the_store_has_claimed_is_told_as_used(shop, store, paybill):
    save_incoming(paybill, receipt="UKP7A1B2C3", ownership="claimed", store=store)
    answer = shop.post("/incoming-payments/verify-message", message())
    assert answer.data["verdict"] == "used"
    assert answer.data["incoming_payment"]["receipt"] == "UKP7A1B2C3"


def test_money_that_the_payer_sent_to_another_merchants_store_is_not_this_ones(shop, paybill):
    save_incoming(paybill, receipt="UKP7A1B2C3", store=make_store(name="Other"))
    answer = shop.post("/incoming-payments/verify-message", message())
    assert (answer.data["verdict"], answer.data["incoming_payment"]) == ("already_claimed", None)


def test_a_receipt_of_the_stores_own_charge(shop, stranger, store, virtual_clock):
    made = shop.post("/payment-intents", {"amount": "1500", "currency": "KES"}).data
    paid = shop.post(f"/payment-intents/{made['id']}/confirm", {"payment_method": "mock"}).data
    Charge.objects.update(receipt="UKP7A1B2C3")
    answer = shop.post("/incoming-payments/verify-message", message("1,600.00"))
    assert (answer.data["verdict"], answer.data["charge"]) == ("differs", paid["latest_charge"]["id"])
    assert answer.data["differences"] == [{"field": "amount", "message": "KES 1600.00", "inbox": "KES 1500.00"}]
    assert shop.post("/incoming-payments/verify-message", message()).data["verdict"] == "used"
    assert (answer.data["payment_intent"], answer.data["incoming_payment"]) == (made["id"], None)
    assert stranger.post("/incoming-payments/verify-message", message()).data["verdict"] == "not_found"


def test_a_repeated_check_with_its_key_gives_the_first_answer(shop, paybill):
    first = shop.post("/incoming-payments/verify-message", message(), Idempotency_Key="once")
    save_incoming(paybill, receipt="UKP7A1B2C3")
    again = shop.post("/incoming-payments/verify-message", message(), Idempotency_Key="once")
    fresh = shop.post("/incoming-payments/verify-message", message(), Idempotency_Key="twice")
    assert [one.data["verdict"] for one in (first, again, fresh)] == ["not_found", "not_found", "found"]
    assert again["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x" * 2001}, {"text": 5}, {"text": "x", "claim": True}])
def test_wrong_bodies_are_refused(shop, body):
    assert shop.post("/incoming-payments/verify-message", body).status_code == 422


def test_a_key_without_the_scope_reads_nothing(store, paybill):
    poor = Shop(make_api_key(store=store, scopes=["webhooks:read"]).key)
    intent = owe(store)
    for path in (
        "/incoming-payments/suggestions",
        "/incoming-payments/account-reference?reference=1",
        f"/payment-intents/{intent.public_id}/incoming-suggestions",
    ):
        assert poor.get(path).status_code == 403
    assert poor.post("/incoming-payments/verify-message", message()).status_code == 403
