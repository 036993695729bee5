from __future__ import annotations

import time
from typing import Any

import pytest

from majuu_sim.clock import DEFAULT_START, ExternalClock, RealClock, VirtualClock
from majuu_sim.daraja import DarajaConfig, DarajaSimulator
from majuu_sim.faults import FOREVER, FaultScript, Reply
from majuu_sim.transport import CollectingTransport
from tests.sim.daraja_client import NO_ANSWER, PHONE, Client, Receiver


def test_a_lost_callback_is_never_sent_and_the_query_tells_the_truth(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    sim.script("lost")
    checkout = client.pushed()
    sim.settle()
    assert receiver.seen == []
    assert client.result(checkout) == "0"
    (attempt,) = sim.callbacks()
    assert (attempt.state, attempt.status) == ("lost", None)
    assert len(sim.payments()) == 1


def test_a_lost_callback_can_be_sent_by_hand(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script("lost")
    client.pushed()
    sim.settle()
    resent = sim.resend("cb_1")
    assert (resent.id, resent.kind, resent.state, resent.status) == ("cb_2", "resend", "delivered", 200)
    assert receiver.items()["MpesaReceiptNumber"] == sim.payments()[0].receipt
    with pytest.raises(KeyError):
        sim.resend("cb_99")


def test_a_late_callback_comes_late_though_the_query_knows(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    sim.script("late")
    checkout = client.pushed()
    sim.advance(91.9)
    assert client.result(checkout) == "0"
    assert receiver.seen == []
    sim.advance(0.1)
    assert receiver.codes == [0]
    assert receiver.items()["TransactionDate"] == 20260115120002


def test_duplicates_are_the_same_to_the_letter(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script(FaultScript(duplicates=2, duplicate_gap=5))
    client.pushed()
    sim.advance(2)
    assert len(receiver.seen) == 1
    sim.advance(10)
    assert len(receiver.seen) == 3
    assert receiver.seen[0] == receiver.seen[1] == receiver.seen[2]
    assert len(sim.payments()) == 1


def test_out_of_order_means_that_a_later_callback_overtakes(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    sim.script("out_of_order")
    first = client.pushed()
    sim.advance(2)
    assert receiver.seen == []
    assert [attempt.state for attempt in sim.callbacks()] == ["held"]
    second = client.pushed(phone="254711111111")
    sim.advance(2)
    assert [one["CheckoutRequestID"] for one in receiver.seen] == [second, first]
    assert sim.settle() == 0


def test_a_callback_nobody_overtakes_is_sent_after_a_minute(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    sim.script("out_of_order")
    client.pushed()
    sim.advance(61.9)
    assert receiver.seen == []
    sim.advance(0.1)
    assert receiver.codes == [0]


def test_an_older_failure_may_arrive_after_the_success(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    sim.script("stale_failure")
    checkout = client.pushed()
    sim.settle()
    assert receiver.codes == [0, 1037]
    assert client.result(checkout) == "0"
    assert len(sim.payments()) == 1


def test_a_forged_success_for_a_payment_nobody_made(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script("forged_success")
    checkout = client.pushed(Amount=900)
    sim.advance(0)
    assert receiver.codes == [0]
    assert receiver.items()["Amount"] == 900
    assert client.result(checkout) == "4999"
    sim.advance(2)
    assert receiver.codes == [0, 1032]
    assert client.result(checkout) == "1032"
    assert sim.payments() == []


def test_a_forged_callback_with_another_amount(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script("forged_amount")
    client.pushed(Amount=900)
    sim.advance(2)
    assert [receiver.items(index)["Amount"] for index in (0, 1)] == [1, 900]
    true_receipt = sim.payments()[0].receipt
    assert receiver.items(1)["MpesaReceiptNumber"] == true_receipt != receiver.items(0)["MpesaReceiptNumber"]


def test_a_callback_can_be_forged_by_hand(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    checkout = client.pushed(Amount=900)
    attempt = sim.forge(checkout, amount=5)
    assert (attempt.kind, attempt.state) == ("forged", "delivered")
    assert receiver.items()["Amount"] == 5
    assert sim.payments() == []
    with pytest.raises(KeyError):
        sim.forge("ws_CO_1")
    with pytest.raises(ValueError, match="unknown outcome"):
        sim.forge(checkout, outcome="steal")
    assert len(receiver.seen) == 1


def test_a_wrong_amount_is_in_the_callback_only(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script(FaultScript(event_amount="7"))
    client.pushed(Amount=900)
    sim.advance(2)
    assert receiver.items()["Amount"] == 7
    assert sim.payments()[0].amount == 900


def test_a_callback_may_come_before_the_answer(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script(FaultScript(event_before_reply=True, reply_delay=0.2))
    client.fetch_token()
    began = time.monotonic()
    checkout = client.pushed()
    assert receiver.arrived.is_set()
    assert time.monotonic() - began >= 0.2
    assert receiver.seen[0]["CheckoutRequestID"] == checkout
    assert sim.settle() == 0


def test_callback_and_query_disagree(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script("disagree")
    checkout = client.pushed()
    sim.settle()
    assert receiver.codes == [0]
    assert client.result(checkout) == "1032"
    assert sim.payments() == []


def test_the_query_lies_about_a_payment(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script("disagree_read")
    checkout = client.pushed()
    sim.settle()
    assert receiver.codes == [0]
    assert client.result(checkout) == "1037"
    assert len(sim.payments()) == 1


@pytest.mark.parametrize(
    ("preset", "status", "body"),
    [
        ("accepted_5xx", 500, b"Internal Server Error"),
        ("empty_body", 200, b""),
        ("html_after_commit", 200, b"<html>"),
    ],
)
def test_accepted_but_answered_badly(
    sim: DarajaSimulator, client: Client, receiver: Receiver, preset: str, status: int, body: bytes
) -> None:
    sim.script(preset)
    reply = client.push()
    assert reply.status == status
    assert body in reply.raw
    assert b"CheckoutRequestID" not in reply.raw
    sim.settle()
    assert receiver.codes == [0]
    assert len(sim.payments()) == 1


@pytest.mark.parametrize("hold", [0.0, 0.2])
def test_a_timeout_after_the_work_was_done(
    sim: DarajaSimulator, client: Client, receiver: Receiver, hold: float
) -> None:
    sim.script(FaultScript(reply=Reply.ACCEPTED_TIMEOUT, reply_delay=hold))
    client.fetch_token()
    began = time.monotonic()
    with pytest.raises(NO_ANSWER):
        client.push()
    assert time.monotonic() - began >= hold
    sim.settle()
    assert receiver.codes == [0]
    assert len(sim.payments()) == 1


@pytest.mark.parametrize(
    ("preset", "status", "part"),
    [
        ("server_error", 500, b'"500.001.1001"'),
        ("spike_arrest", 429, b"SpikeArrestViolation"),
        ("token_expired", 404, b'"404.001.03"'),
        ("locked", 500, b"Unable to lock subscriber"),
        ("html_body", 403, b"<html>"),
    ],
)
def test_refused_before_anything_happened(
    sim: DarajaSimulator, client: Client, receiver: Receiver, preset: str, status: int, part: bytes
) -> None:
    sim.script(preset)
    reply = client.push()
    assert reply.status == status
    assert part in reply.raw
    assert sim.settle() == 0
    assert (sim.prompts(), sim.payments(), sim.callbacks()) == ([], [], [])


def test_a_connection_closed_before_anything_happened(sim: DarajaSimulator, client: Client) -> None:
    sim.script("refuse_before_commit")
    client.fetch_token()
    with pytest.raises(NO_ANSWER):
        client.push()
    assert sim.prompts() == []
    assert client.push().status == 200


def test_another_status_for_a_faulty_answer(sim: DarajaSimulator, client: Client) -> None:
    sim.script(
        FaultScript(reply=Reply.ACCEPTED_ERROR, reply_status=504), FaultScript(reply=Reply.WAF_HTML, reply_status=200)
    )
    assert client.push().status == 504
    assert client.push(phone="254711111111").status == 200
    assert len(sim.prompts()) == 1


def test_a_token_that_expires_midway_must_be_bought_anew(sim: DarajaSimulator, client: Client) -> None:
    sim.script("token_expired")
    assert client.push().status == 404
    assert client.push().status == 404
    client.fetch_token()
    assert client.push().status == 200
    assert len(sim.prompts()) == 1


def test_a_token_that_dies_after_the_push_fails_the_query(sim: DarajaSimulator, client: Client) -> None:
    sim.script("token_dies_after")
    checkout = client.pushed()
    assert client.query(checkout).error == (404, "404.001.03", "Invalid Access Token")
    client.fetch_token()
    assert client.result(checkout) == "4999"


def test_queries_go_wrong_in_a_fixed_order_and_then_right(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    sim.script(FaultScript(read_unavailable=2, read_spike_arrest=1, read_missing=1, read_pending=2))
    checkout = client.pushed()
    sim.advance(2)
    replies = [client.query(checkout) for _ in range(7)]
    assert [reply.status for reply in replies] == [503, 503, 429, 400, 200, 200, 200]
    assert [reply.body["ResultCode"] for reply in replies[4:]] == ["4999", "4999", "0"]


def test_a_query_that_never_answers(sim: DarajaSimulator, client: Client) -> None:
    sim.script(FaultScript(read_unavailable=FOREVER))
    checkout = client.pushed()
    sim.advance(2)
    assert {client.query(checkout).status for _ in range(10)} == {503}


@pytest.mark.parametrize(
    ("preset", "status"), [("server_error", 500), ("spike_arrest", 429), ("html_body", 403), ("empty_body", 200)]
)
def test_a_query_request_can_fail_by_script(sim: DarajaSimulator, client: Client, preset: str, status: int) -> None:
    checkout = client.pushed()
    sim.advance(2)
    sim.script(preset, operation="stk_query")
    assert client.query(checkout).status == status
    assert client.result(checkout) == "0"


@pytest.mark.parametrize(
    ("shape", "items"),
    [
        ("plain", {"Amount": 100, "PhoneNumber": int(PHONE)}),
        ("text", {"Amount": "100", "PhoneNumber": PHONE}),
        ("masked_phone", {"Amount": 100, "PhoneNumber": "25471****678"}),
        ("balance_without_value", {"Amount": 100.0, "Balance": None, "PhoneNumber": int(PHONE)}),
    ],
)
def test_callbacks_come_in_the_shapes_seen_in_the_wild(
    sim: DarajaSimulator, client: Client, receiver: Receiver, shape: str, items: dict[str, Any]
) -> None:
    sim.script(FaultScript(event_shape=shape))
    client.pushed()
    sim.advance(2)
    found = receiver.items()
    assert {name: found[name] for name in items} == items
    assert type(found["Amount"]) is type(items["Amount"])
    assert found["MpesaReceiptNumber"] == sim.payments()[0].receipt


def test_a_success_may_come_without_metadata(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script(FaultScript(event_shape="no_metadata"))
    client.pushed()
    sim.advance(2)
    assert receiver.codes == [0]
    assert "CallbackMetadata" not in receiver.seen[0]


def test_a_refused_request_uses_up_no_script(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script("cancel")
    assert client.push(Amount=0).status == 400
    client.pushed()
    sim.advance(2)
    assert receiver.codes == [1032]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("nonsense", "unknown fault 'nonsense'; known: above_maximum, accepted_5xx"),
        ({"outcome": "steal"}, "unknown outcome 'steal'"),
        ({"event_outcome": "steal"}, "unknown outcome 'steal'"),
        ({"stale_outcome": "manual"}, "'manual' is no result"),
        ({"event_shape": "round"}, "unknown event_shape 'round'"),
        ({"colour": "red"}, "unknown fault field"),
    ],
)
def test_a_script_that_daraja_cannot_play_is_refused(sim: DarajaSimulator, script: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sim.script("cancel", script)
    assert sim.state()["faults"] == []


def test_an_unknown_operation_is_refused(sim: DarajaSimulator) -> None:
    with pytest.raises(ValueError, match="unknown operation 'b2c'; known: stk_push, stk_query, oauth"):
        sim.script("cancel", operation="b2c")


def test_a_receiver_that_fails_is_remembered_and_not_asked_again(
    sim: DarajaSimulator, client: Client, receiver: Receiver
) -> None:
    receiver.status = 503
    client.pushed()
    sim.settle()
    (attempt,) = sim.callbacks()
    assert (attempt.state, attempt.status, attempt.answer) == ("refused", 503, "{}")
    assert len(receiver.seen) == 1


def test_a_receiver_that_is_not_there_is_remembered(sim: DarajaSimulator, client: Client) -> None:
    client.pushed(CallBackURL="http://127.0.0.1:9/nobody")
    sim.settle()
    (attempt,) = sim.callbacks()
    assert (attempt.state, attempt.status) == ("failed", None)
    assert "Cannot connect" in attempt.error
    assert len(sim.payments()) == 1


def test_redirects_are_not_followed(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    receiver.status = 301
    client.pushed()
    sim.settle()
    assert [attempt.status for attempt in sim.callbacks()] == [301]
    assert len(receiver.seen) == 1


def test_callbacks_can_carry_headers_of_a_proxy(receiver: Receiver) -> None:
    config = DarajaConfig(callback_headers={"X-Forwarded-For": "196.201.214.200"})
    with DarajaSimulator(clock=VirtualClock(), config=config) as sim:
        Client(sim.base_url, f"{receiver.url}/in").pushed()
        sim.settle()
    assert receiver.headers[0]["X-Forwarded-For"] == "196.201.214.200"
    assert receiver.headers[0]["Content-Type"] == "application/json"


def test_callbacks_can_be_kept_for_the_test_to_deliver() -> None:
    kept = CollectingTransport()
    with DarajaSimulator(clock=VirtualClock(), transport=kept) as sim:
        checkout = Client(sim.base_url, "https://shop.example/in/1").pushed()
        sim.advance(2)
        ((url, body),) = kept.take()
        assert url == "https://shop.example/in/1"
        assert checkout.encode() in body
        assert kept.take() == []


def test_on_a_real_clock_callbacks_come_by_themselves(receiver: Receiver) -> None:
    with DarajaSimulator(clock=RealClock(), config=DarajaConfig(answer_delay=0.02)) as sim:
        Client(sim.base_url, f"{receiver.url}/in").pushed()
        assert receiver.arrived.wait(5)
        sim.settle()
        assert [attempt.state for attempt in sim.callbacks()] == ["delivered"]
        with pytest.raises(RuntimeError, match="only a virtual clock"):
            sim.advance(1)


def test_the_applications_own_clock_can_drive_it(receiver: Receiver) -> None:
    clock = VirtualClock()
    with DarajaSimulator(clock=ExternalClock(clock.now)) as sim:
        Client(sim.base_url, f"{receiver.url}/in").pushed()
        clock.move_by(1)
        assert sim.run_due() == 0
        clock.move_by(1)
        assert sim.run_due() == 1
        assert receiver.items()["TransactionDate"] == 20260115120002
        assert clock.now() > DEFAULT_START
