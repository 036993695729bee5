"""POST /oauth/token as RFC 6749 has it, and what its tokens open."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.api_keys import CreatedKey, revoke_api_key, rotate_api_key, update_api_key
from majuu_core.merchants.key_usage import usage_buffer
from majuu_core.merchants.models import ApiKey, ApiKeyUsage, ClientToken, Store
from majuu_core.merchants.services import suspend_merchant
from majuu_core.payments.models import PaymentIntent
from majuu_core.testing.factories import make_api_key, make_store
from tests.core.api.support import Shop

FORM = "application/x-www-form-urlencoded"
ORDER = {"amount": "10", "currency": "KES"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def client(store: Store) -> CreatedKey:
    return make_api_key(store=store, kind="client")


def ask(fields: Any, *, content_type: str = FORM, path: str = "/oauth/token", **headers: str) -> Any:
    body = fields if isinstance(fields, str) else urlencode(fields)
    response: Any = Client(raise_request_exception=False).generic(
        "POST", path, body, content_type=content_type, headers=headers
    )
    response.data = json.loads(response.content)
    return response


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def trade(made: CreatedKey, **fields: str) -> Any:
    given = {"grant_type": "client_credentials", "client_id": made.row.client_id, "client_secret": made.key}
    return ask(given | fields)


def shop_of(made: CreatedKey, **fields: str) -> Shop:
    return Shop(trade(made, **fields).data["access_token"])


def test_a_secret_in_the_body_is_traded(client: CreatedKey, virtual_clock: VirtualClock) -> None:
    answer = trade(client, scope="payments:write payments:read")
    assert answer.status_code == 200
    token = answer.data.pop("access_token")
    assert answer.data == {"token_type": "Bearer", "expires_in": 3600, "scope": "payments:read payments:write"}
    assert token.startswith("tk_test_")
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert "Set-Cookie" not in answer.headers
    entry = AuditEntry.objects.get(action="oauth_client.token_granted")
    assert (entry.actor_id, entry.request_id) == (client.row.client_id, answer.headers["Request-Id"])


def test_a_secret_in_http_basic_is_traded(client: CreatedKey) -> None:
    fields = {"grant_type": "client_credentials", "scope": ""}  # without a value: as if left out
    answer = ask(fields, Authorization=basic(client.row.client_id, client.key))
    assert (answer.status_code, answer.data["scope"]) == (200, "*")
    again = ask(fields | {"client_id": client.row.client_id}, Authorization=basic(client.row.client_id, client.key))
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"scope": "payments:read nonsense"}, "invalid_scope"),
        ({"scope": "payments:read  events:read"}, "invalid_scope"),
    ],
)
def test_what_is_not_offered(client: CreatedKey, change: dict[str, str], error: str) -> None:
    before = list(AuditEntry.objects.values_list("pk"))
    answer = trade(client, **change)
    assert (answer.status_code, answer.data["error"]) == (400, error)
    assert set(answer.data) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert not ClientToken.objects.exists()
    assert list(AuditEntry.objects.values_list("pk")) == before


def test_requests_that_are_malformed(client: CreatedKey) -> None:
    good = {"grant_type": "client_credentials", "client_id": client.row.client_id, "client_secret": client.key}
    header = {"Authorization": basic(client.row.client_id, client.key)}
    for answer in (
        ask(json.dumps(good), content_type="application/json"),
        ask("", path=f"/oauth/token?{urlencode(good)}"),
        ask(urlencode(good) + "&scope=a:b&scope=a:c"),
        ask(good, **header),  # twice, by two ways
        ask({"grant_type": "client_credentials", "client_id": "client_other"}, **header),
    ):
        assert (answer.status_code, answer.data["error"]) == (400, "invalid_request")
        assert client.key not in answer.content.decode()
    assert not ClientToken.objects.exists()


def test_other_methods_are_refused(client: CreatedKey) -> None:
    for method in ("get", "put", "delete", "options"):
        answer = getattr(Client(), method)("/oauth/token")
        assert (answer.status_code, answer["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "header",
    ["Bearer abc", "Basic", "Basic %%%", "Basic " + base64.b64encode(b"no colon").decode(), "Basic w6k6w6k="],
)
def test_headers_that_are_not_basic(client: CreatedKey, header: str) -> None:
    answer = ask({"grant_type": "client_credentials"}, Authorization=header)
    assert (answer.status_code, answer.data["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="majuu"'


def test_wrong_credentials_are_one_refusal_and_written_down_once_an_hour(
    client: CreatedKey, store: Store, virtual_clock: VirtualClock
) -> None:
    """given a client / when its id comes with another secret, or nobody's id / then 401, the same words, one entry"""
    other = make_api_key(store=make_store(), kind="client")
    before = ClientToken.objects.count()
    for _ in range(2):
        answer = trade(CreatedKey(key=other.key, row=client.row), scope="payments:read")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="majuu"')
        assert answer.data == {
            "error": "invalid_client",
            "error_description": "The client id or the secret is wrong.",
        }
    nobody = ask({"grant_type": "client_credentials", "client_id": "client_nobody", "client_secret": client.key})
    assert (nobody.status_code, nobody.data) == (401, answer.data)
    mine, platforms = AuditEntry.objects.filter(action="oauth_client.refused").order_by("created_at", "pk")
    assert (mine.object_id, mine.merchant_id, mine.store_id) == (client.row.client_id, store.merchant_id, store.pk)
    assert (mine.actor_type, mine.actor_id, mine.remote_addr) == ("client", "", "127.0.0.1")
    assert (platforms.object_id, platforms.merchant_id) == ("", None)
    assert ClientToken.objects.count() == before
    virtual_clock.advance(timedelta(hours=1))
    trade(CreatedKey(key=other.key, row=client.row))
    assert AuditEntry.objects.filter(action="oauth_client.refused").count() == 3


