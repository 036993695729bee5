"""Who has this name and this password."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from django.http import HttpRequest


class SignInBackend(AuthenticationBackend):  # type: ignore[misc]
    """By e-mail address or user name, with Django's permissions.

    One password is hashed, whoever is asked for: how long an answer takes says nothing about which accounts there are.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        login = str(credentials.get("email") or credentials.get("username") or "").strip()
        return self._check_password(_user_called(login), str(credentials.get("password") or ""))


def _user_called(login: str) -> Any:
    if not login:
        return None
    by_address = filter_users_by_email(login, prefer_verified=True, for_login=True) if "@" in login else []
    return next(iter(by_address), None) or get_user_by_username(login)
