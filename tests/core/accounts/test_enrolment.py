"""Setting up, using up and removing second factors."""

from __future__ import annotations

import re
from base64 import b32decode
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY, user_has_device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from majuu_core.accounts.second_factor import make_backup_codes, remove_device, verify_code
from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.testing.factories import PASSWORD, make_merchant, make_user
from majuu_core.testing.people import enrol, sign_in, totp_code

pytestmark = pytest.mark.django_db
SET_UP = "/accounts/second-factor/set-up/"
APP = f"{SET_UP}app/"
CODES = "/accounts/second-factor/backup-codes/"
REMOVE = "/accounts/second-factor/remove/"


def actions(user: Any) -> list[str]:
    return list(AuditEntry.objects.filter(object_id=f"user:{user.pk}").order_by("pk").values_list("action", flat=True))


def log_in(client: Client, user: Any) -> None:
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302


def code_on_the_page(page: str) -> str:
    """What an app shows that was given the key of the page."""
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found is not None
    totp = TOTP(b32decode(found[1].replace(" ", "")))
    totp.time = clock.SystemClock().now().timestamp()
    return f"{totp.token():06d}"


def test_an_app_is_set_up_with_its_first_code(client, somebody):
    log_in(client, somebody)

    page = client.get(APP).content.decode()
    picture = client.get(f"{APP}picture/")
    answer = client.post(APP, {"name": "Phone", "code": code_on_the_page(page)})

    assert (answer.status_code, answer["Location"]) == (302, CODES)
    device = TOTPDevice.objects.get(user=somebody)
    assert (device.name, device.confirmed) == ("Phone", True)
    assert client.session[DEVICE_ID_SESSION_KEY] == device.persistent_id
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert actions(somebody) == ["user.signed_in", "user.second_factor_added"]
    assert mail.outbox[-1].subject == "Your second factor was changed"
    assert mail.outbox[-1].to == [somebody.email]


def test_the_code_of_the_set_up_is_used_up(client, somebody):
    log_in(client, somebody)
    code = code_on_the_page(client.get(APP).content.decode())
    client.post(APP, {"code": code})

    assert verify_code(somebody, code) is None


def test_a_wrong_first_code_sets_up_nothing(client, somebody):
    log_in(client, somebody)
    client.get(APP)

    for code in ("000000", "abc", ""):
        assert client.post(APP, {"code": code}).status_code == 200

    assert not user_has_device(somebody, confirmed=None)
    assert actions(somebody) == ["user.signed_in"]


def test_setting_up_needs_the_password_of_just_now(client, somebody, virtual_clock):
    log_in(client, somebody)
    virtual_clock.advance(601)

    answer = client.get(APP)

    assert answer["Location"] == "/accounts/reauthenticate/?next=%2Faccounts%2Fsecond-factor%2Fset-up%2Fapp%2F"
    again = client.post(answer["Location"], {"password": PASSWORD})
    assert again["Location"] == APP
    assert client.get(APP).status_code == 200


@pytest.mark.parametrize("address", [SET_UP, APP, f"{SET_UP}key/", CODES])
def test_changing_one_needs_the_other_of_just_now(client, somebody, address):
    enrol(somebody)
    sign_in(client, somebody, fresh=False)

    assert client.get(address)["Location"].startswith("/accounts/confirm/?next=")


def test_backup_codes_are_shown_once_and_each_works_once(client, somebody):
    sign_in(client, somebody)
    page = client.post(CODES).content.decode()
    codes = re.findall(r"<code>([0-9a-z-]+)</code>", page)

    assert len(set(codes)) == 10
    assert all(code not in client.get(CODES).content.decode() for code in codes)
    assert verify_code(somebody, codes[0].upper()) is not None
    assert verify_code(somebody, codes[0]) is None
    assert StaticToken.objects.count() == 9
    assert actions(somebody) == ["user.backup_codes_made"]


def test_backup_codes_are_kept_as_hashes_and_survive_a_new_master_key(somebody, settings):
    enrol(somebody)
    codes = make_backup_codes(somebody)
    kept = set(StaticToken.objects.values_list("token", flat=True))
    settings.MAJUU_ENCRYPTION_KEYS = ["a-newer-master-key-0123456789abcdef0123", *settings.MAJUU_ENCRYPTION_KEYS]

    assert not kept & {code.replace("-", "") for code in codes}
    assert verify_code(somebody, codes[3]) is not None


