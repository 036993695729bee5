from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from majuu_core.providers import (
    FailureCode,
    InvalidCredentials,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    ResultStatus,
)
from majuu_mpesa.codes import STK_FAILURES
from tests.mpesa.support import CHECKOUT_ID, ScriptedDaraja, answer, error, fetch, make_provider


def query_answer(code: Any, **changes: Any) -> Any:
    body = {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successsfully",
        "MerchantRequestID": "28415-165347-1",
        "CheckoutRequestID": CHECKOUT_ID,
        "ResultCode": code,
        "ResultDesc": "Some text",
        **changes,
    }
    return answer(200, {key: value for key, value in body.items() if value is not None})


def ask(reply: Any) -> Any:
    return make_provider(ScriptedDaraja(reply)).fetch_payment(fetch())


def test_the_question_is_what_daraja_wants() -> None:
    daraja = ScriptedDaraja(query_answer("0"))

    make_provider(daraja).fetch_payment(fetch())

    body = daraja.body()
    assert daraja.requests[0].url.path == "/mpesa/stkpushquery/v1/query"
    assert set(body) == {"BusinessShortCode", "Password", "Timestamp", "CheckoutRequestID"}
    assert body["CheckoutRequestID"] == CHECKOUT_ID
    assert base64.b64decode(body["Password"]).decode().endswith(body["Timestamp"])


def test_without_an_id_nothing_is_asked_and_nothing_known() -> None:
    daraja = ScriptedDaraja()

    result = make_provider(daraja).fetch_payment(fetch(None))

    assert result.status is ResultStatus.UNKNOWN
    assert (daraja.requests, daraja.token_requests) == ([], 0)


@pytest.mark.parametrize("code", ["0", 0])
def test_paid_but_neither_amount_nor_receipt_is_in_the_answer(code: Any) -> None:
    result = ask(query_answer(code))

    assert (result.status, result.provider_reference) == (ResultStatus.SUCCEEDED, CHECKOUT_ID)
    assert (result.amount, result.receipt, result.payer) == (None, None, None)


@pytest.mark.parametrize(
    "reply",
    [
        query_answer("4999"),
        query_answer(4999, CheckoutRequestID=None, ResponseCode=None),
        error(500, "500.001.1001", "The transaction is being processed"),
    ],
)
def test_the_not_final_answers(reply: Any) -> None:
    result = ask(reply)

    assert (result.status, result.provider_reference) == (ResultStatus.PENDING, CHECKOUT_ID)


def test_an_id_that_daraja_does_not_know_yet_or_at_all_is_not_confirmed() -> None:
    result = ask(error(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID"))

    assert (result.status, result.provider_reference) == (ResultStatus.PENDING, None)


@pytest.mark.parametrize("code", sorted(STK_FAILURES))
def test_known_codes_settle_the_payment_as_failed(code: str) -> None:
    result = ask(query_answer(code))

    assert result.status is ResultStatus.FAILED
    assert result.failure is not None
    assert (result.failure.code, result.failure.provider_code) == (STK_FAILURES[code], code)
    assert result.failure.message == "Some text"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1", FailureCode.INSUFFICIENT_FUNDS),
        ("1019", FailureCode.EXPIRED),
        ("1032", FailureCode.CUSTOMER_CANCELED),
        ("1037", FailureCode.EXPIRED),
        ("2001", FailureCode.AUTHENTICATION_FAILED),
        ("4", FailureCode.LIMIT_EXCEEDED),
        ("SFC_IC0003", FailureCode.PROCESSING_ERROR),
    ],
)
def test_what_the_usual_codes_mean(code: str, expected: FailureCode) -> None:
    assert STK_FAILURES[code] is expected


@pytest.mark.parametrize("code", ["77777", "11", "TP40153", "", "NaN", "0.0", "00", None, True, [], {}, "x" * 40])
def test_codes_we_do_not_know_never_settle_anything(code: Any) -> None:
    result = ask(query_answer(code))

    assert (result.status, result.failure) == (ResultStatus.UNKNOWN, None)


def test_a_bare_nan_never_settles_anything() -> None:
    text = f'{{"ResponseCode":"0","CheckoutRequestID":"{CHECKOUT_ID}","ResultCode":NaN}}'

    assert ask(answer(200, text=text)).status is ResultStatus.UNKNOWN


@pytest.mark.parametrize("code", ["0", "1032"])
@pytest.mark.parametrize("other", ["ws_CO_another", "", None, 5])
def test_an_answer_about_another_payment_never_settles_this_one(code: str, other: Any) -> None:
    assert ask(query_answer(code, CheckoutRequestID=other)).status is ResultStatus.UNKNOWN


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (error(500, "500.001.1001", "Internal Server Error"), OutcomeUnknown),
        (answer(503, text="down"), OutcomeUnknown),
        (answer(200, text="<html>"), OutcomeUnknown),
        (answer(200, ["0"]), OutcomeUnknown),
        (httpx.ReadTimeout("slow"), OutcomeUnknown),
        (httpx.ConnectError("refused"), NotSent),
        (answer(429, {"fault": {"faultstring": "Spike arrest violation."}}), RateLimited),
        (error(500, "500.003.02", "Spike Arrest Violation"), RateLimited),
        (error(500, "500.001.1001", "Wrong credentials"), InvalidCredentials),
        (error(400, "400.002.02", "Bad Request - Invalid BusinessShortCode"), RequestRejected),
    ],
)
def test_an_answer_that_tells_nothing_is_an_exception(reply: Any, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        ask(reply)


def test_checking_the_credentials_asks_for_a_fresh_token_and_nothing_else() -> None:
    daraja = ScriptedDaraja()
    provider = make_provider(daraja)

    provider.check_credentials()
    provider.check_credentials()

    assert (daraja.token_requests, daraja.requests) == (2, [])


def test_wrong_keys_are_found() -> None:
    with pytest.raises(InvalidCredentials, match="consumer key"):
        make_provider(ScriptedDaraja(oauth=lambda: answer(400, text=""))).check_credentials()
