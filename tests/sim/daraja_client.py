"""A small Daraja client of the tests' own, on the standard library, and a receiver of callbacks."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE

PHONE = "254712345678"
STAMP = "20260115120000"
PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
TOKEN = "/oauth/v1/generate?grant_type=client_credentials"

NO_ANSWER = (http.client.RemoteDisconnected, ConnectionResetError)


def basic(key: str = "majuu-sim-key", secret: str = "majuu-sim-secret") -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def password(shortcode: str = SANDBOX_SHORTCODE, stamp: str = STAMP, passkey: str = SANDBOX_PASSKEY) -> str:
    return base64.b64encode(f"{shortcode}{passkey}{stamp}".encode()).decode()


@dataclass
class Reply:
    status: int
    body: Any
    raw: bytes
    content_type: str

    @property
    def error(self) -> tuple[int, str, str]:
        return self.status, self.body["errorCode"], self.body["errorMessage"]


def send(base_url: str, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
    """One request on a connection of its own; NO_ANSWER when the server hangs up."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        raw = response.read()
        kind = response.headers.get_content_type()
        parsed = json.loads(raw) if raw and kind == "application/json" else None
        return Reply(response.status, parsed, raw, kind)
    finally:
        connection.close()


@dataclass
class Client:
    base_url: str
    callback_url: str
    token: str = ""

    def fetch_token(self, authorization: str | None = None, path: str = TOKEN) -> Reply:
        headers = {"Authorization": basic() if authorization is None else authorization}
        reply = send(self.base_url, "GET", path, None, headers if headers["Authorization"] else {})
        if reply.status == 200 and reply.body:
            self.token = reply.body["access_token"]
        return reply

    def post(self, path: str, body: Any) -> Reply:
        if not self.token:
            self.fetch_token()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return send(self.base_url, "POST", path, json.dumps(body).encode(), headers)

    def push_body(self, **changes: Any) -> dict[str, Any]:
        phone = changes.pop("phone", PHONE)
        body: dict[str, Any] = {
            "BusinessShortCode": SANDBOX_SHORTCODE,
            "Password": password(),
            "Timestamp": STAMP,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": 100,
            "PartyA": phone,
            "PartyB": SANDBOX_SHORTCODE,
            "PhoneNumber": phone,
            "CallBackURL": self.callback_url,
            "AccountReference": "ORDER1",
            "TransactionDesc": "Order 1",
        }
        body.update(changes)
        return {name: value for name, value in body.items() if value is not ...}

    def push(self, **changes: Any) -> Reply:
        """A push; a field set to ``...`` is left out, ``phone`` sets both numbers."""
        return self.post(PUSH, self.push_body(**changes))

    def pushed(self, **changes: Any) -> str:
        """The CheckoutRequestID of a push that must be accepted."""
        reply = self.push(**changes)
        assert reply.status == 200, reply
        return str(reply.body["CheckoutRequestID"])

    def query(self, checkout_request_id: Any, **changes: Any) -> Reply:
        body = {"BusinessShortCode": SANDBOX_SHORTCODE, "Password": password(), "Timestamp": STAMP}
        return self.post(QUERY, {**body, "CheckoutRequestID": checkout_request_id, **changes})

    def result(self, checkout_request_id: str) -> str:
        """The ResultCode a query reports now."""
        reply = self.query(checkout_request_id)
        assert reply.status == 200, reply
        return str(reply.body["ResultCode"])

    def control(self, method: str, path: str, body: Any = None) -> Reply:
        raw = None if body is None else json.dumps(body).encode()
        return send(self.base_url, method, f"/control/{path}", raw, {"Content-Type": "application/json"})


@dataclass
class Receiver:
    """The shop's side: remembers each callback, answers ``status``."""

    status: int = 200
    seen: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def codes(self) -> list[Any]:
        return [one["ResultCode"] for one in self.seen]

    def items(self, index: int = 0) -> dict[str, Any]:
        """The metadata of one callback as name → value."""
        metadata = self.seen[index]["CallbackMetadata"]["Item"]
        return {item["Name"]: item.get("Value") for item in metadata}


def serve_receiver(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.seen.append(json.loads(raw)["Body"]["stkCallback"])
            receiver.paths.append(self.path)
            receiver.headers.append(dict(self.headers))
            receiver.arrived.set()
            self.send_response(receiver.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
