"""Step-up: a fresh second factor before what moves money, and back to where one was."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django_otp import DEVICE_ID_SESSION_KEY, devices_for_user

from majuu_core.accounts import policy
from majuu_core.accounts.middleware import CurrentDeviceMiddleware
from majuu_core.accounts.step_up import SESSION_KEY, fresh_second_factor_required
from majuu_core.testing.factories import make_user
from majuu_core.testing.people import enrol, sign_in, totp_code

pytestmark = pytest.mark.django_db


@fresh_second_factor_required
def pay_out(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


def ask(client: Client, *, method: str = "GET", path: str = "/pay/?a=1", **headers: str) -> Any:
    """What the view answers to the client's session."""
    request = RequestFactory().generic(method, path, **headers)  # type: ignore[arg-type]
    request.session = client.session
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    CurrentDeviceMiddleware(lambda _: HttpResponse())(request)
    return pay_out(request)


def test_whoever_has_just_shown_it_goes_through(client):
    sign_in(client, make_user())

    assert ask(client).content == b"paid"


def test_after_ten_minutes_it_is_asked_for_again(client, virtual_clock):
    sign_in(client, make_user())

    virtual_clock.advance(600)
    in_time = ask(client)
    virtual_clock.advance(1)
    late = ask(client)

    assert in_time.content == b"paid"
    assert (late.status_code, late.headers["Location"]) == (302, "/accounts/confirm/?next=%2Fpay%2F%3Fa%3D1")


def test_the_minutes_are_a_setting(client, settings, virtual_clock):
    settings.MAJUU_STEP_UP_MINUTES = 2
    sign_in(client, make_user())

    virtual_clock.advance(121)

    assert ask(client).status_code == 302


@pytest.mark.parametrize(
    ("verified", "device", "where"),
    [(True, True, "/accounts/confirm/"), (False, True, "/accounts/confirm/"), (False, False, None)],
)
def test_others_are_sent_to_where_they_can_show_one(client, verified, device, where):
    user = make_user()
    if device:
        enrol(user)
    sign_in(client, user, verified=verified, fresh=False)

    answer = ask(client)

    assert answer.headers["Location"].partition("?")[0] == (where or "/accounts/second-factor/set-up/")


def test_a_form_comes_back_to_the_page_it_stood_on(client):
    sign_in(client, make_user(), fresh=False)

    answer = ask(client, method="POST", path="/pay/approve/", HTTP_REFERER="http://testserver/pay/7/?tab=2")
    foreign = ask(client, method="POST", path="/pay/approve/", HTTP_REFERER="https://evil.example/pay/")

    assert answer.headers["Location"] == "/accounts/confirm/?next=%2Fpay%2F7%2F%3Ftab%3D2"
    assert foreign.headers["Location"] == "/accounts/confirm/?next=%2Fpay%2Fapprove%2F"


def test_a_right_code_makes_it_fresh_and_goes_on(client):
    user = make_user()
    device = enrol(user)
    sign_in(client, user, fresh=False)

    answer = client.post("/accounts/confirm/", {"code": totp_code(device), "next": "/pay/7/"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/pay/7/")
    assert ask(client).content == b"paid"


def test_a_wrong_code_makes_nothing_fresh(client):
    user = make_user()
    enrol(user)
    sign_in(client, user, fresh=False)

    answer = client.post("/accounts/confirm/", {"code": "000000", "next": "/pay/7/"})

    assert answer.status_code == 200
    assert client.session[SESSION_KEY] == 0
    assert ask(client).status_code == 302


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site(client, target):
    user = make_user()
    device = enrol(user)
    sign_in(client, user, fresh=False)

    answer = client.post("/accounts/confirm/", {"code": totp_code(device), "next": target})

    assert answer.headers["Location"] == "/dashboard/"


def test_a_session_without_its_device_is_not_fresh(client):
    user = make_user()
    sign_in(client, user)

    next(iter(devices_for_user(user))).delete()

    assert DEVICE_ID_SESSION_KEY in client.session
    assert ask(client).status_code == 302


def test_staff_must_have_one_and_others_when_a_rule_says_so(monkeypatch):
    monkeypatch.setattr(policy, "_rules", [])
    staff, owner, customer = make_user(is_staff=True), make_user(), make_user()

    policy.register_second_factor_rule(lambda user: user == owner)

    assert [policy.second_factor_required(user) for user in (staff, owner, customer)] == [True, True, False]
