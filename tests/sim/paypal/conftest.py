from __future__ import annotations

from collections.abc import Iterator

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.paypal import Account, PaypalConfig, PaypalSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.paypal.client import Shop

pytest.importorskip("cryptography")

OTHER = Account(client_id="other-client", client_secret="other-secret", merchant_id="THERSHP234567")


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop whose events are kept, at a simulator of its own with two accounts."""
    mail = CollectingTransport()
    config = PaypalConfig(accounts=(Account(), OTHER))
    with PaypalSimulator(seed=1, clock=VirtualClock(), transport=mail, config=config) as sim:
        made = Shop(sim, mail)
        yield made
        made.http.close()


@pytest.fixture
def sim(shop: Shop) -> PaypalSimulator:
    return shop.sim
