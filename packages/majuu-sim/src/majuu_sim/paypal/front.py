"""What every address of the API does: token, body, PayPal-Request-Id, Prefer, and the faulty answers of scripts."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from majuu_sim.clock import Clock
from majuu_sim.faults import FaultQueue, FaultRule, FaultScript, Reply
from majuu_sim.paypal import formats, outcomes, refusals
from majuu_sim.paypal.config import Account, PaypalConfig
from majuu_sim.paypal.memory import Kept, Memory, fingerprint
from majuu_sim.paypal.office import Office, Planned
from majuu_sim.paypal.origin import Origin
from majuu_sim.paypal.records import ORDINARY
from majuu_sim.paypal.specs import SpecChecker
from majuu_sim.paypal.tokens import BadToken, TokenOffice

Body = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
WAF_PAGE = "<html><head><title>Access Denied</title></head><body><h1>Access Denied</h1></body></html>"
# What PayPal-Mock-Response can ask of the sandbox, as of this simulator.
MOCK_HEADER = "PayPal-Mock-Response"
LONGEST_REQUEST_ID = 108  # of orders; payouts would take more


@dataclass(slots=True, kw_only=True)
class Call:
    """One request that carries a good token."""

    request: web.Request
    account: Account
    token: str
    operation: str
    data: Body = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id in the address."""
        return self.request.match_info["id"]

    @property
    def request_id(self) -> str:
        """PayPal-Request-Id, or ""."""
        return self.request.headers.get("PayPal-Request-Id", "")

    @property
    def wants_all(self) -> bool:
        """True with ``Prefer: return=representation``."""
        return "return=representation" in self.request.headers.get("Prefer", "")


@dataclass(slots=True, kw_only=True)
class Done:
    """What came of a request: the answer, and the events that follow."""

    body: Body | None
    status: int = 201
    replay_status: int = 200  # of the same request again
    plan: list[Planned] = field(default_factory=list)
    script: FaultScript | None = None  # whose event_before_reply counts, when the request has no script of its own
    before_reply: Callable[[], Awaitable[None]] | None = None


Product = Callable[[Call], Awaitable[web.StreamResponse]]
Act = Callable[[FaultScript | None], Done]


def as_json(data: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=json.dumps(data).encode(), status=status, content_type="application/json")


