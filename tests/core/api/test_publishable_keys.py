"""A publishable key is seen by everybody: it opens what is listed here, and nothing else of the whole API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from majuu_core.api.urls import api
from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import Store
from majuu_core.payments.models import PaymentIntent
from majuu_core.testing.factories import make_api_key, make_store
from tests.core.api.support import Shop

OPEN_TO_PUBLISHABLE = {"get_checkout_payment_intent"}
ORDER = {"amount": "1500", "currency": "KES", "customer_phone": "0712345678", "customer_email": "a@example.com"}
HIDDEN = {"customer_phone", "customer_email", "metadata", "reference"}


@pytest.fixture
def publishable(store: Store) -> Shop:
    return Shop(make_api_key(store=store, kind="publishable", scopes=["payments:read", "payments:write"]).key)


@pytest.fixture
def intent(shop: Shop) -> PaymentIntent:
    return PaymentIntent.objects.get(pk=PaymentIntent.uuid_of(shop.post("/payment-intents", ORDER).data["id"]))


def operations() -> Iterator[tuple[str, str, str]]:
    for path, item in api.get_openapi_schema(path_prefix="/")["paths"].items():
        for method, operation in item.items():
            yield operation["operationId"], method.upper(), re.sub(r"\{[^}]*\}", "x_1", path)


def test_everything_else_refuses_it(publishable: Shop, settings: Any) -> None:
    """given a publishable key with scopes / when it tries every operation / then 403 for all that is not listed."""
    settings.MAJUU_RATE_LIMITS = {"publishable_key": None}
    publishable.get("/ping")
    tried, entries = set(), AuditEntry.objects.count()
    for operation, method, path in operations():
        if operation in OPEN_TO_PUBLISHABLE or path.startswith(("/auth/", "/user/")):
            continue
        answer = publishable.send(method, path, {})
        assert (answer.status_code, answer.data["code"]) == (403, "secret_key_required"), operation
        tried.add(operation)
    assert {"create_payment_intent", "create_payout", "revoke_api_key", "ping"} <= tried
    assert AuditEntry.objects.count() == entries
    assert not PaymentIntent.objects.exists()


def test_it_reads_one_payment_by_its_token(publishable: Shop, intent: PaymentIntent) -> None:
    answer = publishable.get(f"/checkout/payment-intents/{intent.link_token}")
    assert answer.status_code == 200
    assert answer.data == {
        "object": "checkout_payment_intent",
        "id": intent.public_id,
        "livemode": False,
        "status": "requires_payment_method",
        "amount": "1500.00",
        "amount_received": "0.00",
        "amount_remaining": "1500.00",
        "currency": "KES",
        "description": "",
        "payment_url": f"http://testserver/pay/{intent.link_token}",
        "expires_at": answer.data["expires_at"],
    }
    assert not HIDDEN & set(answer.data)


def test_other_tokens_and_other_stores_learn_nothing(store: Store, publishable: Shop, intent: PaymentIntent) -> None:
    strangers = [
        Shop(make_api_key(store=make_store(), kind="publishable").key),
        Shop(make_api_key(store=store, kind="publishable", livemode=True).key),
    ]
    answers = [stranger.get(f"/checkout/payment-intents/{intent.link_token}") for stranger in strangers]
    answers += [publishable.get(f"/checkout/payment-intents/{token}") for token in (intent.public_id, "x", "y" * 200)]
    assert {(answer.status_code, answer.data["code"]) for answer in answers} == {(404, "payment_intent_not_found")}


def test_without_a_key_nobody_reads_it(intent: PaymentIntent) -> None:
    answer = Shop("").get(f"/checkout/payment-intents/{intent.link_token}")
    assert (answer.status_code, answer.data["code"]) == (401, "authentication_required")


def test_pages_of_any_origin_may_read_it_and_nothing_else(publishable: Shop, intent: PaymentIntent) -> None:
    path = f"/api/v1/checkout/payment-intents/{intent.link_token}"
    asked = Client().options(path, headers={"Origin": "https://shop.example.com"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert asked.headers["Access-Control-Allow-Headers"] == "Authorization, X-API-KEY"
    assert "Access-Control-Allow-Credentials" not in asked.headers
    for answer in (publishable.get(path.removeprefix("/api/v1")), publishable.get("/checkout/payment-intents/x")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    elsewhere = Client().options("/api/v1/payment-intents", headers={"Origin": "https://shop.example.com"})
    assert "Access-Control-Allow-Origin" not in elsewhere.headers
    assert elsewhere.status_code == 405


def test_one_visitor_does_not_use_up_what_others_may_ask(
    publishable: Shop, intent: PaymentIntent, settings: Any, virtual_clock: VirtualClock
) -> None:
    settings.MAJUU_RATE_LIMITS = {"publishable_key": (1, timedelta(minutes=1))}
    path = f"/api/v1/checkout/payment-intents/{intent.link_token}"

    def ask(address: str) -> int:
        headers = {"Authorization": f"Bearer {publishable.key}"}
        return Client().get(path, headers=headers, REMOTE_ADDR=address).status_code

    assert [ask("41.90.1.1"), ask("41.90.1.1"), ask("41.90.1.2")] == [200, 429, 200]
