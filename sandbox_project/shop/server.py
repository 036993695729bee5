"""The shop's web server: the standard library's, which is enough for one machine."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox_project.shop import pages
from sandbox_project.shop.catalogue import PRODUCTS
from sandbox_project.shop.files import read_file
from sandbox_project.shop.gateway import Gateway, GatewayError, NotGenuine
from sandbox_project.shop.orders import Orders, as_json

MAX_BODY = 64 * 1024
_ORDER_ID = re.compile(r"[A-Za-z0-9-]{8,60}")
_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'"
_HEADERS = {
    "Content-Security-Policy": f"{_POLICY}; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Shop(ThreadingHTTPServer):
    """One shop at one address. Raises OSError when the port is taken."""

    daemon_threads = True

    def __init__(self, *, port: int, gateway: Gateway, orders: Orders, majuu_url: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.gateway = gateway
        self.orders = orders
        self.majuu_url = majuu_url

    @property
    def url(self) -> str:
        """Where customers find it."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def live(self) -> str:
        """The part of the page that changes."""
        return pages.live(self.orders.list_orders(), self.orders.list_events(), self.orders.list_refused())


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Shop
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """A page, a file, or what the demo looks at."""
        address = urlsplit(self.path)
        if address.path == "/thanks":
            self._thanks(parse_qs(address.query))
        elif (make := _GETS.get(address.path)) is not None:
            kind, body = make(self.server)
            self._answer(HTTPStatus.OK, kind, body)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing at this address.\n")

    def do_POST(self) -> None:
        """A purchase, or a message from Majuu."""
        body = self._read_body()
        if body is None:
            return
        if self.path == "/webhooks":
            self._take_webhook(body)
        elif self.path == "/buy":
            self._buy(parse_qs(body.decode("utf-8", "replace")))
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing at this address.\n")

    def _take_webhook(self, body: bytes) -> None:
        """Verify, then count once. Any 2xx tells Majuu that the message need not come again."""
        try:
            event = self.server.gateway.verify(body, dict(self.headers.items()))
        except NotGenuine as problem:
            self.server.orders.count_refused(str(problem))
            self._answer(HTTPStatus.UNAUTHORIZED, "text/plain", f"{problem}\n".encode())
            return
        is_new = self.server.orders.take_event(str(self.headers["webhook-id"]), event)
        print(f"webhook {event.get('type')} {self.headers['webhook-id']}{'' if is_new else ' (again)'}", flush=True)
        self._answer(HTTPStatus.NO_CONTENT, "text/plain", b"")

    def _buy(self, form: dict[str, list[str]]) -> None:
        product = PRODUCTS.get(form.get("product", [""])[0])
        order_id = form.get("order", [""])[0]
        if product is None or not _ORDER_ID.fullmatch(order_id):
            self._page(HTTPStatus.BAD_REQUEST, "Pole", pages.trouble("There is no such product."))
            return
        self.server.orders.add(order_id, product.code, product.price)
        back = f"{self.server.url}/thanks?order={order_id}"
        try:
            intent = self.server.gateway.request_payment(order_id=order_id, product=product, return_url=back)
        except GatewayError as problem:
            self._page(HTTPStatus.BAD_GATEWAY, "Pole", pages.trouble(str(problem)))
            return
        self.server.orders.remember_intent(order_id, intent)
        self._answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": intent["payment_url"]})

    def _thanks(self, query: dict[str, list[str]]) -> None:
        order = self.server.orders.find(query.get("order", [""])[0])
        if order is None:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such order.\n")
        else:
            self._page(HTTPStatus.OK, "Asante", pages.thanks(order, self.server.live()))

    def _page(self, status: HTTPStatus, title: str, content: str) -> None:
        whole = pages.page(title, content, majuu_url=self.server.majuu_url)
        self._answer(status, "text/html; charset=utf-8", whole.encode())

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and int(length) <= MAX_BODY:
            return self.rfile.read(int(length))
        self.close_connection = True
        self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "text/plain", b"Too long, or of unknown length.\n")
        return None

    def _answer(self, status: HTTPStatus, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Only webhooks are worth a line."""


def _front(shop: Shop) -> tuple[str, bytes]:
    content = pages.front(order_id=f"duka-{secrets.token_hex(5)}", live=shop.live())
    return "text/html; charset=utf-8", pages.page("Karibu", content, majuu_url=shop.majuu_url).encode()


_GETS: dict[str, Callable[[Shop], tuple[str, bytes]]] = {
    "/": _front,
    "/live": lambda shop: ("text/html; charset=utf-8", shop.live().encode()),
    "/orders.json": lambda shop: ("application/json", as_json(shop.orders.list_orders(100))),
    "/events.json": lambda shop: ("application/json", as_json(shop.orders.list_events(200))),
    "/shop.css": lambda shop: ("text/css; charset=utf-8", read_file("shop.css").encode()),
    "/shop.js": lambda shop: ("text/javascript; charset=utf-8", read_file("shop.js").encode()),
    "/icon.svg": lambda shop: ("image/svg+xml", read_file("icon.svg").encode()),
}
