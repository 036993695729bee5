from __future__ import annotations

from typing import Any

import pytest

from majuu_sim.clock import RealClock
from majuu_sim.daraja import DarajaSimulator
from tests.sim.daraja_client import PHONE, Client, Receiver, send


def test_a_payment_can_be_followed_from_another_process(client: Client, receiver: Receiver) -> None:
    added = client.control("POST", "faults", {"preset": "lost", "customer": PHONE})
    assert (added.status, added.body["script"]) == (201, {"event_lost": True})
    checkout = client.pushed(Amount=80)
    assert [one["checkout_request_id"] for one in client.control("GET", "prompts?active=1").body["prompts"]] == [
        checkout
    ]
    advanced = client.control("POST", "clock/advance", {"seconds": 2})
    assert advanced.body == {"now": "2026-01-15T09:00:02+00:00", "ran": 1}
    (payment,) = client.control("GET", "payments").body["payments"]
    assert (payment["amount"], payment["checkout_request_id"]) == (80, checkout)
    assert payment["paid_at"] == "2026-01-15T09:00:02+00:00"
    (lost,) = client.control("GET", "callbacks").body["callbacks"]
    assert (lost["id"], lost["state"]) == ("cb_1", "lost")
    resent = client.control("POST", "callbacks/cb_1/resend")
    assert (resent.status, resent.body["state"], resent.body["status"]) == (200, "delivered", 200)
    assert receiver.items()["MpesaReceiptNumber"] == payment["receipt"]
    assert client.control("GET", "prompts?active=1").body == {"prompts": []}


def test_the_state_tells_everything_at_once(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    client.pushed(Amount=80)
    sim.script("cancel")
    sim.set_subscriber(PHONE, balance=500)
    sim.advance(2)
    state = client.control("GET", "state").body
    expected = {"provider": "daraja", "payments": 1, "taken": 80, "callbacks": 1, "planned": 0, "tokens_issued": 1}
    assert {name: state[name] for name in expected} == expected
    assert state["subscribers"] == [{"msisdn": PHONE, "balance": 420, "script": None}]
    assert state["faults"] == [{"operation": "stk_push", "customer": None, "times": 1, "script": {"outcome": "cancel"}}]
    assert [one["result"] for one in state["prompts"]] == ["pay"]
    assert [code["number"] for code in state["shortcodes"]] == ["174379", "600100"]


def test_the_faults_address_lists_what_can_be_queued(client: Client) -> None:
    listed = client.control("GET", "faults").body
    assert listed["operations"] == [
        "stk_push",
        "stk_query",
        "oauth",
        "stk_confirmation",
        "c2b_pay",
        "c2b_register",
        "c2b_simulate",
        "b2c_payment",
        "b2b_payment",
        "reversal",
        "transaction_status",
        "account_balance",
        "pull_register",
        "pull_query",
        "qr_code",
    ]
    assert listed["presets"]["duplicate"] == {"duplicates": 1}
    assert "cancel" in listed["outcomes"]
    client.control("POST", "faults", {"script": {"read_pending": 3}, "times": 2})
    assert client.control("GET", "faults").body["queued"][0]["times"] == 2
    client.control("DELETE", "faults")
    assert client.control("GET", "faults").body["queued"] == []


def test_customers_prompts_forgery_and_tokens(client: Client, receiver: Receiver) -> None:
    assert client.control("POST", "subscribers", {"msisdn": PHONE, "balance": 10, "script": "manual"}).status == 201
    assert client.control("GET", "subscribers").body["subscribers"][0]["balance"] == 10
    checkout = client.pushed(Amount=10)
    forged = client.control("POST", "callbacks", {"checkout_request_id": checkout, "amount": 3})
    assert (forged.status, forged.body["kind"]) == (201, "forged")
    answered = client.control("POST", f"prompts/{PHONE}/answer", {"outcome": "pay"})
    assert (answered.status, answered.body["result"]) == (200, "pay")
    assert [receiver.items(index)["Amount"] for index in (0, 1)] == [3, 10]
    assert client.control("POST", "tokens/expire").status == 200
    assert client.push(Amount=5).status == 404


def test_a_reset_forgets_everything_but_the_time(sim: DarajaSimulator, client: Client, receiver: Receiver) -> None:
    sim.script("cancel", "cancel")
    client.pushed()
    sim.advance(1)
    client.control("POST", "reset", {"seed": 5})
    assert client.control("GET", "clock").body == {
        "now": "2026-01-15T09:00:01+00:00",
        "manual": True,
        "planned": [],
    }
    assert (sim.prompts(), sim.payments(), sim.callbacks(), sim.state()["faults"]) == ([], [], [], [])
    assert client.push().status == 404  # the token is forgotten too
    client.fetch_token()
    client.pushed()
    sim.settle()
    assert receiver.codes == [0]


def test_settle_over_http_goes_as_far_as_it_is_let(client: Client, receiver: Receiver) -> None:
    client.pushed(phone="254700000008")
    assert client.control("POST", "clock/settle", {"seconds": 60}).body["ran"] == 1
    assert receiver.seen == []
    assert client.control("POST", "clock/settle").body["ran"] == 1
    assert receiver.codes == [0]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("faults", {}, "give either preset or script"),
        ("faults", {"preset": "lost", "script": {}}, "give either preset or script"),
        ("faults", {"preset": "nonsense"}, "unknown fault"),
        ("faults", {"preset": 5}, "preset is a name"),
        ("faults", {"preset": ["lost"]}, "preset is a name"),
        ("faults", {"preset": "lost", "times": 0}, "times is a positive"),
        ("faults", {"preset": "lost", "operation": "b2c"}, "unknown operation"),
        ("faults", {"preset": "lost", "operation": ["x"]}, "unknown operation"),
        ("faults", {"preset": "lost", "customer": "0712"}, "a customer is a number"),
        ("faults", {"preset": "lost", "phone": PHONE}, "unknown field(s): phone"),
        ("clock/advance", {}, "seconds must be a number"),
        ("clock/advance", {"seconds": -1}, "seconds must be a number"),
        ("clock/advance", {"seconds": "5"}, "seconds must be a number"),
        ("clock/advance", {"seconds": 1e12}, "seconds must be a number"),
        ("subscribers", {}, "msisdn must be text"),
        ("subscribers", {"msisdn": PHONE, "balance": -1}, "a balance is"),
        ("subscribers", {"msisdn": PHONE, "script": 5}, "script is a name"),
        ("callbacks", {"checkout_request_id": "x", "amount": 1.5}, "amount is a whole number"),
        ("reset", {"seed": "x"}, "seed is a whole number"),
    ],
)
def test_control_requests_that_make_no_sense_change_nothing(
    client: Client, path: str, body: dict[str, Any], message: str
) -> None:
    before = client.control("GET", "state").body
    reply = client.control("POST", path, body)
    assert reply.status == 400
    assert message in reply.body["error"]
    assert client.control("GET", "state").body == before


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_control_bodies_must_be_objects(client: Client, raw: bytes) -> None:
    assert send(client.base_url, "POST", "/control/faults", raw, {}).status == 400


@pytest.mark.parametrize("path", ["callbacks/cb_7/resend", "prompts/254712345678/answer"])
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    reply = client.control("POST", path)
    assert reply.status == 404
    assert "there is no" in reply.body["error"]


def test_a_real_clock_cannot_be_advanced() -> None:
    with DarajaSimulator(clock=RealClock()) as sim:
        reply = Client(sim.base_url, "").control("POST", "clock/advance", {"seconds": 5})
        assert (reply.status, reply.body["error"]) == (409, "only a virtual clock can be advanced")
