from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import PHONE, Client
from tests.sim.money_client import MoneyClient, parameters


def paid(money: MoneyClient, amount: int = 300) -> str:
    return money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, amount, "ORDER1").receipt


def test_a_payment_is_taken_back_whole(money: MoneyClient) -> None:
    money.sim.set_subscriber(PHONE, balance=1000, names="Jane Doe")
    receipt = paid(money)
    ack = money.reverse(receipt, 300)
    assert ack.body["ResponseCode"] == "0"
    result = money.result()
    movement = money.sim.movements()[-1]
    assert (result["ResultCode"], result["TransactionID"]) == (0, movement.receipt)
    assert parameters(result) == {
        "DebitAccountBalance": "Utility Account|KES|1000000.00|1000000.00|0.00|0.00",
        "Amount": 300,
        "TransCompletedTime": 20260115120002,
        "OriginalTransactionID": receipt,
        "Charge": 0,
        "CreditPartyPublicName": "254712345678 - JANE DOE",
        "DebitPartyPublicName": "174379 - Simulated shop 174379",
    }
    assert (movement.kind, movement.original_receipt, movement.msisdn) == ("reversal", receipt, PHONE)
    assert money.sim.balance(PHONE) == 1000


def test_a_push_can_be_reversed(money: MoneyClient) -> None:
    money.client.pushed(Amount=40)
    money.sim.advance(2)
    money.letters()
    money.reverse(money.sim.payments()[0].receipt, 40)
    assert money.result()["ResultCode"] == 0


def test_a_part_can_be_taken_back_once(money: MoneyClient) -> None:
    receipt = paid(money)
    money.reverse(receipt, 100)
    assert parameters(money.result())["Amount"] == 100
    money.reverse(receipt, 200)
    result = money.result()
    assert (result["ResultCode"], result["ResultDesc"]) == ("R000001", "The transaction has already been reversed.")
    assert list(result) == [
        "ResultType",
        "ResultCode",
        "ResultDesc",
        "OriginatorConversationID",
        "ConversationID",
        "TransactionID",
    ]
    assert result["TransactionID"] == "UAF0000000"
    assert [one.amount for one in money.sim.movements()] == [Decimal(300), Decimal(100)]


def test_parts_can_be_forbidden() -> None:
    mail = CollectingTransport()
    config = DarajaConfig(partial_reversals=False)
    with DarajaSimulator(clock=VirtualClock(), config=config, transport=mail) as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), mail)
        receipt = paid(money)
        money.reverse(receipt, 299)
        assert money.result()["ResultCode"] == 25
        money.reverse(receipt, 300)
        assert money.result()["ResultCode"] == 0


def test_more_than_was_paid_cannot_be_taken_back(money: MoneyClient) -> None:
    money.reverse(paid(money), 301)
    assert money.result()["ResultCode"] == 25
    assert len(money.sim.movements()) == 1


def test_unknown_foreign_and_outgoing_receipts_are_unknown(money: MoneyClient) -> None:
    money.payout()
    money.result()
    foreign = money.sim.pay_till(PHONE, "600101", 50).receipt
    for receipt in ("UAF1234567", foreign, money.sim.movements()[0].receipt):
        money.reverse(receipt, 10)
        assert money.result()["ResultCode"] == "R000002"
    assert len(money.sim.movements()) == 2


def test_what_was_spent_cannot_be_taken_back(money: MoneyClient) -> None:
    receipt = paid(money)
    money.sim.withdraw(SANDBOX_SHORTCODE, 1_000_001)
    money.reverse(receipt, 300)
    assert money.result()["ResultCode"] == 1
    money.sim.fund(SANDBOX_SHORTCODE, 1)
    money.reverse(receipt, 300)
    assert money.result()["ResultCode"] == 0


def test_a_success_may_come_without_parameters_as_of_old(money: MoneyClient) -> None:
    money.sim.script({"event_shape": "no_parameters"}, operation="reversal")
    money.reverse(paid(money), 300)
    result = money.result()
    assert (result["ResultCode"], "ResultParameters" in result) == (0, False)
    assert result["TransactionID"] == money.sim.movements()[-1].receipt


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"CommandID": "Reversal"}, "CommandID"),
        ({"TransactionID": ...}, "TransactionID"),
        ({"TransactionID": "short"}, "TransactionID"),
        ({"Amount": 0}, "Amount"),
        ({"ReceiverParty": "999999"}, "ReceiverParty"),
        ({"RecieverIdentifierType": "4"}, "RecieverIdentifierType"),
        ({"RecieverIdentifierType": ..., "ReceiverIdentifierType": "11"}, "RecieverIdentifierType"),
        ({"Remarks": "x"}, "Remarks"),
        ({"Initiator": ..., "InitiatorName": "testapi"}, "Initiator"),
        ({"ResultURL": "x"}, "ResultURL"),
    ],
)
def test_a_wrong_field_is_named(money: MoneyClient, changes: dict[str, Any], field: str) -> None:
    reply = money.reverse(paid(money), 300, **changes)
    assert reply.error == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert money.sim.jobs() == []


def test_done_but_unheard_of(money: MoneyClient) -> None:
    receipt = paid(money)
    money.sim.script("lost", operation="reversal")
    money.reverse(receipt, 300)
    money.sim.settle()
    assert money.letters() == []
    money.reverse(receipt, 300)
    assert money.result()["ResultCode"] == "R000001"
    assert len(money.sim.movements()) == 2
