"""Daraja's own control addresses: customers, prompts, forgery, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from majuu_sim.control import BadControl, answer, guarded, read_object, take_fields

if TYPE_CHECKING:
    from majuu_sim.daraja.simulator import DarajaSimulator


def add_routes(app: web.Application, simulator: DarajaSimulator) -> None:
    """Add them to ``app``."""
    desk = DarajaControl(simulator)
    app.router.add_get("/control/subscribers", guarded(desk.subscribers))
    app.router.add_post("/control/subscribers", guarded(desk.set_subscriber))
    app.router.add_get("/control/prompts", guarded(desk.prompts))
    app.router.add_post("/control/prompts/{who}/answer", guarded(desk.answer_prompt))
    app.router.add_post("/control/callbacks", guarded(desk.forge))
    app.router.add_post("/control/tokens/expire", guarded(desk.expire_tokens))


class DarajaControl:
    """The handlers."""

    def __init__(self, simulator: DarajaSimulator) -> None:
        """Steer ``simulator``."""
        self._sim = simulator

    async def subscribers(self, request: web.Request) -> web.Response:
        """The customers somebody set up."""
        known = self._sim.engine.subscribers.values()
        return answer({"subscribers": [one.to_dict() for one in known]})

    async def set_subscriber(self, request: web.Request) -> web.Response:
        """``{"msisdn", "balance", "script", "names", "registered"}``; a script is a name or an object."""
        data = take_fields(await read_object(request), "msisdn", "balance", "script", "names", "registered")
        msisdn, script = data.get("msisdn"), data.get("script")
        if not isinstance(msisdn, str):
            raise BadControl("msisdn must be text like 254712345678")
        if script is not None and not isinstance(script, (str, dict)):
            raise BadControl("script is a name or an object")
        names, registered = data.get("names", ""), data.get("registered", True)
        if not isinstance(names, str) or not isinstance(registered, bool):
            raise BadControl("names is text, and registered is true or false")
        known = self._sim.set_subscriber_here(
            msisdn, balance=data.get("balance"), script=script, names=names, registered=registered
        )
        return answer(known.to_dict(), 201)

    async def prompts(self, request: web.Request) -> web.Response:
        """Every accepted push; ``?active=1`` only those that ring."""
        only_active = request.query.get("active") == "1"
        found = [one for one in self._sim.engine.prompts.values() if one.active or not only_active]
        return answer({"prompts": [one.to_dict() for one in found]})

    async def answer_prompt(self, request: web.Request) -> web.Response:
        """Answer a ringing prompt, by its id or the customer's number: ``{"outcome": "pay"}``."""
        outcome = take_fields(await read_object(request), "outcome").get("outcome", "pay")
        prompt = await self._sim.answer_here(request.match_info["who"], str(outcome))
        return answer(prompt.to_dict())

    async def forge(self, request: web.Request) -> web.Response:
        """Send a forged callback: ``{"checkout_request_id", "outcome", "amount"}``."""
        data = take_fields(await read_object(request), "checkout_request_id", "outcome", "amount")
        amount = data.get("amount")
        if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int)):
            raise BadControl("amount is a whole number of shillings")
        subject, outcome = str(data.get("checkout_request_id")), str(data.get("outcome", "pay"))
        attempt = await self._sim.forge_here(subject, outcome=outcome, amount=amount)
        return answer(attempt.to_dict(), 201)

    async def expire_tokens(self, request: web.Request) -> web.Response:
        """Void every access token."""
        self._sim.tokens.revoke_all()
        return answer({"expired": True})
