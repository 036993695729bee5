"""Messages shape by shape: whose they are, and what they say."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from majuu_core.common.money import Money
from majuu_core.providers import ProviderEvent, ResultStatus, WebhookRejected, WebhookRequest
from tests.paypal.scripted import CHARGE, PAYOUT, REFUND, ScriptedPaypal, answer, money, order
from tests.paypal.test_disputes import DISPUTE, dispute

S = ResultStatus
CAPTURE_LINK = [{"rel": "up", "href": "https://api.sandbox.paypal.com/v2/payments/captures/3C679366HH908993F"}]


def _message(event_type: str, resource: Any) -> WebhookRequest:
    body = {
        "id": "WH-2WR32451HC0233532-67976317FL4543714",
        "event_type": event_type,
        "create_time": "2026-01-05T09:00:00.000Z",
        "resource": resource,
    }
    return WebhookRequest(
        method="POST", headers={}, query={}, body=json.dumps(body).encode(), remote_addr="203.0.113.9"
    )


def _read(event_type: str, resource: Any, *replies: httpx.Response) -> list[ProviderEvent]:
    return list(ScriptedPaypal(*replies).provider().parse_webhook(_message(event_type, resource)))


@pytest.mark.parametrize(
    ("event_type", "resource", "status"),
    [
        ("PAYMENT.CAPTURE.PENDING", {"status": "PENDING"}, S.PENDING),
        ("PAYMENT.CAPTURE.DENIED", {"status": "DECLINED"}, S.FAILED),
        ("PAYMENT.CAPTURE.DECLINED", {"status": "DECLINED"}, S.FAILED),
        ("PAYMENT.AUTHORIZATION.CREATED", {"status": "CREATED"}, S.AUTHORIZED),
        ("PAYMENT.AUTHORIZATION.VOIDED", {"status": "VOIDED"}, S.CANCELED),
    ],
)
def test_payments(event_type: str, resource: dict[str, Any], status: ResultStatus) -> None:
    told = {
        "id": "3C679366HH908993F",
        "amount": money("20.00"),
        "custom_id": CHARGE,
        "supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}},
        **resource,
    }

    [event] = _read(event_type, told)

    assert (event.event_id, event.type) == ("WH-2WR32451HC0233532-67976317FL4543714", "payment.updated")
    assert (event.reference, event.provider_reference) == (CHARGE, "5O190127TN364715T")
    assert (event.result.status, event.result.provider_reference) == (status, "5O190127TN364715T")


def test_an_approval_that_was_never_used() -> None:
    [event] = _read("CHECKOUT.PAYMENT-APPROVAL.REVERSED", {**order("APPROVED"), "order_id": "5O190127TN364715T"})

    assert (event.reference, event.result.status) == (CHARGE, S.CANCELED)


def test_a_refund_that_does_not_say_whose_it_is_is_looked_up() -> None:
    resource = {"id": "1JU08902781691411", "status": "COMPLETED", "amount": money("5.00"), "links": CAPTURE_LINK}

    [event] = _read("PAYMENT.CAPTURE.REFUNDED", resource, answer({"custom_id": CHARGE}))

    assert (event.type, event.reference, event.provider_reference) == ("refund.updated", CHARGE, "1JU08902781691411")
    assert event.result.amount == Money("5.00", "USD")
    assert _read("PAYMENT.CAPTURE.REFUNDED", resource, answer({"custom_id": "basket-9"})) == []
    assert _read("PAYMENT.CAPTURE.REFUNDED", resource, answer({"name": "RESOURCE_NOT_FOUND"}, 404)) == []


@pytest.mark.parametrize(
    ("status", "wanted"), [("PENDING", S.PENDING), ("FAILED", S.FAILED), ("CANCELLED", S.CANCELED)]
)
def test_our_refunds(status: str, wanted: ResultStatus) -> None:
    resource = {"id": "1JU08902781691411", "status": status, "amount": money("5.00"), "custom_id": REFUND}

    [event] = _read(f"PAYMENT.REFUND.{status}", resource)

    assert (event.reference, event.result.status) == (REFUND, wanted)


def test_a_reversal_without_a_dispute_names_no_amount_so_that_a_person_decides() -> None:
    resource = {"id": "1JU08902781691411", "status": "COMPLETED", "amount": money("20.00"), "custom_id": CHARGE}
    none = answer({"items": []})

    [event] = _read("PAYMENT.CAPTURE.REVERSED", resource, none)

    assert (event.type, event.reference) == ("refund.updated", CHARGE)
    assert (event.result.status, event.result.amount) == (S.SUCCEEDED, None)
    with pytest.raises(WebhookRejected, match="could not be asked"):  # PayPal sends it again
        _read("PAYMENT.CAPTURE.REVERSED", resource, answer({}, 500))


def test_the_reversal_of_a_disputed_payment_is_the_disputes_matter() -> None:
    resource = {"id": "1JU08902781691411", "status": "COMPLETED", "custom_id": CHARGE, "links": CAPTURE_LINK}

    assert _read("PAYMENT.CAPTURE.REVERSED", resource, answer({"items": [{"dispute_id": DISPUTE}]})) == []
    assert _read("PAYMENT.CAPTURE.REVERSED", {**resource, "custom_id": "basket-9"}) == []


@pytest.mark.parametrize(
    ("event_type", "status", "wanted"),
    [
        ("SUCCEEDED", "SUCCESS", S.SUCCEEDED),
        ("UNCLAIMED", "UNCLAIMED", S.PENDING),
        ("RETURNED", "RETURNED", S.FAILED),
    ],
)
def test_payouts(event_type: str, status: str, wanted: ResultStatus) -> None:
    resource = {
        "payout_batch_id": "5UXD2E8A7EBQJ",
        "transaction_status": status,
        "payout_item": {"sender_item_id": PAYOUT, "amount": {"currency": "EUR", "value": "15.50"}},
    }

    [event] = _read(f"PAYMENT.PAYOUTS-ITEM.{event_type}", resource)

    assert (event.type, event.reference, event.provider_reference) == ("payout.updated", PAYOUT, "5UXD2E8A7EBQJ")
    assert (event.result.status, event.result.amount) == (wanted, Money("15.50", "EUR"))


def test_a_dispute_told_in_full() -> None:
    [event] = _read("CUSTOMER.DISPUTE.CREATED", dispute())

    assert (event.type, event.reference, event.provider_reference) == ("dispute.updated", CHARGE, DISPUTE)
    assert event.dispute is not None
    assert event.dispute.amount == Money("20.00", "USD")
    assert event.result.status is S.UNKNOWN


def test_a_dispute_told_in_short_is_looked_up() -> None:
    short = {"dispute_id": DISPUTE, "status": "UNDER_REVIEW"}

    [event] = _read("CUSTOMER.DISPUTE.UPDATED", short, answer(dispute("UNDER_REVIEW")))

    assert event.reference == CHARGE
    with pytest.raises(WebhookRejected):
        _read("CUSTOMER.DISPUTE.UPDATED", short, answer({"name": "RESOURCE_NOT_FOUND"}, 404))


@pytest.mark.parametrize(
    ("event_type", "resource"),
    [
        ("CHECKOUT.ORDER.APPROVED", order("APPROVED", reference="basket-9")),
        ("PAYMENT.CAPTURE.COMPLETED", {"id": "X", "status": "COMPLETED", "custom_id": "basket-9"}),
        ("PAYMENT.CAPTURE.COMPLETED", {"id": "X", "status": "COMPLETED"}),
        ("PAYMENT.CAPTURE.COMPLETED", {"id": "X", "status": "COMPLETED", "custom_id": REFUND}),
        ("PAYMENT.CAPTURE.REFUNDED", {"id": "X", "status": "COMPLETED", "custom_id": "basket-9"}),
        ("PAYMENT.CAPTURE.REFUNDED", {"id": "X", "status": "COMPLETED"}),
        ("PAYMENT.PAYOUTS-ITEM.SUCCEEDED", {"payout_item": {"sender_item_id": "salary-1"}}),
        (
            "CUSTOMER.DISPUTE.CREATED",
            dispute(disputed_transactions=[{"seller_transaction_id": "X", "custom": "basket-9"}]),
        ),
        ("BILLING.SUBSCRIPTION.CREATED", {"id": "I-1"}),
        ("PAYMENT.PAYOUTSBATCH.SUCCESS", {"batch_header": {}}),
    ],
)
def test_what_is_not_about_us_holds_no_event(event_type: str, resource: dict[str, Any]) -> None:
    assert _read(event_type, resource) == []


def test_a_time_that_no_calendar_has_is_no_time() -> None:
    resource = {"id": "X", "status": "COMPLETED", "custom_id": CHARGE, "amount": {"currency_code": "USD", "value": "1"}}
    [event] = _read("PAYMENT.CAPTURE.COMPLETED", {**resource, "create_time": "0001-01-01T00:00:00+14:00"})
    assert (event.result.status, event.result.occurred_at) == (S.SUCCEEDED, None)


@pytest.mark.parametrize(
    "body", [b'{"id":"WH-1","event_type":"X"}', b'{"event_type":"X","resource":{}}', b'{"id":1e99999,"resource":{}}']
)
def test_a_message_without_its_parts_is_refused(body: bytes) -> None:
    message = WebhookRequest(method="POST", headers={}, query={}, body=body, remote_addr="203.0.113.9")

    with pytest.raises(WebhookRejected):
        ScriptedPaypal().provider().parse_webhook(message)
