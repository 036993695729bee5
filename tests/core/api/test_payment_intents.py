"""Payment intents over the API: what is accepted, what is refused and how, and that refusals change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.events.models import Event
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.merchants.models import Store
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.testing.factories import make_api_key, make_store
from tests.core.api.support import Shop

ORDER = {"amount": "1500.00", "currency": "KES", "reference": "order-7"}


def nothing_was_written() -> bool:
    return not any(model.objects.exists() for model in (PaymentIntent, Charge, Event, IdempotencyKey))


def test_an_intent_is_created_with_its_event_and_audit_entry(shop: Shop, store: Store) -> None:
    answer = shop.post("/payment-intents", ORDER)
    assert answer.status_code == 201
    assert answer.data["amount"] == "1500.00"
    assert answer.data["amount_received"] == "0.00"
    assert answer.data["amount_remaining"] == "1500.00"
    assert answer.data["currency"] == "KES"
    assert answer.data["status"] == "requires_payment_method"
    assert answer.data["livemode"] is False
    assert answer.data["payment_url"].startswith("http://testserver/pay/")
    intent = PaymentIntent.objects.get()
    assert (intent.public_id, intent.amount, intent.store) == (answer.data["id"], Money("1500", "KES"), store)
    event = Event.objects.get()
    shown = {name: value for name, value in answer.data.items() if name != "latest_charge"}
    assert (event.type, event.object_id) == ("payment_intent.created", intent.public_id)
    assert event.data == {"payment_intent": shown}
    entry = AuditEntry.objects.get(action="payment_intent.created")
    assert (entry.actor_type, entry.object_id) == ("key", intent.public_id)
    assert entry.request_id == answer.headers["Request-Id"]


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"amount": 10.5}, 422, "parameter_invalid", "amount"),
        ({"amount": "10.555"}, 422, "amount_too_precise", "amount"),
        ({"amount": "0"}, 422, "amount_not_positive", "amount"),
        ({"amount": "-5"}, 422, "amount_not_positive", "amount"),
        ({"amount": True}, 422, "parameter_invalid", "amount"),
        ({"amount": None}, 422, "parameter_invalid", "amount"),
        ({"amount": "1e3"}, 422, "amount_invalid", "amount"),
        ({"amount": "NaN"}, 422, "amount_invalid", "amount"),
        ({"amount": "٣"}, 422, "amount_invalid", "amount"),
        ({"amount": "9" * 30}, 422, "amount_invalid", "amount"),
        ({"amount": "9" * 18}, 422, "amount_too_large", "amount"),
        ({"currency": "KSH"}, 422, "currency_unknown", "currency"),
        ({"currency": "kes"}, 422, "currency_unknown", "currency"),
        ({"currency": "JPY", "amount": "10.5"}, 422, "amount_too_precise", "amount"),
        ({"payment_methods": ["cowrie"]}, 422, "payment_method_unknown", "payment_methods.0"),
        ({"colour": "red"}, 422, "parameter_unknown", "colour"),
        ({"capture_method": "later"}, 422, "parameter_invalid", "capture_method"),
        ({"customer_email": "nobody"}, 422, "parameter_invalid", "customer_email"),
        ({"expires_in": 10**17}, 422, "expires_in_invalid", "expires_in"),
        ({"expires_in": -(10**17)}, 422, "expires_in_invalid", "expires_in"),
        ({"expires_in": 5}, 422, "expires_in_invalid", "expires_in"),
        ({"reference": "x" * 65}, 422, "parameter_invalid", "reference"),
        ({"description": "card 4242 4242 4242 4242"}, 422, "card_number_refused", "description"),
        ({"metadata": {"card": "4242424242424242"}}, 422, "card_number_refused", "metadata.card"),
        ({"metadata": {"a": 1}}, 422, "parameter_invalid", "metadata.a"),
    ],
)
def test_bad_input_is_refused_with_the_field(
    shop: Shop, change: dict[str, Any], status: int, code: str, param: str
) -> None:
    answer = shop.post("/payment-intents", {**ORDER, **change}, Idempotency_Key="k")
    assert (answer.status_code, answer.data["code"], answer.data["param"]) == (status, code, param)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.data["request_id"] == answer.headers["Request-Id"]
    assert set(answer.data["messages"]) == {"en", "sw"}
    assert nothing_was_written()


@pytest.mark.parametrize("body", [b"{", b"[1", b"\xff\xfe", b'{"amount": NaN}', b"[" * 100_000])
def test_malformed_json_is_a_400(shop: Shop, body: bytes) -> None:
    answer = shop.post("/payment-intents", body)
    assert (answer.status_code, answer.data["code"]) == (400, "json_invalid")
    assert nothing_was_written()


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_a_body_that_is_no_object_is_refused(shop: Shop, body: Any) -> None:
    answer = shop.post("/payment-intents", body if body is not None else b"null")
    assert answer.status_code == 422
    assert nothing_was_written()


def test_integers_are_taken_as_amounts(shop: Shop) -> None:
    assert shop.post("/payment-intents", {**ORDER, "amount": 1500}).data["amount"] == "1500.00"


def test_the_same_key_and_body_give_the_same_answer_once(shop: Shop) -> None:
    first = shop.post("/payment-intents", ORDER, Idempotency_Key="order-7")
    again = shop.post("/payment-intents", ORDER, Idempotency_Key="order-7")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert PaymentIntent.objects.count() == 1
    assert Event.objects.count() == 1


def test_the_same_key_with_another_body_is_a_conflict(shop: Shop) -> None:
    shop.post("/payment-intents", ORDER, Idempotency_Key="order-7")
    answer = shop.post("/payment-intents", {**ORDER, "amount": "1.00"}, Idempotency_Key="order-7")
    assert (answer.status_code, answer.data["code"]) == (409, "idempotency_key_reused")
    assert PaymentIntent.objects.count() == 1


def test_keys_belong_to_a_store(shop: Shop) -> None:
    other = Shop(make_api_key(store=make_store()).key)
    mine, theirs = (who.post("/payment-intents", ORDER, Idempotency_Key="same") for who in (shop, other))
    assert mine.data["id"] != theirs.data["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ké"])
def test_an_unusable_idempotency_key_is_refused(shop: Shop, key: str) -> None:
    answer = shop.post("/payment-intents", ORDER, Idempotency_Key=key)
    assert (answer.status_code, answer.data["code"]) == (422, "idempotency_key_invalid")
    assert nothing_was_written()


def test_a_payment_is_confirmed(shop: Shop) -> None:
    intent = shop.post("/payment-intents", ORDER).data
    answer = shop.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"}, Idempotency_Key="c")
    assert answer.status_code == 200
    assert answer.data["status"] == "succeeded"
    assert answer.data["amount_received"] == "1500.00"
    assert answer.data["latest_charge"]["status"] == "succeeded"
    again = shop.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"}, Idempotency_Key="c")
    assert again.content == answer.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Charge.objects.count() == 1


def test_a_paid_intent_cannot_be_paid_again(shop: Shop) -> None:
    intent = shop.post("/payment-intents", ORDER).data
    shop.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"})
    answer = shop.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"})
    assert (answer.status_code, answer.data["code"]) == (409, "payment_intent_final")
    assert Charge.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"payment_method": "cowrie"}, "payment_method_unknown", "payment_method"),
        ({"payment_method": "mock", "amount": "2000"}, "amount_out_of_range", "amount"),
        ({"payment_method": "mock", "amount": "0"}, "amount_out_of_range", "amount"),
        ({}, "payment_method_missing", "payment_method"),
        (
            {"payment_method": "mock", "payment_method_data": {"phone": 7}},
            "parameter_invalid",
            "payment_method_data.phone",
        ),
    ],
)
def test_a_bad_confirmation_is_refused(shop: Shop, body: dict[str, Any], code: str, param: str) -> None:
    intent = shop.post("/payment-intents", ORDER).data
    answer = shop.post(f"/payment-intents/{intent['id']}/confirm", body)
    assert (answer.status_code, answer.data["code"], answer.data["param"]) == (422, code, param)
    assert not Charge.objects.exists()
    assert PaymentIntent.objects.get().status == "requires_payment_method"


def test_a_refused_confirmation_frees_its_key(shop: Shop) -> None:
    intent = shop.post("/payment-intents", ORDER).data
    path = f"/payment-intents/{intent['id']}/confirm"
    assert shop.post(path, {"payment_method": "cowrie"}, Idempotency_Key="c").status_code == 422
    assert shop.post(path, {"payment_method": "mock"}, Idempotency_Key="c").status_code == 200


def test_canceling_twice_is_the_same_as_once(shop: Shop) -> None:
    intent = shop.post("/payment-intents", ORDER).data
    first = shop.post(f"/payment-intents/{intent['id']}/cancel", {"reason": "duplicate"})
    second = shop.post(f"/payment-intents/{intent['id']}/cancel")
    assert (first.data["status"], first.data["cancellation_reason"]) == ("canceled", "duplicate")
    assert second.content == first.content
    assert Event.objects.filter(type="payment_intent.canceled").count() == 1


def test_another_stores_intent_does_not_exist(shop: Shop) -> None:
    intent = shop.post("/payment-intents", ORDER).data
    stranger = Shop(make_api_key(store=make_store()).key)
    for method, path in (
        ("GET", f"/payment-intents/{intent['id']}"),
        ("POST", f"/payment-intents/{intent['id']}/confirm"),
        ("POST", f"/payment-intents/{intent['id']}/cancel"),
    ):
        body = {"payment_method": "mock"} if path.endswith("confirm") else None
        answer = stranger.send(method, path, body)
        missing = stranger.send(method, path.replace(intent["id"], "pi_" + "0" * 26), body)
        assert (answer.status_code, answer.data["code"]) == (404, "payment_intent_not_found")
        assert answer.data["detail"] == missing.data["detail"]
    assert stranger.get("/payment-intents").data["data"] == []
    assert PaymentIntent.objects.get().status == "requires_payment_method"


def test_a_live_key_does_not_see_test_payments(shop: Shop, store: Store) -> None:
    intent = shop.post("/payment-intents", ORDER).data
    live = Shop(make_api_key(store=store, livemode=True).key)
    assert live.get(f"/payment-intents/{intent['id']}").status_code == 404
    assert live.get("/payment-intents").data["data"] == []


def test_a_live_payment_never_uses_a_test_account(store: Store) -> None:
    live = Shop(make_api_key(store=store, livemode=True).key)
    intent = live.post("/payment-intents", ORDER).data
    answer = live.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"})
    assert (answer.status_code, answer.data["code"]) == (422, "no_provider_account")
    assert not Charge.objects.exists()


def test_lists_page_by_cursor_newest_first(shop: Shop) -> None:
    made = [shop.post("/payment-intents", {**ORDER, "reference": str(number)}).data["id"] for number in range(5)]
    first = shop.get("/payment-intents?limit=2").data
    second = shop.get(f"/payment-intents?limit=2&cursor={first['next_cursor']}").data
    last = shop.get(f"/payment-intents?limit=2&cursor={second['next_cursor']}").data
    assert [item["id"] for page in (first, second, last) for item in page["data"]] == made[::-1]
    assert (first["has_more"], second["has_more"], last["has_more"]) == (True, True, False)
    assert last["next_cursor"] is None
    assert [item["id"] for item in shop.get("/payment-intents?reference=3").data["data"]] == [made[3]]


@pytest.mark.parametrize(
    ("query", "code"),
    [("limit=0", "limit_invalid"), ("limit=101", "limit_invalid"), ("cursor=x", "cursor_invalid")],
)
def test_bad_paging_is_refused(shop: Shop, query: str, code: str) -> None:
    answer = shop.get(f"/payment-intents?{query}")
    assert (answer.status_code, answer.data["code"]) == (422, code)


@pytest.mark.parametrize("path", ["/payment-intents", "/charges", "/events", "/webhook-endpoints"])
def test_lists_need_as_many_queries_for_20_rows_as_for_1(shop: Shop, path: str, django_assert_num_queries: Any) -> None:
    def make_one(number: int) -> None:
        intent = shop.post("/payment-intents", ORDER).data
        shop.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"})
        shop.post("/webhook-endpoints", {"url": f"https://shop{number}.example.com/hook"})

    make_one(0)
    shop.get(path)
    with CaptureQueriesContext(connection) as one:
        assert len(shop.get(f"{path}?limit=100").data["data"]) >= 1
    expected = len(one)
    for number in range(1, 15):
        make_one(number)
    with django_assert_num_queries(expected):
        assert len(shop.get(f"{path}?limit=100").data["data"]) >= 15
