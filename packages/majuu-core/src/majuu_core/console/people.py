"""Who acts in the console, for the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from django.contrib.admin import display
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


def person(name: str, label: str) -> Callable[[Any], str]:
    """A fact of a detail page: who it was, by the name people know, from a column such as ``created_by``."""

    @display(description=label)
    def column(row: Any) -> str:
        value = str(getattr(row, name))
        return names_of([value]).get(value, "–")

    column.__name__ = name
    return column


def names_of(labels: Iterable[str]) -> dict[str, str]:
    """What people call those whom rows remember as ``user:12`` or ``key:key_…``. One query."""
    known = {label: label.partition(":") for label in labels if label}
    users = get_user_model()._default_manager.in_bulk(
        [int(identifier) for kind, _, identifier in known.values() if kind == "user" and identifier.isdecimal()]
    )
    by_id = {str(key): user.get_username() for key, user in users.items()}
    return {label: _name(label, kind, identifier, by_id) for label, (kind, _, identifier) in known.items()}


def _name(label: str, kind: str, identifier: str, users: Mapping[str, str]) -> str:
    if kind == "user":
        return users.get(identifier, f"User {identifier}")
    return f"API key {identifier}" if kind == "key" else label
