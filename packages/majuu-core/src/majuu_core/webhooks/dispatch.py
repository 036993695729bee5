"""Empties the outbox: each event becomes a delivery for every endpoint that wants it and a run for every handler.

One transaction a batch. Several workers may do it at once: on PostgreSQL and MariaDB each takes rows that no other has
locked, SQLite has one writer anyway, and the unique constraints would refuse a second delivery of an event.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connections, router, transaction

from majuu_core.common import clock
from majuu_core.events.catalogue import matches
from majuu_core.events.models import Event, HandlerRun
from majuu_core.plugins.manager import registries
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint

BATCH = 500
Group = tuple[uuid.UUID, bool]  # store and mode


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one batch brought: the number of events, and the endpoints that have work now."""

    events: int
    endpoints: frozenset[uuid.UUID]


def dispatch_events(limit: int = BATCH) -> Dispatched:
    """Take up to ``limit`` events, the oldest first, and hand them out."""
    waiting = Event.objects.filter(dispatched_at=None)
    if not waiting.exists():  # without opening a transaction, which on SQLite would stop every other writer
        return Dispatched(0, frozenset())
    using = router.db_for_write(Event)
    with transaction.atomic(using=using):
        if connections[using].features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        events = list(waiting.only("pk", "store_id", "livemode", "type").order_by("pk")[:limit])
        return _hand_out(events)


def dispatch_due(limit: int = BATCH) -> int:
    """The same, for those who only want to know how many events there were."""
    return dispatch_events(limit).events


def _hand_out(events: Sequence[Event]) -> Dispatched:
    now = clock.now()
    deliveries = _deliveries(events, now)
    runs = [
        HandlerRun(event_id=event.pk, handler=handler.name, next_attempt_at=now)
        for event in events
        for handler in registries().handlers_for(event.type)
    ]
    WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    HandlerRun.objects.bulk_create(runs, ignore_conflicts=True)
    Event.objects.filter(pk__in=[event.pk for event in events]).update(dispatched_at=now)
    return Dispatched(len(events), frozenset(delivery.endpoint_id for delivery in deliveries))


def _deliveries(events: Sequence[Event], now: datetime) -> list[WebhookDelivery]:
    endpoints = _enabled_endpoints({event.store_id for event in events})
    return [
        WebhookDelivery(event_id=event.pk, endpoint_id=endpoint.pk, next_attempt_at=now, created_at=now)
        for event in events
        for endpoint in endpoints.get((event.store_id, event.livemode), ())
        if matches(endpoint.event_types, event.type)
    ]


def _enabled_endpoints(stores: Iterable[uuid.UUID]) -> Mapping[Group, Sequence[WebhookEndpoint]]:
    found: dict[Group, list[WebhookEndpoint]] = defaultdict(list)
    enabled = WebhookEndpoint.objects.filter(store_id__in=stores, status=WebhookEndpoint.Status.ENABLED)
    for endpoint in enabled.only("pk", "store_id", "livemode", "event_types").order_by("pk"):
        found[endpoint.store_id, endpoint.livemode].append(endpoint)
    return found
