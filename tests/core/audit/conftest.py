from __future__ import annotations

import pytest

from majuu_core.common.clock import VirtualClock
from tests.core.audit.trail import Records, exported, write_trail, wrong


@pytest.fixture
def records(db: None, virtual_clock: VirtualClock) -> Records:
    """The export of a sound trail."""
    write_trail(virtual_clock)
    found = exported()
    assert wrong(found) == []
    return found
