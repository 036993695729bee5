"""Captures over the API: what is shown, what is refused, whose they are, and what a repeated request does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.audit.models import AuditEntry
from majuu_core.common.clock import VirtualClock
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.merchants.models import Store
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.testing.factories import make_api_key, make_provider_account, make_store
from tests.core.api.support import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still(virtual_clock: VirtualClock) -> None:
    """Time stands still."""


def authorize(shop: Shop, amount: str = "10000.00") -> dict[str, Any]:
    body = {"amount": amount, "currency": "KES", "capture_method": "manual"}
    intent = shop.post("/payment-intents", body).data
    held: dict[str, Any] = shop.post(f"/payment-intents/{intent['id']}/confirm", {"payment_method": "mock"}).data
    return held


def capture(shop: Shop, intent: dict[str, Any], body: Any = None, **headers: str) -> Any:
    return shop.post(f"/payment-intents/{intent['id']}/capture", body, **headers)


def rows() -> Any:
    """What a refusal must leave as it was."""
    return (
        list(Charge.objects.values()),
        list(PaymentIntent.objects.values()),
        LedgerTransaction.objects.count(),
        Event.objects.count(),
        AuditEntry.objects.count(),
    )


def test_money_is_authorized_and_then_captured_in_part(shop: Shop) -> None:
    held = authorize(shop)
    assert (held["status"], held["capture_method"], held["amount_capturable"]) == (
        "requires_capture",
        "manual",
        "10000.00",
    )
    charge = held["latest_charge"]
    assert (charge["status"], charge["amount_to_capture"], charge["capture_before"]) == ("authorized", None, None)
    answer = capture(shop, held, {"amount": "2500.50"}, Idempotency_Key="c")
    assert answer.status_code == 200
    taken = answer.data
    assert (taken["status"], taken["amount_received"], taken["amount_capturable"], taken["amount_remaining"]) == (
        "succeeded",
        "2500.50",
        "0.00",
        "0.00",
    )
    assert (taken["latest_charge"]["amount_received"], taken["latest_charge"]["amount_to_capture"]) == (
        "2500.50",
        "2500.50",
    )
    again = capture(shop, held, {"amount": "2500.50"}, Idempotency_Key="c")
    assert (again.content, again["Idempotency-Replayed"]) == (answer.content, "true")
    assert shop.get(f"/payment-intents/{held['id']}").data == taken
    event = Event.objects.get(type="payment_intent.amount_capturable_updated")
    assert event.data["payment_intent"]["amount_capturable"] == "10000.00"


def test_without_a_body_all_of_it_is_captured(shop: Shop) -> None:
    assert capture(shop, authorize(shop)).data["amount_received"] == "10000.00"


def test_a_refused_capture_is_an_answer_and_may_be_tried_again(shop: Shop) -> None:
    held = authorize(shop)
    refused = capture(shop, held, {"amount": "7743"}, Idempotency_Key="a")  # the mock provider refuses this amount
    assert (refused.status_code, refused.data["status"]) == (200, "requires_capture")
    assert refused.data["latest_charge"]["failure"]["provider_code"] == "magic_amount"
    assert refused.data["latest_charge"]["amount_to_capture"] is None
    assert Event.objects.filter(type="payment_intent.capture_failed").count() == 1
    taken = capture(shop, held, {"amount": "7000"}, Idempotency_Key="b").data
    assert (taken["status"], taken["latest_charge"]["failure"]) == ("succeeded", None)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": "10000.01"}, 422, "capture_amount_out_of_range"),
        ({"amount": "0"}, 422, "capture_amount_out_of_range"),
        ({"amount": 1.5}, 422, "parameter_invalid"),
        ({"amount": "1.005"}, 422, "amount_too_precise"),
        ({"sum": "1"}, 422, "parameter_unknown"),
    ],
)
def test_what_cannot_be_captured_is_refused(shop: Shop, body: dict[str, Any], status: int, code: str) -> None:
    held = authorize(shop)
    before = rows()
    answer = capture(shop, held, body, Idempotency_Key="k")
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert rows() == before
    assert capture(shop, held, Idempotency_Key="k").status_code == 200  # nothing had happened under the key


def test_an_intent_without_authorized_money_cannot_be_captured(shop: Shop) -> None:
    intent = shop.post("/payment-intents", {"amount": "10", "currency": "KES"}).data
    before = rows()
    answer = capture(shop, intent)
    assert (answer.status_code, answer.data["code"]) == (409, "nothing_to_capture")
    assert rows() == before


def test_canceling_lets_the_money_go(shop: Shop) -> None:
    held = authorize(shop)
    answer = shop.post(f"/payment-intents/{held['id']}/cancel", {"reason": "duplicate"}, Idempotency_Key="x")
    assert (answer.data["status"], answer.data["cancellation_reason"]) == ("canceled", "duplicate")
    assert (answer.data["latest_charge"]["status"], answer.data["amount_capturable"]) == ("canceled", "0.00")
    late = capture(shop, held)
    assert (late.status_code, late.data["code"]) == (409, "nothing_to_capture")


def test_other_stores_modes_and_scopes_capture_nothing(shop: Shop, store: Store) -> None:
    held = authorize(shop)
    other = make_store()
    make_provider_account(store=other)
    before = rows()
    strangers = (
        (make_api_key(store=other).key, 404),
        (make_api_key(store=store, livemode=True).key, 404),
        (make_api_key(store=store, scopes={"payments:read"}).key, 403),
        ("", 401),
    )
    before = rows()[:4]
    for key, status in strangers:
        assert capture(Shop(key), held).status_code == status
    assert rows()[:4] == before


def test_manual_is_refused_where_nobody_can_hold_money(shop: Shop) -> None:
    body = {"amount": "10", "currency": "KES", "capture_method": "later"}
    assert shop.post("/payment-intents", body).status_code == 422
    held = {"amount": "10", "currency": "KES", "capture_method": "manual", "payment_methods": ["unheard_of"]}
    answer = shop.post("/payment-intents", held)
    assert (answer.status_code, answer.data["code"]) == (422, "payment_method_unknown")
    assert not PaymentIntent.objects.exists()


def test_a_list_costs_the_same_for_one_and_twenty(shop: Shop) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            answer = shop.get("/payment-intents?limit=100")
        assert all(item["amount_capturable"] == "100.00" for item in answer.data["data"])
        return len(asked)

    authorize(shop, "100")
    queries()
    one = queries()
    for _ in range(19):
        authorize(shop, "100")
    assert queries() == one
