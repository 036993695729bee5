from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import PHONE, Client
from tests.sim.money_client import MoneyClient, Shop


def with_settings(**settings: Any) -> tuple[DarajaSimulator, CollectingTransport]:
    mail = CollectingTransport()
    return DarajaSimulator(seed=1, clock=VirtualClock(), config=DarajaConfig(**settings), transport=mail), mail


# Confirmations.


def test_a_paybill_payment_is_confirmed_with_a_masked_number_under_v2(money: MoneyClient) -> None:
    money.register("v2")
    payment = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 250, "ORDER 7", names="Jane Wanjiru Doe")
    assert (payment.state, payment.result, payment.shortcode) == ("completed", "0", SANDBOX_SHORTCODE)
    assert money.letters() == [
        (
            "confirmation",
            {
                "TransactionType": "Pay Bill",
                "TransID": payment.receipt,
                "TransTime": "20260115120000",
                "TransAmount": "250.00",
                "BusinessShortCode": "174379",
                "BillRefNumber": "ORDER 7",
                "InvoiceNumber": "",
                "OrgAccountBalance": "1000250.00",
                "ThirdPartyTransID": "",
                "MSISDN": "2547 ***** 678",
                "FirstName": "Jane",
                "MiddleName": "Wanjiru",
                "LastName": "Doe",
            },
        )
    ]


def test_v1_hashes_the_number(money: MoneyClient) -> None:
    money.register("v1")
    money.sim.pay_paybill("254708374149", SANDBOX_SHORTCODE, 1, "A")
    ((_, body),) = money.letters()
    assert body["MSISDN"] == "bbff37cea44ac0b2d964ee0dfb8d2df8513dc7ba1b36129a929fc3fbd6dd4af4"
    assert body["MSISDN"] == hashlib.sha256(b"254708374149").hexdigest()
    assert (body["FirstName"], body["MiddleName"], body["LastName"]) == ("John", "", "Doe")


@pytest.mark.parametrize("registered", ["600101", "600100"])
def test_a_till_is_told_in_the_shape_of_production(money: MoneyClient, registered: str) -> None:
    money.register("v1", ShortCode=registered)
    payment = money.sim.pay_till("254708374149", "600101", 11720)
    ((path, body),) = money.letters()
    assert path == "confirmation"
    assert body == {
        "TransactionType": "Customer Merchant Payment",
        "TransID": payment.receipt,
        "TransTime": "20260115120000",
        "TransAmount": "11720.00",
        "BusinessShortCode": "600101",
        "BillRefNumber": "",
        "InvoiceNumber": "",
        "OrgAccountBalance": "1011720.00",
        "ThirdPartyTransID": "",
        "MSISDN": "bbff37cea44ac0b2d964ee0dfb8d2df851 ***** 36129a929fc3fbd6dd4af4",
        "FirstName": "JOHN",
    }


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("plain_number", {"MSISDN": PHONE, "LastName": "Doe"}),
        ("untyped", {"TransactionType": "", "MSISDN": PHONE}),
        ("v1", {"MSISDN": hashlib.sha256(PHONE.encode()).hexdigest()}),
        ("v2", {"MSISDN": "2547 ***** 678"}),
    ],
)
def test_other_shapes_on_request(money: MoneyClient, shape: str, expected: dict[str, str]) -> None:
    money.register("v2")
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A", script={"event_shape": shape})
    ((_, body),) = money.letters()
    assert {name: body[name] for name in expected} == expected


def test_names_can_be_missing_but_for_the_first(money: MoneyClient) -> None:
    money.register("v2")
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A", script={"event_shape": "first_name_only"})
    ((_, body),) = money.letters()
    assert [name for name in body if name.endswith("Name")] == ["FirstName"]
    assert body["FirstName"] == "JOHN"


def test_tills_as_the_documentation_has_them(money: MoneyClient) -> None:
    money.register("v2", ShortCode="600101")
    money.sim.pay_till(PHONE, "600101", 5, script={"event_shape": "buy_goods"})
    assert money.letters()[0][1]["TransactionType"] == "Buy Goods"


def test_without_addresses_the_money_arrives_and_nobody_hears(money: MoneyClient) -> None:
    payment = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 250, "A")
    assert payment.state == "completed"
    assert money.letters() == []
    assert money.sim.shortcode_balances(SANDBOX_SHORTCODE)["utility"] == Decimal(1000250)


