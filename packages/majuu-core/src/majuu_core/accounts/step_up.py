"""Step-up: what moves money or opens doors asks for the second factor again, unless it was shown a moment ago."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_otp import user_has_device

from majuu_core.accounts.configuration import second_factor_is_compulsory, step_up_lifetime
from majuu_core.common import clock

View = Callable[..., HttpResponseBase]

# When the second factor was last shown in this session, in seconds since 1970.
SESSION_KEY = "majuu_second_factor_at"
LOGIN, SET_UP, CONFIRM = "account_login", "two_factor:setup", "majuu_confirm"


def mark_fresh(request: HttpRequest) -> None:
    """Note that the second factor was shown just now. For those who have just verified a code, and for nobody else."""
    request.session[SESSION_KEY] = int(clock.now().timestamp())


def is_fresh(request: HttpRequest) -> bool:
    """Whether this session showed its second factor within ``MAJUU_STEP_UP_MINUTES``.

    Where ``MAJUU_SECOND_FACTOR`` is optional, whoever has none passes.
    """
    user: Any = request.user
    if not user.is_authenticated:
        return False
    if not user.is_verified():
        return not second_factor_is_compulsory() and not user_has_device(user)
    shown = request.session.get(SESSION_KEY)
    if not isinstance(shown, int):
        return False
    age = clock.now().timestamp() - shown
    return -1 <= age <= step_up_lifetime().total_seconds()


def fresh_second_factor_required(view: View) -> View:
    """Let a view answer only after a fresh second factor; before, send the person to show it, and back afterwards.

    A form that was sent is not kept: the person comes back to the page it stood on and sends it again. Works for any
    function whose first argument is the request, console views and actions among them; methods go through
    ``method_decorator``.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        return ask_for_second_factor(request)

    return wrapped


def ask_for_second_factor(request: HttpRequest) -> HttpResponseRedirect:
    """To the page where this person can show a second factor: sign-in, set-up or confirmation."""
    user: Any = request.user
    if not user.is_authenticated:
        return go_to(LOGIN, request)
    if not user_has_device(user):
        return go_to(SET_UP, request)
    if request.method not in ("GET", "HEAD"):
        messages.info(request, "Nothing was done yet. Confirm that it is you, then send the form again.")
    return go_to(CONFIRM, request)


def go_to(name: str, request: HttpRequest) -> HttpResponseRedirect:
    """To the page of this name, and back to this one afterwards."""
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': page_of(request)})}")


def page_of(request: HttpRequest) -> str:
    """The page to come back to: this one; for a form that was sent, the page it stood on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return request.get_full_path()
    parts = urlsplit(referer)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def safe_next(request: HttpRequest, fallback: str) -> str:
    """Where ``next`` says to go, if that is on this site; the fallback otherwise."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    return target if url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure()) else fallback
