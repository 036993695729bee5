"""The same request many times at once: one effect, one answer (promise P1)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db import connections

from majuu_core.audit.models import AuditEntry
from majuu_core.events.models import Event
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.payments.models import Charge, PaymentIntent
from tests.core.api.support import Shop
from tests.core.payments.support import Till
from tests.core.races.threads import answers, at_once

pytestmark = pytest.mark.postgresql
DUPLICATES = 64


def post(key: str, path: str, body: Any, name: str) -> Any:
    return Shop(key).post(path, body, Idempotency_Key=name)


def test_64_identical_requests_create_one_intent(key: str) -> None:
    body = {"amount": "1500.00", "currency": "KES", "reference": "ORDER-1"}
    send = partial(post, key, "/payment-intents", body, "the-same-key")
    responses = answers(at_once([send] * DUPLICATES))
    assert Counter(response.status_code for response in responses) == {201: DUPLICATES}
    assert len({response.content for response in responses}) == 1
    assert Counter("Idempotency-Replayed" in response.headers for response in responses) == {
        True: DUPLICATES - 1,
        False: 1,
    }
    assert PaymentIntent.objects.count() == IdempotencyKey.objects.count() == 1
    assert Event.objects.filter(type="payment_intent.created").count() == 1
    assert AuditEntry.objects.filter(action="payment_intent.created").count() == 1


def test_one_key_with_two_bodies_has_one_winner(key: str) -> None:
    sends = [
        partial(post, key, "/payment-intents", {"amount": str(100 + number % 2), "currency": "KES"}, "one-key")
        for number in range(16)
    ]
    responses = answers(at_once(sends))
    assert PaymentIntent.objects.count() == 1
    winner = str(PaymentIntent.objects.get().amount.amount.quantize(1))
    for number, response in enumerate(responses):
        mine = str(100 + number % 2) == winner
        assert response.status_code == (201 if mine else 409)
        assert mine or response.data["code"] == "idempotency_key_reused"


def test_16_identical_confirmations_start_one_charge(till: Till, key: str) -> None:
    intent = till.intent("1500")
    path = f"/payment-intents/{intent.public_id}/confirm"
    send = partial(post, key, path, {"payment_method": "mock"}, "confirm-once")
    responses = answers(at_once([send] * 16))
    assert Charge.objects.count() == 1
    done = [response for response in responses if response.status_code == 200]
    busy = [response for response in responses if response.status_code == 409]
    assert len(done) + len(busy) == 16
    assert len({response.content for response in done}) == 1
    assert sum("Idempotency-Replayed" not in response.headers for response in done) == 1
    assert {response.data["code"] for response in busy} <= {"idempotency_key_in_use"}
    assert all(response.headers["Retry-After"] for response in busy)
    again = post(key, path, {"payment_method": "mock"}, "confirm-once")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")


def test_16_cancellations_with_keys_of_their_own_cancel_once(till: Till, key: str) -> None:
    intent = till.intent("1500")
    path = f"/payment-intents/{intent.public_id}/cancel"
    responses = answers(at_once([partial(post, key, path, {}, f"cancel-{number}") for number in range(16)]))
    assert {response.status_code for response in responses} == {200}
    assert {response.data["status"] for response in responses} == {"canceled"}
    assert Event.objects.filter(type="payment_intent.canceled").count() == 1


def test_no_connection_is_left_in_a_transaction(key: str) -> None:
    at_once([partial(post, key, "/payment-intents", {"amount": "1", "currency": "KES"}, "k")] * 4)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        )
        assert cursor.fetchone() == (0,)
