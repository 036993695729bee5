"""The one NinjaAPI, with core's routers and the plugins'."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.parser import Parser

from majuu_core.api.auth import BearerKey, HeaderKey
from majuu_core.api.errors import install_error_handlers
from majuu_core.api.v1 import charges, events, payment_intents, ping, webhook_endpoints
from majuu_core.plugins.manager import registries

DESCRIPTION = """
Amounts are decimal strings with their ISO 4217 code. Send an `Idempotency-Key` with every POST: the same key and body
have one effect and one answer for at least 72 hours. Errors are `application/problem+json` with a stable `code`, the
`param` they are about, a `request_id`, and messages in English and Swahili.
"""


class StrictParser(Parser):
    """JSON by orjson: strict UTF-8, no NaN, and numbers with a point stay recognisable as floats, to be refused."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            return orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise HttpError(400, "The body is not valid JSON.") from None


def build_api() -> NinjaAPI:
    """Make the API. Called once, when the address list is first read, after all apps are ready."""
    api = NinjaAPI(
        title="Majuu",
        version="1",
        description=DESCRIPTION,
        urls_namespace="majuu_api",
        auth=[BearerKey(), HeaderKey()],
        parser=StrictParser(),
        docs_url="/docs",
        openapi_url="/openapi.json",
    )
    install_error_handlers(api)
    api.add_router("/payment-intents", payment_intents.router)
    api.add_router("/charges", charges.router)
    api.add_router("/events", events.router)
    api.add_router("/webhook-endpoints", webhook_endpoints.router)
    api.add_router("/ping", ping.router)
    for contribution in registries().api_routers.values():
        api.add_router(contribution.prefix, contribution.router)  # type: ignore[arg-type]
    return api
