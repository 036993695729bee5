"""The HTTP face of the simulated Daraja: methods, tokens, bodies, faulty answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from majuu_sim.clock import Clock
from majuu_sim.daraja import refusals
from majuu_sim.daraja.checking import check_push, check_query
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.engine import StkEngine
from majuu_sim.daraja.records import Prompt
from majuu_sim.daraja.results import RESULTS, Result
from majuu_sim.daraja.tokens import TokenOffice
from majuu_sim.faults import FaultQueue, FaultScript, Reply

Body = dict[str, Any]
Product = Callable[[web.Request, str], Awaitable[web.StreamResponse]]

OAUTH, STK_PUSH, STK_QUERY = "oauth", "stk_push", "stk_query"

ACCEPTED = "Success. Request accepted for processing"
QUERY_ACCEPTED = "The service request has been accepted successsfully"  # three s: as Daraja spells it
STILL_PROCESSING = Result("pending", "4999", "The transaction is still under processing")
WAF_PAGE = '<html><head><META NAME="robots" CONTENT="noindex,nofollow"></head><body>Request unsuccessful.</body></html>'


def as_json(data: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=json.dumps(data).encode(), status=status, content_type="application/json")


class Gateway:
    """Handlers of Daraja's addresses."""

    def __init__(
        self, *, config: DarajaConfig, clock: Clock, engine: StkEngine, tokens: TokenOffice, faults: FaultQueue
    ) -> None:
        """Answer for ``engine`` and ``tokens``; ``faults`` holds the scripts for token and query requests."""
        self._config = config
        self._clock = clock
        self._engine = engine
        self._tokens = tokens
        self._faults = faults
        self._queries: dict[str, datetime] = {}  # shortcode → when it last asked

    def clear(self) -> None:
        """Forget who asked when."""
        self._queries.clear()

    def add_routes(self, app: web.Application) -> None:
        """Add Daraja's addresses, and its answer for every other one."""
        app.router.add_route("*", "/oauth/v1/generate", self.token)
        app.router.add_route("*", "/mpesa/stkpush/v1/processrequest", self._product(self.push))
        app.router.add_route("*", "/mpesa/stkpushquery/v1/query", self._product(self.query))
        app.router.add_route("*", "/{anything:.*}", self.unknown)

    async def unknown(self, request: web.Request) -> web.StreamResponse:
        """Any other address."""
        return self._refused(refusals.unknown_path())

    async def token(self, request: web.Request) -> web.StreamResponse:
        """OAuth: the only GET."""
        try:
            if request.method != "GET":
                raise refusals.wrong_method("POST")
            authorization = request.headers.get("Authorization")
            body = self._tokens.issue(authorization, request.query.get("grant_type"), self._clock.now())
        except refusals.BlankRefusal:
            return web.Response(status=400)
        except refusals.Refusal as refusal:
            return self._refused(refusal)
        script = self._faults.take(OAUTH) or FaultScript()
        return await self._reply(request, script, as_json(body), token=body["access_token"])

    def _product(self, handler: Product) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                if request.method != "POST":
                    raise refusals.wrong_method(request.method)
                token = self._tokens.check(request.headers.get("Authorization"), self._clock.now())
                return await handler(request, token)
            except refusals.Refusal as refusal:
                return self._refused(refusal)

        return handle

    async def push(self, request: web.Request, token: str) -> web.StreamResponse:
        """M-Pesa Express: ring a phone."""
        wanted = check_push(await _read_body(request), self._config, self._clock.now())
        self._engine.require_free(wanted.msisdn)
        script = self._engine.choose_script(STK_PUSH, wanted.msisdn)
        if not script.reply.commits:
            return await self._reply(request, script, None, token=token)
        prompt = self._engine.open_prompt(wanted, script)
        self._engine.plan_answer(prompt)
        if script.event_before_reply:
            await self._engine.answer_now(prompt)
        return await self._reply(request, script, as_json(_acknowledgement(prompt)), token=token)

    async def query(self, request: web.Request, token: str) -> web.StreamResponse:
        """M-Pesa Express query: how did it end?"""
        now = self._clock.now()
        shortcode, checkout_request_id = check_query(await _read_body(request), self._config, now)
        if self._too_often(shortcode.number, now):
            return as_json(refusals.spike_arrest_fault(), 429)
        script = self._faults.take(STK_QUERY) or FaultScript()
        prompt = self._engine.find(checkout_request_id, shortcode.number)
        usual = self._query_answer(prompt) if script.reply.commits else None
        return await self._reply(request, script, usual, token=token)

    def _too_often(self, shortcode: str, now: datetime) -> bool:
        before = self._queries.get(shortcode)
        spacing = self._config.query_spacing
        if spacing and before is not None and (now - before).total_seconds() < spacing:
            return True
        self._queries[shortcode] = now
        return False

    def _query_answer(self, prompt: Prompt | None) -> web.Response:
        if prompt is None:
            return self._refused(refusals.invalid_field("CheckoutRequestID"))
        if _use_up(prompt, "unavailable"):
            return self._refused(refusals.server_error(503))
        if _use_up(prompt, "spike_arrest"):
            return as_json(refusals.spike_arrest_fault(), 429)
        if _use_up(prompt, "missing"):
            return self._refused(refusals.invalid_field("CheckoutRequestID"))
        if prompt.result is None or _use_up(prompt, "pending"):
            return self._pending(prompt)
        return as_json(_query_body(prompt, self._claimed(prompt, prompt.result)))

    def _claimed(self, prompt: Prompt, truth: Result) -> Result:
        claim = prompt.script.read_outcome
        return RESULTS[claim] if claim else truth

    def _pending(self, prompt: Prompt) -> web.Response:
        style = self._config.pending_style
        if style == "mixed":
            style = self._engine.pick(["4999", "500"])
        if style == "500":
            return self._refused(refusals.being_processed())
        body = _query_body(prompt, STILL_PROCESSING)
        if style == "4999_short":
            body = {name: body[name] for name in ("ResultCode", "ResultDesc")}
        return as_json(body)

    def _refused(self, refusal: refusals.Refusal) -> web.Response:
        body = {
            "requestId": self._engine.next_request_id(),
            "errorCode": refusal.code,
            "errorMessage": refusal.message,
        }
        return as_json(body, refusal.status)

    async def _reply(
        self, request: web.Request, script: FaultScript, usual: web.Response | None, *, token: str
    ) -> web.StreamResponse:
        """The usual answer, or the faulty one the script wants instead."""
        if script.reply_delay:
            await asyncio.sleep(script.reply_delay)  # real seconds: it is the caller's patience that is tested
        if script.token_dies_after or script.reply is Reply.TOKEN_EXPIRED:
            self._tokens.revoke(token)
        if script.reply is Reply.NORMAL and usual is not None:
            return usual
        return self._faulty(request, script)

    def _faulty(self, request: web.Request, script: FaultScript) -> web.Response:
        match script.reply:
            case Reply.REFUSE_CONNECTION | Reply.ACCEPTED_TIMEOUT:
                return _hang_up(request)
            case Reply.SPIKE_ARREST:
                return as_json(refusals.spike_arrest_fault(), script.reply_status or 429)
            case Reply.TOKEN_EXPIRED:
                return self._refused(refusals.invalid_token())
            case Reply.LOCKED:
                return self._refused(refusals.subscriber_locked())
            case Reply.WAF_HTML:
                return web.Response(text=WAF_PAGE, status=script.reply_status or 403, content_type="text/html")
            case Reply.ACCEPTED_HTML:
                return web.Response(text=WAF_PAGE, status=script.reply_status or 200, content_type="text/html")
            case Reply.ACCEPTED_EMPTY:
                return web.Response(status=script.reply_status or 200, content_type="application/json")
            case _:
                return self._refused(refusals.server_error(script.reply_status))


def _use_up(prompt: Prompt, kind: str) -> bool:
    """True when the script wants this query to go wrong in this way; counts it."""
    left = prompt.reads[kind]
    if left > 0:
        prompt.reads[kind] = left - 1
    return left != 0


async def _read_body(request: web.Request) -> Body:
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


def _acknowledgement(prompt: Prompt) -> dict[str, str]:
    return {
        "MerchantRequestID": prompt.merchant_request_id,
        "CheckoutRequestID": prompt.checkout_request_id,
        "ResponseCode": "0",
        "ResponseDescription": ACCEPTED,
        "CustomerMessage": ACCEPTED,
    }


def _query_body(prompt: Prompt, result: Result) -> dict[str, str]:
    return {
        "ResponseCode": "0",
        "ResponseDescription": QUERY_ACCEPTED,
        "MerchantRequestID": prompt.merchant_request_id,
        "CheckoutRequestID": prompt.checkout_request_id,
        "ResultCode": result.code,
        "ResultDesc": result.text,
    }


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection without a word; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
