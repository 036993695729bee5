"""API keys of the caller's store and mode: look at them, see how much they are used, revoke one.

They are made, rotated and changed by people, who show their second factor first.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require
from majuu_core.api.idempotency import run_once_atomically
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import Page, ProblemOut
from majuu_core.api.v1.api_keys_schemas import ApiKeyOut, ApiKeyUsageOut
from majuu_core.common import clock
from majuu_core.common.problems import Invalid, NotFound
from majuu_core.merchants.api_keys import KeyIdentity, key_public_id, key_status, revoke_api_key
from majuu_core.merchants.key_quota import used_of_quota
from majuu_core.merchants.key_usage import LONGEST_PERIOD_DAYS, local_day, month_of, usage_by_day, used_in_month
from majuu_core.merchants.models import ApiKey
from majuu_core.payments.representation import represent_time

router = Router(tags=["API keys"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 422: ProblemOut, 429: ProblemOut}
_SHOWN_DAYS = 30
_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 1, 1)


@router.get(
    "",
    response={200: Page[ApiKeyOut], **_PROBLEMS},
    operation_id="list_api_keys",
    summary="List API keys",
    url_name="api_keys",
)
def list_keys(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
) -> HttpResponse:
    """Newest first, with those that are revoked or expired."""
    caller = require(request, "api_keys:read")
    return json_response(request, 200, paginate(_keys(caller), limit=limit, cursor=cursor, represent=represent_key))


@router.get(
    "/{api_key_id}",
    response={200: ApiKeyOut, **_PROBLEMS},
    operation_id="get_api_key",
    summary="Retrieve an API key",
    url_name="api_key",
)
def retrieve(request: HttpRequest, api_key_id: str) -> HttpResponse:
    """One key of the store, without the key itself: that was shown once."""
    caller = require(request, "api_keys:read")
    return json_response(request, 200, represent_key(_find(caller, api_key_id)))


@router.get(
    "/{api_key_id}/usage",
    response={200: ApiKeyUsageOut, **_PROBLEMS},
    operation_id="get_api_key_usage",
    summary="How much a key is used",
    url_name="api_key_usage",
)
def usage(
    request: HttpRequest,
    api_key_id: str,
    from_: str | None = Query(None, alias="from", description="The first day. Default: 29 days before the last."),
    to: str | None = Query(None, description="The last day, such as 2026-01-31. Default: today."),
) -> HttpResponse:
    """Requests by day, at most 366 days. The last seconds may be missing: processes write every few seconds."""
    caller = require(request, "api_keys:read")
    key = _find(caller, api_key_id)
    last = local_day(clock.now()) if to is None else _day(to, "to")
    first = last - timedelta(days=_SHOWN_DAYS - 1) if from_ is None else _day(from_, "from")
    if first > last:
        raise Invalid("period_invalid", "from must not be after to.", field="from")
    if (last - first).days >= LONGEST_PERIOD_DAYS:
        raise Invalid("period_too_long", f"Ask for at most {LONGEST_PERIOD_DAYS} days.", field="from")
    days = usage_by_day(api_key_id=key.pk, first=first, last=last)
    payload = {
        "object": "api_key_usage",
        "api_key": key.public_id,
        "time_zone": settings.TIME_ZONE,
        "monthly_quota": key.monthly_quota,
        "used_this_month": _used(key),
        "data": [{"day": day.day, "requests": day.requests, "refused": day.refused} for day in days],
    }
    return json_response(request, 200, payload)


@router.post(
    "/{api_key_id}/revoke",
    response={200: ApiKeyOut, **_PROBLEMS, 409: ProblemOut},
    operation_id="revoke_api_key",
    summary="Revoke an API key",
    url_name="api_key_revoke",
)
def revoke(request: HttpRequest, api_key_id: str) -> HttpResponse:
    """Switch a key off for good, also the one that asks: the next request with it is refused everywhere."""
    caller = require(request, "api_keys:write")

    def work() -> tuple[int, Any]:
        revoke_api_key(api_key=_find(caller, api_key_id))
        return 200, represent_key(_find(caller, api_key_id))

    with acting(request):
        return run_once_atomically(request, caller, work)


def represent_key(row: ApiKey) -> dict[str, Any]:
    """A key as the API shows it."""
    return {
        "object": "api_key",
        "id": row.public_id,
        "livemode": row.livemode,
        "kind": row.kind,
        "client_id": row.client_id or None,
        "name": row.name,
        "prefix": row.prefix,
        "last4": row.last4,
        "status": key_status(row),
        "scopes": row.scopes,
        "allowed_addresses": row.allowed_addresses,
        "rate_limit": row.rate_limit,
        "monthly_quota": row.monthly_quota,
        "rotated_from": key_public_id(row.rotated_from_id) if row.rotated_from_id else None,
        "rotated_to": successor.public_id if (successor := getattr(row, "successor", None)) else None,
        "expires_at": represent_time(row.expires_at),
        "revoked_at": represent_time(row.revoked_at),
        "last_used_at": represent_time(row.last_used_at),
        "created_at": represent_time(row.created_at),
    }


def _keys(caller: KeyIdentity) -> Any:
    mine = ApiKey.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    return mine.select_related("successor").defer("key_hash")


def _find(caller: KeyIdentity, public_id: str) -> ApiKey:
    try:
        row: ApiKey = _keys(caller).get(pk=ApiKey.uuid_of(public_id))
        return row
    except (ValueError, ApiKey.DoesNotExist):
        raise NotFound("api_key_not_found", "There is no such API key in this store and mode.") from None


def _day(text: str, field: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Invalid("time_invalid", "Send a day such as 2026-01-31.", field=field) from None
    if not _EARLIEST <= found <= _LATEST:
        raise Invalid("time_invalid", "Send a day of this century.", field=field)
    return found


def _used(key: ApiKey) -> int:
    if key.monthly_quota is not None:
        return used_of_quota(key)
    return used_in_month(api_key_ids=[key.pk], month=month_of(clock.now()))
