from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import Money
from majuu_core.providers import (
    FailureCode,
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    ResultStatus,
)
from majuu_mpesa.mapping import push_body
from tests.mpesa.support import (
    ACCEPTED,
    CALLBACK_URL,
    CHECKOUT_ID,
    SECRETS,
    ScriptedDaraja,
    answer,
    credentials,
    error,
    make_provider,
    payment,
)

NEW_YEAR_IN_NAIROBI = datetime(2025, 12, 31, 21, 0, 0, tzinfo=UTC)


def test_the_request_is_what_daraja_wants() -> None:
    daraja = ScriptedDaraja(answer(200, ACCEPTED))

    with use_clock(VirtualClock(NEW_YEAR_IN_NAIROBI)):
        make_provider(daraja).sale(payment("1500.00", phone="0708 374 149"))

    assert daraja.requests[0].url.path == "/mpesa/stkpush/v1/processrequest"
    assert daraja.requests[0].headers["content-type"] == "application/json"
    password = base64.b64encode(f"174379{SECRETS['passkey']}20260101000000".encode()).decode()
    assert daraja.body() == {
        "BusinessShortCode": "174379",
        "Password": password,
        "Timestamp": "20260101000000",
        "TransactionType": "CustomerPayBillOnline",
        "Amount": 1500,
        "PartyA": "254708374149",
        "PartyB": "174379",
        "PhoneNumber": "254708374149",
        "CallBackURL": CALLBACK_URL,
        "AccountReference": "ORDER1042",
        "TransactionDesc": "Two bags of c",
    }


def test_a_till_is_asked_by_its_store_number_and_paid_to_its_own() -> None:
    daraja = ScriptedDaraja(answer(200, ACCEPTED))

    make_provider(daraja, kind="till", shortcode="600100", till_number="600101").sale(payment())

    body = daraja.body()
    assert (body["BusinessShortCode"], body["PartyB"]) == ("600100", "600101")
    assert body["TransactionType"] == "CustomerBuyGoodsOnline"
    assert base64.b64decode(body["Password"]).startswith(b"600100")


def test_the_password_holds_the_timestamp_that_is_sent_even_when_time_runs() -> None:
    class RunningClock(VirtualClock):
        def now(self) -> datetime:
            return self.advance(1)

    daraja = ScriptedDaraja(answer(200, ACCEPTED))
    with use_clock(RunningClock()):
        make_provider(daraja).sale(payment())

    body = daraja.body()
    assert base64.b64decode(body["Password"]).decode().endswith(body["Timestamp"])


@pytest.mark.parametrize(
    ("merchant_reference", "expected"),
    [
        ("INV-7", "INV7"),
        ("ORDER/2026/000123456", "026000123456"),
        ("Ordër №5", "OrderNo5"),
        ("", "n4p6r8t0"),
        ("--", "n4p6r8t0"),
        ("注文", "n4p6r8t0"),
    ],
)
def test_the_account_reference_is_short_and_plain(merchant_reference: str, expected: str) -> None:
    found = push_body(credentials(), payment(merchant_reference=merchant_reference), NEW_YEAR_IN_NAIROBI)

    assert found["AccountReference"].endswith(expected)
    assert len(found["AccountReference"]) <= 12


@pytest.mark.parametrize(
    ("description", "expected"),
    [("", "Payment"), ("@#&", "Payment"), ("Tea & cake @ 5pm!", "Tea cake 5pm"), ("Café", "Cafe")],
)
def test_the_description_is_always_sent_and_plain(description: str, expected: str) -> None:
    found = push_body(credentials(), payment(description=description), NEW_YEAR_IN_NAIROBI)

    assert found["TransactionDesc"] == expected


@given(reference=st.text(max_size=60), description=st.text(max_size=60))
def test_whatever_the_shop_writes_the_fields_stay_in_their_limits(reference: str, description: str) -> None:
    found = push_body(
        credentials(), payment(merchant_reference=reference, description=description), NEW_YEAR_IN_NAIROBI
    )

    assert found["AccountReference"].isalnum()
    assert found["AccountReference"].isascii()
    assert 1 <= len(found["AccountReference"]) <= 12
    assert found["TransactionDesc"].replace(" ", "").isalnum()
    assert 1 <= len(found["TransactionDesc"]) <= 13


