"""Two requests at once with one code: one of them is let in. Two removals at once: one device stays."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from majuu_core.accounts.second_factor import make_backup_codes, own_devices, remove_device
from majuu_core.testing.factories import PASSWORD, make_user
from majuu_core.testing.people import enrol, totp_code
from tests.core.races.threads import answers, at_once

pytestmark = pytest.mark.postgresql


@pytest.fixture
def somebody(transactional_db) -> Any:
    user = make_user(is_staff=True)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    enrol(user)
    return user


def send(user: Any, clients: list[Client], code: str) -> int:
    """Send the code from all clients at once; how many are let in."""
    for client in clients:
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    works = [partial(client.post, "/accounts/otp/", {"code": code}) for client in clients]
    answers(at_once(works))
    return sum(SESSION_KEY in client.session for client in clients)


def test_one_code_of_an_app_lets_one_of_eight_in(somebody) -> None:
    assert send(somebody, [Client() for _ in range(8)], totp_code(TOTPDevice.objects.get())) == 1


def test_one_backup_code_lets_one_of_eight_in(somebody) -> None:
    code = make_backup_codes(somebody)[0]

    assert send(somebody, [Client() for _ in range(8)], code) == 1


def test_of_two_devices_removed_at_once_one_stays(somebody) -> None:
    enrol(somebody)
    works = [partial(remove_device, somebody, device.id, keep_one=True) for device in own_devices(somebody)]

    removed = answers(at_once(works))

    assert sorted(removed) == [False, True]
    assert len(own_devices(somebody)) == 1
