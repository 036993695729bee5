from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import SANDBOX_SHORTCODE, DarajaConfig, DarajaSimulator, Shortcode
from majuu_sim.daraja.results import API_RESULTS
from majuu_sim.faults import FaultScript, Reply
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import NO_ANSWER, PHONE, Client
from tests.sim.money_client import RECEIVED, MoneyClient, parameters


def configured(**settings: Any) -> MoneyClient:
    """At a simulator that is served by the caller's ``with``."""
    mail = CollectingTransport()
    sim = DarajaSimulator(seed=1, clock=VirtualClock(), config=DarajaConfig(**settings), transport=mail).serve()
    return MoneyClient(sim, Client(sim.base_url, ""), mail)


def test_a_payout_is_acknowledged_and_its_result_comes_two_seconds_later(money: MoneyClient) -> None:
    money.sim.set_subscriber(PHONE, balance=50, names="Jane Doe")
    ack = money.payout(OriginatorConversationID="po_1", Amount=1500)
    assert ack.body == {
        "OriginatorConversationID": "po_1",
        "ConversationID": ack.body["ConversationID"],
        "ResponseCode": "0",
        "ResponseDescription": RECEIVED,
    }
    assert re.fullmatch("AG_20260115_[0-9a-f]{20}", ack.body["ConversationID"])
    money.sim.advance(1.9)
    assert money.letters() == []
    result = money.result(0.1)
    (movement,) = money.sim.movements()
    assert result == {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": "po_1",
        "ConversationID": ack.body["ConversationID"],
        "TransactionID": movement.receipt,
        "ResultParameters": {
            "ResultParameter": [
                {"Key": "TransactionAmount", "Value": 1500},
                {"Key": "TransactionReceipt", "Value": movement.receipt},
                {"Key": "ReceiverPartyPublicName", "Value": "254712345678 - JANE DOE"},
                {"Key": "TransactionCompletedDateTime", "Value": "15.01.2026 12:00:02"},
                {"Key": "B2CUtilityAccountAvailableFunds", "Value": 998500},
                {"Key": "B2CWorkingAccountAvailableFunds", "Value": 1000000},
                {"Key": "B2CRecipientIsRegisteredCustomer", "Value": "Y"},
                {"Key": "B2CChargesPaidAccountAvailableFunds", "Value": 0},
            ]
        },
        "ReferenceData": {
            "ReferenceItem": {
                "Key": "QueueTimeoutURL",
                "Value": "https://internal.majuu-sim.invalid/b2cresults/v1/submit",
            }
        },
    }
    assert (movement.kind, movement.amount, movement.msisdn) == ("b2c", Decimal(1500), PHONE)
    assert (movement.payer, movement.receiver) == ("174379 - Simulated shop 174379", "254712345678 - JANE DOE")
    assert (movement.originator_conversation_id, movement.reason) == ("po_1", "Business Payment to Customer via API")
    assert money.sim.balance(PHONE) == 1550


@pytest.mark.parametrize("command", ["BusinessPayment", "SalaryPayment", "PromotionPayment"])
def test_all_three_commands_pay(money: MoneyClient, command: str) -> None:
    money.payout(CommandID=command)
    assert money.result()["ResultCode"] == 0


def test_v1_makes_the_id_itself_and_knows_no_duplicates(money: MoneyClient) -> None:
    first, second = money.payout("v1"), money.payout("v1")
    ids = {one.body["OriginatorConversationID"] for one in (first, second)}
    assert len(ids) == 2
    money.sim.advance(2)
    assert len(money.sim.movements()) == 2


def test_an_id_is_taken_once_whatever_became_of_it(money: MoneyClient) -> None:
    money.payout(OriginatorConversationID="po_1")
    duplicate = (500, "500.002.1001", "Duplicate OriginatorConversationID.")
    assert money.payout(OriginatorConversationID="po_1").error == duplicate
    money.sim.advance(2)
    assert money.payout(OriginatorConversationID="po_1", Amount=900).error == duplicate
    assert money.sim.settle() == 0
    assert len(money.sim.movements()) == 1


