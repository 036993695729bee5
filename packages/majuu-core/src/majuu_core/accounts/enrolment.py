"""The pages on which people look after their second factor: set up, backup codes, removal.

Each change needs proof of who it is: the second factor of just now, or for those without one the password of just now.
It is written down, and the person is told by e-mail.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from collections.abc import Callable
from functools import wraps
from typing import Any

import django_otp
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp import user_has_device
from two_factor.views import QRGeneratorView

from majuu_core.accounts.gate import own_account_view
from majuu_core.accounts.home import home_of
from majuu_core.accounts.policy import second_factor_required
from majuu_core.accounts.second_factor import (
    add_app,
    backup_codes_left,
    make_backup_codes,
    own_devices,
    remove_device,
)
from majuu_core.accounts.second_factor_forms import AppForm, SecurityKeyForm
from majuu_core.accounts.security_keys import add_security_key, options_to_make
from majuu_core.accounts.step_up import ask_for_second_factor, go_to, is_fresh, mark_fresh, safe_next
from majuu_core.accounts.timeouts import just_signed_in
from majuu_core.accounts.trail import note
from majuu_core.common import randomness

# How long ago somebody without a second factor may have signed in, in seconds.
SIGNED_IN_WITHIN = 10 * 60
# The key of an app that is being set up, in base 32, until its first code came. two_factor draws it from here.
NEW_APP = QRGeneratorView.session_key_name
AFTERWARDS = "majuu_after_set_up"
_NO_KEY = "The security key was not accepted. Try again."


def proof_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Only for those who have just proved who they are."""

    @never_cache
    @own_account_view
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if user_has_device(request.user):
            return view(request, *args, **kwargs) if is_fresh(request) else ask_for_second_factor(request)
        if just_signed_in(request, within=SIGNED_IN_WITHIN) or did_recently_reauthenticate(request):
            return view(request, *args, **kwargs)
        return go_to("account_reauthenticate", request)

    return wrapped


@never_cache
@own_account_view
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """What second factors the person has."""
    user = request.user
    devices = own_devices(user)
    must = second_factor_required(user)
    context = {
        "devices": devices,
        "codes_left": backup_codes_left(user),
        "must": must,
        "may_remove": not must or len(devices) > 1,
    }
    return render(request, "majuu_accounts/second_factor.html", context)


@proof_required
@require_GET
def set_up(request: HttpRequest) -> HttpResponse:
    """Which kind: an app or a security key."""
    if "next" in request.GET:
        request.session[AFTERWARDS] = safe_next(request, home_of(request.user))
    context = {"must": second_factor_required(request.user), "has_device": user_has_device(request.user)}
    return render(request, "majuu_accounts/set_up.html", context)


@proof_required
@require_http_methods(["GET", "POST"])
def set_up_app(request: HttpRequest) -> HttpResponse:
    """An authenticator app: shows its key as a picture and as text, and takes the first code."""
    if request.method == "GET" or NEW_APP not in request.session:
        request.session[NEW_APP] = b32encode(randomness.secret_bytes(20)).decode()
    text = request.session[NEW_APP]
    key = b32decode(text)
    form = AppForm(request.POST if request.method == "POST" else None, key=key)
    if request.method == "POST" and form.is_valid():
        del request.session[NEW_APP]
        device = add_app(request.user, key=key.hex(), name=form.cleaned_data["name"], last_step=form.last_step)
        return _added(request, device, "authenticator app")
    context = {"form": form, "key": " ".join(text[i : i + 4] for i in range(0, len(text), 4))}
    return render(request, "majuu_accounts/set_up_app.html", context)


@proof_required
@require_http_methods(["GET", "POST"])
def set_up_key(request: HttpRequest) -> HttpResponse:
    """A security key or passkey."""
    form = SecurityKeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        answer = form.cleaned_data
        device = add_security_key(request, request.user, answer["security_key"], answer["name"])
        if device is not None:
            return _added(request, device, "security key")
        messages.error(request, _NO_KEY)
    context = {"form": form, "options": options_to_make(request, request.user)}
    return render(request, "majuu_accounts/set_up_key.html", context)


@proof_required
@require_http_methods(["GET", "POST"])
def backup_codes(request: HttpRequest) -> HttpResponse:
    """Make new backup codes; they are shown once."""
    if not own_devices(request.user):
        return redirect("two_factor:setup")
    if request.method == "GET":
        context = {"codes_left": backup_codes_left(request.user)}
        return render(request, "majuu_accounts/backup_codes.html", context)
    codes = make_backup_codes(request.user)
    note(request, request.user, "user.backup_codes_made")
    _tell(request, "New backup codes were made; older ones no longer work.")
    afterwards = request.session.pop(AFTERWARDS, "")
    return render(request, "majuu_accounts/backup_codes.html", {"codes": codes, "afterwards": afterwards})


@proof_required
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Remove one device, but not the last of somebody who must have one."""
    user = request.user
    if not remove_device(user, request.POST.get("device", ""), keep_one=second_factor_required(user)):
        messages.error(request, "This device cannot be removed. Set up another one first.")
        return redirect("two_factor:profile")
    note(request, user, "user.second_factor_removed")
    _tell(request, "A second factor was removed from your account.")
    messages.success(request, "Removed.")
    return redirect("two_factor:profile")


def _added(request: HttpRequest, device: Any, kind: str) -> HttpResponseRedirect:
    """The new device verifies this session. Others are asked to show it; the next page is that of the backup codes."""
    django_otp.login(request, device)
    request.session.cycle_key()
    mark_fresh(request)
    note(request, request.user, "user.second_factor_added", kind=kind)
    _tell(request, f"A second factor ({kind}) was set up for your account.")
    messages.success(request, "Your second factor is set up. Make backup codes now, in case you lose it.")
    return HttpResponseRedirect(reverse("two_factor:backup_tokens"))


def _tell(request: HttpRequest, what: str) -> None:
    get_adapter(request).send_notification_mail("majuu_accounts/email/second_factor", request.user, {"what": what})
