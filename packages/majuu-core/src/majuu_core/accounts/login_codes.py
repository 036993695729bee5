"""Signing in by a code that was sent by e-mail."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from allauth.account.models import EmailAddress
from allauth.account.stages import LoginByCodeStage, LoginStageController
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from majuu_core.accounts.trail import note


def confirm_login_code(request: HttpRequest) -> HttpResponseBase:
    """allauth's page for the code.

    A code confirms the address, too. If none of the account was confirmed before, anybody may have made it: then the
    password and the other sites it was made with no longer open it.
    """
    stage: Any = LoginStageController.enter(request, LoginByCodeStage.key)
    user = stage.login.user if stage else None
    was_unproved = user is not None and not _is_proved(user)
    answer: HttpResponseBase = views.confirm_login_code(request)
    if was_unproved and _is_proved(user) and request.user == user:
        _forget_who_made_it(request)
    return answer


def _is_proved(user: Any) -> bool:
    return bool(EmailAddress.objects.filter(user=user, verified=True).exists())


def _forget_who_made_it(request: HttpRequest) -> None:
    user: Any = request.user
    with transaction.atomic():
        user.set_unusable_password()
        user.save(update_fields=["password"])
        SocialAccount.objects.filter(user=user).delete()
        note(request, user, "user.password_removed")
    update_session_auth_hash(request, user)
    messages.info(request, "Your address is confirmed. A password chosen before that no longer works: set a new one.")
