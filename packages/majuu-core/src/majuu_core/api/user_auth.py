"""Who calls for themselves: a person's access token. API keys open nothing here, and a session cookie never counts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from ninja.security import HttpBearer

from majuu_core.accounts.tokens import Person, TokenRefused, person_of
from majuu_core.api import limits
from majuu_core.common.problems import Unauthenticated

_API_KEYS = ("sk_", "pk_", "ck_", "tk_")


class UserBearer(HttpBearer):
    """``Authorization: Bearer <access token>``"""

    def __call__(self, request: HttpRequest) -> Any:
        request.user = AnonymousUser()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("user_token_required", "Send an access token as `Authorization: Bearer …`.")
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Person:
        """Raises Unauthenticated, and TooMany after too many refused tokens from one address."""
        try:
            if token.startswith(_API_KEYS):
                raise Unauthenticated("user_token_required", "API keys open nothing here. Send an access token.")
            return person_of(token)
        except Unauthenticated:
            limits.refuse(request)
            raise
        except TokenRefused as problem:
            limits.refuse(request)
            raise Unauthenticated("token_invalid", str(problem)) from None


def person(request: HttpRequest) -> Person:
    """Who calls."""
    found: Person = request.auth  # type: ignore[attr-defined]
    return found
