"""Requests to the API that nobody should send, wherever a body is taken: a clear refusal, and nothing done."""

from __future__ import annotations

from typing import Any

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.events.models import Event
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.testing.factories import make_api_key
from tests.core.api.support import Shop
from tests.core.payments.support import Till

pytestmark = pytest.mark.django_db
BODIES = [
    b"{",
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe{}",
    b'{"amount": NaN, "currency": "KES"}',
    b'{"amount": Infinity}',
    b"[" * 50_000,
    b'{"amount": "1\\u0000", "currency": "KES"}',
    b'{"a": "\\ud800"}',
]


@pytest.fixture
def till(virtual_clock: VirtualClock) -> Till:
    return Till()


@pytest.fixture
def shop(till: Till) -> Shop:
    return Shop(make_api_key(store=till.store).key)


def addresses(intent: PaymentIntent) -> list[str]:
    one = f"/payment-intents/{intent.public_id}"
    return ["/payment-intents", f"{one}/confirm", "/webhook-endpoints"]


def state_of_the_world() -> tuple[Any, ...]:
    intents = list(PaymentIntent.objects.order_by("pk").values_list("status", "amount", "amount_received"))
    return intents, Charge.objects.count(), Event.objects.count(), IdempotencyKey.objects.count()


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body[:14]!r}*{len(body)}")
def test_a_body_that_is_not_the_right_json_is_refused_everywhere(till: Till, shop: Shop, body: bytes) -> None:
    intent = till.intent("1000")
    before = state_of_the_world()
    for number, path in enumerate(addresses(intent)):
        answer = shop.post(path, body, Idempotency_Key=f"key-{number}")
        assert answer.status_code in (400, 422), (path, answer.status_code, answer.content[:200])
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert {"code", "messages", "request_id"} <= set(answer.data)
    assert state_of_the_world() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "0"},
        {"amount": "-5"},
        {"amount": "1.005"},
        {"amount": 1.5},
        {"amount": "1e3"},
        {"amount": "１００"},
        {"amount": ""},
        {"amount": None},
        {"amount": True},
        {"amount": "99999999999999999999"},
        {"amount": {"value": 1}},
        {"currency": "XXX"},
        {"currency": "kes "},
        {"currency": 7},
        {"payment_methods": ["carrier_pigeon"]},
        {"payment_methods": "mock"},
        {"metadata": {"a": "4111 1111 1111 1111"}},
        {"metadata": {"a": 1}},
        {"expires_in": -1},
        {"unknown_field": 1},
        {"reference": "x" * 65},
        {"reference": "nul\x00"},
        {"description": "nul\x00"},
        {"metadata": {"nul\x00": "x"}},
    ],
    ids=str,
)
def test_a_wrong_intent_is_refused_with_its_field(till: Till, shop: Shop, changes: dict[str, Any]) -> None:
    before = state_of_the_world()
    answer = shop.post("/payment-intents", {"amount": "1000", "currency": "KES"} | changes, Idempotency_Key="key")
    assert answer.status_code == 422, answer.content
    assert answer.data["param"].split(".")[0] in changes
    assert state_of_the_world() == before


def test_a_refused_request_leaves_its_key_free(till: Till, shop: Shop) -> None:
    assert shop.post("/payment-intents", {"amount": "0", "currency": "KES"}, Idempotency_Key="key").status_code == 422
    again = shop.post("/payment-intents", {"amount": "10", "currency": "KES"}, Idempotency_Key="key")
    assert again.status_code == 201
    assert PaymentIntent.objects.count() == 1


@pytest.mark.parametrize("amount", ["1000.01", "0", "-1", 0.5, "1e2", None, True, "x", {}])
def test_a_wrong_part_is_refused(till: Till, shop: Shop, amount: Any) -> None:
    intent = till.intent("1000")
    before = state_of_the_world()
    body = {"payment_method": "mock", "amount": amount}
    answer = shop.post(f"/payment-intents/{intent.public_id}/confirm", body, Idempotency_Key="key")
    if amount is None:
        assert (answer.status_code, answer.data["status"]) == (200, "succeeded")
        return
    assert answer.status_code == 422, answer.content
    assert state_of_the_world() == before


@pytest.mark.parametrize("path", ["/payment-intents", "/charges", "/events", "/payment-intents/pi_%00"])
def test_a_nul_in_an_address_is_refused(till: Till, shop: Shop, path: str) -> None:
    for query in ("?reference=%00", "?cursor=a%00b", "?status=%00", "?%00=1"):
        assert shop.get(path + query).status_code in (400, 404, 422)
