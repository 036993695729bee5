"""API keys by API: seen, their use read, revoked; never made, and never another store's or mode's."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.api_keys import rotate_api_key
from majuu_core.merchants.models import ApiKey, ApiKeyUsage, Store
from majuu_core.testing.factories import make_api_key, make_store
from tests.core.api.support import Shop

DAY = timedelta(days=1)


def test_a_key_is_shown_without_itself(store: Store, shop: Shop, virtual_clock: VirtualClock) -> None:
    made = make_api_key(store=store, scopes=["payments:read"], rate_limit=5, monthly_quota=9, allowed_addresses=["::1"])
    new = rotate_api_key(api_key=made.row, overlap=DAY)
    answer = shop.get(f"/api-keys/{made.row.public_id}")
    assert answer.data == {
        "object": "api_key",
        "id": made.row.public_id,
        "livemode": False,
        "kind": "secret",
        "client_id": None,
        "name": "",
        "prefix": "sk_test_",
        "last4": made.key[-4:],
        "status": "active",
        "scopes": ["payments:read"],
        "allowed_addresses": ["::1"],
        "rate_limit": 5,
        "monthly_quota": 9,
        "rotated_from": None,
        "rotated_to": new.row.public_id,
        "expires_at": "2026-01-06T09:00:00.000Z",
        "revoked_at": None,
        "last_used_at": None,
        "created_at": "2026-01-05T09:00:00.000Z",
    }
    assert made.key not in answer.content.decode()
    assert shop.get(f"/api-keys/{new.row.public_id}").data["rotated_from"] == made.row.public_id


def test_the_list_has_the_stores_own_keys_of_the_mode(
    store: Store, shop: Shop, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    own = ApiKey.objects.get()
    make_api_key(store=store, livemode=True)
    make_api_key(store=make_store())
    shop.get("/api-keys")
    with django_assert_num_queries(2):  # the key that asks, and the page
        answer = shop.get("/api-keys")
    assert [item["id"] for item in answer.data["data"]] == [own.public_id]
    for _ in range(19):
        make_api_key(store=store)
    with django_assert_num_queries(2):
        assert len(shop.get("/api-keys").data["data"]) == 20


@pytest.mark.parametrize("path", ["", "/usage", "/revoke"])
def test_keys_of_others_do_not_exist(store: Store, shop: Shop, path: str) -> None:
    """given keys of another store and of the other mode / when asked for / then 404, and nothing changed."""
    others = [make_api_key(store=make_store()).row, make_api_key(store=store, livemode=True).row]
    before = list(ApiKey.objects.order_by("pk").values_list("pk", "revoked_at"))
    for public_id in (*(row.public_id for row in others), "key_nonsense", store.public_id):
        answer = shop.send("POST" if path == "/revoke" else "GET", f"/api-keys/{public_id}{path}")
        assert (answer.status_code, answer.data["code"]) == (404, "api_key_not_found")
    assert list(ApiKey.objects.order_by("pk").values_list("pk", "revoked_at")) == before


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("api_keys:write", "GET", ""),
        ("api_keys:write", "GET", "/{id}"),
        ("api_keys:write", "GET", "/{id}/usage"),
        ("api_keys:read", "POST", "/{id}/revoke"),
    ],
)
def test_scopes_say_what_a_key_may_do_to_keys(store: Store, scope: str, method: str, path: str) -> None:
    made = make_api_key(store=store, scopes=[scope])
    answer = Shop(made.key).send(method, "/api-keys" + path.format(id=made.row.public_id))
    assert (answer.status_code, answer.data["code"]) == (403, "scope_missing")
    assert not ApiKey.objects.filter(revoked_at__isnull=False).exists()


def test_nobody_makes_keys_by_api(shop: Shop) -> None:
    assert shop.post("/api-keys", {"name": "mine"}).status_code == 405
    assert ApiKey.objects.count() == 1


def test_revoking_holds_with_the_next_request_and_is_audited(store: Store, shop: Shop) -> None:
    made = make_api_key(store=store)
    assert Shop(made.key).get("/ping").status_code == 200
    answer = shop.post(f"/api-keys/{made.row.public_id}/revoke", Idempotency_Key="r")
    assert (answer.status_code, answer.data["status"]) == (200, "revoked")
    assert Shop(made.key).get("/ping").data["code"] == "key_revoked"
    again = shop.post(f"/api-keys/{made.row.public_id}/revoke", Idempotency_Key="r")
    assert again.data == answer.data
    entry = AuditEntry.objects.get(action="api_key.revoked")
    assert (entry.actor_type, entry.object_id) == ("key", made.row.public_id)


def test_a_leaked_key_may_revoke_itself(store: Store) -> None:
    made = make_api_key(store=store)
    shop = Shop(made.key)
    assert shop.post(f"/api-keys/{made.row.public_id}/revoke").data["status"] == "revoked"
    assert shop.get("/ping").data["code"] == "key_revoked"


def test_usage_by_day(shop: Shop, virtual_clock: VirtualClock) -> None:
    row = ApiKey.objects.get()
    ApiKeyUsage.objects.create(api_key=row, day=date(2026, 1, 4), requests=7, refused=2)
    answer = shop.get(f"/api-keys/{row.public_id}/usage?from=2026-01-03&to=2026-01-04")
    assert answer.data == {
        "object": "api_key_usage",
        "api_key": row.public_id,
        "time_zone": "UTC",
        "monthly_quota": None,
        "used_this_month": 8,  # with this very request
        "data": [
            {"day": "2026-01-03", "requests": 0, "refused": 0},
            {"day": "2026-01-04", "requests": 7, "refused": 2},
        ],
    }


def test_usage_shows_thirty_days_unless_asked_otherwise(shop: Shop, virtual_clock: VirtualClock) -> None:
    row = ApiKey.objects.get()
    days = [item["day"] for item in shop.get(f"/api-keys/{row.public_id}/usage").data["data"]]
    assert (len(days), days[0], days[-1]) == (30, "2025-12-07", "2026-01-05")


def test_usage_of_a_quota(store: Store, shop: Shop, virtual_clock: VirtualClock) -> None:
    made = make_api_key(store=store, monthly_quota=50)
    for _ in range(3):
        Shop(made.key).get("/ping")
    found = shop.get(f"/api-keys/{made.row.public_id}/usage").data
    assert (found["monthly_quota"], found["used_this_month"]) == (50, 3)


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("from=2026-01-05&to=2026-01-04", "period_invalid", "from"),
        ("from=2024-01-01&to=2026-01-04", "period_too_long", "from"),
        ("from=yesterday", "time_invalid", "from"),
        ("to=0001-01-01", "time_invalid", "to"),
    ],
)
def test_periods_that_cannot_be(shop: Shop, query: str, code: str, param: str) -> None:
    answer: Any = shop.get(f"/api-keys/{ApiKey.objects.get().public_id}/usage?{query}")
    assert (answer.status_code, answer.data["code"], answer.data["param"]) == (422, code, param)
