"""Control addresses for C2B, payouts, the books and the certificate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from aiohttp import web

from majuu_sim.control import BadControl, Handler, answer, guarded, read_object, take_fields
from majuu_sim.daraja.messages import messages_for
from majuu_sim.daraja.statement import as_csv
from majuu_sim.faults import is_whole

if TYPE_CHECKING:
    from majuu_sim.daraja.money import MoneySimulator


def add_routes(app: web.Application, simulator: MoneySimulator) -> None:
    """Add them to ``app``."""
    desk = MoneyControl(simulator)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/control/c2b/payments", desk.c2b_payments),
        ("POST", "/control/c2b/payments", desk.pay),
        ("POST", "/control/c2b/payments/{receipt}/validation", desk.answer_validation),
        ("GET", "/control/c2b/registrations", desk.registrations),
        ("POST", "/control/c2b/validation", desk.set_validation),
        ("POST", "/control/c2b/forge", desk.forge_confirmation),
        ("GET", "/control/jobs", desk.jobs),
        ("POST", "/control/jobs/{id}/forge", desk.forge_result),
        ("GET", "/control/movements", desk.movements),
        ("GET", "/control/balances/{shortcode}", desk.balances),
        ("GET", "/control/statement/{shortcode}", desk.statement),
        ("POST", "/control/fund", desk.fund),
        ("POST", "/control/withdraw", desk.withdraw),
        ("GET", "/control/messages/{msisdn}", desk.messages),
        ("GET", "/control/qr", desk.qr_codes),
        ("GET", "/control/certificate", desk.certificate),
        ("POST", "/control/initiators/{name}/unlock", desk.unlock),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, guarded(handler))


def text_of(data: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A field that must be text; BadControl otherwise."""
    value = data.get(name, default)
    if not isinstance(value, str):
        raise BadControl(f"{name} must be text")
    return value


def whole_of(data: Mapping[str, Any], name: str) -> int:
    """A field that must be a whole number; BadControl otherwise."""
    value = data.get(name)
    if not isinstance(value, int) or not is_whole(value):
        raise BadControl(f"{name} is a whole number of shillings")
    return value


def script_of(data: Mapping[str, Any]) -> str | dict[str, Any] | None:
    """The field ``script``: a name or an object."""
    script = data.get("script")
    if script is not None and not isinstance(script, (str, dict)):
        raise BadControl("script is a name or an object")
    return script


