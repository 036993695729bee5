"""OAuth clients: a secret traded for an access token, and what ends one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, TooMany
from majuu_core.merchants import client_tokens, key_format
from majuu_core.merchants.api_keys import (
    CreatedKey,
    KeyIdentity,
    authenticate,
    revoke_api_key,
    rotate_api_key,
    update_api_key,
)
from majuu_core.merchants.client_tokens import GrantedToken, authenticate_token, grant_token, purge_tokens
from majuu_core.merchants.errors import (
    ActionRefused,
    AddressNotAllowed,
    InvalidInput,
    KeyExpired,
    KeyRefused,
    KeyRevoked,
    KeyUnknown,
    MerchantSuspended,
    StoreInactive,
    TokenExpired,
)
from majuu_core.merchants.models import ApiKey, ClientToken
from majuu_core.merchants.people import require_second_person
from majuu_core.merchants.services import approve_merchant, suspend_merchant, update_store
from majuu_core.testing.factories import make_api_key, make_merchant, make_store, make_user
from tests.core.merchants.support import actions_on, everything, last_entry

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def make_client(**fields: Any) -> CreatedKey:
    return make_api_key(kind="client", **fields)


def trade(made: CreatedKey, **how: Any) -> GrantedToken:
    return grant_token(client_id=made.row.client_id, secret=made.key, **how)


def all_rows() -> tuple[Any, ...]:
    return everything(), list(ClientToken.objects.order_by("pk").values())


@pytest.mark.parametrize("livemode", [False, True])
def test_a_token_stands_for_its_client(livemode: bool, virtual_clock: VirtualClock) -> None:
    """given a client / when its secret is traded / then the token is its store's, mode's, with its scopes and limits"""
    store = make_store()
    made = make_client(store=store, livemode=livemode, rate_limit=7, monthly_quota=9)
    granted = trade(made)
    assert (granted.seconds, granted.scopes) == (3600, ("*",))
    assert granted.token.startswith("tk_live_" if livemode else "tk_test_")
    assert authenticate_token(granted.token) == KeyIdentity(
        key_id=made.row.pk,
        store_id=store.pk,
        merchant_id=store.merchant_id,
        livemode=livemode,
        kind="client",
        holder=("client", made.row.client_id),
        scopes=frozenset({"*"}),
        merchant_status="approved",
        first_key_id=made.row.pk,
        rate_limit=7,
        monthly_quota=9,
    )
    assert authenticate_token(granted.token).is_secret


def test_neither_secret_nor_token_is_stored_or_shown(virtual_clock: VirtualClock) -> None:
    made = make_client()
    granted = trade(made)
    assert (made.key, granted.token) != ("", "")
    for secret in (made.key, granted.token):
        assert secret not in repr((all_rows(), made, granted))
    assert made.row.client_id.startswith("client_")
    assert make_api_key().row.client_id == ""


def test_the_audit_log_names_the_client(virtual_clock: VirtualClock) -> None:
    made = make_client(scopes=["payments:read", "events:read"])
    trade(made, scopes=["events:read"], address="203.0.113.7", request_id="req_1")
    entry = last_entry()
    assert (entry.action, entry.object_id) == ("oauth_client.token_granted", made.row.client_id)
    assert (entry.actor_type, entry.actor_id) == ("client", made.row.client_id)
    assert (entry.remote_addr, entry.request_id) == ("203.0.113.7", "req_1")
    assert (entry.merchant_id, entry.store_id) == (made.row.store.merchant_id, made.row.store_id)
    assert entry.changes == {
        "scopes": [None, ["events:read"]],
        "expires_at": [None, "2026-01-05T10:00:00+00:00"],
    }


def test_a_secret_opens_nothing_by_itself_and_a_key_buys_no_token() -> None:
    client, key = make_client(), make_api_key()
    with pytest.raises(KeyUnknown, match="/oauth/token"):
        authenticate(client.key)
    for secret in (key.key, client.key[:-1], "", trade(client).token):
        before = all_rows()
        with pytest.raises(KeyUnknown, match="The client id or the secret is wrong"):
            grant_token(client_id=client.row.client_id, secret=secret)
        assert all_rows() == before
    for token in (client.key, key.key, "tk_test_nothing", ""):
        with pytest.raises(KeyUnknown):
            authenticate_token(token)


def test_ids_and_secrets_of_different_clients_do_not_go_together(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """given two clients / when id and secret are mixed / then refused as a wrong secret is, after one query as well"""
    mine, other = make_client(), make_client()
    unknown = key_format.new_key(kind="client", livemode=False)
    before = all_rows()
    for client_id, secret in (
        (mine.row.client_id, other.key),
        (mine.row.client_id, unknown),
        ("client_nobody", mine.key),
        ("client_nobody", unknown),
        ("é", mine.key),
    ):
        with (
            django_assert_num_queries(1),
            pytest.raises(KeyUnknown, match="The client id or the secret is wrong"),
        ):
            grant_token(client_id=client_id, secret=secret)
    assert all_rows() == before


@pytest.mark.parametrize(
    ("have", "asked", "granted"),
    [
        (["*"], None, ("*",)),
        (["payments:*", "events:read"], None, ("events:read", "payments:*")),
        (["payments:*", "events:read"], ["payments:read"], ("payments:read",)),
        (["*"], ["payments:*", "events:read"], ("events:read", "payments:*")),
        ([], None, ()),
    ],
)
def test_scopes_are_the_clients_or_fewer(have: list[str], asked: Any, granted: tuple[str, ...]) -> None:
    assert trade(make_client(scopes=have), scopes=asked).scopes == granted


@pytest.mark.parametrize(
    ("have", "asked"),
    [
        (["payments:read"], ["payments:write"]),
        (["payments:read"], ["payments:*"]),
        (["payments:read"], ["payments:read", "events:read"]),
        (["payments:*"], ["*"]),
        ([], ["payments:read"]),
        (["*"], ["everything"]),
        (["*"], [""]),
    ],
)
def test_other_scopes_are_refused(have: list[str], asked: list[str]) -> None:
    made = make_client(scopes=have)
    before = all_rows()
    with pytest.raises(InvalidInput) as caught:
        trade(made, scopes=asked)
    assert caught.value.code == "invalid_scope"
    assert all_rows() == before


def test_a_client_whose_scopes_are_narrowed_narrows_its_tokens() -> None:
    made = make_client(scopes=["payments:*", "events:read"])
    wide, few = trade(made), trade(made, scopes=["payments:write"])
    update_api_key(api_key=made.row, scopes=["payments:read"])
    assert authenticate_token(wide.token).scopes == {"payments:read"}
    assert authenticate_token(few.token).scopes == set()
    update_api_key(api_key=made.row, scopes=["*"])
    assert authenticate_token(wide.token).scopes == {"payments:*", "events:read"}


def test_a_token_ends_on_time(virtual_clock: VirtualClock) -> None:
    granted = trade(make_client())
    virtual_clock.advance(HOUR - timedelta(seconds=1))
    authenticate_token(granted.token)
    virtual_clock.advance(1)
    with pytest.raises(TokenExpired):
        authenticate_token(granted.token)


def test_how_long_is_a_setting_and_no_longer_than_the_secret(virtual_clock: VirtualClock, settings: Any) -> None:
    settings.MAJUU_OAUTH_TOKEN_SECONDS = 90
    made = make_client(expires_at=virtual_clock.now() + timedelta(minutes=2))
    assert trade(made).seconds == 90
    virtual_clock.advance(60)
    last = trade(made)
    assert last.seconds == 60
    virtual_clock.advance(60)
    with pytest.raises(TokenExpired):
        authenticate_token(last.token)
    before = all_rows()
    with pytest.raises(KeyExpired):
        trade(made)
    assert all_rows() == before


def revoked(made: CreatedKey) -> None:
    revoke_api_key(api_key=made.row)


def suspended(made: CreatedKey) -> None:
    suspend_merchant(merchant=made.row.store.merchant, reason="fraud")


def switched_off(made: CreatedKey) -> None:
    update_store(store=made.row.store, is_active=False)


def elsewhere(made: CreatedKey) -> None:
    update_api_key(api_key=made.row, allowed_addresses=["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        (revoked, KeyRevoked),
        (suspended, MerchantSuspended),
        (switched_off, StoreInactive),
        (elsewhere, AddressNotAllowed),
    ],
)
@pytest.mark.parametrize("seconds", [0, 300])
def test_what_is_done_to_a_client_holds_with_the_next_request(
    spoil: Any, refusal: type[KeyRefused], seconds: int, settings: Any
) -> None:
    """given a token that works / when its client is stopped / then it opens nothing, and there is no other token"""
    settings.MAJUU_KEY_CACHE_SECONDS = seconds
    made = make_client(livemode=True)
    granted = trade(made)
    assert authenticate_token(granted.token, address="203.0.113.7").livemode
    spoil(made)
    with pytest.raises(refusal):
        authenticate_token(granted.token, address="203.0.113.7")
    before = ClientToken.objects.count(), AuditEntry.objects.count()
    with pytest.raises(refusal):
        trade(made, address="203.0.113.7")
    assert (ClientToken.objects.count(), AuditEntry.objects.count()) == before


def test_a_business_approved_anew_has_its_clients_back() -> None:
    made = make_client(livemode=True)
    granted = trade(made)
    suspended(made)
    with pytest.raises(MerchantSuspended):
        authenticate_token(granted.token)
    approve_merchant(merchant=made.row.store.merchant)
    assert authenticate_token(granted.token).key_id == made.row.pk


def test_addresses_hold_for_tokens_too() -> None:
    made = make_client(allowed_addresses=["203.0.113.0/24"])
    granted = trade(made, address="203.0.113.9")
    assert authenticate_token(granted.token, address="203.0.113.10").store_id == made.row.store_id
    with pytest.raises(AddressNotAllowed):
        authenticate_token(granted.token, address="198.51.100.1")
    entry = last_entry()
    assert (entry.action, entry.actor_type, entry.actor_id) == (
        "api_key.address_refused",
        "client",
        made.row.client_id,
    )


def test_no_live_client_without_approval() -> None:
    store = make_store(merchant=make_merchant(approved=False))
    before = all_rows()
    with pytest.raises(ActionRefused) as caught:
        make_client(store=store, livemode=True)
    assert caught.value.code == "merchant_not_approved"
    assert all_rows() == before
    row = make_client(store=store).row
    for values in ({"livemode": True, "prefix": "ck_live_"}, {"prefix": "sk_test_"}, {"kind": "secret"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            ApiKey.objects.filter(pk=row.pk).update(**values)


def test_a_client_keeps_its_id_when_its_secret_is_replaced(virtual_clock: VirtualClock) -> None:
    """given a client / when its secret is rotated / then both buy tokens, until the old one ends with its own"""
    old = make_client(rate_limit=5)
    before = trade(old)
    new = rotate_api_key(api_key=old.row, overlap=timedelta(minutes=30))
    assert new.row.client_id == old.row.client_id
    assert new.key.startswith("ck_test_")
    after = trade(new)
    assert trade(CreatedKey(key=old.key, row=new.row)).seconds == 1800
    assert authenticate_token(after.token).holder == authenticate_token(before.token).holder
    assert authenticate_token(after.token).first_key_id == old.row.pk
    virtual_clock.advance(timedelta(minutes=30))
    with pytest.raises(KeyExpired):
        authenticate_token(before.token)
    with pytest.raises(KeyExpired):
        trade(old)
    assert authenticate_token(after.token).rate_limit == 5


@pytest.mark.parametrize("which", [0, 1])
def test_a_client_is_revoked_with_all_of_its_secrets(which: int, virtual_clock: VirtualClock) -> None:
    old = make_client()
    new = rotate_api_key(api_key=old.row, overlap=DAY)
    tokens = [trade(old).token, trade(new).token]
    other = trade(make_client(store=old.row.store)).token
    rows = [old.row, new.row]
    assert revoke_api_key(api_key=rows[which]).pk == rows[which].pk
    for token in tokens:
        with pytest.raises(KeyRevoked):
            authenticate_token(token)
    for made in (old, new):
        with pytest.raises(KeyRevoked):
            trade(made)
        assert actions_on(made.row.public_id)[-1] == "api_key.revoked"
    assert authenticate_token(other).store_id == old.row.store_id


def test_who_made_a_client_is_behind_what_it_does() -> None:
    """given a client made by one and rotated by another / when it asks for something / then a third one allows it"""
    maker, rotator, third = make_user(), make_user(), make_user()
    old = make_client(created_by=maker)
    rotate_api_key(api_key=old.row, overlap=DAY, created_by=rotator)
    label = f"client:{old.row.client_id}"
    for user in (maker, rotator):
        with acting_as(Actor(type="user", id=str(user.pk))), pytest.raises(Conflict) as caught:
            require_second_person(label)
        assert caught.value.code == "second_person_required"
    with acting_as(Actor(type="user", id=str(third.pk))):
        assert require_second_person(label) == f"user:{third.pk}"
        assert require_second_person("client:nonsense") == f"user:{third.pk}"


def test_a_client_is_asked_once_for_each_request(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """given 1 and 20 tokens / when one is used again / then it costs one query"""
    made = make_client()
    granted = trade(made)
    authenticate_token(granted.token)
    with django_assert_num_queries(1):
        authenticate_token(granted.token)
    for _ in range(19):
        trade(made)
    with django_assert_num_queries(1):
        authenticate_token(granted.token)
    with override_settings(MAJUU_KEY_CACHE_SECONDS=60), django_assert_num_queries(0):
        authenticate_token(granted.token)


def test_use_is_written_once_a_minute(virtual_clock: VirtualClock) -> None:
    made = make_client()
    start = virtual_clock.now()
    granted = trade(made)
    assert ApiKey.objects.get().last_used_at == start
    virtual_clock.advance(59)
    authenticate_token(granted.token)
    assert ApiKey.objects.get().last_used_at == start
    virtual_clock.advance(1)
    authenticate_token(granted.token)
    assert ApiKey.objects.get().last_used_at == start + timedelta(minutes=1)


def test_a_client_gets_only_so_many_tokens(settings: Any, virtual_clock: VirtualClock) -> None:
    settings.MAJUU_RATE_LIMITS = {"client_tokens": (2, timedelta(minutes=1))}
    made, other = make_client(), make_client()
    for _ in range(2):
        trade(made)
    before = all_rows()
    with pytest.raises(TooMany):
        trade(made)
    assert all_rows() == before
    assert trade(other).seconds == 3600
    virtual_clock.advance(60)
    assert trade(made).seconds == 3600


def test_tokens_outlive_a_new_master_key(settings: Any) -> None:
    old, new = "o" * 40, "n" * 40
    settings.MAJUU_ENCRYPTION_KEYS = [old]
    made = make_client()
    granted = trade(made)
    settings.MAJUU_ENCRYPTION_KEYS = [new, old]
    assert authenticate_token(granted.token).key_id == made.row.pk
    hashed = ApiKey.objects.get().key_hash
    trade(made)
    assert ApiKey.objects.get().key_hash != hashed
    settings.MAJUU_ENCRYPTION_KEYS = [new]
    trade(made)
    with pytest.raises(KeyUnknown):
        authenticate_token(granted.token)


def test_ended_tokens_are_removed_after_a_day(virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_client()
    gone = [trade(made).token for _ in range(3)]
    virtual_clock.advance(HOUR + DAY)
    kept = trade(made).token
    assert purge_tokens() == 0
    virtual_clock.advance(1)
    monkeypatch.setattr(client_tokens, "_PURGED_AT_ONCE", 2)
    assert [purge_tokens(), purge_tokens(), purge_tokens()] == [2, 1, 0]
    assert authenticate_token(kept).key_id == made.row.pk
    with pytest.raises(KeyUnknown):
        authenticate_token(gone[0])


def test_a_deleted_token_opens_nothing() -> None:
    granted = trade(make_client())
    ClientToken.objects.all().delete()
    with pytest.raises(KeyUnknown):
        authenticate_token(granted.token)
