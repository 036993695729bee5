"""Customers, saved cards, disputes, files, and the account's money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from majuu_sim.clock import VirtualClock
from majuu_sim.stripe import StripeAccount, StripeConfig, StripeSimulator
from majuu_sim.transport import CollectingTransport
from tests.sim.stripe_client import BACK, HTTP, Client

PDF = b"%PDF-1.7 a receipt"


def saved(api: Client, card: str = "pm_card_visa") -> tuple[str, str]:
    """A customer and the card they left."""
    customer = api.made("customers", email="a@shop.example", metadata={"majuu_customer": "c1"})["id"]
    setup = api.made(
        "setup_intents", customer=customer, payment_method=card, payment_method_types=["card"], confirm=True
    )
    assert setup["status"] == "succeeded"
    return customer, setup["payment_method"]


def test_a_saved_card_is_charged_for_its_own_customer_only(stripe_api: Client) -> None:
    customer, method = saved(stripe_api)
    assert stripe_api.kinds() == [
        "customer.created", "setup_intent.created", "setup_intent.succeeded", "payment_method.attached",
    ]  # fmt: skip
    assert stripe_api.pay(customer=customer, payment_method=method, off_session=True)["status"] == "succeeded"
    other = stripe_api.made("customers")["id"]
    for someone in (other, ...):
        reply = stripe_api.post("payment_intents", **stripe_api.payment(customer=someone, payment_method=method))
        assert (reply.status, reply.body["error"]["param"]) == (400, "payment_method")
    found = stripe_api.found("customers/search", query="metadata['majuu_customer']:'c1'")["data"]
    assert [one["id"] for one in found] == [customer]
    assert len(stripe_api.sim.payments()) == 1


def test_a_card_is_let_go_with_or_without_its_customer(stripe_api: Client) -> None:
    customer, method = saved(stripe_api)
    assert [one["id"] for one in stripe_api.found("payment_methods", customer=customer)["data"]] == [method]
    assert stripe_api.made(f"payment_methods/{method}/detach")["customer"] is None
    assert stripe_api.post(f"payment_methods/{method}/detach").status == 400
    for path, params in (
        (f"payment_methods/{method}/attach", {"customer": customer}),
        ("payment_intents", stripe_api.payment(payment_method=method, customer=customer)),
    ):
        reply = stripe_api.post(path, **params)
        assert (reply.status, "may not be used again" in reply.body["error"]["message"]) == (400, True)
    assert stripe_api.sim.payments() == []
    fresh = stripe_api.made("payment_methods", type="card", card={"token": "tok_visa"})["id"]
    assert stripe_api.made(f"payment_methods/{fresh}/attach", customer=customer)["customer"] == customer
    gone = stripe_api.send("DELETE", f"customers/{customer}", {})
    assert gone.body == {"id": customer, "object": "customer", "deleted": True}
    assert stripe_api.found(f"payment_methods/{fresh}")["customer"] is None
    assert stripe_api.get(f"customers/{customer}").error[2] == "resource_missing"


@pytest.mark.parametrize("approve", [True, False])
def test_saving_a_card_may_need_the_bank(stripe_api: Client, approve: bool) -> None:
    customer = stripe_api.made("customers")["id"]
    setup = stripe_api.made(
        "setup_intents", customer=customer, payment_method="pm_card_authenticationRequiredOnSetup",
        payment_method_types=["card"], confirm=True, return_url=BACK,
    )  # fmt: skip
    assert setup["status"] == "requires_action"
    page = setup["next_action"]["redirect_to_url"]["url"]
    back = HTTP.post(page, data={"answer": "approve" if approve else "fail"}).headers["Location"]
    assert back.endswith(f"redirect_status={'succeeded' if approve else 'failed'}")
    now = stripe_api.found(f"setup_intents/{setup['id']}")
    assert now["status"] == ("succeeded" if approve else "requires_payment_method")
    assert stripe_api.kinds()[-1] == ("payment_method.attached" if approve else "setup_intent.setup_failed")
    assert len(stripe_api.found("payment_methods", customer=customer)["data"]) == approve


def test_a_card_that_cannot_be_saved_and_a_setup_that_is_cancelled(stripe_api: Client) -> None:
    params: dict[str, Any] = {"payment_method": "pm_card_chargeDeclined", "payment_method_types": ["card"]}
    reply = stripe_api.post("setup_intents", confirm=True, **params)
    assert (reply.status, reply.body["error"]["setup_intent"]["status"]) == (402, "requires_payment_method")
    setup = stripe_api.made("setup_intents", **params)
    assert stripe_api.made(f"setup_intents/{setup['id']}/cancel")["status"] == "canceled"
    assert stripe_api.post(f"setup_intents/{setup['id']}/confirm").error[2] == "setup_intent_unexpected_state"


def test_a_card_that_was_not_saved_is_used_once(stripe_api: Client) -> None:
    method = stripe_api.made("payment_methods", type="card", card={"token": "tok_visa"})["id"]
    assert stripe_api.pay(payment_method=method)["status"] == "succeeded"
    assert stripe_api.post("payment_intents", **stripe_api.payment(payment_method=method)).status == 400
    assert len(stripe_api.sim.payments()) == 1


def test_card_numbers_are_never_taken(stripe_api: Client) -> None:
    card = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2031, "cvc": "123"}
    reply = stripe_api.post("payment_methods", type="card", card=card)
    assert (reply.status, "generally unsafe" in reply.body["error"]["message"]) == (402, True)
    assert stripe_api.made("payment_methods", type="card", card={"token": "tok_visa"})["card"]["last4"] == "4242"


def disputed(api: Client, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    paid = api.pay(payment_method="pm_card_createDispute", **changes)
    api.letters()
    (dispute,) = api.found("disputes", payment_intent=paid["id"])["data"]
    return paid, dispute


def test_a_dispute_takes_the_money_and_its_fee_until_it_is_won(stripe_api: Client) -> None:
    paid, dispute = disputed(stripe_api)
    (taken,) = dispute["balance_transactions"]
    assert (dispute["status"], dispute["amount"], dispute["charge"]) == ("needs_response", 10000, paid["latest_charge"])
    assert (taken["amount"], taken["fee"], taken["net"]) == (-10000, 1500, -11500)
    assert dispute["evidence_details"]["due_by"] - dispute["created"] == 9 * 86_400
    assert stripe_api.post("refunds", payment_intent=paid["id"]).error[2] == "charge_disputed"
    marked = stripe_api.made(f"disputes/{dispute['id']}", metadata={"seen": "1"})
    assert (marked["status"], marked["evidence_details"]["submission_count"]) == ("needs_response", 0)
    staged = stripe_api.made(f"disputes/{dispute['id']}", evidence={"uncategorized_text": "sent"}, submit=False)
    assert (staged["status"], staged["evidence_details"]["has_evidence"]) == ("needs_response", True)
    given = stripe_api.made(f"disputes/{dispute['id']}", evidence={"customer_name": "A. Person"}, submit=True)
    assert (given["status"], given["evidence_details"]["submission_count"]) == ("under_review", 1)
    assert given["evidence"]["uncategorized_text"] == "sent"
    assert stripe_api.post(f"disputes/{dispute['id']}", evidence={"customer_name": "B"}).error[3] == "evidence"
    won = stripe_api.sim.decide_dispute(dispute["id"], won=True)
    assert (won["status"], won["balance_transactions"][1]["net"]) == ("won", 10000)
    assert stripe_api.kinds() == [
        *["charge.dispute.updated"] * 3, "charge.dispute.closed", "charge.dispute.funds_reinstated",
    ]  # fmt: skip
    with pytest.raises(RuntimeError, match="is over"):
        stripe_api.sim.decide_dispute(dispute["id"], won=False)
    assert stripe_api.made("refunds", payment_intent=paid["id"])["amount"] == 10000


def test_a_dispute_nobody_answers_or_that_is_given_up_is_lost(stripe_api: Client) -> None:
    _, silent = disputed(stripe_api)
    _, given_up = disputed(stripe_api)
    assert stripe_api.made(f"disputes/{given_up['id']}/close")["status"] == "lost"
    assert stripe_api.post(f"disputes/{given_up['id']}/close").status == 400
    assert stripe_api.kinds() == ["charge.dispute.closed"]
    stripe_api.sim.advance(9 * 86_400)
    lost = stripe_api.found(f"disputes/{silent['id']}")
    assert (lost["status"], lost["evidence_details"]["past_due"]) == ("lost", True)


def test_an_inquiry_takes_no_money_unless_it_becomes_a_dispute(stripe_api: Client) -> None:
    quiet, loud = stripe_api.pay(), stripe_api.pay()
    first = stripe_api.sim.dispute(quiet["id"], inquiry=True, reason="unrecognized")
    second = stripe_api.sim.dispute(loud["id"], inquiry=True)
    assert (first["status"], first["balance_transactions"]) == ("warning_needs_response", [])
    assert stripe_api.sim.decide_dispute(first["id"], won=True)["status"] == "warning_closed"
    turned = stripe_api.sim.decide_dispute(second["id"], won=False)
    assert (turned["status"], turned["balance_transactions"][0]["amount"]) == ("needs_response", -10000)
    assert stripe_api.made("refunds", payment_intent=quiet["id"])["status"] == "succeeded"
    with pytest.raises(ValueError, match="cannot be disputed"):
        stripe_api.sim.dispute(quiet["id"], amount=10001)


def upload(api: Client, content: bytes, purpose: str = "dispute_evidence", key: str = "f") -> Any:
    return HTTP.post(
        f"{api.sim.base_url}/v1/files", data={"purpose": purpose}, files={"file": ("receipt.pdf", content)},
        headers={"Authorization": f"Bearer {api.key}", "Idempotency-Key": key},
    )  # fmt: skip


def test_files_are_evidence(stripe_api: Client) -> None:
    _, dispute = disputed(stripe_api)
    made = upload(stripe_api, PDF).json()
    assert (made["type"], made["size"], made["filename"]) == ("pdf", len(PDF), "receipt.pdf")
    assert upload(stripe_api, PDF).json()["id"] == made["id"]
    given = stripe_api.made(f"disputes/{dispute['id']}", evidence={"receipt": made["id"]})
    assert given["evidence"]["receipt"] == made["id"]
    assert upload(stripe_api, b"MZ not evidence", key="g").json()["error"]["param"] == "file"
    assert upload(stripe_api, PDF, "identity_document", key="h").json()["error"]["param"] == "purpose"
    assert upload(stripe_api, PDF + b"0" * 5_242_880, key="i").json()["error"]["param"] == "file"
    _, other = disputed(stripe_api)
    wrong = stripe_api.post(f"disputes/{other['id']}", evidence={"receipt": "file_x"})
    assert wrong.error[2:] == ("resource_missing", "evidence[receipt]")


def test_payouts_carry_what_is_available(stripe_api: Client) -> None:
    paid = stripe_api.pay()
    refund = stripe_api.made("refunds", payment_intent=paid["id"], amount=1000)
    with pytest.raises(ValueError, match="nothing in kes"):
        stripe_api.sim.make_payout("kes")
    stripe_api.sim.advance(172_800)
    stripe_api.pay()
    balance = stripe_api.found("balance")
    assert [(one["amount"], one["currency"]) for one in balance["available"]] == [(8680, "kes")]
    assert [one["amount"] for one in balance["pending"]] == [9680]
    stripe_api.letters()
    payout = stripe_api.sim.make_payout("kes")
    assert (payout["amount"], payout["status"]) == (8680, "in_transit")
    lines = stripe_api.found("balance_transactions", payout=payout["id"])["data"]
    assert [(one["type"], one["net"]) for one in lines] == [("payout", -8680), ("refund", -1000), ("charge", 9680)]
    assert [one["source"] for one in lines] == [payout["id"], refund["id"], paid["latest_charge"]]
    assert stripe_api.kinds(3 * 86_400) == ["payout.created", "payout.paid", "payout.reconciliation_completed"]
    assert stripe_api.found("payouts", status="paid")["data"][0]["id"] == payout["id"]
    failed = stripe_api.sim.fail_payout(payout["id"])
    assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
    assert stripe_api.get("balance_transactions", payout="po_x").error[3] == "payout"


def test_payouts_can_make_themselves() -> None:
    mail = CollectingTransport()
    config = StripeConfig(automatic_payouts=True)
    with StripeSimulator(seed=1, clock=VirtualClock(), config=config, transport=mail) as sim:
        api = Client(sim, mail)
        paid = [api.pay(), api.pay()]
        api.made("refunds", payment_intent=paid[0]["id"])
        sim.advance(4 * 86_400)
        (payout,) = api.found("payouts")["data"]
        assert (payout["amount"], payout["status"]) == (2 * 9680 - 10000, "paid")
        assert [one["amount"] for one in api.found("balance")["available"]] == [0]


def test_a_currency_without_a_bank_account_is_converted() -> None:
    account = StripeAccount(settles=("usd",))
    config = StripeConfig(accounts=(account,), exchange_rates={("jpy", "usd"): Decimal("0.0065")})
    mail = CollectingTransport()
    with StripeSimulator(seed=1, clock=VirtualClock(), config=config, transport=mail) as sim:
        api = Client(sim, mail)
        moved = api.pay(currency="jpy", amount=10000, expand=["latest_charge.balance_transaction"])
        (shown,) = api.found("balance_transactions")["data"]
        refused = api.post("payment_intents", **api.payment(currency="eur"))
    assert moved["latest_charge"]["balance_transaction"] == shown
    assert (shown["amount"], shown["currency"], shown["exchange_rate"], shown["fee"]) == (6500, "usd", 0.0065, 219)
    assert refused.error == (400, "invalid_request_error", None, "currency")
