"""From the outbox to the shop: what arrives, signed how, and what is written about it."""

from __future__ import annotations

import json

import pytest
from standardwebhooks.webhooks import Webhook

from majuu_core.webhooks.deliverer import deliver_due
from majuu_core.webhooks.dispatch import dispatch_events
from majuu_core.webhooks.endpoints import Created
from majuu_core.webhooks.models import WebhookDelivery
from tests.core.webhooks.outbound.conftest import MakeEvent
from tests.core.webhooks.outbound.receiver import Receiver


@pytest.mark.django_db
def test_an_event_arrives_signed_and_the_public_library_accepts_it(
    receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given an endpoint / when an event is dispatched and delivered / then the shop can verify what it got."""
    event = make_event()

    assert dispatch_events().events == 1
    assert deliver_due() == 1

    (got,) = receiver.received
    message = Webhook(created.secret).verify(got.body, dict(got.headers))
    assert message == json.loads(got.body)
    assert message["id"] == got.headers["webhook-id"] == event.public_id
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.response_status) == ("succeeded", 1, 200)
