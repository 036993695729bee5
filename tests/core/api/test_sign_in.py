"""Sign-in by API: no tokens without the second factor, tokens that end, and nobody confused with anybody else."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from majuu_core.accounts.models import UserSession
from majuu_core.audit.models import AuditEntry
from majuu_core.common import crypto
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import Store
from majuu_core.testing.factories import PASSWORD, make_api_key, make_user
from majuu_core.testing.people import enrol, totp_code

REFUSED = "token_invalid"


@pytest.fixture(autouse=True)
def _nothing_was_tried_yet() -> None:
    cache.clear()


def somebody() -> Any:
    user = make_user()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def call(method: str, path: str, body: Any = None, token: str = "", client: Client | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = client or Client()
    data = "" if body is None else json.dumps(body)
    return client.generic(method, f"/api/v1{path}", data, content_type="application/json", headers=headers)


def login(user: Any, password: str = PASSWORD) -> Any:
    return call("POST", "/auth/login", {"email": user.email, "password": password})


def refreshed(token: str) -> Any:
    return call("POST", "/auth/refresh", {"refresh_token": token})


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def access_key() -> str:
    return crypto.derive_key(settings.MAJUU_ENCRYPTION_KEYS[0], "access-token").hex()


def signed(claims: dict[str, Any], key: str | None = None, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, access_key() if key is None else key, algorithm=algorithm)


def key_in_letter() -> str:
    found = re.search(r"https?://\S+/(?:confirm-email|password/reset/key)/(\S+?)/(?:\s|$)", str(mail.outbox[-1].body))
    assert found
    return found.group(1)


@pytest.mark.django_db
def test_a_password_gives_tokens_that_open_ones_own_pages() -> None:
    user = somebody()
    answer = login(user)
    tokens = answer.json()
    assert (answer.status_code, tokens["expires_in"]) == (200, 300)
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert claims_of(tokens["access_token"])["amr"] == ["pwd"]
    assert call("GET", "/user/profile", token=tokens["access_token"]).json()["email"] == user.email


@pytest.mark.django_db
def test_no_tokens_without_the_second_factor() -> None:
    user = somebody()
    device = enrol(user)
    answer = login(user)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (401, "second_factor_required")
    assert "access_token" not in problem
    assert UserSession.objects.count() == 0
    step = {"session_token": problem["session_token"], "code": "000000"}
    wrong = call("POST", "/auth/second-factor", step)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "code_wrong")
    assert UserSession.objects.count() == 0
    right = call("POST", "/auth/second-factor", step | {"code": totp_code(device)})
    assert right.status_code == 200
    assert claims_of(right.json()["access_token"])["amr"] == ["pwd", "otp", "mfa"]
    again = call("POST", "/auth/second-factor", step | {"code": totp_code(device)})
    assert (again.status_code, again.json()["code"]) == (401, "session_token_invalid")


@pytest.mark.django_db
def test_a_session_older_than_the_device_gets_none() -> None:
    user = somebody()
    tokens = login(user).json()
    enrol(user)
    assert call("GET", "/user/profile", token=tokens["access_token"]).status_code == 401
    assert refreshed(tokens["refresh_token"]).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("has_another", [True, False])
def test_a_session_whose_device_was_removed_gets_none(has_another: bool) -> None:
    user = somebody()
    lost = enrol(user)
    needed = login(user).json()["session_token"]
    step = {"session_token": needed, "code": totp_code(lost)}
    tokens = call("POST", "/auth/second-factor", step).json()
    if has_another:
        enrol(user)
    assert call("GET", "/user/profile", token=tokens["access_token"]).status_code == 200
    lost.delete()
    assert call("GET", "/user/profile", token=tokens["access_token"]).json()["code"] == REFUSED
    before = UserSession.objects.values().get()
    assert refreshed(tokens["refresh_token"]).json()["code"] == REFUSED
    assert UserSession.objects.values().get() == before


@pytest.mark.django_db
def test_a_wrong_password_and_a_stranger_get_the_same_answer() -> None:
    known, stranger = login(somebody(), "wrong"), call("POST", "/auth/login", {"email": "a@b.test", "password": "x"})
    for answer in (known, stranger):
        assert (answer.status_code, answer.json()["code"]) == (401, "credentials_wrong")
    assert known.json()["detail"] == stranger.json()["detail"]


@pytest.mark.django_db
def test_registration_opens_when_the_address_is_confirmed() -> None:
    body = {"email": "asha@example.com", "password": "chungwa-tembo-42"}
    assert call("POST", "/auth/register", body).status_code == 202
    early = call("POST", "/auth/login", body)
    assert (early.status_code, early.json()["code"]) == (403, "email_unverified")
    assert call("POST", "/auth/verify-email", {"key": "wrong"}).json()["code"] == "key_invalid"
    assert call("POST", "/auth/verify-email", {"key": key_in_letter()}).status_code == 202
    assert UserSession.objects.count() == 0
    assert call("POST", "/auth/login", body).status_code == 200


@pytest.mark.django_db
def test_registering_a_known_address_answers_the_same_and_makes_nobody() -> None:
    user = somebody()
    answer = call("POST", "/auth/register", {"email": user.email, "password": "chungwa-tembo-42"})
    assert (answer.status_code, answer.json()) == (202, {"object": "accepted"})
    assert get_user_model()._default_manager.count() == 1
    assert login(user).status_code == 200


@pytest.mark.django_db
def test_a_weak_password_is_refused() -> None:
    answer = call("POST", "/auth/register", {"email": "asha@example.com", "password": "short"})
    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "password_refused", "password")
    assert get_user_model()._default_manager.count() == 0


@pytest.mark.django_db
def test_a_reset_ends_every_session_and_leaves_the_second_factor() -> None:
    user = somebody()
    old = login(user).json()
    assert call("POST", "/auth/password-reset", {"email": user.email}).status_code == 202
    body = {"key": key_in_letter(), "password": "chungwa-tembo-42"}
    assert call("POST", "/auth/password-reset/confirm", body).json() == {"object": "accepted"}
    assert call("GET", "/user/profile", token=old["access_token"]).status_code == 401
    assert refreshed(old["refresh_token"]).status_code == 401
    enrol(user)
    assert login(user, body["password"]).json()["code"] == "second_factor_required"
    assert call("POST", "/auth/password-reset/confirm", body).json()["code"] == "key_invalid"


@pytest.mark.django_db
def test_a_reset_for_a_stranger_answers_the_same() -> None:
    answer = call("POST", "/auth/password-reset", {"email": "nobody@example.com"})
    assert (answer.status_code, answer.json()) == (202, {"object": "accepted"})


@pytest.mark.django_db
def test_tokens_that_are_not_ours_open_nothing() -> None:
    token = login(somebody()).json()["access_token"]
    claims = claims_of(token)
    head, _, signature = token.split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "999"}).encode()).rstrip(b"=").decode()
    forged = {
        "none": jwt.encode(claims, "", algorithm="none"),
        "HS512": signed(claims, algorithm="HS512"),
        "key": signed(claims, "another-key-of-more-than-thirty-two-bytes"),
        "tampered": f"{head}.{other}.{signature}",
        "audience": signed(claims | {"aud": "somebody"}),
        "issuer": signed(claims | {"iss": "somebody"}),
        "use": signed(claims | {"token_use": "refresh"}),
        "subject": signed(claims | {"sub": "999"}),
        "session": signed(claims | {"sid": "x"}),
        "no amr": signed({name: value for name, value in claims.items() if name != "amr"}),
    }
    assert call("GET", "/user/profile", token=signed(claims)).status_code == 200
    for name, bad in forged.items():
        answer = call("GET", "/user/profile", token=bad)
        assert (name, answer.status_code, answer.json()["code"]) == (name, 401, REFUSED)


@pytest.mark.django_db
def test_a_token_of_another_algorithm_family_opens_nothing() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    claims = claims_of(login(somebody()).json()["access_token"])
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert call("GET", "/user/profile", token=jwt.encode(claims, pem, algorithm="RS256")).status_code == 401


@pytest.mark.django_db
def test_tokens_expire_and_rotation_does_not_put_it_off(virtual_clock: VirtualClock) -> None:
    tokens = login(somebody()).json()
    virtual_clock.advance(timedelta(minutes=5))
    assert call("GET", "/user/profile", token=tokens["access_token"]).json()["code"] == REFUSED
    virtual_clock.advance(timedelta(days=29))
    new = refreshed(tokens["refresh_token"]).json()
    assert new["session_expires_at"] == tokens["session_expires_at"]
    assert claims_of(new["refresh_token"])["exp"] == claims_of(tokens["refresh_token"])["exp"]
    virtual_clock.advance(timedelta(days=1))
    assert refreshed(new["refresh_token"]).json()["code"] == REFUSED


@pytest.mark.django_db
def test_a_used_refresh_token_ends_the_session_and_is_written_down() -> None:
    old = login(somebody()).json()
    new = refreshed(old["refresh_token"]).json()
    assert refreshed(old["refresh_token"]).status_code == 401
    assert AuditEntry.objects.filter(action="user.refresh_token_reused").count() == 1
    assert call("GET", "/user/profile", token=new["access_token"]).status_code == 401
    assert refreshed(new["refresh_token"]).status_code == 401


@pytest.mark.django_db
def test_signing_out_ends_the_tokens_at_once() -> None:
    tokens = login(somebody()).json()
    assert call("POST", "/auth/logout", token=tokens["access_token"]).status_code == 204
    assert call("GET", "/user/profile", token=tokens["access_token"]).status_code == 401
    assert refreshed(tokens["refresh_token"]).status_code == 401


@pytest.mark.django_db
def test_a_session_cookie_never_counts() -> None:
    client = Client()
    client.force_login(somebody(), backend=settings.AUTHENTICATION_BACKENDS[0])
    for path in ("/user/profile", "/user/sessions", "/user/merchants", "/payment-intents"):
        assert call("GET", path, client=client).status_code == 401


def test_keys_and_tokens_are_not_confused(store: Store) -> None:
    token = login(somebody()).json()["access_token"]
    key = make_api_key(store=store).key
    wrong_way = call("GET", "/payment-intents", token=token)
    assert (wrong_way.status_code, wrong_way.json()["code"]) == (401, "api_key_required")
    other_way = call("GET", "/user/profile", token=key)
    assert (other_way.status_code, other_way.json()["code"]) == (401, "user_token_required")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="two writers at once need row locks")
def test_of_two_uses_of_a_refresh_token_at_once_one_wins_and_the_session_ends() -> None:
    token = login(somebody()).json()["refresh_token"]

    def use(_: int) -> int:
        try:
            return int(refreshed(token).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(use, range(2))) == [200, 401]
    assert UserSession.objects.get().ended_at is not None


@pytest.mark.django_db
def test_a_new_master_key_ends_no_session(settings) -> None:
    """given a token under the only master key / when a newer one is put before it / then the token still opens."""
    token = login(somebody()).json()["access_token"]
    settings.MAJUU_ENCRYPTION_KEYS = ["a-newer-master-key-0123456789abcdef", *settings.MAJUU_ENCRYPTION_KEYS]
    asked = Client().get("/api/v1/user/profile", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert asked.status_code == 200
    settings.MAJUU_ENCRYPTION_KEYS = settings.MAJUU_ENCRYPTION_KEYS[:1]
    assert Client().get("/api/v1/user/profile", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401
