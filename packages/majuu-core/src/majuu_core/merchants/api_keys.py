"""API keys: made, checked and revoked here. A key is shown once; the database holds only its keyed hash."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.views.decorators.debug import sensitive_variables

from majuu_core.audit.services import record_entry
from majuu_core.common import clock, crypto
from majuu_core.common.ids import encode_id
from majuu_core.configuration import encryption_keys, key_cache_seconds
from majuu_core.merchants import key_format
from majuu_core.merchants.errors import (
    ActionRefused,
    InvalidInput,
    KeyExpired,
    KeyRevoked,
    KeyUnknown,
    MerchantNotApproved,
    MerchantSuspended,
    StoreInactive,
)
from majuu_core.merchants.key_cache import KeyRecord, key_cache
from majuu_core.merchants.models import ApiKey, Merchant, Store
from majuu_core.merchants.saving import insert_row
from majuu_core.providers.types import Violation

PURPOSE = "api-key"
USE_WRITTEN_EVERY = timedelta(minutes=1)
MAX_SCOPES = 50
_SCOPE = re.compile(r"\*|[a-z][a-z_]{0,40}:(?:\*|[a-z][a-z_]{0,20})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey:
    """A new key. ``key`` is the only copy there will ever be: show it once and forget it."""

    key: str = field(repr=False)
    row: ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIdentity:
    """Who calls: what a valid key stands for."""

    key_id: uuid.UUID
    store_id: uuid.UUID
    merchant_id: uuid.UUID
    livemode: bool
    kind: str  # "secret" | "publishable"
    scopes: frozenset[str]
    merchant_status: str

    @property
    def is_secret(self) -> bool:
        return self.kind == "secret"

    @property
    def public_key_id(self) -> str:
        """The key's public id, e.g. for the audit log."""
        return key_public_id(self.key_id)

    def allows(self, scope: str) -> bool:
        """True when the key may do this, e.g. ``payment_intents:write``."""
        return not self.scopes.isdisjoint(("*", scope, f"{scope.partition(':')[0]}:*"))


def key_public_id(key_id: uuid.UUID) -> str:
    """The public id of a key row."""
    return encode_id(ApiKey.id_prefix, key_id)


@sensitive_variables("key")
def create_api_key(
    *,
    store: Store,
    livemode: bool,
    kind: str = ApiKey.Kind.SECRET,
    name: str = "",
    scopes: Collection[str] | None = None,
    expires_at: datetime | None = None,
    created_by: Any = None,
) -> CreatedKey:
    """Make a key for a store. Without ``scopes`` a secret key may do everything, a publishable one nothing.

    Raises InvalidInput, and ActionRefused (``merchant_not_approved``, ``merchant_suspended``, ``store_inactive``): a
    live key exists only for an approved merchant.
    """
    scopes = _checked_scopes(kind, scopes)
    if kind not in ApiKey.Kind.values:
        raise InvalidInput(Violation(code="invalid_choice", message='Use "secret" or "publishable".', field="kind"))
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidInput(Violation(code="in_the_past", message="This moment has passed.", field="expires_at"))
    key = key_format.new_key(kind=kind, livemode=livemode)
    row = ApiKey(
        store=store,
        kind=kind,
        livemode=livemode,
        name=name,
        prefix=key_format.prefix_of(key),
        last4=key[-4:],
        scopes=scopes,
        expires_at=expires_at,
        created_by=created_by,
        **_hash_fields(key),
    )
    with transaction.atomic():
        _check_may_have_key(store, livemode=livemode)
        insert_row(row)
        record_entry(
            action="api_key.created",
            object_id=row.public_id,
            merchant_id=store.merchant_id,
            store_id=store.pk,
            changes={
                "kind": [None, kind],
                "livemode": [None, livemode],
                "name": [None, name],
                "scopes": [None, scopes],
            },
        )
    return CreatedKey(key=key, row=row)


def revoke_api_key(*, api_key: ApiKey) -> ApiKey:
    """Switch a key off for good: at once in this process, within MAJUU_KEY_CACHE_SECONDS in the others.

    Revoking a revoked key changes nothing.
    """
    with transaction.atomic():
        row = ApiKey.objects.select_for_update().get(pk=api_key.pk)
        if row.revoked_at is None:
            row.revoked_at = clock.now()
            row.save(update_fields=["revoked_at"])
            record_entry(
                action="api_key.revoked",
                object_id=row.public_id,
                merchant_id=row.store.merchant_id,
                store_id=row.store_id,
                changes={"revoked_at": [None, row.revoked_at.isoformat()]},
            )
        forget_cached_keys()
    return row


@sensitive_variables("raw_key")
def authenticate(raw_key: str) -> KeyIdentity:
    """Who this key belongs to. Raises a KeyRefused: KeyUnknown, KeyRevoked, KeyExpired, StoreInactive,
    MerchantSuspended or MerchantNotApproved.

    A text that cannot be a key is refused without a query. A known key costs one query every few seconds, and once a
    minute another one that writes when it was last used.
    """
    if not key_format.is_well_formed(raw_key):
        raise KeyUnknown("This is not an API key. Check that it was copied whole.")
    masters = encryption_keys()
    key_hash = _hash(masters[0], raw_key)
    now = clock.now()
    record = key_cache.get(key_hash, now=now, seconds=key_cache_seconds())
    if record is None:
        record = _read_record(raw_key, key_hash, masters, now)
    _check_record(record, now)
    if record.last_used_at is None or now - record.last_used_at >= USE_WRITTEN_EVERY:
        _write_use(raw_key, key_hash, record, now)
    return KeyIdentity(
        key_id=record.key_id,
        store_id=record.store_id,
        merchant_id=record.merchant_id,
        livemode=record.livemode,
        kind=record.kind,
        scopes=record.scopes,
        merchant_status=record.merchant_status,
    )


