from __future__ import annotations

from collections.abc import Iterator

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaSimulator
from majuu_sim.pytest_fixtures import make_daraja_fixture
from majuu_sim.stripe import StripeSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import Client, Receiver, serve_receiver
from tests.sim.money_client import MoneyClient, Shop, serve_shop
from tests.sim.stripe_client import CONFIG
from tests.sim.stripe_client import Client as StripeApi

sim = make_daraja_fixture(seed=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    server = serve_receiver(receiver)
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(sim: DarajaSimulator, receiver: Receiver) -> Client:
    return Client(sim.base_url, f"{receiver.url}/in/charge-1")


@pytest.fixture
def money() -> Iterator[MoneyClient]:
    """A shop whose letters are kept, at a simulator of its own with the usual settings."""
    mail = CollectingTransport()
    with DarajaSimulator(seed=1, clock=VirtualClock(), transport=mail) as sim:
        yield MoneyClient(sim, Client(sim.base_url, "https://shop.example/in/push"), mail)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The shop's server, to which the simulator ``sim`` can really speak."""
    shop = Shop()
    server = serve_shop(shop)
    yield shop
    server.shutdown()
    server.server_close()


@pytest.fixture
def stripe_api() -> Iterator[StripeApi]:
    """A client of a simulated Stripe whose events are kept."""
    mail = CollectingTransport()
    with StripeSimulator(seed=1, clock=VirtualClock(), config=CONFIG, transport=mail) as sim:
        yield StripeApi(sim, mail)
