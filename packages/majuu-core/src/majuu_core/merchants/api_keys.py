"""API keys: made, checked, changed and revoked here. A key is shown once; the database holds only its keyed hash."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.views.decorators.debug import sensitive_variables

from majuu_core.audit.services import record_entry
from majuu_core.common import clock, crypto
from majuu_core.common.ids import encode_id
from majuu_core.configuration import encryption_keys, key_cache_seconds
from majuu_core.merchants import key_format
from majuu_core.merchants.errors import ActionRefused, InvalidInput, KeyUnknown
from majuu_core.merchants.key_cache import KeyRecord, key_cache
from majuu_core.merchants.key_checking import USE_WRITTEN_EVERY, check_record, holder_of, is_use_due
from majuu_core.merchants.key_limits import checked_networks, checked_quota, checked_rate_limit
from majuu_core.merchants.key_quota import start_counting
from majuu_core.merchants.key_reading import hash_fields, hash_key, read_record
from majuu_core.merchants.models import ApiKey, LiveApproval, Merchant, Store
from majuu_core.merchants.saving import insert_row, update_row
from majuu_core.merchants.scopes import checked_scopes, covers
from majuu_core.providers.types import Violation

LONGEST_OVERLAP = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey:
    """A new key. ``key`` is the only copy there will ever be: show it once and forget it."""

    key: str = field(repr=False)
    row: ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIdentity:
    """Who calls: what a valid key, or an OAuth client's access token, stands for."""

    key_id: uuid.UUID
    store_id: uuid.UUID
    merchant_id: uuid.UUID
    livemode: bool
    kind: str  # "secret" | "publishable" | "client"
    holder: tuple[str, str]  # as the audit log names it: ("key", "key_…"), ("client", "client_…")
    scopes: frozenset[str]
    merchant_status: str
    first_key_id: uuid.UUID  # of a line of rotated keys, which share their limits
    rate_limit: int | None = None  # requests a minute
    monthly_quota: int | None = None

    @property
    def is_secret(self) -> bool:
        """True for whoever keeps a secret: all but publishable keys."""
        return self.kind in (ApiKey.Kind.SECRET, ApiKey.Kind.CLIENT)

    def allows(self, scope: str) -> bool:
        """True when the key may do this, e.g. ``payment_intents:write``."""
        return covers(self.scopes, scope)


def key_status(row: ApiKey) -> str:
    """Whether the key opens anything now, as far as it goes by the key: ``active``, ``expired`` or ``revoked``."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= clock.now() else "active"


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
    allowed_addresses: Collection[str] = (),
    rate_limit: int | None = None,
    monthly_quota: int | None = None,
    created_by: Any = None,
) -> CreatedKey:
    """Make a key for a store. Without ``scopes`` a secret key may do everything, a publishable one nothing.

    ``kind="client"`` makes an OAuth client: ``key`` is its secret, ``row.client_id`` its id. It may do what its scopes
    say, as a secret key, with the access tokens that client_tokens.py grants it.

    ``allowed_addresses``: addresses and networks it may be used from; none: from everywhere. ``rate_limit``: requests a
    minute, instead of the site's; ``monthly_quota``: requests in a month of the project's time zone.

    Raises InvalidInput, and ActionRefused (``merchant_not_approved``, ``merchant_suspended``, ``store_inactive``): a
    live key exists only for an approved merchant.
    """
    scopes = checked_scopes(kind, scopes)
    if kind not in ApiKey.Kind.values:
        raise InvalidInput(
            Violation(code="invalid_choice", message='Use "secret", "publishable" or "client".', field="kind")
        )
    _check_expiry(expires_at)
    key = key_format.new_key(kind=kind, livemode=livemode)
    row = ApiKey(
        store=store,
        kind=kind,
        livemode=livemode,
        name=name,
        scopes=scopes,
        expires_at=expires_at,
        allowed_addresses=checked_networks(allowed_addresses),
        rate_limit=checked_rate_limit(rate_limit),
        monthly_quota=checked_quota(monthly_quota),
        created_by=created_by,
        **_key_fields(key),
    )
    with transaction.atomic():
        row.live_approval = _checked_approval(store, livemode=livemode)
        insert_row(row)
        _record(row, "api_key.created", _facts(row))
    return CreatedKey(key=key, row=row)


@sensitive_variables("key")
def rotate_api_key(*, api_key: ApiKey, overlap: timedelta, created_by: Any = None) -> CreatedKey:
    """Make the key that takes this one's place: same name, scopes, expiry and limits, which both share.

    The old key goes on working for ``overlap``, 0 to 7 days, or until it expires anyway. Raises InvalidInput, and
    ActionRefused: ``key_rotated`` for a key that has a successor, ``key_revoked``, ``key_expired``, and what
    ``create_api_key`` raises.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidInput(Violation(code="out_of_range", message="Choose from 0 to 7 days.", field="overlap"))
    now = clock.now()
    with transaction.atomic():
        # In the order of create_api_key: first the merchant, then the key.
        approval = _checked_approval(api_key.store, livemode=api_key.livemode)
        old = ApiKey.objects.select_for_update().select_related("store").get(pk=api_key.pk)
        _check_may_be_rotated(old, now)
        key = key_format.new_key(kind=old.kind, livemode=old.livemode)
        row = ApiKey(
            store=old.store,
            kind=old.kind,
            livemode=old.livemode,
            name=old.name,
            scopes=old.scopes,
            expires_at=old.expires_at,
            allowed_addresses=old.allowed_addresses,
            rate_limit=old.rate_limit,
            monthly_quota=old.monthly_quota,
            rotated_from=old,
            first_key_id=old.line_id,
            live_approval=approval,
            created_by=created_by,
            **_key_fields(key),
        )
        insert_row(row)
        before, old.rotated_at = old.expires_at, now
        old.expires_at = min(now + overlap, before or now + overlap)
        old.save(update_fields=["rotated_at", "expires_at"])
        _record(row, "api_key.created", _facts(row) | {"rotated_from": [None, old.public_id]})
        ends = {"expires_at": [_written(before), _written(old.expires_at)], "successor": [None, row.public_id]}
        _record(old, "api_key.rotated", ends)
        forget_cached_keys()
    return CreatedKey(key=key, row=row)


