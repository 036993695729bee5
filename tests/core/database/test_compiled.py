"""Rows read by a query that was compiled once: the same instances as Django's own, on every database."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from majuu_core.database.compiled import RowByKey, row_version
from majuu_core.merchants.models import ApiKey, ProviderAccount, Store
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store

pytestmark = pytest.mark.django_db


def test_a_row_comes_with_its_relations_and_without_further_queries(django_assert_num_queries) -> None:
    """given a joined query / when two rows are read / then one query each, and every column is what Django reads."""
    keys = [make_api_key().row, make_api_key(scopes=["payments:read", "events:*"]).row]
    by_key: RowByKey[ApiKey] = RowByKey(lambda: ApiKey.objects.select_related("store__merchant"))

    for key in keys:
        with django_assert_num_queries(1):
            found = by_key.get(key.pk)
            assert found is not None
            assert found.store.merchant.name == "Duka Ltd"
        expected = ApiKey.objects.get(pk=key.pk)
        columns = [field.attname for field in ApiKey._meta.concrete_fields]
        assert [getattr(found, name) for name in columns] == [getattr(expected, name) for name in columns]
        assert not found._state.adding
        assert found._state.db == "default"


def test_an_absent_relation_is_none() -> None:
    account = make_provider_account(platform=True)
    by_key: RowByKey[ProviderAccount] = RowByKey(lambda: ProviderAccount.objects.select_related("store"))

    found = by_key.get(account.pk)

    assert found is not None
    assert found.store is None


def test_a_row_that_is_not_there_is_none() -> None:
    assert RowByKey(lambda: Store.objects.all()).get(uuid.uuid4()) is None


def test_a_query_with_another_condition_is_refused() -> None:
    """The condition's value would be frozen into the text."""
    with pytest.raises(ValueError, match="one parameter"):
        RowByKey(lambda: Store.objects.filter(code="duka")).get(uuid.uuid4())


@pytest.mark.django_db(transaction=True)
def test_a_locking_query_needs_a_transaction() -> None:
    store = make_store()
    locked: RowByKey[Store] = RowByKey(lambda: Store.objects.select_for_update())

    with pytest.raises(TransactionManagementError):
        locked.get(store.pk)
    with transaction.atomic():
        assert locked.get(store.pk) == store
    with pytest.raises(TransactionManagementError):
        locked.get(store.pk)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_version_of_a_row_differs_after_every_change() -> None:
    """given a row / when it is updated, even to what it was / then its version is another; reading changes nothing."""
    store = make_store()
    versioned: RowByKey[Store] = RowByKey(lambda: Store.objects.annotate(version=row_version(Store)))

    def version() -> str:
        found = versioned.get(store.pk)
        assert found is not None
        return str(found.version)  # type: ignore[attr-defined]

    first = version()
    assert version() == first
    Store.objects.filter(pk=store.pk).update(name=store.name)
    assert version() != first
    assert connection.vendor == "postgresql"
