from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.verification import find_problems
from tests.core.bad_luck.support import Counterdesk, Phone, Plugin


@pytest.fixture
def desk(db: None, virtual_clock: VirtualClock, temporary_plugin: Callable[[object], object]) -> Iterator[Counterdesk]:
    """A store whose customers pay by phone. Whatever happened, the books are in order afterwards."""
    temporary_plugin(Plugin())
    Phone.prompts.clear()
    Phone.answer = Phone.truth = None
    yield Counterdesk()
    Phone.answer = Phone.truth = None
    assert list(find_problems()) == []
