"""Refunds over the API: answers, refusals, scopes, other people's objects, queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.merchants.models import Store
from majuu_core.payments.models import Refund
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from tests.core.api.support import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still(virtual_clock: VirtualClock) -> None:
    """Time stands still."""


def pay(shop: Shop, amount: str = "1500.00") -> dict[str, Any]:
    intent = shop.post("/payment-intents", {"amount": amount, "currency": "KES"}).data
    paid: dict[str, Any] = shop.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"}).data
    return paid


def refund(shop: Shop, charge: str, **body: Any) -> Any:
    return shop.post("/refunds", {"charge": charge, "reason": "Wrong size", **body})


def test_a_refund_is_made_and_read(shop: Shop) -> None:
    intent = pay(shop)
    charge = intent["latest_charge"]["id"]
    answer = refund(shop, charge, amount="500", metadata={"ticket": "7"})
    assert answer.status_code == 201
    made = answer.data
    assert made["object"] == "refund"
    assert (made["amount"], made["currency"], made["status"]) == ("500.00", "KES", "succeeded")
    assert (made["charge"], made["payment_intent"]) == (charge, intent["id"])
    assert (made["reason"], made["method"], made["books_as"]) == ("Wrong size", "refund", "reversal")
    assert (made["source"], made["metadata"], made["failure"], made["parked"]) == (
        "merchant",
        {"ticket": "7"},
        None,
        False,
    )
    assert shop.get(f"/refunds/{made['id']}").data == made
    assert shop.get("/refunds").data["data"] == [made]
    shown = shop.get(f"/charges/{charge}").data
    assert (shown["amount_refunded"], shown["refund_status"]) == ("500.00", "partially_refunded")
    assert refund(shop, charge).data["amount"] == "1000.00"
    for path in (f"/charges/{charge}", f"/payment-intents/{intent['id']}"):
        shown = shop.get(path).data
        assert (shown["amount_refunded"], shown["refund_status"]) == ("1500.00", "refunded")


def test_an_intent_answers_with_a_list(shop: Shop) -> None:
    intent = pay(shop)
    answer = shop.post("/refunds", {"payment_intent": intent["id"], "reason": "Returned", "amount": "100.50"})
    assert answer.status_code == 201
    assert (answer.data["object"], answer.data["has_more"], answer.data["next_cursor"]) == ("list", False, None)
    assert [item["amount"] for item in answer.data["data"]] == ["100.50"]


def test_the_plan_is_shown_and_changes_nothing(shop: Shop) -> None:
    charge = pay(shop)["latest_charge"]["id"]
    before = LedgerTransaction.objects.count()
    answer = shop.get(f"/charges/{charge}/refund-plan?amount=400")
    assert answer.status_code == 200
    assert answer.data == {
        "object": "refund_plan",
        "charge": charge,
        "amount": "400.00",
        "refundable": "1500.00",
        "currency": "KES",
        "chosen": {
            "method": "refund",
            "open": True,
            "reason": "The provider gives the payment back the way it came.",
            "books_as": "reversal",
            "needs": [],
        },
        "alternatives": [],
        "rejected": [],
        "destination": {},
        "missing": [],
        "sources": [
            {
                "account": "store_payable",
                "amount": "400.00",
                "reason": "It is what the store has earned by this payment.",
            }
        ],
        "notes": [],
    }
    assert (Refund.objects.count(), LedgerTransaction.objects.count()) == (0, before)
    assert shop.get(f"/charges/{charge}/refund-plan").data["amount"] == "1500.00"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?amount=1500.01", "refund_amount_out_of_range"),
        ("?amount=0", "refund_amount_out_of_range"),
        ("?amount=1.001", "amount_too_precise"),
        ("?amount=ten", "amount_invalid"),
        ("?method=cheque", "refund_method_unknown"),
    ],
)
def test_a_plan_that_cannot_be(shop: Shop, query: str, code: str) -> None:
    charge = pay(shop)["latest_charge"]["id"]
    answer = shop.get(f"/charges/{charge}/refund-plan{query}")
    assert (answer.status_code, answer.data["code"]) == (422, code)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": "1500.01"}, 422, "refund_amount_out_of_range"),
        ({"amount": 1.5}, 422, "parameter_invalid"),
        ({"amount": "-1"}, 422, "refund_amount_out_of_range"),
        ({"reason": ""}, 422, "parameter_invalid"),
        ({"reason": "x" * 256}, 422, "parameter_invalid"),
        ({"method": "cheque"}, 422, "refund_method_unknown"),
        ({"destination": {"phone": "254712345678"}}, 422, "refund_destination_unknown"),
        ({"payment_intent": "pi_1"}, 422, "refund_subject_missing"),
        ({"charge": ""}, 422, "refund_subject_missing"),
        ({"charge": "ch_1"}, 404, "charge_not_found"),
        ({"metadata": {"card": "4111111111111111"}}, 422, "card_number_refused"),
        ({"amonut": "5"}, 422, "parameter_unknown"),
    ],
)
def test_what_is_refused_changes_nothing(shop: Shop, body: dict[str, Any], status: int, code: str) -> None:
    charge = pay(shop)["latest_charge"]["id"]
    before = LedgerTransaction.objects.count()
    answer = shop.post("/refunds", {"charge": charge, "reason": "Wrong size", **body})
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert answer.data["messages"]["sw"] if "messages" in answer.data else True
    assert (Refund.objects.count(), LedgerTransaction.objects.count()) == (0, before)


def test_a_charge_without_money_is_a_conflict(shop: Shop) -> None:
    charge = pay(shop, "7723.00")["latest_charge"]["id"]
    answer = refund(shop, charge)
    assert (answer.status_code, answer.data["code"]) == (409, "charge_not_refundable")
    assert shop.get(f"/charges/{charge}/refund-plan").status_code == 409


def test_another_stores_objects_do_not_exist(shop: Shop) -> None:
    charge = pay(shop)["latest_charge"]["id"]
    made = refund(shop, charge, amount="1").data["id"]
    store = make_store()
    make_provider_account(store=store)
    other = Shop(make_api_key(store=store).key)
    assert refund(other, charge).status_code == 404
    assert other.post("/refunds", {"payment_intent": "pi_1", "reason": "mine"}).status_code == 404
    for path in (
        f"/refunds/{made}",
        f"/charges/{charge}/refund-plan",
        f"/refunds?charge={charge}",
        "/refunds/re_1",
        "/refunds/ch_1",
    ):
        assert other.get(path).status_code == 404, path
    assert other.get("/refunds").data["data"] == []
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("scopes", "may_write", "may_read"),
    [(["refunds:write"], True, False), (["refunds:read"], False, True), (["payments:write"], False, False)],
)
def test_scopes(shop: Shop, store: Store, scopes: list[str], may_write: bool, may_read: bool) -> None:
    charge = pay(shop)["latest_charge"]["id"]
    narrow = Shop(make_api_key(store=store, scopes=scopes).key)
    answer = refund(narrow, charge, amount="5")
    assert answer.status_code == (201 if may_write else 403)
    assert Refund.objects.count() == (1 if may_write else 0)
    for path in ("/refunds", f"/charges/{charge}/refund-plan"):
        assert narrow.get(path).status_code == (200 if may_read else 403), path
    assert Shop("").post("/refunds", {"charge": charge, "reason": "no key"}).status_code == 401


def test_the_same_key_makes_one_refund(shop: Shop) -> None:
    charge = pay(shop)["latest_charge"]["id"]
    body = {"charge": charge, "reason": "Broken", "amount": "1500"}
    first = shop.post("/refunds", body, Idempotency_Key="once")
    again = shop.post("/refunds", body, Idempotency_Key="once")
    assert (first.status_code, again.content, again.headers["Idempotency-Replayed"]) == (201, first.content, "true")
    other = shop.post("/refunds", {**body, "amount": "5"}, Idempotency_Key="once")
    assert (other.status_code, Refund.objects.count()) == (409, 1)


def test_lists_filter_and_page(shop: Shop) -> None:
    first, second = (pay(shop) for _ in range(2))
    ids = [refund(shop, first["latest_charge"]["id"], amount=str(number)).data["id"] for number in (1, 2, 3)]
    refund(shop, second["latest_charge"]["id"], amount="4")
    page = shop.get(f"/refunds?charge={first['latest_charge']['id']}&limit=2").data
    assert ([item["id"] for item in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)
    rest = shop.get(f"/refunds?payment_intent={first['id']}&limit=2&cursor={page['next_cursor']}").data
    assert ([item["id"] for item in rest["data"]], rest["has_more"]) == ([ids[0]], False)
    assert shop.get("/refunds?status=failed").data["data"] == []
    assert len(shop.get("/refunds?status=succeeded").data["data"]) == 4


@pytest.mark.parametrize("path", ["/refunds", "/charges", "/payment-intents"])
def test_a_list_takes_as_many_queries_with_1_and_20(shop: Shop, path: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert shop.get(f"{path}?limit=50").status_code == 200
        return len(seen)

    refund(shop, pay(shop)["latest_charge"]["id"], amount="1")
    queries()
    few = queries()
    for _ in range(19):
        refund(shop, pay(shop)["latest_charge"]["id"], amount="1")
    assert queries() == few
