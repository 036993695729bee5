"""How long a session lives, and what is written down of it."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

from majuu_core.audit.models import AuditEntry
from majuu_core.testing.audit import address_in
from majuu_core.testing.factories import PASSWORD
from majuu_core.testing.people import enrol, sign_in, totp_code
from tests.core.accounts.test_sign_in_paths import is_signed_in

pytestmark = pytest.mark.django_db
NEW = "four unrelated words here"


def log_in(user) -> Client:
    client = Client()
    assert client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    return client


def entries(user) -> list[tuple[str, str, dict[str, object]]]:
    rows = AuditEntry.objects.filter(object_id=f"user:{user.pk}").order_by("pk")
    return [(row.action, address_in(row), row.changes) for row in rows]


def test_half_an_hour_of_silence_ends_it(somebody, virtual_clock):
    client = log_in(somebody)

    virtual_clock.advance(1800)
    still = client.get("/accounts/")
    virtual_clock.advance(1801)
    late = client.get("/accounts/")

    assert still.status_code == 200
    assert late["Location"] == "/accounts/login/?next=%2Faccounts%2F"
    assert not is_signed_in(client)


def test_a_day_of_work_ends_it_too(somebody, virtual_clock):
    client = log_in(somebody)

    for _ in range(36):  # every 20 minutes, for twelve hours
        assert client.get("/accounts/").status_code == 200
        virtual_clock.advance(1200)
    last = client.get("/accounts/").status_code
    virtual_clock.advance(60)

    assert last == 200
    assert client.get("/accounts/").status_code == 302


def test_the_times_are_settings(somebody, virtual_clock, settings):
    settings.MAJUU_SESSION_IDLE_MINUTES = 5
    client = log_in(somebody)

    virtual_clock.advance(301)

    assert client.get("/accounts/").status_code == 302


def test_a_new_password_ends_all_other_sessions(somebody):
    here, there = log_in(somebody), log_in(somebody)

    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post("/accounts/password/change/", form).status_code == 302

    assert here.get("/accounts/").status_code == 200
    assert there.get("/accounts/").status_code == 302
    assert mail.outbox[-1].subject == "Your password was changed"
    assert "10.0.0" not in mail.outbox[-1].body


def test_what_people_do_is_written_down(somebody):
    client = Client(REMOTE_ADDR="10.0.0.7")
    client.post("/accounts/login/", {"login": somebody.email, "password": "wrong"})
    client.post("/accounts/login/", {"login": somebody.email, "password": PASSWORD})
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    client.post("/accounts/logout/")

    assert entries(somebody) == [
        ("user.sign_in_failed", "10.0.0.7", {}),
        ("user.signed_in", "10.0.0.7", {"second_factor": False}),
        ("user.password_changed", "10.0.0.7", {}),
        ("user.signed_out", "10.0.0.7", {}),
    ]


def test_second_factors_are_written_down(somebody):
    device = enrol(somebody)
    client = log_in(somebody)
    client.post("/accounts/otp/", {"code": "000000"})
    client.post("/accounts/otp/", {"code": totp_code(device)})
    client.post("/accounts/confirm/", {"code": totp_code(device)})

    assert [(action, changes) for action, _, changes in entries(somebody)] == [
        ("user.second_factor_failed", {}),
        ("user.signed_in", {"second_factor": True}),
        ("user.second_factor_shown", {}),
    ]


def test_a_stranger_is_written_down_without_a_name():
    Client().post("/accounts/login/", {"login": "nobody@duka.example", "password": "wrong"})

    entry = AuditEntry.objects.get(action="user.sign_in_failed")
    assert (entry.object_id, entry.actor_id, entry.changes) == ("unknown", "", {})


def test_changing_addresses_needs_a_fresh_second_factor(somebody):
    client = Client()
    sign_in(client, somebody, fresh=False)

    answer = client.post("/accounts/email/", {"action_add": "", "email": "other@duka.example"})

    assert answer["Location"].startswith("/accounts/confirm/?next=")
    assert somebody.emailaddress_set.count() == 1
    assert client.get("/accounts/email/").status_code == 200
