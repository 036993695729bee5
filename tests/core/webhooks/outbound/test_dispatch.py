"""From the outbox to deliveries and handler runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from majuu_core.common.clock import VirtualClock
from majuu_core.events.models import Event, HandlerRun
from majuu_core.merchants.models import Store
from majuu_core.plugins import EventHandler, hookimpl
from majuu_core.testing.factories import make_store
from majuu_core.webhooks.dispatch import Dispatched, dispatch_due, dispatch_events
from majuu_core.webhooks.endpoints import create_webhook_endpoint, delete_webhook_endpoint, disable_webhook_endpoint
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.core.webhooks.outbound.conftest import MakeEvent


def make_endpoint(store: Store, *patterns: str, livemode: bool = False) -> WebhookEndpoint:
    url = f"https://shop.example/{len(patterns)}"
    return create_webhook_endpoint(store=store, livemode=livemode, url=url, event_types=patterns).endpoint


def handle(event: Event) -> None:
    """Do nothing."""


class Plugin:
    """Two handlers, one of them for charges only."""

    @hookimpl
    def register_event_handlers(self) -> list[EventHandler]:
        path = f"{__name__}.handle"
        return [
            EventHandler(name="tests.all", event_types=frozenset({"*"}), function=path),
            EventHandler(name="tests.charges", event_types=frozenset({"charge.failed"}), function=path),
        ]


def test_an_event_goes_to_every_endpoint_that_wants_it(store: Store, make_event: MakeEvent) -> None:
    """given endpoints of all sorts / when an event is dispatched / then exactly the right ones have a delivery."""
    wanted = [
        make_endpoint(store),
        make_endpoint(store, "*"),
        make_endpoint(store, "payment_intent.*"),
        make_endpoint(store, "charge.failed", "payment_intent.succeeded"),
    ]
    make_endpoint(store, "charge.*")
    make_endpoint(store, "payment_intent.created")
    make_endpoint(store, livemode=True)
    make_endpoint(make_store())
    disable_webhook_endpoint(endpoint=(disabled := make_endpoint(store)), reason="test")
    delete_webhook_endpoint(endpoint=make_endpoint(store))
    Event.objects.update(dispatched_at=disabled.created_at)  # that of the disabled endpoint is not what is tested
    event = make_event()

    found = dispatch_events()

    assert found == Dispatched(1, frozenset(endpoint.pk for endpoint in wanted))
    deliveries = WebhookDelivery.objects.all()
    assert {delivery.endpoint_id for delivery in deliveries} == {endpoint.pk for endpoint in wanted}
    assert {(item.event_id, item.replay, item.state, item.attempts) for item in deliveries} == {
        (event.pk, 0, "pending", 0)
    }


def test_every_handler_that_wants_the_event_gets_a_run(
    make_event: MakeEvent, temporary_plugin: Callable[[object], object]
) -> None:
    """given a plugin with two handlers / when two events are dispatched / then each handler has its runs."""
    temporary_plugin(Plugin())
    first, second = make_event(), make_event("charge.failed")

    assert dispatch_due() == 2

    runs = set(HandlerRun.objects.values_list("event_id", "handler", "state", "attempts"))
    assert runs == {
        (first.pk, "tests.all", "pending", 0),
        (second.pk, "tests.all", "pending", 0),
        (second.pk, "tests.charges", "pending", 0),
    }


def test_nothing_is_handed_out_twice(store: Store, make_event: MakeEvent, virtual_clock: VirtualClock) -> None:
    """given a dispatched event / when dispatched again, even when put back / then there is no second delivery."""
    make_endpoint(store)
    event = make_event()
    assert (dispatch_due(), dispatch_due()) == (1, 0)

    Event.objects.filter(pk=event.pk).update(dispatched_at=None)

    assert dispatch_due() == 1
    assert WebhookDelivery.objects.count() == 1
    assert Event.objects.get(pk=event.pk).dispatched_at == virtual_clock.now()


def test_the_oldest_events_go_first_and_the_limit_holds(make_event: MakeEvent, virtual_clock: VirtualClock) -> None:
    """given five events / when two are taken / then they are the oldest."""
    events = []
    for _ in range(5):
        events.append(make_event())
        virtual_clock.advance(1)

    assert dispatch_due(2) == 2

    left = Event.objects.filter(dispatched_at=None).order_by("pk")
    assert list(left) == events[2:]


def count_queries(dispatch: Callable[[], int]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        dispatch()
    return len(captured)


def test_the_number_of_queries_does_not_grow_with_the_events(store: Store, make_event: MakeEvent) -> None:
    """given one event, then twenty for two stores / when dispatched / then it takes the same number of queries."""
    make_endpoint(store)
    make_event()
    one = count_queries(dispatch_due)
    other = make_store()
    make_endpoint(other)
    for _ in range(10):
        make_event()
        make_event(store_id=other.pk)

    assert count_queries(dispatch_due) == one
    assert count_queries(dispatch_due) == 1  # nothing to do: one look, no transaction


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_hand_out_each_event_once(store: Store, make_event: MakeEvent) -> None:
    """given 200 events / when four workers dispatch at the same time / then there are 200 deliveries and no error."""
    make_endpoint(store)
    for _ in range(200):
        make_event()
    taken: list[int] = []

    def work() -> None:
        try:
            while count := dispatch_due(7):
                taken.append(count)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) == 200
    assert WebhookDelivery.objects.count() == 200
    assert not Event.objects.filter(dispatched_at=None).exists()