def test_a_known_and_an_unknown_id_cost_the_same(
    client: CreatedKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    wrong = make_api_key(kind="client").key
    ids = [client.row.client_id, client.row.client_id[:-1] + ("0" if client.row.client_id[-1] != "0" else "1")]
    for client_id in ids:
        with django_assert_num_queries(3):  # the secret, the client, the entry
            ask({"grant_type": "client_credentials", "client_id": client_id, "client_secret": wrong})


@pytest.mark.parametrize("limit", ["token_address", "token_client"])
def test_guesses_are_limited_and_lock_nobody_out(
    client: CreatedKey, limit: str, settings: Any, virtual_clock: VirtualClock
) -> None:
    settings.MAJUU_RATE_LIMITS = {limit: (2, MINUTE)}
    wrong = CreatedKey(key=make_api_key(kind="client").key, row=client.row)
    assert [trade(wrong).status_code for _ in range(3)] == [401, 401, 429]
    virtual_clock.advance(20)
    answer = trade(wrong)
    assert (answer.data["error"], answer.headers["Retry-After"]) == ("temporarily_unavailable", "40")
    assert trade(client).status_code == 200
    assert ClientToken.objects.count() == 1


def test_tokens_are_limited_by_client(client: CreatedKey, settings: Any, virtual_clock: VirtualClock) -> None:
    settings.MAJUU_RATE_LIMITS = {"client_tokens": (1, MINUTE)}
    assert trade(client).status_code == 200
    answer = trade(client)
    assert (answer.status_code, answer.data["error"]) == (429, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "60"
    assert ClientToken.objects.count() == 1


def test_why_a_client_gets_nothing(store: Store, virtual_clock: VirtualClock) -> None:
    old = make_api_key(store=store, kind="client", livemode=True)
    new = rotate_api_key(api_key=old.row, overlap=timedelta(0))
    answer = trade(old)
    assert (answer.status_code, answer.data["error"]) == (401, "invalid_client")
    assert "replaced it" in answer.data["error_description"]
    update_api_key(api_key=new.row, allowed_addresses=["10.0.0.0/8"])
    answer = trade(new)
    assert (answer.status_code, answer.data["error"]) == (400, "unauthorized_client")
    update_api_key(api_key=new.row, allowed_addresses=[])
    suspend_merchant(merchant=store.merchant, reason="fraud")
    answer = trade(new)
    assert (answer.status_code, answer.data["error"]) == (400, "unauthorized_client")
    revoke_api_key(api_key=new.row)
    answer = trade(new)
    assert (answer.status_code, answer.data["error_description"]) == (401, "This client was revoked.")
    tried = AuditEntry.objects.get(action="oauth_client.refused")  # an ended secret; the second time within the hour
    assert (tried.object_id, tried.store_id) == (old.row.client_id, store.pk)
    assert not ClientToken.objects.exists()


def test_plain_http_is_refused(client: CreatedKey, settings: Any) -> None:
    settings.MAJUU_REQUIRE_HTTPS = True
    answer = trade(client)
    assert (answer.status_code, answer.data["code"]) == (403, "https_required")
    assert not ClientToken.objects.exists()


def test_a_token_works_as_a_key_and_the_trail_names_the_client(client: CreatedKey, store: Store) -> None:
    shop = shop_of(client)
    answer = shop.post("/payment-intents", ORDER, Idempotency_Key="a")
    assert answer.status_code == 201
    assert (PaymentIntent.objects.get().store_id, PaymentIntent.objects.get().livemode) == (store.pk, False)
    entry = AuditEntry.objects.get(action="payment_intent.created")
    assert (entry.actor_type, entry.actor_id) == ("client", client.row.client_id)
    # Idempotency keys are the store's, whoever sends them.
    again = Shop(make_api_key(store=store).key).post("/payment-intents", ORDER, Idempotency_Key="a")
    assert (again.data["id"], again.headers["Idempotency-Replayed"]) == (answer.data["id"], "true")
    assert PaymentIntent.objects.count() == 1


def test_a_token_in_the_other_header_works_too(client: CreatedKey) -> None:
    token = shop_of(client).key
    assert Shop("").get("/ping", X_API_KEY=token).status_code == 200


def test_scopes_stores_and_modes_hold_for_tokens(client: CreatedKey, store: Store) -> None:
    intent = shop_of(client).post("/payment-intents", ORDER).data["id"]
    narrow = shop_of(client, scope="payments:read")
    assert narrow.get(f"/payment-intents/{intent}").status_code == 200
    refused = narrow.post("/payment-intents", ORDER)
    assert (refused.status_code, refused.data["code"]) == (403, "scope_missing")
    sister = make_store(merchant=store.merchant)
    for other in (make_api_key(store=store, kind="client", livemode=True), make_api_key(store=sister, kind="client")):
        answer = shop_of(other).get(f"/payment-intents/{intent}")
        assert (answer.status_code, answer.data["code"]) == (404, "payment_intent_not_found")
    assert PaymentIntent.objects.count() == 1


def test_a_revoked_client_is_out_with_the_next_request(client: CreatedKey) -> None:
    shop = shop_of(client)
    assert shop.get("/ping").status_code == 200
    revoke_api_key(api_key=client.row)
    answer = shop.post("/payment-intents", ORDER)
    assert (answer.status_code, answer.data["code"]) == (401, "key_revoked")
    assert not PaymentIntent.objects.exists()


def test_an_expired_token_says_so(client: CreatedKey, virtual_clock: VirtualClock) -> None:
    shop = shop_of(client)
    virtual_clock.advance(3600)
    answer = shop.post("/payment-intents", ORDER)
    assert (answer.status_code, answer.data["code"]) == (401, "token_expired")
    assert answer.data["messages"]["sw"].startswith("Tokeni imekwisha")
    assert not PaymentIntent.objects.exists()


def test_limits_and_use_are_the_clients(store: Store, virtual_clock: VirtualClock) -> None:
    """given a client with 2 requests a minute and 3 a month / when two tokens are used / then they share them"""
    made = make_api_key(store=store, kind="client", rate_limit=2, monthly_quota=3)
    first, second = shop_of(made), shop_of(made)
    assert [first.get("/ping").status_code, second.get("/ping").status_code] == [200, 200]
    assert first.get("/ping").data["code"] == "rate_limited"
    virtual_clock.advance(60)
    assert second.get("/ping").status_code == 200
    assert first.get("/ping").data["code"] == "quota_exceeded"
    usage_buffer.write()
    used = ApiKeyUsage.objects.get(api_key=made.row)
    assert (used.requests, used.refused) == (3, 2)


def test_the_secret_itself_opens_nothing(client: CreatedKey) -> None:
    answer = Shop(client.key).post("/payment-intents", ORDER)
    assert (answer.status_code, answer.data["code"]) == (401, "key_unknown")
    assert "/oauth/token" in answer.data["detail"]
    assert not PaymentIntent.objects.exists()


def test_a_token_is_no_persons_token(client: CreatedKey) -> None:
    answer = shop_of(client).get("/user/profile")
    assert (answer.status_code, answer.data["code"]) == (401, "user_token_required")


def test_a_client_is_seen_and_revoked_by_api(client: CreatedKey, store: Store) -> None:
    shop = Shop(make_api_key(store=store).key)
    found = shop.get(f"/api-keys/{client.row.public_id}").data
    assert (found["kind"], found["client_id"], found["prefix"]) == ("client", client.row.client_id, "ck_test_")
    assert client.key not in json.dumps(found)
    holder = shop_of(client)
    assert holder.post(f"/api-keys/{client.row.public_id}/revoke").data["status"] == "revoked"
    assert holder.get("/ping").data["code"] == "key_revoked"
    assert ApiKey.objects.filter(revoked_at=None).count() == 1
