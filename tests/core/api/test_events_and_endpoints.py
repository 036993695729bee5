"""Events and webhook endpoints over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from majuu_core.testing.factories import make_api_key, make_store
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.core.api.support import Shop

ORDER = {"amount": "10", "currency": "KES"}
HOOK = {"url": "https://shop.example.com/hooks"}


def test_an_endpoint_is_created_and_its_secret_shown_once(shop: Shop) -> None:
    made = shop.post("/webhook-endpoints", {**HOOK, "event_types": ["payment_intent.*"]}, Idempotency_Key="e")
    assert made.status_code == 201
    assert made.data["secret"].startswith("whsec_")
    shown = shop.get(f"/webhook-endpoints/{made.data['id']}").data
    assert "secret" not in shown
    assert (shown["url"], shown["event_types"], shown["status"]) == (HOOK["url"], ["payment_intent.*"], "enabled")
    again = shop.post("/webhook-endpoints", {**HOOK, "event_types": ["payment_intent.*"]}, Idempotency_Key="e")
    assert again.content == made.content
    assert WebhookEndpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"url": "ftp://shop.example.com/"}, "url"),
        ({"url": "https://user:pass@shop.example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "not an address"}, "url"),
        ({"url": "https://shop.example.com/", "event_types": ["no.such"]}, "event_types.0"),
    ],
)
def test_bad_endpoints_are_refused(shop: Shop, body: dict[str, Any], param: str) -> None:
    answer = shop.post("/webhook-endpoints", body)
    assert (answer.status_code, answer.data["param"].split(".")[0]) == (422, param.split(".")[0])
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_changed_switched_off_and_on_and_removed(shop: Shop) -> None:
    path = f"/webhook-endpoints/{shop.post('/webhook-endpoints', HOOK).data['id']}"
    changed = shop.send("PATCH", path, {"description": "orders", "enabled": False}).data
    assert (changed["description"], changed["status"]) == ("orders", "disabled")
    assert shop.send("PATCH", path, {"enabled": True}).data["status"] == "enabled"
    assert shop.send("DELETE", path).status_code == 204
    assert shop.get(path).status_code == 404
    assert shop.get("/webhook-endpoints").data["data"] == []


def test_a_secret_is_rotated(shop: Shop) -> None:
    made = shop.post("/webhook-endpoints", HOOK).data
    rotated = shop.post(f"/webhook-endpoints/{made['id']}/rotate-secret", {"overlap_hours": 1})
    assert rotated.status_code == 200
    assert rotated.data["secret"] != made["secret"]
    refused = shop.post(f"/webhook-endpoints/{made['id']}/rotate-secret", {"overlap_hours": 1000})
    assert (refused.status_code, refused.data["param"]) == (422, "overlap_hours")


def test_a_strangers_endpoint_does_not_exist(shop: Shop) -> None:
    made = shop.post("/webhook-endpoints", HOOK).data
    stranger = Shop(make_api_key(store=make_store()).key)
    path = f"/webhook-endpoints/{made['id']}"
    for method, address, body in (
        ("GET", path, None),
        ("PATCH", path, {"enabled": False}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate-secret", None),
        ("POST", f"{path}/test", None),
    ):
        assert stranger.send(method, address, body).data["code"] == "webhook_endpoint_not_found"
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.status, endpoint.secrets.count()) == ("enabled", 1)


def test_events_are_listed_filtered_and_replayed(shop: Shop) -> None:
    endpoint = shop.post("/webhook-endpoints", HOOK).data
    intent = shop.post("/payment-intents", ORDER).data
    shop.post(f"/payment-intents/{intent['id']}/cancel")
    types = [event["type"] for event in shop.get("/events").data["data"]]
    assert types == ["payment_intent.canceled", "payment_intent.created"]
    created = shop.get("/events?type=payment_intent.created").data["data"][0]
    assert created["data"]["payment_intent"]["id"] == intent["id"]
    assert shop.get(f"/events?object_id={intent['id']}").data["has_more"] is False
    assert shop.get(f"/events/{created['id']}").data == created
    replayed = shop.post(f"/events/{created['id']}/replay", {"webhook_endpoint": endpoint["id"]})
    assert (replayed.status_code, replayed.data["deliveries"]) == (200, 1)
    assert WebhookDelivery.objects.count() == 1


def test_a_strangers_event_does_not_exist(shop: Shop) -> None:
    shop.post("/payment-intents", ORDER)
    event = shop.get("/events").data["data"][0]
    stranger = Shop(make_api_key(store=make_store()).key)
    assert stranger.get(f"/events/{event['id']}").data["code"] == "event_not_found"
    assert stranger.post(f"/events/{event['id']}/replay").data["code"] == "event_not_found"
    assert stranger.get("/events").data["data"] == []


@override_settings(MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES=True)
def test_a_test_event_is_sent(shop: Shop) -> None:
    endpoint = shop.post("/webhook-endpoints", {"url": "http://127.0.0.1:9/hook"}).data
    assert shop.post(f"/webhook-endpoints/{endpoint['id']}/test").status_code == 200
    assert WebhookDelivery.objects.get().event.type == "webhook_endpoint.test"
