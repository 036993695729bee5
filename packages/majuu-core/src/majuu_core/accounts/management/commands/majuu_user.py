"""``manage.py majuu_user``: what an operator does for somebody who cannot get in, or whose account another one uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from majuu_core.accounts.second_factor import reset_second_factor
from majuu_core.accounts.user_sessions import end_all
from majuu_core.audit.services import record_entry


def _find(name: str) -> Any:
    users = get_user_model()
    found = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
    if found is None and (address := EmailAddress.objects.filter(email__iexact=name).first()):
        found = address.user
    found = found or users._default_manager.filter(email__iexact=name).first()
    if found is None:
        raise CommandError(f"There is nobody called {name}.")
    return found


def _confirm_address(user: Any) -> str:
    if not user.email:
        raise CommandError("This person has no e-mail address.")
    address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email.lower())
    if address.verified:
        return f"{address.email} is confirmed already."
    if not address.set_verified(commit=False):
        raise CommandError("This address is confirmed for somebody else.")
    address.set_as_primary(conditional=True)
    address.save()
    record_entry(action="user.email_verified", object_id=f"user:{user.pk}")
    return f"{address.email} is confirmed."


def _reset(user: Any) -> str:
    count = reset_second_factor(user)
    if count:
        record_entry(action="user.second_factor_reset", object_id=f"user:{user.pk}", changes={"devices": count})
    return f"{count} taken away." if count else "There was none."


def _end_sessions(user: Any) -> str:
    count = end_all(user)
    if count:
        record_entry(action="user.sessions_ended", object_id=f"user:{user.pk}", changes={"sessions": count})
    return f"{count} ended." if count else "There was none."


_ACTS: dict[str, Callable[[Any], str]] = {
    "confirm-address": _confirm_address,
    "end-sessions": _end_sessions,
    "reset-second-factor": _reset,
}


class Command(BaseCommand):
    help = (
        "Confirm a person's address without a message, take a lost second factor away, or sign them out everywhere. "
        "All of it is written down."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=sorted(_ACTS))
        parser.add_argument("name", help="the person's user name or e-mail address")

    def handle(self, *args: Any, what: str, name: str, **options: Any) -> None:
        user = _find(name)
        with transaction.atomic():
            done = _ACTS[what](user)
        self.stdout.write(done)
