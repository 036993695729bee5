"""Who acts, and what happens to accounts, for the audit trail: who signed in, was refused, what people changed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.http import HttpRequest

from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.network.client import address_of


def acting_user(request: HttpRequest) -> AbstractContextManager[Actor]:
    """Everything inside the block is done by the signed-in user, from where they are."""
    return acting_as(Actor(type="user", id=str(request.user.pk), remote_addr=address_of(request)))


def note(request: HttpRequest, user: Any, action: str, **changes: object) -> None:
    """Record that this user did something to their own account, or that somebody did it in their name.

    ``user`` None: nobody we know. The entry is about ``user:<key>``; ``changes`` holds words and numbers, never an
    address, a name or a code.
    """
    key = "" if user is None or user.pk is None else str(user.pk)
    actor = Actor(type="user", id=key, remote_addr=address_of(request))
    with acting_as(actor):
        record_entry(action=action, object_id=f"user:{key}" if key else "unknown", changes=changes)
