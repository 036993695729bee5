"""The pages that ask for a second factor: at the end of a sign-in, and before what needs a fresh one."""

from __future__ import annotations

from typing import Any

import django_otp
from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp import user_has_device

from majuu_core.accounts.home import home_of
from majuu_core.accounts.second_factor_forms import SecondFactorForm
from majuu_core.accounts.security_keys import has_security_key, options_to_ask
from majuu_core.accounts.sign_in_limits import count_wrong_code, may_try_code
from majuu_core.accounts.stages import SecondFactorStage
from majuu_core.accounts.step_up import SET_UP, go_to, mark_fresh, safe_next
from majuu_core.accounts.trail import note


@login_stage_required(stage=SecondFactorStage.key, redirect_urlname="account_login")  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "POST"])
def challenge(request: HttpRequest) -> HttpResponse:
    """The last step of a sign-in: whoever has a second factor shows it, and only then has a session."""
    stage: Any = request._login_stage  # type: ignore[attr-defined]
    if not stage.may_go_on():
        dropped: HttpResponse = stage.abort()
        return dropped
    user = stage.login.user
    form = _form(request, user)
    if not _is_accepted(request, user, form):
        return _page(request, "majuu_accounts/challenge.html", user, form)
    user.otp_device = form.device
    record_authentication(request, user, "otp", device=user.otp_device.persistent_id)
    answer: HttpResponse = stage.exit()
    if request.user.is_authenticated:
        mark_fresh(request)
    return answer


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Show the second factor again, then go on to where it was asked for."""
    user = request.user
    if not user_has_device(user):
        return go_to(SET_UP, request)
    form = _form(request, user)
    target = safe_next(request, home_of(user))
    if not _is_accepted(request, user, form):
        return _page(request, "majuu_accounts/confirm.html", user, form, next=target)
    django_otp.login(request, form.device)
    request.session.cycle_key()
    mark_fresh(request)
    note(request, user, "user.second_factor_shown")
    return HttpResponseRedirect(target)


def _form(request: HttpRequest, user: Any) -> SecondFactorForm:
    data = request.POST if request.method == "POST" else None
    return SecondFactorForm(data, request=request, user=user, no_codes=not may_try_code(request, user))


def _is_accepted(request: HttpRequest, user: Any, form: SecondFactorForm) -> bool:
    """Whether the form was sent and holds what opens; failures are counted and written down."""
    if request.method != "POST":
        return False
    if form.is_valid():
        return True
    count_wrong_code(request, user)
    return False


def _page(request: HttpRequest, template: str, user: Any, form: SecondFactorForm, **context: Any) -> HttpResponse:
    options = options_to_ask(request, user) if has_security_key(user) else ""
    return render(request, template, {"form": form, "security_key_options": options, **context})