def test_a_purse_pays_what_it_holds(money: MoneyClient) -> None:
    money.register()
    money.sim.set_subscriber(PHONE, balance=100, names="Asha Noor")
    assert money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 60, "A").names == "Asha Noor"
    declined = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 60, "A")
    assert (declined.state, declined.result) == ("declined", "1")
    assert money.sim.balance(PHONE) == 40
    assert len(money.letters()) == 1
    assert [one.amount for one in money.sim.movements()] == [Decimal(60)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("0712345678", SANDBOX_SHORTCODE, 5, "A"), ValueError, "a customer is a number"),
        ((PHONE, "999999", 5, "A"), KeyError, "999999"),
        ((PHONE, "600101", 5, "A"), ValueError, "600101 is a till"),
        ((PHONE, "600100", 5, "A"), ValueError, "the number of a store"),
        ((PHONE, SANDBOX_SHORTCODE, 0, "A"), ValueError, "an amount is a whole number"),
        ((PHONE, SANDBOX_SHORTCODE, 1.5, "A"), ValueError, "an amount is a whole number"),
        ((PHONE, SANDBOX_SHORTCODE, 250_001, "A"), ValueError, "an amount is a whole number"),
        ((PHONE, SANDBOX_SHORTCODE, 5, ""), ValueError, "an account has 1 to 20"),
        ((PHONE, SANDBOX_SHORTCODE, 5, "x" * 21), ValueError, "an account has 1 to 20"),
    ],
)
def test_what_a_telephone_would_not_send_is_refused(
    money: MoneyClient, arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    money.register()
    with pytest.raises(error, match=message):
        money.sim.pay_paybill(*arguments)
    assert (money.sim.c2b_payments(), money.sim.movements(), money.letters()) == ([], [], [])


def test_a_paybill_is_no_till(money: MoneyClient) -> None:
    with pytest.raises(ValueError, match="174379 is a paybill"):
        money.sim.pay_till(PHONE, SANDBOX_SHORTCODE, 5)


# Simulate.


def test_the_sandbox_pretends_payments(money: MoneyClient) -> None:
    money.register()
    reply = money.simulate("v2", Amount=40)
    assert list(reply.body) == ["OriginatorCoversationID", "ResponseCode", "ResponseDescription"]
    assert (reply.body["ResponseCode"], money.letters()) == ("0", [])
    money.sim.advance(2)
    ((path, body),) = money.letters()
    assert (path, body["TransAmount"], body["BillRefNumber"]) == ("confirmation", "40.00", "ORDER1")
    assert [one.receipt for one in money.sim.movements()] == [body["TransID"]]


def test_simulate_v1_answers_as_of_old(money: MoneyClient) -> None:
    body = money.simulate("v1").body
    assert list(body) == ["ConversationID", "OriginatorCoversationID", "ResponseDescription"]
    assert body["ConversationID"].startswith("AG_20260115_")


def test_simulate_pays_tills_without_a_reference(money: MoneyClient) -> None:
    reply = money.simulate(ShortCode="600101", CommandID="CustomerBuyGoodsOnline", BillRefNumber=None)
    assert reply.status == 200
    money.sim.advance(2)
    assert [one.reason for one in money.sim.movements()] == ["Customer Merchant Payment"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ShortCode": "999999"}, "ShortCode"),
        ({"CommandID": "CustomerBuyGoodsOnline"}, "CommandID"),
        ({"CommandID": "Pay"}, "CommandID"),
        ({"Amount": 0}, "Amount"),
        ({"Amount": "1.5"}, "Amount"),
        ({"Amount": 250_001}, "Amount"),
        ({"Msisdn": "0712345678"}, "Msisdn"),
        ({"BillRefNumber": ...}, "BillRefNumber"),
        ({"BillRefNumber": "x" * 21}, "BillRefNumber"),
    ],
)
def test_a_wrong_simulation_pays_nothing(money: MoneyClient, changes: dict[str, Any], field: str) -> None:
    assert money.simulate(**changes).error == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert money.sim.settle() == 0
    assert money.sim.movements() == []


# Pushes.