def keys_under_older_masters() -> QuerySet[ApiKey]:
    """Keys that may still be used and whose hash was not made with the newest master key."""
    usable = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    newest = crypto.key_id(encryption_keys()[0])
    return ApiKey.objects.filter(usable, revoked_at__isnull=True).exclude(hashed_with=newest)


def forget_cached_keys() -> None:
    """Call inside the transaction that changed a key, a store or a merchant: now, and again when it commits."""
    key_cache.clear()
    transaction.on_commit(key_cache.clear)


@sensitive_variables("raw_key")
def _read_record(raw_key: str, key_hash: str, masters: tuple[str, ...], now: datetime) -> KeyRecord:
    generation = key_cache.generation
    hashes = [key_hash, *(_hash(master, raw_key) for master in masters[1:])]
    row = ApiKey.objects.select_related("store__merchant").filter(key_hash__in=hashes).first()
    if row is None:
        raise KeyUnknown("No such API key. It may have been deleted, or belongs to another installation.")
    record = KeyRecord(
        key_id=row.pk,
        store_id=row.store_id,
        merchant_id=row.store.merchant_id,
        livemode=row.livemode,
        kind=row.kind,
        scopes=frozenset(row.scopes),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        # A hash made with an older master key is renewed at once, whenever the key was used last.
        last_used_at=row.last_used_at if row.key_hash == key_hash else None,
        store_is_active=row.store.is_active,
        merchant_status=row.store.merchant.status,
        read_at=now,
    )
    key_cache.put(key_hash, record, generation=generation)
    return record


def _check_record(record: KeyRecord, now: datetime) -> None:
    if record.revoked_at is not None:
        raise KeyRevoked("This API key was revoked. Use another one.")
    if record.expires_at is not None and record.expires_at <= now:
        raise KeyExpired("This API key has expired. Make a new one.")
    if not record.store_is_active:
        raise StoreInactive("The store of this API key is switched off.")
    if record.livemode and record.merchant_status == Merchant.Status.SUSPENDED:
        raise MerchantSuspended("This business is suspended: its live keys are switched off.")
    if record.livemode and record.merchant_status != Merchant.Status.APPROVED:
        raise MerchantNotApproved("This business is not approved yet: use a test key.")


@sensitive_variables("raw_key")
def _write_use(raw_key: str, key_hash: str, record: KeyRecord, now: datetime) -> None:
    if not key_cache.claim_use(key_hash, record, now=now, every=USE_WRITTEN_EVERY):
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USE_WRITTEN_EVERY) | ~Q(key_hash=key_hash)
    ApiKey.objects.filter(stale, pk=record.key_id).update(last_used_at=now, **_hash_fields(raw_key))


@sensitive_variables("raw_key")
def _hash_fields(raw_key: str) -> dict[str, str]:
    master = encryption_keys()[0]
    return {"key_hash": _hash(master, raw_key), "hashed_with": crypto.key_id(master)}


@sensitive_variables("raw_key", "master")
def _hash(master: str, raw_key: str) -> str:
    return crypto.keyed_hash(master, PURPOSE, raw_key.encode()).hex()


def _checked_scopes(kind: str, scopes: Collection[str] | None) -> list[str]:
    if scopes is None:
        return ["*"] if kind == ApiKey.Kind.SECRET else []
    found = [] if isinstance(scopes, str) else sorted(set(scopes), key=str)
    wrong = [scope for scope in found if not _SCOPE.fullmatch(str(scope))]
    if wrong or isinstance(scopes, str) or len(found) > MAX_SCOPES:
        message = 'Give at most 50 scopes such as "payment_intents:write", or "*" for everything.'
        raise InvalidInput(Violation(code="invalid_scope", message=message, field="scopes"))
    if kind == ApiKey.Kind.PUBLISHABLE and "*" in found:
        message = "A publishable key is seen by everybody: name what it may do."
        raise InvalidInput(Violation(code="scope_too_wide", message=message, field="scopes"))
    return found


def _check_may_have_key(store: Store, *, livemode: bool) -> None:
    # Locked, so that nobody is suspended between this look and the insert.
    merchant = Merchant.objects.select_for_update().get(pk=store.merchant_id)
    if not Store.objects.filter(pk=store.pk, is_active=True).exists():
        raise ActionRefused("store_inactive", "The store is switched off. Switch it on before you make keys for it.")
    if not livemode or merchant.status == Merchant.Status.APPROVED:
        return
    if merchant.status == Merchant.Status.SUSPENDED:
        raise ActionRefused("merchant_suspended", "The business is suspended: it cannot have live keys.")
    raise ActionRefused("merchant_not_approved", "Live keys exist only for approved businesses. Use a test key.")
