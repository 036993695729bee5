from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator, Shortcode
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import PHONE, Client
from tests.sim.money_client import MoneyClient, parameters


def asked(money: MoneyClient, **changes: Any) -> dict[str, Any]:
    money.letters()
    assert money.status(**changes).status == 200
    return money.result()


# Status.


def test_a_payout_is_found_by_its_receipt_and_by_both_ids(money: MoneyClient) -> None:
    ack = money.payout(OriginatorConversationID="po_1", Amount=300)
    money.result()
    receipt = money.sim.movements()[0].receipt
    by_receipt = asked(money, TransactionID=receipt)
    assert parameters(by_receipt) == {
        "DebitPartyName": "174379 - Simulated shop 174379",
        "CreditPartyName": "254712345678 - JOHN DOE",
        "OriginatorConversationID": "po_1",
        "InitiatedTime": "20260115120000",
        "DebitAccountType": "Utility Account",
        "DebitPartyCharges": None,
        "TransactionReason": None,
        "ReasonType": "Business Payment to Customer via API",
        "TransactionStatus": "Completed",
        "FinalisedTime": "20260115120002",
        "Amount": "300",
        "ConversationID": ack.body["ConversationID"],
        "ReceiptNo": receipt,
    }
    assert (by_receipt["ResultCode"], by_receipt["TransactionID"]) == (0, "UAF0000000")
    assert by_receipt["ReferenceData"] == {"ReferenceItem": {"Key": "Occasion"}}
    for name, value in (
        ("OriginatorConversationID", "po_1"),
        ("OriginalConversationID", "po_1"),
        ("OriginalConversationID", ack.body["ConversationID"]),
    ):
        assert parameters(asked(money, **{name: value})) == parameters(by_receipt)


def test_a_missing_value_has_no_value_key(money: MoneyClient) -> None:
    receipt = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A").receipt
    items = asked(money, TransactionID=receipt)["ResultParameters"]["ResultParameter"]
    assert {"Key": "TransactionReason"} in items


def test_a_push_is_found_by_the_ids_of_its_prompt(money: MoneyClient) -> None:
    ack = money.client.push(Amount=40).body
    money.sim.advance(2)
    receipt = money.sim.payments()[0].receipt
    for conversation in (ack["CheckoutRequestID"], ack["MerchantRequestID"]):
        assert parameters(asked(money, OriginalConversationID=conversation))["ReceiptNo"] == receipt


def test_a_request_without_a_result_is_pending_then_known(money: MoneyClient) -> None:
    money.sim.script({"answer_after": 60}, operation="b2c_payment")
    money.payout(OriginatorConversationID="po_1", Amount=5)
    found = parameters(asked(money, OriginatorConversationID="po_1"))
    assert (found["TransactionStatus"], found["ReceiptNo"], found["FinalisedTime"]) == ("Pending", None, None)
    money.sim.advance(60)
    found = parameters(asked(money, OriginatorConversationID="po_1"))
    assert (found["TransactionStatus"], found["ReceiptNo"], found["Amount"]) == ("Failed", None, "5")


@pytest.mark.parametrize(("code", "status"), [("C2B00012", "Cancelled"), (None, "Pending")])
def test_a_customers_payment_that_was_not_taken(money: MoneyClient, code: str | None, status: str) -> None:
    money.register()
    money.sim.set_validation(SANDBOX_SHORTCODE)
    receipt = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A").receipt
    if code:
        money.sim.answer_validation(receipt, code)
    assert parameters(asked(money, TransactionID=receipt))["TransactionStatus"] == status


def test_a_charge_is_told(money: MoneyClient) -> None:
    mail = CollectingTransport()
    config = DarajaConfig(payout_charge=Decimal("22.40"))
    with DarajaSimulator(clock=VirtualClock(), config=config, transport=mail) as sim:
        charged = MoneyClient(sim, Client(sim.base_url, ""), mail)
        charged.payout(OriginatorConversationID="po_1")
        charged.result()
        found = parameters(asked(charged, OriginatorConversationID="po_1"))
        assert found["DebitPartyCharges"] == "Fee For B2C Payment|KES|22.40"


def test_unknown_and_foreign_transactions_are_unknown(money: MoneyClient) -> None:
    foreign = money.sim.pay_till(PHONE, "600101", 50).receipt
    for changes in ({"TransactionID": "UAF1234567"}, {"TransactionID": foreign}, {"OriginatorConversationID": "po_9"}):
        result = asked(money, **changes)
        assert result["ResultCode"] == "R000002"
        assert "ResultParameters" not in result


def test_a_query_is_no_transaction(money: MoneyClient) -> None:
    ack = money.status(TransactionID="UAF1234567").body
    money.result()
    assert asked(money, OriginalConversationID=ack["ConversationID"])["ResultCode"] == "R000002"


