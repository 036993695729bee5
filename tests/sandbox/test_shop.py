"""The demo shop believes what Majuu signed, once, and nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from majuu_core.webhooks.signing import new_secret
from sandbox_project.shop.gateway import Gateway
from sandbox_project.shop.orders import Orders
from sandbox_project.shop.server import Shop

INTENT = "pi_01m7y2gasbe5cabhkbsmyd72ft"


class Api(BaseHTTPRequestHandler):
    """Answers as Majuu's API does, and remembers what it was asked."""

    asked: list[tuple[dict[str, str], dict[str, Any]]] = []
    status = 201

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
        good = {"id": INTENT, "payment_url": "http://127.0.0.1/pay/abc"}
        answer = good if self.status == 201 else {"code": "key_unknown", "detail": "No such API key."}
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[type[Api]]:
    Api.asked, Api.status = [], 201
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    Api.url = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Api
    server.shutdown()
    server.server_close()


@pytest.fixture
def secret() -> str:
    return new_secret()


@pytest.fixture
def shop(api: Any, secret: str, tmp_path: Path) -> Iterator[httpx.Client]:
    kept = tmp_path / "demo.json"
    kept.write_text(json.dumps({"api_key": "sk_test_x", "webhook": {"secret": secret}}))
    gateway = Gateway(url=api.url, secrets=kept)
    server = Shop(port=0, gateway=gateway, orders=Orders(tmp_path / "shop.sqlite3"), majuu_url=api.url)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client
    server.shutdown()
    server.server_close()


def buy(shop: httpx.Client, order: str = "duka-0001") -> httpx.Response:
    return shop.post("/buy", data={"product": "kikoi", "order": order})


def tell(shop: httpx.Client, secret: str, event: dict[str, Any], **changes: Any) -> httpx.Response:
    """Send an event as Majuu would. ``changes``: webhook_id, at, body, signature."""
    body = json.dumps(event)
    at = changes.get("at", datetime.now(UTC))
    webhook_id = changes.get("webhook_id", "evt_1")
    signature = changes.get("signature") or Webhook(secret).sign(webhook_id, at, body)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    return shop.post("/webhooks", content=changes.get("body", body), headers=headers)


def about(event_type: str) -> dict[str, Any]:
    return {"type": event_type, "data": {"payment_intent": {"id": INTENT}}}


def order(shop: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = shop.get("/orders.json").json()[0]
    return found


def test_buying_asks_for_a_payment_and_sends_the_customer_to_its_page(shop: httpx.Client, api: Any) -> None:
    answer = buy(shop)

    assert (answer.status_code, answer.headers["Location"]) == (303, "http://127.0.0.1/pay/abc")
    headers, body = api.asked[0]
    assert headers["authorization"] == "Bearer sk_test_x"
    assert headers["idempotency-key"] == "duka-0001"
    assert (body["amount"], body["currency"], body["reference"]) == ("1500.00", "KES", "duka-0001")
    assert (order(shop)["state"], order(shop)["payment_intent"]) == ("new", INTENT)


def test_pressing_the_button_twice_makes_one_order_with_one_key(shop: httpx.Client, api: Any) -> None:
    buy(shop)
    buy(shop)

    assert [headers["idempotency-key"] for headers, _ in api.asked] == ["duka-0001", "duka-0001"]
    assert len(shop.get("/orders.json").json()) == 1


def test_an_unknown_product_makes_no_order(shop: httpx.Client, api: Any) -> None:
    answer = shop.post("/buy", data={"product": "ferrari", "order": "duka-0001"})

    assert answer.status_code == 400
    assert (api.asked, shop.get("/orders.json").json()) == ([], [])


def test_when_majuu_refuses_the_shop_says_why(shop: httpx.Client, api: Any) -> None:
    api.status = 401

    answer = buy(shop)

    assert answer.status_code == 502
    assert "401 key_unknown: No such API key." in answer.text


def test_a_signed_success_pays_the_order(shop: httpx.Client, secret: str) -> None:
    buy(shop)
    charge = {"payment_intent": INTENT, "receipt": "UKL1", "failure": None}

    assert tell(shop, secret, {"type": "charge.succeeded", "data": {"charge": charge}}).status_code == 204
    assert tell(shop, secret, about("payment_intent.succeeded"), webhook_id="evt_2").status_code == 204

    assert (order(shop)["state"], order(shop)["receipt"]) == ("paid", "UKL1")


def test_the_same_event_counts_once(shop: httpx.Client, secret: str) -> None:
    buy(shop)
    for _ in range(3):
        assert tell(shop, secret, about("payment_intent.succeeded")).status_code == 204

    events = shop.get("/events.json").json()
    assert [(event["id"], event["copies"]) for event in events] == [("evt_1", 3)]


def test_an_older_event_that_comes_late_takes_nothing_back(shop: httpx.Client, secret: str) -> None:
    buy(shop)
    tell(shop, secret, about("payment_intent.succeeded"), webhook_id="evt_2")

    tell(shop, secret, about("payment_intent.requires_action"), webhook_id="evt_1")

    assert order(shop)["state"] == "paid"


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "v1,AAAA"},
        {"signature": "garbage"},
        {"at": datetime.now(UTC) - timedelta(minutes=10)},
        {"body": json.dumps(about("payment_intent.succeeded") | {"livemode": True})},
        {"body": b"\xff\xfe"},
    ],
    ids=["wrong", "unreadable", "old", "changed", "not text"],
)
def test_what_is_not_genuine_changes_nothing(shop: httpx.Client, secret: str, changes: dict[str, Any]) -> None:
    buy(shop)

    answer = tell(shop, secret, about("payment_intent.succeeded"), **changes)

    assert answer.status_code == 401
    assert order(shop)["state"] == "new"
    assert shop.get("/events.json").json() == []


def test_a_message_signed_with_another_secret_is_refused(shop: httpx.Client) -> None:
    buy(shop)

    assert tell(shop, new_secret(), about("payment_intent.succeeded")).status_code == 401
    assert order(shop)["state"] == "new"


def test_a_body_that_is_too_long_is_not_read(shop: httpx.Client) -> None:
    assert shop.post("/webhooks", content=b"x" * 70_000).status_code == 413


def test_pages_escape_what_comes_from_outside(shop: httpx.Client, secret: str) -> None:
    buy(shop)
    failure = {"message": "<script>alert(1)</script>"}
    charge = {"payment_intent": INTENT, "receipt": None, "failure": failure}
    tell(shop, secret, about("payment_intent.payment_failed"), webhook_id="evt_1")
    tell(shop, secret, {"type": "charge.failed", "data": {"charge": charge}}, webhook_id="evt_2")

    page = shop.get("/").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_where_customers_come_back_to(shop: httpx.Client) -> None:
    buy(shop)

    assert "Asante!" in shop.get("/thanks", params={"order": "duka-0001"}).text
    assert shop.get("/thanks", params={"order": "nobody"}).status_code == 404
    assert shop.get("/nothing").status_code == 404
