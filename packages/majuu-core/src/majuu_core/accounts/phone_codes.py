"""Shows that a phone number is the person's: a code is sent to it, and comes back from them.

A code is six digits, kept as a keyed hash that names the person and the number. It is good for ten minutes and for five
tries; a new one takes the place of the old. It is written down first and sent with no transaction open.
"""

from __future__ import annotations

import hmac
import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from majuu_core.accounts.configuration import SmsSender, sms_sender
from majuu_core.accounts.models import PhoneCode, Profile
from majuu_core.accounts.profiles import profile_of
from majuu_core.accounts.sms import code_text
from majuu_core.accounts.trail import note
from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.common import clock, randomness
from majuu_core.common.crypto import keyed_hash
from majuu_core.common.problems import Conflict, Invalid, Problem
from majuu_core.configuration import encryption_keys
from majuu_core.network.client import address_of
from majuu_core.throttling.services import caller_key, check

DIGITS = 6
LIFETIME = timedelta(minutes=10)
MOST_TRIES = 5
_PURPOSE = "phone-code"
_log = logging.getLogger("majuu.sms")


def send_code(request: HttpRequest, user: Any) -> PhoneCode:
    """Send a code to the number of the person's profile, in place of any earlier one.

    Raises Conflict without a sender, without a number, when it is verified already or the message could not be sent;
    TooMany.
    """
    sender, profile = _sender(), profile_of(user)
    if not profile.phone:
        raise Conflict("phone_missing", "Write your phone number in your profile first.", field="phone")
    if profile.phone_verified_at is not None:
        raise Conflict("phone_verified", "This phone number is verified already.", field="phone")
    _count(request, user, profile.phone)
    code = randomness.secret_digits(DIGITS)
    row = _keep(request, user, profile.phone, code)
    text = code_text(code, language=profile.language, minutes=int(LIFETIME.total_seconds() // 60))
    try:
        sender(profile.phone, text)
    except Exception as problem:  # noqa: BLE001 - the site's own sender may raise anything
        _log.error("a text message could not be sent (%s)", type(problem).__name__)
        raise Conflict("sms_not_sent", "The text message could not be sent. Try again.", retry_after=60) from None
    return row


def verify_code(request: HttpRequest, user: Any, code: str) -> Profile:
    """Take the number the code was sent to as verified. Whoever had verified it before has it no longer.

    Raises Invalid for a wrong code; Conflict when there is none that is still good for this number; TooMany.
    """
    check("phone_code_tries", str(user.pk))
    with transaction.atomic():
        row = PhoneCode.objects.select_for_update().filter(user=user).first()
        # All who have this number, in one order: two people may be showing it at the same time.
        same = Q(user=user) | Q(phone=row.phone) if row else Q(user=user)
        profiles = {found.pk: found for found in Profile.objects.select_for_update().filter(same).order_by("pk")}
        mine = profiles.pop(user.pk, None)
        refusal = _refusal(row, mine, code)
        if row is not None and mine is not None and refusal is None:
            _accept(request, row, mine)
            _take_away(request, user, list(profiles.values()))
            return mine
        _refuse(request, user, row, refusal)
    assert refusal is not None  # noqa: S101 - what is not refused was accepted
    raise refusal


def _sender() -> SmsSender:
    found = sms_sender()
    if found is None:
        text = "This site cannot send text messages: MAJUU_SMS_SENDER is not set."
        raise Conflict("sms_not_configured", text)
    return found


def _count(request: HttpRequest, user: Any, phone: str) -> None:
    check("phone_code_address", caller_key(request))
    for policy in ("phone_code_account", "phone_code_account_day"):
        check(policy, str(user.pk))
    for policy in ("phone_code_phone", "phone_code_phone_day"):
        check(policy, phone)


def _keep(request: HttpRequest, user: Any, phone: str, code: str) -> PhoneCode:
    now = clock.now()
    values = {
        "phone": phone,
        "code_hash": _hash(encryption_keys()[0], user, phone, code),
        "wrong_tries": 0,
        "sent_at": now,
        "expires_at": now + LIFETIME,
    }
    with transaction.atomic():
        row, _ = PhoneCode.objects.update_or_create(user=user, defaults=values)
        note(request, user, "user.phone_code_sent")
    return row


def _hash(master: str, user: Any, phone: str, code: str) -> str:
    return keyed_hash(master, _PURPOSE, f"{user.pk}|{phone}|{code}".encode()).hex()


def _refusal(row: PhoneCode | None, mine: Profile | None, code: str) -> Problem | None:
    """Why the code is not taken; None when it is right."""
    over = row is None or mine is None or row.phone != mine.phone or row.expires_at <= clock.now()
    if row is None or over or row.wrong_tries >= MOST_TRIES:
        return Conflict("phone_code_expired", "There is no code that is still good. Ask for a new one.", field="code")
    hashes = [_hash(master, row.user, row.phone, code) for master in encryption_keys()]
    if any(hmac.compare_digest(row.code_hash, good) for good in hashes):
        return None
    return Invalid("phone_code_wrong", "This is not the code we sent.", field="code")


def _accept(request: HttpRequest, row: PhoneCode, mine: Profile) -> None:
    mine.phone_verified_at = mine.updated_at = clock.now()
    mine.save(update_fields=["phone_verified_at", "updated_at"])
    row.delete()
    note(request, mine.user, "user.phone_verified")


def _take_away(request: HttpRequest, user: Any, others: list[Profile]) -> None:
    """A number is one person's at a time: networks give it to somebody else once it is given up."""
    verified = [profile for profile in others if profile.phone_verified_at is not None]
    with acting_as(Actor(type="user", id=str(user.pk), remote_addr=address_of(request))):
        for profile in verified:
            profile.phone_verified_at, profile.updated_at = None, clock.now()
            profile.save(update_fields=["phone_verified_at", "updated_at"])
            record_entry(action="user.phone_taken_over", object_id=f"user:{profile.pk}", changes={})


def _refuse(request: HttpRequest, user: Any, row: PhoneCode | None, refusal: Problem | None) -> None:
    if row is not None and isinstance(refusal, Invalid):
        row.wrong_tries += 1
        row.save(update_fields=["wrong_tries"])
    note(request, user, "user.phone_code_refused", reason="" if refusal is None else refusal.code)
