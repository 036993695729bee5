"""Every recorded body of Daraja: those of M-Pesa Express mean what they say, all others are refused, none crashes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from majuu_core.common.money import Money
from majuu_core.providers import (
    InvalidCredentials,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    WebhookRejected,
)
from majuu_core.providers.http import Answer
from majuu_mpesa.answers import read_error, refusal, refuses_product, refuses_token
from majuu_mpesa.mapping import push_result, query_result
from tests.mpesa.support import PHONE, ScriptedDaraja, make_provider, webhook
from tests.shared_files import shared_fixture

PAID: dict[str, tuple[str, str | None, datetime | None]] = {
    "stk_cb_success_2026_int_amount": ("1", "UE4JS31RBV", datetime(2026, 5, 4, 18, 4, 28, tzinfo=UTC)),
    "stk_cb_success_balance_no_value": ("1", "NE10MHGI7K", datetime(2019, 5, 1, 18, 29, 16, tzinfo=UTC)),
    "stk_cb_success_balance_no_value_2022": ("1", "QCA1H29BT3", datetime(2022, 3, 10, 17, 22, 41, tzinfo=UTC)),
    "stk_cb_success_code_string_dup_items": ("10", "AAA111", None),
    "stk_cb_success_mer_id": ("1", "OAT8OYEF9W", datetime(2020, 1, 29, 11, 52, 10, tzinfo=UTC)),
    "stk_cb_success_official": ("1", "NLJ7RT61SV", datetime(2019, 12, 19, 7, 21, 15, tzinfo=UTC)),
    "stk_cb_success_string_types": ("2500", "1234567890", datetime(2026, 9, 8, 7, 16, 10, tzinfo=UTC)),
}
DECLINED = {
    "stk_cb_cancelled_1032": ("1032", "customer_canceled"),
    "stk_cb_cancelled_1032_capital": ("1032", "customer_canceled"),
    "stk_cb_expired_1019": ("1019", "expired"),
    "stk_cb_insufficient_1": ("1", "insufficient_funds"),
    "stk_cb_not_permitted_2028": ("2028", "processing_error"),
    "stk_cb_operator_SFC_IC0003": ("SFC_IC0003", "processing_error"),
    "stk_cb_pin_locked_8006": ("8006", "authentication_failed"),
    "stk_cb_push_error_1025": ("1025", "processing_error"),
    "stk_cb_push_error_9999": ("9999", "processing_error"),
    "stk_cb_system_busy_26": ("26", "processing_error"),
    "stk_cb_timeout_1037": ("1037", "expired"),
    "stk_cb_wrong_pin_2001": ("2001", "authentication_failed"),
}
ACCEPTED = {
    "stk_ack_new_ids": "ws_CO_1007202409152617172396192",
    "stk_ack_old_ids": "ws_CO_030920202354219695",
    "stk_ack_responsecode_int": "ws_CO_27072017154747416",
}
REFUSED: dict[str, tuple[int, type[Exception]]] = {
    "stk_err_invalid_amount": (400, RequestRejected),
    "stk_err_invalid_phone": (400, RequestRejected),
    "stk_err_invalid_shortcode": (400, RequestRejected),
    "stk_err_invalid_timestamp": (400, RequestRejected),
    "stk_err_wrong_credentials": (500, InvalidCredentials),
    "stk_err_wrong_credentials_prefixed": (500, InvalidCredentials),
    "err_method_not_allowed": (405, RequestRejected),
    "err_quota_violation": (500, RateLimited),
    "err_spike_arrest_envelope": (500, RateLimited),
    "err_spike_arrest_apigee_fault": (429, RateLimited),
    "err_c2b_register_soap_fault": (500, OutcomeUnknown),
}
QUERIES: dict[str, tuple[int, ResultStatus, str]] = {
    "stk_query_success": (200, ResultStatus.SUCCEEDED, ""),
    "stk_query_cancelled": (200, ResultStatus.FAILED, "1032"),
    "stk_query_timeout": (200, ResultStatus.FAILED, "1037"),
    "stk_query_pending_4999": (200, ResultStatus.PENDING, ""),
    "stk_query_pending_4999_short": (200, ResultStatus.PENDING, ""),
    "stk_query_pending_500": (500, ResultStatus.PENDING, ""),
    "stk_query_too_early_400": (400, ResultStatus.PENDING, ""),
}
# Tested one by one below.
OTHERS = {
    *("stk_err_unable_to_lock_subscriber", "oauth_ok_expires_int", "oauth_ok_expires_string"),
    *("oauth_err_invalid_auth_type", "oauth_err_invalid_grant", "err_no_apiproduct_match"),
    *("err_invalid_access_token_401", "err_invalid_access_token_401_003_01"),
}


def content(name: str) -> bytes:
    return shared_fixture(f"daraja/{name}.json").read_bytes()


def recorded(name: str, status: int = 200) -> Answer:
    return Answer(status, {}, content(name))


def callback_result(name: str) -> Result:
    [event] = make_provider().parse_webhook(webhook(content(name)))
    assert event.provider_reference == json.loads(content(name))["Body"]["stkCallback"]["CheckoutRequestID"]
    assert event.result.provider_reference == event.provider_reference
    return event.result


@pytest.mark.parametrize("name", PAID)
def test_recorded_payments(name: str) -> None:
    amount, receipt, occurred_at = PAID[name]

    result = callback_result(name)

    assert result.status is ResultStatus.SUCCEEDED
    assert result.amount == Money(Decimal(amount), "KES")
    assert (result.receipt, result.occurred_at) == (receipt, occurred_at)
    assert result.payer == (None if name.endswith("dup_items") else PHONE)


@pytest.mark.parametrize("name", DECLINED)
def test_recorded_declines(name: str) -> None:
    code, meaning = DECLINED[name]

    result = callback_result(name)

    assert result.status is ResultStatus.FAILED
    assert result.failure is not None
    assert (result.failure.provider_code, result.failure.code) == (code, meaning)
    assert result.failure.message == json.loads(content(name))["Body"]["stkCallback"]["ResultDesc"]
    assert make_provider().explain_failure(code, language="sw") is not None


@pytest.mark.parametrize("name", ACCEPTED)
def test_recorded_acceptances(name: str) -> None:
    result = push_result(recorded(name), phone=PHONE)

    assert (result.status, result.provider_reference) == (ResultStatus.REQUIRES_ACTION, ACCEPTED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_recorded_refusals(name: str) -> None:
    status, expected = REFUSED[name]

    assert type(refusal(recorded(name, status))) is expected
    with pytest.raises(expected):
        push_result(recorded(name, status), phone=PHONE)


def test_the_recorded_busy_subscriber() -> None:
    result = push_result(recorded("stk_err_unable_to_lock_subscriber", 500), phone=PHONE)

    assert result.status is ResultStatus.FAILED


@pytest.mark.parametrize("name", QUERIES)
def test_recorded_queries(name: str) -> None:
    status, expected, code = QUERIES[name]
    answer = recorded(name, status)
    checkout_id = answer.json().get("CheckoutRequestID", "ws_CO_1")

    result = query_result(answer, checkout_id=checkout_id)

    assert result.status is expected
    assert (result.failure.provider_code if result.failure else "") == code


@pytest.mark.parametrize("name", ["oauth_ok_expires_int", "oauth_ok_expires_string"])
def test_recorded_tokens(name: str) -> None:
    from tests.mpesa.test_client import make_client

    body = content(name)
    client = make_client(ScriptedDaraja(oauth=lambda: httpx.Response(200, content=body)))

    assert client.token() == json.loads(body)["access_token"]


@pytest.mark.parametrize("name", ["oauth_err_invalid_auth_type", "oauth_err_invalid_grant"])
def test_recorded_refusals_of_a_token(name: str) -> None:
    body = content(name)
    provider = make_provider(ScriptedDaraja(oauth=lambda: httpx.Response(400, content=body)))

    with pytest.raises(RequestRejected) as refused:
        provider.check_credentials()
    assert refused.value.code == json.loads(body)["errorCode"]


@pytest.mark.parametrize("name", ["err_invalid_access_token_401", "err_invalid_access_token_401_003_01"])
def test_recorded_refusals_of_an_old_token(name: str) -> None:
    assert refuses_token(recorded(name, 401))
    assert not refuses_product(recorded(name, 401))


def test_the_recorded_refusal_of_a_product() -> None:
    assert refuses_product(recorded("err_no_apiproduct_match", 401))
    assert not refuses_token(recorded("err_no_apiproduct_match", 401))


def all_recorded() -> list[Path]:
    return sorted(shared_fixture("daraja").glob("*.json"))


def test_every_recorded_body_of_this_kind_is_tested_here() -> None:
    kinds = ("stk_", "oauth_", "err_")
    names = {path.stem for path in all_recorded() if path.stem.startswith(kinds)}

    assert names == {*PAID, *DECLINED, *ACCEPTED, *REFUSED, *QUERIES, *OTHERS}


def test_as_a_callback_every_other_recorded_body_is_refused() -> None:
    files = [path for path in all_recorded() if not path.stem.startswith("stk_cb_")]
    assert len(files) > 60

    for path in files:
        with pytest.raises(WebhookRejected):
            make_provider().parse_webhook(webhook(path.read_bytes()))


@pytest.mark.parametrize("status", [200, 400, 500])
def test_as_an_answer_no_recorded_body_crashes_or_invents_a_payment(status: int) -> None:
    for path in all_recorded():
        answer = Answer(status, {}, path.read_bytes())
        read_error(answer)
        pushed = _tried(push_result, answer, phone=PHONE)
        asked = _tried(query_result, answer, checkout_id="ws_CO_other")
        for found in (pushed, asked):
            assert found is None or found.status is not ResultStatus.SUCCEEDED


def _tried(function: Any, answer: Answer, **arguments: str) -> Result | None:
    try:
        result: Result = function(answer, **arguments)
    except (OutcomeUnknown, RequestRejected, InvalidCredentials, RateLimited):
        return None
    return result
