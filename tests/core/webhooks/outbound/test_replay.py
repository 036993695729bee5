"""Delivering events again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.merchants.models import Store
from majuu_core.testing.factories import make_store
from majuu_core.webhooks import replay
from majuu_core.webhooks.deliverer import deliver_due
from majuu_core.webhooks.dispatch import dispatch_due
from majuu_core.webhooks.endpoints import (
    Created,
    create_webhook_endpoint,
    disable_webhook_endpoint,
    enable_webhook_endpoint,
)
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint
from majuu_core.webhooks.replay import replay_event, replay_range
from tests.core.webhooks.outbound.conftest import MakeEvent
from tests.core.webhooks.outbound.receiver import Receiver, Reply

URL = "https://shop.example/hook"


@pytest.fixture(autouse=True)
def _clock(virtual_clock: VirtualClock) -> None:
    """Every test of this module has a clock that stands still."""


def replays() -> list[tuple[str, int]]:
    return sorted(WebhookDelivery.objects.values_list("event__object_id", "replay"))


def test_a_replayed_event_arrives_with_the_same_id_and_body(
    receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given a delivered event / when it is replayed twice / then the shop gets the same message twice more."""
    event = make_event()
    dispatch_due()
    deliver_due()

    for expected in (1, 2):
        (delivery,) = replay_event(event=event)
        assert (delivery.replay, delivery.state) == (expected, "pending")
        deliver_due()

    assert len({(got.headers["webhook-id"], got.body) for got in receiver.received}) == 1
    assert len(receiver.received) == 3
    assert AuditEntry.objects.filter(action="webhook_delivery.replayed", object_id=event.public_id).count() == 2


def test_to_one_endpoint_whatever_it_subscribes_to(store: Store, make_event: MakeEvent) -> None:
    """given an endpoint for charges / when another event is replayed to it by name / then it gets it, alone."""
    chosen = create_webhook_endpoint(store=store, livemode=False, url=URL, event_types=["charge.*"]).endpoint
    create_webhook_endpoint(store=store, livemode=False, url=URL)

    (delivery,) = replay_event(event=make_event(), endpoint=chosen)

    assert WebhookDelivery.objects.get() == delivery
    assert delivery.endpoint == chosen


def test_an_event_nobody_wants_cannot_be_replayed(store: Store, make_event: MakeEvent) -> None:
    """given endpoints that do not want the type, or are disabled / when replayed / then a conflict, nothing written."""
    create_webhook_endpoint(store=store, livemode=False, url=URL, event_types=["charge.*"])
    create_webhook_endpoint(store=store, livemode=True, url=URL)

    with pytest.raises(Conflict) as refused:
        replay_event(event=make_event())

    assert refused.value.code == "no_endpoint"
    assert not WebhookDelivery.objects.exists()
    assert not AuditEntry.objects.filter(action="webhook_delivery.replayed").exists()


@pytest.mark.parametrize("kind", ["store", "mode"])
def test_another_stores_or_modes_endpoint_is_refused(store: Store, make_event: MakeEvent, kind: str) -> None:
    """given an endpoint of another store or mode / when an event is replayed to it / then nothing is written."""
    other = make_store() if kind == "store" else store
    endpoint = create_webhook_endpoint(store=other, livemode=kind == "mode", url=URL).endpoint

    with pytest.raises(Invalid) as refused:
        replay_event(event=make_event(), endpoint=endpoint)
    assert refused.value.code == "endpoint_of_another_store"
    with pytest.raises(Invalid):
        replay_range(
            store=store,
            livemode=False,
            start=endpoint.created_at,
            end=endpoint.created_at + timedelta(hours=1),
            endpoint=endpoint,
        )
    assert not WebhookDelivery.objects.exists()


def test_what_a_disabled_endpoint_missed_can_be_replayed(
    virtual_clock: VirtualClock, receiver: Receiver, created: Created, store: Store, make_event: MakeEvent
) -> None:
    """given events before, while and after an endpoint was disabled / when the range is replayed / then only missed."""
    make_event(object_id="pi_before")
    dispatch_due()
    deliver_due()
    begun = virtual_clock.advance(60)
    receiver.default = Reply(status=500)
    make_event(object_id="pi_failed")
    dispatch_due()
    deliver_due()
    disable_webhook_endpoint(endpoint=created.endpoint, reason="test")
    make_event(object_id="pi_missed")
    make_event(object_id="pi_other_mode", livemode=True)
    dispatch_due()
    ended = virtual_clock.advance(60)
    make_event(object_id="pi_after")
    dispatch_due()
    enable_webhook_endpoint(endpoint=created.endpoint)
    receiver.default = Reply()

    count = replay_range(store=store, livemode=False, start=begun, end=ended, endpoint=created.endpoint)

    # The event that tells of the disabling is one of those it missed.
    assert count == 3
    assert replays() == sorted(
        [("pi_before", 0), ("pi_failed", 0), ("pi_failed", 1), ("pi_missed", 0), (created.endpoint.public_id, 0)]
    )
    deliver_due()
    assert replay_range(store=store, livemode=False, start=begun, end=ended, endpoint=created.endpoint) == 0


def test_all_of_a_range_when_asked_for(
    virtual_clock: VirtualClock, created: Created, store: Store, make_event: MakeEvent
) -> None:
    """given delivered events / when the range is replayed with everything / then each has a second delivery."""
    start = virtual_clock.now()
    for number in range(3):
        make_event(object_id=f"pi_{number}")
    dispatch_due()
    WebhookDelivery.objects.update(state="succeeded")
    end = virtual_clock.advance(1)

    count = replay_range(
        store=store, livemode=False, start=start, end=end, endpoint=created.endpoint, only_missed=False
    )

    assert count == 3
    assert replays() == [(f"pi_{number}", replay) for number in range(3) for replay in (0, 1)]
    entry = AuditEntry.objects.get(action="webhook_delivery.replayed")
    assert entry.changes["deliveries"] == 3
    assert entry.changes["start"] == start.isoformat()


def test_a_range_needs_a_start_before_its_end(store: Store, created: Created, virtual_clock: VirtualClock) -> None:
    """given an empty range / when replayed / then it is refused."""
    now = virtual_clock.now()

    with pytest.raises(Invalid) as refused:
        replay_range(store=store, livemode=False, start=now, end=now, endpoint=created.endpoint)

    assert (refused.value.code, refused.value.field) == ("range_invalid", "start")


def test_a_range_too_large_is_refused(
    store: Store, created: Created, make_event: MakeEvent, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """given more events than may be replayed at once / when replayed / then nothing is written."""
    monkeypatch.setattr(replay, "MAX_EVENTS", 2)
    start = virtual_clock.now()
    for _ in range(3):
        make_event()

    with pytest.raises(Invalid) as refused:
        replay_range(store=store, livemode=False, start=start, end=virtual_clock.advance(1), endpoint=created.endpoint)

    assert refused.value.code == "range_too_large"
    assert not WebhookDelivery.objects.exists()


def test_a_disabled_endpoint_must_be_enabled_first(store: Store, created: Created, make_event: MakeEvent) -> None:
    """given a disabled endpoint / when an event is replayed to it / then a conflict, and it stays disabled."""
    disable_webhook_endpoint(endpoint=created.endpoint, reason="test")

    with pytest.raises(Conflict) as refused:
        replay_event(event=make_event(), endpoint=created.endpoint)

    assert refused.value.code == "endpoint_disabled"
    assert WebhookEndpoint.objects.get().status == "disabled"
