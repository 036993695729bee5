"""Who acts in the console, for the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.client_address import client_address
from majuu_core.configuration import trusted_proxies


def acting_user(request: HttpRequest) -> AbstractContextManager[Actor]:
    """Everything inside the block is done by the signed-in user."""
    address = client_address(
        request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""), trusted_proxies()
    )
    return acting_as(Actor(type="user", id=str(request.user.pk), remote_addr=address))


def names_of(labels: Iterable[str]) -> dict[str, str]:
    """What people call those whom rows remember as ``user:12`` or ``key:key_…``. One query."""
    known = {label: label.partition(":") for label in labels if label}
    users = get_user_model()._default_manager.in_bulk(
        [int(identifier) for kind, _, identifier in known.values() if kind == "user" and identifier.isdecimal()]
    )
    by_id = {str(key): user.get_username() for key, user in users.items()}
    return {
        label: by_id.get(identifier, label) if kind == "user" else f"API key {identifier}" if kind == "key" else label
        for label, (kind, _, identifier) in known.items()
    }
