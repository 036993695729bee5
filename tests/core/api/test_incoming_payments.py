"""Receipts over the API: verified without telling too much, claimed once, listed to their owner only."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models import Claim
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from tests.core.api.support import Shop
from tests.core.payments.incoming_support import arrive, the_money

RECEIPT = "UKP7X1A2B3"


@pytest.fixture
def paybill(db: None, custodian: None) -> ProviderAccount:
    return make_provider_account(platform=True)


@pytest.fixture
def stranger(db: None) -> Shop:
    return Shop(make_api_key(store=make_store()).key)


def ask(shop: Shop, **query: str) -> Any:
    return shop.get("/incoming-payments/verify?" + "&".join(f"{name}={value}" for name, value in query.items()))


def claim(shop: Shop, reference: str = "1001", **more: Any) -> Any:
    return shop.post("/incoming-payments/claim", {"receipt": RECEIPT, "reference": reference, **more})


def test_free_money_is_shown_with_its_payer_masked(shop: Shop, paybill: ProviderAccount) -> None:
    shop.post("/payment-intents", {"amount": "1500", "currency": "KES", "reference": "shoes"})
    arrive(paybill, account_reference="shoes")
    answer = ask(shop, receipt=RECEIPT)
    assert answer.status_code == 200
    assert answer.data == {
        "object": "receipt_verification",
        "state": "available",
        "claimable": True,
        "receipt": RECEIPT,
        "amount": "1500.00",
        "currency": "KES",
        "occurred_at": answer.data["occurred_at"],
        "payer_name": "J*** W***",
        "payer_phone": "2547*****678",
        "account_reference": "shoes",
        "incoming_payment": the_money().public_id,
        "charge": None,
        "reference": None,
    }
    assert ask(shop, external_reference="shoes").data == answer.data


def test_claimed_money_is_shown_wholly_to_its_owner_and_not_at_all_to_others(
    shop: Shop, stranger: Shop, paybill: ProviderAccount
) -> None:
    arrive(paybill, account_reference="shoes")
    made = claim(shop)
    assert made.status_code == 200
    assert (made.data["reference"], made.data["incoming_payment"]["payer_name"]) == ("1001", "Jane Wanjiru")
    mine, others = ask(shop, receipt=RECEIPT).data, ask(stranger, receipt=RECEIPT).data
    assert (mine["state"], mine["payer_phone"], mine["reference"]) == ("used", "254712345678", "1001")
    assert {name for name, value in others.items() if value} == {"object", "state", "receipt"}
    assert others["state"] == "taken"
    assert ask(stranger, external_reference="shoes").data["state"] == "unknown"


def test_a_second_claim_is_409_and_names_nobody(
    shop: Shop, stranger: Shop, store: Store, paybill: ProviderAccount
) -> None:
    arrive(paybill)
    first = claim(shop)
    assert claim(shop).data == first.data
    answer = claim(stranger)
    assert (answer.status_code, answer.data["code"]) == (409, "incoming_payment_claimed")
    assert answer.data["messages"]["sw"] == "Risiti hii imeshadaiwa."
    for secret in (store.public_id, store.name, first.data["id"], "Jane"):
        assert secret not in answer.content.decode().replace("receipt", "")
    assert Claim.objects.count() == 1


def test_an_idempotency_key_replays_the_claim(shop: Shop, paybill: ProviderAccount) -> None:
    arrive(paybill)
    body = {"receipt": RECEIPT, "reference": "1001"}
    first = shop.post("/incoming-payments/claim", body, Idempotency_Key="k-1")
    again = shop.post("/incoming-payments/claim", body, Idempotency_Key="k-1")
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")


def test_own_charges_are_verified_and_claimed_too(shop: Shop, stranger: Shop) -> None:
    intent = shop.post("/payment-intents", {"amount": "1500", "currency": "KES"}).data
    paid = shop.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"}).data
    receipt = paid["latest_charge"]["receipt"]
    assert ask(shop, receipt=receipt).data["state"] == "yours"
    body = {"receipt": receipt, "reference": "1001"}
    assert shop.post("/incoming-payments/claim", body).data["charge"] == paid["latest_charge"]["id"]
    assert ask(shop, receipt=receipt).data["state"] == "used"
    assert shop.post("/incoming-payments/claim", {**body, "reference": "1002"}).status_code == 409
    assert ask(stranger, receipt=receipt).data["state"] == "unknown"
    assert stranger.post("/incoming-payments/claim", body).status_code == 404


@pytest.mark.parametrize("query", [{}, {"receipt": "A", "external_reference": "B"}])
def test_one_question_at_a_time(shop: Shop, query: dict[str, str]) -> None:
    assert ask(shop, **query).status_code == 422


def test_unknown_receipts(shop: Shop) -> None:
    assert ask(shop, receipt="NOSUCH").data["state"] == "unknown"
    assert (claim(shop).status_code, claim(shop).data["code"]) == (404, "receipt_not_found")


def test_scopes(store: Store, paybill: ProviderAccount) -> None:
    arrive(paybill)
    reader = Shop(make_api_key(store=store, scopes=["incoming:read"]).key)
    other = Shop(make_api_key(store=store, scopes=["payments:write"]).key)
    assert (ask(reader, receipt=RECEIPT).status_code, claim(reader).status_code) == (200, 403)
    assert (ask(other, receipt=RECEIPT).status_code, other.get("/incoming-payments").status_code) == (403, 403)
    assert (Claim.objects.count(), the_money().ownership) == (0, "unclaimed")


def test_the_list_holds_the_stores_own_only(shop: Shop, stranger: Shop, store: Store, paybill: ProviderAccount) -> None:
    arrive(paybill)
    arrive(store.provider_accounts.get(), "OWN", "200")
    assert [row["receipt"] for row in shop.get("/incoming-payments").data["data"]] == ["OWN"]
    claim(shop)
    assert [row["receipt"] for row in shop.get("/incoming-payments").data["data"]] == ["OWN", RECEIPT]
    assert [row["receipt"] for row in shop.get("/incoming-payments?ownership=claimed").data["data"]] == [RECEIPT]
    one = the_money().public_id
    assert shop.get(f"/incoming-payments/{one}").data["receipt"] == RECEIPT
    assert stranger.get("/incoming-payments").data["data"] == []
    assert stranger.get(f"/incoming-payments/{one}").status_code == 404
    assert shop.get("/incoming-payments/nonsense").status_code == 404


def test_the_list_asks_as_often_for_20_rows_as_for_1(shop: Shop, store: Store) -> None:
    account = store.provider_accounts.get()
    arrive(account, "R0")
    shop.get("/incoming-payments")
    with CaptureQueriesContext(connection) as one:
        shop.get("/incoming-payments")
    for number in range(1, 20):
        arrive(account, f"R{number}")
    with CaptureQueriesContext(connection) as twenty:
        assert len(shop.get("/incoming-payments").data["data"]) == 20
    assert len(one) == len(twenty)
