"""Sending money out: once, to one of three kinds of receivers, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from majuu_core.common.money import Money
from majuu_core.providers import FailureCode, InvalidPaymentData, PayoutRequest, RequestRejected, ResultStatus
from tests.paypal.scripted import PAYOUT, ScriptedPaypal, answer, fetch

S = ResultStatus
BATCH = "5UXD2E8A7EBQJ"
REQUEST = PayoutRequest(
    idempotency_key="key-po",
    reference=PAYOUT,
    amount=Money("15.50", "EUR"),
    destination={"email": "jane@example.com"},
    reason="Refund of\nyour deposit",
)
MADE = {"batch_header": {"payout_batch_id": BATCH, "batch_status": "PENDING"}}


def _item(status: str, **more: Any) -> dict[str, Any]:
    return {
        "payout_item_id": "8AELMXH8UB2P8",
        "payout_batch_id": BATCH,
        "transaction_id": "0C413693MN970190K",
        "transaction_status": status,
        "payout_item_fee": {"currency": "EUR", "value": "0.25"},
        "payout_item": {"amount": {"currency": "EUR", "value": "15.50"}, "sender_item_id": PAYOUT},
        "time_processed": "2026-01-05T09:00:07Z",
        **more,
    }


def _batch(*items: dict[str, Any], status: str = "SUCCESS") -> dict[str, Any]:
    return {"batch_header": {"payout_batch_id": BATCH, "batch_status": status}, "items": list(items)}


def test_the_batch_that_is_sent() -> None:
    paypal = ScriptedPaypal(answer(MADE, 201))

    result = paypal.provider().payout(REQUEST)

    assert (result.status, result.provider_reference) == (S.PENDING, BATCH)
    assert paypal.sent() == {
        "sender_batch_header": {"sender_batch_id": PAYOUT},
        "items": [
            {
                "recipient_type": "EMAIL",
                "amount": {"currency": "EUR", "value": "15.50"},
                "receiver": "jane@example.com",
                "sender_item_id": PAYOUT,
                "note": "Refund of your deposit",
            }
        ],
    }
    assert paypal.requests[0].headers["paypal-request-id"] == "key-po-payout"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("SUCCESS", S.SUCCEEDED),
        ("PENDING", S.PENDING),
        ("UNCLAIMED", S.PENDING),
        ("ONHOLD", S.PENDING),
        ("RETURNED", S.FAILED),
        ("REFUNDED", S.FAILED),
        ("REVERSED", S.FAILED),
        ("BLOCKED", S.FAILED),
        ("FAILED", S.FAILED),
        ("NEW_WORD", S.UNKNOWN),
    ],
)
def test_what_an_item_says(told: str, status: ResultStatus) -> None:
    paypal = ScriptedPaypal(answer(_batch(_item(told))))

    result = paypal.provider().fetch_payout(fetch(PAYOUT, BATCH))

    assert (result.status, result.provider_reference, result.amount) == (status, BATCH, REQUEST.amount)
    assert result.fee == (Money("0.25", "EUR") if status is S.SUCCEEDED else None)
    assert result.receipt == "0C413693MN970190K"


def test_the_reason_of_a_failed_item_is_named() -> None:
    errors = {"name": "RECEIVER_UNREGISTERED", "message": "Receiver is unregistered"}
    paypal = ScriptedPaypal(answer(_batch(_item("RETURNED", errors=errors))))

    result = paypal.provider().fetch_payout(fetch(PAYOUT, BATCH))

    assert result.failure is not None
    assert (result.failure.code, result.failure.provider_code, result.failure.message) == (
        FailureCode.INVALID_PAYMENT_METHOD,
        "RECEIVER_UNREGISTERED",
        "Receiver is unregistered",
    )


@pytest.mark.parametrize(
    ("told", "status"),
    [("PENDING", S.PENDING), ("PROCESSING", S.PENDING), ("DENIED", S.FAILED), ("CANCELED", S.CANCELED)],
)
def test_a_batch_speaks_for_itself_until_it_has_items(told: str, status: ResultStatus) -> None:
    paypal = ScriptedPaypal(answer(_batch(status=told)))

    assert paypal.provider().fetch_payout(fetch(PAYOUT, BATCH)).status is status


def _taken_before(**more: Any) -> Any:
    details = [{"field": "SENDER_BATCH_ID", "issue": "Batch with given sender_batch_id already exists"}]
    return answer({"name": "USER_BUSINESS_ERROR", "details": details, **more}, 400)


LINK = {"rel": "self", "href": f"https://api-m.sandbox.paypal.com/v1/payments/payouts/{BATCH}"}


@pytest.mark.parametrize(
    "more", [{"links": [LINK]}, {"details": [{"field": "SENDER_BATCH_ID", "issue": "exists", "link": [LINK]}]}]
)
def test_the_same_payout_again_finds_the_first_one(more: dict[str, Any]) -> None:
    paypal = ScriptedPaypal(_taken_before(**more), answer(_batch(_item("SUCCESS"))))

    result = paypal.provider().payout(REQUEST)

    assert (result.status, result.provider_reference) == (S.SUCCEEDED, BATCH)
    assert paypal.paths == ["POST /v1/payments/payouts", f"GET /v1/payments/payouts/{BATCH}"]


def test_a_repetition_without_a_link_is_left_to_a_person() -> None:
    paypal = ScriptedPaypal(_taken_before())

    result = paypal.provider().payout(REQUEST)

    assert result.status is S.UNKNOWN
    assert result.doubt.startswith("PayPal has a payout with this id")


def test_a_balance_that_is_too_low_fails_the_payout() -> None:
    paypal = ScriptedPaypal(answer({"name": "INSUFFICIENT_FUNDS", "message": "Too little."}, 422))

    result = paypal.provider().payout(REQUEST)

    assert result.failure is not None
    assert (result.status, result.failure.code, result.failure.message) == (
        S.FAILED,
        FailureCode.INSUFFICIENT_FUNDS,
        "Too little.",
    )


def test_another_refusal_is_no_payout() -> None:
    paypal = ScriptedPaypal(answer({"name": "AUTHORIZATION_ERROR", "message": "Not allowed."}, 403))

    with pytest.raises(RequestRejected) as problem:
        paypal.provider().payout(REQUEST)

    assert problem.value.code == "AUTHORIZATION_ERROR"


@pytest.mark.parametrize(
    ("destination", "prepared"),
    [
        ({"email": " jane@example.com "}, {"email": "jane@example.com"}),
        ({"phone": "+254 712-345 678"}, {"phone": "+254712345678"}),
        ({"paypal_id": "majuusm234567", "email": ""}, {"paypal_id": "MAJUUSM234567"}),
    ],
)
def test_a_receiver_is_put_in_order(destination: dict[str, str], prepared: dict[str, str]) -> None:
    provider = ScriptedPaypal().provider()

    once = provider.prepare_payout(replace(REQUEST, destination=destination))

    assert once.destination == prepared
    assert provider.prepare_payout(once) == once


@pytest.mark.parametrize(
    ("destination", "field"),
    [
        ({}, "destination"),
        ({"email": "a@b.example", "phone": "+254712345678"}, "destination"),
        ({"email": "jane"}, "destination.email"),
        ({"phone": "call me"}, "destination.phone"),
        ({"paypal_id": "short"}, "destination.paypal_id"),
    ],
)
def test_a_receiver_that_cannot_be_is_refused(destination: dict[str, str], field: str) -> None:
    paypal = ScriptedPaypal()

    with pytest.raises(InvalidPaymentData) as problem:
        paypal.provider().payout(replace(REQUEST, destination=destination, amount=Money(10, "KES")))

    assert [violation.field for violation in problem.value.violations] == ["amount", field]
    assert paypal.requests == []
