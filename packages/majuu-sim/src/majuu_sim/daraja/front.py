"""What every product's address does: method, token, body, and the faulty answers of scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from majuu_sim.clock import Clock
from majuu_sim.daraja import refusals
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.tokens import TokenOffice
from majuu_sim.faults import FaultQueue, FaultScript, Reply

Body = dict[str, Any]
Product = Callable[[web.Request, str], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WAF_PAGE = '<html><head><META NAME="robots" CONTENT="noindex,nofollow"></head><body>Request unsuccessful.</body></html>'


def as_json(data: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=json.dumps(data).encode(), status=status, content_type="application/json")


class Front:
    """The part of a gateway that all products share."""

    def __init__(
        self,
        *,
        config: DarajaConfig,
        clock: Clock,
        tokens: TokenOffice,
        faults: FaultQueue,
        next_request_id: Callable[[], str],
    ) -> None:
        """``tokens`` are checked, ``faults`` holds the scripts, ``next_request_id`` makes the ids of refusals."""
        self.config = config
        self.clock = clock
        self.tokens = tokens
        self.faults = faults
        self.next_request_id = next_request_id

    def product(
        self, handler: Product, family: refusals.Family = refusals.EXPRESS, methods: tuple[str, ...] = ("POST",)
    ) -> Handler:
        """``handler`` behind a check of method and token, with refusals put into their envelope."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                if request.method not in methods:
                    raise refusals.wrong_method(request.method)
                return await handler(request, self._token(request, family))
            except refusals.Refusal as refusal:
                return self.refused(refusal)

        return handle

    def _token(self, request: web.Request, family: refusals.Family) -> str:
        try:
            return self.tokens.check(request.headers.get("Authorization"), self.clock.now())
        except refusals.Refusal as refusal:
            raise family.bad_token() from refusal

    def refused(self, refusal: refusals.Refusal) -> web.Response:
        """A refusal in Daraja's envelope."""
        body = {
            "requestId": self.next_request_id(),
            "errorCode": refusal.code,
            "errorMessage": refusal.message,
        }
        return as_json(body, refusal.status)

    async def reply(
        self,
        request: web.Request,
        script: FaultScript,
        usual: web.Response | None,
        *,
        token: str,
        family: refusals.Family = refusals.EXPRESS,
    ) -> web.StreamResponse:
        """The usual answer, or the faulty one the script wants instead."""
        if script.reply_delay:
            await asyncio.sleep(script.reply_delay)  # real seconds: it is the caller's patience that is tested
        if script.token_dies_after or script.reply is Reply.TOKEN_EXPIRED:
            self.tokens.revoke(token)
        if script.reply is Reply.NORMAL and usual is not None:
            return usual
        return self._faulty(request, script, family)

    def _faulty(self, request: web.Request, script: FaultScript, family: refusals.Family) -> web.Response:
        match script.reply:
            case Reply.REFUSE_CONNECTION | Reply.ACCEPTED_TIMEOUT:
                return _hang_up(request)
            case Reply.SPIKE_ARREST:
                return as_json(refusals.spike_arrest_fault(), script.reply_status or 429)
            case Reply.TOKEN_EXPIRED:
                return self.refused(family.bad_token())
            case Reply.LOCKED:
                return self.refused(refusals.subscriber_locked())
            case Reply.WAF_HTML:
                return web.Response(text=WAF_PAGE, status=script.reply_status or 403, content_type="text/html")
            case Reply.ACCEPTED_HTML:
                return web.Response(text=WAF_PAGE, status=script.reply_status or 200, content_type="text/html")
            case Reply.ACCEPTED_EMPTY:
                return web.Response(status=script.reply_status or 200, content_type="application/json")
            case _:
                return self.refused(family.failed(script.reply_status))


async def read_body(request: web.Request) -> Body:
    """The JSON object of a request. A wrong Content-Type is answered as if nothing had been sent."""
    if request.content_type != "application/json":
        raise refusals.invalid_field("BusinessShortCode")
    try:
        # Numbers with a point stay text, so that they are refused as amounts instead of being rounded.
        data = json.loads(await request.read(), parse_float=str)
    except (ValueError, RecursionError) as error:
        raise refusals.invalid_payload() from error
    if not isinstance(data, dict):
        raise refusals.invalid_payload()
    return data


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection without a word; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
