"""A live key exists only for an approved merchant: raw SQL, as an intruder or a careless hand would write it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from majuu_core.common import clock, ids
from majuu_core.merchants.key_format import PREFIXES
from majuu_core.merchants.models import ApiKey, LiveApproval, Merchant, Store
from majuu_core.merchants.services import approve_merchant, suspend_merchant
from majuu_core.testing.factories import make_api_key, make_merchant, make_store
from tests.core.merchants.support import everything

pytestmark = pytest.mark.django_db
KEYS, STORES, APPROVALS = "majuu_merchants_apikey", "majuu_merchants_store", "majuu_merchants_liveapproval"


def raw(value: uuid.UUID) -> str:
    """A UUID as this database's SQL wants it."""
    return str(value) if connection.features.has_native_uuid_field else value.hex


def refused(sql: str, parameters: Sequence[Any] = ()) -> None:
    """Run the statement, and check what is checked at commit; it must be refused and change nothing."""
    before = everything(), list(LiveApproval.objects.order_by("pk").values())
    with pytest.raises(DatabaseError), transaction.atomic():
        _run(sql, parameters)
    assert (everything(), list(LiveApproval.objects.order_by("pk").values())) == before


def _run(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    connection.check_constraints()


def insert_key(store: Store, *, approval: Any, livemode: bool = True, kind: str = "secret") -> tuple[str, list[Any]]:
    row: dict[str, Any] = {
        str(field.column): field.get_db_prep_save(field.get_default(), connection)
        for field in ApiKey._meta.local_concrete_fields
    }
    row |= {
        "id": raw(ids.new_uuid()),
        "store_id": raw(store.pk),
        "kind": kind,
        "livemode": livemode,
        "prefix": PREFIXES[kind, livemode],
        "last4": "abcd",
        "key_hash": ids.new_uuid().hex * 2,
        "hashed_with": "abcdabcd",
        "live_approval_id": raw(approval) if approval else None,
    }
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    return f"INSERT INTO {KEYS} ({names}) VALUES ({marks})", list(row.values())


def test_the_statement_of_these_tests_works_where_it_may() -> None:
    store = make_store()
    with connection.cursor() as cursor:
        cursor.execute(*insert_key(store, approval=store.merchant_id))
    assert ApiKey.objects.get().live_approval_id == store.merchant_id


def test_no_live_key_is_inserted_without_an_approval() -> None:
    refused(*insert_key(make_store(), approval=None))


def test_no_live_key_is_inserted_for_an_unapproved_merchant() -> None:
    store = make_store(merchant=make_merchant(approved=False))
    refused(*insert_key(store, approval=None))
    refused(*insert_key(store, approval=store.merchant_id))


def test_no_live_key_is_inserted_with_the_approval_of_another_merchant() -> None:
    refused(*insert_key(make_store(merchant=make_merchant(approved=False)), approval=make_merchant().pk))
    refused(*insert_key(make_store(), approval=make_merchant().pk))


def test_no_live_key_is_inserted_for_a_suspended_merchant() -> None:
    store = make_store()
    suspend_merchant(merchant=store.merchant, reason="fraud")
    refused(*insert_key(store, approval=store.merchant_id))


def test_a_client_needs_what_a_key_needs() -> None:
    """given businesses / when a live OAuth client is inserted past the services / then as with keys"""
    refused(*insert_key(make_store(), approval=None, kind="client"))
    unapproved = make_store(merchant=make_merchant(approved=False))
    refused(*insert_key(unapproved, approval=unapproved.merchant_id, kind="client"))
    refused(*insert_key(make_store(), approval=make_merchant().pk, kind="client"))
    suspended = make_store()
    suspend_merchant(merchant=suspended.merchant, reason="fraud")
    refused(*insert_key(suspended, approval=suspended.merchant_id, kind="client"))
    store = make_store()
    with connection.cursor() as cursor:
        cursor.execute(*insert_key(store, approval=store.merchant_id, kind="client"))
    assert (ApiKey.objects.get().kind, ApiKey.objects.get().live_approval_id) == ("client", store.merchant_id)


def test_no_approval_is_inserted_for_an_unapproved_merchant() -> None:
    merchant = make_merchant(approved=False)
    sql = f"INSERT INTO {APPROVALS} (merchant_id, approved_by, approved_at) VALUES (%s, 'user:1', %s)"
    refused(sql, [raw(merchant.pk), clock.now()])


def test_a_test_key_never_becomes_a_live_one() -> None:
    key = make_api_key().row
    refused(f"UPDATE {KEYS} SET livemode = %s, prefix = 'sk_live_' WHERE id = %s", [True, raw(key.pk)])
    refused(
        f"UPDATE {KEYS} SET livemode = %s, prefix = 'sk_live_', live_approval_id = %s WHERE id = %s",
        [True, raw(key.store.merchant_id), raw(key.pk)],
    )


def test_a_live_key_keeps_its_store_its_approval_and_its_merchant() -> None:
    key, other = make_api_key(livemode=True).row, make_store()
    refused(f"UPDATE {KEYS} SET store_id = %s WHERE id = %s", [raw(other.pk), raw(key.pk)])
    refused(f"UPDATE {KEYS} SET live_approval_id = NULL WHERE id = %s", [raw(key.pk)])
    refused(f"UPDATE {KEYS} SET live_approval_id = %s WHERE id = %s", [raw(other.merchant_id), raw(key.pk)])
    refused(f"UPDATE {STORES} SET merchant_id = %s WHERE id = %s", [raw(other.merchant_id), raw(key.store_id)])


def test_an_approval_stays_while_there_are_live_keys() -> None:
    key = make_api_key(livemode=True).row
    refused(f"DELETE FROM {APPROVALS} WHERE merchant_id = %s", [raw(key.store.merchant_id)])
    refused(
        f"UPDATE {APPROVALS} SET merchant_id = %s WHERE merchant_id = %s",
        [raw(make_merchant(approved=False).pk), raw(key.store.merchant_id)],
    )


def test_a_suspended_merchant_approved_anew_has_its_keys_back_and_one_approval() -> None:
    key = make_api_key(livemode=True).row
    suspend_merchant(merchant=key.store.merchant, reason="fraud")
    approve_merchant(merchant=key.store.merchant)
    assert LiveApproval.objects.filter(merchant=key.store.merchant).count() == 1
    assert Merchant.objects.get(pk=key.store.merchant_id).status == "approved"
