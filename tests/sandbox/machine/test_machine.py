"""Payments, ledger and a provider that may do anything: the promises P2, P4, P5 and P6 hold whatever happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.sandbox.machine.drivers import ProviderDriver
from tests.sandbox.machine.machine import make_machine
from tests.sandbox.machine.mock_driver import MockDriver
from tests.sandbox.machine.mpesa_driver import MpesaDriver
from tests.sandbox.machine.paypal_driver import PaypalDriver
from tests.sandbox.machine.profiles import machine_settings
from tests.sandbox.machine.stripe_driver import StripeDriver
from tests.sandbox.machine.world import Stage

# What a few dozen examples always come to see, or they prove nothing.
EVERYDAY = {"charge succeeded", "charge failed", "intent succeeded", "intent canceled", "message applied"}
EVERYDAY_AT = {
    "mpesa": {"charge unknown"},
    "mock": {"charge unknown"},
    "stripe": {"paid in the page", "paid by token", "page expired", "message rejected"},
    "paypal": {"pay completed", "order voided", "message rejected"},
}
# What a thousand do.
RARE = {"money parked", "paid in parts", "paid after cancellation", "taken and not known"}
RARE |= {"message duplicate", "message rejected", "message parked"}
RARE_AT = {
    "stripe": {"paid after 3-D Secure", "paid after a decline", "token requires_action", "charge canceled"},
    "paypal": {
        *("pending completed", "review completed", "pending_denied declined", "capture_declined declined"),
        *("taken when the customer came back", "charge unknown", "charge canceled"),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("driver", "share"),
    [(MpesaDriver, 2), (StripeDriver, 4), (PaypalDriver, 4), (MockDriver, 20)],
    ids=["mpesa", "stripe", "paypal", "mock"],
)
def test_the_promises_hold_whatever_happens(
    driver: Callable[[], ProviderDriver], share: int, make_stage: Callable[[ProviderDriver], Stage]
) -> None:
    chosen = machine_settings(share=share)
    stage = make_stage(driver())
    run_state_machine_as_test(make_machine(stage), settings=chosen)
    code = stage.driver.code
    expected = EVERYDAY | EVERYDAY_AT[code] if chosen.max_examples >= 50 else {"charge succeeded"}
    expected |= RARE | RARE_AT.get(code, set()) if chosen.max_examples >= 1000 else set()
    assert expected <= set(stage.seen), f"{stage.examples} examples saw only {dict(stage.seen)}"
