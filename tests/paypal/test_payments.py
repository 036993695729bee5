"""What orders, captures and authorizations say, shape by shape, and the amounts PayPal takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from majuu_core.common.money import Money
from majuu_core.providers import (
    FailureCode,
    InvalidPaymentData,
    OutcomeUnknown,
    PaymentRequest,
    RequestRejected,
    ResultStatus,
)
from majuu_paypal.currencies import CURRENCIES, read_money, write_money
from majuu_paypal.mapping import invoice_id, order_result
from tests.paypal.scripted import CHARGE, ScriptedPaypal, answer, fetch, follow_up, money, order, refused

S = ResultStatus
REQUEST = PaymentRequest(
    idempotency_key="key-1",
    reference=CHARGE,
    amount=Money("20.00", "USD"),
    payment_method="paypal",
    payment_method_data={},
    return_url="https://shop.example/thanks",
)


def _capture(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "3C679366HH908993F", "status": status, "amount": money("20.00"), **more}


@pytest.mark.parametrize(
    ("body", "status", "completion"),
    [
        (order("CREATED"), S.REQUIRES_ACTION, False),
        (order("PAYER_ACTION_REQUIRED"), S.REQUIRES_ACTION, False),
        (order("APPROVED"), S.PENDING, True),
        (order("VOIDED"), S.CANCELED, False),
        (order("COMPLETED"), S.UNKNOWN, False),  # paid, it says, and shows no payment
        (order("SOMETHING_NEW"), S.UNKNOWN, False),
        ({**order("CREATED"), "links": []}, S.UNKNOWN, False),
        ({**order("CREATED"), "links": [{"rel": "approve", "href": "javascript:x"}]}, S.UNKNOWN, False),
        (order("COMPLETED", payments={"captures": [_capture("COMPLETED")]}), S.SUCCEEDED, False),
        (order("COMPLETED", payments={"captures": [_capture("PARTIALLY_REFUNDED")]}), S.SUCCEEDED, False),
        (order("COMPLETED", payments={"captures": [_capture("REFUNDED")]}), S.SUCCEEDED, False),
        (order("COMPLETED", payments={"captures": [_capture("COMPLETED", amount=None)]}), S.UNKNOWN, False),
        (order("COMPLETED", payments={"captures": [_capture("COMPLETED", amount=money("1.001"))]}), S.UNKNOWN, False),
        (order("COMPLETED", payments={"captures": [_capture("PENDING")]}), S.PENDING, False),
        (order("COMPLETED", payments={"captures": [_capture("DECLINED")]}), S.FAILED, False),
        (order("COMPLETED", payments={"captures": [_capture("FAILED")]}), S.FAILED, False),
        (order("COMPLETED", payments={"captures": [_capture("NEW_WORD")]}), S.UNKNOWN, False),
        (order("COMPLETED", payments={"authorizations": [_capture("CREATED")]}), S.AUTHORIZED, False),
        (order("COMPLETED", payments={"authorizations": [_capture("PENDING")]}), S.PENDING, False),
        (order("COMPLETED", payments={"authorizations": [_capture("DENIED")]}), S.FAILED, False),
        (order("COMPLETED", payments={"authorizations": [_capture("VOIDED")]}), S.CANCELED, False),
        ({}, S.UNKNOWN, False),
        ({"purchase_units": "odd", "id": 7, "status": None}, S.UNKNOWN, False),
    ],
)
def test_what_an_order_says(body: dict[str, Any], status: ResultStatus, completion: bool) -> None:
    result = order_result(body)

    assert (result.status, result.needs_completion) == (status, completion)


def test_a_declined_capture_leaves_the_hold() -> None:
    held = _capture("CREATED", expiration_time="2026-02-03T09:00:00Z")
    body = order("COMPLETED", payments={"authorizations": [held], "captures": [_capture("DECLINED")]})

    result = order_result(body)

    assert result.status is S.AUTHORIZED
    assert result.capture_before == datetime(2026, 2, 3, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("response_code", "code"),
    [
        ("5120", FailureCode.INSUFFICIENT_FUNDS),
        ("5400", FailureCode.INVALID_PAYMENT_METHOD),
        ("9999", FailureCode.DECLINED),
    ],
)
def test_the_banks_reason_is_passed_on(response_code: str, code: FailureCode) -> None:
    declined = _capture("DECLINED", processor_response={"response_code": response_code})

    result = order_result(order("COMPLETED", payments={"captures": [declined]}))

    assert result.failure is not None
    assert (result.failure.code, result.failure.provider_code) == (code, response_code)


def test_the_order_that_is_made() -> None:
    paypal = ScriptedPaypal(answer(order("PAYER_ACTION_REQUIRED"), 201))
    wanted = replace(REQUEST, merchant_reference="Order #17/b", description="Two books " * 30)

    paypal.provider().authorize(wanted)

    body = paypal.sent()
    [unit] = body["purchase_units"]
    assert body["intent"] == "AUTHORIZE"
    assert unit["amount"] == money("20.00")
    assert unit["custom_id"] == CHARGE
    assert unit["invoice_id"] == f"Order-17-b-{CHARGE.replace('_', '-')}"
    assert len(unit["description"]) == 127
    assert body["payment_source"]["paypal"]["experience_context"] == {
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
        "return_url": "https://shop.example/thanks",
        "cancel_url": "https://shop.example/thanks",
    }
    headers = paypal.requests[0].headers
    assert (headers["paypal-request-id"], headers["prefer"]) == ("key-1", "return=representation")


def test_an_invoice_number_is_never_too_long() -> None:
    assert len(invoice_id("x" * 500, CHARGE)) == 127
    assert invoice_id("", CHARGE) == CHARGE.replace("_", "-")


def test_without_an_address_to_come_back_to_nothing_is_sent() -> None:
    paypal = ScriptedPaypal()

    with pytest.raises(RequestRejected, match="send the customer back"):
        paypal.provider().sale(replace(REQUEST, return_url=""))

    assert paypal.requests == []


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(2000, "KES"), "currency_unsupported"),
        (Money(20, "BRL"), "currency_unsupported"),
        (Money("0.00", "USD"), "amount_too_small"),
        (Money("-1.00", "USD"), "amount_too_small"),
        (Money("NaN", "USD"), "amount_too_small"),
        (Money("1.001", "USD"), "amount_too_precise"),
        (Money("100.50", "HUF"), "amount_not_whole"),
        (Money("100.50", "JPY"), "amount_not_whole"),
    ],
)
def test_amounts_that_paypal_does_not_take(amount: Money, code: str) -> None:
    paypal = ScriptedPaypal()

    with pytest.raises(InvalidPaymentData) as problem:
        paypal.provider().prepare_payment(replace(REQUEST, amount=amount))

    [violation] = problem.value.violations
    assert (violation.code, violation.field) == (code, "amount")
    assert code != "currency_unsupported" or "It takes AUD, CAD" in violation.message
    assert paypal.requests == []


def test_another_method_is_refused() -> None:
    with pytest.raises(InvalidPaymentData) as problem:
        ScriptedPaypal().provider().prepare_payment(replace(REQUEST, payment_method="card"))

    assert problem.value.violations[0].field == "payment_method"


def test_amounts_are_written_as_paypal_reads_them() -> None:
    assert write_money(Money("1", "USD")) == money("1.00")
    assert write_money(Money("1500.00", "HUF")) == money("1500", "HUF")
    assert read_money(money("1500", "HUF")) == Money(1500, "HUF")
    assert not CURRENCIES & {"KES", "BRL", "CNY", "MYR", "RUB"}
    for odd in (None, {}, {"value": "1"}, money("1e9"), money("1", "XXX"), {"currency_code": "USD", "value": 1}):
        assert read_money(odd) is None


def test_completing_what_is_taken_already_moves_nothing() -> None:
    paid = order("COMPLETED", payments={"captures": [_capture("COMPLETED")]})
    paypal = ScriptedPaypal(answer(paid))

    result = paypal.provider().complete(follow_up())

    assert result.status is S.SUCCEEDED
    assert paypal.paths == ["GET /v2/checkout/orders/5O190127TN364715T"]


def test_completing_follows_the_orders_own_intent() -> None:
    held = order("COMPLETED", intent="AUTHORIZE", payments={"authorizations": [_capture("CREATED")]})
    paypal = ScriptedPaypal(answer(order("APPROVED", intent="AUTHORIZE")), answer(held, 201))

    result = paypal.provider().complete(follow_up())

    assert result.status is S.AUTHORIZED
    assert paypal.paths[1] == "POST /v2/checkout/orders/5O190127TN364715T/authorize"
    assert paypal.requests[1].headers["paypal-request-id"] == f"key-{CHARGE}-authorize"


@pytest.mark.parametrize("issue", ["ORDER_ALREADY_CAPTURED", "ORDER_COMPLETION_IN_PROGRESS"])
def test_a_race_about_completing_ends_with_what_the_order_says(issue: str) -> None:
    paid = order("COMPLETED", payments={"captures": [_capture("COMPLETED")]})
    paypal = ScriptedPaypal(answer(order("APPROVED")), refused(issue), answer(paid))

    assert paypal.provider().complete(follow_up()).status is S.SUCCEEDED


def test_an_objection_that_is_no_decline_is_raised() -> None:
    paypal = ScriptedPaypal(answer(order("APPROVED")), refused("DUPLICATE_INVOICE_ID"))

    with pytest.raises(RequestRejected) as problem:
        paypal.provider().complete(follow_up())

    assert problem.value.code == "DUPLICATE_INVOICE_ID"


@pytest.mark.parametrize(
    ("issue", "code"),
    [
        ("REFUND_FAILED_INSUFFICIENT_FUNDS", FailureCode.INSUFFICIENT_FUNDS),
        ("REFUND_TIME_LIMIT_EXCEEDED", FailureCode.EXPIRED),
        ("TRANSACTION_DISPUTED", FailureCode.DECLINED),
    ],
)
def test_a_refund_that_paypal_will_not_make_fails(issue: str, code: FailureCode) -> None:
    paypal = ScriptedPaypal(refused(issue))

    result = paypal.provider().refund(follow_up(receipt="3C679366HH908993F"))

    assert result.failure is not None
    assert (result.status, result.failure.code, result.failure.provider_code) == (S.FAILED, code, issue)


def test_a_payment_that_took_nothing_has_nothing_to_give_back() -> None:
    paypal = ScriptedPaypal(answer(order("APPROVED")))

    with pytest.raises(RequestRejected, match="took no money"):
        paypal.provider().refund(follow_up())

    assert len(paypal.requests) == 1


def test_what_paypal_does_not_know_is_unknown() -> None:
    paypal = ScriptedPaypal(*(answer({"name": "RESOURCE_NOT_FOUND"}, 404) for _ in range(2)))
    provider = paypal.provider()

    assert provider.fetch_payment(fetch("ch_not-an-id", "made-up")).status is S.UNKNOWN
    assert provider.fetch_refund(fetch("re", "made-up")).status is S.UNKNOWN
    assert provider.fetch_refund(fetch("re", None)).status is S.UNKNOWN
    assert provider.fetch_payout(fetch("po", None)).status is S.UNKNOWN
    assert len(paypal.requests) == 2


def _held(status: str = "CREATED") -> httpx.Response:
    return answer(order("COMPLETED", intent="AUTHORIZE", payments={"authorizations": [_capture(status)]}))


@pytest.mark.parametrize(
    ("issue", "code"),
    [("AUTHORIZATION_EXPIRED", FailureCode.EXPIRED), ("PAYER_CANNOT_PAY", FailureCode.DECLINED)],
)
def test_a_hold_that_cannot_be_taken_any_more(issue: str, code: FailureCode) -> None:
    paypal = ScriptedPaypal(_held(), refused(issue))

    result = paypal.provider().capture(follow_up())

    assert result.failure is not None
    assert (result.status, result.failure.code, result.failure.provider_code) == (S.FAILED, code, issue)
    assert paypal.sent(1) == {"final_capture": True}


def test_a_hold_that_was_taken_before_says_what_was_taken() -> None:
    taken = {"authorizations": [_capture("CAPTURED")], "captures": [_capture("COMPLETED")]}
    paypal = ScriptedPaypal(
        _held("CAPTURED"),
        refused("AUTHORIZATION_ALREADY_CAPTURED"),
        answer(order("COMPLETED", intent="AUTHORIZE", payments=taken)),
    )

    result = paypal.provider().capture(follow_up())

    assert (result.status, result.receipt) == (S.SUCCEEDED, "3C679366HH908993F")


def test_other_objections_to_taking_and_letting_go_are_raised() -> None:
    paypal = ScriptedPaypal(
        _held(), refused("MAX_CAPTURE_AMOUNT_EXCEEDED"), _held("CAPTURED"), refused("PREVIOUSLY_CAPTURED")
    )
    provider = paypal.provider()

    with pytest.raises(RequestRejected) as taking:
        provider.capture(follow_up())
    with pytest.raises(RequestRejected) as letting_go:
        provider.void(follow_up())

    assert (taking.value.code, letting_go.value.code) == ("MAX_CAPTURE_AMOUNT_EXCEEDED", "PREVIOUSLY_CAPTURED")


@pytest.mark.parametrize("reply", [httpx.Response(204), refused("PREVIOUSLY_VOIDED")])
def test_letting_go_ends_canceled(reply: httpx.Response) -> None:
    assert ScriptedPaypal(_held(), reply).provider().void(follow_up()).status is S.CANCELED


def test_an_order_without_an_id_is_no_answer() -> None:
    with pytest.raises(OutcomeUnknown):
        ScriptedPaypal(answer({"status": "CREATED"}, 201)).provider().sale(REQUEST)
