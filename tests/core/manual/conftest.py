from __future__ import annotations

import pytest

from majuu_core.common.clock import VirtualClock
from tests.core.manual.office import Office


@pytest.fixture
def office(db: None, virtual_clock: VirtualClock) -> Office:
    """A shop with a bank account in KES and USD, at a time that stands still."""
    return Office()
