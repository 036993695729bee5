"""Rows for tests, made by the real services with defaults that work. Needs Django and a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from majuu_core.common import randomness
from majuu_core.merchants.api_keys import CreatedKey, create_api_key
from majuu_core.merchants.models import Merchant, ProviderAccount, Store
from majuu_core.merchants.provider_accounts import create_provider_account
from majuu_core.merchants.services import approve_merchant, create_merchant, create_store

PASSWORD = "correct horse battery"


def make_user(*, email: str = "", password: str = PASSWORD, **fields: Any) -> Any:
    """A user of the project's own model, with a password that works."""
    name = f"user-{_suffix()}"
    fields.setdefault(get_user_model().USERNAME_FIELD, name)
    user = get_user_model()(email=email or f"{name}@example.com", **fields)
    user.set_password(password)
    user.save()
    return user


def make_merchant(*, name: str = "Duka Ltd", approved: bool = True, owner: Any = None, **fields: Any) -> Merchant:
    """A business; approved unless told otherwise."""
    merchant = create_merchant(name=name, owner=owner, **fields)
    return approve_merchant(merchant=merchant) if approved else merchant


def make_store(*, merchant: Merchant | None = None, name: str = "Duka", **fields: Any) -> Store:
    """A store, of an approved merchant of its own unless one is given."""
    fields.setdefault("code", f"store-{_suffix()}")
    return create_store(merchant=merchant or make_merchant(), name=name, **fields)


def make_api_key(
    *,
    store: Store | None = None,
    livemode: bool = False,
    kind: str = "secret",
    scopes: Collection[str] | None = None,
    expires_at: datetime | None = None,
    **limits: Any,
) -> CreatedKey:
    """A key that opens everything: send ``made.key``, look at ``made.row``. ``limits`` as create_api_key takes them."""
    return create_api_key(
        store=store or make_store(), livemode=livemode, kind=kind, scopes=scopes, expires_at=expires_at, **limits
    )


def make_provider_account(
    *,
    store: Store | None = None,
    platform: bool = False,
    provider: str = "mock",
    livemode: bool = False,
    name: str = "",
    credentials: Mapping[str, Any] | None = None,
    priority: int = 0,
) -> ProviderAccount:
    """An account at the mock provider, of a store of its own unless one is given; ``platform`` makes it everybody's."""
    return create_provider_account(
        store=None if platform else store or make_store(),
        provider=provider,
        livemode=livemode,
        name=name or f"account-{_suffix()}",
        credentials=credentials if credentials is not None else {"secret": f"mock-secret-{_suffix()}"},
        priority=priority,
    )


def _suffix() -> str:
    return randomness.encode_url_safe(randomness.secret_bytes(10))
