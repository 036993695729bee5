"""A store, an endpoint that points at a receiver on loopback, and ways to make events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from majuu_core.events.models import Event
from majuu_core.events.services import build_event
from majuu_core.merchants.models import Store
from majuu_core.testing.factories import make_store
from majuu_core.webhooks.endpoints import Created, create_webhook_endpoint
from tests.core.webhooks.outbound.receiver import Receiver, run_receiver

MakeEvent = Callable[..., Event]
DATA = {"payment_intent": {"id": "pi_1", "amount": "1500.00", "currency": "KES"}}


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = True
    with run_receiver() as running:
        yield running


@pytest.fixture
def store(db: None) -> Store:
    return make_store()


@pytest.fixture
def created(store: Store, receiver: Receiver) -> Created:
    return create_webhook_endpoint(store=store, livemode=False, url=receiver.url())


@pytest.fixture
def make_event(store: Store) -> MakeEvent:
    def make(type: str = "payment_intent.succeeded", **changes: Any) -> Event:
        values: dict[str, Any] = {"store_id": store.pk, "livemode": False, "object_id": "pi_1", "data": DATA}
        event = build_event(type=type, **(values | changes))
        event.save(force_insert=True)
        return event

    return make