def test_v3_can_be_closed_and_v1_then_works() -> None:
    money = configured(shortcodes=(Shortcode(number=SANDBOX_SHORTCODE, v3_payouts=False),))
    with money.sim:
        refused = (403, "403.002.1001", "You are not authorized to initiate this transaction")
        assert money.payout().error == refused
        assert money.payout("v1").status == 200
        assert money.result()["ResultCode"] == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"OriginatorConversationID": ...}, "OriginatorConversationID"),
        ({"OriginatorConversationID": ""}, "OriginatorConversationID"),
        ({"OriginatorConversationID": "a b"}, "OriginatorConversationID"),
        ({"OriginatorConversationID": "x" * 41}, "OriginatorConversationID"),
        ({"InitiatorName": ...}, "InitiatorName"),
        ({"InitiatorName": ""}, "InitiatorName"),
        ({"SecurityCredential": ...}, "SecurityCredential"),
        ({"SecurityCredential": ""}, "SecurityCredential"),
        ({"CommandID": "Pay"}, "CommandID"),
        ({"CommandID": ..., "Command ID": "BusinessPayment"}, "CommandID"),
        ({"Amount": ...}, "Amount"),
        ({"Amount": "10.50"}, "Amount"),
        ({"Amount": 10.5}, "Amount"),
        ({"Amount": -1}, "Amount"),
        ({"PartyA": "999999"}, "PartyA"),
        ({"PartyA": "600101"}, "PartyA"),
        ({"PartyB": "0712345678"}, "PartyB"),
        ({"PartyB": "255712345678"}, "PartyB"),
        ({"Remarks": "x"}, "Remarks"),
        ({"Remarks": "x" * 101}, "Remarks"),
        ({"Remarks": ...}, "Remarks"),
        ({"QueueTimeOutURL": ...}, "QueueTimeOutURL"),
        ({"ResultURL": "http://shop.example/in"}, "ResultURL"),
        ({"ResultURL": "https://shop.example/mpesa"}, "ResultURL"),
        ({"Occassion": "x" * 101}, "Occassion"),
        ({"Occassion": 5}, "Occassion"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_accepted(
    money: MoneyClient, changes: dict[str, Any], field: str
) -> None:
    assert money.payout(**changes).error == (400, "400.002.02", f"Bad Request - Invalid {field}")
    assert (money.sim.jobs(), money.sim.settle(), money.sim.movements()) == ([], 0, [])


def test_numbers_may_be_sent_as_numbers_and_the_occasion_left_out(money: MoneyClient) -> None:
    money.payout(PartyA=int(SANDBOX_SHORTCODE), PartyB=int(PHONE), Amount="100", Occassion=...)
    assert money.result()["ResultCode"] == 0


def test_a_bad_token_is_a_404(money: MoneyClient) -> None:
    money.client.token = "stale"
    assert money.payout().error == (404, "404.001.03", "Invalid Access Token")


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [
        (0, 2, "Declined due to limit rule: less than the minimum transaction amount."),
        (9, 2, "Declined due to limit rule: less than the minimum transaction amount."),
        (250_001, 3, "Declined due to limit rule: greater than the maximum transaction amount."),
    ],
)
def test_amounts_outside_the_limits_fail_later(money: MoneyClient, amount: int, code: int, text: str) -> None:
    money.payout(Amount=amount)
    result = money.result()
    assert (result["ResultCode"], result["ResultDesc"]) == (code, text)
    assert money.sim.movements() == []


@pytest.mark.parametrize("amount", [10, 250_000])
def test_amounts_at_the_limits_are_paid(money: MoneyClient, amount: int) -> None:
    money.payout(Amount=amount)
    assert parameters(money.result())["TransactionAmount"] == amount


