"""Accounts at providers: made, changed, switched off, and turned into a provider that can be called."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.views.decorators.debug import sensitive_variables

from majuu_core.common import clock
from majuu_core.common.redaction import redact_text
from majuu_core.configuration import provider_options
from majuu_core.database.batch import WriteBatch
from majuu_core.database.sealed import ResealReport
from majuu_core.merchants.credentials import (
    SEALED,
    checked_credentials,
    open_credentials,
    provider_class,
    record_account_entry,
)
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.saving import insert_row, update_row
from majuu_core.merchants.shared_cache import DjangoSharedCache
from majuu_core.providers.base import PaymentProvider, ProviderContext
from majuu_core.providers.errors import InvalidCredentials
from majuu_core.providers.http import Exchange, ProviderHttp
from majuu_core.providers.installed import installed_providers

__all__ = [
    "activate_provider_account",
    "candidate_accounts",
    "check_provider_account",
    "create_provider_account",
    "deactivate_provider_account",
    "open_credentials",
    "own_money_account",
    "provider_for",
    "record_health",
    "rotate_credentials",
    "update_credentials",
    "update_provider_account",
]
_MESSAGE_LENGTH = 300
_HEALTH_WRITTEN_EVERY = timedelta(minutes=1)


@sensitive_variables("credentials", "plain")
def create_provider_account(
    *,
    store: Store | None,
    provider: str,
    livemode: bool,
    name: str,
    credentials: Mapping[str, Any],
    priority: int = 0,
) -> ProviderAccount:
    """Store credentials at a provider, encrypted. Without a store the account is the platform's: all stores use it.

    Raises InvalidInput with a violation per field, e.g. ``credentials.passkey``.
    """
    plain = checked_credentials(provider_class(provider), credentials)
    account = ProviderAccount(
        store=store, provider=provider, livemode=livemode, name=name.strip(), priority=priority, credentials=""
    )
    account.credentials = SEALED.seal(account, plain)
    with transaction.atomic():
        insert_row(account)
        shown = ("provider", "livemode", "name", "priority")
        record_account_entry(
            account, "provider_account.created", {field: [None, getattr(account, field)] for field in shown}
        )
    return account


_OWN_MONEY = uuid.UUID("0b7c1b6e-3f64-5d0e-9a43-7b3f1c7b2d55")


def own_money_account(code: str, *, livemode: bool) -> ProviderAccount:
    """The account behind which no provider stands but our own books: where charges paid from wallets belong.

    It is inactive, so no payment is ever sent there, and its id follows from code and mode, so there is one.
    """
    key = uuid.uuid5(_OWN_MONEY, f"{code}|{'live' if livemode else 'test'}")
    found = ProviderAccount.objects.filter(pk=key).first()
    if found is not None:
        return found
    account = ProviderAccount(
        pk=key, provider=code, livemode=livemode, name=code.capitalize(), is_active=False, credentials=""
    )
    account.credentials = SEALED.seal(account, b"{}")
    batch = WriteBatch()
    batch.insert_if_absent(account)
    batch.execute()
    return ProviderAccount.objects.get(pk=key)


@sensitive_variables("credentials", "plain")
def update_credentials(*, account: ProviderAccount, credentials: Mapping[str, Any]) -> ProviderAccount:
    """Replace all credentials of an account. Its health is unknown afterwards. Raises InvalidInput."""
    plain = checked_credentials(provider_class(account.provider), credentials)
    with transaction.atomic():
        row = _locked(account)
        row.credentials = SEALED.seal(row, plain)
        row.health, row.health_message, row.health_checked_at = ProviderAccount.Health.UNCHECKED, "", None
        row.updated_at = clock.now()
        row.save(update_fields=["credentials", "health", "health_message", "health_checked_at", "updated_at"])
        record_account_entry(row, "provider_account.updated", {"credentials": "replaced"})
    return row


def update_provider_account(
    *, account: ProviderAccount, name: str | None = None, priority: int | None = None
) -> ProviderAccount:
    """Change the name or the priority. Provider, mode and store never change: the database refuses it."""
    wanted = {"name": name.strip() if name is not None else None, "priority": priority}
    return _change(account, {field: value for field, value in wanted.items() if value is not None})


def deactivate_provider_account(*, account: ProviderAccount) -> ProviderAccount:
    """No new payments through this account. What is under way is still followed up."""
    return _change(account, {"is_active": False})


def activate_provider_account(*, account: ProviderAccount) -> ProviderAccount:
    """Take payments through this account again."""
    return _change(account, {"is_active": True})


def candidate_accounts(*, store: Store | uuid.UUID, livemode: bool) -> list[ProviderAccount]:
    """Accounts a payment of this store may use, best first: its own by priority, then the platform's. One query."""
    store_id = store.pk if isinstance(store, Store) else store
    return list(
        ProviderAccount.objects.filter(Q(store_id=store_id) | Q(store_id=None), livemode=livemode, is_active=True)
        .order_by(F("store_id").asc(nulls_last=True), "-priority", "id")
        .all()
    )


