"""Tokens of people's apps: a short access token, and a refresh token that is used once.

Both belong to one row of UserSession and end with it: every use asks the database. An access token lives for five
minutes. A refresh token gives one new pair; shown a second time, it ends the session, because one of the two who showed
it stole it. Of two uses at the same moment the second counts as a second. Nothing lives longer than the session's
``expires_at``, 30 days after sign-in.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
from allauth.core.internal.sessionkit import get_session_user
from allauth.headless.internal.sessionkit import lookup_session
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp import DEVICE_ID_SESSION_KEY, user_has_device
from django_otp.models import Device

from majuu_core.accounts.models import UserSession
from majuu_core.accounts.trail import note
from majuu_core.accounts.user_sessions import end, note_seen
from majuu_core.common import clock, crypto, ids
from majuu_core.configuration import encryption_keys

ALGORITHM = "HS256"
AUDIENCE = "majuu:user"
ISSUER = "majuu"
ACCESS_LIFETIME = timedelta(minutes=5)
_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "amr", "iat", "exp", "token_use"]


class TokenStrategy(JWTTokenStrategy):  # type: ignore[misc]
    """allauth itself gives no tokens: those of this module are the only ones."""

    def get_session_token(self, request: HttpRequest) -> None:
        return None

    def create_access_token_payload(self, request: HttpRequest) -> None:
        return None

    def refresh_token(self, refresh_token: str) -> None:
        return None


class TokenRefused(Exception):
    """A token that opens nothing: forged, made for something else, expired, used, or of a session that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What an app gets. ``expires_in``: seconds the access token lives."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    session: UserSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who calls with an access token."""

    user: Any
    session: UserSession
    amr: tuple[str, ...]


def issue(row: UserSession, *, second_factor: bool) -> Tokens:
    """A new pair for a session; the refresh token before it is used up. The caller holds the row's lock, or made it."""
    now = clock.now()
    row.refresh_id = ids.new_uuid()
    row.save(update_fields=["refresh_id"])
    amr = ["pwd", "otp", "mfa"] if second_factor else ["pwd"]
    ends = min(now + ACCESS_LIFETIME, row.expires_at)
    return Tokens(
        access_token=_encode(row, "access", ids.new_uuid(), ends, amr),
        refresh_token=_encode(row, "refresh", row.refresh_id, row.expires_at, amr),
        expires_in=int((ends - now).total_seconds()),
        session=row,
    )


def person_of(token: str) -> Person:
    """Who an access token stands for. Raises TokenRefused."""
    claims = _decode(token, "access")
    row, user, _ = _checked(UserSession.objects.filter(pk=_uuid(claims["sid"])), claims)
    note_seen(row)
    return Person(user=user, session=row, amr=tuple(claims["amr"]))


def refresh(request: HttpRequest, token: str) -> Tokens:
    """A new pair for a refresh token. Raises TokenRefused; for a used token the session has ended then."""
    claims = _decode(token, "refresh")
    with transaction.atomic():
        found = UserSession.objects.select_for_update().filter(pk=_uuid(claims["sid"]))
        row, user, second_factor = _checked(found, claims)
        if row.refresh_id == _uuid(claims["jti"]):
            return issue(row, second_factor=second_factor)
        end(row)
        note(request, user, "user.refresh_token_reused", session=row.public_id)
    raise TokenRefused("This refresh token was used before. The session has ended: sign in again.")


def _checked(found: QuerySet[UserSession], claims: dict[str, Any]) -> tuple[UserSession, Any, bool]:
    """A live session, its user, and whether it showed the second factor. Raises TokenRefused.

    Django's session behind it holds the hash of the password: it ends when that changes, or the user is switched off.
    """
    row = found.filter(kind=UserSession.Kind.APP).first()
    if row is None or row.ended_at is not None or row.expires_at <= clock.now():
        raise TokenRefused("This session has ended. Sign in again.")
    session = lookup_session(row.session_key)
    user = None if session is None else get_session_user(session)
    if session is None or user is None or str(user.pk) != claims["sub"]:
        raise TokenRefused("This session has ended. Sign in again.")
    second_factor = _has_shown_device(session, user)
    if not second_factor and (DEVICE_ID_SESSION_KEY in session or user_has_device(user)):
        raise TokenRefused("This session did not show a second factor that you have now. Sign in again.")
    return row, user, second_factor


def _has_shown_device(session: SessionBase, user: Any) -> bool:
    """Whether the device this session was opened with is still the user's: a lost phone opens nothing any more."""
    device = Device.from_persistent_id(session.get(DEVICE_ID_SESSION_KEY, ""))
    return device is not None and device.user_id == user.pk and bool(device.confirmed)


def _encode(row: UserSession, use: str, token_id: uuid.UUID, ends: Any, amr: list[str]) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(row.user_id),
        "sid": str(row.pk),
        "jti": str(token_id),
        "amr": amr,
        "iat": int(clock.now().timestamp()),
        "exp": int(ends.timestamp()),
        "token_use": use,
    }
    return jwt.encode(claims, _keys()[0], algorithm=ALGORITHM)


def _decode(token: str, use: str) -> dict[str, Any]:
    options: Any = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False}
    claims: dict[str, Any] | None = None
    for key in _keys():
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER, options=options)
            break
        except jwt.PyJWTError:
            continue
    if claims is None:
        raise TokenRefused("This token is not valid here.")
    if claims["token_use"] != use:
        raise TokenRefused(f"This is not a token for this: {use} is needed.")
    if claims["exp"] <= clock.now().timestamp():
        raise TokenRefused("This token has expired.")
    return claims


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise TokenRefused("This token is not valid here.") from None


def _keys() -> list[str]:
    """One for each master key, newest first: the first signs, all of them verify."""
    return [crypto.derive_key(master, "access-token").hex() for master in encryption_keys()]