def test_a_failure_has_no_parameters_and_a_dummy_receipt(money: MoneyClient) -> None:
    ack = money.payout(Amount=5)
    result = money.result()
    assert list(result) == [
        "ResultType",
        "ResultCode",
        "ResultDesc",
        "OriginatorConversationID",
        "ConversationID",
        "TransactionID",
        "ReferenceData",
    ]
    assert (result["TransactionID"], result["ConversationID"]) == ("UAF0000000", ack.body["ConversationID"])


def test_what_is_not_there_cannot_be_paid_out_and_a_top_up_helps(money: MoneyClient) -> None:
    money.sim.withdraw(SANDBOX_SHORTCODE, 999_900)
    money.payout(Amount=101)
    assert money.result()["ResultCode"] == 1
    money.sim.fund(SANDBOX_SHORTCODE, 1)
    money.payout(Amount=101)
    assert parameters(money.result())["B2CUtilityAccountAvailableFunds"] == 0
    assert [one.kind for one in money.sim.movements()] == ["withdrawal", "deposit", "b2c"]


def test_reserved_money_cannot_be_paid_out(money: MoneyClient) -> None:
    money.sim.reserve(SANDBOX_SHORTCODE, 999_950)
    money.payout(Amount=51)
    assert money.result()["ResultCode"] == 1
    with pytest.raises(ValueError, match=r"only 50\.00 of 174379's utility account"):
        money.sim.reserve(SANDBOX_SHORTCODE, 51)


@pytest.mark.parametrize(("unregistered", "code"), [("not_registered", 2040), ("not_on_mpesa", "SFC_IC0003")])
def test_a_line_without_mpesa_cannot_be_paid(unregistered: str, code: Any) -> None:
    money = configured(unregistered=unregistered)
    with money.sim:
        money.sim.set_subscriber(PHONE, registered=False)
        money.payout()
        assert money.result()["ResultCode"] == code
        assert money.sim.movements() == []


def test_a_full_purse_takes_no_more(money: MoneyClient) -> None:
    money.sim.set_subscriber(PHONE, balance=499_950)
    money.payout(Amount=51)
    assert money.result()["ResultCode"] == 8
    money.payout(Amount=50)
    assert money.result()["ResultCode"] == 0
    assert money.sim.balance(PHONE) == 500_000


def test_a_charge_goes_to_the_charges_paid_account() -> None:
    money = configured(payout_charge=Decimal("22.40"))
    with money.sim:
        money.payout(Amount=300)
        found = parameters(money.result())
        assert found["B2CUtilityAccountAvailableFunds"] == 999_700
        assert found["B2CChargesPaidAccountAvailableFunds"] == -22.4
        assert money.sim.shortcode_balances(SANDBOX_SHORTCODE)["charges"] == Decimal("-22.40")


@pytest.mark.parametrize(
    ("digits", "code", "movements"),
    [
        ("01", 0, 1),  # cancels prompts, but takes money
        ("03", 0, 1),
        ("10", "SFC_IC0003", 0),
        ("31", 2040, 0),
        ("32", 8, 0),
        ("36", 17, 0),
    ],
)
def test_magic_receivers(money: MoneyClient, digits: str, code: Any, movements: int) -> None:
    money.payout(PartyB=f"2547000000{digits}")
    assert money.result()["ResultCode"] == code
    assert len(money.sim.movements()) == movements


@pytest.mark.parametrize("name", sorted(set(API_RESULTS) - {"pay"}))
def test_every_outcome_can_be_scripted_and_moves_nothing(money: MoneyClient, name: str) -> None:
    money.sim.script(name, operation="b2c_payment")
    money.payout()
    result, expected = money.result(), API_RESULTS[name]
    assert (result["ResultCode"], result["ResultDesc"]) == (expected.callback_code, expected.text)
    assert "ResultParameters" not in result
    assert money.sim.movements() == []
    assert [job.result for job in money.sim.jobs()] == [expected]


# What is heard of it.