def test_a_paid_push_is_confirmed_too_with_the_same_receipt(money: MoneyClient) -> None:
    money.register()
    money.client.pushed(Amount=70)
    money.sim.advance(2)
    (push, confirmation) = money.letters()
    receipt = money.sim.payments()[0].receipt
    assert (push[0], confirmation[0]) == ("push", "confirmation")
    assert confirmation[1]["TransID"] == receipt
    assert (confirmation[1]["TransAmount"], confirmation[1]["BillRefNumber"]) == ("70.00", "ORDER1")
    assert confirmation[1]["OrgAccountBalance"] == "1000070.00"
    assert [one.receipt for one in money.sim.movements()] == [receipt]


def test_the_confirmation_of_a_push_may_come_first(money: MoneyClient) -> None:
    money.register()
    money.sim.script({"event_before_reply": True}, operation="stk_confirmation")
    money.client.pushed()
    money.sim.advance(2)
    assert [path for path, _ in money.letters()] == ["confirmation", "push"]


def test_the_confirmation_of_a_push_has_faults_of_its_own(money: MoneyClient) -> None:
    money.register()
    money.sim.script("duplicate", operation="stk_confirmation")
    money.sim.script("lost")
    money.client.pushed()
    money.sim.advance(3)
    (first, second) = money.letters()
    assert first[0] == second[0] == "confirmation"
    assert first == second


@pytest.mark.parametrize("outcome", ["cancel", "insufficient", "timeout"])
def test_an_unpaid_push_is_not_confirmed(money: MoneyClient, outcome: str) -> None:
    money.register()
    money.sim.script(outcome)
    money.client.pushed()
    money.sim.settle()
    assert [path for path, _ in money.letters()] == ["push"]


def test_confirmations_of_pushes_can_be_switched_off() -> None:
    sim, mail = with_settings(stk_confirmations=False)
    with sim:
        money = MoneyClient(sim, Client(sim.base_url, "https://shop.example/in/push"), mail)
        money.register()
        money.client.pushed()
        sim.advance(2)
        assert [path for path, _ in money.letters()] == ["push"]


# Validation.


def test_nobody_is_asked_unless_validation_is_on(sim: DarajaSimulator, shop: Shop) -> None:
    money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport(), shop.url)
    money.register()
    sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
    assert [path for path, _ in shop.seen] == ["confirmation"]


def test_an_accepted_payment_carries_the_shops_id(sim: DarajaSimulator, shop: Shop) -> None:
    money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport(), shop.url)
    money.register()
    sim.set_validation(SANDBOX_SHORTCODE)
    shop.answers["validation"] = (200, b'{"ResultCode": "0", "ResultDesc": "Accepted", "ThirdPartyTransID": "T-9"}')
    payment = sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
    (asked, told) = shop.seen
    assert (asked[0], told[0]) == ("validation", "confirmation")
    assert (asked[1]["TransID"], asked[1]["OrgAccountBalance"], asked[1]["ThirdPartyTransID"]) == (
        payment.receipt,
        "",
        "",
    )
    assert (told[1]["TransID"], told[1]["ThirdPartyTransID"]) == (payment.receipt, "T-9")
    assert (payment.state, payment.third_party_id) == ("completed", "T-9")


@pytest.mark.parametrize("code", ["C2B00011", "C2B00012", "C2B00013", "C2B00014", "C2B00015", "C2B00016", "1"])
def test_a_rejected_payment_moves_nothing(sim: DarajaSimulator, shop: Shop, code: str) -> None:
    money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport(), shop.url)
    money.register()
    sim.set_validation(SANDBOX_SHORTCODE)
    sim.set_subscriber(PHONE, balance=100)
    shop.answers["validation"] = (200, f'{{"ResultCode": "{code}", "ResultDesc": "Rejected"}}'.encode())
    payment = sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
    assert (payment.state, payment.result) == ("rejected", code)
    assert (sim.balance(PHONE), sim.movements(), shop.of("confirmation")) == (100, [], [])


@pytest.mark.parametrize(
    ("response_type", "state", "confirmations"), [("Completed", "completed", 1), ("Cancelled", "cancelled", 0)]
)
@pytest.mark.parametrize(
    "answer", [(500, b""), (200, b"<html>"), (200, b"[]"), (200, b"{}"), (404, b'{"ResultCode":0}')]
)
def test_no_answer_that_could_be_understood_leaves_it_to_the_default(
    sim: DarajaSimulator,
    shop: Shop,
    answer: tuple[int, bytes],
    response_type: str,
    state: str,
    confirmations: int,
) -> None:
    money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport(), shop.url)
    money.register(ResponseType=response_type)
    sim.set_validation(SANDBOX_SHORTCODE)
    shop.answers["validation"] = answer
    assert sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A").state == state
    assert len(shop.of("confirmation")) == len(sim.movements()) == confirmations


