"""How much a caller may ask: rates, quotas, addresses, and headers that say so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.api_keys import revoke_api_key, rotate_api_key
from majuu_core.merchants.key_addresses import seen_addresses
from majuu_core.merchants.key_usage import usage_buffer
from majuu_core.merchants.models import ApiKeyUsage, Store
from majuu_core.payments.models import PaymentIntent
from majuu_core.testing.factories import make_api_key
from tests.core.api.support import Shop

ORDER = {"amount": "10", "currency": "KES"}
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _few(settings: Any, virtual_clock: VirtualClock) -> None:
    settings.MAJUU_RATE_LIMITS = {"secret_key": (3, MINUTE), "refused_key": (2, MINUTE)}


def test_answers_say_what_is_left(store: Store, virtual_clock: VirtualClock) -> None:
    shop = Shop(make_api_key(store=store).key)
    first = shop.get("/ping")
    virtual_clock.advance(10)
    second = shop.get("/nothing-here")  # no operation: not counted
    third = shop.post("/payment-intents", {"amount": "x"})
    assert first.headers["RateLimit-Policy"] == '"secret_key";q=3;w=60'
    assert first.headers["RateLimit"] == '"secret_key";r=2;t=60'
    assert "RateLimit" not in second.headers
    assert (third.status_code, third.headers["RateLimit"]) == (422, '"secret_key";r=1;t=50')


def test_one_too_many_is_a_429_and_does_nothing(store: Store, virtual_clock: VirtualClock) -> None:
    """given 3 a minute / when a fourth comes after 20 s / then it is refused for 40 s, then there is room again."""
    shop = Shop(make_api_key(store=store).key)
    for _ in range(3):
        assert shop.post("/payment-intents", ORDER).status_code == 201
    virtual_clock.advance(20)
    answer = shop.post("/payment-intents", ORDER, Idempotency_Key="a")
    assert answer.status_code == 429
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "40"
    assert answer.headers["RateLimit"] == '"secret_key";r=0;t=40'
    assert answer.data["code"] == "rate_limited"
    assert answer.data["messages"]["sw"].startswith("Maombi ni mengi")
    assert PaymentIntent.objects.count() == 3
    virtual_clock.advance(40)
    assert shop.post("/payment-intents", ORDER, Idempotency_Key="a").status_code == 201


def test_keys_are_counted_apart_but_a_line_of_keys_together(store: Store) -> None:
    first, other = make_api_key(store=store), make_api_key(store=store)
    second = rotate_api_key(api_key=first.row, overlap=timedelta(days=1))
    statuses = [Shop(key).get("/ping").status_code for key in (first.key, second.key, first.key, second.key)]
    assert statuses == [200, 200, 200, 429]
    assert Shop(other.key).get("/ping").status_code == 200


def test_a_key_may_have_a_rate_of_its_own(store: Store) -> None:
    shop = Shop(make_api_key(store=store, rate_limit=1).key)
    answers = [shop.get("/ping") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"secret_key";q=1;w=60'


def test_no_limit_has_no_headers(store: Store, settings: Any) -> None:
    settings.MAJUU_RATE_LIMITS = {"secret_key": None}
    shop = Shop(make_api_key(store=store).key)
    answers = [shop.get("/ping") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert all("RateLimit" not in answer.headers for answer in answers)


def test_guessing_keys_ends_in_a_429_from_that_address_only(store: Store) -> None:
    good = make_api_key(store=store).key
    answers = [Shop("sk_test_nonsense").get("/ping") for _ in range(3)]
    assert [(answer.status_code, answer.data["code"]) for answer in answers] == [
        (401, "key_unknown"),
        (401, "key_unknown"),
        (429, "rate_limited"),
    ]
    assert answers[2].headers["Retry-After"] == "60"
    assert Shop(good).get("/ping").status_code == 200  # a good key is let in from there all the same
    elsewhere = Client().get(
        "/api/v1/ping", headers={"Authorization": "Bearer sk_test_nonsense"}, REMOTE_ADDR="41.90.1.1"
    )
    assert elsewhere.status_code == 401


def test_addresses_count_as_the_trusted_proxies_say(store: Store, settings: Any) -> None:
    settings.MAJUU_TRUSTED_PROXIES = ["127.0.0.1"]
    key = make_api_key(store=store, allowed_addresses=["196.201.214.0/24"]).key
    inside = Shop(key).get("/ping", X_Forwarded_For="196.201.214.200")
    forged = Shop(key).get("/ping", X_Forwarded_For="196.201.214.200, 41.90.1.1")
    assert inside.status_code == 200
    assert (forged.status_code, forged.data["code"]) == (403, "address_not_allowed")
    settings.MAJUU_TRUSTED_PROXIES = []
    untrusted = Shop(key).get("/ping", X_Forwarded_For="196.201.214.200")
    assert (untrusted.status_code, untrusted.data["code"]) == (403, "address_not_allowed")


def test_what_a_key_does_is_audited_with_the_address_behind_the_proxy(store: Store, settings: Any) -> None:
    settings.MAJUU_TRUSTED_PROXIES = ["127.0.0.1"]
    Shop(make_api_key(store=store).key).post("/payment-intents", ORDER, X_Forwarded_For="41.90.1.1")
    assert AuditEntry.objects.get(action="payment_intent.created").remote_addr == "41.90.1.1"


def test_the_first_request_from_an_address_leaves_an_audit_entry(store: Store, settings: Any) -> None:
    """given a key / when it asks twice from here and once from there / then each address has one entry"""
    settings.MAJUU_TRUSTED_PROXIES = ["127.0.0.1"]
    shop = Shop(make_api_key(store=store).key)
    for address in ("196.201.214.200", "196.201.214.200", "41.90.1.1"):
        shop.get("/ping", X_Forwarded_For=address, User_Agent="duka/2.1")
    seen_addresses.write()
    found = AuditEntry.objects.filter(action="api_key.used").order_by("pk")
    assert [(row.remote_addr, row.changes) for row in found] == [
        ("196.201.214.200", {"client": "duka/2.1"}),
        ("41.90.1.1", {"client": "duka/2.1"}),
    ]


def test_what_was_refused_is_no_use_of_the_key(store: Store, settings: Any) -> None:
    """given a revoked key, one over its rate, and a publishable one where it opens nothing / then no entry"""
    settings.MAJUU_TRUSTED_PROXIES = ["127.0.0.1"]
    revoked, slow = make_api_key(store=store), make_api_key(store=store, rate_limit=1)
    revoke_api_key(api_key=revoked.row)
    public = make_api_key(store=store, kind="publishable")
    first = Shop(slow.key).get("/ping", X_Forwarded_For="196.201.214.200")
    keys = (revoked.key, slow.key, public.key)
    refused = [Shop(key).get("/ping", X_Forwarded_For="41.90.1.1").status_code for key in keys]
    assert (first.status_code, refused) == (200, [401, 429, 403])
    seen_addresses.write()
    found = AuditEntry.objects.filter(action="api_key.used").values_list("object_id", "remote_addr")
    assert list(found) == [(slow.row.public_id, "196.201.214.200")]


def test_a_refused_address_does_nothing_and_says_so_once(store: Store) -> None:
    shop = Shop(make_api_key(store=store, allowed_addresses=["10.0.0.1"]).key)
    answers = [shop.post("/payment-intents", ORDER) for _ in range(2)]
    assert [(answer.status_code, answer.data["code"]) for answer in answers] == [(403, "address_not_allowed")] * 2
    assert not PaymentIntent.objects.exists()
    assert AuditEntry.objects.filter(action="api_key.address_refused").count() == 1


def test_a_quota_ends_in_a_429_until_the_month_does(store: Store, settings: Any, virtual_clock: VirtualClock) -> None:
    settings.MAJUU_RATE_LIMITS = {}
    shop = Shop(make_api_key(store=store, monthly_quota=2).key)
    answers = [shop.post("/payment-intents", ORDER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    seconds = 26 * 86400 + 15 * 3600  # from 5 January, 09:00, to the first of February
    assert answers[0].headers["RateLimit-Policy"] == '"secret_key";q=600;w=60, "monthly_quota";q=2'
    assert answers[0].headers["RateLimit"] == f'"secret_key";r=599;t=60, "monthly_quota";r=1;t={seconds}'
    assert answers[2].data["code"] == "quota_exceeded"
    assert answers[2].headers["Retry-After"] == str(seconds)
    assert PaymentIntent.objects.count() == 2
    virtual_clock.advance(seconds)
    assert shop.post("/payment-intents", ORDER).status_code == 201


def test_what_the_rate_refuses_costs_no_quota(store: Store, virtual_clock: VirtualClock) -> None:
    shop = Shop(make_api_key(store=store, monthly_quota=5, rate_limit=1).key)
    assert [shop.get("/ping").status_code for _ in range(5)] == [200, 429, 429, 429, 429]
    virtual_clock.advance(60)
    assert shop.get("/ping").headers["RateLimit"].endswith('"monthly_quota";r=3;t=2300340')


def test_requests_are_counted_by_day(store: Store, virtual_clock: VirtualClock) -> None:
    made = make_api_key(store=store)
    for _ in range(5):
        Shop(made.key).get("/ping")
    usage_buffer.write()
    row = ApiKeyUsage.objects.get()
    assert (row.api_key, row.requests, row.refused) == (made.row, 3, 2)


def test_the_api_goes_on_where_redis_is_down(store: Store, settings: Any) -> None:
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1"}}
    shop = Shop(make_api_key(store=store).key)
    assert [shop.get("/ping").status_code for _ in range(5)] == [200] * 5
    assert [Shop("sk_test_x").get("/ping").status_code for _ in range(3)] == [401, 401, 429]
