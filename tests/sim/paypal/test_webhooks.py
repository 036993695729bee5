from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.paypal import PaypalSimulator
from majuu_sim.paypal.office import SHAPES
from majuu_sim.paypal.webhook_gateway import event_bytes
from majuu_sim.transport import CollectingTransport
from tests.sim.paypal.client import HOOK, Shop

HOOKS = "/v1/notifications/webhooks"


def completed(shop: Shop) -> Any:
    """The event of a captured order."""
    shop.sim.settle()
    (found,) = [one for one in shop.letters() if one.type == "PAYMENT.CAPTURE.COMPLETED"]
    return found


def test_an_event_tells_the_capture_and_carries_a_signature_that_holds(shop: Shop) -> None:
    capture = shop.paid(invoice_id="inv-1")
    letter = completed(shop)
    assert letter.url == HOOK
    assert letter.resource == shop.get(f"/v2/payments/captures/{capture}")
    assert letter.resource["supplementary_data"]["related_ids"] == {"order_id": shop.sim.orders()[0].id}
    assert letter.event["resource_type"] == "capture"
    assert letter.event["create_time"] == "2026-01-15T09:00:00Z"
    assert letter.headers["PAYPAL-TRANSMISSION-TIME"] == "2026-01-15T09:00:01Z"
    assert (letter.headers["PAYPAL-AUTH-ALGO"], letter.headers["PAYPAL-AUTH-VERSION"]) == ("SHA256withRSA", "v2")
    assert shop.verifies(letter) is True
    assert shop.verifies_online(letter) == "SUCCESS"


@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {"stale"}))
def test_a_wrong_event_is_found_out(shop: Shop, shape: str) -> None:
    order = shop.order()
    (attempt,) = shop.sim.forge(order, shape=shape)
    (letter,) = shop.letters()
    assert (attempt.kind, letter.type, letter.resource["status"]) == (
        "forged",
        "PAYMENT.CAPTURE.COMPLETED",
        "COMPLETED",
    )
    assert shop.verifies(letter) is False
    if letter.headers:
        # PayPal's own check knows its certificate by its address; dates and name are the shop's to look at.
        assert shop.verifies_online(letter) == "FAILURE"
    assert shop.sim.payments() == []


def test_a_stale_event_is_signed_well_two_days_ago(shop: Shop) -> None:
    shop.sim.forge(shop.order(), shape="stale")
    (letter,) = shop.letters()
    assert letter.headers["PAYPAL-TRANSMISSION-TIME"] == "2026-01-13T09:00:00Z"
    assert shop.verifies(letter) is True


@pytest.mark.parametrize("change", [b" ", b"\n"])
def test_the_signature_is_of_the_raw_bytes(shop: Shop, change: bytes) -> None:
    shop.paid()
    letter = completed(shop)
    letter.raw += change
    assert shop.verifies(letter) is False
    letter.raw = letter.raw.strip().replace(b"10.00", b"99.00")
    assert shop.verifies(letter) is False
    assert shop.verifies_online(letter) == "FAILURE"


def test_another_webhooks_id_does_not_verify(shop: Shop) -> None:
    shop.paid()
    assert shop.verifies(completed(shop), webhook="8PT597110X687430LKGECATA") is False


def test_webhooks_are_registered_listed_and_deleted_through_the_api(shop: Shop) -> None:
    body = {"url": "https://shop.example/second", "event_types": [{"name": "PAYMENT.CAPTURE.COMPLETED"}]}
    made = shop.call("POST", HOOKS, body)
    assert (made.status_code, made.json()["url"]) == (201, "https://shop.example/second")
    assert [one["id"] for one in shop.get(HOOKS)["webhooks"]] == [shop.hook, made.json()["id"]]
    twice = shop.call("POST", HOOKS, body)
    assert (twice.status_code, twice.json()["name"]) == (400, "WEBHOOK_URL_ALREADY_EXISTS")
    unknown = shop.call("POST", HOOKS, {"url": "https://x.example", "event_types": [{"name": "PAYMENT.NOTHING"}]})
    assert (unknown.status_code, unknown.json()["name"]) == (400, "EVENT_TYPE_NOT_FOUND")
    wrong = shop.call("POST", HOOKS, {"url": "shop", "event_types": [{"name": "*"}]})
    assert (wrong.status_code, wrong.json()["name"]) == (400, "VALIDATION_ERROR")
    shop.paid()
    shop.sim.settle()
    second = [one.type for one in shop.letters() if one.url == "https://shop.example/second"]
    assert second == ["PAYMENT.CAPTURE.COMPLETED"]
    assert shop.call("DELETE", f"{HOOKS}/{made.json()['id']}").status_code == 204
    assert shop.call("GET", f"{HOOKS}/{made.json()['id']}").status_code == 404


