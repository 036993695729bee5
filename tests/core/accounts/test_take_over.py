"""Accounts that somebody else got into, or made first: their password stops working everywhere."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.urls import reverse

from majuu_core.accounts.models import UserSession
from majuu_core.audit.models import AuditEntry
from majuu_core.testing.factories import PASSWORD
from majuu_core.testing.people import enrol, totp_code

ADDRESS, THEIR_PASSWORD = "asha@example.com", "chungwa-tembo-42"


def sign_in_by_code(address: str) -> Client:
    browser = Client()
    mail.outbox.clear()
    browser.post(reverse("account_request_login_code"), {"email": address})
    code = re.search(r"^([A-Z0-9]{4}-[A-Z0-9]{4})$", str(mail.outbox[0].body), re.MULTILINE)
    assert code is not None
    browser.post(reverse("account_confirm_login_code"), {"code": code[1]})
    return browser


def is_let_in(address: str, password: str) -> bool:
    browser = Client()
    browser.post(reverse("account_login"), {"login": address, "password": password})
    return "_auth_user_id" in browser.session


@pytest.mark.django_db
def test_a_code_does_not_confirm_an_address_for_whoever_chose_the_password() -> None:
    Client().post(reverse("account_signup"), {"email": ADDRESS, "password1": THEIR_PASSWORD})
    user = get_user_model()._default_manager.get()
    SocialAccount.objects.create(user=user, provider="elsewhere", uid="1")
    browser = sign_in_by_code(ADDRESS)
    assert browser.get(reverse("majuu_account")).status_code == 200
    assert EmailAddress.objects.get().verified is True
    assert is_let_in(ADDRESS, THEIR_PASSWORD) is False
    assert SocialAccount.objects.count() == 0
    assert AuditEntry.objects.filter(action="user.password_removed", object_id=f"user:{user.pk}").count() == 1


def test_a_code_for_a_confirmed_address_leaves_the_password(somebody) -> None:
    browser = sign_in_by_code(somebody.email)
    assert browser.get(reverse("majuu_account")).status_code == 200
    assert is_let_in(somebody.email, PASSWORD) is True
    assert AuditEntry.objects.filter(action="user.password_removed").count() == 0


@pytest.mark.parametrize("what", ["new password", "switched off"])
def test_a_sign_in_that_was_begun_does_not_outlive_its_password(somebody, what) -> None:
    device = enrol(somebody)
    browser, body = Client(), {"email": somebody.email, "password": PASSWORD}
    browser.post(reverse("account_login"), {"login": somebody.email, "password": PASSWORD})
    begun = Client().post("/api/v1/auth/login", body, content_type="application/json").json()
    if what == "new password":
        somebody.set_password(THEIR_PASSWORD)
    else:
        somebody.is_active = False
    somebody.save()
    step = {"session_token": begun["session_token"], "code": totp_code(device)}
    answer = Client().post("/api/v1/auth/second-factor", step, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "session_token_invalid")
    assert browser.post(reverse("otp_challenge"), {"code": step["code"]})["Location"] == reverse("account_login")
    assert "_auth_user_id" not in browser.session
    assert UserSession.objects.count() == 0
    last = device.last_t
    device.refresh_from_db()
    assert device.last_t == last
