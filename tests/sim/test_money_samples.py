"""What the simulator says of C2B, payouts and the like, beside samples of what the real one says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from majuu_sim.daraja import SANDBOX_SHORTCODE
from tests.shared_files import shared_fixture
from tests.sim.money_client import MoneyClient
from tests.sim.test_qr_and_pull import generate, open_pull, pull

CUSTOMER = "254708374149"


def sample(name: str) -> Any:
    return json.loads(shared_fixture(f"daraja/{name}.json").read_text())


def shape(value: Any) -> Any:
    """Keys and kinds. Whole and broken numbers are one kind, and lists are judged by what is in them."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def kinds(result: dict[str, Any]) -> dict[str, Any]:
    """Of a result: its own keys and kinds, and the parameters as key → kind whatever their order."""
    items = result["ResultParameters"]["ResultParameter"]
    listed = items if isinstance(items, list) else [items]
    outer = {key: shape(value) for key, value in result.items() if key not in ("ResultParameters", "ReferenceData")}
    return {**outer, "parameters": sorted((item["Key"], shape(item.get("Value"))) for item in listed)}


@pytest.mark.parametrize(
    ("name", "version", "receiver", "script"),
    [
        ("c2b_confirmation_v1_sha256_msisdn", "v1", SANDBOX_SHORTCODE, None),
        ("c2b_confirmation_v1_sha256_2025", "v1", SANDBOX_SHORTCODE, None),
        ("c2b_confirmation_v2_masked", "v2", SANDBOX_SHORTCODE, None),
        ("c2b_confirmation_firstname_only", "v1", SANDBOX_SHORTCODE, {"event_shape": "first_name_only"}),
        ("c2b_confirmation_till_production_shape", "v1", "600101", None),
        ("c2b_validation_2017", "v1", SANDBOX_SHORTCODE, {"event_shape": "untyped"}),
    ],
)
def test_confirmations_have_the_samples_keys_in_their_order(
    money: MoneyClient, name: str, version: str, receiver: str, script: Any
) -> None:
    expected = sample(name)
    money.register(version, ShortCode=receiver)
    pay = money.sim.pay_till if receiver == "600101" else money.sim.pay_paybill
    account = () if receiver == "600101" else ("A",)
    pay(CUSTOMER, receiver, 10, *account, script=script)
    ((_, body),) = money.letters()
    assert list(body) == list(expected)
    assert shape(body) == shape(expected)
    assert body["TransactionType"] == expected["TransactionType"]


@pytest.mark.parametrize(
    ("name", "version", "receiver"),
    [
        ("c2b_confirmation_v1_sha256_msisdn", "v1", SANDBOX_SHORTCODE),
        ("c2b_confirmation_till_production_shape", "v1", "600101"),
    ],
)
def test_the_samples_customer_is_written_to_the_letter(
    money: MoneyClient, name: str, version: str, receiver: str
) -> None:
    money.register(version, ShortCode=receiver)
    if receiver == "600101":
        money.sim.pay_till(CUSTOMER, receiver, 1)
    else:
        money.sim.pay_paybill(CUSTOMER, receiver, 1, "A")
    assert money.letters()[0][1]["MSISDN"] == sample(name)["MSISDN"]


def test_registrations_and_simulations_are_acknowledged_as_in_the_samples(money: MoneyClient) -> None:
    assert money.register("v1").body == sample("c2b_register_ack_v1")
    for name, body in (
        ("c2b_register_ack_v2", money.register("v2").body),
        ("c2b_simulate_ack_v1", money.simulate("v1").body),
        ("c2b_simulate_ack_v2", money.simulate("v2").body),
    ):
        expected = sample(name)
        assert (list(body), shape(body)) == (list(expected), shape(expected))
        assert body["ResponseDescription"] == expected["ResponseDescription"]


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("c2b_register_err_already", "already_registered"), ("err_c2b_register_soap_fault", "soap_fault")],
)
def test_registrations_are_refused_as_in_the_samples(money: MoneyClient, name: str, outcome: str) -> None:
    money.sim.script(outcome, operation="c2b_register")
    body, expected = money.register().body, sample(name)
    if "requestId" in expected:
        body, expected = {**body, "requestId": ""}, {**expected, "requestId": ""}
    assert body == expected


def test_requests_are_acknowledged_as_in_the_sample(money: MoneyClient) -> None:
    expected = sample("async_ack")
    for body in (money.payout("v1").body, money.balance().body, money.reverse("UAF1234567", 5).body):
        assert (list(body), shape(body)) == (list(expected), shape(expected))
        assert (body["ResponseCode"], body["ResponseDescription"]) == (
            expected["ResponseCode"],
            expected["ResponseDescription"],
        )


def test_a_v3_payout_is_refused_as_in_the_sample(money: MoneyClient) -> None:
    from majuu_sim.daraja import refusals

    expected, made = sample("b2c_err_not_authorized_v3"), refusals.not_authorized()
    assert (made.code, made.message) == (expected["errorCode"], expected["errorMessage"])


