"""Balances of the store's own accounts, and QR codes of its intents."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.common.clock import VirtualClock
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.provider_accounts import deactivate_provider_account
from majuu_core.payments.balances import request_balances
from majuu_core.payments.models import PaymentIntent, ProviderCall
from majuu_core.payments.representation import represent_time
from majuu_core.providers import InvalidCredentials, OutcomeUnknown, RequestRejected
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from tests.core.api.support import Shop
from tests.core.payments.talker import Talker, TalkerPlugin

pytestmark = pytest.mark.django_db


def own_account(store: Store) -> ProviderAccount:
    return ProviderAccount.objects.get(store=store)


# --- Balances --------------------------------------------------------------------------------------------------------


def test_the_stores_own_balances_are_listed(shop: Shop, store: Store, virtual_clock: VirtualClock) -> None:
    """given reported balances / when listed / then amounts are texts, and what was not told is null."""
    request_balances(account=own_account(store))
    answer = shop.get("/balances")
    assert answer.status_code == 200
    (entry,) = answer.data["data"]
    assert entry["provider_account"] == own_account(store).public_id
    assert entry["reported_at"] == represent_time(virtual_clock.now())
    assert entry["accounts"][1] == {
        "name": "Payouts",
        "currency": "KES",
        "current": "20000.00",
        "available": "12500.00",
        "reserved": "7500.00",
        "uncleared": "0.00",
    }


def test_an_account_without_a_report_is_listed_without_amounts(shop: Shop, store: Store) -> None:
    """given an account nobody asked about / when listed / then it is there and says so."""
    (entry,) = shop.get("/balances").data["data"]
    assert (entry["reported_at"], entry["accounts"]) == (None, [])


def test_others_and_the_platforms_balances_are_not_shown(shop: Shop, store: Store) -> None:
    """given accounts of another store, of the platform and of live mode / when listed / then only the store's own."""
    for account in (
        make_provider_account(),
        make_provider_account(platform=True),
        make_provider_account(store=store, livemode=True),
    ):
        request_balances(account=account)
    data = shop.get("/balances").data["data"]
    assert [entry["provider_account"] for entry in data] == [
        ProviderAccount.objects.get(store=store, livemode=False).public_id
    ]


def test_a_key_needs_the_scope(store: Store) -> None:
    """given a key for charges / when balances are listed / then it is refused."""
    answer = Shop(make_api_key(store=store, scopes=["charges:read"]).key).get("/balances")
    assert (answer.status_code, answer.data["code"]) == (403, "scope_missing")


def test_twenty_accounts_cost_as_many_queries_as_one(shop: Shop, store: Store) -> None:
    """given one and twenty accounts with reports / when listed / then the number of queries is the same."""

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert shop.get("/balances").status_code == 200
        return len(asked)

    request_balances(account=own_account(store))
    shop.get("/balances")
    one = queries()
    for _ in range(19):
        request_balances(account=make_provider_account(store=store))
    assert queries() == one


# --- QR codes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def intent(virtual_clock: VirtualClock, shop: Shop) -> str:
    answer = shop.post("/payment-intents", {"amount": "1500", "currency": "KES", "reference": "ORDER7"})
    return str(answer.data["id"])


def test_a_qr_code_says_what_remains_and_where_it_belongs(shop: Shop, store: Store, intent: str) -> None:
    """given an open intent / when a code is made / then it is a PNG over the rest, with the store's reference."""
    Store.objects.filter(pk=store.pk).update(account_prefix="DUKA")
    answer = shop.post(f"/payment-intents/{intent}/qr-code", {"size": 320})
    assert answer.status_code == 201
    assert base64.b64decode(answer.data.pop("data"))[:8] == b"\x89PNG\r\n\x1a\n"
    assert answer.data == {
        "object": "qr_code",
        "livemode": False,
        "payment_intent": intent,
        "provider": "mock",
        "amount": "1500.00",
        "currency": "KES",
        "reference": "DUKAORDER79",
        "merchant_name": "Duka",
        "content_type": "image/png",
    }


def test_a_qr_code_says_what_is_printed_on_invoices(shop: Shop, store: Store, intent: str) -> None:
    """given a store with a prefix, or without / when a code is made / then its reference is the one to print."""
    for prefix, said in (("DUKA", "DUKAORDER79"), ("ORD", "ORDORDER7B"), (None, "ORDER7D")):
        Store.objects.filter(pk=store.pk).update(account_prefix=prefix)
        printed = shop.get("/incoming-payments/account-reference?reference=ORDER7").data["account_reference"]
        assert shop.post(f"/payment-intents/{intent}/qr-code", {}).data["reference"] == printed == said