def test_a_lost_result_can_be_sent_by_hand(money: MoneyClient) -> None:
    money.sim.script("lost", operation="b2c_payment", customer=PHONE)
    money.payout()
    money.sim.settle()
    assert money.letters() == []
    assert len(money.sim.movements()) == 1
    money.sim.resend("cb_1")
    assert money.letters()[0][1]["Result"]["TransactionID"] == money.sim.movements()[0].receipt


def test_late_duplicate_and_overtaken_results(money: MoneyClient) -> None:
    for script in ("late", "out_of_order", "duplicate"):
        money.sim.script(script, operation="b2c_payment")
        money.payout()
    money.sim.advance(3)
    order = [body["Result"]["OriginatorConversationID"] for _, body in money.letters()]
    assert order == ["payout-00000003", "payout-00000002", "payout-00000003"]
    money.sim.advance(89)
    assert [body["Result"]["OriginatorConversationID"] for _, body in money.letters()] == ["payout-00000001"]


def test_a_queue_timeout_is_not_the_end(money: MoneyClient) -> None:
    money.sim.script("queue_timeout", operation="b2c_payment")
    ack = money.payout(OriginatorConversationID="po_1")
    money.sim.advance(10)
    ((path, notice),) = money.letters()
    assert path == "timeout"
    assert notice == {
        "Result": {
            "ResultType": 1,
            "ResultCode": 1,
            "ResultDesc": "The service request timed out.",
            "OriginatorConversationID": "po_1",
            "ConversationID": ack.body["ConversationID"],
            "TransactionID": "UAF0000000",
        }
    }
    money.sim.advance(52)
    ((path, body),) = money.letters()
    assert (path, body["Result"]["ResultCode"]) == ("result", 0)
    assert len(money.sim.movements()) == 1


def test_a_thin_notice_has_ids_only(money: MoneyClient) -> None:
    money.sim.script({"notice_after": 1, "event_lost": True, "event_shape": "thin_notice"}, operation="b2c_payment")
    money.payout()
    money.sim.settle()
    assert sorted(money.letters()[0][1]["Result"]) == ["ConversationID", "OriginatorConversationID"]


@pytest.mark.parametrize(
    ("digits", "preset", "movements"),
    [("34", "queue_timeout_lost", 1), ("35", "queue_timeout_undone", 0)],
)
def test_after_a_notice_there_may_be_silence_paid_or_not(
    money: MoneyClient, digits: str, preset: str, movements: int
) -> None:
    money.sim.script(preset, operation="b2c_payment", customer=PHONE)
    money.payout()
    money.payout(PartyB=f"2547000000{digits}")
    money.sim.settle()
    assert [path for path, _ in money.letters()] == ["timeout", "timeout"]
    assert len(money.sim.movements()) == 2 * movements


@pytest.mark.parametrize(
    "reply", [Reply.ACCEPTED_ERROR, Reply.ACCEPTED_EMPTY, Reply.ACCEPTED_HTML, Reply.ACCEPTED_TIMEOUT]
)
def test_done_but_badly_answered(money: MoneyClient, reply: Reply) -> None:
    money.sim.script(FaultScript(reply=reply), operation="b2c_payment")
    money.client.fetch_token()
    try:
        answered = money.payout(OriginatorConversationID="po_1")
        assert reply is not Reply.ACCEPTED_TIMEOUT
        assert answered.status == (500 if reply is Reply.ACCEPTED_ERROR else 200)
    except NO_ANSWER:
        assert reply is Reply.ACCEPTED_TIMEOUT
    assert money.result()["ResultCode"] == 0
    assert money.payout(OriginatorConversationID="po_1").error[2] == "Duplicate OriginatorConversationID."
    assert len(money.sim.movements()) == 1


def test_the_words_of_a_server_error(money: MoneyClient) -> None:
    money.sim.script("accepted_5xx", operation="b2c_payment")
    assert money.payout().error == (500, "500.002.1001", "System internal error.")


