"""From the outbox to the shop over real HTTP: what arrives, signed how, and what is written about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook

from majuu_core.common.clock import VirtualClock
from majuu_core.events.models import Event
from majuu_core.merchants.models import Store
from majuu_core.webhooks import outbound_http
from majuu_core.webhooks.deliverer import Options, deliver_due
from majuu_core.webhooks.dispatch import dispatch_due
from majuu_core.webhooks.endpoints import (
    Created,
    create_webhook_endpoint,
    disable_webhook_endpoint,
    rotate_secret,
    send_test_event,
)
from majuu_core.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret
from tests.core.webhooks.outbound.conftest import DATA, MakeEvent
from tests.core.webhooks.outbound.receiver import Received, Receiver, Reply

pytestmark = pytest.mark.django_db


def deliver_all(**options: Any) -> int:
    dispatch_due()
    return deliver_due(options=Options(**options))


def the_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def the_endpoint() -> WebhookEndpoint:
    return WebhookEndpoint.objects.get()


def verify(secret: str, received: Any) -> Any:
    return Webhook(secret).verify(received.body, dict(received.headers))


def test_the_public_library_accepts_what_arrives(receiver: Receiver, created: Created, make_event: MakeEvent) -> None:
    """given an endpoint / when an event is delivered / then the shop can verify it with the public library."""
    event = make_event()

    assert deliver_all() == 1

    (got,) = receiver.received
    assert verify(created.secret, got) == {
        "id": event.public_id,
        "type": "payment_intent.succeeded",
        "timestamp": event.created_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{event.created_at.microsecond // 1000:03d}Z",
        "livemode": False,
        "data": DATA,
    }
    assert got.path == "/hook"
    assert got.headers["webhook-id"] == event.public_id
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("Majuu-Webhooks/")
    assert "cookie" not in got.headers


def test_success_is_written_with_its_attempt(receiver: Receiver, created: Created, make_event: MakeEvent) -> None:
    """given a receiver that answers 201 / when delivered / then delivery and attempt say so."""
    receiver.default = Reply(status=201, body=b"thanks")
    make_event()

    deliver_all()

    delivery, attempt = the_delivery(), WebhookAttempt.objects.get()
    assert (delivery.state, delivery.attempts, delivery.response_status) == ("succeeded", 1, 201)
    assert (delivery.next_attempt_at, delivery.leased_until, delivery.last_error) == (None, None, "")
    assert delivery.finished_at is not None
    assert (attempt.delivery_id, attempt.number, attempt.response_status) == (delivery.pk, 1, 201)
    assert (attempt.response_body, attempt.error) == ("thanks", "")
    assert attempt.duration_ms is not None


def test_the_whole_schedule_lasts_75_hours_and_sends_the_same_message_ten_times(
    virtual_clock: VirtualClock, receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given a receiver that always fails / when time passes / then ten attempts over 75 hours, one id, one body."""
    receiver.default = Reply(status=500)
    make_event()
    dispatch_due()
    begun, stamps = virtual_clock.now(), []

    while the_delivery().state != "failed":
        assert deliver_due() == 1
        stamps.append(int(virtual_clock.now().timestamp()))
        assert deliver_due() == 0  # nothing before its time
        due = the_delivery().next_attempt_at
        if due is not None:
            virtual_clock.advance(due - virtual_clock.now())

    assert len(receiver.received) == 10
    assert virtual_clock.now() - begun >= timedelta(hours=75)
    assert virtual_clock.now() - begun < timedelta(hours=85)
    assert len({got.body for got in receiver.received}) == 1
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert [int(got.headers["webhook-timestamp"]) for got in receiver.received] == stamps
    assert len(set(stamps)) == 10
    delivery = the_delivery()
    assert (delivery.attempts, delivery.response_status, delivery.finished_at) == (10, 500, virtual_clock.now())
    numbers = WebhookAttempt.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 11))


