"""Pull transactions: the payments customers made in the last 48 hours, page by page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from majuu_sim.daraja import refusals
from majuu_sim.daraja.books import Books, Movement
from majuu_sim.daraja.checking import SHORTCODE, check_url, matching, text_in
from majuu_sim.daraja.config import DarajaConfig, Shortcode
from majuu_sim.daraja.formats import EAT
from majuu_sim.daraja.front import Body, Front, as_json, read_body
from majuu_sim.faults import FaultScript

PULL_REGISTER, PULL_QUERY = "pull_register", "pull_query"
_NUMBER = re.compile(r"(254|0)[17][0-9]{8}")
_OFFSET = re.compile("[0-9]{1,9}")
_REQUEST_TYPE = re.compile("Pull")


class PullGateway:
    """Handlers of the pull addresses."""

    def __init__(self, *, front: Front, books: Books) -> None:
        """Answer from ``books``."""
        self._front = front
        self._books = books
        self.registered: set[str] = set()

    def clear(self) -> None:
        """Forget who registered."""
        self.registered.clear()

    def add_routes(self, app: web.Application) -> None:
        """Add the addresses. They take GET too, as their documentation says and nobody does."""
        both = ("POST", "GET")
        register = self._front.product(self.register, refusals.PULL, both)
        query = self._front.product(self.query, refusals.PULL, both)
        app.router.add_route("*", "/pulltransactions/v1/register", register)
        app.router.add_route("*", "/pulltransactions/v1/query", query)

    async def register(self, request: web.Request, token: str) -> web.StreamResponse:
        """Open pulling for a shortcode, once."""
        body = await read_body(request)
        number = _shortcode(body, self._front.config).number
        matching(body, "RequestType", _REQUEST_TYPE)
        matching(body, "NominatedNumber", _NUMBER)
        check_url(body, "CallBackURL", self._front.config)
        script = self._front.faults.take(PULL_REGISTER) or FaultScript()
        usual = as_json(self._register(number)) if script.reply.commits else None
        return await self._front.reply(request, script, usual, token=token, family=refusals.PULL)

    def _register(self, number: str) -> dict[str, str]:
        reference = self._front.next_request_id()
        if number in self.registered:  # the second answer has other keys than the first
            return {
                "ResponseRefID": reference,
                "Response Status": "1001",
                "ShortCode": number,
                "Response Description": "ShortCode already Registered",
            }
        self.registered.add(number)
        return {
            "ResponseRefID": reference,
            "ResponseStatus": "1000",
            "ShortCode": number,
            "ResponseDescription": "Shortcode Registered Successfully",
        }

    async def query(self, request: web.Request, token: str) -> web.StreamResponse:
        """One page, as a list in a list."""
        body = await read_body(request)
        owner = _shortcode(body, self._front.config)
        if owner.number not in self.registered:
            raise refusals.bad_pull("ShortCode is not registered")
        start, end = _moment(body, "StartDate"), _moment(body, "EndDate")
        if end < start:
            raise refusals.bad_pull("EndDate is before StartDate")
        offset = int(matching(body, "OffSetValue", _OFFSET))
        script = self._front.faults.take(PULL_QUERY) or FaultScript()
        usual = as_json(self._page(owner, start, end, offset)) if script.reply.commits else None
        return await self._front.reply(request, script, usual, token=token, family=refusals.PULL)

    def _page(self, owner: Shortcode, start: datetime, end: datetime, offset: int) -> dict[str, Any]:
        config = self._front.config
        oldest = self._front.clock.now() - timedelta(hours=config.pull_hours)
        found = [one for one in self._books.movements if _is_seen(one, owner, max(start, oldest), end)]
        page = found[offset : offset + config.pull_page_size]
        return {
            "ResponseRefID": self._front.next_request_id(),
            "ResponseCode": "1000" if page else "1001",
            "ResponseMessage": "Success" if page else "No transactions",
            "Response": [[_row(one, owner, config.pull_times) for one in page]],
        }


def _shortcode(body: Body, config: DarajaConfig) -> Shortcode:
    found = config.find(matching(body, "ShortCode", SHORTCODE))
    if found is None:
        raise refusals.invalid_field("ShortCode")
    return found


def _moment(body: Body, name: str) -> datetime:
    """``YYYY-MM-DD HH:MM:SS`` in East Africa Time."""
    try:
        return datetime.strptime(text_in(body, name), "%Y-%m-%d %H:%M:%S").replace(tzinfo=EAT).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise refusals.bad_pull(f"Invalid {name}") from error


def _is_seen(movement: Movement, owner: Shortcode, start: datetime, end: datetime) -> bool:
    """Only what customers paid, with the second the query ends in."""
    paid = movement.kind in ("stk", "c2b") and owner.number in movement.shortcodes
    return paid and start <= movement.at < end + timedelta(seconds=1)


def _row(movement: Movement, owner: Shortcode, times: str) -> dict[str, Any]:
    shown = movement.at.astimezone(UTC if times == "utc" else EAT)
    return {
        "transactionId": movement.receipt,
        "trxDate": shown.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "msisdn": int(movement.msisdn),
        "sender": movement.payer.partition(" - ")[2],
        "transactiontype": "c2b-buy-goods-debit" if owner.is_till else "c2b-pay-bill-debit",
        "billreference": movement.account_reference,
        "amount": f"{movement.amount:.2f}",
        "organizationname": owner.public_name.partition(" - ")[2],
    }
