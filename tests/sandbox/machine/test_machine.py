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

# What a few dozen examples always come to see, or they prove nothing.
EVERYDAY = {"charge succeeded", "charge failed", "charge unknown", "intent succeeded", "intent canceled"}
EVERYDAY |= {"message applied"}
# What a thousand do.
RARE = {"money parked", "paid in parts", "paid after cancellation", "taken and not known"}
RARE |= {"message duplicate", "message rejected", "message parked"}


@pytest.mark.parametrize(("driver", "share"), [(MpesaDriver, 1), (MockDriver, 4)], ids=["mpesa", "mock"])
def test_the_promises_hold_whatever_happens(
    driver: Callable[[], ProviderDriver], share: int, make_stage: Callable[[ProviderDriver], Stage]
) -> None:
    chosen = machine_settings(share=share)
    stage = make_stage(driver())
    run_state_machine_as_test(make_machine(stage), settings=chosen)
    expected = EVERYDAY if chosen.max_examples >= 50 else {"charge succeeded"}
    expected |= RARE if chosen.max_examples >= 1000 else set()
    assert expected <= set(stage.seen), f"{stage.examples} examples saw only {dict(stage.seen)}"
