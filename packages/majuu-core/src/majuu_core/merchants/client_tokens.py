"""OAuth clients: a client's secret is traded for an access token that opens the API for an hour.

A client is an API key of kind "client", so what is true of keys (live ones for approved businesses only, limits,
rotation, revocation) is true of clients and their tokens. See docs/adr/0010-oauth-clients-are-keys.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from majuu_core.audit.services import Actor, acting_as, record_entry
from majuu_core.common import clock, crypto
from majuu_core.common.ids import decode_id
from majuu_core.configuration import encryption_keys, oauth_token_seconds
from majuu_core.database.compiled import Found, RowByKey
from majuu_core.merchants import key_format
from majuu_core.merchants.api_keys import KeyIdentity, let_in, write_use
from majuu_core.merchants.errors import InvalidInput, KeyUnknown
from majuu_core.merchants.key_cache import KeyRecord
from majuu_core.merchants.key_checking import check_record, holder_of
from majuu_core.merchants.key_reading import FIELDS, hash_key, read_record, read_remembered, record_of
from majuu_core.merchants.models import ApiKey, ClientToken
from majuu_core.merchants.scopes import checked_scopes, covers, in_both
from majuu_core.providers.types import Violation
from majuu_core.throttling.services import address_key, allow, check

PURPOSE = "client-token"
KEPT_AFTER_END = timedelta(days=1)  # so that who comes late is told that the token has expired
_PURGED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedToken:
    """A new access token; ``token`` is the only copy. It works for ``seconds``, at most as long as its secret."""

    token: str = field(repr=False)
    scopes: tuple[str, ...]
    seconds: int


@sensitive_variables("secret", "token")
def grant_token(
    *,
    client_id: str,
    secret: str,
    scopes: Collection[str] | None = None,
    address: str = "",
    request_id: str = "",
) -> GrantedToken:
    """Trade a client's secret for an access token. Without ``scopes`` it may do all that the client may.

    Raises a KeyRefused as ``authenticate`` does (KeyUnknown for a wrong id or secret, whichever it is), InvalidInput
    ``invalid_scope`` for what the client may not do, TooMany beyond ``client_tokens``. The audit log names the client.
    """
    now = clock.now()
    record, key_hash = _read_client(client_id, secret, now)
    check_record(record, address=address, now=now)
    wanted = _wanted_scopes(record, scopes)
    kind, holder = holder_of(record)
    check("client_tokens", holder)
    token = key_format.new_key(kind="token", livemode=record.livemode)
    ends = now + timedelta(seconds=oauth_token_seconds())
    if record.expires_at is not None:
        ends = min(ends, record.expires_at)
    with (
        transaction.atomic(),
        acting_as(Actor(type=kind, id=holder, remote_addr=address, request_id=request_id)),
    ):
        ClientToken.objects.create(
            api_key_id=record.key_id, token_hash=_hash(encryption_keys()[0], token), scopes=wanted, expires_at=ends
        )
        _record(
            record, "oauth_client.token_granted", {"scopes": [None, wanted], "expires_at": [None, ends.isoformat()]}
        )
    write_use(key_hash, record, now, raw_key=secret)
    return GrantedToken(token=token, scopes=tuple(wanted), seconds=int((ends - now).total_seconds()))


@sensitive_variables("raw_token")
def authenticate_token(raw_token: str, *, address: str = "") -> KeyIdentity:
    """Who an access token belongs to: the client, as far as the token's scopes go.

    Raises what ``authenticate`` raises, and TokenExpired. What is done to the client (revoked, limited, its business
    suspended) holds for its tokens with the next request. A known token costs one query.
    """
    if not key_format.is_well_formed(raw_token) or key_format.kind_of(raw_token) != "token":
        raise KeyUnknown("This is not an access token. Check that it was copied whole.")
    masters = encryption_keys()
    token_hash = _hash(masters[0], raw_token)
    return let_in(token_hash, partial(_read_token, raw_token, token_hash, masters), address=address)


def note_refused_client(*, client_id: str, address: str, request_id: str = "") -> None:
    """One audit entry an hour for a client and an address: somebody tried a wrong secret, or one that has ended.

    An id that nobody has is noted in the platform's chain, once an hour for an address whichever it is.
    """
    row = _client(client_id)
    name = client_id if row is not None else ""
    if not allow("refused_client_audit", f"{name} {address_key(address)}").allowed:
        return
    with acting_as(Actor(type="client", remote_addr=address, request_id=request_id)):
        record_entry(
            action="oauth_client.refused",
            object_id=name,
            merchant_id=row.store.merchant_id if row is not None else None,
            store_id=row.store_id if row is not None else None,
        )


def purge_tokens() -> int:
    """Remove access tokens that ended longer than KEPT_AFTER_END ago, some at a time; returns how many."""
    ended = ClientToken.objects.filter(expires_at__lt=clock.now() - KEPT_AFTER_END).order_by("expires_at")
    found = list(ended.values_list("pk", flat=True)[:_PURGED_AT_ONCE])
    return ClientToken.objects.filter(pk__in=found).delete()[0] if found else 0


@sensitive_variables("secret")
def _read_client(client_id: str, secret: str, now: datetime) -> tuple[KeyRecord, str]:
    """The client's row, found by the hash of its secret: a wrong id and a wrong secret take the same way."""
    wrong = KeyUnknown("The client id or the secret is wrong.")
    if not key_format.is_well_formed(secret) or key_format.kind_of(secret) != ApiKey.Kind.CLIENT:
        raise wrong
    masters = encryption_keys()
    key_hash = hash_key(masters[0], secret)
    try:
        record = read_record(secret, key_hash, masters, now)
    except KeyUnknown:
        raise wrong from None
    if not hmac.compare_digest(holder_of(record)[1].encode(), client_id.encode()):
        raise wrong
    return record, key_hash


