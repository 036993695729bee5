"""Who may see a page for signed-in people: those past their second factor, and those who need none."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django_otp import user_has_device

from majuu_core.accounts.policy import second_factor_required
from majuu_core.accounts.step_up import CONFIRM, LOGIN, SET_UP, View, ask_for_second_factor, go_to, is_fresh


def obstacle(request: HttpRequest) -> HttpResponseRedirect | None:
    """What stands between this person and a page: None, or the way to sign-in, confirmation or set-up.

    Whoever has a second factor shows it, in a session older than the device too. Who must have one sets it up first.
    """
    user: Any = request.user
    if not user.is_authenticated:
        return go_to(LOGIN, request)
    if user.is_verified():
        return None
    if user_has_device(user):
        return go_to(CONFIRM, request)
    return go_to(SET_UP, request) if second_factor_required(user) else None


def second_factor_required_view(view: View) -> View:
    """For the pages of staff and merchants: nobody is let in past a second factor they have, or must have."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = obstacle(request)
        return view(request, *args, **kwargs) if found is None else found

    return wrapped


def own_account_view(view: View) -> View:
    """For the pages on which people look after their own account: whoever has a second factor has shown it."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user: Any = request.user
        if not user.is_authenticated:
            return go_to(LOGIN, request)
        if not user.is_verified() and user_has_device(user):
            return go_to(CONFIRM, request)
        return view(request, *args, **kwargs)

    return wrapped


def changes_need_proof(view: View) -> View:
    """For pages that show to their owner and change by a form: who has a second factor has just shown it to change."""

    @own_account_view
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user: Any = request.user
        if request.method == "POST" and user.is_verified() and not is_fresh(request):
            return ask_for_second_factor(request)
        return view(request, *args, **kwargs)

    return wrapped
