from __future__ import annotations

from typing import Any

import pytest

from majuu_sim.faults import FaultScript
from tests.sim.stripe_client import Client

INVALID = "invalid_request_error"


def test_a_charge_is_refunded_in_parts_and_never_more(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    stripe_api.letters()
    first = stripe_api.made("refunds", payment_intent=paid["id"], amount=4000, metadata={"majuu_reference": "F1"})
    assert (first["status"], first["amount"], first["charge"]) == ("succeeded", 4000, paid["latest_charge"])
    too_much = stripe_api.post("refunds", charge=paid["latest_charge"], amount=6001)
    assert too_much.error == (400, INVALID, None, "amount")
    assert "KES 60.01" in too_much.body["error"]["message"]
    rest = stripe_api.made("refunds", charge=paid["latest_charge"], reason="requested_by_customer")
    assert rest["amount"] == 6000
    assert stripe_api.post("refunds", payment_intent=paid["id"]).error[2] == "charge_already_refunded"
    charge = stripe_api.found(f"charges/{paid['latest_charge']}", expand=["refunds"])
    assert (charge["amount_refunded"], charge["refunded"]) == (10000, True)
    assert [one["id"] for one in charge["refunds"]["data"]] == [rest["id"], first["id"]]
    assert stripe_api.kinds() == ["refund.created", "charge.refunded"] * 2
    listed = stripe_api.found("refunds", payment_intent=paid["id"])["data"]
    assert [one["amount"] for one in listed] == [6000, 4000]
    assert stripe_api.sim.payments()[0]["refunded"] == 10000


def test_what_was_not_paid_is_not_refunded(stripe_api: Client) -> None:
    held = stripe_api.pay(capture_method="manual")
    open_one = stripe_api.pay(confirm=False)
    assert stripe_api.post("refunds", payment_intent=held["id"]).error[2] == "charge_not_refundable"
    assert stripe_api.post("refunds", payment_intent=open_one["id"]).error == (400, INVALID, None, "payment_intent")
    assert stripe_api.post("refunds", payment_intent="pi_x").error == (
        404,
        INVALID,
        "resource_missing",
        "payment_intent",
    )
    assert stripe_api.post("refunds").status == 400
    assert stripe_api.found("refunds")["data"] == []


def test_a_refund_fails_days_after_it_succeeded(stripe_api: Client) -> None:
    paid = stripe_api.pay(payment_method="pm_card_refundFail")
    refund = stripe_api.made("refunds", payment_intent=paid["id"], amount=2500)
    assert refund["status"] == "succeeded"
    assert "refund.failed" not in stripe_api.kinds(259_000)
    told = stripe_api.letters(300)
    assert [event["type"] for event in told] == ["refund.updated", "refund.failed", "charge.refund.updated"]
    failed = stripe_api.found(f"refunds/{refund['id']}", expand=["failure_balance_transaction"])
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    moved = failed["failure_balance_transaction"]
    assert (moved["type"], moved["amount"], moved["source"]) == ("refund_failure", 2500, refund["id"])
    assert stripe_api.found(f"charges/{paid['latest_charge']}")["amount_refunded"] == 0
    assert stripe_api.made("refunds", payment_intent=paid["id"])["amount"] == 10000


@pytest.mark.parametrize("changes", [{"payment_method": "pm_card_pendingRefund"}, {}])
def test_a_refund_takes_its_time(stripe_api: Client, changes: dict[str, Any]) -> None:
    if not changes:
        stripe_api.sim.script(FaultScript(answer_after=86_400), operation="refund_create")
    paid = stripe_api.pay(**changes)
    refund = stripe_api.made("refunds", payment_intent=paid["id"])
    assert refund["status"] == "pending"
    stripe_api.letters()
    told = stripe_api.letters(86_400)
    assert [event["type"] for event in told] == ["refund.updated", "charge.refund.updated"]
    assert stripe_api.found(f"refunds/{refund['id']}")["status"] == "succeeded"


def test_a_refund_of_the_dashboard_is_told_like_any_other(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    stripe_api.letters()
    made = stripe_api.sim.refund_in_dashboard(paid["id"], 1500)
    told = stripe_api.letters()
    assert [(event["type"], event["request"]["id"]) for event in told] == [
        ("refund.created", None), ("charge.refunded", None),
    ]  # fmt: skip
    assert told[0]["data"]["object"]["id"] == made["id"]
    with pytest.raises(ValueError, match="greater than unrefunded"):
        stripe_api.sim.refund_in_dashboard(paid["id"], 8501)


def test_the_bank_sends_a_refund_back_once(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    refund = stripe_api.made("refunds", payment_intent=paid["id"])
    assert stripe_api.sim.fail_refund(refund["id"], "lost_or_stolen_card")["failure_reason"] == "lost_or_stolen_card"
    with pytest.raises(RuntimeError, match="is failed"):
        stripe_api.sim.fail_refund(refund["id"])
    with pytest.raises(ValueError, match="unknown reason"):
        stripe_api.sim.fail_refund(refund["id"], "whim")


def test_a_refund_can_be_done_and_not_answered(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    stripe_api.sim.script("accepted_5xx", operation="refund_create")
    assert stripe_api.post("refunds", "key-r", payment_intent=paid["id"], amount=100).status == 500
    assert stripe_api.sim.payments()[0]["refunded"] == 100
    assert stripe_api.found("refunds", charge=paid["latest_charge"])["data"][0]["amount"] == 100


def test_a_refunds_event_can_lie(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    stripe_api.letters()
    stripe_api.sim.script(FaultScript(event_outcome="declined"), operation="refund_create")
    refund = stripe_api.made("refunds", payment_intent=paid["id"])
    told = stripe_api.letters()[0]
    assert (told["type"], told["data"]["object"]["status"]) == ("refund.failed", "failed")
    assert stripe_api.found(f"refunds/{refund['id']}")["status"] == "succeeded"


def test_a_refund_that_waits_for_the_customer_can_be_called_off(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    stripe_api.letters()
    stripe_api.sim.script("refund_requires_action", operation="refund_create", times=2)
    first, second = (stripe_api.made("refunds", payment_intent=paid["id"], amount=5000) for _ in range(2))
    assert (first["status"], second["status"]) == ("requires_action", "requires_action")
    assert stripe_api.made(f"refunds/{first['id']}/cancel")["status"] == "canceled"
    assert stripe_api.post(f"refunds/{first['id']}/cancel").status == 400
    assert stripe_api.sim.payments()[0]["refunded"] == 5000
    stripe_api.sim.advance(86_400)
    assert stripe_api.found(f"refunds/{second['id']}")["status"] == "succeeded"
