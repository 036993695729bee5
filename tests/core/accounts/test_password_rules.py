"""Passwords as people type them, fields that do not stand in their way, and the cookie of the session that follows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client

from majuu_core.testing.factories import PASSWORD

pytestmark = pytest.mark.django_db
PAGE = "/accounts/password/change/"


def log_in(user: Any, password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": user.email, "password": password})
    return client


def change(client: Client, new: str, *, old: str = PASSWORD) -> int:
    return client.post(PAGE, {"oldpassword": old, "password1": new, "password2": new}).status_code


def opens(user: Any, password: str) -> bool:
    return log_in(user, password).get("/accounts/").status_code == 200


def test_without_the_old_password_there_is_no_new_one(somebody):
    before = somebody.password

    assert change(log_in(somebody), "four unrelated words here", old="not the old one") == 200

    somebody.refresh_from_db()
    assert somebody.password == before


@pytest.mark.parametrize(
    "password",
    [
        "only small letters",
        "842913057716",
        " blanks at both ends ",
        "maneno ya Kiswahili é ß 密码 🔑",
        "x7" * 64,
        "<b>&amp;' OR 1=1 --</b>",
    ],
)
def test_a_password_counts_exactly_as_it_was_typed(somebody, password):
    assert change(log_in(somebody), password) == 302

    assert opens(somebody, password)
    assert not opens(somebody, password[:-1])
    assert not opens(somebody, password.swapcase() if password.swapcase() != password else password + " ")


@pytest.mark.parametrize("page", ["/accounts/login/", "/accounts/signup/", PAGE])
def test_fields_hide_what_is_typed_and_let_password_managers_work(somebody, page):
    client = log_in(somebody) if page == PAGE else Client()

    fields = re.findall(r"<input[^>]*name=\"(?:old)?password\d?\"[^>]*>", client.get(page).content.decode())

    assert fields
    assert [field for field in fields if 'type="password"' not in field] == []
    assert [field for field in fields if re.search(r'onpaste|readonly|maxlength|autocomplete="off"', field)] == []


def test_the_cookie_of_a_session_is_for_this_site_and_for_no_script(somebody, settings):
    client = log_in(somebody)

    cookie = client.cookies[settings.SESSION_COOKIE_NAME]

    assert cookie["samesite"] == "Lax"
    assert cookie["httponly"] is True
    assert client.cookies["csrftoken"]["samesite"] == "Lax"


def test_a_session_gets_a_new_random_name_at_sign_in(somebody, settings):
    client = Client()
    session = client.session
    session["left by somebody"] = "else"
    session.save()
    planted = str(session.session_key)
    client.cookies[settings.SESSION_COOKIE_NAME] = planted

    client.post("/accounts/login/", {"login": somebody.email, "password": PASSWORD})
    names = {client.cookies[settings.SESSION_COOKIE_NAME].value, log_in(somebody).session.session_key}

    assert planted not in names
    assert len(names) == 2
    assert all(re.fullmatch(r"[0-9a-z]{32}", str(name)) for name in names)  # 32 characters of 36: 165 bits


def test_passwords_are_stretched_where_nobody_chose_otherwise():
    assert PBKDF2PasswordHasher.algorithm == "pbkdf2_sha256"
    assert PBKDF2PasswordHasher.iterations >= 600_000
