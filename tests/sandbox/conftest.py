"""Offices at the simulated Daraja, closed after the test; their books are sound then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from majuu_core.ledger.verification import find_problems
from tests.sandbox.daraja_office import Office, opened


@pytest.fixture
def open_office(db: None, settings: Any, temporary_plugin: Any) -> Iterator[Callable[..., Office]]:
    """Call it with the account's and the simulator's settings."""
    with ExitStack() as stack:

        def make(*, url: str = "", **changes: Any) -> Office:
            office = Office(live=bool(url), **changes)
            return stack.enter_context(opened(office, settings=settings, temporary_plugin=temporary_plugin, url=url))

        yield make
    assert list(find_problems()) == []


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    """The usual one: a paybill with an initiator."""
    return open_office()
