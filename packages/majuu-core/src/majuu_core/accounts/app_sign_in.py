"""Signing in from an app, by allauth's own flows: the same stages, limits and audit entries as on the pages.

What is pending between the password and the second factor lies in a session of its own; cookies are never read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from allauth.account.internal.flows import login as login_flow
from allauth.account.internal.flows import password_reset, signup
from allauth.account.internal.stagekit import get_pending_stage
from allauth.account.stages import LoginStageController
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.account.inputs import (
    LoginInput,
    RequestPasswordResetInput,
    ResetPasswordInput,
    SignupInput,
    VerifyEmailInput,
)
from allauth.headless.constants import Client
from allauth.headless.internal.sessionkit import lookup_session, new_session
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django_otp import DEVICE_ID_SESSION_KEY

from majuu_core.accounts.models import UserSession
from majuu_core.accounts.second_factor import verify_code
from majuu_core.accounts.sign_in_limits import count_wrong_code, may_try_code
from majuu_core.accounts.stages import SecondFactorStage
from majuu_core.accounts.step_up import mark_fresh
from majuu_core.accounts.tokens import Tokens, issue
from majuu_core.accounts.user_sessions import APP_LIFETIME, ROW
from majuu_core.common.problems import Denied, Invalid, Problem, TooMany, Unauthenticated
from majuu_core.throttling.services import caller_key, check, too_many

PENDING_LIFETIME = timedelta(minutes=10)


class SecondFactorNeeded(Unauthenticated):
    """The password was right; the second factor comes next, with this session token."""

    def __init__(self, session_token: str) -> None:
        super().__init__("second_factor_required", "Send a code of your second factor with this session_token.")
        self.session_token = session_token


def sign_in(request: HttpRequest, *, email: str, password: str) -> Tokens:
    """Tokens, for who has no second factor. Raises SecondFactorNeeded, Unauthenticated, Denied, TooMany."""
    with _app_session(request):
        given = LoginInput({"email": email, "password": password})
        if not given.is_valid():
            raise _refused_sign_in(given)
        login_flow.perform_password_login(request, given.cleaned_data, given.login)
        return _outcome(request)


def show_second_factor(request: HttpRequest, *, session_token: str, code: str) -> Tokens:
    """Tokens, when the code is right. Raises Unauthenticated ``session_token_invalid``, ``code_wrong``, TooMany."""
    with _app_session(request, session_token):
        stage: Any = LoginStageController.enter(request, SecondFactorStage.key)
        if stage is None or not stage.may_go_on():
            raise Unauthenticated("session_token_invalid", "This session_token is not valid any more. Sign in again.")
        user = stage.login.user
        if not may_try_code(request, user):
            raise TooMany("too_many_attempts", "Too many wrong codes. Wait ten minutes.", retry_after=600)
        device = verify_code(user, code)
        if device is None:
            counted = count_wrong_code(request, user)
            if not counted.allowed:
                raise too_many(counted)
            raise Unauthenticated("code_wrong", "That code is not right, or it was used before.", field="code")
        user.otp_device = device
        login_flow.record_authentication(request, user, "otp", device=device.persistent_id)
        stage.exit()
        mark_fresh(request)
        return _outcome(request)


def register(request: HttpRequest, *, email: str, password: str) -> None:
    """Make an account and send the letter that confirms it. Says nothing about whether there was one before.

    Raises Invalid for a password that is too weak, TooMany.
    """
    check("register_address", caller_key(request))
    with _app_session(request):
        given = SignupInput({"email": email, "password": password})
        _check_valid(given)
        with transaction.atomic():
            user, answer = given.try_save(request)
            if answer is None:
                try:
                    signup.complete_signup(request, user=user)
                except ImmediateHttpResponse:
                    pass
        request.session.flush()


def verify_email(request: HttpRequest, *, key: str) -> None:
    """Confirm an address by the key of the letter. Signs nobody in. Raises Invalid, TooMany."""
    check("register_address", caller_key(request))
    with _app_session(request):
        given = VerifyEmailInput({"key": key})
        _check_valid(given)
        given.verification.confirm(request)


def ask_for_reset(request: HttpRequest, *, email: str) -> None:
    """Send the letter that resets a password. Says nothing about whether there is an account. Raises TooMany."""
    check("password_reset_address", caller_key(request))
    check("password_reset_account", email.strip().casefold())
    with _app_session(request):
        given = RequestPasswordResetInput({"email": email})
        _check_valid(given)
        given.save(request)


def reset_password(request: HttpRequest, *, key: str, password: str) -> None:
    """Set a new password by the key of the letter. Signs nobody in, and every session ends. Raises Invalid, TooMany."""
    check("password_reset_address", caller_key(request))
    with _app_session(request):
        given = ResetPasswordInput({"key": key, "password": password})
        _check_valid(given)
        password_reset.reset_password(given.user, given.cleaned_data["password"])
        password_reset.finalize_password_reset(request, given.user)
        request.session.flush()


@contextmanager
def _app_session(request: HttpRequest, session_token: str = "") -> Iterator[None]:
    """A session of the app's own in place of a browser's, for the length of a block."""
    session = lookup_session(session_token) if session_token else new_session()
    if session is None or ROW in session:  # a session token is for a sign-in that is not finished
        raise Unauthenticated("session_token_invalid", "This session_token is not valid any more. Sign in again.")
    request.session = session
    request.user = SimpleLazyObject(lambda: get_user(request))  # type: ignore[assignment]
    headless = SimpleNamespace(client=Client.APP, _pre_user=AnonymousUser())
    request.allauth = SimpleNamespace(headless=headless)  # type: ignore[attr-defined]
    with context.request_context(request):
        yield
    if request.session.modified and not request.session.is_empty():
        request.session.save()


def _outcome(request: HttpRequest) -> Tokens:
    if request.user.is_authenticated:
        request.session.set_expiry(int(APP_LIFETIME.total_seconds()))
        request.session.save()
        row = UserSession.objects.get(pk=request.session[ROW])
        return issue(row, second_factor=DEVICE_ID_SESSION_KEY in request.session)
    stage = get_pending_stage(request)
    if stage is not None and stage.key == SecondFactorStage.key:
        request.session.set_expiry(int(PENDING_LIFETIME.total_seconds()))
        request.session.save()
        raise SecondFactorNeeded(str(request.session.session_key))
    raise Denied("email_unverified", "Confirm your e-mail address first: we have sent you a letter.")


def _refused_sign_in(given: Any) -> Problem:
    codes = {problem.code for problems in given.errors.as_data().values() for problem in problems}
    if "too_many_login_attempts" in codes:
        return TooMany("too_many_attempts", "Too many failed sign-ins. Wait ten minutes.", retry_after=600)
    return Unauthenticated("credentials_wrong", "The e-mail address or the password is not right.")


def _check_valid(given: Any) -> None:
    if given.is_valid():
        return
    name, problems = next(iter(given.errors.as_data().items()))
    field = "" if name == "__all__" else str(name)
    code = {"key": "key_invalid", "password": "password_refused"}.get(field, "parameter_invalid")
    raise Invalid(code, " ".join(problems[0].messages), field=field)
