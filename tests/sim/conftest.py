from __future__ import annotations

from collections.abc import Iterator

import pytest

from majuu_sim.daraja import DarajaSimulator
from majuu_sim.pytest_fixtures import make_daraja_fixture
from tests.sim.daraja_client import Client, Receiver, serve_receiver

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
