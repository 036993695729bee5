from __future__ import annotations

from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaConfig, DarajaSimulator
from majuu_sim.daraja.results import RESULTS
from majuu_sim.faults import FaultScript
from tests.sim.daraja_client import NO_ANSWER, PHONE, Client, Receiver


@pytest.mark.parametrize("name", sorted(set(RESULTS) - {"pay"}))
def test_every_failure_is_called_back_without_metadata_and_takes_no_money(
    sim: DarajaSimulator, client: Client, receiver: Receiver, name: str
) -> None:
    sim.script(name)
    checkout = client.pushed()
    sim.settle()
    result = RESULTS[name]
    assert [sorted(one) for one in receiver.seen] == [
        ["CheckoutRequestID", "MerchantRequestID", "ResultCode", "ResultDesc"]
    ]
    assert receiver.codes == [int(result.code) if result.code.isdecimal() else result.code]
    assert client.result(checkout) == result.code
    assert sim.payments() == []


@pytest.mark.parametrize(
    ("digits", "code"),
    [
        ("00", 0),
        ("01", 1032),
        ("02", 1),
        ("03", 2001),
        ("04", 1037),
        ("05", 1019),
        ("10", "SFC_IC0003"),
        ("11", 8006),
        ("12", 1025),
        ("13", 26),
        ("28", 0),
        ("29", 1037),
    ],
)
def test_magic_numbers_end_as_documented(
    sim: DarajaSimulator, client: Client, receiver: Receiver, digits: str, code: Any
) -> None:
    client.pushed(phone=f"2547000000{digits}")
    sim.settle()
    assert receiver.codes == [code]
    assert len(sim.payments()) == (1 if code == 0 else 0)


def test_magic_numbers_can_be_switched_off() -> None:
    config = DarajaConfig(magic_numbers=False)
    with DarajaSimulator(clock=VirtualClock(), config=config) as sim:
        sim.script(FaultScript(event_lost=True))
        Client(sim.base_url, "http://127.0.0.1:9/x").pushed(phone="254700000001")
        sim.advance(2)
        assert len(sim.payments()) == 1


def test_a_prompt_nobody_answers_ends_after_a_minute(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    client.pushed(phone="254700000004")
    sim.advance(59.9)
    assert receiver.seen == []
    sim.advance(0.1)
    assert receiver.codes == [1037]


def test_a_purse_pays_until_it_is_empty(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.set_subscriber(PHONE, balance=150)
    for amount in (100, 51, 50):
        client.pushed(Amount=amount)
        sim.advance(2)
    assert receiver.codes == [0, 1, 0]
    assert sim.balance(PHONE) == 0
    assert [payment.amount for payment in sim.payments()] == [100, 50]


def test_everybodys_purse_can_have_a_bottom() -> None:
    with DarajaSimulator(clock=VirtualClock(), config=DarajaConfig(default_balance=99)) as sim:
        client = Client(sim.base_url, "http://127.0.0.1:9/x")
        client.pushed(Amount=100)
        client.pushed(Amount=60, phone="254711111111")
        sim.advance(2)
        assert [payment.amount for payment in sim.payments()] == [60]
        assert (sim.balance(PHONE), sim.balance("254711111111")) == (99, 39)


def test_a_customer_keeps_a_habit_until_it_is_changed(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.set_subscriber(PHONE, script="cancel")
    for amount in (1, 2):
        client.pushed(Amount=amount)
        sim.advance(2)
    sim.set_subscriber(PHONE)
    client.pushed(Amount=3)
    sim.advance(2)
    assert receiver.codes == [1032, 1032, 0]


def test_a_queued_script_comes_before_a_habit_and_a_habit_before_magic(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    magic = "254700000001"
    sim.set_subscriber(magic, script="wrong_pin")
    sim.script("timeout", customer=magic)
    client.pushed(phone="254700000002")
    client.pushed(phone=magic)
    sim.settle()
    client.pushed(phone=magic)
    sim.settle()
    assert receiver.codes == [1, 1037, 2001]


def test_a_prompt_left_to_be_answered_by_hand(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script("manual", "manual")
    first = client.pushed()
    sim.advance(30)
    assert sim.answer(first).receipt == sim.payments()[0].receipt
    second = client.pushed(Amount=5)
    assert sim.answer(PHONE, "cancel").checkout_request_id == second
    assert receiver.codes == [0, 1032]
    with pytest.raises(KeyError):
        sim.answer(second)
    with pytest.raises(ValueError, match="unknown outcome 'manual'"):
        sim.answer(second, "manual")
    assert sim.settle() == 0
    assert len(receiver.seen) == 2


def test_a_push_to_the_wrong_till_cannot_be_paid_by_hand_either(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    client.pushed(PartyB="600101")
    sim.answer(PHONE, "pay")
    assert receiver.codes == ["SFC_IC0003"]
    assert sim.payments() == []


@pytest.mark.parametrize("msisdn", ["0712345678", "25471234567", "255712345678", ""])
def test_a_customer_who_cannot_exist_is_refused(sim: DarajaSimulator, msisdn: str) -> None:
    with pytest.raises(ValueError, match="a customer is a number like"):
        sim.set_subscriber(msisdn, balance=1)
    with pytest.raises(ValueError, match="a customer is a number like"):
        sim.script("cancel", customer=msisdn)
    assert sim.state()["subscribers"] == []
    assert sim.state()["faults"] == []


@pytest.mark.parametrize("balance", [-1, 1.5, True])
def test_a_balance_is_whole_and_not_negative(sim: DarajaSimulator, balance: Any) -> None:
    with pytest.raises(ValueError, match="a balance is a whole number"):
        sim.set_subscriber(PHONE, balance=balance)
    assert sim.balance(PHONE) is None


@pytest.mark.parametrize("digits", ["06", "07", "08", "09", "14", "15", "17", "19", "23", "25", "26", "27", "30"])
def test_magic_numbers_whose_money_moves_whatever_is_heard_of_it(
    sim: DarajaSimulator, client: Client, digits: str
) -> None:
    try:
        client.push(phone=f"2547000000{digits}")
    except NO_ANSWER:
        assert digits in ("15", "30")
    sim.settle()
    assert [payment.amount for payment in sim.payments()] == [100]


@pytest.mark.parametrize("digits", ["16", "18", "20", "21", "22", "24"])
def test_magic_numbers_whose_money_stays_whatever_is_said(sim: DarajaSimulator, client: Client, digits: str) -> None:
    try:
        client.push(phone=f"2547000000{digits}")
    except NO_ANSWER:
        assert digits == "16"
    sim.settle()
    assert sim.payments() == []
