"""Makes pytest fixtures. Import what you need in your own conftest; this is no plugin, and needs pytest installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from majuu_sim.clock import Clock, VirtualClock
from majuu_sim.daraja import DarajaConfig, DarajaSimulator
from majuu_sim.paypal import PaypalConfig, PaypalSimulator
from majuu_sim.stripe import StripeConfig, StripeSimulator
from majuu_sim.transport import Transport

Scope = Literal["session", "package", "module", "class", "function"]


def make_daraja_fixture(
    *,
    seed: int = 1,
    config: DarajaConfig | None = None,
    clock: Callable[[], Clock] = VirtualClock,
    transport: Callable[[], Transport] | None = None,
    scope: Scope = "function",
) -> Any:
    """A fixture that serves a fresh simulated Daraja: ``daraja = make_daraja_fixture(seed=7)`` in a conftest.

    ``clock`` and ``transport`` are called once for every simulator.
    """

    @pytest.fixture(scope=scope)
    def daraja() -> Iterator[DarajaSimulator]:
        carrier = transport() if transport is not None else None
        with DarajaSimulator(seed=seed, clock=clock(), config=config, transport=carrier).serve() as simulator:
            yield simulator

    return daraja


def make_paypal_fixture(
    *,
    seed: int = 1,
    config: PaypalConfig | None = None,
    clock: Callable[[], Clock] = VirtualClock,
    transport: Callable[[], Transport] | None = None,
    scope: Scope = "function",
) -> Any:
    """A fixture that serves a fresh simulated PayPal: ``paypal = make_paypal_fixture(seed=7)`` in a conftest.

    ``clock`` and ``transport`` are called once for every simulator.
    """

    @pytest.fixture(scope=scope)
    def paypal() -> Iterator[PaypalSimulator]:
        carrier = transport() if transport is not None else None
        with PaypalSimulator(seed=seed, clock=clock(), config=config, transport=carrier).serve() as simulator:
            yield simulator

    return paypal


def make_stripe_fixture(
    *,
    seed: int = 1,
    config: StripeConfig | None = None,
    clock: Callable[[], Clock] = VirtualClock,
    transport: Callable[[], Transport] | None = None,
    scope: Scope = "function",
) -> Any:
    """A fixture that serves a fresh simulated Stripe: ``stripe_sim = make_stripe_fixture(seed=7)`` in a conftest.

    ``clock`` and ``transport`` are called once for every simulator.
    """

    @pytest.fixture(scope=scope)
    def stripe_sim() -> Iterator[StripeSimulator]:
        carrier = transport() if transport is not None else None
        with StripeSimulator(seed=seed, clock=clock(), config=config, transport=carrier).serve() as simulator:
            yield simulator

    return stripe_sim


daraja_simulator = make_daraja_fixture()
paypal_simulator = make_paypal_fixture()
stripe_simulator = make_stripe_fixture()