@pytest.mark.parametrize("code", ["0", 0])
def test_accepted_means_that_the_customer_has_to_act(code: Any) -> None:
    clock = VirtualClock()
    with use_clock(clock):
        result = make_provider(ScriptedDaraja(answer(200, {**ACCEPTED, "ResponseCode": code}))).sale(payment())

    assert result.status is ResultStatus.REQUIRES_ACTION
    assert result.provider_reference == CHECKOUT_ID
    assert result.next_action is not None
    assert result.next_action.type == "await_phone_prompt"
    assert result.next_action.data == {"phone": "2547 ***** 149"}
    assert result.next_action.expires_at == clock.now() + timedelta(seconds=75)
    assert (result.amount, result.receipt) == (None, None)


def test_a_busy_subscriber_is_a_definite_no() -> None:
    text = "Unable to lock subscriber, a transaction is already in process for the current subscriber"
    provider = make_provider(ScriptedDaraja(error(500, "500.001.1001", text)))

    result = provider.sale(payment())

    assert result.status is ResultStatus.FAILED
    assert result.failure is not None
    assert result.failure.code is FailureCode.PROCESSING_ERROR
    assert (result.failure.provider_code, result.failure.message) == ("500.001.1001", text)
    explanation = provider.explain_failure("500.001.1001", language="en")
    assert explanation is not None
    assert "wait a minute" in explanation.next_step


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (error(400, "400.002.02", "Bad Request - Invalid PhoneNumber"), RequestRejected),
        (error(403, "403.002.1001", "You are not authorized"), RequestRejected),
        (error(404, "404.001.01", "Resource not found"), RequestRejected),
        (error(405, "405.001", "Method Not Allowed"), RequestRejected),
        (answer(200, {"ResponseCode": "1", "ResponseDescription": "Refused"}), RequestRejected),
        (error(500, "500.001.1001", "Wrong credentials"), InvalidCredentials),
        (error(500, "500.001.1001", "[MerchantValidate] - Wrong credentials"), InvalidCredentials),
        (error(500, "500.001.1001", "Merchant does not exist"), InvalidCredentials),
        (error(500, "500.003.02", "Error Occurred: Spike Arrest Violation"), RateLimited),
        (error(500, "500.003.03", "Quota Violation"), RateLimited),
        (answer(429, text=""), RateLimited),
        (
            answer(
                429,
                {"fault": {"faultstring": "Spike", "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"}}},
            ),
            RateLimited,
        ),
        (error(500, "500.001.1001", "Internal Server Error"), OutcomeUnknown),
        (error(500, "500.001.1001", "The transaction is being processed"), OutcomeUnknown),
        (error(503, "500.001.1001", "Service unavailable"), OutcomeUnknown),
        (error(500, "500.003.02", "System is busy"), OutcomeUnknown),
        (error(500, "500.002.1001", "System internal error"), OutcomeUnknown),
        (answer(500, text="<html>oops</html>"), OutcomeUnknown),
        (answer(502, text=""), OutcomeUnknown),
        (answer(403, text="<html>Incapsula</html>"), OutcomeUnknown),
        (answer(302, text=""), OutcomeUnknown),
        (answer(200, text="<html>Incapsula</html>"), OutcomeUnknown),
        (answer(200, text=""), OutcomeUnknown),
        (answer(200, []), OutcomeUnknown),
        (answer(200, {}), OutcomeUnknown),
        (answer(200, {"ResponseCode": None}), OutcomeUnknown),
        (answer(200, {"ResponseCode": "0"}), OutcomeUnknown),
        (answer(200, {"ResponseCode": "0", "CheckoutRequestID": ""}), OutcomeUnknown),
        (answer(200, {"ResponseCode": "0", "CheckoutRequestID": "a b\x00"}), OutcomeUnknown),
        (answer(200, text='{"ResponseCode": 1e99999999999999999999}'), OutcomeUnknown),
        (error(200, "400.002.02", "Bad Request"), OutcomeUnknown),
        (httpx.ReadTimeout("slow"), OutcomeUnknown),
        (httpx.ReadError("reset"), OutcomeUnknown),
        (httpx.ConnectError("refused"), NotSent),
    ],
)
def test_every_other_answer_is_named_and_never_sent_again(reply: Any, expected: type[Exception]) -> None:
    daraja = ScriptedDaraja(reply)

    with pytest.raises(expected):
        make_provider(daraja).sale(payment())
    assert len(daraja.requests) == 1


