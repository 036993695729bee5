"""A phone number is verified by the code that was sent to it, and by nothing else."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone

from majuu_core.accounts.configuration import TO_THE_LOG, sms_sender
from majuu_core.accounts.models import PhoneCode, Profile
from majuu_core.accounts.sms import code_text
from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.privacy.services import erase_person
from tests.core.api.test_sign_in import call, login, somebody

pytestmark = pytest.mark.django_db
PHONE, OTHER = "+254712345678", "+254722000000"
SENT: list[tuple[str, str]] = []


def take_message(phone: str, text: str) -> None:
    SENT.append((phone, text))


def fail_to_send(phone: str, text: str) -> None:
    raise OSError(f"no route for {text}")


@pytest.fixture(autouse=True)
def _sender(settings: Any) -> None:
    settings.MAJUU_SMS_SENDER = f"{__name__}.take_message"
    SENT.clear()
    cache.clear()


class Someone:
    """A person in an app, with a number nobody has verified."""

    def __init__(self, phone: str = PHONE, **fields: Any) -> None:
        self.user = somebody()
        self.profile = Profile.objects.create(user=self.user, phone=phone, **fields)
        self.token = login(self.user).json()["access_token"]

    def ask(self) -> Any:
        return call("POST", "/user/phone/code", token=self.token)

    def show(self, code: str) -> Any:
        return call("POST", "/user/phone/verify", {"code": code}, self.token)

    def is_verified(self) -> bool:
        self.profile.refresh_from_db()
        return self.profile.phone_verified_at is not None


def code_sent() -> str:
    found = re.match(r"\d{6}\b", SENT[-1][1])
    assert found
    return found.group()


def wrong() -> str:
    return f"{(int(code_sent()) + 1) % 10**6:06d}"


def actions() -> list[str]:
    found = AuditEntry.objects.filter(action__startswith="user.phone").order_by("pk")
    return [str(action) for action in found.values_list("action", flat=True)]


def test_a_code_that_comes_back_verifies_the_number(virtual_clock: VirtualClock) -> None:
    """given a number / when its code is asked for and shown / then verified, once, and written down without either"""
    asha = Someone()
    answer = asha.ask()
    assert (answer.status_code, answer.json()["phone"]) == (202, PHONE)
    assert [phone for phone, _ in SENT] == [PHONE]
    code = code_sent()
    assert code not in answer.content.decode()
    assert code not in PhoneCode.objects.get().code_hash
    shown = asha.show(code)
    assert (shown.status_code, shown.json()["phone"], shown.json()["phone_verified"]) == (200, PHONE, True)
    assert asha.is_verified()
    assert actions() == ["user.phone_code_sent", "user.phone_verified"]
    assert not PhoneCode.objects.exists()
    again = asha.show(code)
    assert (again.status_code, again.json()["code"]) == (409, "phone_code_expired")
    kept = str(list(AuditEntry.objects.values()))
    assert (PHONE[1:] in kept, code in kept) == (False, False)


def test_a_number_that_is_changed_is_unverified_also_when_it_is_changed_back() -> None:
    asha = Someone(phone_verified_at=timezone.now())
    for number in (OTHER, PHONE):
        assert call("PATCH", "/user/profile", {"phone": number}, asha.token).json()["phone_verified"] is False
    assert not asha.is_verified()


def test_the_same_number_in_another_spelling_stays_verified() -> None:
    asha = Someone(phone_verified_at=timezone.now())
    body = {"phone": "0712 345 678", "country": "KE"}
    assert call("PATCH", "/user/profile", body, asha.token).json()["phone_verified"] is True


def test_after_five_wrong_codes_the_right_one_is_refused_until_a_new_one_is_sent() -> None:
    asha = Someone()
    asha.ask()
    first = code_sent()
    for _ in range(5):
        answer = asha.show(wrong())
        assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "phone_code_wrong", "code")
    answer = asha.show(first)
    assert (answer.status_code, answer.json()["code"]) == (409, "phone_code_expired")
    assert not asha.is_verified()
    assert actions() == ["user.phone_code_sent", *["user.phone_code_refused"] * 6]
    asha.ask()
    assert asha.show(code_sent()).status_code == 200


def test_four_wrong_codes_do_no_harm() -> None:
    asha = Someone()
    asha.ask()
    for _ in range(4):
        asha.show(wrong())
    assert asha.show(code_sent()).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(599, 200), (600, 409)])
def test_a_code_is_good_for_ten_minutes(seconds: int, status: int) -> None:
    asha = Someone()
    asha.ask()
    PhoneCode.objects.update(expires_at=timezone.now() + timedelta(seconds=600 - seconds))
    assert asha.show(code_sent()).status_code == status
    assert asha.is_verified() is (status == 200)


def test_a_new_code_ends_the_one_before() -> None:
    asha = Someone()
    asha.ask()
    old = code_sent()
    while code_sent() == old:
        asha.ask()
    assert asha.show(old).json()["code"] == "phone_code_wrong"
    assert asha.show(code_sent()).status_code == 200


def test_a_code_is_worth_nothing_for_another_number() -> None:
    """given a code sent to one number / when the profile names another / then refused; a copied hash fits not"""
    asha = Someone()
    asha.ask()
    code = code_sent()
    call("PATCH", "/user/profile", {"phone": OTHER}, asha.token)
    assert asha.show(code).json()["code"] == "phone_code_expired"
    PhoneCode.objects.update(phone=OTHER)
    assert asha.show(code).json()["code"] == "phone_code_wrong"
    assert not asha.is_verified()


def test_a_code_is_worth_nothing_for_another_person() -> None:
    asha, juma = Someone(), Someone()
    asha.ask()
    assert juma.show(code_sent()).json()["code"] == "phone_code_expired"
    assert (asha.is_verified(), juma.is_verified()) == (False, False)


def test_an_older_master_key_still_opens_a_code(settings: Any) -> None:
    asha = Someone()
    asha.ask()
    settings.MAJUU_ENCRYPTION_KEYS = ["another-master-key-0123456789abcdef", *settings.MAJUU_ENCRYPTION_KEYS]
    # The access token is signed with the newest key: sign in again.
    asha.token = login(asha.user).json()["access_token"]
    assert asha.show(code_sent()).status_code == 200


def test_whoever_verifies_a_number_takes_it_from_the_person_before() -> None:
    before, asha = Someone(phone_verified_at=timezone.now()), Someone()
    bystander = Someone(OTHER, phone_verified_at=timezone.now())
    asha.ask()
    asha.show(code_sent())
    assert (asha.is_verified(), before.is_verified(), bystander.is_verified()) == (True, False, True)
    entry = AuditEntry.objects.get(action="user.phone_taken_over")
    assert (entry.object_id, entry.actor_id) == (f"user:{before.user.pk}", str(asha.user.pk))


@pytest.mark.parametrize(
    ("fields", "sender", "code"),
    [
        ({}, None, "sms_not_configured"),
        ({"phone": ""}, "take_message", "phone_missing"),
        ({"phone_verified_at": timezone.now()}, "take_message", "phone_verified"),
        ({}, "fail_to_send", "sms_not_sent"),
    ],
)
def test_a_code_that_cannot_be_sent_is_refused(
    settings: Any, caplog: Any, fields: dict[str, Any], sender: str | None, code: str
) -> None:
    settings.MAJUU_SMS_SENDER = None if sender is None else f"{__name__}.{sender}"
    asha = Someone(**fields)
    verified = asha.is_verified()
    answer = asha.ask()
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (SENT, asha.is_verified()) == ([], verified)
    assert PhoneCode.objects.exists() is (code == "sms_not_sent")
    assert not re.search(r"\d{6}", caplog.text)


@pytest.mark.parametrize("policy", ["address", "account", "account_day", "phone", "phone_day"])
def test_codes_are_asked_for_only_so_often(settings: Any, policy: str) -> None:
    settings.MAJUU_RATE_LIMITS = {f"phone_code_{policy}": (1, timedelta(minutes=10))}
    asha, same_phone = Someone(), Someone()
    assert asha.ask().status_code == 202
    answer = (same_phone if policy.startswith("phone") else asha).ask()
    assert (answer.status_code, answer.json()["code"], len(SENT)) == (429, "rate_limited", 1)
    assert PhoneCode.objects.count() == 1


def test_codes_are_tried_only_so_often(settings: Any) -> None:
    settings.MAJUU_RATE_LIMITS = {"phone_code_tries": (1, timedelta(minutes=10))}
    asha = Someone()
    asha.ask()
    asha.show(wrong())
    assert (asha.show(code_sent()).status_code, asha.is_verified()) == (429, False)


@pytest.mark.parametrize("body", [{}, {"code": 123456}, {"code": "1" * 17}, {"code": "123456", "phone": PHONE}])
def test_a_body_that_is_no_code_is_refused(body: dict[str, Any]) -> None:
    asha = Someone()
    asha.ask()
    answer = call("POST", "/user/phone/verify", body, asha.token)
    assert (answer.status_code, PhoneCode.objects.get().wrong_tries, asha.is_verified()) == (422, 0, False)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("", "000042 is your code for testserver. It is good for 10 minutes. Give it to nobody."),
        ("sw", "000042 ni namba yako ya siri ya testserver. Inafaa kwa dakika 10. Usimpe mtu yeyote."),
    ],
)
def test_the_message_is_in_the_persons_language(language: str, text: str) -> None:
    assert code_text("000042", language=language, minutes=10) == text
    assert len(text) <= 160


def test_messages_go_to_the_log_with_debug_alone(settings: Any, caplog: Any) -> None:
    settings.MAJUU_SMS_SENDER = TO_THE_LOG
    with pytest.raises(ImproperlyConfigured, match="DEBUG"):
        sms_sender()
    settings.DEBUG = True
    send = sms_sender()
    assert send is not None
    with caplog.at_level(logging.WARNING, logger="majuu.sms"):
        send(PHONE, "hello")
    assert caplog.messages == [f"text message to {PHONE}: hello"]


@pytest.mark.parametrize("path", ["nowhere", "no.such.module", "majuu_core.accounts.sms.nothing", 7])
def test_a_sender_that_is_no_function_is_refused(settings: Any, path: Any) -> None:
    settings.MAJUU_SMS_SENDER = path
    with pytest.raises(ImproperlyConfigured, match="dotted path"):
        sms_sender()


def test_an_erased_person_leaves_no_code() -> None:
    asha = Someone()
    asha.ask()
    erase_person(f"user:{asha.user.pk}")
    assert not PhoneCode.objects.exists()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_ten_wrong_codes_at_once_count_as_five_tries() -> None:
    """given a code / when ten wrong ones come at the same moment / then five are compared, the others not"""
    asha = Someone()
    asha.ask()

    def show(code: str) -> str:
        try:
            return str(asha.show(code).json()["code"])
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(show, [wrong()] * 10))
    assert sorted(answers) == ["phone_code_expired"] * 5 + ["phone_code_wrong"] * 5
    assert PhoneCode.objects.get().wrong_tries == 5


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_people_who_verify_one_number_at_once_do_not_both_have_it() -> None:
    people = [Someone(), Someone()]
    codes = []
    for one in people:
        one.ask()
        codes.append(code_sent())

    def show(number: int) -> int:
        try:
            return int(people[number].show(codes[number]).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(show, range(2))) == [200, 200]
    assert sorted(one.is_verified() for one in people) == [False, True]
