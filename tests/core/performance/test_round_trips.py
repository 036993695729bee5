"""How often the hot jobs go to the database. These numbers do not depend on the machine; reference targets: accept at
most 4 and if possible 2, complete at most 6 and if possible 4, no new connection for any request."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.db.backends.signals import connection_created

from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.testing.factories import make_api_key
from majuu_core.webhooks.models import InboundWebhook
from tests.core.api.support import Shop
from tests.core.payments.support import Till
from tests.core.performance.conftest import Callback
from tests.core.performance.wire import watch_wire

pytestmark = pytest.mark.postgresql

ORDER = {"amount": "1500.00", "currency": "KES", "reference": "order-42", "metadata": {"channel": "web"}}


def test_accepting_a_payment_is_two_round_trips(shop: Shop) -> None:
    """given a key that was used a moment ago / when an intent is created / then the key is read and all rows go in."""
    shop.post("/payment-intents", ORDER, Idempotency_Key="first")

    with watch_wire() as wire:
        answer = shop.post("/payment-intents", ORDER, Idempotency_Key="second")

    assert answer.status_code == 201
    assert wire.round_trips == 2


def test_accepting_with_a_key_that_is_remembered_is_one_round_trip(shop: Shop, settings: Any) -> None:
    """given a site that trades immediate revocation for it / when an intent is created / then in one statement."""
    settings.MAJUU_KEY_CACHE_SECONDS = 5
    shop.post("/payment-intents", ORDER, Idempotency_Key="first")

    with watch_wire() as wire:
        shop.post("/payment-intents", ORDER, Idempotency_Key="second")

    assert wire.round_trips == 1


def test_accepting_with_a_key_this_process_does_not_know_is_four_round_trips(shop: Shop) -> None:
    """given a fresh process / when its first intent is created / then the key is read, and its use written twice."""
    with watch_wire() as wire:
        answer = shop.post("/payment-intents", ORDER, Idempotency_Key="first")

    assert answer.status_code == 201
    assert wire.round_trips == 4


def test_a_quota_costs_no_round_trip_of_its_own_for_most_requests(till: Till) -> None:
    """given a key with a quota / when requests follow one another / then every twentieth asks for twenty more."""
    shop = Shop(make_api_key(store=till.store, monthly_quota=100_000).key)
    shop.post("/payment-intents", ORDER, Idempotency_Key="first")

    with watch_wire() as wire:
        answers = [shop.post("/payment-intents", ORDER, Idempotency_Key=f"then-{number}") for number in range(19)]

    assert [answer.status_code for answer in answers] == [201] * 19
    assert wire.round_trips == 2 * 19


def test_a_repeated_request_is_three_round_trips(shop: Shop) -> None:
    """given an intent / when the same request comes again / then the database refuses it, and it is looked up."""
    first = shop.post("/payment-intents", ORDER, Idempotency_Key="same")

    with watch_wire() as wire:
        again = shop.post("/payment-intents", ORDER, Idempotency_Key="same")

    assert again.data == first.data
    assert again["Idempotency-Replayed"] == "true"
    assert PaymentIntent.objects.count() == 1
    assert wire.round_trips == 3


def test_completing_a_payment_is_two_round_trips(
    waiting: Callable[[], Charge], paid: Callable[[Charge], Callback]
) -> None:
    """given books that know the accounts / when a signed callback comes / then one read and one write complete it."""
    paid(waiting()).post()
    callback = paid(charge := waiting())

    with watch_wire() as wire:
        answer = callback.post()

    assert answer.status_code == 200
    charge.refresh_from_db()
    assert (charge.status, charge.payment_intent.status) == ("succeeded", "succeeded")
    assert wire.round_trips == 2


def test_a_repeated_callback_changes_nothing_within_the_limit(
    waiting: Callable[[], Charge], paid: Callable[[Charge], Callback]
) -> None:
    """given a completed payment / when its callback comes again / then it is kept as a duplicate."""
    callback = paid(waiting())
    callback.post()

    answer = callback.post()

    assert answer.status_code == 200
    assert sorted(InboundWebhook.objects.values_list("state", flat=True)) == ["applied", "duplicate"]
    assert Charge.objects.get().amount_received.amount == 7724


def test_requests_open_no_connections(shop: Shop, settings: Any) -> None:
    """given connections that are kept / when a server handles requests / then all of them use the one there is."""
    settings.ALLOWED_HOSTS = ["testserver"]
    before = connection.settings_dict["CONN_MAX_AGE"]
    connection.settings_dict["CONN_MAX_AGE"] = None
    opened: list[object] = []

    def note(**named: object) -> None:
        opened.append(named["connection"])

    connection_created.connect(note)
    try:
        connection.close()
        statuses = [_serve(shop.key, str(number)) for number in range(3)]
        process = connection.connection.info.backend_pid
        statuses += [_serve(shop.key, str(number)) for number in range(3, 6)]
        assert connection.connection.info.backend_pid == process
    finally:
        connection_created.disconnect(note)
        connection.settings_dict["CONN_MAX_AGE"] = before
    assert statuses == ["201 Created"] * 6
    assert len(opened) == 1


def _serve(key: str, idempotency_key: str) -> str:
    """One request as a WSGI server handles it: with the end of the request, where Django closes old connections."""
    body = json.dumps(ORDER).encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/payment-intents",
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "HTTP_IDEMPOTENCY_KEY": idempotency_key,
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
    }
    statuses: list[str] = []
    response = WSGIHandler()(environ, lambda status, headers: statuses.append(status))  # type: ignore[arg-type]
    response.close()
    return statuses[0]
