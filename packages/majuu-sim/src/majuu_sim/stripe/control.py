"""Stripe's own control addresses: what customers, banks and the dashboard do, as JSON over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from majuu_sim.control import BadControl, answer, guarded, read_object, take_fields
from majuu_sim.faults import is_whole
from majuu_sim.stripe.cards import CARDS
from majuu_sim.stripe.config import API_VERSION, WEBHOOK_SECRET, Endpoint

if TYPE_CHECKING:
    from majuu_sim.stripe.simulator import StripeSimulator


def add_routes(app: web.Application, simulator: StripeSimulator) -> None:
    """Add them to ``app``."""
    desk = StripeControl(simulator)
    app.router.add_get("/control/cards", guarded(desk.cards))
    app.router.add_get("/control/objects/{id}", guarded(desk.object))
    app.router.add_post("/control/checkout/{id}/pay", guarded(desk.pay))
    app.router.add_post("/control/intents/{id}/authenticate", guarded(desk.authenticate))
    app.router.add_post("/control/disputes", guarded(desk.dispute))
    app.router.add_post("/control/disputes/{id}/decide", guarded(desk.decide))
    app.router.add_post("/control/refunds", guarded(desk.refund))
    app.router.add_post("/control/refunds/{id}/fail", guarded(desk.fail_refund))
    app.router.add_post("/control/payouts", guarded(desk.payout))
    app.router.add_post("/control/payouts/{id}/fail", guarded(desk.fail_payout))
    app.router.add_post("/control/forge", guarded(desk.forge))
    app.router.add_post("/control/endpoints", guarded(desk.endpoints))
    app.router.add_post("/control/outage", guarded(desk.start_outage))
    app.router.add_delete("/control/outage", guarded(desk.end_outage))
    app.router.add_post("/control/keys/expire", guarded(desk.expire_key))


class StripeControl:
    """The handlers."""

    def __init__(self, simulator: StripeSimulator) -> None:
        """Steer ``simulator``."""
        self._sim = simulator

    async def cards(self, request: web.Request) -> web.Response:
        """The test cards."""
        found = [{"token": one.token, "label": one.label, "last4": one.last4} for one in CARDS.values()]
        return answer({"cards": found})

    async def object(self, request: web.Request) -> web.Response:
        """Any object as it stands."""
        return answer(self._sim.find_here(request.match_info["id"])[1])

    async def pay(self, request: web.Request) -> web.Response:
        """Pay on a session's page: ``{"card": token}``."""
        data = take_fields(await read_object(request), "card")
        made = await self._sim.pay_session_here(request.match_info["id"], _text(data, "card", "pm_card_visa"))
        return answer(made)

    async def authenticate(self, request: web.Request) -> web.Response:
        """Answer 3-D Secure: ``{"approve": true}``."""
        data = take_fields(await read_object(request), "approve")
        return answer(await self._sim.authenticate_here(request.match_info["id"], _flag(data, "approve", True)))

    async def dispute(self, request: web.Request) -> web.Response:
        """``{"charge", "reason", "amount", "inquiry"}``; the charge may be a payment intent's id."""
        data = take_fields(await read_object(request), "charge", "reason", "amount", "inquiry")
        made = await self._sim.dispute_here(
            _text(data, "charge"), _text(data, "reason", "fraudulent"), _whole(data), _flag(data, "inquiry", False)
        )
        return answer(made, 201)

    async def decide(self, request: web.Request) -> web.Response:
        """The bank's word: ``{"won": true}``."""
        data = take_fields(await read_object(request), "won")
        if "won" not in data:
            raise BadControl("say whether it is won: true or false")
        return answer(await self._sim.decide_dispute_here(request.match_info["id"], _flag(data, "won", False)))

    async def refund(self, request: web.Request) -> web.Response:
        """A refund made in the dashboard: ``{"charge", "amount"}``."""
        data = take_fields(await read_object(request), "charge", "amount")
        return answer(await self._sim.refund_in_dashboard_here(_text(data, "charge"), _whole(data)), 201)

    async def fail_refund(self, request: web.Request) -> web.Response:
        """The bank sends it back: ``{"reason"}``."""
        reason = _text(take_fields(await read_object(request), "reason"), "reason", "expired_or_canceled_card")
        return answer(await self._sim.fail_refund_here(request.match_info["id"], reason))

    async def payout(self, request: web.Request) -> web.Response:
        """Pay out what is available: ``{"currency", "account"}``."""
        data = take_fields(await read_object(request), "currency", "account")
        account = _text(data, "account") if "account" in data else None
        return answer(await self._sim.make_payout_here(_text(data, "currency", "usd"), account), 201)

    async def fail_payout(self, request: web.Request) -> web.Response:
        """The bank sends it back."""
        take_fields(await read_object(request))
        return answer(await self._sim.fail_payout_here(request.match_info["id"]))

    async def forge(self, request: web.Request) -> web.Response:
        """A success event nobody at Stripe sent: ``{"object", "amount"}``."""
        data = take_fields(await read_object(request), "object", "amount")
        amount = _whole(data)
        sent = await self._sim.forge_here(_text(data, "object"), None if amount is None else str(amount))
        return answer({"callbacks": [one.to_dict() for one in sent]}, 201)

    async def endpoints(self, request: web.Request) -> web.Response:
        """Where an account's events go: ``{"account", "url", "secrets", "api_version", "enabled_events"}``."""
        data = take_fields(await read_object(request), "account", "url", "secrets", "api_version", "enabled_events")
        made = Endpoint(
            url=_text(data, "url"),
            secrets=_texts(data, "secrets", (WEBHOOK_SECRET,)),
            api_version=_text(data, "api_version", API_VERSION),
            enabled_events=_texts(data, "enabled_events", ("*",)),
        )
        account = _text(data, "account") if "account" in data else None
        self._sim.set_endpoints_here((made,), account)
        return answer({"url": made.url, "api_version": made.api_version}, 201)

    async def start_outage(self, request: web.Request) -> web.Response:
        """The API does nothing any more: ``{"reply": "refuse_connection"}``."""
        data = take_fields(await read_object(request), "reply")
        self._sim.start_outage_here(_text(data, "reply", "refuse_connection"))
        return answer({"down": True}, 201)

    async def end_outage(self, request: web.Request) -> web.Response:
        """It works again."""
        self._sim.down = None
        return answer({"down": False})

    async def expire_key(self, request: web.Request) -> web.Response:
        """Roll an account's key: ``{"account"}``."""
        data = take_fields(await read_object(request), "account")
        book = self._sim.book_here(_text(data, "account") if "account" in data else None)
        self._sim.expired_keys.add(book.account.secret_key)
        return answer({"expired": True})


def _text(data: dict[str, Any], name: str, default: str | None = None) -> str:
    value = data.get(name, default)
    if not isinstance(value, str) or not value:
        raise BadControl(f"{name} must be text")
    return value


def _texts(data: dict[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = data.get(name, list(default))
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise BadControl(f"{name} must be a list of texts")
    return tuple(value)


def _flag(data: dict[str, Any], name: str, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise BadControl(f"{name} is true or false")
    return value


def _whole(data: dict[str, Any]) -> int | None:
    value = data.get("amount")
    if value is not None and (not is_whole(value) or value < 1):
        raise BadControl("amount is a whole number in the currency's smallest unit")
    return value
