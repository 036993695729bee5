"""Fixtures for tests of Majuu and its plugins. Loaded by pytest itself through the entry point ``pytest11``.

Nothing is imported before a test asks for it: the plugin costs nothing elsewhere and works without Django settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from majuu_core.common.clock import VirtualClock
    from majuu_core.testing.memory import MemoryCache


@pytest.fixture
def virtual_clock() -> Iterator[VirtualClock]:
    """A clock that stands still until ``advance`` is called; the whole process uses it during the test."""
    from majuu_core.common.clock import VirtualClock, use_clock

    clock = VirtualClock()
    with use_clock(clock):
        yield clock


@pytest.fixture
def memory_cache() -> MemoryCache:
    """An empty cache of the kind that providers are given."""
    from majuu_core.testing.memory import MemoryCache

    return MemoryCache()


@pytest.fixture
def temporary_plugin() -> Iterator[Callable[[object], object]]:
    """Call it with an object that has hook implementations: they count until the test ends."""
    from majuu_core.plugins.manager import temporary_plugin as register

    with ExitStack() as registered:
        yield lambda plugin: registered.enter_context(register(plugin))
