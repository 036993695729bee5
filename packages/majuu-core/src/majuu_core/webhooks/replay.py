"""Delivering events again: one, or all of a time range. Events are kept, so this works at any time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.db.models import Max

from majuu_core.audit.services import record_entry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.catalogue import matches
from majuu_core.events.models import Event
from majuu_core.merchants.models import Store
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint

MAX_EVENTS = 10_000
_BATCH = 500


def replay_event(*, event: Event, endpoint: WebhookEndpoint | None = None) -> list[WebhookDelivery]:
    """Deliver an event once more: to one endpoint, whatever types it subscribes to, or to all that want it.

    The receiver sees the same ``webhook-id`` and body. Raises Invalid (``endpoint_of_another_store``) and Conflict
    (``endpoint_disabled``, ``no_endpoint``).
    """
    if endpoint is not None:
        _check_endpoint(endpoint, event.store_id, event.livemode)
        endpoints = [endpoint]
    else:
        endpoints = [item for item in _enabled(event.store_id, event.livemode) if matches(item.event_types, event.type)]
    if not endpoints:
        raise Conflict("no_endpoint", "No enabled endpoint of this store and mode wants events of this type.")
    with transaction.atomic():
        made = [delivery for item in endpoints for delivery in _deliver_again([event.pk], item)]
        _record(event.public_id, event.store_id, [item.public_id for item in endpoints], len(made))
    return made


def replay_range(
    *,
    store: Store,
    livemode: bool,
    start: datetime,
    end: datetime,
    endpoint: WebhookEndpoint,
    only_missed: bool = True,
) -> int:
    """Deliver to an endpoint what happened from ``start`` up to, not including, ``end``. Returns the number of events.

    Only types the endpoint subscribes to, in the order they happened. With ``only_missed`` those that it has already
    accepted, or that are still on their way to it, are left out. Raises Invalid (``range_invalid``,
    ``range_too_large``, ``endpoint_of_another_store``) and Conflict (``endpoint_disabled``).
    """
    if start >= end:
        raise Invalid("range_invalid", "The start must lie before the end.", field="start")
    _check_endpoint(endpoint, store.pk, livemode)
    found = Event.objects.filter(store_id=store.pk, livemode=livemode, created_at__gte=start, created_at__lt=end)
    if only_missed:
        reached = WebhookDelivery.objects.filter(endpoint=endpoint).exclude(
            state__in=[WebhookDelivery.State.FAILED, WebhookDelivery.State.CANCELED]
        )
        found = found.exclude(pk__in=reached.values("event_id"))
    rows = found.order_by("pk").values_list("pk", "type")[: MAX_EVENTS + 1]
    wanted = [pk for pk, type in rows if matches(endpoint.event_types, type)]
    if len(rows) > MAX_EVENTS:
        raise Invalid("range_too_large", f"More than {MAX_EVENTS} events: choose a shorter range.", field="end")
    with transaction.atomic():
        for first in range(0, len(wanted), _BATCH):
            _deliver_again(wanted[first : first + _BATCH], endpoint)
        _record(endpoint.public_id, store.pk, [endpoint.public_id], len(wanted), start=start, end=end)
    return len(wanted)


def _check_endpoint(endpoint: WebhookEndpoint, store_id: uuid.UUID, livemode: bool) -> None:
    if endpoint.store_id != store_id or endpoint.livemode != livemode:
        raise Invalid("endpoint_of_another_store", "The endpoint belongs to another store or mode.", field="endpoint")
    if not _enabled(store_id, livemode).filter(pk=endpoint.pk).exists():
        raise Conflict("endpoint_disabled", "The endpoint is not enabled. Enable it first.")


def _enabled(store_id: uuid.UUID, livemode: bool) -> models.QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(
        store_id=store_id, livemode=livemode, status=WebhookEndpoint.Status.ENABLED
    ).order_by("pk")


def _deliver_again(events: Sequence[uuid.UUID], endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    now, latest = clock.now(), _latest_replays(events, endpoint)
    made = [
        WebhookDelivery(
            event_id=pk, endpoint=endpoint, replay=latest.get(pk, -1) + 1, next_attempt_at=now, created_at=now
        )
        for pk in events
    ]
    try:
        with transaction.atomic():
            return WebhookDelivery.objects.bulk_create(made)
    except IntegrityError:
        raise Conflict(
            "replay_in_progress", "Somebody is replaying the same events. Wait a moment and try again.", retry_after=1
        ) from None


def _latest_replays(events: Iterable[uuid.UUID], endpoint: WebhookEndpoint) -> dict[uuid.UUID, int]:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, event_id__in=events).values("event_id")
    return {row["event_id"]: row["latest"] for row in rows.annotate(latest=Max("replay"))}


def _record(
    object_id: str,
    store_id: uuid.UUID,
    endpoints: Sequence[str],
    count: int,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> None:
    changes: dict[str, object] = {"endpoints": list(endpoints), "deliveries": count}
    if start is not None and end is not None:
        changes |= {"start": start.isoformat(), "end": end.isoformat()}
    store = Store.objects.only("merchant_id").get(pk=store_id)
    record_entry(
        action="webhook_delivery.replayed",
        object_id=object_id,
        merchant_id=store.merchant_id,
        store_id=store_id,
        changes=changes,
    )
