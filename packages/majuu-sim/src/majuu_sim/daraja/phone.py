"""A customer's telephone in the browser: it shows the prompt, takes the PIN, pays shops, keeps messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from majuu_sim.control import BadControl, answer, guarded, read_object, take_fields
from majuu_sim.daraja.checking import is_msisdn
from majuu_sim.daraja.control_money import text_of, whole_of
from majuu_sim.daraja.messages import messages_for
from majuu_sim.daraja.records import Prompt

if TYPE_CHECKING:
    from majuu_sim.daraja.simulator import DarajaSimulator

STATIC = Path(__file__).parent / "static"
FILES = {"phone.css": "text/css", "phone.js": "text/javascript", "phone.svg": "image/svg+xml"}
# Nothing but its own files: a page that needs more is a mistake.
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'"
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
IN_HAND_SECONDS = 15.0  # the page asks every second or two; when it is closed, the customer answers alone again
WRONG_PIN = "0000"
MESSAGES_SHOWN = 20
_PIN = re.compile("[0-9]{4}")


def add_routes(app: web.Application, simulator: DarajaSimulator) -> None:
    """Add the page and what it asks for."""
    desk = PhoneDesk(simulator)
    app.router.add_get("/phone", desk.page)
    app.router.add_get("/phone/{name}", desk.file)
    app.router.add_get("/control/phone/{msisdn}", guarded(desk.look))
    app.router.add_post("/control/phone/{msisdn}/answer", guarded(desk.answer))
    app.router.add_post("/control/phone/{msisdn}/pay", guarded(desk.pay))
    app.router.add_post("/control/phone/{msisdn}/leave", guarded(desk.leave))


class PhoneDesk:
    """The handlers."""

    def __init__(self, simulator: DarajaSimulator) -> None:
        """Play the customers of ``simulator``."""
        self._sim = simulator

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page itself."""
        return web.Response(body=_read("phone.html"), content_type="text/html", charset="utf-8", headers=HEADERS)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """One of its files."""
        name = request.match_info["name"]
        if name not in FILES:
            raise web.HTTPNotFound
        return web.Response(body=_read(name), content_type=FILES[name], charset="utf-8", headers=HEADERS)

    async def look(self, request: web.Request) -> web.Response:
        """What the telephone shows. ``?hold=1``: prompts wait for this person for the next seconds."""
        msisdn = _msisdn(request)
        customers = self._sim.customers
        if request.query.get("hold") == "1":
            customers.take_in_hand(msisdn, IN_HAND_SECONDS)
        prompt = self._sim.engine.ringing(msisdn)
        messages = messages_for(msisdn, self._sim.books.movements, request.query.get("language", "en"))
        return answer(
            {
                "msisdn": msisdn,
                "names": customers.names_of(msisdn),
                "balance": customers.balance_of(msisdn),
                "prompt": self._shown(prompt) if prompt is not None else None,
                "messages": [one.to_dict() for one in reversed(messages[-MESSAGES_SHOWN:])],
                "shops": self._shops(),
            }
        )

    def _shown(self, prompt: Prompt) -> dict[str, Any]:
        request = prompt.request
        owner = self._sim.config.find(request.shortcode)
        passed = (self._sim.clock.now() - prompt.created_at).total_seconds()
        return {
            "id": prompt.checkout_request_id,
            "shop": owner.public_name.partition(" - ")[2] if owner is not None else request.shortcode,
            "number": request.receiver,
            "amount": request.amount,
            "account": request.account_reference,
            "seconds_left": max(0, round(self._sim.config.prompt_seconds - passed)),
        }

    def _shops(self) -> list[dict[str, str]]:
        shops = []
        for code in self._sim.config.shortcodes:
            name = code.public_name.partition(" - ")[2]
            shops += [
                {"number": number, "name": name, "kind": "till" if code.is_till else "paybill"}
                for number in code.receivers
            ]
        return shops

    async def answer(self, request: web.Request) -> web.Response:
        """Type the PIN or cancel: ``{"pin": "1234"}`` or ``{"cancel": true}``. 0000 is a wrong PIN."""
        data = take_fields(await read_object(request), "pin", "cancel")
        outcome = "cancel" if data.get("cancel") is True else _outcome_of(data)
        prompt = await self._sim.answer_here(_msisdn(request), outcome)
        result = prompt.result
        return answer(
            {
                "paid": result is not None and result.paid,
                "result": result.code if result is not None else "",
                "receipt": prompt.receipt,
                "text": result.text if result is not None else "",
            }
        )

    async def pay(self, request: web.Request) -> web.Response:
        """Pay a paybill or a till: ``{"to", "account", "amount", "pin"}``."""
        data = take_fields(await read_object(request), "to", "account", "amount", "pin")
        script = {"outcome": "wrong_pin"} if _outcome_of(data) == "wrong_pin" else None
        msisdn, to = _msisdn(request), text_of(data, "to")
        if self._sim.config.owner_of(to) is None:
            raise BadControl(f"nobody has the number {to}")
        payment = await self._sim.pay_here(
            msisdn, to, whole_of(data, "amount"), text_of(data, "account", ""), "", script
        )
        return answer(payment.to_dict(), 201)

    async def leave(self, request: web.Request) -> web.Response:
        """The page is closed: the customer answers alone again."""
        self._sim.customers.put_down(_msisdn(request))
        return answer({"left": True})


def _msisdn(request: web.Request) -> str:
    msisdn = request.match_info["msisdn"]
    if not is_msisdn(msisdn):
        raise BadControl(f"a customer is a number like 254712345678, not {msisdn!r}")
    return msisdn


def _outcome_of(data: dict[str, Any]) -> str:
    pin = text_of(data, "pin")
    if _PIN.fullmatch(pin) is None:
        raise BadControl("a PIN has four digits")
    return "wrong_pin" if pin == WRONG_PIN else "pay"


def _read(name: str) -> bytes:
    return (STATIC / name).read_bytes()
