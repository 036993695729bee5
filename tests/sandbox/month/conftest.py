from __future__ import annotations

from collections.abc import Iterator

import pytest

from majuu_core.plugins.manager import temporary_plugin
from majuu_mpesa import majuu_hooks


@pytest.fixture(autouse=True)
def mpesa_plugin() -> Iterator[None]:
    """The tests' settings know no provider package."""
    with temporary_plugin(majuu_hooks, name="majuu_mpesa"):
        yield