@pytest.mark.parametrize("name", ["b2c_result_success", "b2c_result_success_2017"])
def test_a_paid_payout_is_told_as_in_the_samples(money: MoneyClient, name: str) -> None:
    money.payout()
    result, expected = money.result(), sample(name)["Result"]
    assert kinds(result) == kinds(expected)
    assert shape(result["ReferenceData"]) == shape(expected["ReferenceData"])


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("b2c_result_fail_2001", "initiator_wrong"),
        ("b2c_result_fail_21_role", "initiator_not_allowed"),
        ("b2c_result_fail_2_below_min", "below_minimum"),
        ("b2c_result_fail_8006_locked", "initiator_locked"),
        ("b2c_result_fail_TP40153", "no_api_permission"),
    ],
)
def test_failed_payouts_are_told_as_in_the_samples(money: MoneyClient, name: str, outcome: str) -> None:
    money.sim.script(outcome, operation="b2c_payment")
    money.payout()
    result, expected = money.result(), sample(name)["Result"]
    assert (list(result), shape(result)) == (list(expected), shape(expected))
    assert (result["ResultCode"], result["ResultDesc"]) == (expected["ResultCode"], expected["ResultDesc"])
    assert result["TransactionID"].endswith("0000000") == expected["TransactionID"].endswith("0000000")


def test_a_notice_is_as_in_the_sample(money: MoneyClient) -> None:
    money.sim.script("queue_timeout_lost", operation="b2c_payment")
    money.payout()
    money.sim.settle()
    assert shape(money.letters()[0][1]) == shape(sample("queue_timeout_guess"))


def test_reversals_are_told_as_in_the_samples(money: MoneyClient) -> None:
    receipt = money.sim.pay_paybill(CUSTOMER, SANDBOX_SHORTCODE, 1, "A").receipt
    for name in ("reversal_result_success", "reversal_result_fail_R000001"):
        money.reverse(receipt, 1)
        result, expected = money.result(), sample(name)["Result"]
        assert list(result) == list(expected)
        if "ResultParameters" in expected:
            assert kinds(result) == kinds(expected)
        assert (result["ResultCode"], result["ResultDesc"]) == (expected["ResultCode"], expected["ResultDesc"])


@pytest.mark.parametrize(
    ("name", "script"),
    [("status_result_official", "duplicate_keys"), ("status_result_2017_spaced_keys", "spaced_keys")],
)
def test_statuses_are_told_with_the_samples_keys(money: MoneyClient, name: str, script: str) -> None:
    money.payout(OriginatorConversationID="po_1", Amount=300)
    money.result()
    money.sim.script({"event_shape": script}, operation="transaction_status")
    money.status(OriginatorConversationID="po_1")
    result, expected = money.result(), sample(name)["Result"]
    names = [sorted(key for key, _ in kinds(one)["parameters"]) for one in (result, expected)]
    assert names[0] == names[1]
    assert {"Key": "TransactionReason"} in result["ResultParameters"]["ResultParameter"]


def test_a_failed_status_query_is_as_in_the_sample(money: MoneyClient) -> None:
    money.sim.script("invalid_parameter", operation="transaction_status")
    money.status(TransactionID="UAF1234567")
    result, expected = money.result(), sample("status_result_fail_25")["Result"]
    assert (list(result), shape(result)) == (list(expected), shape(expected))
    assert (result["ResultCode"], result["ResultDesc"]) == (expected["ResultCode"], expected["ResultDesc"])


@pytest.mark.parametrize(("name", "script"), [("balance_result_official", "plain"), ("balance_result_2017", "numbers")])
def test_balances_are_told_as_in_the_samples(money: MoneyClient, name: str, script: str) -> None:
    money.sim.script({"event_shape": script}, operation="account_balance")
    money.balance()
    result, expected = money.result(), sample(name)["Result"]
    if name == "balance_result_2017":
        expected["ResultType"] = result["ResultType"]
    assert kinds(result) == kinds(expected)
    accounts = [
        [part.split("|")[0] for part in one["ResultParameters"]["ResultParameter"][0]["Value"].split("&")]
        for one in (result, expected)
    ]
    assert accounts[0] == accounts[1]


def test_a_failed_balance_query_has_a_single_parameter_as_in_the_sample(money: MoneyClient) -> None:
    money.sim.script({"outcome": "initiator_wrong", "event_shape": "numbers"}, operation="account_balance")
    money.balance()
    result, expected = money.result(), sample("balance_result_fail_2001_single_param")["Result"]
    assert shape(result) == shape(expected)
    assert result["ResultCode"] == expected["ResultCode"]


def test_b2b_is_told_as_in_the_samples(money: MoneyClient) -> None:
    expected = sample("b2b_result_success_2017")["Result"]
    money.pay_business()
    result = money.result()
    assert [key for key, _ in kinds(result)["parameters"]] == [key for key, _ in kinds(expected)["parameters"]]
    assert [item["Key"] for item in result["ReferenceData"]["ReferenceItem"]] == [
        item["Key"] for item in expected["ReferenceData"]["ReferenceItem"]
    ]
    money.pay_business(Initiator="nobody")
    assert shape(money.result()) == shape(sample("b2b_result_fail_2001")["Result"])


def test_null_parameters_are_as_in_the_sample(money: MoneyClient) -> None:
    money.sim.script({"event_shape": "null_parameters"}, operation="b2c_payment")
    money.payout()
    assert money.result()["ResultParameters"] == sample("malformed_result_params_null")["Result"]["ResultParameters"]


def test_qr_and_pull_are_answered_as_in_the_samples(money: MoneyClient) -> None:
    assert shape(generate(money).body) == shape(sample("qr_ok_v3doc"))
    for name in ("pull_register_ok_v3doc", "pull_register_already_spaced"):
        body, expected = open_pull(money).body, sample(name)
        assert (list(body), shape(body)) == (list(expected), shape(expected))
    assert shape(pull(money).body) == shape(sample("pull_query_none"))
    for amount in (168, 647):
        money.sim.pay_paybill(CUSTOMER, SANDBOX_SHORTCODE, amount, "A")
    assert shape(pull(money).body) == shape(sample("pull_query_ok"))