def test_new_backup_codes_end_the_old_ones(somebody):
    enrol(somebody)
    old = make_backup_codes(somebody)
    make_backup_codes(somebody)

    assert verify_code(somebody, old[0]) is None


def test_what_looks_alike_counts_as_the_same(somebody):
    enrol(somebody)
    codes = make_backup_codes(somebody)

    misread = codes[0].replace("0", "O").replace("1", "I")

    assert verify_code(somebody, misread) is not None


def test_a_wrong_backup_code_does_not_make_the_app_wait(somebody):
    device = enrol(somebody)
    make_backup_codes(somebody)

    assert verify_code(somebody, "aaaa-bbbb-cccc") is None
    device.refresh_from_db()
    assert device.throttling_failure_count == 0
    assert verify_code(somebody, totp_code(device)) is not None


def test_after_a_wrong_code_a_right_one_has_to_wait(somebody):
    device = enrol(somebody)
    right = totp_code(device)

    assert verify_code(somebody, "000000") is None
    assert verify_code(somebody, right) is None


def test_waiting_never_takes_days(somebody):
    device = enrol(somebody)
    TOTPDevice.objects.filter(pk=device.pk).update(throttling_failure_count=40)

    verify_code(somebody, "000000")

    device.refresh_from_db()
    assert device.throttling_failure_count == 10


@pytest.mark.parametrize("who", ["staff", "owner", "finance"])
def test_the_last_one_of_somebody_who_must_have_one_stays(client, who):
    user = make_user(is_staff=who == "staff")
    if who != "staff":
        make_merchant().memberships.create(user=user, role=who)
    device = enrol(user)
    sign_in(client, user)

    answer = client.post(REMOVE, {"device": device.persistent_id})

    assert answer["Location"] == "/accounts/second-factor/"
    assert TOTPDevice.objects.filter(pk=device.pk).exists()
    assert actions(user) == []


@pytest.mark.parametrize("role", ["developer", "viewer"])
def test_others_may_do_without(client, role):
    user = make_user()
    make_merchant().memberships.create(user=user, role=role)
    device = enrol(user)
    make_backup_codes(user)
    sign_in(client, user)

    client.post(REMOVE, {"device": device.persistent_id})

    assert not user_has_device(user, confirmed=None)
    assert actions(user) == ["user.second_factor_removed"]


def test_one_of_two_may_go(client):
    user = make_user(is_staff=True)
    first, second = enrol(user), enrol(user)
    sign_in(client, user)

    client.post(REMOVE, {"device": second.persistent_id})

    assert list(TOTPDevice.objects.filter(user=user)) == [first]


def test_nobody_removes_somebody_elses(client):
    device = enrol(make_user())
    sign_in(client, make_user())

    client.post(REMOVE, {"device": device.persistent_id})

    assert TOTPDevice.objects.filter(pk=device.pk).exists()
    assert remove_device(make_user(), "nonsense", keep_one=False) is False


def test_whoever_must_have_one_is_led_to_set_it_up_and_then_on(client, somebody):
    somebody.is_staff = somebody.is_superuser = True
    somebody.save()
    client.post("/accounts/login/?next=/console/plugins/", {"login": somebody.email, "password": PASSWORD})

    page = client.get("/console/plugins/", follow=True)
    assert page.request["PATH_INFO"] == SET_UP
    client.post(APP, {"code": code_on_the_page(client.get(APP).content.decode())})
    codes = client.post(CODES).content.decode()

    assert 'href="/console/plugins/"' in codes
    assert client.get("/console/plugins/").status_code == 200


def test_where_it_is_optional_nobody_is_led_there(client, settings, somebody):
    settings.DEBUG, settings.MAJUU_SECOND_FACTOR = True, "optional"
    somebody.is_staff = somebody.is_superuser = True
    somebody.save()
    log_in(client, somebody)

    assert client.get("/console/plugins/").status_code == 200
    assert client.get("/console/refunds-by-hand/").status_code == 200

    enrol(somebody)
    assert client.get("/console/plugins/")["Location"].startswith("/accounts/confirm/")


def test_optional_is_an_error_on_a_real_site(settings):
    from majuu_core.accounts.configuration import check_account_settings

    settings.MAJUU_SECOND_FACTOR = "optional"

    assert [problem.id for problem in check_account_settings()] == ["majuu.E010"]
