"""Registration and sign-in from an app. Answers say nothing about who has an account.

No Idempotency-Key: nothing that was answered here, passwords and tokens above all, is kept to be answered again.
"""

from __future__ import annotations

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Router

from majuu_core.accounts import app_sign_in
from majuu_core.accounts.tokens import TokenRefused, Tokens, refresh
from majuu_core.accounts.trail import note
from majuu_core.accounts.user_sessions import end
from majuu_core.api import limits
from majuu_core.api.responses import json_response, problem_response
from majuu_core.api.schemas import ProblemOut
from majuu_core.api.user_auth import UserBearer, person
from majuu_core.api.v1.sign_in_schemas import (
    AcceptedOut,
    AddressIn,
    CredentialsIn,
    NewPasswordIn,
    RefreshIn,
    SecondFactorIn,
    SecondFactorRequiredOut,
    TokensOut,
    VerifyEmailIn,
)
from majuu_core.common.problems import Unauthenticated
from majuu_core.payments.representation import represent_time

router = Router(tags=["Sign-in"], auth=None)
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 422: ProblemOut, 429: ProblemOut}
_ASKED = {202: AcceptedOut, 422: ProblemOut, 429: ProblemOut}


@router.post("/register", response=_ASKED, operation_id="register", summary="Register", url_name="auth_register")
def register(request: HttpRequest, body: CredentialsIn) -> HttpResponse:
    """Sends a letter to the address; the account opens when it is confirmed. Same answer for an address known here."""
    app_sign_in.register(request, email=body.email, password=body.password)
    return _accepted(request)


@router.post(
    "/verify-email",
    response=_ASKED,
    operation_id="verify_email",
    summary="Confirm an e-mail address",
    url_name="auth_verify_email",
)
def verify_email(request: HttpRequest, body: VerifyEmailIn) -> HttpResponse:
    """With the key of the letter. Signs nobody in."""
    app_sign_in.verify_email(request, key=body.key)
    return _accepted(request)


@router.post(
    "/login",
    response={200: TokensOut, **_PROBLEMS, 401: SecondFactorRequiredOut},
    operation_id="login",
    summary="Sign in",
    url_name="auth_login",
)
def login(request: HttpRequest, body: CredentialsIn) -> HttpResponse:
    """Tokens; or 401 `second_factor_required` with a `session_token` that is good for ten minutes."""
    try:
        return _tokens(request, app_sign_in.sign_in(request, email=body.email, password=body.password))
    except app_sign_in.SecondFactorNeeded as needed:
        answer = problem_response(request, 401, needed.code, needed.message)
        answer.content = orjson.dumps(orjson.loads(answer.content) | {"session_token": needed.session_token})
        return answer


@router.post(
    "/second-factor",
    response={200: TokensOut, **_PROBLEMS},
    operation_id="show_second_factor",
    summary="Show the second factor",
    url_name="auth_second_factor",
)
def second_factor(request: HttpRequest, body: SecondFactorIn) -> HttpResponse:
    """The second step, for people who have a second factor."""
    return _tokens(request, app_sign_in.show_second_factor(request, session_token=body.session_token, code=body.code))


@router.post(
    "/refresh",
    response={200: TokensOut, **_PROBLEMS},
    operation_id="refresh_tokens",
    summary="Get new tokens",
    url_name="auth_refresh",
)
def refresh_tokens(request: HttpRequest, body: RefreshIn) -> HttpResponse:
    """A refresh token works once. Sent a second time it ends the session, for whoever uses it."""
    try:
        return _tokens(request, refresh(request, body.refresh_token))
    except TokenRefused as problem:
        limits.refuse(request)
        raise Unauthenticated("token_invalid", str(problem), field="refresh_token") from None


@router.post(
    "/logout",
    response={204: None, **_PROBLEMS},
    auth=UserBearer(),
    operation_id="logout",
    summary="Sign out",
    url_name="auth_logout",
)
def logout(request: HttpRequest) -> HttpResponse:
    """Ends the session of the access token: none of its tokens works any more."""
    caller = person(request)
    end(caller.session)
    note(request, caller.user, "user.signed_out")
    return HttpResponse(status=204)


@router.post(
    "/password-reset",
    response=_ASKED,
    operation_id="ask_for_password_reset",
    summary="Forgot the password",
    url_name="auth_password_reset",
)
def password_reset(request: HttpRequest, body: AddressIn) -> HttpResponse:
    """Sends a letter. Same answer for an address that is not known here."""
    app_sign_in.ask_for_reset(request, email=body.email)
    return _accepted(request)


@router.post(
    "/password-reset/confirm",
    response=_ASKED,
    operation_id="reset_password",
    summary="Choose a new password",
    url_name="auth_password_reset_confirm",
)
def password_reset_confirm(request: HttpRequest, body: NewPasswordIn) -> HttpResponse:
    """With the key of the letter. Every session ends, nobody is signed in, and the second factor stays."""
    app_sign_in.reset_password(request, key=body.key, password=body.password)
    return _accepted(request)


def _accepted(request: HttpRequest) -> HttpResponse:
    return json_response(request, 202, {"object": "accepted"})


def _tokens(request: HttpRequest, tokens: Tokens) -> HttpResponse:
    payload = {
        "object": "tokens",
        "token_type": "Bearer",
        "access_token": tokens.access_token,
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
        "session": tokens.session.public_id,
        "session_expires_at": represent_time(tokens.session.expires_at),
    }
    return json_response(request, 200, payload)
