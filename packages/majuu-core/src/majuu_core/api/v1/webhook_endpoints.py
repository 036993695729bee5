"""Webhook endpoints: where the store hears from us."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require, store_of
from majuu_core.api.idempotency import run_once_atomically
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import (
    DeliveriesOut,
    Page,
    ProblemOut,
    RotateIn,
    WebhookEndpointCreated,
    WebhookEndpointIn,
    WebhookEndpointOut,
    WebhookEndpointPatch,
)
from majuu_core.common.problems import NotFound
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.webhooks.endpoints import (
    Created,
    create_webhook_endpoint,
    delete_webhook_endpoint,
    disable_webhook_endpoint,
    enable_webhook_endpoint,
    represent_endpoint,
    rotate_secret,
    send_test_event,
    update_webhook_endpoint,
)
from majuu_core.webhooks.models import WebhookEndpoint

router = Router(tags=["Webhook endpoints"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


def find_endpoint(caller: KeyIdentity, public_id: str) -> WebhookEndpoint:
    """The caller's endpoint. Raises NotFound, also for another store's and for a deleted one."""
    try:
        endpoint: WebhookEndpoint = _endpoints(caller).get(pk=WebhookEndpoint.uuid_of(public_id))
        return endpoint
    except (ValueError, WebhookEndpoint.DoesNotExist):
        raise NotFound(
            "webhook_endpoint_not_found", "There is no such webhook endpoint in this store and mode."
        ) from None


def _endpoints(caller: KeyIdentity) -> Any:
    mine = WebhookEndpoint.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    return mine.exclude(status=WebhookEndpoint.Status.ARCHIVED)


def _represent_created(created: Created) -> dict[str, Any]:
    return {**represent_endpoint(created.endpoint), "secret": created.secret}


@router.post(
    "",
    response={201: WebhookEndpointCreated, **_PROBLEMS},
    operation_id="create_webhook_endpoint",
    summary="Add a webhook endpoint",
    url_name="webhook_endpoints",
)
def create(request: HttpRequest, body: WebhookEndpointIn) -> HttpResponse:
    """Start to hear about events at an address. The signing secret is in this answer only."""
    caller = require(request, "webhooks:write")

    def work() -> tuple[int, Any]:
        created = create_webhook_endpoint(
            store=store_of(caller),
            livemode=caller.livemode,
            url=body.url,
            event_types=body.event_types,
            description=body.description,
        )
        return 201, _represent_created(created)

    with acting(request):
        return run_once_atomically(request, caller, work, secret=True)


@router.get(
    "",
    response={200: Page[WebhookEndpointOut], **_PROBLEMS},
    operation_id="list_webhook_endpoints",
    summary="List webhook endpoints",
    url_name="webhook_endpoints",
)
def list_endpoints(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "webhooks:read")
    page = paginate(_endpoints(caller), limit=limit, cursor=cursor, represent=represent_endpoint)
    return json_response(request, 200, page)


@router.get(
    "/{webhook_endpoint_id}",
    response={200: WebhookEndpointOut, **_PROBLEMS},
    operation_id="get_webhook_endpoint",
    summary="Retrieve a webhook endpoint",
    url_name="webhook_endpoint",
)
def retrieve(request: HttpRequest, webhook_endpoint_id: str) -> HttpResponse:
    """One endpoint, without its secret."""
    caller = require(request, "webhooks:read")
    return json_response(request, 200, represent_endpoint(find_endpoint(caller, webhook_endpoint_id)))


@router.patch(
    "/{webhook_endpoint_id}",
    response={200: WebhookEndpointOut, **_PROBLEMS},
    operation_id="update_webhook_endpoint",
    summary="Change a webhook endpoint",
    url_name="webhook_endpoint",
)
def update(request: HttpRequest, webhook_endpoint_id: str, body: WebhookEndpointPatch) -> HttpResponse:
    """Change only the fields that are sent."""
    caller = require(request, "webhooks:write")
    with acting(request):
        endpoint = update_webhook_endpoint(
            endpoint=find_endpoint(caller, webhook_endpoint_id),
            url=body.url,
            event_types=body.event_types,
            description=body.description,
        )
        if body.enabled is True:
            endpoint = enable_webhook_endpoint(endpoint=endpoint)
        elif body.enabled is False:
            disable_webhook_endpoint(endpoint=endpoint, reason="Switched off by the merchant.")
            endpoint.refresh_from_db()
    return json_response(request, 200, represent_endpoint(endpoint))


@router.delete(
    "/{webhook_endpoint_id}",
    response={204: None, **_PROBLEMS},
    operation_id="delete_webhook_endpoint",
    summary="Remove a webhook endpoint",
    url_name="webhook_endpoint",
)
def delete(request: HttpRequest, webhook_endpoint_id: str) -> HttpResponse:
    """Nothing is sent there any more."""
    caller = require(request, "webhooks:write")
    with acting(request):
        delete_webhook_endpoint(endpoint=find_endpoint(caller, webhook_endpoint_id))
    response = json_response(request, 204, None)
    response.content = b""
    return response


@router.post(
    "/{webhook_endpoint_id}/rotate-secret",
    response={200: WebhookEndpointCreated, **_PROBLEMS},
    operation_id="rotate_webhook_secret",
    summary="Change the signing secret",
    url_name="webhook_endpoint_rotate",
)
def rotate(request: HttpRequest, webhook_endpoint_id: str, body: RotateIn | None = None) -> HttpResponse:
    """Make a new secret. Until the overlap ends, messages carry both signatures."""
    caller = require(request, "webhooks:write")
    overlap = timedelta(hours=(body or RotateIn()).overlap_hours)

    def work() -> tuple[int, Any]:
        endpoint = find_endpoint(caller, webhook_endpoint_id)
        return 200, _represent_created(rotate_secret(endpoint=endpoint, overlap=overlap))

    with acting(request):
        return run_once_atomically(request, caller, work, secret=True)


@router.post(
    "/{webhook_endpoint_id}/test",
    response={200: DeliveriesOut, **_PROBLEMS},
    operation_id="test_webhook_endpoint",
    summary="Send a test event",
    url_name="webhook_endpoint_test",
)
def send_test(request: HttpRequest, webhook_endpoint_id: str) -> HttpResponse:
    """Send one harmless event of type webhook_endpoint.test."""
    caller = require(request, "webhooks:write")

    def work() -> tuple[int, Any]:
        send_test_event(endpoint=find_endpoint(caller, webhook_endpoint_id))
        return 200, {"object": "replay", "deliveries": 1}

    with acting(request):
        return run_once_atomically(request, caller, work)
