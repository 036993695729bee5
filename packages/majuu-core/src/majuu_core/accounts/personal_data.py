"""What accounts know about a person: the user, their profile and addresses, where they are signed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.db.models import Q
from django_otp import devices_for_user

from majuu_core.accounts.models import PhoneCode, Profile, UserSession
from majuu_core.audit.personal import user_subject
from majuu_core.plugins.personal_data import Identity, PersonalData, PersonalRecord

_GONE = "erased-{}"


def find_users(identity: Identity) -> Iterable[Any]:
    """The users behind these addresses, numbers and ids."""
    wanted = Q(pk__in=[int(number) for number in identity.user_ids if number.isdecimal()])
    for address in identity.emails:
        wanted |= Q(email__iexact=address)
        wanted |= Q(pk__in=EmailAddress.objects.filter(email__iexact=address).values("user"))
    wanted |= Q(pk__in=Profile.objects.filter(phone__in=identity.phones).values("user"))
    return get_user_model()._default_manager.filter(wanted).order_by("pk")


def emails_and_phones_of(user: Any) -> tuple[list[str], list[str]]:
    """Every address and number of a user."""
    addresses = [user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)]
    phones = Profile.objects.filter(user=user).values_list("phone", flat=True)
    return [address for address in addresses if address], [phone for phone in phones if phone]


def _find(identity: Identity, related: frozenset[str]) -> Iterable[PersonalRecord]:
    for user in find_users(identity):
        profile = Profile.objects.filter(user=user).first()
        emails, _ = emails_and_phones_of(user)
        yield PersonalRecord(
            id=user_subject(user.pk),
            kind="Account",
            data={
                "username": user.get_username(),
                "name": user.get_full_name(),
                "emails": sorted(set(emails)),
                "phone": profile.phone if profile else "",
                "country": str(profile.country) if profile else "",
                "language": profile.language if profile else "",
                "joined": user.date_joined.isoformat(),
                "last_login": user.last_login.isoformat() if user.last_login else None,
                "second_factors": [str(device) for device in devices_for_user(user)],
                "logged_in_with": list(SocialAccount.objects.filter(user=user).values_list("provider", flat=True)),
                "sessions": [_session(row) for row in UserSession.objects.filter(user=user).order_by("pk")],
            },
            keep_reason=_why_kept(user),
        )


def _session(row: UserSession) -> dict[str, str]:
    return {
        "began": row.created_at.isoformat(),
        "last_seen": row.last_seen_at.isoformat(),
        "address": row.address,
        "user_agent": row.user_agent,
    }


def _why_kept(user: Any) -> str:
    if user.is_staff or user.is_superuser:
        return "They work here: take their rights away first."
    if user.majuu_memberships.exists():
        return "They belong to a business: remove them from it first."
    return ""


def _erase(names: Sequence[str]) -> int:
    users = get_user_model()._default_manager.select_for_update().order_by("pk")
    rows = list(users.filter(pk__in=[int(name.removeprefix("user:")) for name in names]))
    for user in rows:
        _erase_user(user)
    return len(rows)


def _erase_user(user: Any) -> None:
    """The row stays, since others point at it; nobody can sign in with it again."""
    for device in devices_for_user(user, confirmed=None):
        device.delete()
    EmailAddress.objects.filter(user=user).delete()
    SocialAccount.objects.filter(user=user).delete()
    Profile.objects.filter(user=user).delete()
    PhoneCode.objects.filter(user=user).delete()
    UserSession.objects.filter(user=user).delete()  # each holds an address and a browser
    values = {"email": "", "first_name": "", "last_name": "", user.USERNAME_FIELD: _GONE.format(user.pk)}
    fields = {field.name for field in user._meta.concrete_fields}
    for name, value in values.items():
        if name in fields:
            setattr(user, name, value)
    user.is_active = False  # sessions and tokens of an inactive user are refused from here on
    user.set_unusable_password()
    user.save()


ACCOUNTS = PersonalData(name="accounts.users", label="Accounts", find=_find, erase=_erase)
