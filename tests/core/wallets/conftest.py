from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.verification import find_problems
from tests.core.wallets.support import Counter


@pytest.fixture(autouse=True)
def _custodial(settings: Any) -> None:
    """Wallets are allowed, and customers' money has a place."""
    settings.MAJUU_CUSTODIAL = True
    settings.MAJUU_TRUST_ACCOUNTS = {"kcb": {"name": "Majuu Trust", "bank": "KCB Bank"}}


@pytest.fixture
def counter(db: None, virtual_clock: VirtualClock) -> Iterator[Counter]:
    """A store with wallets, at a time that stands still. Whatever a test does, the books are in order afterwards."""
    yield Counter()
    assert list(find_problems()) == []
