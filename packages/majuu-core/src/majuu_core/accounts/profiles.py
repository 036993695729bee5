"""What people say about themselves: phone, country, language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import HttpRequest

from majuu_core.accounts.models import Profile
from majuu_core.accounts.trail import note
from majuu_core.common import clock
from majuu_core.common.phone_numbers import read_phone
from majuu_core.common.problems import Invalid


def profile_of(user: Any) -> Profile:
    """The user's profile, made when it is first needed."""
    return Profile.objects.get_or_create(user=user)[0]


def update_profile(request: HttpRequest, user: Any, values: Mapping[str, str]) -> Profile:
    """Change ``phone``, ``country``, ``language``. A new phone number is unverified. Raises Invalid."""
    profile_of(user)
    with transaction.atomic():
        row = Profile.objects.select_for_update().get(user=user)
        tidy = dict(values)
        if tidy.get("phone"):
            tidy["phone"] = in_e164(tidy["phone"], tidy.get("country") or str(row.country or "") or "KE")
        changed = [name for name, value in tidy.items() if str(getattr(row, name) or "") != value]
        for name in changed:
            setattr(row, name, tidy[name])
        if "phone" in changed:
            row.phone_verified_at = None
        if changed:
            row.updated_at = clock.now()
            row.save()
            note(request, user, "user.profile_changed", fields=sorted(changed))
    return row


def in_e164(text: str, country: str) -> str:
    """A phone number as ``+254712345678``; without "+" it is read as one of the country. Raises Invalid."""
    number = read_phone(text, country)
    if not number:
        raise Invalid("phone_invalid", "This is not a phone number. Write it like +254712345678.", field="phone")
    return number


def proved_contacts(user: Any) -> tuple[frozenset[str], str]:
    """The e-mail addresses and the phone number (E.164, or "") that the person has shown to be theirs."""
    addresses = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    profile = Profile.objects.filter(user=user, phone_verified_at__isnull=False).first()
    return frozenset(addresses), profile.phone if profile else ""
