"""``POST /oauth/token``: an OAuth client trades its secret for an access token.

RFC 6749 section 4.4, and no other grant. Answers and refusals are those of its section 5, not the API's own.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from majuu_core.api.responses import json_response, request_id
from majuu_core.common.problems import TooMany
from majuu_core.merchants.client_tokens import GrantedToken, grant_token, note_refused_client
from majuu_core.merchants.errors import InvalidInput, KeyExpired, KeyRefused, KeyRevoked, KeyUnknown
from majuu_core.network.client import address_of
from majuu_core.throttling.services import caller_key, check

GRANT = "client_credentials"
FORM = "application/x-www-form-urlencoded"
_WRONG = (KeyUnknown, KeyRevoked, KeyExpired)


class Refused(Exception):
    """A refusal as RFC 6749 section 5.2 has it: ``error`` is one of its codes."""

    def __init__(self, error: str, text: str, *, status: int = 400, retry_after: int | None = None) -> None:
        super().__init__(text)
        self.error, self.text, self.status, self.retry_after = error, text, status, retry_after


@csrf_exempt
@sensitive_post_parameters("client_secret")
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Answer an access token, or say why there is none."""
    try:
        granted = _grant(request, _parameters(request))
    except Refused as refusal:
        return _refuse(request, refusal)
    return _unstored(
        json_response(
            request,
            200,
            {
                "access_token": granted.token,
                "token_type": "Bearer",
                "expires_in": granted.seconds,
                "scope": " ".join(granted.scopes),
            },
        )
    )


@sensitive_variables("secret", "parameters")
def _grant(request: HttpRequest, parameters: dict[str, str]) -> GrantedToken:
    client_id, secret = _credentials(request, parameters)
    grant_type = parameters.get("grant_type", "")
    if not grant_type:
        raise Refused("invalid_request", "grant_type is missing.")
    if grant_type != GRANT:
        raise Refused("unsupported_grant_type", f"Only the grant type {GRANT} is offered.")
    scope = parameters.get("scope")
    try:
        return grant_token(
            client_id=client_id,
            secret=secret,
            scopes=None if scope is None else scope.split(" "),
            address=address_of(request),
            request_id=request_id(request),
        )
    except KeyRefused as problem:
        raise _refusal_of(request, client_id, problem) from None
    except InvalidInput as problem:
        raise Refused("invalid_scope", problem.message) from None
    except TooMany as problem:
        raise _too_many(problem) from None


def _parameters(request: HttpRequest) -> dict[str, str]:
    """The form's fields. One without a value counts as left out, one that comes twice is refused (section 3.2)."""
    if request.GET:
        raise Refused("invalid_request", "Send parameters in the body: addresses are written into logs.")
    if request.content_type != FORM:
        raise Refused("invalid_request", f"Send a body of type {FORM}.")
    found: dict[str, str] = {}
    for name, values in request.POST.lists():
        if len(values) > 1:
            raise Refused("invalid_request", "A parameter was sent more than once.")
        if values[0]:
            found[name] = values[0]
    return found


@sensitive_variables("secret", "parameters")
def _credentials(request: HttpRequest, parameters: dict[str, str]) -> tuple[str, str]:
    """Who asks, by HTTP Basic or in the body (section 2.3.1)."""
    client_id, secret = parameters.get("client_id", ""), parameters.get("client_secret", "")
    if "Authorization" not in request.headers:
        if not client_id or not secret:
            raise Refused("invalid_client", "Send the client's id and secret.", status=401)
        return client_id, secret
    if secret:
        raise Refused("invalid_request", "Send the client's secret in one way, not in two.")
    sent_id, secret = _basic(request.headers["Authorization"])
    if client_id and client_id != sent_id:
        raise Refused("invalid_request", "client_id differs from the one in the Authorization header.")
    return sent_id, secret


@sensitive_variables("header", "encoded", "decoded", "secret")
def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        decoded = ""
    client_id, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise Refused("invalid_client", "The Authorization header is not HTTP Basic.", status=401)
    return unquote_plus(client_id), unquote_plus(secret)


def _refusal_of(request: HttpRequest, client_id: str, problem: KeyRefused) -> Refused:
    """What a refused client is answered; it is counted first, and a wrong or ended secret is written down."""
    caller = address_of(request)
    try:
        check("token_address", caller_key(request))
        if isinstance(problem, _WRONG):
            check("token_client", f"{client_id} {caller_key(request)}")
    except TooMany as limit:
        return _too_many(limit)
    if isinstance(problem, _WRONG):
        note_refused_client(client_id=client_id, address=caller, request_id=request_id(request))
        return Refused("invalid_client", _TEXTS[type(problem)], status=401)
    return Refused("unauthorized_client", str(problem))


_TEXTS: dict[type[KeyRefused], str] = {
    KeyUnknown: "The client id or the secret is wrong.",
    KeyRevoked: "This client was revoked.",
    KeyExpired: "This secret has expired. Use the one that replaced it.",
}


def _too_many(problem: TooMany) -> Refused:
    return Refused("temporarily_unavailable", problem.message, status=429, retry_after=problem.retry_after)


def _refuse(request: HttpRequest, refusal: Refused) -> HttpResponse:
    payload: dict[str, Any] = {"error": refusal.error, "error_description": refusal.text}
    response = json_response(request, refusal.status, payload)
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    if refusal.error == "invalid_client":
        response["WWW-Authenticate"] = 'Basic realm="majuu"'
    return _unstored(response)


def _unstored(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response
