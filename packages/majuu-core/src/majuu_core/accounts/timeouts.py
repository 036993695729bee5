"""Sessions end: after a while of silence, and after a working day whatever was done."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from majuu_core.accounts.configuration import session_idle_lifetime, session_lifetime
from majuu_core.accounts.user_sessions import is_live, seen_now
from majuu_core.common import clock

# Times in seconds since 1970: when the session began, when it was last heard of, when its person proved who they are.
STARTED, SEEN, PROVED = "majuu_began_at", "majuu_seen_at", "majuu_proved_at"
# A session is written at most this often only to note that somebody is there.
_NOTED_EVERY = 60


def start_session(request: HttpRequest) -> None:
    """Somebody signs in now."""
    request.session[STARTED] = request.session[SEEN] = request.session[PROVED] = int(clock.now().timestamp())


def just_signed_in(request: HttpRequest, *, within: int) -> bool:
    """Whether somebody signed in to this session at most so many seconds ago."""
    proved = request.session.get(PROVED)
    return isinstance(proved, int) and 0 <= clock.now().timestamp() - proved <= within


class SessionTimeoutMiddleware:
    """Signs out whoever was silent for too long, or signed in too long ago. For sessions kept in a cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            _look_at(request)
        return self.get_response(request)


def _look_at(request: HttpRequest) -> None:
    now = int(clock.now().timestamp())
    started, seen = request.session.get(STARTED), request.session.get(SEEN)
    if not isinstance(started, int) or not isinstance(seen, int):
        request.session[STARTED] = request.session[SEEN] = now
    elif _is_too_old(now, started, seen) or not is_live(request.session):
        logout(request)
        request.user.is_verified = lambda: False  # type: ignore[union-attr]
    elif now - seen >= _NOTED_EVERY:
        request.session[SEEN] = now
        seen_now(request.session)


def _is_too_old(now: int, started: int, seen: int) -> bool:
    return now - seen > session_idle_lifetime().total_seconds() or now - started > session_lifetime().total_seconds()