class MoneyControl:
    """The handlers."""

    def __init__(self, simulator: MoneySimulator) -> None:
        """Steer ``simulator``."""
        self._sim = simulator

    async def c2b_payments(self, request: web.Request) -> web.Response:
        """What customers paid by themselves."""
        return answer({"payments": [one.to_dict() for one in self._sim.c2b.payments.values()]})

    async def pay(self, request: web.Request) -> web.Response:
        """A customer pays: ``{"msisdn", "to", "amount", "account", "names", "script"}``; ``to`` a paybill or a till."""
        data = take_fields(await read_object(request), "msisdn", "to", "amount", "account", "names", "script")
        payment = await self._sim.pay_here(
            text_of(data, "msisdn"),
            text_of(data, "to"),
            whole_of(data, "amount"),
            text_of(data, "account", ""),
            text_of(data, "names", ""),
            script_of(data),
        )
        return answer(payment.to_dict(), 201)

    async def answer_validation(self, request: web.Request) -> web.Response:
        """Answer as the business: ``{"result_code": "0", "third_party_id": ""}``."""
        data = take_fields(await read_object(request), "result_code", "third_party_id")
        payment = await self._sim.answer_validation_here(
            request.match_info["receipt"], text_of(data, "result_code", "0"), text_of(data, "third_party_id", "")
        )
        return answer(payment.to_dict())

    async def registrations(self, request: web.Request) -> web.Response:
        """The C2B addresses, and the shortcodes with external validation."""
        c2b = self._sim.c2b
        known = [one.to_dict() for one in c2b.registrations.values()]
        return answer({"registrations": known, "validating": sorted(c2b.validating)})

    async def set_validation(self, request: web.Request) -> web.Response:
        """Switch external validation: ``{"shortcode", "on": true}``."""
        data = take_fields(await read_object(request), "shortcode", "on")
        on = data.get("on", True)
        if not isinstance(on, bool):
            raise BadControl("on is true or false")
        self._sim.set_validation_here(text_of(data, "shortcode"), on)
        return answer({"validating": sorted(self._sim.c2b.validating)})

    async def forge_confirmation(self, request: web.Request) -> web.Response:
        """Send a forged confirmation: ``{"shortcode", "amount", "account", "msisdn", "names", "claims"}``."""
        names = ("shortcode", "amount", "account", "msisdn", "names", "claims")
        data = take_fields(await read_object(request), *names)
        attempt = await self._sim.forge_confirmation_here(
            text_of(data, "shortcode"),
            amount=whole_of(data, "amount"),
            account=text_of(data, "account", ""),
            msisdn=text_of(data, "msisdn", "254708374149"),
            names=text_of(data, "names", ""),
            claims=text_of(data, "claims") if "claims" in data else None,
        )
        return answer(attempt.to_dict(), 201)

    async def jobs(self, request: web.Request) -> web.Response:
        """Accepted B2C, B2B, reversal, status and balance requests."""
        return answer({"jobs": [job.to_dict() for job in self._sim.jobs_engine.jobs.values()]})

    async def forge_result(self, request: web.Request) -> web.Response:
        """Send a forged result: ``{"outcome": "pay", "amount"}``."""
        data = take_fields(await read_object(request), "outcome", "amount")
        amount = whole_of(data, "amount") if data.get("amount") is not None else None
        outcome = text_of(data, "outcome", "pay")
        attempt = await self._sim.forge_result_here(request.match_info["id"], outcome, amount)
        return answer(attempt.to_dict(), 201)

    async def movements(self, request: web.Request) -> web.Response:
        """All money that moved; ``?shortcode=`` only one's."""
        wanted = request.query.get("shortcode")
        found = [one for one in self._sim.books.movements if wanted is None or wanted in one.shortcodes]
        return answer({"movements": [one.to_dict() for one in found]})

    async def balances(self, request: web.Request) -> web.Response:
        """A shortcode's accounts."""
        number = request.match_info["shortcode"]
        accounts = self._sim.accounts_here(number)
        shown = {
            name: {"current": f"{one.current:.2f}", "available": f"{one.available:.2f}"}
            for name, one in accounts.items()
        }
        return answer({"shortcode": number, "accounts": shown})

    async def statement(self, request: web.Request) -> web.Response:
        """A shortcode's statement: ``?day=2026-01-15&account=utility&format=csv``."""
        query = request.query
        day = date.fromisoformat(query["day"]) if "day" in query else None
        rows = self._sim.statement_here(request.match_info["shortcode"], day, query.get("account"))
        if query.get("format") == "csv":
            return web.Response(text=as_csv(rows), content_type="text/csv")
        return answer({"rows": [row.to_dict() for row in rows]})

    async def fund(self, request: web.Request) -> web.Response:
        """Put money into an account: ``{"shortcode", "amount", "account": "utility"}``."""
        return await self._move(request, 1)

    async def withdraw(self, request: web.Request) -> web.Response:
        """Take money out of an account, to a bank; same fields."""
        return await self._move(request, -1)

    async def _move(self, request: web.Request, sign: int) -> web.Response:
        data = take_fields(await read_object(request), "shortcode", "amount", "account")
        amount = _amount(data.get("amount"))
        account = text_of(data, "account", "utility")
        movement = self._sim.move_here(text_of(data, "shortcode"), sign * amount, account)
        return answer(movement.to_dict(), 201)

    async def messages(self, request: web.Request) -> web.Response:
        """The short messages of a customer; ``?language=sw``."""
        language = request.query.get("language", "en")
        found = messages_for(request.match_info["msisdn"], self._sim.books.movements, language)
        return answer({"messages": [one.to_dict() for one in found]})

    async def qr_codes(self, request: web.Request) -> web.Response:
        """What generated QR codes should say."""
        return answer({"codes": [code.to_dict() for code in self._sim.qr.codes]})

    async def certificate(self, request: web.Request) -> web.Response:
        """The certificate initiator passwords are encrypted with, as PEM."""
        return web.Response(text=self._sim.certificate(), content_type="application/x-pem-file")

    async def unlock(self, request: web.Request) -> web.Response:
        """Let a locked initiator try again."""
        self._sim.initiators.unlock(request.match_info["name"])
        return answer({"initiators": self._sim.initiators.to_list()})


def _amount(value: object) -> Decimal:
    """An amount with up to two decimals, as text or a whole number; BadControl otherwise."""
    try:
        amount = Decimal(value) if isinstance(value, str) or is_whole(value) else None  # type: ignore[arg-type]
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or amount <= 0 or amount != round(amount, 2):
        raise BadControl("amount is a positive number of shillings, as text or whole")
    return amount
