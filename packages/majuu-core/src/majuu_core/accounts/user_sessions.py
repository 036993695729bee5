"""Where people are signed in: one row for each sign-in, browsers and apps alike. Ending a row ends what hangs on it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from allauth.headless.internal.sessionkit import session_store
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet
from django.http import HttpRequest

from majuu_core.accounts.configuration import session_lifetime
from majuu_core.accounts.models import UserSession
from majuu_core.common import clock
from majuu_core.network.client import address_of

# In Django's session: which row is its own.
ROW = "majuu_session_id"
APP_LIFETIME = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=1)


def begin(request: HttpRequest, user: Any) -> UserSession:
    """Somebody has signed in, past every stage: write it down."""
    is_app = hasattr(getattr(request, "allauth", None), "headless")
    now = clock.now()
    if not request.session.session_key:
        request.session.save()
    row = UserSession.objects.create(
        user=user,
        kind=UserSession.Kind.APP if is_app else UserSession.Kind.BROWSER,
        session_key=request.session.session_key or "",
        user_agent=request.headers.get("User-Agent", "").replace("\0", "")[:200],
        address=address_of(request)[:45],
        created_at=now,
        last_seen_at=now,
        expires_at=now + (APP_LIFETIME if is_app else session_lifetime()),
    )
    request.session[ROW] = str(row.pk)
    return row


def is_live(session: SessionBase) -> bool:
    """Whether a session may go on. One that began without a row, before there were any, may."""
    found = session.get(ROW)
    if found is None:
        return True
    return UserSession.objects.filter(pk=found, ended_at=None, expires_at__gte=clock.now()).exists()


def seen_now(session: SessionBase) -> None:
    """Note that something was heard of a session. At most once a minute, see timeouts.py."""
    if found := session.get(ROW):
        UserSession.objects.filter(pk=found, ended_at=None).update(last_seen_at=clock.now())


def note_seen(row: UserSession) -> None:
    """As ``seen_now``, for an app: writes at most once a minute."""
    now = clock.now()
    if now - row.last_seen_at >= SEEN_EVERY:
        UserSession.objects.filter(pk=row.pk, last_seen_at=row.last_seen_at).update(last_seen_at=now)


def live_sessions(user: Any) -> QuerySet[UserSession]:
    """Where this user is signed in now."""
    return UserSession.objects.filter(user=user, ended_at=None, expires_at__gt=clock.now())


def end(row: UserSession) -> bool:
    """End a session and its tokens. False when it had ended before."""
    ended = UserSession.objects.filter(pk=row.pk, ended_at=None).update(ended_at=clock.now(), refresh_id=None)
    session_store(row.session_key).delete()
    return bool(ended)


def end_all(user: Any) -> int:
    """End this user's sessions everywhere, browsers and apps alike. Returns how many were live."""
    live = list(live_sessions(user))
    return sum(end(row) for row in live)


def end_own(session: SessionBase) -> None:
    """The person signs out of this session."""
    if found := session.get(ROW):
        UserSession.objects.filter(pk=uuid.UUID(found), ended_at=None).update(ended_at=clock.now(), refresh_id=None)
