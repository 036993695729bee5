from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from majuu_core.plugins.manager import temporary_plugin
from majuu_core.providers.installed import installed_providers
from tests.sandbox.machine.drivers import ProviderDriver
from tests.sandbox.machine.world import Stage


@pytest.fixture
def make_stage(transactional_db: None, settings: Any) -> Iterator[Callable[[ProviderDriver], Stage]]:
    """A furnished stage for a driver; everything is as before when the test ends."""
    logging.disable(logging.CRITICAL)  # a thousand examples of every misfortune
    with ExitStack() as opened:
        opened.callback(logging.disable, logging.NOTSET)

        def make(driver: ProviderDriver) -> Stage:
            if driver.code not in installed_providers():
                opened.enter_context(temporary_plugin(driver.plugin))
            stage = Stage(driver)
            opened.callback(driver.close)
            settings.MAJUU_PUBLIC_URL = "http://127.0.0.1"  # where a simulator may send callbacks
            settings.MAJUU_PROMPT_LIMITS = {"phone": None, "intent": None}  # the same phone, over and over
            settings.MAJUU_PROVIDERS = {driver.code: driver.options()}
            return opened.enter_context(stage.furnished())

        yield make