def _wanted_scopes(record: KeyRecord, scopes: Collection[str] | None) -> list[str]:
    wanted = sorted(record.scopes) if scopes is None else checked_scopes(ApiKey.Kind.CLIENT, scopes)
    beyond = [scope for scope in wanted if not covers(record.scopes, scope)]
    if beyond:
        message = f"This client may not have {', '.join(beyond)}."
        raise InvalidInput(Violation(code="invalid_scope", message=message, field="scope"))
    return wanted


def _tokens() -> QuerySet[ClientToken]:
    of_client = [f"api_key__{name}" for name in FIELDS]
    return ClientToken.objects.select_related("api_key__store__merchant").only(
        "scopes", "expires_at", "api_key_id", *of_client
    )


_by_hash = RowByKey(_tokens, field="token_hash")


@sensitive_variables("raw_token")
def _read_token(raw_token: str, token_hash: str, masters: tuple[str, ...], now: datetime) -> KeyRecord:
    older = (_hash(master, raw_token) for master in masters[1:])
    record = read_remembered(_by_hash, token_hash, older, partial(_record_of_token, now=now))
    if record is None:
        raise KeyUnknown("No such access token. Ask for a new one at /oauth/token.")
    return record


def _record_of_token(row: ClientToken, found: Found, is_newest: bool, *, now: datetime) -> KeyRecord:
    """The client's record, as far as the token goes. A token's own hash is not renewed: it lives for a day at most."""
    client = record_of(row.api_key, found, now, is_newest=True)
    return replace(client, scopes=in_both(row.scopes, client.scopes), token_expires_at=row.expires_at)


def _client(client_id: str) -> ApiKey | None:
    try:
        first = decode_id(ApiKey.client_id_prefix, client_id)
    except ValueError:
        return None
    rows = ApiKey.objects.filter(pk=first, kind=ApiKey.Kind.CLIENT).select_related("store")
    return rows.only("store_id", "store__merchant_id").first()


@sensitive_variables("raw_token", "master")
def _hash(master: str, raw_token: str) -> str:
    return crypto.keyed_hash(master, PURPOSE, raw_token.encode()).hex()


def _record(record: KeyRecord, action: str, changes: dict[str, list[object]]) -> None:
    record_entry(
        action=action,
        object_id=holder_of(record)[1],
        merchant_id=record.merchant_id,
        store_id=record.store_id,
        changes=changes,
    )
