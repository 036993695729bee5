from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.machine.drivers import ProviderDriver
from tests.sandbox.machine.world import Stage


@pytest.fixture
def make_stage(transactional_db: None, settings: Any) -> Iterator[Callable[[ProviderDriver], Stage]]:
    """A furnished stage for a driver; everything is as before when the test ends."""
    opened: list[ProviderDriver] = []

    def make(driver: ProviderDriver) -> Stage:
        stage = Stage(driver)
        opened.append(driver)
        settings.MAJUU_PROVIDERS = {driver.code: driver.options()}
        return stage

    yield make
    for driver in opened:
        driver.close()
