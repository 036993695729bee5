"""Finding a key's row by the key itself, in one prepared question."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from majuu_core.common import crypto
from majuu_core.configuration import encryption_keys
from majuu_core.database.compiled import Found, Row, RowByKey
from majuu_core.merchants.errors import KeyUnknown
from majuu_core.merchants.key_cache import KeyRecord, key_cache
from majuu_core.merchants.key_limits import parse_networks
from majuu_core.merchants.models import ApiKey

PURPOSE = "api-key"
# What record_of reads of a key, and of what is above it.
_OWN = ("livemode", "kind", "scopes", "expires_at", "revoked_at", "last_used_at", "store_id", "first_key_id")
_LIMITS = ("allowed_addresses", "rate_limit", "monthly_quota")
_ABOVE = ("store__is_active", "store__merchant_id", "store__merchant__status")
FIELDS = (*_OWN, *_LIMITS, *_ABOVE)


def _rows() -> QuerySet[ApiKey]:
    return ApiKey.objects.select_related("store__merchant").only(*FIELDS)


_by_hash = RowByKey(_rows, field="key_hash")


@sensitive_variables("raw_key")
def read_record(raw_key: str, key_hash: str, masters: tuple[str, ...], now: datetime) -> KeyRecord:
    """What the database knows about a key; remembered by this process. Raises KeyUnknown."""
    older = (hash_key(master, raw_key) for master in masters[1:])
    record = read_remembered(_by_hash, key_hash, older, partial(_record_of_row, now=now))
    if record is None:
        raise KeyUnknown("No such API key. It may have been deleted, or belongs to another installation.")
    return record


def read_remembered(
    rows: RowByKey[Row], newest_hash: str, older_hashes: Iterable[str], build: Callable[[Row, Found, bool], KeyRecord]
) -> KeyRecord | None:
    """What stands under a hash, remembered by this process under the newest one. None: there is no such row.

    ``older_hashes``, made with older master keys, are asked for when the newest one finds nothing. ``build`` is told
    the row, what the database answered, and whether it was found by the newest hash; a row that is as it was is not
    built again.
    """
    generation, is_newest = key_cache.generation, True
    known, found = key_cache.last(newest_hash), rows.find(newest_hash)
    if known is not None and known.found == found:
        return known
    if found is None:
        is_newest = False
        found = next((older for older in map(rows.find, older_hashes) if older is not None), None)
    if found is None:
        return None
    record = build(rows.build(found), found, is_newest)
    key_cache.put(newest_hash, record, generation=generation)
    return record


def _record_of_row(row: ApiKey, found: Found, is_newest: bool, *, now: datetime) -> KeyRecord:
    return record_of(row, found, now, is_newest=is_newest)


def record_of(row: ApiKey, found: Found, now: datetime, *, is_newest: bool) -> KeyRecord:
    """What is remembered of a key that was read just now."""
    return KeyRecord(
        key_id=row.pk,
        store_id=row.store_id,
        merchant_id=row.store.merchant_id,
        livemode=row.livemode,
        kind=row.kind,
        scopes=frozenset(row.scopes),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        # A hash made with an older master key is renewed at once, whenever the key was used last.
        last_used_at=row.last_used_at if is_newest else None,
        store_is_active=row.store.is_active,
        merchant_status=row.store.merchant.status,
        read_at=now,
        found=found,
        first_key_id=row.line_id,
        networks=parse_networks(row.allowed_addresses),
        rate_limit=row.rate_limit,
        monthly_quota=row.monthly_quota,
    )


@sensitive_variables("raw_key")
def hash_fields(raw_key: str) -> dict[str, str]:
    """The columns of a key's hash, made with the newest master key."""
    master = encryption_keys()[0]
    return {"key_hash": hash_key(master, raw_key), "hashed_with": crypto.key_id(master)}


@sensitive_variables("raw_key", "master")
def hash_key(master: str, raw_key: str) -> str:
    """The keyed hash under which a key is stored."""
    return crypto.keyed_hash(master, PURPOSE, raw_key.encode()).hex()
