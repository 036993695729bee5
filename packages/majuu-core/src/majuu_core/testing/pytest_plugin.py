"""Fixtures for tests of Majuu and its plugins, and ``pytest --majuu-provider``. Loaded by the entry point ``pytest11``.

Nothing is imported before somebody asks for it: the plugin costs nothing elsewhere and works without Django settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from majuu_core.common.clock import VirtualClock
    from majuu_core.testing.memory import MemoryCache


def pytest_addoption(parser: pytest.Parser) -> None:
    """What ``pytest --help`` says about the contract checks."""
    group = parser.getgroup("majuu", "the provider contract of Majuu")
    example = "my_package.provider:MyProvider"
    group.addoption(
        "--majuu-provider",
        action="append",
        default=[],
        metavar=example,
        help="check this provider against the contract; may be given several times. Other tests run only when named.",
    )
    group.addoption(
        "--majuu-harness",
        action="append",
        default=[],
        metavar="my_package.testing:MyHarness",
        help="the harness that drives it, where it is not found by itself",
    )
    group.addoption("--majuu-report", metavar="FILE", help="write the results of the checks as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Take part only when a provider is to be checked."""
    if not config.getoption("majuu_provider"):
        if config.getoption("majuu_harness") or config.getoption("majuu_report"):
            raise pytest.UsageError("--majuu-harness and --majuu-report need --majuu-provider")
        return
    from majuu_core.testing.pytest_kit import KitPlugin

    config.pluginmanager.register(KitPlugin(config), "majuu_kit")
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []


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
