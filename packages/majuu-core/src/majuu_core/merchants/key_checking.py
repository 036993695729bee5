"""Whether what was read of a key lets its holder in."""

from __future__ import annotations

from datetime import datetime, timedelta

from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.common.ids import encode_id
from majuu_core.merchants.errors import (
    AddressNotAllowed,
    KeyExpired,
    KeyRevoked,
    MerchantNotApproved,
    MerchantSuspended,
    StoreInactive,
    TokenExpired,
)
from majuu_core.merchants.key_cache import KeyRecord
from majuu_core.merchants.key_limits import is_inside
from majuu_core.merchants.models import ApiKey, Merchant
from majuu_core.throttling.services import allow

USE_WRITTEN_EVERY = timedelta(minutes=1)


def check_record(record: KeyRecord, *, address: str, now: datetime) -> None:
    """Raise a KeyRefused that says why the key, or the token of a client, opens nothing from this address now."""
    _check_times(record, now)
    if not record.store_is_active:
        raise StoreInactive("The store of this API key is switched off.")
    if record.livemode and record.merchant_status == Merchant.Status.SUSPENDED:
        raise MerchantSuspended("This business is suspended: its live keys are switched off.")
    if record.livemode and record.merchant_status != Merchant.Status.APPROVED:
        raise MerchantNotApproved("This business is not approved yet: use a test key.")
    if record.networks and not is_inside(address, record.networks):
        _note_refused_address(record, address)
        raise AddressNotAllowed("This API key may not be used from your address.")


def is_use_due(record: KeyRecord, now: datetime) -> bool:
    """True when it is time to write down again that the key is in use."""
    return record.last_used_at is None or now - record.last_used_at >= USE_WRITTEN_EVERY


def holder_of(record: KeyRecord) -> tuple[str, str]:
    """How the audit log names who has the key: ("key", "key_…"), or ("client", "client_…")."""
    if record.kind == ApiKey.Kind.CLIENT:
        return "client", encode_id(ApiKey.client_id_prefix, record.first_key_id)
    return "key", encode_id(ApiKey.id_prefix, record.key_id)


def _check_times(record: KeyRecord, now: datetime) -> None:
    if record.revoked_at is not None:
        raise KeyRevoked("This API key was revoked. Use another one.")
    if record.token_expires_at is not None and record.token_expires_at <= now:
        raise TokenExpired("This access token has expired. Ask for a new one at /oauth/token.")
    if record.expires_at is not None and record.expires_at <= now:
        raise KeyExpired("This API key has expired. Make a new one.")


def _note_refused_address(record: KeyRecord, address: str) -> None:
    """One audit entry an hour for a key and an address: a stolen key is tried in vain, or the list is wrong."""
    kind, holder = holder_of(record)
    if not allow("refused_address_audit", f"{holder} {address}").allowed:
        return
    with acting_as(Actor(type=kind, id=holder, remote_addr=address)):
        record_entry(
            action="api_key.address_refused",
            object_id=encode_id(ApiKey.id_prefix, record.key_id),
            merchant_id=record.merchant_id,
            store_id=record.store_id,
        )
