"""Control addresses for what a shop's owner and PayPal's people do: refunds by hand, disputes, payouts, the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from majuu_sim.control import BadControl, Handler, answer, guarded, read_object, take_fields
from majuu_sim.paypal.control import amount_of, text_of

if TYPE_CHECKING:
    from majuu_sim.paypal.back_office import BackOffice


def add_routes(app: web.Application, simulator: BackOffice) -> None:
    """Add them to ``app``."""
    desk = MoneyControl(simulator)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/control/movements", desk.movements),
        ("POST", "/control/orders/{id}/void", desk.void),
        ("POST", "/control/captures/{id}/clear", desk.clear),
        ("POST", "/control/captures/{id}/refund", desk.refund),
        ("POST", "/control/captures/{id}/dispute", desk.dispute),
        ("POST", "/control/refunds/{id}/end", desk.end_refund),
        ("GET", "/control/disputes", desk.disputes),
        ("POST", "/control/disputes/{id}/escalate", desk.escalate),
        ("POST", "/control/disputes/{id}/decide", desk.decide),
        ("GET", "/control/payouts", desk.payouts),
        ("POST", "/control/payouts/{id}/end", desk.end_payout),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, guarded(handler))


class MoneyControl:
    """The handlers."""

    def __init__(self, simulator: BackOffice) -> None:
        """Steer ``simulator``."""
        self._sim = simulator

    async def void(self, request: web.Request) -> web.Response:
        """Give up an order nobody captured."""
        return answer(self._sim.void_order_here(request.match_info["id"]).to_dict())

    async def clear(self, request: web.Request) -> web.Response:
        """End a pending capture: ``{"good": true}``."""
        good = take_fields(await read_object(request), "good").get("good", True)
        if not isinstance(good, bool):
            raise BadControl("good is true or false")
        return answer(self._sim.clear_capture_here(request.match_info["id"], good).to_dict())

    async def refund(self, request: web.Request) -> web.Response:
        """Refund in the dashboard: ``{"amount": "5.00", "note", "script"}``; without an amount all that is left."""
        data = take_fields(await read_object(request), "amount", "note", "script")
        script = data.get("script")
        if script is not None and not isinstance(script, (str, dict)):
            raise BadControl("script is a name or an object")
        made = self._sim.refund_here(request.match_info["id"], amount_of(data), text_of(data, "note", ""), script)
        return answer(made.to_dict(), 201)

    async def end_refund(self, request: web.Request) -> web.Response:
        """Let a refund end now: ``{"status": "FAILED"}``."""
        data = take_fields(await read_object(request), "status")
        return answer(self._sim.end_refund_here(request.match_info["id"], text_of(data, "status", "FAILED")).to_dict())

    async def movements(self, request: web.Request) -> web.Response:
        """All money that moved."""
        return answer({"movements": [one.to_dict() for one in self._sim.bank.books.movements]})

    async def dispute(self, request: web.Request) -> web.Response:
        """Complain: ``{"reason", "stage", "channel", "amount", "note"}``."""
        data = take_fields(await read_object(request), "reason", "stage", "channel", "amount", "note")
        dispute = self._sim.open_dispute_here(
            request.match_info["id"],
            reason=text_of(data, "reason", "MERCHANDISE_OR_SERVICE_NOT_RECEIVED"),
            stage=text_of(data, "stage", "CHARGEBACK"),
            channel=text_of(data, "channel", "INTERNAL"),
            amount=amount_of(data),
            note=text_of(data, "note", ""),
        )
        return answer(dispute.to_dict(), 201)

    async def disputes(self, request: web.Request) -> web.Response:
        """Every dispute."""
        return answer({"disputes": [one.to_dict() for one in self._sim.dispute_desk.known.values()]})

    async def escalate(self, request: web.Request) -> web.Response:
        """Turn an inquiry into a claim."""
        return answer(self._sim.escalate_dispute_here(request.match_info["id"]).to_dict())

    async def decide(self, request: web.Request) -> web.Response:
        """End a dispute: ``{"decision": "buyer"}``."""
        data = take_fields(await read_object(request), "decision")
        return answer(self._sim.decide_dispute_here(request.match_info["id"], text_of(data, "decision")).to_dict())

    async def payouts(self, request: web.Request) -> web.Response:
        """Every item of every payout."""
        return answer({"payouts": [one.to_dict() for one in self._sim.payout_desk.items.values()]})

    async def end_payout(self, request: web.Request) -> web.Response:
        """Let an item end now: ``{"status": "RETURNED"}``."""
        data = take_fields(await read_object(request), "status")
        return answer(self._sim.end_payout_here(request.match_info["id"], text_of(data, "status")).to_dict())
