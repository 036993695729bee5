"""A worker is killed between what a request does and its answer being kept: the repeat does it once, not twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import RequestFactory

from majuu_core.api import idempotency
from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Invalid
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.idempotency.services import LOCK
from majuu_core.merchants.api_keys import authenticate
from majuu_core.merchants.key_addresses import seen_addresses
from majuu_core.merchants.models import Store
from majuu_core.testing.factories import make_api_key
from majuu_core.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.core.api.support import Shop
from tests.core.bad_luck.deaths import Killed

HOOK = {"url": "https://shop.example.com/hooks"}
ORDER = {"amount": "10", "currency": "KES"}


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Send a request whose worker is killed just before its answer is kept: nothing is cleaned up either."""

    def die(*args: object, **kwargs: object) -> None:
        raise Killed("before the answer is kept")

    def sending(send: Callable[[], object]) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(idempotency, "finish_request", die)
            patched.setattr(idempotency, "release_request", lambda begun: None)
            with pytest.raises(Killed):
                send()

    return sending


def test_an_endpoint_is_made_once(
    shop: Shop, kill: Callable[[Callable[[], object]], None], virtual_clock: VirtualClock
) -> None:
    kill(lambda: shop.post("/webhook-endpoints", HOOK, Idempotency_Key="e"))
    assert WebhookEndpoint.objects.count() == 0
    assert shop.post("/webhook-endpoints", HOOK, Idempotency_Key="e").status_code == 409
    virtual_clock.advance(LOCK + timedelta(seconds=1))
    made = shop.post("/webhook-endpoints", HOOK, Idempotency_Key="e")
    assert (made.status_code, WebhookEndpoint.objects.count()) == (201, 1)
    assert shop.post("/webhook-endpoints", HOOK, Idempotency_Key="e").content == made.content


def test_a_secret_changes_once(
    shop: Shop, kill: Callable[[Callable[[], object]], None], virtual_clock: VirtualClock
) -> None:
    path = f"/webhook-endpoints/{shop.post('/webhook-endpoints', HOOK).data['id']}/rotate-secret"
    seen_addresses.write()  # the entry of the key's first use
    before = AuditEntry.objects.count()
    kill(lambda: shop.post(path, Idempotency_Key="r"))
    assert AuditEntry.objects.count() == before
    virtual_clock.advance(LOCK + timedelta(seconds=1))
    assert shop.post(path, Idempotency_Key="r").status_code == 200
    assert AuditEntry.objects.count() == before + 1


def test_test_events_and_replays_are_sent_once(
    shop: Shop, kill: Callable[[Callable[[], object]], None], virtual_clock: VirtualClock
) -> None:
    hook = shop.post("/webhook-endpoints", HOOK).data["id"]
    shop.post("/payment-intents", ORDER)
    event = shop.get("/events").data["data"][0]["id"]
    before = WebhookDelivery.objects.count()
    for path, body in ((f"/webhook-endpoints/{hook}/test", None), (f"/events/{event}/replay", {})):
        kill(lambda path=path, body=body: shop.post(path, body, Idempotency_Key=path))  # type: ignore[misc]
        assert WebhookDelivery.objects.count() == before
    virtual_clock.advance(LOCK + timedelta(seconds=1))
    assert shop.post(f"/webhook-endpoints/{hook}/test", Idempotency_Key=f"/webhook-endpoints/{hook}/test").data == {
        "object": "replay",
        "deliveries": 1,
    }
    assert WebhookDelivery.objects.count() == before + 1


def test_a_killed_cancel_is_done_once(
    shop: Shop, kill: Callable[[Callable[[], object]], None], virtual_clock: VirtualClock
) -> None:
    path = f"/payment-intents/{shop.post('/payment-intents', ORDER).data['id']}"
    kill(lambda: shop.post(f"{path}/cancel", Idempotency_Key="c"))
    assert shop.get(path).data["status"] == "canceled"
    virtual_clock.advance(LOCK + timedelta(seconds=1))
    assert shop.post(f"{path}/cancel", Idempotency_Key="c").data["status"] == "canceled"
    assert AuditEntry.objects.filter(action="payment_intent.canceled").count() == 1


def test_a_refusal_takes_its_writes_back_and_frees_the_key(store: Store) -> None:
    key = make_api_key(store=store).key
    request = RequestFactory().post("/api/v1/anything", headers={"Idempotency-Key": "x"})

    def work() -> tuple[int, object]:
        Store.objects.filter(pk=store.pk).update(name="changed")
        raise Invalid("no", "No.")

    with pytest.raises(Invalid):
        idempotency.run_once_atomically(request, authenticate(key), work)
    store.refresh_from_db()
    assert store.name != "changed"
    assert not IdempotencyKey.objects.exists()
