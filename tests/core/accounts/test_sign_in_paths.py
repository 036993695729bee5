"""No path signs in somebody with a second factor before they have shown it. Which paths there are: sign_in_paths.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import SESSION_KEY, get_user_model
from django.core import mail
from django.test import Client
from django.urls import get_resolver
from django_otp import DEVICE_ID_SESSION_KEY

import majuu_core
from majuu_core.accounts.adapter import AccountAdapter
from majuu_core.testing.factories import PASSWORD, make_user
from majuu_core.testing.people import enrol, sign_in, totp_code
from tests.architecture.workspace import imported_names, parsed
from tests.core.accounts.sign_in_paths import PATHS, NobodyIn, WayIn, routes_of, said_of

pytestmark = pytest.mark.django_db
Start = Callable[[Client, Any], Any]


def person(*, is_staff: bool = True, confirmed: bool = True) -> Any:
    """Somebody with a second factor."""
    user = make_user(is_staff=is_staff)
    EmailAddress.objects.create(user=user, email=user.email, verified=confirmed, primary=True)
    enrol(user)
    return user


def is_signed_in(client: Client) -> bool:
    return SESSION_KEY in client.session


def link_in_mail() -> str:
    found = re.search(r"http://testserver(\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def password(client: Client, user: Any) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def user_name(client: Client, user: Any) -> Any:
    return client.post("/accounts/login/", {"login": user.get_username(), "password": PASSWORD})


def code_by_email(client: Client, user: Any) -> Any:
    client.post("/accounts/login/code/", {"email": user.email})
    code = re.search(r"\n([A-Z0-9-]{6,})\n", str(mail.outbox[-1].body))
    assert code is not None
    return client.post("/accounts/login/code/confirm/", {"code": code[1]})


def password_reset(client: Client, user: Any) -> Any:
    client.post("/accounts/password/reset/", {"email": user.email})
    form = client.get(link_in_mail())["Location"]
    new = "four unrelated words here"
    return client.post(form, {"password1": new, "password2": new})


def email_confirmation(client: Client, user: Any) -> Any:
    EmailAddress.objects.filter(user=user).update(verified=False)
    password(client, user)
    return client.post(link_in_mail())


def other_site(client: Client, user: Any) -> Any:
    SocialAccount.objects.create(user=user, provider="dummy", uid=str(1000 + user.pk))
    return come_from_other_site(client, user, 1000 + user.pk)


def other_site_with_the_address(client: Client, user: Any) -> Any:
    return come_from_other_site(client, user, 5000 + user.pk)


def come_from_other_site(client: Client, user: Any, identifier: int) -> Any:
    way = client.post("/accounts/dummy/login/")["Location"]
    return client.post(way, {"id": identifier, "email": user.email, "email_verified": "on"})


def console(client: Client, user: Any) -> Any:
    return client.post(client.get("/console/login/")["Location"], {"login": user.email, "password": PASSWORD})


# Projects may let people in right after a reset or a confirmation: the stage holds there too.
SETTINGS: dict[str, dict[str, Any]] = {
    "password_reset": {"ACCOUNT_LOGIN_ON_PASSWORD_RESET": True},
    "email_confirmation": {"ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION": True},
    "other_site_with_the_address": {
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION": True,
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT": True,
    },
}
STARTS: dict[str, Start] = {
    start.__name__: start
    for start in (
        password,
        user_name,
        code_by_email,
        password_reset,
        email_confirmation,
        other_site,
        other_site_with_the_address,
        console,
    )
}


@pytest.mark.parametrize("name", STARTS)
def test_nobody_is_in_before_the_code(name, settings) -> None:
    for key, value in SETTINGS.get(name, {}).items():
        setattr(settings, key, value)
    user, client = person(), Client()
    device = user.totpdevice_set.get()

    answer = STARTS[name](client, user)

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/otp/")
    assert not is_signed_in(client)
    assert client.get("/console/").status_code == 302

    wrong = client.post("/accounts/otp/", {"code": "000000"})
    assert wrong.status_code == 200
    assert not is_signed_in(client)

    right = client.post("/accounts/otp/", {"code": totp_code(device)})
    assert (right.status_code, right["Location"]) == (302, "/console/")
    assert client.session[SESSION_KEY] == str(user.pk)
    assert client.session[DEVICE_ID_SESSION_KEY] == device.persistent_id
    assert client.get("/console/").status_code == 200


@pytest.mark.parametrize("name", STARTS)
def test_a_code_does_not_work_twice(name, settings) -> None:
    for key, value in SETTINGS.get(name, {}).items():
        setattr(settings, key, value)
    user, first, second = person(), Client(), Client()
    code = totp_code(user.totpdevice_set.get())
    password(first, user)
    assert first.post("/accounts/otp/", {"code": code}).status_code == 302
    STARTS[name](second, user)

    again = second.post("/accounts/otp/", {"code": code})

    assert again.status_code == 200
    assert not is_signed_in(second)


@pytest.mark.parametrize("name", ["password_reset", "email_confirmation"])
def test_by_default_these_sign_nobody_in(name) -> None:
    user, client = person(), Client()

    STARTS[name](client, user)

    assert not is_signed_in(client)
    assert client.get("/accounts/otp/")["Location"] == "/accounts/login/"


def test_a_session_older_than_the_second_factor_has_to_show_it() -> None:
    user, client = make_user(is_staff=True), Client()
    sign_in(client, user, verified=False)
    device = enrol(user)

    for page in ("/console/", "/accounts/", "/accounts/email/", "/accounts/password/change/"):
        assert client.get(page)["Location"].startswith("/accounts/confirm/?next=")
    assert client.post("/accounts/confirm/", {"code": "000000"}).status_code == 200
    assert DEVICE_ID_SESSION_KEY not in client.session
    assert client.get("/console/").status_code == 302

    client.post("/accounts/confirm/", {"code": totp_code(device)})

    assert client.session[DEVICE_ID_SESSION_KEY] == device.persistent_id
    assert client.get("/console/").status_code == 200


def test_an_address_of_somebody_else_is_not_connected_by_itself() -> None:
    user, client = person(), Client()

    answer = other_site_with_the_address(client, user)

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/confirm-email/")
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    assert get_user_model().objects.count() == 1


def test_a_new_account_is_closed_until_its_address_is_confirmed() -> None:
    client = Client()

    client.post("/accounts/signup/", {"email": "new@duka.example", "password1": "four unrelated words here"})

    assert get_user_model().objects.get().email == "new@duka.example"
    assert not is_signed_in(client)
    client.post("/accounts/login/", {"login": "new@duka.example", "password": "four unrelated words here"})
    assert not is_signed_in(client)


def test_an_adapter_that_forgets_the_stage_lets_nobody_in(monkeypatch) -> None:
    monkeypatch.setattr(AccountAdapter, "get_login_stages", DefaultAccountAdapter.get_login_stages)
    client = Client()

    answer = password(client, person())

    assert answer.status_code == 403
    assert not is_signed_in(client)


@pytest.mark.parametrize("project", ["tests.urls", "sandbox_project.urls"])
def test_every_address_is_listed(project) -> None:
    routes = list(routes_of(get_resolver(project).url_patterns))

    assert [route for route in routes if said_of(route) is None] == []
    assert len(routes) > 100


def test_no_address_is_listed_in_vain() -> None:
    routes = {
        route for name in ("tests.urls", "sandbox_project.urls") for route in routes_of(get_resolver(name).url_patterns)
    }

    assert [path for path in PATHS if path not in routes] == []


def test_every_way_in_has_its_test() -> None:
    ways = [start for said in PATHS.values() if isinstance(said, WayIn) for start in said.starts]
    elsewhere = [way for way in ways if "::" in way]

    assert set(ways) - set(elsewhere) == {*STARTS, "older_session"}
    for way in elsewhere:
        module, _, test = way.partition("::")
        assert f"def {test}(" in (Path(__file__).parents[3] / module).read_text(encoding="utf-8")
    assert all(said.reason for said in PATHS.values() if isinstance(said, NobodyIn))


def test_an_address_that_is_not_listed_is_found() -> None:
    assert said_of("accounts/2fa/authenticate/") is None
    assert said_of("api/v1/auth/magic") is None
    assert said_of("_allauth/app/v1/auth/login") is None
    assert isinstance(said_of("console/majuu_payments/charge/"), NobodyIn)


def test_nothing_of_core_signs_in_beside_the_adapter() -> None:
    names = {"django.contrib.auth.login", "django.contrib.auth.alogin", "django.contrib.auth.views.LoginView"}
    source = Path(majuu_core.__file__).parent
    found = [
        path.relative_to(source).as_posix()
        for path in sorted(source.rglob("*.py"))
        for _, name in imported_names(parsed(path))
        if name in names
    ]

    assert found == []