def test_keys_may_be_doubled_or_spaced(money: MoneyClient) -> None:
    receipt = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A").receipt
    money.sim.script({"event_shape": "duplicate_keys"}, operation="transaction_status")
    items = asked(money, TransactionID=receipt)["ResultParameters"]["ResultParameter"]
    assert [item["Value"] for item in items if item["Key"] == "DebitPartyName"] == [
        "254712345678 - JOHN DOE",
        "174379 - Simulated shop 174379",
    ]
    money.sim.script({"event_shape": "spaced_keys"}, operation="transaction_status")
    found = parameters(asked(money, TransactionID=receipt))
    assert found["FinalizedTime"] == 20260115120000
    assert "Originator Conversation ID" in found
    assert found["Amount"] == 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "TransactionID"),
        ({"TransactionID": "short"}, "TransactionID"),
        ({"TransactionID": "UAF1234567", "IdentifierType": "11"}, "IdentifierType"),
        ({"TransactionID": "UAF1234567", "PartyA": "999999"}, "PartyA"),
        ({"TransactionID": "UAF1234567", "CommandID": "Query"}, "CommandID"),
        ({"TransactionID": "UAF1234567", "Remarks": ""}, "Remarks"),
        ({"OriginalConversationID": "x" * 101}, "OriginalConversationID"),
    ],
)
def test_a_wrong_field_of_a_status_query_is_named(money: MoneyClient, changes: dict[str, Any], field: str) -> None:
    assert money.status(**changes).error == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert money.sim.jobs() == []


def test_the_token_errors_of_status_and_balance_differ(money: MoneyClient) -> None:
    money.client.token = "stale"
    assert money.status(TransactionID="UAF1234567").error == (400, "400.003.01", "Invalid Access Token")
    assert money.balance().error == (401, "401.002.01", "Error Occurred - Invalid Access Token - XXX")


# Balance.


def test_the_balance_string_has_its_fields_in_order(money: MoneyClient) -> None:
    money.sim.reserve(SANDBOX_SHORTCODE, Decimal("1000.50"))
    money.balance()
    result = money.result()
    assert (result["ResultType"], result["ResultCode"]) == ("0", "0")
    assert parameters(result) == {
        "AccountBalance": "Working Account|KES|1000000.00|1000000.00|0.00|0.00"
        "&Float Account|KES|0.00|0.00|0.00|0.00"
        "&Utility Account|KES|1000000.00|998999.50|1000.50|0.00"
        "&Charges Paid Account|KES|0.00|0.00|0.00|0.00"
        "&Organization Settlement Account|KES|0.00|0.00|0.00|0.00",
        "BOCompletedTime": "20260115120002",
    }


def test_a_till_has_a_merchant_account(money: MoneyClient) -> None:
    money.balance(PartyA="600100")
    text = parameters(money.result())["AccountBalance"]
    assert [part.partition("|")[0] for part in text.split("&")][2] == "Merchant Account"


def test_an_account_may_be_missing(money: MoneyClient) -> None:
    money.sim.script({"event_shape": "account_missing"}, operation="account_balance")
    money.balance()
    text = parameters(money.result())["AccountBalance"]
    assert [part.partition("|")[0] for part in text.split("&")] == [
        "Working Account",
        "Float Account",
        "Charges Paid Account",
        "Organization Settlement Account",
    ]


def test_codes_as_numbers(money: MoneyClient) -> None:
    money.sim.script({"event_shape": "numbers"}, operation="account_balance")
    money.balance()
    result = money.result()
    assert (result["ResultCode"], parameters(result)["BOCompletedTime"]) == (0, 20260115120002)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("plain", {"Key": "BOCompletedTime", "Value": 20260115120002}),
        ("list", [{"Key": "BOCompletedTime", "Value": 20260115120002}]),
    ],
)
def test_a_failure_has_one_parameter_as_an_object_or_a_list(money: MoneyClient, shape: str, expected: Any) -> None:
    money.sim.script({"outcome": "initiator_wrong", "event_shape": shape}, operation="account_balance")
    money.balance()
    result = money.result()
    assert result["ResultCode"] == "2001"
    assert result["ResultParameters"] == {"ResultParameter": expected}


def test_opening_balances_are_settings() -> None:
    mail = CollectingTransport()
    config = DarajaConfig(shortcodes=(Shortcode(number="600200", utility=5, working=7),))
    with DarajaSimulator(clock=VirtualClock(), config=config, transport=mail) as sim:
        assert sim.shortcode_balances("600200") == {
            "working": Decimal(7),
            "float": Decimal(0),
            "utility": Decimal(5),
            "charges": Decimal(0),
            "settlement": Decimal(0),
        }
        with pytest.raises(KeyError):
            sim.shortcode_balances("174379")


def test_queries_have_notices_too(money: MoneyClient) -> None:
    money.sim.script("queue_timeout", operation="account_balance")
    money.balance()
    money.sim.settle()
    assert [path for path, _ in money.letters()] == ["timeout", "result"]