def test_a_slow_answer_comes_too_late(shop: Shop) -> None:
    config = DarajaConfig(validation_seconds=0.1)
    with DarajaSimulator(clock=VirtualClock(), config=config) as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport(), shop.url)
        money.register(ResponseType="Cancelled")
        sim.set_validation(SANDBOX_SHORTCODE)
        shop.delay = 0.5
        assert sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A").state == "cancelled"
        (attempt,) = sim.callbacks()
        assert (attempt.kind, attempt.state, attempt.error) == ("validation", "failed", "no answer within 0.1 s")


def test_a_validation_kept_for_the_test_is_answered_by_hand(money: MoneyClient) -> None:
    money.register()
    money.sim.set_validation(SANDBOX_SHORTCODE)
    payment = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
    assert payment.state == "validating"
    assert [path for path, _ in money.letters()] == ["validation"]
    done = money.sim.answer_validation(payment.receipt, third_party_id="T-1")
    assert done.state == "completed"
    ((path, body),) = money.letters()
    assert (path, body["ThirdPartyTransID"]) == ("confirmation", "T-1")
    with pytest.raises(KeyError):
        money.sim.answer_validation(payment.receipt)
    assert money.sim.settle() == 0
    assert len(money.sim.movements()) == 1


def test_a_kept_validation_can_be_refused_by_hand(money: MoneyClient) -> None:
    money.register()
    money.sim.set_validation(SANDBOX_SHORTCODE)
    payment = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
    assert money.sim.answer_validation(payment.receipt, "C2B00012").state == "rejected"
    assert money.sim.movements() == []


@pytest.mark.parametrize(("response_type", "movements"), [("Completed", 1), ("Cancelled", 0)])
def test_a_kept_validation_nobody_answers_is_decided_after_eight_seconds(
    money: MoneyClient, response_type: str, movements: int
) -> None:
    money.register(ResponseType=response_type)
    money.sim.set_validation(SANDBOX_SHORTCODE)
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
    money.sim.advance(7.9)
    assert [one.state for one in money.sim.c2b_payments()] == ["validating"]
    money.sim.advance(0.1)
    assert len(money.sim.movements()) == movements


def test_money_spent_while_the_shop_thought_is_gone(money: MoneyClient) -> None:
    money.register()
    money.sim.set_validation(SANDBOX_SHORTCODE)
    money.sim.set_subscriber(PHONE, balance=100)
    payment = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 80, "A")
    money.sim.pay_till(PHONE, "600101", 50)
    done = money.sim.answer_validation(payment.receipt)
    assert (done.state, done.result, money.sim.balance(PHONE)) == ("declined", "1", 50)


def test_validation_can_be_switched_off_again(money: MoneyClient) -> None:
    money.register()
    money.sim.set_validation(SANDBOX_SHORTCODE)
    money.sim.set_validation(SANDBOX_SHORTCODE, False)
    assert money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A").state == "completed"
    with pytest.raises(KeyError):
        money.sim.set_validation("999999")


# Faults.


def test_a_lost_confirmation_is_never_sent_but_can_be_by_hand(money: MoneyClient) -> None:
    money.register()
    money.sim.script("lost", operation="c2b_pay")
    payment = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
    money.sim.settle()
    assert (payment.state, money.letters()) == ("completed", [])
    (attempt,) = money.sim.callbacks()
    assert (attempt.kind, attempt.state, attempt.subject) == ("confirmation", "lost", payment.receipt)
    money.sim.resend(attempt.id)
    assert money.letters()[0][1]["TransID"] == payment.receipt


def test_late_duplicate_and_overtaken_confirmations(money: MoneyClient) -> None:
    money.register()
    late = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 1, "A", script="late")
    held = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 2, "A", script="out_of_order")
    twice = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 3, "A", script="duplicate")
    assert [body["TransID"] for _, body in money.letters()] == [twice.receipt, held.receipt]
    money.sim.advance(1)
    assert [body["TransID"] for _, body in money.letters()] == [twice.receipt]
    money.sim.advance(89)
    assert [body["TransID"] for _, body in money.letters()] == [late.receipt]


