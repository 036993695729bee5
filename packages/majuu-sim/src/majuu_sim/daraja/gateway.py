"""The HTTP face of the simulated Daraja: methods, tokens, bodies, faulty answers."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from majuu_sim.clock import Clock
from majuu_sim.daraja import refusals
from majuu_sim.daraja.checking import check_push, check_query
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.engine import StkEngine
from majuu_sim.daraja.front import Front, as_json, read_body
from majuu_sim.daraja.records import Prompt
from majuu_sim.daraja.results import RESULTS, Result
from majuu_sim.faults import FaultQueue, FaultScript

OAUTH, STK_PUSH, STK_QUERY = "oauth", "stk_push", "stk_query"

ACCEPTED = "Success. Request accepted for processing"
QUERY_ACCEPTED = "The service request has been accepted successsfully"  # three s: as Daraja spells it
STILL_PROCESSING = Result("pending", "4999", "The transaction is still under processing")


class Gateway:
    """Handlers of Daraja's addresses for tokens and M-Pesa Express."""

    def __init__(
        self, *, config: DarajaConfig, clock: Clock, engine: StkEngine, front: Front, faults: FaultQueue
    ) -> None:
        """Answer for ``engine``; ``faults`` holds the scripts for token and query requests."""
        self._config = config
        self._clock = clock
        self._engine = engine
        self._front = front
        self._faults = faults
        self._queries: dict[str, datetime] = {}  # shortcode → when it last asked

    def clear(self) -> None:
        """Forget who asked when."""
        self._queries.clear()

    def add_routes(self, app: web.Application) -> None:
        """Add Daraja's addresses, and its answer for every other one."""
        app.router.add_route("*", "/oauth/v1/generate", self.token)
        app.router.add_route("*", "/mpesa/stkpush/v1/processrequest", self._front.product(self.push))
        app.router.add_route("*", "/mpesa/stkpushquery/v1/query", self._front.product(self.query))
        app.router.add_route("*", "/{anything:.*}", self.unknown)

    async def unknown(self, request: web.Request) -> web.StreamResponse:
        """Any other address."""
        return self._front.refused(refusals.unknown_path())

    async def token(self, request: web.Request) -> web.StreamResponse:
        """OAuth: the only GET."""
        try:
            if request.method != "GET":
                raise refusals.wrong_method("POST")
            authorization = request.headers.get("Authorization")
            body = self._front.tokens.issue(authorization, request.query.get("grant_type"), self._clock.now())
        except refusals.BlankRefusal:
            return web.Response(status=400)
        except refusals.Refusal as refusal:
            return self._front.refused(refusal)
        script = self._faults.take(OAUTH) or FaultScript()
        return await self._front.reply(request, script, as_json(body), token=body["access_token"])

    async def push(self, request: web.Request, token: str) -> web.StreamResponse:
        """M-Pesa Express: ring a phone."""
        wanted = check_push(await read_body(request), self._config, self._clock.now())
        self._engine.require_free(wanted.msisdn)
        script = self._engine.choose_script(STK_PUSH, wanted.msisdn)
        if not script.reply.commits:
            return await self._front.reply(request, script, None, token=token)
        prompt = self._engine.open_prompt(wanted, script)
        self._engine.plan_answer(prompt)
        if script.event_before_reply:
            await self._engine.answer_now(prompt)
        return await self._front.reply(request, script, as_json(_acknowledgement(prompt)), token=token)

    async def query(self, request: web.Request, token: str) -> web.StreamResponse:
        """M-Pesa Express query: how did it end?"""
        now = self._clock.now()
        shortcode, checkout_request_id = check_query(await read_body(request), self._config, now)
        if self._too_often(shortcode.number, now):
            return as_json(refusals.spike_arrest_fault(), 429)
        script = self._faults.take(STK_QUERY) or FaultScript()
        prompt = self._engine.find(checkout_request_id, shortcode.number)
        usual = self._query_answer(prompt) if script.reply.commits else None
        return await self._front.reply(request, script, usual, token=token)

    def _too_often(self, shortcode: str, now: datetime) -> bool:
        before = self._queries.get(shortcode)
        spacing = self._config.query_spacing
        if spacing and before is not None and (now - before).total_seconds() < spacing:
            return True
        self._queries[shortcode] = now
        return False

    def _query_answer(self, prompt: Prompt | None) -> web.Response:
        if prompt is None:
            return self._front.refused(refusals.invalid_field("CheckoutRequestID"))
        if _use_up(prompt, "unavailable"):
            return self._front.refused(refusals.server_error(503))
        if _use_up(prompt, "spike_arrest"):
            return as_json(refusals.spike_arrest_fault(), 429)
        if _use_up(prompt, "missing"):
            return self._front.refused(refusals.invalid_field("CheckoutRequestID"))
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
            return self._front.refused(refusals.being_processed())
        body = _query_body(prompt, STILL_PROCESSING)
        if style == "4999_short":
            body = {name: body[name] for name in ("ResultCode", "ResultDesc")}
        return as_json(body)


def _use_up(prompt: Prompt, kind: str) -> bool:
    """True when the script wants this query to go wrong in this way; counts it."""
    left = prompt.reads[kind]
    if left > 0:
        prompt.reads[kind] = left - 1
    return left != 0


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