class Front:
    """The part of the API that all products share."""

    def __init__(
        self,
        *,
        config: PaypalConfig,
        clock: Clock,
        rng: random.Random,
        tokens: TokenOffice,
        faults: FaultQueue,
        office: Office,
        origin: Origin,
    ) -> None:
        """``tokens`` are checked, ``faults`` holds the scripts, ``office`` sends what follows."""
        self.config = config
        self.clock = clock
        self.tokens = tokens
        self.faults = faults
        self.office = office
        self.origin = origin
        self.memory = Memory(config.request_id_seconds)
        self.specs = SpecChecker(config.specs)
        self.down: FaultScript | None = None  # while PayPal is down: how nothing is answered
        self._rng = rng

    def product(self, operation: str, handler: Product, *, reads_body: bool = False) -> Handler:
        """``handler`` behind a check of the token and the body, with refusals put into their envelope."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self.origin.note(request)
            if self.down is not None:
                return await self.faulty(request, self.down, None, "")
            try:
                token, account = self.tokens.check(request.headers.get("Authorization"), self.clock.now())
                call = Call(request=request, account=account, token=token, operation=operation)
                if reads_body:
                    call.data = await read_body(request)
                    self.specs.check_request(request, call.data)
                self._mock(request)
                response = await handler(call)
            except BadToken:
                response = self.logged(as_json(refusals.INVALID_TOKEN, 401))
            except refusals.Refusal as refusal:
                response = self.refused(refusal)
            self.specs.check_response(request, response)
            return response

        return handle

    def _mock(self, request: web.Request) -> None:
        wanted = request.headers.get(MOCK_HEADER)
        if wanted is None:
            return
        try:
            codes = json.loads(wanted)["mock_application_codes"]
            code = codes if isinstance(codes, str) else codes[0]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", MOCK_HEADER, wanted, "header") from error
        named = {name: status for status, (name, _) in refusals.NAMES.items()}
        raise refusals.Refusal(named[code]) if code in named else refusals.unprocessable(str(code))

    def refused(self, refusal: refusals.Refusal) -> web.Response:
        """A refusal in PayPal's envelope."""
        debug_id = formats.debug_id(self._rng)
        return self.logged(as_json(refusal.to_body(debug_id), refusal.status), debug_id)

    def logged(self, response: web.Response, debug_id: str = "") -> web.Response:
        """With the header support asks for."""
        response.headers["PayPal-Debug-Id"] = debug_id or formats.debug_id(self._rng)
        return response

    # Things that are done once.

    async def perform(self, call: Call, customer: str | None, act: Act) -> web.StreamResponse:
        """Do ``act`` unless the request is a repetition, and answer as the queued script wants it."""
        if len(call.request_id) > LONGEST_REQUEST_ID:
            raise refusals.bad_field("INVALID_STRING_MAX_LENGTH", "PayPal-Request-Id", call.request_id, "header")
        print_ = fingerprint(call.request.path, call.data)
        key = (call.account.client_id, call.operation, call.request_id)
        kept = self.memory.find(key, print_, self.clock.now())
        taken = [(rule, rule.times) for rule in self.faults.rules]
        script = self.faults.take(call.operation, customer)
        if script is not None and not script.reply.commits:
            return await self.reply(call, script, None)
        if kept is not None:
            return await self.reply(call, script or ORDINARY, self._answer(kept.body, kept.status))
        done = self._done(act, script, taken)
        self.memory.keep(key, Kept(print_, done.body, done.replay_status, self.clock.now()))
        await self._tell(done, script)
        return await self.reply(call, script or ORDINARY, self._answer(done.body, done.status))

    def _done(self, act: Act, script: FaultScript | None, rules: list[tuple[FaultRule, int]]) -> Done:
        """Do it. A request that is refused as wrong uses no script up, unless the script is why it is refused."""
        try:
            return act(script)
        except refusals.Refusal:
            if script is None or script.outcome not in outcomes.REFUSES:
                self.faults.rules[:] = [rule for rule, _ in rules]
                for rule, times in rules:
                    rule.times = times
            raise

    async def _tell(self, done: Done, script: FaultScript | None) -> None:
        deciding = script or done.script or ORDINARY
        if deciding.event_before_reply:
            if done.before_reply is not None:
                await done.before_reply()
            await self.office.run(done.plan)
        else:
            self.office.schedule(done.plan)

    def _answer(self, body: Body | None, status: int) -> web.Response:
        return self.logged(as_json(body, status) if body is not None else web.Response(status=204))

    # Things that are only looked at.

    async def look(self, call: Call, reads: dict[str, int], see: Callable[[bool], Body]) -> web.StreamResponse:
        """Answer a status query; ``see`` is told whether the answer shall still be: pending."""
        script = self.faults.take(call.operation)
        if script is not None and not script.reply.commits:
            return await self.reply(call, script, None)
        if use_up(reads, "unavailable"):
            raise refusals.Refusal(503)
        if use_up(reads, "spike_arrest"):
            raise refusals.Refusal(429)
        if use_up(reads, "missing"):
            raise refusals.not_found("id", call.id)
        body = see(use_up(reads, "pending"))
        return await self.reply(call, script or ORDINARY, self.logged(as_json(body)))

    # Faulty answers.

    async def reply(self, call: Call, script: FaultScript, usual: web.Response | None) -> web.StreamResponse:
        """The usual answer, or the faulty one the script wants instead."""
        return await self.faulty(call.request, script, usual, call.token)

    async def faulty(
        self, request: web.Request, script: FaultScript, usual: web.Response | None, token: str
    ) -> web.StreamResponse:
        """See :meth:`reply`."""
        if script.reply_delay:
            await asyncio.sleep(script.reply_delay)  # real seconds: it is the caller's patience that is tested
        if script.token_dies_after or script.reply is Reply.TOKEN_EXPIRED:
            self.tokens.revoke(token)
        if script.reply is Reply.NORMAL and usual is not None:
            return usual
        return self._instead(request, script)

    def _instead(self, request: web.Request, script: FaultScript) -> web.Response:
        status = script.reply_status
        match script.reply:
            case Reply.REFUSE_CONNECTION | Reply.ACCEPTED_TIMEOUT:
                return _hang_up(request)
            case Reply.SPIKE_ARREST:
                return self.refused(refusals.Refusal(status or 429, name="RATE_LIMIT_REACHED"))
            case Reply.TOKEN_EXPIRED:
                return self.logged(as_json(refusals.INVALID_TOKEN, 401))
            case Reply.LOCKED:
                busy = refusals.detail("PREVIOUS_REQUEST_IN_PROGRESS")
                return self.refused(refusals.Refusal(status or 409, details=[busy]))
            case Reply.WAF_HTML:
                return web.Response(text=WAF_PAGE, status=status or 403, content_type="text/html")
            case Reply.ACCEPTED_HTML:
                return web.Response(text=WAF_PAGE, status=status or 200, content_type="text/html")
            case Reply.ACCEPTED_EMPTY:
                return web.Response(status=status or 200, content_type="application/json")
            case _:
                return self.refused(refusals.Refusal(status or 500))


def use_up(reads: dict[str, int], kind: str) -> bool:
    """True when the script wants this query to go wrong in this way; counts it."""
    left = reads[kind]
    if left > 0:
        reads[kind] = left - 1
    return left != 0


async def read_body(request: web.Request) -> Body:
    """The JSON object of a request; nothing at all is an empty one."""
    raw = await request.read()
    if not raw.strip():
        return {}
    if request.content_type != "application/json":
        raise refusals.Refusal(415)
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise refusals.Refusal(400, details=[refusals.detail("MALFORMED_REQUEST_JSON", "/")]) from error
    if not isinstance(data, dict):
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", "/")
    return data


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection without a word; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
