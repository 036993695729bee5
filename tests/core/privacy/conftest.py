from __future__ import annotations

import pytest

from majuu_core.common.clock import VirtualClock
from tests.core.payments.support import Till


@pytest.fixture
def till(db: None, virtual_clock: VirtualClock) -> Till:
    """A store that takes test payments, at a time that stands still."""
    return Till()
