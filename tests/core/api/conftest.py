from __future__ import annotations

import pytest

from majuu_core.merchants.models import Store
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from tests.core.api.support import Shop


@pytest.fixture
def store(db: None) -> Store:
    """A store that takes test payments."""
    store = make_store()
    make_provider_account(store=store)
    return store


@pytest.fixture
def shop(store: Store) -> Shop:
    """The store's own server, with its test key."""
    return Shop(make_api_key(store=store).key)