def test_a_refusal_carries_darajas_code_and_words() -> None:
    daraja = ScriptedDaraja(error(400, "400.002.02", "Bad Request - Invalid Amount"))

    with pytest.raises(RequestRejected, match="Bad Request - Invalid Amount") as refused:
        make_provider(daraja).sale(payment())
    assert refused.value.code == "400.002.02"


def test_a_strange_code_with_an_id_is_unknown_and_can_be_asked_about() -> None:
    result = make_provider(ScriptedDaraja(answer(200, {**ACCEPTED, "ResponseCode": "7"}))).sale(payment())

    assert (result.status, result.provider_reference) == (ResultStatus.UNKNOWN, CHECKOUT_ID)


def test_a_token_that_just_died_costs_no_payment() -> None:
    daraja = ScriptedDaraja(error(404, "404.001.03", "Invalid Access Token"), answer(200, ACCEPTED))

    assert make_provider(daraja).sale(payment()).provider_reference == CHECKOUT_ID
    assert len(daraja.requests) == 2


@pytest.mark.parametrize(
    ("amount", "currency", "code", "field"),
    [
        ("1500.50", "KES", "amount_not_whole", "amount"),
        ("0.99", "KES", "amount_not_whole", "amount"),
        ("0", "KES", "amount_too_small", "amount"),
        ("-5", "KES", "amount_too_small", "amount"),
        ("250001", "KES", "amount_too_large", "amount"),
        ("10", "USD", "currency_unsupported", "amount"),
    ],
)
def test_amounts_that_mpesa_does_not_take(amount: str, currency: str, code: str, field: str) -> None:
    daraja = ScriptedDaraja()

    with pytest.raises(InvalidPaymentData) as refused:
        make_provider(daraja).sale(payment(amount, currency=currency))

    assert [(found.code, found.field) for found in refused.value.violations] == [(code, field)]
    assert (daraja.requests, daraja.token_requests) == ([], 0)


@pytest.mark.parametrize("amount", ["1", "250000", "250000.00"])
def test_the_limits_themselves_are_taken(amount: str) -> None:
    assert make_provider().prepare_payment(payment(amount)).amount.amount == Decimal(amount)


def test_an_account_may_set_its_own_limit() -> None:
    provider = make_provider(max_amount=500)

    provider.prepare_payment(payment("500"))
    with pytest.raises(InvalidPaymentData, match="KES 500"):
        provider.prepare_payment(payment("501"))


def test_an_amount_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidPaymentData, match="whole shillings"):
        make_provider().prepare_payment(replace(payment(), amount=Money(Decimal("NaN"), "KES")))


def test_preparing_gives_the_number_in_full_and_changes_nothing_else() -> None:
    asked = payment(phone="0708374149")

    prepared = make_provider().prepare_payment(asked)

    assert prepared.payment_method_data == {"phone": "254708374149"}
    assert asked.payment_method_data == {"phone": "0708374149"}
    assert prepared == make_provider().prepare_payment(prepared)
    assert prepared == payment(phone="254708374149")


def test_all_objections_come_at_once() -> None:
    with pytest.raises(InvalidPaymentData) as refused:
        make_provider().prepare_payment(payment("0.50", phone="+447700900123"))

    assert [(found.code, found.field) for found in refused.value.violations] == [
        ("amount_not_whole", "amount"),
        ("phone_foreign", "payment_method_data.phone"),
    ]


def test_a_missing_number_and_a_strange_method_are_objections() -> None:
    with pytest.raises(InvalidPaymentData) as refused:
        make_provider().prepare_payment(payment(payment_method="card", payment_method_data={}))

    assert [found.code for found in refused.value.violations] == ["payment_method_unsupported", "phone_missing"]


@pytest.mark.parametrize(
    ("url", "livemode"),
    [("", False), ("/in/x", False), ("ftp://a/b", False), ("http://a.ke/b", True), ("http://[", False)],
)
def test_no_prompt_without_an_address_to_call_back(url: str, livemode: bool) -> None:
    daraja = ScriptedDaraja()

    with pytest.raises(RequestRejected, match="address") as refused:
        make_provider(daraja, livemode=livemode).sale(payment(webhook_url=url))
    assert refused.value.code == "configuration"
    assert (daraja.requests, daraja.token_requests) == ([], 0)


def test_a_wrong_base_address_is_the_operators_mistake_and_nothing_is_sent() -> None:
    with pytest.raises(RequestRejected, match="base_url") as refused:
        make_provider(livemode=True, options={"base_url": "http://daraja.test"}).sale(payment())
    assert refused.value.code == "configuration"
