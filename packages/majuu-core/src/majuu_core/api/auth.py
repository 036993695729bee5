"""Who calls the API: a secret key, sent as a bearer token or in X-API-KEY. A session cookie never counts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import router
from django.http import HttpRequest
from ninja.security import APIKeyHeader, HttpBearer

from majuu_core.api.responses import request_id
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.problems import Denied, Unauthenticated
from majuu_core.merchants.api_keys import KeyIdentity, authenticate
from majuu_core.merchants.errors import KeyRefused, MerchantNotApproved, MerchantSuspended, StoreInactive
from majuu_core.merchants.models import Store

_FORBIDDEN = (MerchantSuspended, MerchantNotApproved, StoreInactive)


class BearerKey(HttpBearer):
    """``Authorization: Bearer sk_…``"""

    def __call__(self, request: HttpRequest) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return identify(request, token.strip()) if scheme.lower() == "bearer" and token else None

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return identify(request, token)


class HeaderKey(APIKeyHeader):
    """``X-API-KEY: sk_…``"""

    param_name = "X-API-KEY"

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return identify(request, key) if key else None


def identify(request: HttpRequest, raw_key: str) -> KeyIdentity:
    """The key's identity. Raises Unauthenticated (401) or Denied (403)."""
    request.user = AnonymousUser()
    try:
        identity = authenticate(raw_key)
    except _FORBIDDEN as problem:
        raise Denied(problem.code, str(problem)) from None
    except KeyRefused as problem:
        raise Unauthenticated(problem.code, str(problem)) from None
    if not identity.is_secret:
        raise Denied("secret_key_required", "This needs a secret key (sk_…); publishable keys are for checkout pages.")
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
    """Everything inside the block is done by the request's key."""
    identity: KeyIdentity = request.auth  # type: ignore[attr-defined]
    address = getattr(request, "majuu_remote_addr", request.META.get("REMOTE_ADDR", ""))
    return acting_as(Actor(type="key", id=identity.public_key_id, remote_addr=address, request_id=request_id(request)))
