"""Idempotency keys, and what goes wrong between asking and hearing."""

from __future__ import annotations

import threading

import pytest

from majuu_sim.faults import FaultScript, Reply
from tests.sim.stripe_client import HTTP, NO_ANSWER, Client, flat


def test_a_repeated_key_gets_the_first_answer_and_pays_once(stripe_api: Client) -> None:
    params = stripe_api.payment()
    first, again = (stripe_api.post("payment_intents", "key-1", **params) for _ in range(2))
    assert (first.status, first.body) == (again.status, again.body)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert len(stripe_api.sim.charges_of("R1")) == 1


def test_a_key_with_other_parameters_is_refused(stripe_api: Client) -> None:
    stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    other = stripe_api.post("payment_intents", "key-1", **stripe_api.payment(amount=20000))
    assert other.error == (400, "idempotency_error", None, None)
    assert len(stripe_api.sim.payments()) == 1


def test_a_decline_is_kept_for_its_key_and_a_mistake_is_not(stripe_api: Client) -> None:
    wrong = stripe_api.post("payment_intents", "key-1", **stripe_api.payment(amount=0))
    assert wrong.status == 400
    declined = stripe_api.payment(payment_method="pm_card_chargeDeclined")
    first, again = (stripe_api.post("payment_intents", "key-1", **declined) for _ in range(2))
    assert (first.status, again.status, again.headers.get("Idempotent-Replayed")) == (402, 402, "true")
    assert first.body == again.body


def test_a_key_is_free_again_after_a_day(stripe_api: Client) -> None:
    stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    stripe_api.sim.advance(86_400)
    assert "Idempotent-Replayed" not in stripe_api.post("payment_intents", "key-1", **stripe_api.payment()).headers
    assert len(stripe_api.sim.payments()) == 2


def test_a_key_whose_request_is_still_worked_on_is_in_use(stripe_api: Client) -> None:
    stripe_api.sim.script(FaultScript(reply_delay=0.5), operation="payment_create")
    replies = []
    slow = threading.Thread(
        target=lambda: replies.append(stripe_api.post("payment_intents", "key-1", **stripe_api.payment()))
    )
    slow.start()
    while not stripe_api.sim.payments():
        pass
    meanwhile = stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    slow.join()
    assert meanwhile.error == (409, "idempotency_error", "idempotency_key_in_use", None)
    assert replies[0].status == 200
    assert len(stripe_api.sim.payments()) == 1


def test_after_no_answer_the_same_key_finds_what_was_done(stripe_api: Client) -> None:
    stripe_api.sim.script("timeout_after_commit")
    with pytest.raises(NO_ANSWER):
        stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    again = stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    assert (again.body["status"], again.headers["Idempotent-Replayed"]) == ("succeeded", "true")
    assert len(stripe_api.sim.charges_of("R1")) == 1


def test_an_error_of_stripes_own_is_kept_though_the_money_was_taken(stripe_api: Client) -> None:
    stripe_api.sim.script("accepted_5xx")
    first, again = (stripe_api.post("payment_intents", "key-1", **stripe_api.payment()) for _ in range(2))
    assert (first.error[:2], again.error[:2]) == ((500, "api_error"), (500, "api_error"))
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(stripe_api.sim.charges_of("R1")) == 1


def test_a_gateway_that_fails_in_front_of_stripe_keeps_nothing_back(stripe_api: Client) -> None:
    stripe_api.sim.script({"reply": "accepted_error", "reply_status": 502})
    assert stripe_api.post("payment_intents", "key-1", **stripe_api.payment()).status == 502
    assert stripe_api.post("payment_intents", "key-1", **stripe_api.payment()).status == 200
    assert len(stripe_api.sim.charges_of("R1")) == 1


@pytest.mark.parametrize(
    ("preset", "status"), [("server_error", 500), ("spike_arrest", 429), ("locked", 429), ("token_expired", 401)]
)
def test_a_request_is_turned_away_before_anything_happened(stripe_api: Client, preset: str, status: int) -> None:
    stripe_api.sim.script(preset)
    assert stripe_api.post("payment_intents", "key-1", **stripe_api.payment()).status == status
    assert stripe_api.sim.payments() == []
    assert stripe_api.post("payment_intents", "key-1", **stripe_api.payment()).status == 200


def test_a_refused_connection_does_nothing(stripe_api: Client) -> None:
    stripe_api.sim.script("refuse_before_commit")
    with pytest.raises(NO_ANSWER):
        stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    assert stripe_api.sim.payments() == []