@pytest.mark.parametrize(
    "preset", ["server_error", "spike_arrest", "html_body", "token_expired", "refuse_before_commit"]
)
def test_refused_before_anything_happened_so_the_id_is_still_free(money: MoneyClient, preset: str) -> None:
    money.sim.script(preset, operation="b2c_payment")
    money.client.fetch_token()
    try:
        assert money.payout(OriginatorConversationID="po_1").status in (500, 429, 403, 404)
    except NO_ANSWER:
        assert preset == "refuse_before_commit"
    assert (money.sim.jobs(), money.sim.settle()) == ([], 0)
    money.client.fetch_token()
    assert money.payout(OriginatorConversationID="po_1").status == 200


def test_the_result_may_come_before_the_answer(money: MoneyClient) -> None:
    money.sim.script("event_before_reply", operation="b2c_payment")
    ack = money.payout()
    ((path, body),) = money.letters()
    assert (path, body["Result"]["ConversationID"]) == ("result", ack.body["ConversationID"])
    assert money.sim.settle() == 0


def test_a_result_that_lies(money: MoneyClient) -> None:
    money.sim.script(
        FaultScript(outcome="insufficient", event_outcome="pay"),
        FaultScript(event_outcome="insufficient"),
        FaultScript(event_amount="7"),
        operation="b2c_payment",
    )
    claims = []
    for _ in range(3):
        money.payout(Amount=100)
        result = money.result()
        claims.append(
            (result["ResultCode"], result.get("ResultParameters") and parameters(result)["TransactionAmount"])
        )
    assert claims == [(0, 100), (1, None), (0, 7)]
    assert [one.amount for one in money.sim.movements()] == [Decimal(100), Decimal(100)]


def test_a_contradicting_result_may_follow(money: MoneyClient) -> None:
    money.sim.script({"stale_outcome": "internal_failure"}, operation="b2c_payment")
    money.payout()
    money.sim.settle()
    assert [body["Result"]["ResultCode"] for _, body in money.letters()] == [0, 17]


def test_results_can_be_forged(money: MoneyClient) -> None:
    money.sim.script({"forged": 1, "forged_amount": "9000", "outcome": "insufficient"}, operation="b2c_payment")
    ack = money.payout()
    money.sim.advance(0)
    ((_, forged),) = money.letters()
    assert parameters(forged["Result"])["TransactionAmount"] == 9000
    assert money.result()["ResultCode"] == 1
    attempt = money.sim.forge_result(ack.body["OriginatorConversationID"], amount=5)
    assert (attempt.kind, attempt.body["Result"]["ResultCode"]) == ("forged", 0)
    assert money.sim.movements() == []
    with pytest.raises(KeyError):
        money.sim.forge_result("AG_1")
    with pytest.raises(ValueError, match="unknown outcome 'steal'"):
        money.sim.forge_result(ack.body["ConversationID"], outcome="steal")


@pytest.mark.parametrize(
    ("shape", "check"),
    [
        ("text", lambda result: (result["ResultCode"], parameters(result)["TransactionAmount"]) == ("0", "100")),
        ("single_parameter", lambda result: isinstance(result["ResultParameters"]["ResultParameter"], dict)),
        ("no_parameters", lambda result: "ResultParameters" not in result),
        ("null_parameters", lambda result: result["ResultParameters"] == {"ResultParameter": None}),
        (
            "duplicate_keys",
            lambda result: (
                [item["Key"] for item in result["ResultParameters"]["ResultParameter"]].count("TransactionAmount") == 2
            ),
        ),
    ],
)
def test_results_in_other_shapes(money: MoneyClient, shape: str, check: Any) -> None:
    money.sim.script({"event_shape": shape}, operation="b2c_payment")
    money.payout()
    result = money.result()
    assert check(result)
    assert result["TransactionID"] == money.sim.movements()[0].receipt


def test_mixed_shapes_all_tell_the_receipt() -> None:
    money = configured(result_shape="mixed")
    with money.sim:
        for _ in range(20):
            money.payout()
        money.sim.advance(2)
        told = [parameters(body["Result"])["TransactionReceipt"] for _, body in money.letters()]
        assert told == [one.receipt for one in money.sim.movements()]
        assert len(set(told)) == 20