@pytest.mark.parametrize(
    ("reference", "code"),
    [("A" * 16, "account_reference_too_long"), ("---", "account_reference_empty")],
)
def test_an_order_number_that_cannot_be_typed_has_no_qr_code(
    shop: Shop, store: Store, virtual_clock: VirtualClock, reference: str, code: str
) -> None:
    """given a number that makes a reference too long, or empty / when a code is asked for / then 422, and no call."""
    Store.objects.filter(pk=store.pk).update(account_prefix="DUKA")
    wanted = {"amount": "1500", "currency": "KES", "reference": reference}
    intent = shop.post("/payment-intents", wanted).data["id"]
    answer = shop.post(f"/payment-intents/{intent}/qr-code", {})
    assert (answer.status_code, answer.data["code"]) == (422, code)
    assert ProviderCall.objects.count() == 0


def test_the_same_key_gives_the_same_code(shop: Shop, intent: str) -> None:
    """given an Idempotency-Key / when sent twice / then the second is the stored answer."""
    first = shop.post(f"/payment-intents/{intent}/qr-code", {}, Idempotency_Key="k1")
    again = shop.post(f"/payment-intents/{intent}/qr-code", {}, Idempotency_Key="k1")
    assert again.data == first.data
    assert again["Idempotency-Replayed"] == "true"
    other = shop.post(f"/payment-intents/{intent}/qr-code", {"size": 500}, Idempotency_Key="k1")
    assert (other.status_code, other.data["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [
        ("canceled", 409, "payment_intent_not_payable"),
        ("expired", 409, "payment_intent_not_payable"),
        ("parked", 409, "payment_intent_not_payable"),
        ("switched off", 409, "qr_code_not_offered"),
        ("another method", 409, "qr_code_not_offered"),
        ("too small", 422, "size_invalid"),
        ("another store", 404, "payment_intent_not_found"),
        ("live key", 404, "payment_intent_not_found"),
    ],
)
def test_what_has_no_qr_code(
    shop: Shop, store: Store, intent: str, virtual_clock: VirtualClock, case: str, status: int, code: str
) -> None:
    """given an intent or a caller that does not fit / when a code is asked for / then it is refused."""
    row = PaymentIntent.objects.filter(pk=PaymentIntent.uuid_of(intent))
    caller, body = shop, {}
    if case == "canceled":
        shop.post(f"/payment-intents/{intent}/cancel", {})
    elif case == "expired":
        virtual_clock.advance(timedelta(days=2))
    elif case == "parked":
        row.update(is_parked=True)
    elif case == "switched off":
        deactivate_provider_account(account=own_account(store))
    elif case == "another method":
        row.update(payment_methods=["card"])
    elif case == "too small":
        body = {"size": 10}
    elif case == "another store":
        caller = Shop(make_api_key(store=make_store()).key)
    else:
        caller = Shop(make_api_key(store=store, livemode=True).key)
    answer = caller.post(f"/payment-intents/{intent}/qr-code", body)
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert ProviderCall.objects.count() == 0


@pytest.mark.parametrize(
    ("trouble", "status", "code", "health"),
    [
        (RequestRejected("no such product"), 422, "qr_code_refused", "unchecked"),
        (OutcomeUnknown("no answer"), 409, "qr_code_unavailable", "unchecked"),
        (InvalidCredentials("wrong key"), 409, "qr_code_unavailable", "unhealthy"),
        (RuntimeError("a bug"), 409, "qr_code_unavailable", "unchecked"),
    ],
)
def test_a_provider_in_trouble(
    temporary_plugin: Callable[[object], object],
    virtual_clock: VirtualClock,
    trouble: Exception,
    status: int,
    code: str,
    health: str,
) -> None:
    """given a provider that refuses or does not answer / when a code is asked for / then the key is free again."""
    temporary_plugin(TalkerPlugin())
    Talker.trouble = trouble
    store = make_store()
    account: Any = make_provider_account(store=store, provider="talker")
    shop = Shop(make_api_key(store=store).key)
    intent = shop.post("/payment-intents", {"amount": "1500", "currency": "KES"}).data["id"]
    answer = shop.post(f"/payment-intents/{intent}/qr-code", {}, Idempotency_Key="k1")
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert not IdempotencyKey.objects.filter(key="k1").exists()
    account.refresh_from_db()
    assert account.health == health
    Talker.trouble = None
    assert shop.post(f"/payment-intents/{intent}/qr-code", {}, Idempotency_Key="k1").status_code == 201
