"""Payments, ledger and a provider that may do anything: the promises P2, P4, P5 and P6 hold whatever happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.sandbox.machine.drivers import ProviderDriver
from tests.sandbox.machine.machine import make_machine
from tests.sandbox.machine.mock_driver import MockDriver
from tests.sandbox.machine.mpesa_driver import MpesaDriver
from tests.sandbox.machine.profiles import machine_settings
from tests.sandbox.machine.world import Stage


@pytest.mark.parametrize("driver", [MpesaDriver, MockDriver], ids=lambda driver: driver.code)
def test_the_promises_hold_whatever_happens(
    driver: Callable[[], ProviderDriver], make_stage: Callable[[ProviderDriver], Stage]
) -> None:
    run_state_machine_as_test(make_machine(make_stage(driver())), settings=machine_settings())