def test_a_script_is_for_its_operation_and_customer(stripe_api: Client) -> None:
    stripe_api.sim.script("server_error", operation="refund_create")
    stripe_api.sim.script("insufficient_funds", customer="poor@shop.example")
    paid = stripe_api.pay(receipt_email="rich@shop.example")
    assert stripe_api.post("refunds", payment_intent=paid["id"]).status == 500
    reply = stripe_api.post("payment_intents", **stripe_api.payment(receipt_email="poor@shop.example"))
    assert (reply.status, reply.body["error"]["decline_code"]) == (402, "insufficient_funds")


def test_reads_fail_in_order_and_then_tell_the_truth(stripe_api: Client) -> None:
    stripe_api.sim.script(FaultScript(read_unavailable=1, read_spike_arrest=1, read_missing=1, read_pending=1))
    path = f"payment_intents/{stripe_api.pay()['id']}"
    replies = [stripe_api.get(path) for _ in range(5)]
    assert [one.status for one in replies] == [500, 429, 404, 200, 200]
    assert [one.body["status"] for one in replies[3:]] == ["processing", "succeeded"]


def test_a_read_can_claim_another_outcome(stripe_api: Client) -> None:
    stripe_api.sim.script("disagree_read")
    paid = stripe_api.pay()
    read = stripe_api.found(f"payment_intents/{paid['id']}")
    assert (read["status"], read["amount_received"]) == ("requires_payment_method", 0)
    assert len(stripe_api.sim.payments()) == 1


def test_a_payment_that_takes_its_time_is_processing_first(stripe_api: Client) -> None:
    stripe_api.sim.script(FaultScript(answer_after=45))
    made = stripe_api.pay()
    assert (made["status"], stripe_api.sim.payments()) == ("processing", [])
    assert stripe_api.kinds(44) == ["payment_intent.created", "payment_intent.processing"]
    assert stripe_api.kinds() == ["charge.succeeded", "payment_intent.succeeded"]


def test_events_are_lost_late_or_doubled(stripe_api: Client) -> None:
    stripe_api.sim.script("lost", "late", "duplicate")
    stripe_api.pay()
    assert stripe_api.kinds(3600) == []
    assert [one.state for one in stripe_api.sim.callbacks()] == ["lost"] * 3
    stripe_api.pay()
    assert (len(stripe_api.kinds(90)), len(stripe_api.kinds(5))) == (0, 3)
    stripe_api.pay()
    twice = stripe_api.letters()
    assert (len(twice), len({event["id"] for event in twice})) == (6, 3)


def test_a_lost_event_can_be_sent_by_hand(stripe_api: Client) -> None:
    stripe_api.sim.script("lost")
    stripe_api.pay()
    lost = stripe_api.sim.callbacks()[2]
    stripe_api.sim.resend(lost.id)
    assert stripe_api.letters() == [lost.body]


def test_events_can_come_before_the_answer(stripe_api: Client) -> None:
    stripe_api.sim.script("event_before_reply")
    stripe_api.pay()
    assert stripe_api.kinds(0) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


def test_events_can_be_overtaken(stripe_api: Client) -> None:
    stripe_api.sim.script("out_of_order")
    held, other = stripe_api.pay()["id"], None
    assert stripe_api.kinds(5) == []
    other = stripe_api.pay()["id"]
    subjects = [
        event["data"]["object"].get("payment_intent") or event["data"]["object"]["id"]
        for event in stripe_api.letters(2)
    ]
    assert subjects == [other, held, held, held, other, other]


def test_an_event_can_lie(stripe_api: Client) -> None:
    stripe_api.sim.script("wrong_amount", "disagree", "stale_failure", {"event_receiver": "acct_other"})
    stripe_api.pay()
    wrong = stripe_api.letters()[-1]["data"]["object"]
    assert (wrong["amount"], wrong["amount_received"], stripe_api.sim.payments()[0]["amount"]) == (1, 1, 10000)
    reply = stripe_api.post("payment_intents", **stripe_api.payment())
    last = stripe_api.letters()[-1]
    assert (reply.status, last["type"], last["data"]["object"]["status"]) == (
        402,
        "payment_intent.succeeded",
        "succeeded",
    )
    assert len(stripe_api.sim.payments()) == 1
    stripe_api.pay()
    *_, true, stale = stripe_api.letters()
    assert [true["type"], stale["type"]] == ["payment_intent.succeeded", "payment_intent.payment_failed"]
    assert (stale["created"], stale["id"] == true["id"]) == (true["created"] - 1, False)
    stripe_api.pay()
    assert {event["account"] for event in stripe_api.letters()} == {"acct_other"}