UPDATABLE_KEY_FIELDS = frozenset({"name", "scopes", "expires_at", "allowed_addresses", "rate_limit", "monthly_quota"})


def update_api_key(*, api_key: ApiKey, **values: Any) -> ApiKey:
    """Change fields of UPDATABLE_KEY_FIELDS; in force with the next request. A name that is none of them: TypeError.

    Raises InvalidInput, and ActionRefused ``key_revoked``. A rotated key cannot be made to last longer.
    """
    if foreign := values.keys() - UPDATABLE_KEY_FIELDS:
        raise TypeError(f"an API key's {', '.join(sorted(foreign))} cannot be changed")
    with transaction.atomic():
        row = ApiKey.objects.select_for_update().select_related("store").get(pk=api_key.pk)
        if row.revoked_at is not None:
            raise ActionRefused("key_revoked", "This key was revoked. Make another one.")
        changes = update_row(row, _checked_values(row, values))
        if changes:
            _record(row, "api_key.updated", changes)
        if "monthly_quota" in changes and row.monthly_quota is not None:
            start_counting(row.line_id)
        forget_cached_keys()
    return row


def revoke_api_key(*, api_key: ApiKey) -> ApiKey:
    """Switch a key off for good: the next request with it is refused, whichever process it comes to.

    (With MAJUU_KEY_CACHE_SECONDS, other processes may take as long.) Revoking a revoked key changes nothing. An OAuth
    client is revoked as a whole: all of its secrets, and with them its access tokens.
    """
    with transaction.atomic():
        rows = _locked_together(api_key)
        for row in rows:
            if row.revoked_at is None:
                row.revoked_at = clock.now()
                row.save(update_fields=["revoked_at"])
                _record(row, "api_key.revoked", {"revoked_at": [None, row.revoked_at.isoformat()]})
        forget_cached_keys()
    return next(row for row in rows if row.pk == api_key.pk)


def _locked_together(api_key: ApiKey) -> list[ApiKey]:
    """The key; of a client all of its secrets, also the one that a rotation is making just now."""
    which = Q(pk=api_key.pk)
    if api_key.kind == ApiKey.Kind.CLIENT:
        # Rotation locks the merchant first, too: one of the two waits here, and then sees what the other did.
        Merchant.objects.select_for_update().get(pk=api_key.store.merchant_id)
        which = ApiKey.in_line(api_key.line_id)
    return list(ApiKey.objects.select_for_update().filter(which).order_by("pk"))


@sensitive_variables("raw_key")
def authenticate(raw_key: str, *, address: str = "") -> KeyIdentity:
    """Who this key belongs to. Raises a KeyRefused: KeyUnknown, KeyRevoked, KeyExpired, StoreInactive,
    MerchantSuspended, MerchantNotApproved, or AddressNotAllowed when ``address`` is none the key may be used from.

    A text that cannot be a key is refused without a query. A known key costs one query, unless MAJUU_KEY_CACHE_SECONDS
    says otherwise. Once a minute another one writes when it was last used.
    """
    if not key_format.is_well_formed(raw_key):
        raise KeyUnknown("This is not an API key. Check that it was copied whole.")
    if key_format.kind_of(raw_key) == ApiKey.Kind.CLIENT:
        raise KeyUnknown("This is the secret of an OAuth client. Trade it for an access token at /oauth/token.")
    masters = encryption_keys()
    key_hash = hash_key(masters[0], raw_key)
    return let_in(key_hash, partial(read_record, raw_key, key_hash, masters), address=address, raw_key=raw_key)


