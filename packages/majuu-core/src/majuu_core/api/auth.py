"""Who calls the API: a secret key, sent as a bearer token or in X-API-KEY, or an OAuth client's access token.

A session cookie never counts.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.db import router
from django.http import HttpRequest
from ninja.security import APIKeyHeader, HttpBearer
from ninja.security.base import AuthBase

from majuu_core.api import limits
from majuu_core.api.responses import request_id
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.problems import Denied, Unauthenticated
from majuu_core.merchants.api_keys import KeyIdentity, authenticate
from majuu_core.merchants.client_tokens import authenticate_token
from majuu_core.merchants.errors import (
    AddressNotAllowed,
    KeyRefused,
    MerchantNotApproved,
    MerchantSuspended,
    StoreInactive,
)
from majuu_core.merchants.key_addresses import note_use
from majuu_core.merchants.key_format import kind_of
from majuu_core.merchants.models import Store
from majuu_core.network.client import address_of

_FORBIDDEN = (AddressNotAllowed, MerchantSuspended, MerchantNotApproved, StoreInactive)

# A person's access token has them, no API key has one.
_DOTS_OF_TOKEN = 2


class BearerKey(HttpBearer):
    """``Authorization: Bearer sk_…``"""

    takes_publishable = False

    def __call__(self, request: HttpRequest) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.authenticate(request, token.strip()) if scheme.lower() == "bearer" and token else None

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return identify(request, token, takes_publishable=self.takes_publishable)


class HeaderKey(APIKeyHeader):
    """``X-API-KEY: sk_…``"""

    param_name = "X-API-KEY"
    takes_publishable = False

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return identify(request, key, takes_publishable=self.takes_publishable) if key else None


class ClientAccessToken(AuthBase):
    """``Authorization: Bearer tk_…``, an OAuth client's. ``BearerKey`` looks at it; this is for the documentation."""

    openapi_type = "oauth2"
    openapi_flows: ClassVar[dict[str, Any]] = {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}}

    def __call__(self, request: HttpRequest) -> None:
        """Nobody: a bearer of whatever kind was let in or refused before."""


class CheckoutBearerKey(BearerKey):
    """``Authorization: Bearer pk_…``: for what a customer's browser may ask. See v1/checkout.py."""

    takes_publishable = True


class CheckoutHeaderKey(HeaderKey):
    """``X-API-KEY: pk_…``"""

    takes_publishable = True


def identify(request: HttpRequest, raw_key: str, *, takes_publishable: bool = False) -> KeyIdentity:
    """The identity of the key, or of the access token's client; the request is counted.

    Raises Unauthenticated (401), Denied (403) or TooMany (429).
    """
    request.user = AnonymousUser()
    address = address_of(request)
    if raw_key.count(".") == _DOTS_OF_TOKEN:
        limits.refuse(request)
        raise Unauthenticated("api_key_required", "A person's access token opens nothing here. Send an API key.")
    try:
        check = authenticate_token if kind_of(raw_key) == "token" else authenticate
        identity = check(raw_key, address=address)
    except KeyRefused as problem:
        limits.refuse(request)
        kind = Denied if isinstance(problem, _FORBIDDEN) else Unauthenticated
        raise kind(problem.code, str(problem)) from None
    limits.admit(request, identity)
    if not identity.is_secret and not takes_publishable:
        raise Denied("secret_key_required", "This needs a secret key (sk_…); publishable keys are for checkout pages.")
    client = request.headers.get("User-Agent", "")
    note_use(identity, address=address, client=client, request_id=request_id(request))
    return identity


def require(request: HttpRequest, scope: str) -> KeyIdentity:
    """The caller, if the key has the scope. Raises Denied."""
    identity: KeyIdentity = request.auth  # type: ignore[attr-defined]
    if not identity.allows(scope):
        raise Denied("scope_missing", f"This key lacks the scope {scope}. Use a key that has it.")
    return identity


def store_of(identity: KeyIdentity) -> Store:
    """The caller's store. Only its ids are known; other columns are read from the database when they are used."""
    using = router.db_for_read(Store)
    return Store.from_db(using, ["id", "merchant_id"], [identity.store_id, identity.merchant_id])


def acting(request: HttpRequest) -> Any:
    """Everything inside the block is done by the request's key, or by the client of its access token."""
    identity: KeyIdentity = request.auth  # type: ignore[attr-defined]
    address = address_of(request)
    kind, holder = identity.holder
    return acting_as(Actor(type=kind, id=holder, remote_addr=address, request_id=request_id(request)))
