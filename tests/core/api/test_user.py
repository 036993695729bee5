"""What people see and change of themselves by API, and nobody else's."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from majuu_core.accounts.models import Profile, UserSession
from majuu_core.audit.models import AuditEntry
from majuu_core.testing.factories import PASSWORD, make_merchant
from tests.core.api.test_sign_in import call, login, refreshed, somebody

pytestmark = pytest.mark.django_db


def test_another_phone_number_is_unverified() -> None:
    user = somebody()
    Profile.objects.create(user=user, phone="+254700000000", phone_verified_at=timezone.now())
    token = login(user).json()["access_token"]
    answer = call("PATCH", "/user/profile", {"phone": "0712 345 678", "country": "KE"}, token)
    found = answer.json()
    assert (found["phone"], found["phone_verified"], found["country"]) == ("+254712345678", False, "KE")
    assert AuditEntry.objects.filter(action="user.profile_changed").count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"phone": "12"}, "phone_invalid"),
        ({"country": "XX"}, "country_unknown"),
        ({"language": "xx"}, "language_unknown"),
        ({"email": "a@b.test"}, "parameter_unknown"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(body: dict[str, str], code: str) -> None:
    token = login(somebody()).json()["access_token"]
    answer = call("PATCH", "/user/profile", body, token)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Profile.objects.exclude(phone="", country="", language="").exists()


def test_a_session_is_ended_with_its_tokens() -> None:
    user = somebody()
    here, there = login(user).json(), login(user).json()
    listed = call("GET", "/user/sessions", token=here["access_token"]).json()["data"]
    assert [(row["id"], row["is_current"]) for row in listed] == [(there["session"], False), (here["session"], True)]
    assert call("DELETE", f"/user/sessions/{there['session']}", token=here["access_token"]).status_code == 204
    assert call("GET", "/user/profile", token=there["access_token"]).status_code == 401
    assert refreshed(there["refresh_token"]).status_code == 401
    assert call("GET", "/user/profile", token=here["access_token"]).status_code == 200


def test_a_browser_is_signed_out_from_an_app() -> None:
    user, browser = somebody(), Client()
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert browser.get("/accounts/").status_code == 200
    row = UserSession.objects.get(kind="browser")
    token = login(user).json()["access_token"]
    assert call("DELETE", f"/user/sessions/{row.public_id}", token=token).status_code == 204
    assert browser.get("/accounts/").status_code == 302


def test_nobody_ends_somebody_elses_session() -> None:
    mine, theirs = login(somebody()).json(), login(somebody()).json()
    answer = call("DELETE", f"/user/sessions/{theirs['session']}", token=mine["access_token"])
    assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
    assert call("GET", "/user/profile", token=theirs["access_token"]).status_code == 200


def test_ones_businesses_are_ones_own() -> None:
    user = somebody()
    merchant = make_merchant(owner=user)
    make_merchant(owner=somebody())
    token = login(user).json()["access_token"]
    expected = {"object": "user_merchant", "merchant": merchant.public_id, "name": merchant.name, "role": "owner"}
    assert call("GET", "/user/merchants", token=token).json()["data"] == [expected]


def test_twenty_sessions_cost_as_much_as_one() -> None:
    user = somebody()
    token = login(user).json()["access_token"]
    with CaptureQueriesContext(connection) as one:
        call("GET", "/user/sessions", token=token)
    for _ in range(19):
        login(user)
    with CaptureQueriesContext(connection) as twenty:
        assert len(call("GET", "/user/sessions?limit=100", token=token).json()["data"]) == 20
    assert len(twenty) == len(one)
