"""A small Stripe client of the tests' own: forms over httpx, answers as they come."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from majuu_sim.stripe import SECRET_KEY, Endpoint, StripeAccount, StripeConfig, StripeSimulator
from majuu_sim.transport import CollectingTransport

SHOP = "https://shop.example/in"
BACK = "https://shop.example/back"
NO_ANSWER = (httpx.RemoteProtocolError, httpx.ReadError)
# One for all tests: each new client costs a tenth of a second of certificates that loopback does not need.
HTTP = httpx.Client(trust_env=False, verify=False, limits=httpx.Limits(max_keepalive_connections=0))  # noqa: S501
CONFIG = StripeConfig(accounts=(StripeAccount(endpoints=(Endpoint(url=SHOP),)),))


@dataclass
class Reply:
    status: int
    body: Any
    headers: httpx.Headers

    @property
    def error(self) -> tuple[int, str, str | None, str | None]:
        """Status, type, code and param."""
        error = self.body["error"]
        return self.status, error["type"], error.get("code"), error.get("param")


@dataclass
class Client:
    sim: StripeSimulator
    mail: CollectingTransport
    key: str = SECRET_KEY
    version: str | None = None

    def send(self, method: str, path: str, params: dict[str, Any], idempotency_key: str | None = None) -> Reply:
        headers = {"Authorization": f"Bearer {self.key}"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        if self.version:
            headers["Stripe-Version"] = self.version
        pairs = dict(flat(params))
        where = {"params": pairs} if method in ("GET", "DELETE") else {"data": pairs}
        answer = HTTP.request(method, f"{self.sim.base_url}/v1/{path}", headers=headers, **where)  # type: ignore[arg-type]
        return Reply(answer.status_code, answer.json() if answer.content else None, answer.headers)

    def post(self, path: str, idempotency_key: str | None = None, **params: Any) -> Reply:
        return self.send("POST", path, params, idempotency_key)

    def get(self, path: str, **params: Any) -> Reply:
        return self.send("GET", path, params)

    def made(self, path: str, **params: Any) -> Any:
        """The object of a POST that must be accepted."""
        reply = self.post(path, **params)
        assert reply.status == 200, reply.body
        return reply.body

    def found(self, path: str, **params: Any) -> Any:
        """The object of a GET that must be answered."""
        reply = self.get(path, **params)
        assert reply.status == 200, reply.body
        return reply.body

    def payment(self, **changes: Any) -> dict[str, Any]:
        """The parameters of a payment of KES 100 that is charged at once; a field set to ``...`` is left out."""
        params: dict[str, Any] = {
            "amount": 10000,
            "currency": "kes",
            "confirm": True,
            "capture_method": "automatic",
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "metadata": {"majuu_reference": "R1"},
        }
        params.update(changes)
        return {name: value for name, value in params.items() if value is not ...}

    def pay(self, **changes: Any) -> Any:
        """A payment intent that was accepted."""
        return self.made("payment_intents", **self.payment(**changes))

    def session(self, **changes: Any) -> Any:
        """A checkout session over KES 50."""
        price = {"currency": "kes", "unit_amount": 2500, "product_data": {"name": "Tea & cake"}}
        params: dict[str, Any] = {
            "mode": "payment",
            "success_url": f"{BACK}?paid={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{BACK}?left=1",
            "line_items": [{"quantity": 2, "price_data": price}],
            "payment_intent_data": {"metadata": {"majuu_reference": "S1"}, "capture_method": "automatic"},
        }
        params.update(changes)
        return self.made("checkout/sessions", **{name: value for name, value in params.items() if value is not ...})

    def letters(self, seconds: float = 10) -> list[dict[str, Any]]:
        """The events sent since the last call, after so many seconds."""
        self.sim.advance(seconds)
        return [json.loads(body) for _, body in self.mail.take()]

    def kinds(self, seconds: float = 10) -> list[str]:
        """Their types."""
        return [event["type"] for event in self.letters(seconds)]


@dataclass
class Inbox:
    """The shop's side over real HTTP: keeps bodies and headers, answers ``status``."""

    status: int = 200
    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serve_inbox() -> Iterator[Inbox]:
    """An inbox that can be reached at its ``url``."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            inbox.headers.append(dict(self.headers))
            self.send_response(inbox.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    inbox.url = f"http://127.0.0.1:{server.server_port}/in"
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Stripe's bracket form encoding."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from flat(part, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from flat(part, f"{name}[{index}]")
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
