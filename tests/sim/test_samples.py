"""What the simulator says, beside samples of what the real one says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from majuu_sim.daraja import DarajaSimulator
from majuu_sim.faults import FaultScript
from tests.shared_files import shared_fixture
from tests.sim.daraja_client import Client, Receiver, basic


def sample(name: str) -> Any:
    return json.loads(shared_fixture(f"daraja/{name}.json").read_text())


def shape(value: Any) -> Any:
    """The skeleton: keys and kinds, not values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("stk_cb_cancelled_1032", "cancel"),
        ("stk_cb_expired_1019", "expired"),
        ("stk_cb_insufficient_1", "insufficient"),
        ("stk_cb_not_permitted_2028", "not_permitted"),
        ("stk_cb_operator_SFC_IC0003", "unknown_operator"),
        ("stk_cb_pin_locked_8006", "pin_locked"),
        ("stk_cb_push_error_1025", "push_error"),
        ("stk_cb_push_error_9999", "push_failed"),
        ("stk_cb_system_busy_26", "system_busy"),
        ("stk_cb_timeout_1037", "timeout"),
        ("stk_cb_wrong_pin_2001", "wrong_pin"),
    ],
)
def test_failures_are_called_back_as_in_the_samples(
    sim: DarajaSimulator, client: Client, receiver: Receiver, name: str, code: str
) -> None:
    expected = sample(name)["Body"]["stkCallback"]
    sim.script(code)
    client.pushed()
    sim.settle()
    (seen,) = receiver.seen
    assert shape(seen) == shape(expected)
    assert list(seen) == list(expected)
    assert (seen["ResultCode"], seen["ResultDesc"]) == (expected["ResultCode"], expected["ResultDesc"])


@pytest.mark.parametrize(
    ("name", "event_shape"),
    [
        ("stk_cb_success_2026_int_amount", "plain"),
        ("stk_cb_success_official", "decimal"),
        ("stk_cb_success_balance_no_value", "balance_without_value"),
    ],
)
def test_successes_are_called_back_as_in_the_samples(
    sim: DarajaSimulator, client: Client, receiver: Receiver, name: str, event_shape: str
) -> None:
    expected = sample(name)["Body"]["stkCallback"]
    sim.script(FaultScript(event_shape=event_shape))
    client.pushed(phone="254708374149")
    sim.settle()
    (seen,) = receiver.seen
    assert shape(seen) == shape(expected)
    names = [item["Name"] for item in expected["CallbackMetadata"]["Item"]]
    assert [item["Name"] for item in seen["CallbackMetadata"]["Item"]] == names
    if event_shape == "plain":  # the sample of today's format
        assert len(seen["CheckoutRequestID"]) == len(expected["CheckoutRequestID"])


def test_an_acknowledgement_is_as_in_the_sample(client: Client) -> None:
    expected = sample("stk_ack_new_ids")
    reply = client.push()
    assert shape(reply.body) == shape(expected)
    fixed = ("ResponseCode", "ResponseDescription", "CustomerMessage")
    assert [reply.body[name] for name in fixed] == [expected[name] for name in fixed]


def test_queries_are_answered_as_in_the_samples(sim: DarajaSimulator, client: Client) -> None:
    checkout = client.pushed(phone="254700000004")
    for name in ("stk_query_pending_4999", "stk_query_timeout"):
        expected, body = sample(name), client.query(checkout).body
        assert list(body) == list(expected)
        assert shape(body) == shape(expected)
        fixed = ("ResponseCode", "ResponseDescription", "ResultCode", "ResultDesc")
        assert [body[key] for key in fixed] == [expected[key] for key in fixed]
        sim.advance(60)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("stk_err_invalid_amount", {"Amount": 0}),
        ("stk_err_invalid_phone", {"PhoneNumber": "0712"}),
        ("stk_err_invalid_shortcode", {"BusinessShortCode": "x"}),
        ("stk_err_invalid_timestamp", {"Timestamp": "x"}),
        ("stk_err_wrong_credentials_prefixed", {"Password": "x"}),
    ],
)
def test_refusals_are_as_in_the_samples(client: Client, name: str, changes: dict[str, Any]) -> None:
    expected, body = sample(name), client.push(**changes).body
    assert {**body, "requestId": ""} == {**expected, "requestId": ""}


def test_other_errors_are_as_in_the_samples(sim: DarajaSimulator, client: Client) -> None:
    checkout = client.pushed()
    assert client.push(Amount=3).body["errorMessage"] == sample("stk_err_unable_to_lock_subscriber")["errorMessage"]
    missing = client.query("ws_CO_1").body
    assert {**missing, "requestId": ""} == {**sample("stk_query_too_early_400"), "requestId": ""}
    sim.script("spike_arrest", operation="stk_query")
    assert client.query(checkout).body == sample("err_spike_arrest_apigee_fault")


def test_token_answers_are_as_in_the_samples(client: Client) -> None:
    assert shape(client.fetch_token().body) == shape(sample("oauth_ok_expires_string"))
    for name, reply in (
        ("oauth_err_invalid_auth_type", client.fetch_token("Bearer x")),
        ("oauth_err_invalid_grant", client.fetch_token(basic(), "/oauth/v1/generate")),
    ):
        assert {**reply.body, "requestId": ""} == {**sample(name), "requestId": ""}
