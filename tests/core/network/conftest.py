from __future__ import annotations

import pytest

from majuu_core.merchants.models import Store
from majuu_core.testing.factories import make_provider_account, make_store


@pytest.fixture
def store(db: None) -> Store:
    """A store that can be paid."""
    made = make_store()
    make_provider_account(store=made)
    return made
