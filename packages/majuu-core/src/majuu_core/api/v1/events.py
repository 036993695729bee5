"""Events: what happened, as webhooks tell it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require
from majuu_core.api.idempotency import run_once_atomically
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import DeliveriesOut, EventOut, Page, ProblemOut, ReplayIn
from majuu_core.api.v1.webhook_endpoints import find_endpoint
from majuu_core.common.problems import NotFound
from majuu_core.events.models import Event
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.payments.representation import represent_time
from majuu_core.webhooks.replay import replay_event

router = Router(tags=["Events"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


def represent_event(event: Event) -> dict[str, Any]:
    """An event as the API shows it."""
    return {
        "id": event.public_id,
        "object": "event",
        "type": event.type,
        "livemode": event.livemode,
        "object_id": event.object_id,
        "data": event.data,
        "created_at": represent_time(event.created_at),
    }


@router.get(
    "",
    response={200: Page[EventOut], **_PROBLEMS},
    operation_id="list_events",
    summary="List events",
    url_name="events",
)
def list_events(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    type: str | None = Query(None, description="Only this type."),
    object_id: str | None = Query(None, description="Only events about this object."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "events:read")
    rows = Event.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    if type is not None:
        rows = rows.filter(type=type)
    if object_id is not None:
        rows = rows.filter(object_id=object_id)
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=represent_event))


@router.get(
    "/{event_id}",
    response={200: EventOut, **_PROBLEMS},
    operation_id="get_event",
    summary="Retrieve an event",
    url_name="event",
)
def retrieve(request: HttpRequest, event_id: str) -> HttpResponse:
    """One event."""
    return json_response(request, 200, represent_event(_find(require(request, "events:read"), event_id)))


@router.post(
    "/{event_id}/replay",
    response={200: DeliveriesOut, **_PROBLEMS},
    operation_id="replay_event",
    summary="Deliver an event again",
    url_name="event_replay",
)
def replay(request: HttpRequest, event_id: str, body: ReplayIn | None = None) -> HttpResponse:
    """Send the event once more, to one endpoint or to all that want it. The webhook-id stays the same."""
    caller = require(request, "webhooks:write")

    def work() -> tuple[int, Any]:
        event = _find(caller, event_id)
        wanted = body.webhook_endpoint if body else None
        endpoint = find_endpoint(caller, wanted) if wanted else None
        deliveries = replay_event(event=event, endpoint=endpoint)
        return 200, {"object": "replay", "deliveries": len(deliveries)}

    with acting(request):
        return run_once_atomically(request, caller, work)


def _find(caller: KeyIdentity, event_id: str) -> Event:
    try:
        return Event.objects.get(pk=Event.uuid_of(event_id), store_id=caller.store_id, livemode=caller.livemode)
    except (ValueError, Event.DoesNotExist):
        raise NotFound("event_not_found", "There is no such event in this store and mode.") from None
