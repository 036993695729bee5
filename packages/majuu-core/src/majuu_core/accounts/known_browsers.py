"""Browsers that signed in to an account before: a signed cookie. They are not counted with strangers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from majuu_core.network.cookies import cookie_name
from majuu_core.throttling.services import hash_of

COOKIE = "majuu_known"
_SALT = "majuu_core.accounts.known_browsers"
_LIFETIME = timedelta(days=180)
_MOST = 6


def is_known(request: HttpRequest, login: str) -> bool:
    """Whether somebody signed in to this account from this browser before."""
    return _mark(login) in _marks(request)


def remember(request: HttpRequest, response: HttpResponseBase, logins: Iterable[str]) -> None:
    """Keep the names one can sign in with, as hashes. The oldest make room for new ones."""
    new = [_mark(login) for login in logins if login]
    kept = [mark for mark in _marks(request) if mark not in new]
    response.set_cookie(
        cookie_name(request, COOKIE),
        signing.dumps([*new, *kept][:_MOST], salt=_SALT),
        max_age=int(_LIFETIME.total_seconds()),
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _marks(request: HttpRequest) -> list[str]:
    try:
        found = signing.loads(request.COOKIES.get(cookie_name(request, COOKIE), ""), salt=_SALT, max_age=_LIFETIME)
    except signing.BadSignature:
        return []
    return [mark for mark in found if isinstance(mark, str)] if isinstance(found, list) else []


def _mark(login: str) -> str:
    return hash_of(f"known:{login.strip().casefold()}")
