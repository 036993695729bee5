"""What an operator does for somebody who cannot get in."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp import user_has_device

from majuu_core.accounts.second_factor import make_backup_codes
from majuu_core.audit.models import AuditEntry
from majuu_core.testing.factories import make_user
from majuu_core.testing.people import enrol, sign_in
from tests.core.accounts.test_sign_in_paths import is_signed_in, password
from tests.core.api.test_sign_in import call, login, refreshed

pytestmark = pytest.mark.django_db


def test_a_lost_second_factor_is_taken_away(somebody, capsys):
    enrol(somebody)
    make_backup_codes(somebody)

    call_command("majuu_user", "reset-second-factor", somebody.email)

    assert not user_has_device(somebody, confirmed=None)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, entry.actor_type, entry.changes) == (
        "user.second_factor_reset",
        f"user:{somebody.pk}",
        "system",
        {"devices": 2},
    )
    assert capsys.readouterr().out == "2 taken away.\n"


def test_nothing_is_written_where_nothing_was(somebody, capsys):
    call_command("majuu_user", "reset-second-factor", somebody.get_username())

    assert not AuditEntry.objects.exists()
    assert capsys.readouterr().out == "There was none.\n"


def test_the_first_superuser_gets_in_without_mail(capsys):
    user, client = make_user(is_staff=True, is_superuser=True), Client()
    password(client, user)
    assert not is_signed_in(client)

    call_command("majuu_user", "confirm-address", user.get_username())
    call_command("majuu_user", "confirm-address", user.get_username())
    password(client, user)

    assert is_signed_in(client)
    assert EmailAddress.objects.get().verified
    assert AuditEntry.objects.filter(action="user.email_verified").count() == 1


def test_all_sessions_of_a_person_are_ended(somebody, capsys):
    """given somebody signed in by two browsers and an app, and somebody else / when their sessions are ended / then all
    of theirs are strangers, no token is renewed, and the other one goes on"""
    browsers, other = [Client(), Client()], Client()
    for browser in browsers:
        password(browser, somebody)
    tokens = login(somebody).json()
    sign_in(other, make_user())
    assert call("GET", "/user/profile", token=tokens["access_token"]).status_code == 200
    capsys.readouterr()

    call_command("majuu_user", "end-sessions", somebody.email)
    call_command("majuu_user", "end-sessions", somebody.email)

    assert capsys.readouterr().out == "3 ended.\nThere was none.\n"
    assert [is_signed_in(browser) for browser in browsers] == [False, False]
    assert call("GET", "/user/profile", token=tokens["access_token"]).status_code == 401
    assert refreshed(tokens["refresh_token"]).status_code == 401
    assert is_signed_in(other)
    entry = AuditEntry.objects.get(action="user.sessions_ended")
    assert (entry.object_id, entry.actor_type, entry.changes) == (f"user:{somebody.pk}", "system", {"sessions": 3})


@pytest.mark.parametrize("what", ["confirm-address", "end-sessions", "reset-second-factor"])
def test_strangers_are_not_helped(db, what):
    with pytest.raises(CommandError, match="nobody called"):
        call_command("majuu_user", what, "nobody@duka.example")
    assert not AuditEntry.objects.exists()