@pytest.mark.parametrize("preset", ["queue_timeout", "validation_lost", "token_dies_after", {"event_shape": "round"}])
def test_what_stripe_never_does_cannot_be_scripted(stripe_api: Client, preset: object) -> None:
    with pytest.raises(ValueError, match=r"Stripe has no|unknown event shape"):
        stripe_api.sim.script(preset)  # type: ignore[arg-type]
    assert stripe_api.sim.state()["faults"] == []


def test_the_same_seed_gives_the_same_ids(stripe_api: Client) -> None:
    first = stripe_api.pay()["id"]
    stripe_api.sim.reset(seed=1)
    assert stripe_api.sim.payments() == []
    assert stripe_api.pay()["id"] == first


def test_a_wrong_request_uses_no_script_up(stripe_api: Client) -> None:
    stripe_api.sim.script("timeout_after_commit")
    assert stripe_api.post("payment_intents", **stripe_api.payment(amount=0)).status == 400
    with pytest.raises(NO_ANSWER):
        stripe_api.post("payment_intents", **stripe_api.payment())
    assert len(stripe_api.sim.payments()) == 1


def test_a_repetition_may_go_unanswered_too(stripe_api: Client) -> None:
    stripe_api.sim.script("timeout_after_commit", times=2)
    for _ in range(2):
        with pytest.raises(NO_ANSWER):
            stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    assert stripe_api.post("payment_intents", "key-1", **stripe_api.payment()).status == 200
    assert len(stripe_api.sim.charges_of("R1")) == 1


@pytest.mark.parametrize(
    ("operation", "outcome"), [("refund_create", "declined"), ("payment_capture", "declined"), ("payment_read", "pay")]
)
def test_an_outcome_is_only_for_what_has_one(stripe_api: Client, operation: str, outcome: str) -> None:
    with pytest.raises(ValueError, match=f"{operation} knows no outcome"):
        stripe_api.sim.script(outcome, operation=operation)


def test_a_version_that_is_none_is_refused(stripe_api: Client) -> None:
    stripe_api.version = "latest"
    assert stripe_api.post("payment_intents", **stripe_api.payment()).status == 400
    assert stripe_api.sim.payments() == []


def test_a_decline_may_go_unheard(stripe_api: Client) -> None:
    stripe_api.sim.script(FaultScript(outcome="declined", reply=Reply.ACCEPTED_TIMEOUT))
    with pytest.raises(NO_ANSWER):
        stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    again = stripe_api.post("payment_intents", "key-1", **stripe_api.payment())
    assert (again.status, again.headers["Idempotent-Replayed"]) == (402, "true")
    assert stripe_api.sim.payments() == []


@pytest.mark.parametrize(
    ("preset", "status", "kind"),
    [
        ("html_body", 502, "text/html"),
        ("html_after_commit", 200, "text/html"),
        ("empty_body", 200, "application/json"),
    ],
)
def test_answers_that_are_no_answers(stripe_api: Client, preset: str, status: int, kind: str) -> None:
    stripe_api.sim.script(preset)
    headers = {"Authorization": f"Bearer {stripe_api.key}"}
    url = f"{stripe_api.sim.base_url}/v1/payment_intents"
    answer = HTTP.post(url, data=dict(flat(stripe_api.payment())), headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (status, kind)
    assert len(stripe_api.sim.payments()) == (status == 200)


def test_an_upload_can_fail_and_be_done(stripe_api: Client) -> None:
    stripe_api.sim.script("server_error", "accepted_5xx", operation="file_write")
    url, headers = f"{stripe_api.sim.base_url}/v1/files", {"Authorization": f"Bearer {stripe_api.key}"}
    said, kept = [], []
    for _ in range(3):
        form = {"data": {"purpose": "dispute_evidence"}, "files": {"file": ("a.pdf", b"%PDF")}}
        said.append(HTTP.post(url, headers=headers, **form).status_code)  # type: ignore[arg-type]
        kept.append(len(stripe_api.found("files")["data"]))
    assert (said, kept) == ([500, 500, 200], [0, 1, 2])
