"""Ping: does my key work?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from majuu_core.api.responses import json_response
from majuu_core.api.schemas import PingOut, ProblemOut
from majuu_core.common import clock, ids
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.merchants.models import Store
from majuu_core.payments.representation import represent_time

router = Router(tags=["Ping"])


@router.get(
    "",
    response={200: PingOut, 401: ProblemOut, 403: ProblemOut},
    operation_id="ping",
    summary="Check a key",
    url_name="ping",
)
def ping(request: HttpRequest) -> HttpResponse:
    """Whose key this is, and its mode. Needs no scope: every working key may ask."""
    caller: KeyIdentity = request.auth  # type: ignore[attr-defined]
    store = ids.encode_id(Store.id_prefix, caller.store_id)
    payload = {"object": "ping", "livemode": caller.livemode, "store": store, "time": represent_time(clock.now())}
    return json_response(request, 200, payload)
