"""A small Pesapal on this machine: tokens, orders, their status, refunds. Standard library only."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY, SECRET, IPN_ID = "pesapal-key-of-the-tests", "pesapal-secret-of-the-tests", "ipn-of-the-tests"


@dataclass
class Order:
    """One order, and what its customer does with it."""

    tracking_id: str
    body: dict[str, Any]
    state: int = 0  # 0 open, 1 completed, 2 failed, 3 reversed
    description: str = ""
    refund_asked: bool = False
    reported: dict[str, Any] = field(default_factory=dict)  # what is reported instead of the truth

    def status(self) -> dict[str, Any]:
        if self.state == 0:
            error = {"code": "payment_details_not_found", "message": "Pending Payment"}
            return {"status_code": 0, "payment_status_description": "INVALID", "error": error, "status": "500"}
        words = {1: "Completed", 2: "Failed", 3: "Reversed"}
        return {
            "payment_method": "Visa",
            "amount": self.body["amount"],
            "currency": self.body["currency"],
            "created_date": "2026-01-05T09:00:00",
            "confirmation_code": f"PSP{self.tracking_id[-6:]}",
            "payment_status_description": words[self.state],
            "description": self.description,
            "payment_account": "476173**0010",
            "merchant_reference": self.body["id"],
            "status_code": self.state,
            "error": {"code": None, "message": None},
            "status": "200",
            **self.reported,
        }


class Pesapal:
    """What the server knows. ``next_answers`` are given to the next orders or refunds instead of good ones."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.next_answers: list[tuple[int, bytes, dict[str, str]] | None] = []  # None: the connection breaks
        self.tokens: list[str] = []

    def order_of(self, reference: str) -> Order | None:
        """The order with our reference."""
        return next((order for order in self.orders.values() if order.body["id"] == reference), None)

    def answer(self, method: str, path: str, body: dict[str, Any], token: str) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(path)
        if parts.path == "/api/Auth/RequestToken":
            return self._token(body)
        if token not in self.tokens:
            return 401, {"error": {"code": "invalid_token", "message": "Invalid access token"}}
        match (method, parts.path):
            case ("POST", "/api/Transactions/SubmitOrderRequest"):
                return self._submit(body)
            case ("GET", "/api/Transactions/GetTransactionStatus"):
                order = self.orders.get(parse_qs(parts.query).get("orderTrackingId", [""])[0])
                return 200, order.status() if order else _error("invalid_order_tracking_id", "No such order")
            case ("POST", "/api/Transactions/RefundRequest"):
                return self._refund(body)
        return 404, _error("not_found", "No such address")

    def _token(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if (body.get("consumer_key"), body.get("consumer_secret")) != (KEY, SECRET):
            return 200, _error("invalid_consumer_key_or_secret_provided", "")
        self.tokens.append(f"token-{len(self.tokens) + 1}-of-the-tests")
        return 200, {"token": self.tokens[-1], "expiryDate": "2026-01-05T09:05:00Z", "error": None, "status": "200"}

    def _submit(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if not str(body.get("callback_url", "")).startswith("https://"):
            return 200, _error("invalid_callback_url", "Callback URL is required")
        if body.get("notification_id") != IPN_ID:
            return 200, _error("invalid_notification_id", "No such notification id")
        if self.order_of(body["id"]):
            return 200, _error("duplicate_order", "Duplicate order id")
        tracking_id = f"b945e4af-80a5-{len(self.orders) + 1:06}"
        self.orders[tracking_id] = Order(tracking_id, body)
        return 200, {
            "order_tracking_id": tracking_id,
            "merchant_reference": body["id"],
            "redirect_url": f"https://pay.pesapal.invalid/iframe?OrderTrackingId={tracking_id}",
            "error": None,
            "status": "200",
        }

    def _refund(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        order = next((one for one in self.orders.values() if _code(one) == body.get("confirmation_code")), None)
        if order is None or order.state != 1:
            return 200, _error("refund_rejected", "There is no completed payment with this code")
        if order.refund_asked:
            return 200, _error("refund_rejected", "A refund was requested already")
        if Decimal(str(body.get("amount"))) != Decimal(str(order.body["amount"])):
            return 200, _error("refund_rejected", "Partial refunds are not possible")
        order.refund_asked = True
        return 200, {"status": "200", "message": "Refund request successfully"}


def _code(order: Order) -> str:
    return f"PSP{order.tracking_id[-6:]}"


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"error_type": "api_error", "code": code, "message": message}, "status": "500"}


@contextmanager
def serve(pesapal: Pesapal) -> Iterator[str]:
    """The server's address while this is open."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(json.loads(raw, parse_float=Decimal))

        def _answer(self, body: dict[str, Any]) -> None:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, answer = pesapal.answer(self.command, self.path, body, token)
            content, headers = json.dumps(answer, default=_number).encode(), dict[str, str]()
            if pesapal.next_answers and ("Submit" in self.path or "Refund" in self.path):
                instead = pesapal.next_answers.pop(0)
                if instead is None:
                    self.close_connection = True
                    return
                status, content, headers = instead
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)  # as the company writes its answers
