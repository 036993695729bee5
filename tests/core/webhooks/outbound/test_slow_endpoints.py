"""One slow shop never delays another's events."""

from __future__ import annotations

import threading
from time import monotonic

import pytest

from majuu_core.merchants.models import Store
from majuu_core.webhooks.deliverer import Options, deliver_due
from majuu_core.webhooks.dispatch import dispatch_due
from majuu_core.webhooks.endpoints import create_webhook_endpoint
from majuu_core.webhooks.models import WebhookDelivery
from tests.core.webhooks.outbound.conftest import MakeEvent
from tests.core.webhooks.outbound.receiver import Receiver, Reply


@pytest.mark.django_db
def test_hanging_endpoints_delay_nobody_else(store: Store, receiver: Receiver, make_event: MakeEvent) -> None:
    """given more hanging endpoints than there is room for / when a good one has work / then it flows.

    The main lane has room for 10 requests. The good endpoint's 60 messages arrive while the hanging ones still hang.
    """
    for number in range(12):
        create_webhook_endpoint(
            store=store, livemode=False, url=receiver.url(f"/hang/{number}"), event_types=["charge.failed"]
        )
        receiver.by_path[f"/hang/{number}"] = Reply(delay=60)
    create_webhook_endpoint(
        store=store, livemode=False, url=receiver.url("/good"), event_types=["payment_intent.succeeded"]
    )
    for _ in range(10):
        make_event("charge.failed")
    for _ in range(60):
        make_event("payment_intent.succeeded")
    dispatch_due()
    arrived_after: list[float] = []
    begun = monotonic()

    def watch() -> None:
        while monotonic() - begun < 20:
            if sum(got.path == "/good" for got in list(receiver.received)) == 60:
                arrived_after.append(monotonic() - begun)
                return
            threading.Event().wait(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    deliver_due(options=Options(main_limit=10, timeout=6, prompt=0.3, poll=0.05), seconds=0.1)
    # The first run was told to stop at once: what it had not started it gave back.
    deliver_due(options=Options(main_limit=10, timeout=6, prompt=0.3, poll=0.05), seconds=5)
    watcher.join()

    assert arrived_after
    assert arrived_after[0] < 12
    good = WebhookDelivery.objects.filter(event__type="payment_intent.succeeded")
    assert good.filter(state="succeeded", attempts=1).count() == 60
    hanging = WebhookDelivery.objects.filter(event__type="charge.failed")
    assert hanging.count() == 120
    assert not hanging.filter(state__in=["sending", "succeeded"]).exists()