def test_a_confirmation_may_claim_another_amount_or_shortcode(money: MoneyClient) -> None:
    money.register()
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 900, "A", script="wrong_amount")
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 900, "A", script="wrong_shortcode")
    told = [(body["TransAmount"], body["BusinessShortCode"]) for _, body in money.letters()]
    assert told == [("1.00", "174379"), ("900.00", "600999")]
    assert [one.amount for one in money.sim.movements()] == [Decimal(900), Decimal(900)]


def test_a_forged_confirmation_of_a_payment_that_is_then_not_made(money: MoneyClient) -> None:
    money.register()
    money.sim.script("forged_success", operation="c2b_pay")
    payment = money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 900, "A")
    assert (payment.state, payment.result) == ("declined", "1032")
    money.sim.advance(0)
    ((path, body),) = money.letters()
    assert (path, body["TransAmount"]) == ("confirmation", "900.00")
    assert body["TransID"] != payment.receipt
    assert money.sim.movements() == []


def test_a_confirmation_can_be_forged_by_hand(money: MoneyClient) -> None:
    with pytest.raises(KeyError):
        money.sim.forge_confirmation(SANDBOX_SHORTCODE, amount=5)
    money.register("v1")
    attempt = money.sim.forge_confirmation(SANDBOX_SHORTCODE, amount=5000, account="ORDER1", claims="600999")
    ((_, body),) = money.letters()
    assert (attempt.kind, body["TransAmount"], body["BusinessShortCode"]) == ("forged", "5000.00", "600999")
    assert body["MSISDN"] == hashlib.sha256(b"254708374149").hexdigest()
    assert body["OrgAccountBalance"] == "1005000.00"
    assert money.sim.shortcode_balances(SANDBOX_SHORTCODE)["utility"] == Decimal(1_000_000)


@pytest.mark.parametrize(("response_type", "movements"), [("Completed", 1), ("Cancelled", 0)])
def test_a_lost_validation_leaves_it_to_the_default(money: MoneyClient, response_type: str, movements: int) -> None:
    money.register(ResponseType=response_type)
    money.sim.set_validation(SANDBOX_SHORTCODE)
    money.sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A", script="validation_lost")
    money.sim.settle()
    assert len(money.sim.movements()) == movements
    assert [path for path, _ in money.letters()] == ["confirmation"] * movements


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_refused_confirmation_is_not_sent_again(sim: DarajaSimulator, shop: Shop, status: int) -> None:
    money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport(), shop.url)
    money.register()
    shop.answers["confirmation"] = (status, b"")
    sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
    sim.settle()
    assert len(shop.of("confirmation")) == 1


def test_confirmations_can_be_retried_when_asked_for(shop: Shop) -> None:
    config = DarajaConfig(confirmation_retries=2, confirmation_retry_gap=30)
    with DarajaSimulator(clock=VirtualClock(), config=config) as sim:
        money = MoneyClient(sim, Client(sim.base_url, ""), CollectingTransport(), shop.url)
        money.register()
        shop.answers["confirmation"] = (503, b"")
        sim.pay_paybill(PHONE, SANDBOX_SHORTCODE, 5, "A")
        sim.advance(29)
        assert len(shop.of("confirmation")) == 1
        sim.settle()
        assert [attempt.kind for attempt in sim.callbacks()] == ["confirmation", "retry", "retry"]
        assert shop.of("confirmation")[0] == shop.of("confirmation")[2]


def test_a_magic_number_loses_its_confirmation_too_but_pays_though_it_cancels_prompts(money: MoneyClient) -> None:
    money.register()
    assert money.sim.pay_paybill("254700000006", SANDBOX_SHORTCODE, 5, "A").state == "completed"
    assert money.sim.pay_paybill("254700000001", SANDBOX_SHORTCODE, 6, "A").state == "completed"
    assert [body["TransAmount"] for _, body in money.letters()] == ["6.00"]


def test_a_payment_knows_only_outcomes_of_customers(money: MoneyClient) -> None:
    with pytest.raises(ValueError, match="c2b_pay knows no outcome 'already_reversed'"):
        money.sim.script("already_reversed", operation="c2b_pay")
    with pytest.raises(ValueError, match="stk_push knows no outcome 'not_registered'"):
        money.sim.script("not_registered")
    assert money.sim.state()["faults"] == []
