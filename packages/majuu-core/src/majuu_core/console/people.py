"""What people are called whom rows remember."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib.admin import display
from django.contrib.auth import get_user_model

_KINDS = {"key": "API key", "client": "OAuth client"}


def person(name: str, label: str) -> Callable[[Any], str]:
    """A fact of a detail page: who it was, by the name people know, from a column such as ``created_by``."""

    @display(description=label)
    def column(row: Any) -> str:
        value = str(getattr(row, name))
        return names_of([value]).get(value, "–")

    column.__name__ = name
    return column


def names_of(labels: Iterable[str]) -> dict[str, str]:
    """What people call those whom rows remember as ``user:12``, ``key:key_…`` or ``client:client_…``. One query."""
    known = {label: label.partition(":") for label in labels if label}
    users = get_user_model()._default_manager.in_bulk(
        [int(identifier) for kind, _, identifier in known.values() if kind == "user" and identifier.isdecimal()]
    )
    by_id = {str(key): user.get_username() for key, user in users.items()}
    return {label: _name(label, kind, identifier, by_id) for label, (kind, _, identifier) in known.items()}


def _name(label: str, kind: str, identifier: str, users: Mapping[str, str]) -> str:
    if kind == "user":
        return users.get(identifier, f"User {identifier}")
    return f"{_KINDS[kind]} {identifier}" if kind in _KINDS else label