def test_accounts_hear_only_of_their_own(shop: Shop) -> None:
    other = Shop(shop.sim, shop.mail, ("other-client", "other-secret"))
    other.paid()
    shop.sim.settle()
    letters = shop.letters()
    assert len(letters) == 3
    assert [other.verifies(one) for one in letters] == [True] * 3
    assert [shop.verifies(one) for one in letters] == [False] * 3


def test_events_can_be_listed_and_sent_again_with_their_id(shop: Shop) -> None:
    capture = shop.paid()
    first = completed(shop)
    listed = shop.get(f"/v1/notifications/webhooks-events?transaction_id={capture}")
    assert [one["id"] for one in listed["events"]] == [first.event["id"]]
    again = shop.call("POST", f"/v1/notifications/webhooks-events/{first.event['id']}/resend", {})
    assert again.status_code == 202
    (second,) = shop.letters()
    assert second.event == first.event
    assert shop.verifies(second) is True


def test_an_event_nobody_took_is_sent_again_with_the_same_ids() -> None:
    seen: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((dict(self.headers.items()), raw))
            self.send_response(500 if len(seen) < 3 else 200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with PaypalSimulator(seed=1, clock=VirtualClock()).serve() as sim:
        shop = Shop(sim, CollectingTransport())  # which stays empty: its letters go by HTTP
        types = ["PAYMENT.CAPTURE.COMPLETED"]
        sim.register_webhook(f"http://127.0.0.1:{server.server_port}/hook", event_types=types)
        sim.office.webhooks.remove(sim.office.webhooks.get(shop.hook))
        shop.paid()
        sim.advance(86_400)
        states = [one.state for one in sim.callbacks()]
    server.shutdown()
    server.server_close()
    assert states == ["refused", "refused", "delivered"]
    assert len({raw for _, raw in seen}) == 1
    assert len({headers["PAYPAL-TRANSMISSION-ID"] for headers, _ in seen}) == 1
    times = [headers["PAYPAL-TRANSMISSION-TIME"] for headers, _ in seen]
    assert times == ["2026-01-15T09:00:01Z", "2026-01-15T11:52:49Z", "2026-01-15T14:45:37Z"]


def test_a_new_certificate_comes_from_the_same_root(shop: Shop) -> None:
    shop.paid()
    before = completed(shop)
    shop.sim.renew_certificate()
    shop.paid()
    after = completed(shop)
    assert before.headers["PAYPAL-CERT-URL"] != after.headers["PAYPAL-CERT-URL"]
    assert [shop.verifies(one) for one in (before, after)] == [True, True]
    assert [shop.verifies_online(one) for one in (before, after)] == ["SUCCESS", "SUCCESS"]
    after.headers["PAYPAL-CERT-URL"] = before.headers["PAYPAL-CERT-URL"]
    assert shop.verifies(after) is False
    assert shop.verifies_online(after) == "FAILURE"


def test_the_root_and_the_chain_can_be_had_without_a_token(shop: Shop) -> None:
    root = shop.http.get("/control/certificate")
    assert root.text == shop.sim.root_pem
    chain = shop.http.get("/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77")
    assert chain.text.count("BEGIN CERTIFICATE") == 2
    assert shop.http.get("/v1/notifications/certs/CERT-0").status_code == 404


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b'{"webhook_event": {"a": 1.10, "b":"\xc3\xa9"}}', b'{"a": 1.10, "b":"\xc3\xa9"}'),
        (b'{ "x" : "webhook_event" , "webhook_event":{"a":{"b":[1, 2]}} ,"y":2}', b'{"a":{"b":[1, 2]}}'),
        (b'{"x": {"webhook_event": {}}}', b""),
    ],
)
def test_the_online_check_takes_the_events_own_bytes(raw: bytes, wanted: bytes) -> None:
    assert json.loads(raw)
    assert event_bytes(raw) == wanted
