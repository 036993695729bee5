"""The same fault scripts as every simulator's, at PayPal's places."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from majuu_sim.faults import PRESETS, FaultScript, Reply
from tests.sim.paypal.client import Shop, issue, order_body, payments_of
from tests.sim.paypal.test_payouts import payout

CAPTURED = "PAYMENT.CAPTURE.COMPLETED"


def captures_heard(shop: Shop) -> list[tuple[str, str, bool]]:
    """Type, amount and genuineness of the events about captures."""
    shop.sim.settle()
    found = [one for one in shop.letters() if one.event["resource_type"] == "capture"]
    return [(one.type, one.resource["amount"]["value"], shop.verifies(one)) for one in found]


# How requests are answered.


@pytest.mark.parametrize(
    ("preset", "status", "name"),
    [
        ("server_error", 500, "INTERNAL_SERVER_ERROR"),
        ("spike_arrest", 429, "RATE_LIMIT_REACHED"),
        ("locked", 409, "RESOURCE_CONFLICT"),
    ],
)
def test_a_capture_that_was_not_made(shop: Shop, preset: str, status: int, name: str) -> None:
    order = shop.approved()
    shop.sim.script(preset, operation="order_capture")
    assert issue(shop.capture_order(order))[:2] == (status, name)
    assert shop.sim.payments() == []
    assert shop.capture_order(order).status_code == 201  # under the same PayPal-Request-Id
    assert len(shop.sim.payments()) == 1


@pytest.mark.parametrize("preset", ["accepted_5xx", "empty_body", "html_after_commit"])
def test_a_capture_that_was_made_though_the_answer_does_not_say_so(shop: Shop, preset: str) -> None:
    order = shop.approved()
    shop.sim.script(preset, operation="order_capture")
    lost = shop.capture_order(order)
    assert lost.status_code == (500 if preset == "accepted_5xx" else 200)
    assert len(shop.sim.payments()) == 1
    again = shop.capture_order(order)
    assert (again.status_code, len(shop.sim.payments())) == (200, 1)
    assert payments_of(again)["captures"][0]["id"] == shop.sim.payments()[0].id


@pytest.mark.parametrize(("preset", "made"), [("timeout_after_commit", 1), ("refuse_before_commit", 0)])
def test_connections_that_end_without_a_word(shop: Shop, preset: str, made: int) -> None:
    order = shop.approved()
    shop.sim.script(preset, operation="order_capture")
    with pytest.raises(httpx.RemoteProtocolError):
        shop.capture_order(order)
    assert len(shop.sim.payments()) == made
    assert shop.capture_order(order).status_code == (200 if made else 201)
    assert len(shop.sim.payments()) == 1


def test_a_firewall_answers_with_a_page(shop: Shop) -> None:
    shop.sim.script("html_body")
    answer = shop.create()
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert shop.sim.orders() == []


def test_a_token_that_dies_early(shop: Shop) -> None:
    shop.sim.script("token_expired")
    assert shop.create().json()["error"] == "invalid_token"
    assert shop.create().status_code == 401  # it stays dead
    shop.sign_in()
    shop.sim.script("token_dies_after")
    assert shop.create().status_code == 201
    assert shop.create().status_code == 401
    assert len(shop.sim.orders()) == 1


def test_token_requests_fail_by_script(shop: Shop) -> None:
    shop.sim.script("server_error", operation="oauth")
    grant = {"grant_type": "client_credentials"}
    assert shop.http.post("/v1/oauth2/token", data=grant, auth=shop.account).status_code == 500
    assert shop.http.post("/v1/oauth2/token", data=grant, auth=shop.account).status_code == 200


def test_a_script_is_for_the_customer_it_names(shop: Shop) -> None:
    shop.sim.script("server_error", customer="ch_2")
    assert shop.create(order_body(custom_id="ch_1")).status_code == 201
    assert shop.create(order_body(custom_id="ch_2")).status_code == 500


# What customers do by themselves.


@pytest.mark.parametrize(
    ("outcome", "status", "captured"),
    [
        ("pay", "APPROVED", "COMPLETED"),
        ("pending", "APPROVED", "PENDING"),
        ("capture_declined", "APPROVED", "DECLINED"),
        ("declined", "APPROVED", None),
        ("cancel", "PAYER_ACTION_REQUIRED", None),
        ("timeout", "PAYER_ACTION_REQUIRED", None),
    ],
)
def test_a_scripted_customer_acts_alone(shop: Shop, outcome: str, status: str, captured: str | None) -> None:
    shop.sim.script(outcome)
    order = shop.order()
    shop.sim.advance(2)
    assert shop.get(f"/v2/checkout/orders/{order}")["status"] == status
    answer = shop.capture_order(order)
    assert answer.status_code == (201 if captured else 422)
    assert [one["status"] for one in shop.sim.state()["captures"]] == ([captured] if captured else [])


def test_a_slow_customer_takes_his_time(shop: Shop) -> None:
    shop.sim.script(FaultScript(outcome="pay", answer_after=600))
    order = shop.order()
    shop.sim.advance(599)
    assert shop.sim.orders()[0].approved is False
    shop.sim.advance(1)
    assert shop.capture_order(order).status_code == 201


# Events.


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("normal", [(CAPTURED, "10.00", True)]),
        ("lost", []),
        ("late", [(CAPTURED, "10.00", True)]),
        ("duplicate", [(CAPTURED, "10.00", True)] * 2),
        ("wrong_amount", [(CAPTURED, "1.00", True)]),
        ("forged_amount", [(CAPTURED, "1.00", False), (CAPTURED, "10.00", True)]),
        ({"event_shape": "reserialised"}, [(CAPTURED, "10.00", False)]),
        ({"event_shape": "other_host", "forged": 1}, [(CAPTURED, "10.00", True), (CAPTURED, "10.00", False)]),
        ({"event_outcome": "pending"}, [("PAYMENT.CAPTURE.PENDING", "10.00", True)]),
        ({"stale_outcome": "pending"}, [(CAPTURED, "10.00", True), ("PAYMENT.CAPTURE.PENDING", "10.00", True)]),
    ],
)
@pytest.mark.parametrize("operation", ["order_create", "order_capture"])
def test_the_event_of_a_capture_as_the_script_has_it(
    shop: Shop, operation: str, script: Any, heard: list[tuple[str, str, bool]]
) -> None:
    if script == "forged_amount" and operation == "order_capture":
        heard = [heard[1], heard[0]]  # forged together with the capture, and delivered after its event
    shop.sim.script(script, operation=operation)
    shop.paid()
    assert sorted(captures_heard(shop)) == sorted(heard)
    assert [str(one.amount.value) for one in shop.sim.payments()] == ["10.00"]


def test_an_event_can_be_overtaken(shop: Shop) -> None:
    shop.sim.script("out_of_order", operation="order_capture")
    orders = [shop.approved(custom_id=name) for name in "ab"]
    shop.heard()
    first, second = (payments_of(shop.capture_order(one))["captures"][0]["id"] for one in orders)
    shop.sim.settle()
    found = [one.resource["id"] for one in shop.letters() if one.type == CAPTURED]
    assert found == [second, first]


def test_an_event_comes_before_the_answer(shop: Shop) -> None:
    order = shop.approved()
    shop.heard()
    shop.sim.script("event_before_reply", operation="order_capture")
    shop.capture_order(order)
    assert [one.type for one in shop.letters()] == [CAPTURED, "CHECKOUT.ORDER.COMPLETED"]  # no time has passed


def test_an_event_names_another_receiver(shop: Shop) -> None:
    shop.sim.script({"event_receiver": "SMBDYELSE2345"}, operation="order_capture")
    shop.paid()
    shop.sim.settle()
    (letter,) = [one for one in shop.letters() if one.type == CAPTURED]
    assert letter.resource["payee"]["merchant_id"] == "SMBDYELSE2345"


def test_an_event_tells_of_money_that_never_came(shop: Shop) -> None:
    shop.sim.script("disagree")
    shop.order()
    assert captures_heard(shop) == [(CAPTURED, "10.00", True)]
    assert shop.sim.payments() == []


def test_a_forged_success_of_a_cancelled_order_is_badly_signed(shop: Shop) -> None:
    shop.sim.script("forged_success")
    shop.order()
    assert captures_heard(shop) == [(CAPTURED, "10.00", False)]
    assert shop.sim.payments() == []


# Queries.


def test_queries_go_wrong_in_order(shop: Shop) -> None:
    shop.sim.script(FaultScript(read_unavailable=1, read_spike_arrest=1, read_missing=1, read_pending=1))
    order = shop.approved()
    path = f"/v2/checkout/orders/{order}"
    assert [shop.call("GET", path).status_code for _ in range(3)] == [503, 429, 404]
    assert [shop.get(path)["status"] for _ in range(2)] == ["PAYER_ACTION_REQUIRED", "APPROVED"]


def test_a_capture_seems_pending_for_a_while(shop: Shop) -> None:
    shop.sim.script("pending_then_final", operation="order_capture")
    capture = shop.paid()
    path = f"/v2/payments/captures/{capture}"
    assert [shop.get(path)["status"] for _ in range(3)] == ["PENDING", "PENDING", "COMPLETED"]


def test_a_query_lies(shop: Shop) -> None:
    shop.sim.script("disagree_read", operation="order_capture")
    capture = shop.paid()
    assert shop.get(f"/v2/payments/captures/{capture}")["status"] == "DECLINED"
    assert len(shop.sim.payments()) == 1


# Scripts that make no sense.


@pytest.mark.parametrize(
    "script", ["no_such_thing", {"event_shape": "round"}, {"outcome": "wrong_pin"}, "queue_timeout_undone"]
)
def test_unknown_words_are_refused(shop: Shop, script: Any) -> None:
    with pytest.raises(ValueError, match="unknown"):
        shop.sim.script(script)
    assert shop.sim.state()["faults"] == []


@pytest.mark.parametrize("preset", sorted(set(PRESETS) - {"queue_timeout_undone"}))
def test_every_preset_leaves_the_books_right(shop: Shop, preset: str) -> None:
    """Whatever the script, retrying under the same ids takes the money once or not at all."""
    shop.sim.script(preset)
    shop.sim.script(preset, operation="order_capture")
    order = ""
    for _ in range(3):
        try:
            answer = shop.create(request_id="c")
            order = answer.json()["id"]
        except (httpx.RemoteProtocolError, KeyError, ValueError):
            shop.token = ""
    if PRESETS[preset].outcome != "cancel" and not shop.sim.orders()[0].approved:
        shop.sim.approve(order)
    for _ in range(3):
        try:
            shop.capture_order(order, "k")
        except httpx.RemoteProtocolError:
            continue
        finally:
            shop.token = ""
    shop.sim.settle()
    cancelled = PRESETS[preset].outcome == "cancel"
    assert len(shop.sim.payments()) == (0 if cancelled else 1)
    assert len(shop.sim.orders()) == 1


def test_the_replies_are_all_known() -> None:
    assert len(Reply) == 11  # a new one needs a place in Front._instead


def test_a_request_that_is_wrong_uses_no_script_up(shop: Shop) -> None:
    shop.sim.script("accepted_5xx", operation="order_capture")
    assert shop.capture_order(shop.order()).status_code == 422
    assert len(shop.sim.state()["faults"]) == 1
    order = shop.approved()
    assert shop.capture_order(order).status_code == 500
    assert shop.sim.state()["faults"] == []


def test_a_script_that_declines_is_used_up_by_it(shop: Shop) -> None:
    shop.sim.script("declined", operation="order_capture")
    order = shop.approved()
    assert issue(shop.capture_order(order))[2] == "INSTRUMENT_DECLINED"
    shop.sim.approve(order)
    assert shop.capture_order(order).status_code == 201


@pytest.mark.parametrize(
    ("operation", "outcome"),
    [("order_create", "refund_failed"), ("refund", "cancel"), ("payout_item", "payout_denied"), ("order_get", "pay")],
)
def test_an_outcome_must_be_one_of_its_operation(shop: Shop, operation: str, outcome: str) -> None:
    with pytest.raises(ValueError, match=f"{operation} knows no outcome '{outcome}'"):
        shop.sim.script(outcome, operation=operation)
    assert shop.sim.state()["faults"] == []


REFUNDED = "PAYMENT.CAPTURE.REFUNDED"


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("lost", []),
        ("duplicate", [(REFUNDED, "4.00", True)] * 2),
        ("wrong_amount", [(REFUNDED, "1.00", True)]),
        ({"event_outcome": "refund_failed"}, [("PAYMENT.REFUND.FAILED", "4.00", True)]),
        ({"stale_outcome": "refund_pending"}, [(REFUNDED, "4.00", True), ("PAYMENT.REFUND.PENDING", "4.00", True)]),
        ({"forged": 1, "forged_amount": "9"}, [(REFUNDED, "4.00", True), (REFUNDED, "9.00", False)]),
    ],
)
def test_the_event_of_a_refund_as_the_script_has_it(
    shop: Shop, script: Any, heard: list[tuple[str, str, bool]]
) -> None:
    capture = shop.paid()
    shop.heard()
    shop.sim.script(script, operation="refund")
    made = shop.refund(capture, "4.00").json()
    shop.sim.settle()
    found = [(one.type, one.resource["amount"]["value"], shop.verifies(one)) for one in shop.letters()]
    assert found == heard
    assert [(one.id, str(one.amount.value), one.status) for one in shop.sim.refunds()] == [
        (made["id"], "4.00", "COMPLETED")
    ]


def test_the_event_of_a_payout_lies(shop: Shop) -> None:
    shop.sim.script({"event_outcome": "payout_failed", "event_amount": "7"}, operation="payout_item")
    shop.call("POST", "/v1/payments/payouts", payout("a@x.example"))
    shop.sim.settle()
    told = shop.letters()[0]
    assert (told.type, told.resource["payout_item"]["amount"]["value"]) == ("PAYMENT.PAYOUTS-ITEM.FAILED", "7.00")
    assert [(one.status, str(one.amount.value)) for one in shop.sim.payouts()] == [("SUCCESS", "20.00")]


def test_an_order_seems_void_though_it_was_paid(shop: Shop) -> None:
    shop.sim.script("disagree_read")
    order = shop.approved()
    shop.capture_order(order)
    seen = shop.get(f"/v2/checkout/orders/{order}")
    assert (seen["status"], "payments" in seen["purchase_units"][0]) == ("VOIDED", False)
    assert len(shop.sim.payments()) == 1


def test_a_customer_who_is_too_late_does_nothing(shop: Shop) -> None:
    shop.sim.script(FaultScript(outcome="pay", answer_after=4 * 3600))
    shop.order()
    shop.sim.advance(4 * 3600)
    assert [(one.status, one.approved) for one in shop.sim.orders()] == [("VOIDED", False)]
    assert shop.letters() == []


def test_paypal_is_down_for_a_while(shop: Shop) -> None:
    order = shop.approved()
    shop.sim.start_outage()
    with pytest.raises(httpx.RemoteProtocolError):
        shop.capture_order(order)
    shop.sim.start_outage("server_error")
    assert shop.capture_order(order).status_code == 500
    grant = {"grant_type": "client_credentials"}
    assert shop.http.post("/v1/oauth2/token", data=grant, auth=shop.account).status_code == 500
    assert shop.sim.payments() == []
    shop.sim.end_outage()
    assert shop.capture_order(order).status_code == 201
    with pytest.raises(ValueError, match="an outage cannot be 'accepted_error'"):
        shop.sim.start_outage("accepted_error")
