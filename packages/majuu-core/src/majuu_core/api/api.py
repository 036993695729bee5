"""The one NinjaAPI, with core's routers and the plugins'."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.parser import Parser

from majuu_core.api.auth import BearerKey, ClientAccessToken, HeaderKey
from majuu_core.api.errors import install_error_handlers
from majuu_core.api.v1 import (
    api_keys,
    balances,
    charges,
    checkout,
    customers,
    disputes,
    events,
    incoming_payments,
    incoming_suggestions,
    payment_intents,
    payouts,
    ping,
    qr_codes,
    refunds,
    sign_in,
    user,
    user_payments,
    wallets,
    webhook_endpoints,
)
from majuu_core.common.problems import Invalid
from majuu_core.plugins.manager import registries

DESCRIPTION = """
Amounts are decimal strings with their ISO 4217 code. Send an `Idempotency-Key` with every POST: the same key and body
have one effect and one answer for at least 72 hours. Errors are `application/problem+json` with a stable `code`, the
`param` they are about, a `request_id`, and messages in English and Swahili.
"""


class StrictParser(Parser):
    """JSON by orjson: strict UTF-8, no NaN, and numbers with a point stay recognisable as floats, to be refused.

    NUL is refused everywhere: PostgreSQL cannot keep it.
    """

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise HttpError(400, "The body is not valid JSON.") from None
        if b"\\u0000" in request.body:
            _refuse_nul(body)
        return body

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        for name, values in data.lists():
            for value in values:
                _refuse_nul({name: value})
        return super().parse_querydict(data, list_fields, request)


def _refuse_nul(value: Any, field: str = "") -> None:
    """Raise Invalid for the first text or name that holds a NUL."""
    if isinstance(value, str) and "\0" in value:
        raise Invalid("parameter_invalid", "Text must not contain NUL characters.", field=field)
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_nul(name, field)
            _refuse_nul(item, f"{field}.{name}" if field else name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _refuse_nul(item, f"{field}.{number}")


def build_api() -> NinjaAPI:
    """Make the API. Called once, when the address list is first read, after all apps are ready."""
    api = NinjaAPI(
        title="Majuu",
        version="1",
        description=DESCRIPTION,
        urls_namespace="majuu_api",
        auth=[BearerKey(), HeaderKey(), ClientAccessToken()],
        parser=StrictParser(),
        docs_url="/docs",
        openapi_url="/openapi.json",
    )
    install_error_handlers(api)
    api.add_router("/payment-intents", payment_intents.router)
    api.add_router("/payment-intents", qr_codes.router)
    api.add_router("/balances", balances.router)
    # Before /incoming-payments/{id}, which would take "suggestions" for an id.
    api.add_router("/incoming-payments", incoming_suggestions.router)
    api.add_router("/payment-intents", incoming_suggestions.intents_router)
    api.add_router("/charges", charges.router)
    api.add_router("/customers", customers.router)
    api.add_router("/saved-methods", customers.saved_router)
    api.add_router("/payouts", payouts.router)
    api.add_router("/charges", refunds.plan_router)
    api.add_router("/refunds", refunds.router)
    api.add_router("/disputes", disputes.router)
    api.add_router("/incoming-payments", incoming_payments.router)
    api.add_router("/events", events.router)
    api.add_router("/webhook-endpoints", webhook_endpoints.router)
    api.add_router("/wallets", wallets.router)
    api.add_router("/api-keys", api_keys.router)
    api.add_router("/checkout", checkout.router)
    api.add_router("/ping", ping.router)
    api.add_router("/auth", sign_in.router)
    api.add_router("/user", user.router)
    api.add_router("/user/payments", user_payments.router)
    for contribution in registries().api_routers.values():
        api.add_router(contribution.prefix, contribution.router)  # type: ignore[arg-type]
    return api
