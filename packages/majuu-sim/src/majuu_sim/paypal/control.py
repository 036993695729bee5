"""PayPal's own control addresses: customers, webhooks, forgery, tokens, the root certificate."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from aiohttp import web

from majuu_sim.control import BadControl, Handler, answer, guarded, read_object, take_fields

if TYPE_CHECKING:
    from majuu_sim.paypal.simulator import PaypalSimulator


def add_routes(app: web.Application, simulator: PaypalSimulator) -> None:
    """Add them to ``app``."""
    desk = PaypalControl(simulator)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/control/orders", desk.orders),
        ("POST", "/control/orders/{id}/approve", desk.approve),
        ("POST", "/control/orders/{id}/cancel", desk.cancel),
        ("POST", "/control/orders/{id}/forge", desk.forge),
        ("GET", "/control/webhooks", desk.webhooks),
        ("POST", "/control/webhooks", desk.register),
        ("GET", "/control/certificate", desk.certificate),
        ("POST", "/control/certificate/renew", desk.renew_certificate),
        ("POST", "/control/outage", desk.start_outage),
        ("DELETE", "/control/outage", desk.end_outage),
        ("POST", "/control/tokens/expire", desk.expire_tokens),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, guarded(handler))


def text_of(data: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A field that must be text; BadControl otherwise."""
    value = data.get(name, default)
    if not isinstance(value, str):
        raise BadControl(f"{name} must be text")
    return value


def amount_of(data: Mapping[str, Any], name: str = "amount") -> Decimal | None:
    """A sum as text like "12.50"; None when it is absent; BadControl otherwise."""
    value = data.get(name)
    if value is None:
        return None
    try:
        amount = Decimal(value) if isinstance(value, str) else Decimal(-1)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount <= 0:
        raise BadControl(f'{name} is a positive sum as text, like "12.50"')
    return amount


class PaypalControl:
    """The handlers."""

    def __init__(self, simulator: PaypalSimulator) -> None:
        """Steer ``simulator``."""
        self._sim = simulator

    async def orders(self, request: web.Request) -> web.Response:
        """Every order; ``?waits=1`` only those whose customer has not approved."""
        only = request.query.get("waits") == "1"
        found = [one for one in self._sim.bank.orders.values() if one.waits or not only]
        return answer({"orders": [one.to_dict() for one in found]})

    async def approve(self, request: web.Request) -> web.Response:
        """Approve as the customer: ``{"instrument": "pay"}``."""
        data = take_fields(await read_object(request), "instrument")
        order_id = request.match_info["id"]
        self._sim.approve_here(order_id, text_of(data, "instrument", "pay"))
        return answer(self._sim.bank.orders[order_id].to_dict())

    async def cancel(self, request: web.Request) -> web.Response:
        """Go back to the shop as the customer."""
        order_id = request.match_info["id"]
        self._sim.cancel_here(order_id)
        return answer(self._sim.bank.orders[order_id].to_dict())

    async def forge(self, request: web.Request) -> web.Response:
        """Send a forged success: ``{"shape": "other_certificate", "amount": "1.00"}``."""
        data = take_fields(await read_object(request), "shape", "amount")
        attempts = await self._sim.forge_here(
            request.match_info["id"], text_of(data, "shape", "other_certificate"), amount_of(data)
        )
        return answer({"callbacks": [one.to_dict() for one in attempts]}, 201)

    async def webhooks(self, request: web.Request) -> web.Response:
        """Every account's webhooks."""
        base = self._sim.origin.api
        found = [{**one.to_body(base), "account": one.client_id} for one in self._sim.office.webhooks.all()]
        return answer({"webhooks": found})

    async def register(self, request: web.Request) -> web.Response:
        """Register a webhook as in the dashboard: ``{"url", "account", "event_types": ["*"]}``."""
        data = take_fields(await read_object(request), "url", "account", "event_types")
        types = data.get("event_types", ["*"])
        if not isinstance(types, list) or not all(isinstance(one, str) for one in types):
            raise BadControl("event_types is a list of names")
        account = text_of(data, "account", "") or None
        webhook_id = self._sim.register_webhook_here(text_of(data, "url"), account, tuple(types))
        return answer({"id": webhook_id}, 201)

    async def certificate(self, request: web.Request) -> web.Response:
        """The root certificate to trust, as PEM."""
        return web.Response(text=self._sim.root_pem, content_type="application/x-pem-file")

    async def renew_certificate(self, request: web.Request) -> web.Response:
        """Sign with a new certificate from now on."""
        self._sim.renew_certificate_here()
        return answer({"renewed": True})

    async def start_outage(self, request: web.Request) -> web.Response:
        """The API does nothing any more: ``{"reply": "refuse_connection"}``."""
        data = take_fields(await read_object(request), "reply")
        self._sim.start_outage_here(text_of(data, "reply", "refuse_connection"))
        return answer({"down": True}, 201)

    async def end_outage(self, request: web.Request) -> web.Response:
        """It works again."""
        self._sim.end_outage_here()
        return answer({"down": False})

    async def expire_tokens(self, request: web.Request) -> web.Response:
        """Void every access token."""
        self._sim.tokens.revoke_all()
        return answer({"expired": True})
