"""The API's front door: keys, parameters, Idempotency-Key, scripts, and the shape of answers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web

from majuu_sim.faults import FOREVER, FaultScript, Reply
from majuu_sim.stripe import claims, errors, files, versions
from majuu_sim.stripe.book import Book, expand
from majuu_sim.stripe.errors import Obj, StripeRefusal
from majuu_sim.stripe.forms import decode
from majuu_sim.stripe.office import NOBODY
from majuu_sim.stripe.params import Params
from majuu_sim.stripe.routes import Call, Route, no_route, routes_of

if TYPE_CHECKING:
    from majuu_sim.stripe.simulator import StripeSimulator

WAF_PAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
# Before one of these gateways in front of the API fails, the API itself has answered and kept its answer.
EDGE_STATUSES = (502, 503, 504)
FORM = "application/x-www-form-urlencoded"


class Gateway:
    """Answers every address below /v1."""

    def __init__(self, simulator: StripeSimulator) -> None:
        """Answer for ``simulator``."""
        self._sim = simulator
        self._routes = routes_of(simulator)
        self._count = 0

    def add_routes(self, app: web.Application) -> None:
        """Add the API's addresses."""
        app.router.add_post("/v1/files", self.upload)
        app.router.add_route("*", "/v1/{tail:.+}", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request of the API."""
        request_id = self._new_request_id()
        if self._sim.down is not None:
            return self._faulty(request, self._sim.down, request_id)
        try:
            self._sim.learn_address(f"{request.scheme}://{request.host}")
            book = self._book_of(request)
            versions.check(request.headers.get("Stripe-Version"))
            params = await _params_of(request)
            route, ids = self._route(request.method, request.path)
            call = Call(book, Params(params), ids, self._sim.faults.find(route.operation, _customer_of(params)))
            return await self._perform(request, route, call, request_id)
        except StripeRefusal as refusal:
            return _as_json(refusal.body(), refusal.status, request_id)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/files."""
        request_id = self._new_request_id()
        if self._sim.down is not None:
            return self._faulty(request, self._sim.down, request_id)
        try:
            book = self._book_of(request)
            purpose, name, content = await files.read_upload(request, self._sim.config.file_limit)
            route = Route("POST", "/v1/files", "file_write", lambda c: files.make_file(c.book, purpose, name, content))
            params = Params({"purpose": purpose, "file": hashlib.sha256(content).hexdigest()})
            call = Call(book, params, (), self._sim.faults.find(route.operation))
            return await self._perform(request, route, call, request_id)
        except StripeRefusal as refusal:
            return _as_json(refusal.body(), refusal.status, request_id)

    async def _perform(self, request: web.Request, route: Route, call: Call, request_id: str) -> web.StreamResponse:
        """Do what is asked, unless a script lets nothing happen."""
        if call.rule is None or call.script.reply.commits:
            return await self._answer(request, route, call, request_id)
        self._sim.faults.use(call.rule)
        return await self._badly(request, call, request_id)

    async def _answer(self, request: web.Request, route: Route, call: Call, request_id: str) -> web.StreamResponse:
        self._sim.schema.check(route.method, route.path, call.params.data)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        account = call.book.account.id
        if key:
            kept = self._sim.keys.begin(account, key, request.path, call.params.data)
            if kept is not None:
                if call.rule is not None:
                    self._sim.faults.use(call.rule)
                if call.script.reply is not Reply.NORMAL:
                    return await self._badly(request, call, request_id)
                return _as_bytes(kept.body, kept.status, request_id, replayed=key, original=kept.request_id)
        self._sim.office.request = {"id": request_id, "idempotency_key": key}
        try:
            status, body, began = self._run(request, route, call)
        except BaseException:
            if key:
                self._sim.keys.forget(account, key)
            raise
        finally:
            self._sim.office.request = dict(NOBODY)
        if call.rule is not None and began:
            self._sim.faults.use(call.rule)
        await self._sim.office.dispatch()
        if call.script.reply is Reply.NORMAL:
            await asyncio.sleep(call.script.reply_delay)  # real seconds: it is the caller's patience that is tested
        if key:
            self._keep(account, key, call.script, (status, body, began), request_id)
        if call.script.reply is not Reply.NORMAL and began:
            return await self._badly(request, call, request_id)
        return _as_bytes(body, status, request_id, key=key)

    async def _badly(self, request: web.Request, call: Call, request_id: str) -> web.Response:
        """The bad answer a script wants, in its time."""
        await asyncio.sleep(call.script.reply_delay)
        return self._faulty(request, call.script, request_id)

    def _keep(
        self, account: str, key: str, script: FaultScript, said: tuple[int, bytes, bool], request_id: str
    ) -> None:
        """Remember what the API itself answered: a failure behind its door, but not one in front of it."""
        status, body, began = said
        if not began:
            self._sim.keys.forget(account, key)
            return
        if script.reply is Reply.ACCEPTED_ERROR and script.reply_status not in EDGE_STATUSES:
            status, body = script.reply_status or 500, _dump(errors.server_error().body())
        self._sim.keys.keep(account, key, status, body, request_id)

    def _run(self, request: web.Request, route: Route, call: Call) -> tuple[int, bytes, bool]:
        """Status, body, and whether the endpoint began to work."""
        try:
            if request.method == "GET" and route.kind:
                self._bad_read(request, call)
            made = route.run(call)
        except StripeRefusal as refusal:
            shown = {"error": {name: self._dated(request, call.book, one) for name, one in refusal.error.items()}}
            return refusal.status, _dump(shown), refusal.began
        if request.method == "GET" and route.kind:
            made = self._claimed(call, made)
        try:
            shown = expand(call.book, made, call.params.texts("expand"))
        except StripeRefusal as refusal:
            return refusal.status, _dump(refusal.body()), True
        return 200, _dump(self._dated(request, call.book, shown)), True

    def _dated(self, request: web.Request, book: Book, shown: object) -> object:
        version = request.headers.get("Stripe-Version", book.account.api_version)
        return versions.older(book, shown) if versions.is_old(version) and isinstance(shown, dict) else shown

    def _bad_read(self, request: web.Request, call: Call) -> None:
        """Fail as the script of what is read wants it, each kind its number of times."""
        if call.book.find(call.id) is None:
            return
        reads = call.book.note(call.id).reads
        if _use(reads, "unavailable"):
            raise errors.server_error()
        if _use(reads, "spike_arrest"):
            raise errors.rate_limited()
        if _use(reads, "missing"):
            raise errors.no_such(call.book.find(call.id)["object"], call.id)  # type: ignore[index]  # found above

    def _claimed(self, call: Call, made: Obj) -> Obj:
        note = call.book.note(call.id)
        if _use(note.reads, "pending"):
            return claims.read_pending(made)
        outcome = note.script.read_outcome
        return made if outcome is None else claims.read_claiming(made, outcome)

    def _route(self, method: str, path: str) -> tuple[Route, tuple[str, ...]]:
        for route in self._routes:
            ids = route.match(method, path)
            if ids is not None:
                return route, ids
        raise no_route(method, path)

    def _book_of(self, request: web.Request) -> Book:
        key = _key_of(request)
        book = self._sim.books_by_key.get(key or "")
        if book is None:
            raise errors.bad_key(key)
        if key in self._sim.expired_keys:
            raise errors.key_expired()
        return book

    def _faulty(self, request: web.Request, script: FaultScript, request_id: str) -> web.Response:
        match script.reply:
            case Reply.REFUSE_CONNECTION | Reply.ACCEPTED_TIMEOUT:
                return _hang_up(request)
            case Reply.SPIKE_ARREST:
                refusal = errors.rate_limited()
            case Reply.TOKEN_EXPIRED:
                refusal = errors.key_expired()
            case Reply.LOCKED:
                refusal = errors.lock_timeout()
            case Reply.WAF_HTML:
                return web.Response(text=WAF_PAGE, status=script.reply_status or 502, content_type="text/html")
            case Reply.ACCEPTED_HTML:
                return web.Response(text=WAF_PAGE, status=script.reply_status or 200, content_type="text/html")
            case Reply.ACCEPTED_EMPTY:
                return web.Response(status=script.reply_status or 200, content_type="application/json")
            case _:
                refusal = errors.server_error()
        return _as_json(refusal.body(), script.reply_status or refusal.status, request_id)

    def _new_request_id(self) -> str:
        self._count += 1
        return f"req_sim{self._count:011d}"


def _use(reads: dict[str, int], kind: str) -> bool:
    left = reads.get(kind, 0)
    if left and left != FOREVER:
        reads[kind] = left - 1
    return bool(left)


async def _params_of(request: web.Request) -> Obj:
    if request.method in ("GET", "DELETE"):
        return decode(parse_qsl(request.query_string, keep_blank_values=True))
    raw = await request.read()
    if raw and request.content_type != FORM:
        raise StripeRefusal(
            400,
            f"Invalid request: the content type must be {FORM}, not {request.content_type}.",
            began=False,
        )
    try:
        return decode(parse_qsl(raw.decode(), keep_blank_values=True))
    except UnicodeDecodeError as error:
        raise StripeRefusal(400, "Invalid request: the body is not UTF-8.", began=False) from error


def _key_of(request: web.Request) -> str | None:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer":
        return rest.strip()
    if scheme == "Basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def _customer_of(params: Obj) -> str | None:
    for name in ("customer", "receipt_email", "customer_email"):
        value = params.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def _dump(body: object) -> bytes:
    return json.dumps(body, indent=2).encode()


def _as_json(body: object, status: int, request_id: str) -> web.Response:
    return _as_bytes(_dump(body), status, request_id)


def _as_bytes(
    body: bytes,
    status: int,
    request_id: str,
    *,
    key: str | None = None,
    replayed: str | None = None,
    original: str = "",
) -> web.Response:
    headers = {"Request-Id": request_id}
    if key is not None:
        headers["Idempotency-Key"] = key
    if replayed is not None:
        headers |= {"Idempotency-Key": replayed, "Idempotent-Replayed": "true", "Original-Request": original}
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection without a word; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
