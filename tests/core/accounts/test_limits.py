"""Wrong passwords: how many, who is kept out by them, and that nobody learns which accounts there are."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client

from majuu_core.audit.models import AuditEntry
from majuu_core.testing.factories import PASSWORD
from majuu_core.testing.people import sign_in
from tests.core.accounts.test_sign_in_paths import is_signed_in

pytestmark = pytest.mark.django_db
TOO_MANY = "Too many failed login attempts"


def try_in(client: Client, login: str, password: str = "wrong", address: str = "10.0.0.1", *, secure: bool = False):
    given = {"login": login, "password": password}
    return client.post("/accounts/login/", given, REMOTE_ADDR=address, secure=secure)


def test_ten_wrong_passwords_close_the_account_for_this_address_alone(somebody, virtual_clock):
    for _ in range(10):
        assert TOO_MANY not in try_in(Client(), somebody.email).content.decode()

    right, elsewhere, later = Client(), Client(), Client()
    assert TOO_MANY in try_in(right, somebody.email, PASSWORD).content.decode()
    assert not is_signed_in(right)
    assert try_in(elsewhere, somebody.email, PASSWORD, "10.0.0.2").status_code == 302
    assert is_signed_in(elsewhere)
    virtual_clock.advance(601)
    assert try_in(later, somebody.email, PASSWORD).status_code == 302


def test_upper_case_and_blanks_make_no_other_account(somebody, virtual_clock):
    for number in range(10):
        try_in(Client(), f" {somebody.email.upper()}" if number % 2 else somebody.email)

    assert TOO_MANY in try_in(Client(), somebody.email, PASSWORD).content.decode()


def test_right_passwords_are_not_counted(somebody, virtual_clock):
    for _ in range(15):
        assert try_in(Client(), somebody.email, PASSWORD).status_code == 302


def test_guessing_from_everywhere_closes_the_account_to_strangers_only(somebody, virtual_clock):
    known, stranger = Client(), Client()
    try_in(known, somebody.email, PASSWORD, "10.9.9.9")
    known.post("/accounts/logout/")
    for number in range(100):
        try_in(Client(), somebody.email, address=f"10.1.{number}.1")

    assert TOO_MANY in try_in(stranger, somebody.email, PASSWORD, "10.2.0.1").content.decode()
    assert try_in(known, somebody.email, PASSWORD, "10.2.0.2").status_code == 302
    assert is_signed_in(known)
    stranger.post("/accounts/login/code/", {"email": somebody.email})
    assert mail.outbox[-1].subject == "Your sign-in code"


def test_one_address_that_tries_many_accounts_is_stopped(somebody, virtual_clock):
    for number in range(60):
        try_in(Client(), f"nobody-{number}@duka.example")

    assert TOO_MANY in try_in(Client(), somebody.email, PASSWORD).content.decode()
    assert try_in(Client(), somebody.email, PASSWORD, "10.0.0.2").status_code == 302


def test_a_forged_cookie_makes_no_known_browser(somebody, virtual_clock):
    for number in range(100):
        try_in(Client(), somebody.email, address=f"10.1.{number}.1")
    client = Client()
    client.cookies["majuu_known"] = "WyJhYmMiXQ:1abcde:forged"

    assert TOO_MANY in try_in(client, somebody.email, PASSWORD, "10.2.0.1").content.decode()


def test_over_https_no_other_host_can_set_the_cookie_of_a_known_browser(somebody, virtual_clock):
    """given a closed account / when a known browser's cookie comes by its name, by a neighbour's / then in, out"""
    known, planted = Client(), Client()
    try_in(known, somebody.email, PASSWORD, "10.9.9.9", secure=True)
    known.post("/accounts/logout/", secure=True)
    cookie = known.cookies["__Host-majuu_known"]
    assert (cookie["path"], cookie["domain"], cookie["secure"], "majuu_known" in known.cookies) == (
        "/",
        "",
        True,
        False,
    )
    for number in range(100):
        try_in(Client(), somebody.email, address=f"10.1.{number}.1", secure=True)

    planted.cookies["majuu_known"] = cookie.value
    assert TOO_MANY in try_in(planted, somebody.email, PASSWORD, "10.2.0.1", secure=True).content.decode()
    assert try_in(known, somebody.email, PASSWORD, "10.2.0.2", secure=True).status_code == 302


def test_an_unknown_account_looks_and_costs_the_same(somebody, monkeypatch):
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(salt)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    known, unknown = (try_in(Client(), login) for login in (somebody.email, "nobody@duka.example"))
    costs = []
    for login in (somebody.email, "nobody@duka.example"):
        hashed.clear()
        try_in(Client(), login)
        costs.append(len(hashed))

    def shown(answer, login: str) -> str:
        return answer.content.decode().replace(login, "").split("<h1>")[1].split("csrfmiddlewaretoken")[0]

    assert (known.status_code, unknown.status_code) == (200, 200)
    assert shown(known, somebody.email) == shown(unknown, "nobody@duka.example")
    errors = [answer.context["form"].errors for answer in (known, unknown)]
    assert errors[0] == errors[1]
    assert costs == [1, 1]


@pytest.mark.parametrize(
    ("address", "field", "extra"),
    [
        ("/accounts/password/reset/", "email", {}),
        ("/accounts/login/code/", "email", {}),
        ("/accounts/signup/", "email", {"password1": "four unrelated words here"}),
    ],
)
def test_no_form_says_which_addresses_are_known(somebody, address, field, extra):
    answers = [Client().post(address, {field: email, **extra}) for email in (somebody.email, "nobody@duka.example")]

    assert {answer.status_code for answer in answers} == {302}
    assert answers[0]["Location"] == answers[1]["Location"]
    assert len(mail.outbox) == 2
    assert [message.to for message in mail.outbox] == [[somebody.email], ["nobody@duka.example"]]


@pytest.mark.parametrize("way", ["form", "api"])
def test_registering_a_known_address_costs_the_same(somebody, monkeypatch, way):
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(salt)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    words = "four unrelated words here"
    costs = []
    for address in ("nobody@duka.example", somebody.email):
        hashed.clear()
        if way == "form":
            Client().post("/accounts/signup/", {"email": address, "password1": words})
        else:
            body = {"email": address, "password": words}
            Client().post("/api/v1/auth/register", body, content_type="application/json")
        costs.append(len(hashed))
    assert costs == [1, 1]
    assert [message.to for message in mail.outbox] == [["nobody@duka.example"], [somebody.email]]
    somebody.refresh_from_db()
    assert somebody.check_password(PASSWORD)


def test_wrong_codes_by_address_end_too(somebody, virtual_clock):
    client = Client()
    sign_in(client, somebody, fresh=False)
    for _ in range(10):
        client.post("/accounts/confirm/", {"code": "000000"})

    page = client.post("/accounts/confirm/", {"code": "000000"}).content.decode()

    assert "Too many wrong codes" in page
    assert AuditEntry.objects.filter(action="user.second_factor_failed").count() == 11
