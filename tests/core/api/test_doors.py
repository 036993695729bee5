"""Who gets in: keys in both headers, scopes, modes, and nobody by a session cookie."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from majuu_core.common import clock
from majuu_core.merchants.api_keys import revoke_api_key
from majuu_core.merchants.models import Store
from majuu_core.merchants.services import suspend_merchant, update_store
from majuu_core.payments.models import PaymentIntent
from majuu_core.testing.factories import make_api_key, make_user
from tests.core.api.support import Shop

ORDER = {"amount": "10", "currency": "KES"}


def test_both_headers_open_the_door(store: Store) -> None:
    key = make_api_key(store=store).key
    assert Shop(key).get("/ping").data["store"] == store.public_id
    assert Shop("").get("/ping", X_API_KEY=key).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "}, {"X_API_KEY": ""}],
)
def test_without_a_key_nobody_gets_in(store: Store, headers: dict[str, str]) -> None:
    answer = Shop("").post("/payment-intents", ORDER, **headers)
    assert (answer.status_code, answer.data["code"]) == (401, "authentication_required")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not PaymentIntent.objects.exists()


@pytest.mark.parametrize("key", ["sk_test_nonsense", "x", "sk_live_" + "a" * 49, "é" * 30])
def test_a_wrong_key_is_a_401(store: Store, key: str) -> None:
    answer = Shop(key).get("/ping") if key.isascii() else Shop("").get("/ping", X_API_KEY=key)
    assert (answer.status_code, answer.data["code"]) == (401, "key_unknown")


def test_a_revoked_key_is_a_401_at_once(store: Store) -> None:
    made = make_api_key(store=store)
    assert Shop(made.key).get("/ping").status_code == 200
    revoke_api_key(api_key=made.row)
    assert Shop(made.key).get("/ping").data["code"] == "key_revoked"


def test_an_expired_key_is_a_401(store: Store) -> None:
    made = make_api_key(store=store, expires_at=clock.now() + timedelta(hours=1))
    with clock.use_clock(clock.VirtualClock(clock.now() + timedelta(hours=2))):
        assert Shop(made.key).get("/ping").data["code"] == "key_expired"


def test_a_suspended_merchants_live_key_is_refused(store: Store) -> None:
    live = Shop(make_api_key(store=store, livemode=True).key)
    assert live.get("/ping").status_code == 200
    suspend_merchant(merchant=store.merchant, reason="court order")
    assert (live.get("/ping").status_code, live.get("/ping").data["code"]) == (403, "merchant_suspended")


def test_a_switched_off_store_is_refused(store: Store) -> None:
    shop = Shop(make_api_key(store=store).key)
    update_store(store=store, is_active=False)
    assert (shop.get("/ping").status_code, shop.get("/ping").data["code"]) == (403, "store_inactive")


@pytest.mark.parametrize(
    ("scope", "method", "path", "body"),
    [
        ("payments:read", "POST", "/payment-intents", ORDER),
        ("payments:write", "GET", "/payment-intents", None),
        ("payments:read", "GET", "/events", None),
        ("events:read", "GET", "/charges", None),
        ("webhooks:read", "POST", "/webhook-endpoints", {"url": "https://a.example.com/"}),
    ],
)
def test_a_key_does_what_its_scopes_say(store: Store, scope: str, method: str, path: str, body: Any) -> None:
    shop = Shop(make_api_key(store=store, scopes=[scope]).key)
    answer = shop.send(method, path, body)
    assert (answer.status_code, answer.data["code"]) == (403, "scope_missing")
    assert not PaymentIntent.objects.exists()


def test_a_publishable_key_opens_nothing_here(store: Store) -> None:
    answer = Shop(make_api_key(store=store, kind="publishable").key).get("/ping")
    assert (answer.status_code, answer.data["code"]) == (403, "secret_key_required")


def test_a_session_is_worth_nothing_here(store: Store) -> None:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    assert client.get("/api/v1/payment-intents").status_code == 401


def test_unknown_addresses_and_methods_answer_in_the_same_form(store: Store) -> None:
    shop = Shop(make_api_key(store=store).key)
    missing, wrong = shop.get("/nothing-here"), shop.send("PUT", "/payment-intents", {})
    assert (missing.status_code, missing.data["code"]) == (404, "not_found")
    assert wrong.status_code == 405
    assert wrong.headers["Request-Id"].startswith("req_")
