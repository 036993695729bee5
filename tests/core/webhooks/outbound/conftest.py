"""A store, an endpoint that points at a receiver on loopback, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings

from majuu_core.events.models import Event
from majuu_core.events.services import build_event
from majuu_core.merchants.models import Merchant, Store
from majuu_core.webhooks.endpoints import Created, create_webhook_endpoint
from tests.core.webhooks.outbound.receiver import Receiver, run_receiver

MakeEvent = Callable[..., Event]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as running, override_settings(MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES=True):
        yield running


@pytest.fixture
def store(db: None) -> Store:
    merchant = Merchant.objects.create(name="Duka Ltd")
    return Store.objects.create(merchant=merchant, name="Duka", code="duka")


@pytest.fixture
def created(store: Store, receiver: Receiver) -> Created:
    return create_webhook_endpoint(store=store, livemode=False, url=receiver.url())


@pytest.fixture
def make_event(store: Store) -> MakeEvent:
    def make(type: str = "payment_intent.succeeded", **changes: Any) -> Event:
        values: dict[str, Any] = {
            "store_id": store.pk,
            "livemode": False,
            "object_id": "pi_1",
            "data": {"payment_intent": {"id": "pi_1", "amount": "1500.00", "currency": "KES"}},
        }
        event = build_event(type=type, **(values | changes))
        event.save(force_insert=True)
        return event

    return make
