from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.verification import find_problems
from majuu_core.testing.factories import make_api_key
from tests.core.api.support import Shop
from tests.core.payments.support import Till


@pytest.fixture
def till(transactional_db: None, virtual_clock: VirtualClock) -> Iterator[Till]:
    """A store that takes test payments. Whatever the race did, the books are in order afterwards."""
    cache.clear()
    yield Till()
    assert list(find_problems()) == []


@pytest.fixture
def key(till: Till) -> str:
    """The store's secret test key."""
    return make_api_key(store=till.store).key


@pytest.fixture
def shop(key: str) -> Shop:
    return Shop(key)