def provider_for(account: ProviderAccount, *, observe: Callable[[Exchange], None] | None = None) -> PaymentProvider:
    """The provider, ready to be called for this account. ``observe`` gets every HTTP exchange, redacted.

    Makes no query. Raises UnknownProvider when the provider is not installed any more, CredentialsUnreadable, and
    ImproperlyConfigured for wrong MAJUU_PROVIDERS.
    """
    provider = installed_providers().get(account.provider)
    context = ProviderContext(
        account_id=account.public_id,
        livemode=account.livemode,
        credentials=open_credentials(account),
        http=ProviderHttp(observe=observe),
        cache=DjangoSharedCache(provider=account.provider, livemode=account.livemode),
        options=provider_options(account.provider, livemode=account.livemode),
    )
    return provider(context)


def check_provider_account(
    *, account: ProviderAccount, observe: Callable[[Exchange], None] | None = None
) -> ProviderAccount:
    """Ask the provider whether it takes the credentials, and write down what it said.

    Raises the provider's errors when it gave no answer (NotSent, OutcomeUnknown …); the health stays as it was then.
    Must not be called inside a transaction: it talks to the network.
    """
    try:
        provider_for(account, observe=observe).check_credentials()
    except InvalidCredentials as problem:
        return record_health(account=account, healthy=False, message=str(problem))
    return record_health(account=account, healthy=True)


def record_health(*, account: ProviderAccount, healthy: bool, message: str = "") -> ProviderAccount:
    """Write down whether the provider takes the credentials. Payments are tried either way: it may be over soon.

    What is known already is not written again within a minute, and only a change is audited.
    """
    health = ProviderAccount.Health.HEALTHY if healthy else ProviderAccount.Health.UNHEALTHY
    with transaction.atomic():
        row = _locked(account)
        before, now = row.health, clock.now()
        if (
            before == health
            and row.health_checked_at is not None
            and now - row.health_checked_at < _HEALTH_WRITTEN_EVERY
        ):
            return row
        row.health, row.health_message, row.health_checked_at = health, redact_text(message)[:_MESSAGE_LENGTH], now
        row.save(update_fields=["health", "health_message", "health_checked_at"])
        if before != health:
            record_account_entry(row, "provider_account.updated", {"health": [before, str(health)]})
    return row


def rotate_credentials() -> ResealReport:
    """Encrypt anew all credentials that an older master key sealed. ``manage.py majuu_rotate_keys`` does this too."""
    return SEALED.reseal()


def _change(account: ProviderAccount, values: dict[str, Any]) -> ProviderAccount:
    with transaction.atomic():
        row = _locked(account)
        changes = update_row(row, values)
        if changes:
            ProviderAccount.objects.filter(pk=row.pk).update(updated_at=clock.now())
            record_account_entry(row, "provider_account.updated", changes)
    return row


def _locked(account: ProviderAccount) -> ProviderAccount:
    return ProviderAccount.objects.select_for_update().get(pk=account.pk)
