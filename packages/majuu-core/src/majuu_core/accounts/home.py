"""Where people come after signing in, unless they were on their way somewhere. Rooms above register their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse

Home = Callable[[Any], str | None]

_homes: list[Home] = []


def register_home(home: Home) -> None:
    """Add a rule: called with a user, the address of a page for them or None. The first that answers wins."""
    if home not in _homes:
        _homes.append(home)


def home_of(user: Any) -> str:
    """The page of this user; their account's, when no rule has another."""
    return next((found for home in _homes if (found := home(user))), None) or reverse("majuu_account")
