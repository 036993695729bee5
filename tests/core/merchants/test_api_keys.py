"""API keys: shown once, stored as keyed hashes, refused for the right reason."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock, crypto
from majuu_core.common.clock import VirtualClock
from majuu_core.merchants import api_keys, key_format, key_reading
from majuu_core.merchants.api_keys import authenticate, create_api_key, revoke_api_key
from majuu_core.merchants.errors import (
    ActionRefused,
    AddressNotAllowed,
    InvalidInput,
    KeyExpired,
    KeyRefused,
    KeyRevoked,
    KeyUnknown,
    MerchantNotApproved,
    MerchantSuspended,
    StoreInactive,
)
from majuu_core.merchants.key_cache import KeyRecord, key_cache
from majuu_core.merchants.key_reading import read_record
from majuu_core.merchants.models import ApiKey, Merchant
from majuu_core.merchants.services import approve_merchant, suspend_merchant, update_store
from majuu_core.testing.factories import make_api_key, make_merchant, make_store, make_user
from tests.core.merchants.support import actions_on, everything, last_entry, table_of

pytestmark = pytest.mark.django_db

MASTER = "tests-only-master-key-0123456789abcdef"
NEWER = "tests-only-newer-master-key-0123456789"


def test_a_key_is_stored_as_a_keyed_hash_only() -> None:
    user = make_user()
    made = create_api_key(
        store=make_store(), livemode=False, name="Web shop", scopes=["payment_intents:write"], created_by=user
    )
    row = ApiKey.objects.get()
    assert row.key_hash == crypto.keyed_hash(MASTER, "api-key", made.key.encode()).hex()
    assert row.key_hash != hashlib.sha256(made.key.encode()).hexdigest()
    assert row.hashed_with == crypto.key_id(MASTER)
    assert (row.prefix, row.last4) == ("sk_test_", made.key[-4:])
    assert (row.name, row.scopes, row.created_by_id) == ("Web shop", ["payment_intents:write"], user.pk)
    assert str(row) == f"sk_test_…{made.key[-4:]}"
    assert row.last_used_at is None


def test_the_key_is_nowhere_but_in_the_answer() -> None:
    made = make_api_key()
    secret = made.key[8:-4]
    assert secret not in repr(made)
    assert secret not in repr(everything())
    assert made.key not in repr(authenticate(made.key))


def test_creating_is_audited() -> None:
    store = make_store()
    made = create_api_key(store=store, livemode=True, name="Till")
    entry = last_entry()
    assert (entry.action, entry.object_id) == ("api_key.created", made.row.public_id)
    assert (entry.merchant_id, entry.store_id) == (store.merchant_id, store.pk)
    assert entry.changes == {
        "kind": [None, "secret"],
        "livemode": [None, True],
        "name": [None, "Till"],
        "scopes": [None, ["*"]],
    }


@pytest.mark.parametrize("livemode", [False, True])
@pytest.mark.parametrize(("kind", "scopes"), [("secret", frozenset({"*"})), ("publishable", frozenset())])
def test_authenticate_says_whom_the_key_stands_for(kind: str, scopes: frozenset[str], livemode: bool) -> None:
    store = make_store()
    made = make_api_key(store=store, livemode=livemode, kind=kind)
    identity = authenticate(made.key)
    assert identity == api_keys.KeyIdentity(
        key_id=made.row.pk,
        store_id=store.pk,
        merchant_id=store.merchant_id,
        livemode=livemode,
        kind=kind,
        holder=("key", made.row.public_id),
        scopes=scopes,
        merchant_status="approved",
        first_key_id=made.row.pk,
    )
    assert identity.is_secret is (kind == "secret")


@pytest.mark.parametrize(
    ("scopes", "allowed", "refused"),
    [
        (["*"], ["payment_intents:write", "anything:read"], []),
        (["payment_intents:*"], ["payment_intents:write", "payment_intents:read"], ["charges:read", "*"]),
        (["charges:read"], ["charges:read"], ["charges:write", "charges:*", "*", "charges:rea"]),
        ([], [], ["charges:read", "*"]),
    ],
)
def test_scopes(scopes: list[str], allowed: list[str], refused: list[str]) -> None:
    identity = authenticate(make_api_key(scopes=scopes).key)
    assert all(identity.allows(scope) for scope in allowed)
    assert not any(identity.allows(scope) for scope in refused)


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"kind": "root"}, "kind", "invalid_choice"),
        ({"scopes": ["everything"]}, "scopes", "invalid_scope"),
        ({"scopes": ["Payments:write"]}, "scopes", "invalid_scope"),
        ({"scopes": "*"}, "scopes", "invalid_scope"),
        ({"scopes": ["charges:read", 7]}, "scopes", "invalid_scope"),
        ({"scopes": [f"a{'b' * number}:read" for number in range(51)]}, "scopes", "invalid_scope"),
        ({"kind": "publishable", "scopes": ["*"]}, "scopes", "scope_too_wide"),
        ({"name": "x" * 101}, "name", "max_length"),
        ({"expires_at": "now"}, "expires_at", "in_the_past"),
    ],
)
def test_create_refuses(values: dict[str, Any], field: str, code: str) -> None:
    store = make_store()
    if values.get("expires_at") == "now":
        values = {"expires_at": clock.now()}
    before = everything()
    with pytest.raises(InvalidInput) as caught:
        create_api_key(store=store, livemode=False, **values)
    assert [(violation.field, violation.code) for violation in caught.value.violations] == [(field, code)]
    assert everything() == before


def test_live_keys_exist_only_for_approved_merchants() -> None:
    pending = make_store(merchant=make_merchant(approved=False))
    suspended = make_store()
    suspend_merchant(merchant=suspended.merchant, reason="test")
    before = everything()
    for store, code in ((pending, "merchant_not_approved"), (suspended, "merchant_suspended")):
        with pytest.raises(ActionRefused) as caught:
            create_api_key(store=store, livemode=True)
        assert caught.value.code == code
    assert everything() == before
    assert authenticate(create_api_key(store=pending, livemode=False).key).merchant_status == "pending"
    approve_merchant(merchant=pending.merchant)
    assert authenticate(create_api_key(store=pending, livemode=True).key).livemode is True


def test_no_key_for_a_store_that_is_switched_off() -> None:
    store = make_store()
    update_store(store=store, is_active=False)
    before = everything()
    with pytest.raises(ActionRefused) as caught:
        create_api_key(store=store, livemode=False)
    assert caught.value.code == "store_inactive"
    assert everything() == before


def test_a_stale_store_object_does_not_help() -> None:
    store = make_store()
    store.merchant.status = Merchant.Status.APPROVED
    suspend_merchant(merchant=store.merchant, reason="test")
    with pytest.raises(ActionRefused):
        create_api_key(store=store, livemode=True)
    assert ApiKey.objects.count() == 0


@pytest.mark.parametrize(
    "raw", ["", "sk_test_", "nonsense", "sk_test_" + "0" * 55, "sk_test_" + "é" * 55, "x" * 10_000]
)
def test_what_cannot_be_a_key_costs_no_query(raw: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0), pytest.raises(KeyUnknown):
        authenticate(raw)


def test_a_key_of_another_installation_is_unknown(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    stranger = key_format.new_key(kind="secret", livemode=False)
    with django_assert_num_queries(1), pytest.raises(KeyUnknown):
        authenticate(stranger)
    assert len(key_cache) == 0


def test_every_call_reads_the_key(
    virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = make_api_key().key
    with django_assert_num_queries(2):  # look-up, and last use
        first = authenticate(key)
    for _ in range(2):
        with django_assert_num_queries(1):
            assert authenticate(key) == first


def test_a_key_may_be_remembered_for_some_seconds(
    settings: Any, virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.MAJUU_KEY_CACHE_SECONDS = 5
    key = make_api_key().key
    first = authenticate(key)
    with django_assert_num_queries(0):
        assert authenticate(key) == first
    virtual_clock.advance(5)
    with django_assert_num_queries(1):
        assert authenticate(key) == first


def test_last_use_is_written_once_a_minute(
    virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = make_api_key()
    start = virtual_clock.now()
    for _ in range(30):
        authenticate(made.key)
        virtual_clock.advance(1)
    assert ApiKey.objects.get().last_used_at == start
    virtual_clock.advance(30)
    authenticate(made.key)
    assert ApiKey.objects.get().last_used_at == start + timedelta(seconds=60)


def test_another_process_that_wrote_the_last_use_is_enough(
    virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = make_api_key()
    ApiKey.objects.update(last_used_at=virtual_clock.now() - timedelta(seconds=59))
    with django_assert_num_queries(1):
        authenticate(made.key)
    assert ApiKey.objects.get().last_used_at == virtual_clock.now() - timedelta(seconds=59)


def revoke(row: ApiKey) -> None:
    revoke_api_key(api_key=row)


def switch_store_off(row: ApiKey) -> None:
    update_store(store=row.store, is_active=False)


def suspend(row: ApiKey) -> None:
    suspend_merchant(merchant=row.store.merchant, reason="test")


def let_expire(row: ApiKey) -> None:
    current = clock._current
    assert isinstance(current, VirtualClock)
    current.advance(3600)


def back_to_review(row: ApiKey) -> None:
    Merchant.objects.update(status=Merchant.Status.PENDING)
    key_cache.clear()


@pytest.mark.parametrize(
    ("spoil", "reason", "code"),
    [
        (revoke, KeyRevoked, "key_revoked"),
        (let_expire, KeyExpired, "key_expired"),
        (switch_store_off, StoreInactive, "store_inactive"),
        (suspend, MerchantSuspended, "merchant_suspended"),
        (back_to_review, MerchantNotApproved, "merchant_not_approved"),
    ],
)
def test_a_key_is_refused_at_once_and_says_why(
    spoil: Callable[[ApiKey], None], reason: type[KeyRefused], code: str, virtual_clock: VirtualClock
) -> None:
    made = make_api_key(livemode=True, expires_at=virtual_clock.now() + timedelta(hours=1))
    authenticate(made.key)
    spoil(made.row)
    before = everything()
    for _ in range(2):  # from the database, then from the cache
        with pytest.raises(reason) as caught:
            authenticate(made.key)
        assert caught.value.code == code
        assert made.key not in str(caught.value)
    assert everything() == before


@pytest.mark.parametrize("spoil", [suspend, back_to_review])
def test_test_keys_outlive_a_suspension(spoil: Callable[[ApiKey], None]) -> None:
    made = make_api_key(livemode=False)
    spoil(made.row)
    assert authenticate(made.key).livemode is False


def test_a_key_works_until_the_very_moment_it_expires(virtual_clock: VirtualClock) -> None:
    made = make_api_key(expires_at=virtual_clock.now() + timedelta(seconds=2))
    authenticate(made.key)
    virtual_clock.advance(1)
    authenticate(made.key)
    virtual_clock.advance(1)
    with pytest.raises(KeyExpired):
        authenticate(made.key)


CHANGES_BY_OTHERS: tuple[tuple[dict[str, Any], type[KeyRefused]], ...] = (
    ({"revoked_at": datetime(2026, 1, 5, tzinfo=UTC)}, KeyRevoked),
    ({"expires_at": datetime(2026, 1, 5, tzinfo=UTC)}, KeyExpired),
    ({"allowed_addresses": ["10.0.0.0/8"]}, AddressNotAllowed),
    ({"key_hash": "0" * 64}, KeyUnknown),
)


@pytest.mark.parametrize(("values", "reason"), CHANGES_BY_OTHERS)
def test_what_another_process_changed_counts_with_the_next_request(
    values: dict[str, Any], reason: type[KeyRefused], virtual_clock: VirtualClock
) -> None:
    made = make_api_key()
    authenticate(made.key)
    ApiKey.objects.update(**values)  # this process is not told
    with pytest.raises(reason):
        authenticate(made.key)


def test_where_keys_are_remembered_a_revocation_by_others_takes_that_long(
    settings: Any, virtual_clock: VirtualClock
) -> None:
    settings.MAJUU_KEY_CACHE_SECONDS = 5
    made = make_api_key()
    authenticate(made.key)
    ApiKey.objects.update(revoked_at=virtual_clock.now())
    virtual_clock.advance(4)
    authenticate(made.key)
    virtual_clock.advance(1)
    with pytest.raises(KeyRevoked):
        authenticate(made.key)


def test_revoking_is_audited_once(virtual_clock: VirtualClock) -> None:
    made = make_api_key()
    row = revoke_api_key(api_key=made.row)
    virtual_clock.advance(60)
    assert revoke_api_key(api_key=made.row).revoked_at == row.revoked_at == ApiKey.objects.get().revoked_at
    assert actions_on(made.row.public_id) == ["api_key.created", "api_key.revoked"]
    assert last_entry().changes == {"revoked_at": [None, "2026-01-05T09:00:00+00:00"]}


def test_a_rolled_back_revocation_leaves_the_key_working(virtual_clock: VirtualClock) -> None:
    made = make_api_key()
    with transaction.atomic():
        revoke_api_key(api_key=made.row)
        transaction.set_rollback(True)
    assert authenticate(made.key).key_id == made.row.pk
    assert not AuditEntry.objects.filter(action="api_key.revoked").exists()


def test_a_record_read_before_a_revocation_is_not_kept_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_api_key()

    def revoked_meanwhile(**values: Any) -> Any:
        key_cache.clear()  # what the revocation in another thread does when it commits
        return KeyRecord(**values)

    monkeypatch.setattr(key_reading, "KeyRecord", revoked_meanwhile)
    authenticate(made.key)
    assert len(key_cache) == 0


def test_keys_survive_the_rotation_of_the_master_key(
    settings: Any, virtual_clock: VirtualClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made, idle = make_api_key(), make_api_key()
    authenticate(made.key)
    settings.MAJUU_ENCRYPTION_KEYS = [NEWER, MASTER]
    assert set(api_keys.keys_under_older_masters()) == {made.row, idle.row}
    with django_assert_num_queries(3):  # found under the older key, and hashed anew although it was used just now
        assert authenticate(made.key).key_id == made.row.pk
    row = ApiKey.objects.get(pk=made.row.pk)
    assert row.key_hash == crypto.keyed_hash(NEWER, "api-key", made.key.encode()).hex()
    assert row.hashed_with == crypto.key_id(NEWER)
    assert set(api_keys.keys_under_older_masters()) == {idle.row}
    settings.MAJUU_ENCRYPTION_KEYS = [NEWER]
    assert authenticate(made.key).key_id == made.row.pk
    with pytest.raises(KeyUnknown):
        authenticate(idle.key)


def test_keys_that_nobody_can_use_do_not_hold_up_a_rotation(settings: Any, virtual_clock: VirtualClock) -> None:
    revoke_api_key(api_key=make_api_key().row)
    make_api_key(expires_at=virtual_clock.now() + timedelta(minutes=1))
    virtual_clock.advance(60)
    settings.MAJUU_ENCRYPTION_KEYS = [NEWER, MASTER]
    assert not api_keys.keys_under_older_masters().exists()


@pytest.mark.parametrize(
    ("column", "value"), [("livemode", True), ("kind", "publishable"), ("store_id", "00000000000000000000000000000000")]
)
def test_raw_sql_cannot_turn_a_key_into_another(column: str, value: str | bool) -> None:
    make_api_key(livemode=False)
    before = everything()
    with pytest.raises(Exception, match="never change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table_of('majuu_merchants.ApiKey')} SET {column} = %s", [value])
    assert everything() == before


def test_the_prefix_always_agrees_with_kind_and_mode() -> None:
    store = make_store()
    values = {"store": store, "last4": "abcd", "hashed_with": "0" * 8, "scopes": []}
    for kind, livemode, prefix in [
        ("secret", True, "sk_test_"),
        ("publishable", False, "sk_test_"),
        ("x", False, "sk_test_"),
    ]:
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.create(kind=kind, livemode=livemode, prefix=prefix, key_hash=prefix + kind, **values)
    assert ApiKey.objects.count() == 0


def test_a_key_still_opens_after_columns_that_may_change_did() -> None:
    made = make_api_key()
    ApiKey.objects.update(name="renamed", scopes=["charges:read"])
    assert authenticate(made.key).scopes == frozenset({"charges:read"})


def in_thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs row locks between connections")
def test_no_live_key_slips_past_a_suspension() -> None:
    store = make_store()
    answers: list[str] = []

    def create() -> None:
        try:
            answers.append(create_api_key(store=store, livemode=True).key)
        except ActionRefused as problem:
            answers.append(problem.code)

    with transaction.atomic():
        suspend_merchant(merchant=store.merchant, reason="test")
        thread = in_thread(create)
        thread.join(timeout=0.5)
        assert answers == []  # it waits for the suspension to be decided
    thread.join(timeout=10)
    assert answers == ["merchant_suspended"]
    assert ApiKey.objects.count() == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs connections of their own")
def test_a_key_read_while_it_is_being_revoked_is_refused_right_after() -> None:
    made = make_api_key()
    with transaction.atomic():
        revoke_api_key(api_key=made.row)
        # Not committed: another thread still finds the key good, and caches that.
        reader = in_thread(lambda: read_record(made.key, made.row.key_hash, (MASTER,), clock.now()))
        reader.join(timeout=10)
        assert len(key_cache) == 1
    assert len(key_cache) == 0
    with pytest.raises(KeyRevoked):
        authenticate(made.key)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs connections of their own")
def test_many_threads_with_one_key_write_its_use_once() -> None:
    made = make_api_key()
    authenticate(made.key)
    written = ApiKey.objects.get().last_used_at
    threads = [in_thread(lambda: authenticate(made.key)) for _ in range(8)]
    for thread in threads:
        thread.join(timeout=10)
    assert ApiKey.objects.get().last_used_at == written
