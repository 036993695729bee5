from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import Client
from tests.sim.money_client import MoneyClient, parameters


def balances(money: MoneyClient, number: str = SANDBOX_SHORTCODE) -> tuple[int, int]:
    found = money.sim.shortcode_balances(number)
    return int(found["working"]), int(found["utility"])


def test_another_organisations_paybill_is_paid_from_the_working_account(money: MoneyClient) -> None:
    money.pay_business(Amount="250", AccountReference="INV-7")
    result = money.result()
    (movement,) = money.sim.movements()
    balance = "{Amount={CurrencyCode=KES, MinimumAmount=99975000, BasicAmount=999750.00}}"
    assert (result["ResultCode"], result["TransactionID"]) == (0, movement.receipt)
    assert parameters(result) == {
        "InitiatorAccountCurrentBalance": balance,
        "DebitAccountCurrentBalance": balance,
        "Amount": 250,
        "DebitPartyAffectedAccountBalance": "Working Account|KES|999750.00|999750.00|0.00|0.00",
        "TransCompletedTime": 20260115120002,
        "DebitPartyCharges": None,
        "ReceiverPartyPublicName": "600000 - Another organisation",
        "Currency": "KES",
    }
    assert result["ReferenceData"]["ReferenceItem"] == [
        {"Key": "BillReferenceNumber", "Value": "INV-7"},
        {"Key": "QueueTimeoutURL", "Value": "https://internal.majuu-sim.invalid/b2bresults/v1/submit"},
        {"Key": "Occasion"},
    ]
    assert balances(money) == (999_750, 1_000_000)
    assert (movement.kind, movement.account_reference) == ("b2b", "INV-7")


@pytest.mark.parametrize(
    ("changes", "receiver"),
    [
        ({"CommandID": "BusinessBuyGoods", "PartyB": "600101", "RecieverIdentifierType": "2"}, "600100"),
        ({"CommandID": "BusinessBuyGoods", "PartyB": "600101", "AccountReference": ...}, "600100"),
        ({"CommandID": "BusinessPayToBulk", "PartyB": "600100"}, "600100"),
        ({"CommandID": "MerchantToMerchantTransfer", "PartyB": "600100"}, "600100"),
    ],
)
def test_money_to_one_of_ours_arrives_there(money: MoneyClient, changes: dict[str, Any], receiver: str) -> None:
    money.pay_business(**changes)
    assert money.result()["ResultCode"] == 0
    assert balances(money) == (999_900, 1_000_000)
    assert balances(money, receiver) == (1_000_000, 1_000_100)
    (movement,) = money.sim.movements()
    assert movement.shortcodes == {SANDBOX_SHORTCODE, receiver}


def test_a_top_up_moves_working_money_to_the_utility_account(money: MoneyClient) -> None:
    money.pay_business(CommandID="BusinessTransferFromMMFToUtility", PartyB=SANDBOX_SHORTCODE, AccountReference="")
    assert money.result()["ResultCode"] == 0
    assert balances(money) == (999_900, 1_000_100)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CommandID": "DisburseFundsToBusiness"}, 21),
        ({"PartyB": "999999"}, "SFC_IC0003"),
        ({"PartyB": "600101"}, "SFC_IC0003"),
        ({"CommandID": "BusinessBuyGoods", "PartyB": SANDBOX_SHORTCODE}, "SFC_IC0003"),
        ({"CommandID": "BusinessTransferFromMMFToUtility", "PartyB": "600100"}, "SFC_IC0003"),
        ({"Amount": 1_000_001}, 1),
    ],
)
def test_what_cannot_be_paid_fails_and_moves_nothing(money: MoneyClient, changes: dict[str, Any], code: Any) -> None:
    money.pay_business(**changes)
    result = money.result()
    assert result["ResultCode"] == code
    assert result["ResultParameters"]["ResultParameter"] == {"Key": "BOCompletedTime", "Value": 20260115120002}
    assert money.sim.movements() == []


def test_a_charge_is_told_and_booked_apart() -> None:
    mail = CollectingTransport()
    config = DarajaConfig(b2b_charge=Decimal(77))
    with DarajaSimulator(clock=VirtualClock(), config=config, transport=mail) as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), mail)
        money.pay_business()
        assert parameters(money.result())["DebitPartyCharges"] == "Business Pay Bill Charge|KES|77.00"
        assert sim.shortcode_balances(SANDBOX_SHORTCODE)["charges"] == Decimal(-77)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"CommandID": "Pay"}, "CommandID"),
        ({"SenderIdentifierType": "2"}, "SenderIdentifierType"),
        ({"RecieverIdentifierType": "2"}, "RecieverIdentifierType"),
        ({"RecieverIdentifierType": ...}, "RecieverIdentifierType"),
        ({"Amount": 0}, "Amount"),
        ({"PartyB": "12"}, "PartyB"),
        ({"AccountReference": ...}, "AccountReference"),
        ({"AccountReference": "x" * 14}, "AccountReference"),
        ({"Requester": "0712345678"}, "Requester"),
        ({"Remarks": ...}, "Remarks"),
    ],
)
def test_a_wrong_field_is_named(money: MoneyClient, changes: dict[str, Any], field: str) -> None:
    assert money.pay_business(**changes).error == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert money.sim.jobs() == []