@sensitive_variables("read", "raw_key")
def let_in(
    remembered_as: str, read: Callable[[datetime], KeyRecord], *, address: str, raw_key: str = ""
) -> KeyIdentity:
    """Who calls with a key or token of this hash, when it opens something now and here. Raises a KeyRefused.

    ``read`` asks the database when this process does not remember. ``raw_key``: the key, where it was sent itself.
    """
    now = clock.now()
    record = key_cache.get(remembered_as, now=now, seconds=key_cache_seconds()) or read(now)
    check_record(record, address=address, now=now)
    write_use(remembered_as, record, now, raw_key=raw_key)
    return _identity_of(record)


def _identity_of(record: KeyRecord) -> KeyIdentity:
    return KeyIdentity(
        key_id=record.key_id,
        store_id=record.store_id,
        merchant_id=record.merchant_id,
        livemode=record.livemode,
        kind=record.kind,
        holder=holder_of(record),
        scopes=record.scopes,
        merchant_status=record.merchant_status,
        first_key_id=record.first_key_id,
        rate_limit=record.rate_limit,
        monthly_quota=record.monthly_quota,
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
def write_use(remembered_as: str, record: KeyRecord, now: datetime, *, raw_key: str = "") -> None:
    """Write down, when it is time again, that the key is in use; once a minute in all processes.

    With ``raw_key``, of which ``remembered_as`` is the hash, that hash is written too: it is of the newest master key.
    """
    if not is_use_due(record, now):
        return
    if not key_cache.claim_use(remembered_as, record, now=now, every=USE_WRITTEN_EVERY):
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USE_WRITTEN_EVERY)
    if raw_key:
        stale |= ~Q(key_hash=remembered_as)
    hashes = hash_fields(raw_key) if raw_key else {}
    ApiKey.objects.filter(stale, pk=record.key_id).update(last_used_at=now, **hashes)


@sensitive_variables("key")
def _key_fields(key: str) -> dict[str, str]:
    return {"prefix": key_format.prefix_of(key), "last4": key[-4:], **hash_fields(key)}


def _record(row: ApiKey, action: str, changes: Mapping[str, Any]) -> None:
    record_entry(
        action=action,
        object_id=row.public_id,
        merchant_id=row.store.merchant_id,
        store_id=row.store_id,
        changes=changes,
    )


def _facts(row: ApiKey) -> dict[str, list[Any]]:
    """What the audit log says of a new key: always its kind, mode, name and scopes, and the limits it has."""
    facts = {name: [None, getattr(row, name)] for name in ("kind", "livemode", "name", "scopes")}
    limits = {name: getattr(row, name) for name in ("allowed_addresses", "rate_limit", "monthly_quota")}
    return facts | {name: [None, value] for name, value in limits.items() if value}


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _check_expiry(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidInput(Violation(code="in_the_past", message="This moment has passed.", field="expires_at"))


def _check_may_be_rotated(row: ApiKey, now: datetime) -> None:
    if row.rotated_at is not None:
        raise ActionRefused("key_rotated", "This key has a successor already. Rotate that one.")
    if row.revoked_at is not None:
        raise ActionRefused("key_revoked", "This key was revoked. Make another one.")
    if row.expires_at is not None and row.expires_at <= now:
        raise ActionRefused("key_expired", "This key has expired. Make another one.")


def _checked_values(row: ApiKey, values: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(values)
    if "scopes" in found:
        found["scopes"] = checked_scopes(row.kind, found["scopes"])
    if "allowed_addresses" in found:
        found["allowed_addresses"] = checked_networks(found["allowed_addresses"])
    if "rate_limit" in found:
        found["rate_limit"] = checked_rate_limit(found["rate_limit"])
    if "monthly_quota" in found:
        found["monthly_quota"] = checked_quota(found["monthly_quota"])
    if "expires_at" in found and found["expires_at"] != row.expires_at:
        wanted = found["expires_at"]
        _check_expiry(wanted)
        if row.rotated_at is not None and (wanted is None or row.expires_at is None or wanted > row.expires_at):
            message = "This key has a successor: it cannot last longer."
            raise InvalidInput(Violation(code="key_rotated", message=message, field="expires_at"))
    return found


def _checked_approval(store: Store, *, livemode: bool) -> LiveApproval | None:
    """What lets a live key exist; nothing for a test key. Raises ActionRefused."""
    # Locked, so that nobody is suspended between this look and the insert.
    merchant = Merchant.objects.select_for_update().get(pk=store.merchant_id)
    if not Store.objects.filter(pk=store.pk, is_active=True).exists():
        raise ActionRefused("store_inactive", "The store is switched off. Switch it on before you make keys for it.")
    if not livemode:
        return None
    if merchant.status == Merchant.Status.SUSPENDED:
        raise ActionRefused("merchant_suspended", "The business is suspended: it cannot have live keys.")
    approval = LiveApproval.objects.filter(merchant=merchant).first()
    if approval is None or merchant.status != Merchant.Status.APPROVED:
        raise ActionRefused("merchant_not_approved", "Live keys exist only for approved businesses. Use a test key.")
    return approval