def test_a_delivery_that_succeeds_later_clears_the_endpoints_record(
    virtual_clock: VirtualClock, receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given one failure / when the second attempt succeeds / then the endpoint is not failing any more."""
    receiver.replies.extend([Reply(status=503), Reply(status=200)])
    make_event()

    deliver_all()
    assert the_endpoint().failing_since == the_endpoint().last_failure_at == virtual_clock.now()
    virtual_clock.advance(6)
    deliver_all()

    assert (the_delivery().state, the_delivery().attempts) == ("succeeded", 2)
    assert (the_endpoint().failing_since, the_endpoint().last_failure_at) == (None, None)


def test_410_disables_the_endpoint(receiver: Receiver, created: Created, make_event: MakeEvent) -> None:
    """given 410 Gone and another event waiting / when delivered / then the endpoint is disabled, the other canceled."""
    receiver.default = Reply(status=410)
    make_event()
    deliver_all()

    assert the_delivery().state == "failed"
    assert (the_endpoint().status, the_endpoint().disabled_reason) == ("disabled", "It answered 410 Gone.")
    assert Event.objects.filter(type="webhook_endpoint.disabled").exists()
    make_event()
    assert deliver_all() == 0
    assert len(receiver.received) == 1


def test_retry_after_pauses_the_whole_endpoint(
    virtual_clock: VirtualClock, receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given 429 with Retry-After 120 / when another event comes / then neither is sent before the two minutes."""
    receiver.replies.append(Reply(status=429, headers={"Retry-After": "120"}))
    make_event()
    deliver_all()
    make_event()
    virtual_clock.advance(119)

    assert deliver_all() == 0
    virtual_clock.advance(1)
    assert deliver_all() == 2

    assert len(receiver.received) == 3
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"succeeded"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_never_followed(
    receiver: Receiver, created: Created, make_event: MakeEvent, status: int
) -> None:
    """given a redirect to another path of the same receiver / when delivered / then that path is never asked."""
    receiver.default = Reply(status=status, headers={"Location": receiver.url("/elsewhere")})
    make_event()

    deliver_all()

    assert [got.path for got in receiver.received] == ["/hook"]
    assert (the_delivery().state, the_delivery().response_status) == ("pending", status)


def test_no_answer_in_time_is_a_failure(receiver: Receiver, created: Created, make_event: MakeEvent) -> None:
    """given a receiver that hangs / when the time-out passes / then the attempt failed and says so."""
    receiver.default = Reply(delay=30)
    make_event()

    assert deliver_all(timeout=0.3) == 1

    assert (the_delivery().state, the_delivery().response_status) == ("pending", None)
    assert the_delivery().last_error == "no answer within 0.3 seconds"


def test_the_time_out_is_15_seconds() -> None:
    """given the defaults / when they are read / then an attempt takes at most 15 seconds."""
    assert Options().timeout == outbound_http.TIMEOUT_SECONDS == 15


def test_a_closed_connection_is_a_failure(receiver: Receiver, created: Created, make_event: MakeEvent) -> None:
    """given a receiver that hangs up / when delivered / then the attempt failed and says so."""
    receiver.default = Reply(drop=True)
    make_event()

    deliver_all()

    assert the_delivery().last_error == "the connection was closed before an answer came"


def test_a_refused_connection_is_a_failure(store: Store, receiver: Receiver, make_event: MakeEvent) -> None:
    """given nobody listens / when delivered / then the attempt failed and says so."""
    create_webhook_endpoint(store=store, livemode=False, url="http://127.0.0.1:1/hook")
    make_event()

    deliver_all()

    assert the_delivery().last_error.startswith("could not connect: ")


def test_only_the_start_of_a_large_answer_is_kept(receiver: Receiver, created: Created, make_event: MakeEvent) -> None:
    """given an answer of two megabytes / when delivered / then it counts, and a thousand characters are kept."""
    receiver.default = Reply(body=b"x" * 2_000_000)
    make_event()

    deliver_all()

    assert the_delivery().state == "succeeded"
    assert WebhookAttempt.objects.get().response_body == "x" * 1000


def test_a_body_that_trickles_does_not_undo_the_status(
    receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given 200 at once and a body that takes minutes / when delivered / then it counts as delivered."""
    receiver.default = Reply(body=b"slow" * 100, trickle=True)
    make_event()

    deliver_all(timeout=5)

    assert the_delivery().state == "succeeded"
    assert WebhookAttempt.objects.get().response_body.startswith("s")


def test_odd_bytes_and_secrets_in_an_answer_are_kept_harmless(
    receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given an answer with NUL, bad UTF-8 and a card number / when stored / then it is text without the number."""
    receiver.default = Reply(status=500, body=b"a\x00b\xff 4242424242424242 " + created.secret.encode())
    make_event()

    deliver_all()

    strange = "\N{REPLACEMENT CHARACTER}"
    assert WebhookAttempt.objects.get().response_body == f"a{strange}b{strange} [redacted] [redacted]"


def test_while_a_secret_rotates_both_verify_and_afterwards_the_new_one_only(
    virtual_clock: VirtualClock, receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given a rotation / when events go out before, during and after the overlap / then the right secrets verify."""
    make_event()
    deliver_all()
    fresh = rotate_secret(endpoint=created.endpoint)
    make_event()
    deliver_all()
    virtual_clock.advance(timedelta(hours=24))
    make_event()
    deliver_all()

    before, during, after = (got.headers["webhook-signature"].split(" ") for got in receiver.received)
    assert [len(before), len(during), len(after)] == [1, 2, 1]
    for secret, expected in ((created.secret, [True, True, False]), (fresh.secret, [False, True, True])):
        assert [is_signed_with(secret, got) for got in receiver.received] == expected


def is_signed_with(secret: str, got: Received) -> bool:
    """Whether the public library's signature is among those sent; the time is not looked at, it is a virtual one."""
    sent_at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    signature = Webhook(secret).sign(got.headers["webhook-id"], sent_at, got.body.decode())
    return signature in got.headers["webhook-signature"].split(" ")


def test_a_secret_that_cannot_be_opened_fails_its_own_endpoint_only(
    store: Store, receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given one endpoint whose secret was damaged / when an event goes to two / then the other one gets it."""
    other = create_webhook_endpoint(store=store, livemode=False, url=receiver.url("/other")).endpoint
    WebhookSecret.objects.filter(endpoint=created.endpoint).update(sealed="m1.00000000.AAAA")
    make_event()

    deliver_all()

    assert [got.path for got in receiver.received] == ["/other"]
    assert WebhookDelivery.objects.get(endpoint=other).state == "succeeded"
    broken = WebhookDelivery.objects.get(endpoint=created.endpoint)
    assert (broken.state, broken.last_error) == ("pending", "no signing secret of this endpoint can be opened")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"])  # noqa: S104 - not bound to
def test_private_addresses_are_refused_at_the_connection_itself(
    store: Store, receiver: Receiver, make_event: MakeEvent, settings: Settings, host: str
) -> None:
    """given an endpoint stored while private addresses were allowed / when they no longer are / then no connection."""
    url = f"http://{host}:{receiver.port}/hook"
    create_webhook_endpoint(store=store, livemode=False, url=url)
    make_event()
    settings.MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = False

    deliver_all()

    assert receiver.received == []
    assert (the_delivery().state, the_delivery().response_status) == ("pending", None)
    assert the_delivery().last_error == "refused: the address is not on the public internet"


@pytest.mark.parametrize("answers", [["10.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["fe80::1%3"]])
def test_a_name_with_any_private_address_is_refused(
    store: Store,
    receiver: Receiver,
    make_event: MakeEvent,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str],
) -> None:
    """given a public-looking name that resolves to a private address too / when delivered / then nothing is sent."""
    settings.MAJUU_ALLOW_PRIVATE_WEBHOOK_ADDRESSES = False
    create_webhook_endpoint(store=store, livemode=False, url="https://rebind.example/hook")
    make_event()
    monkeypatch.setattr(outbound_http, "look_up", lambda host, port, family: [_answer(host, ip) for ip in answers])

    deliver_all()

    assert the_delivery().last_error == "refused: the address is not on the public internet"


def _answer(host: str, ip: str) -> dict[str, Any]:
    return {"hostname": host, "host": ip, "port": 443, "family": 2, "proto": 6, "flags": 0}


def test_a_name_that_does_not_exist_is_a_failure(
    store: Store, receiver: Receiver, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """given a name without an address / when delivered / then the attempt failed and says so."""
    create_webhook_endpoint(store=store, livemode=False, url="https://nowhere.example/hook")
    make_event()

    def fail(*arguments: Any) -> list[Any]:
        raise OSError("no such name")

    monkeypatch.setattr(outbound_http, "look_up", fail)

    deliver_all()

    assert the_delivery().last_error == "the name could not be resolved"


def test_an_event_too_large_to_send_arrives_as_a_pointer(
    receiver: Receiver, created: Created, make_event: MakeEvent
) -> None:
    """given an event of 30 kB / when delivered / then the shop gets the id of what it is about, below 20 kB."""
    make_event(data={"payment_intent": {"metadata": {"note": "x" * 30_000}}})

    deliver_all()

    (got,) = receiver.received
    assert len(got.body) < 20_000
    assert json.loads(got.body)["data"] == {"id": "pi_1", "truncated": True}


def test_a_disabled_endpoint_gets_nothing(receiver: Receiver, created: Created, make_event: MakeEvent) -> None:
    """given an event dispatched before the endpoint was disabled / when the deliverer runs / then nothing is sent."""
    make_event()
    dispatch_due()
    disable_webhook_endpoint(endpoint=created.endpoint, reason="test")

    assert deliver_due() == 0
    assert receiver.received == []


def test_a_test_event_arrives(receiver: Receiver, created: Created) -> None:
    """given an endpoint / when it asks for a test event / then the message arrives with that type."""
    send_test_event(endpoint=created.endpoint)

    assert deliver_due() == 1
    assert verify(created.secret, receiver.received[0])["type"] == "webhook_endpoint.test"


def test_two_hundred_events_to_five_endpoints_each_arrive_once(
    store: Store, receiver: Receiver, make_event: MakeEvent
) -> None:
    """given much work / when delivered / then every message arrives at every endpoint exactly once."""
    for number in range(5):
        create_webhook_endpoint(store=store, livemode=False, url=receiver.url(f"/{number}"))
    expected = {(f"/{number}", make_event().public_id) for number in range(5) for _ in range(8)}
    dispatch_due()

    assert deliver_due() == 200

    arrived = [(got.path, got.headers["webhook-id"]) for got in receiver.received]
    assert len(arrived) == len(set(arrived)) == 200
    assert expected <= set(arrived)
    assert WebhookDelivery.objects.filter(state="succeeded", attempts=1).count() == 200
    assert WebhookAttempt.objects.filter(number=1, response_status=200).count() == 200
