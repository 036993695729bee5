from __future__ import annotations

import re
from typing import Any

import pytest

from majuu_sim.faults import FaultScript
from majuu_sim.stripe import CARDS
from tests.sim.stripe_client import BACK, HTTP, Client, Reply


def test_a_customer_pays_on_the_hosted_page(stripe_api: Client) -> None:
    session = stripe_api.session(client_reference_id="order-1", customer_email="a@shop.example")
    assert (session["status"], session["payment_status"], session["payment_intent"]) == ("open", "unpaid", None)
    page = HTTP.get(session["url"])
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert ("KES 50.00" in page.text, "Tea &amp; cake × 2" in page.text) == (True, True)
    assert set(re.findall(r'<option value="(\w+)"', page.text)) == set(CARDS)
    assert "<input" not in page.text
    sent = HTTP.post(session["url"], data={"action": "pay", "card": "pm_card_visa"})
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{BACK}?paid={session['id']}")
    done = stripe_api.found(f"checkout/sessions/{session['id']}", expand=["payment_intent.latest_charge"])
    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    assert done["client_reference_id"] == "order-1"
    assert done["payment_intent"]["latest_charge"]["metadata"] == {"majuu_reference": "S1"}
    assert stripe_api.kinds() == [
        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed",
    ]  # fmt: skip
    assert HTTP.get(session["url"]).headers["Location"] == f"{BACK}?paid={session['id']}"
    assert HTTP.post(session["url"], data={"action": "pay", "card": "pm_card_visa"}).status_code == 303
    assert [one["amount"] for one in stripe_api.sim.charges_of("S1")] == [5000]
    assert HTTP.get(f"{stripe_api.sim.base_url}/pages/stripe.css").headers["Content-Type"] == "text/css"


def test_after_a_decline_the_page_takes_another_card(stripe_api: Client) -> None:
    session = stripe_api.session()
    declined = HTTP.post(session["url"], data={"action": "pay", "card": "pm_card_chargeDeclined"})
    assert (declined.status_code, "Your card was declined." in declined.text) == (402, True)
    assert HTTP.post(session["url"], data={"action": "pay", "card": "4242424242424242"}).status_code == 400
    assert stripe_api.sim.payments() == []
    paid = stripe_api.sim.pay_session(session["id"], "pm_card_mastercard")
    assert (paid["status"], len(stripe_api.sim.payments())) == ("complete", 1)
    assert stripe_api.kinds().count("payment_intent.created") == 1
    with pytest.raises(RuntimeError, match="is complete"):
        stripe_api.sim.pay_session(session["id"])


def test_the_bank_asks_on_the_way(stripe_api: Client) -> None:
    session = stripe_api.session()
    sent = HTTP.post(session["url"], data={"action": "pay", "card": "pm_card_threeDSecure2Required"})
    bank = stripe_api.sim.base_url + sent.headers["Location"]
    assert "Is this you?" in HTTP.get(bank).text
    failed = HTTP.post(bank, data={"answer": "fail"})
    assert "Try another card" in failed.text
    again = HTTP.post(session["url"], data={"action": "pay", "card": "pm_card_threeDSecure2Required"})
    assert again.headers["Location"] == sent.headers["Location"]
    assert HTTP.post(bank, data={"answer": "approve"}).headers["Location"] == f"{BACK}?paid={session['id']}"
    assert len(stripe_api.sim.charges_of("S1")) == 1


def test_a_customer_goes_back_and_the_session_runs_out(stripe_api: Client) -> None:
    session = stripe_api.session()
    left = HTTP.post(session["url"], data={"action": "cancel"})
    assert left.headers["Location"] == f"{BACK}?left=1"
    assert stripe_api.found(f"checkout/sessions/{session['id']}")["status"] == "open"
    assert stripe_api.kinds(86_405) == ["checkout.session.expired"]
    assert stripe_api.found(f"checkout/sessions/{session['id']}")["status"] == "expired"
    assert HTTP.get(session["url"]).status_code == 410


def test_a_session_is_expired_by_the_shop_and_its_intent_with_it(stripe_api: Client) -> None:
    session = stripe_api.session()
    HTTP.post(session["url"], data={"action": "pay", "card": "pm_card_chargeDeclined"})
    intent = stripe_api.found(f"checkout/sessions/{session['id']}")["payment_intent"]
    refused = stripe_api.post(f"payment_intents/{intent}/cancel")
    assert (refused.status, "Expire the Checkout Session" in refused.body["error"]["message"]) == (400, True)
    assert stripe_api.made(f"checkout/sessions/{session['id']}/expire")["status"] == "expired"
    assert stripe_api.found(f"payment_intents/{intent}")["status"] == "canceled"
    assert stripe_api.post(f"checkout/sessions/{session['id']}/expire").status == 400


def test_a_held_payment_of_a_session_is_paid_when_it_is_captured(stripe_api: Client) -> None:
    session = stripe_api.session(payment_intent_data={"capture_method": "manual"})
    held = stripe_api.sim.pay_session(session["id"])
    assert (held["status"], held["payment_status"]) == ("complete", "unpaid")
    stripe_api.made(f"payment_intents/{held['payment_intent']}/capture", amount_to_capture=2000)
    assert stripe_api.found(f"checkout/sessions/{session['id']}")["payment_status"] == "paid"
    assert [one["amount"] for one in stripe_api.sim.payments()] == [2000]


def test_a_card_is_saved_in_a_session_and_charged_later(stripe_api: Client) -> None:
    session = stripe_api.session(mode="setup", line_items=..., payment_intent_data=..., currency="kes")
    assert session["payment_status"] == "no_payment_required"
    sent = HTTP.post(session["url"], data={"action": "pay", "card": "pm_card_authenticationRequiredOnSetup"})
    HTTP.post(stripe_api.sim.base_url + sent.headers["Location"], data={"answer": "approve"})
    done = stripe_api.found(f"checkout/sessions/{session['id']}", expand=["setup_intent.payment_method"])
    method = done["setup_intent"]["payment_method"]
    assert (done["status"], method["customer"]) == ("complete", done["customer"])
    assert stripe_api.sim.payments() == []
    later = stripe_api.pay(payment_method=method["id"], customer=done["customer"], off_session=True)
    assert later["status"] == "succeeded"


def test_scripts_of_a_session_shape_its_payment(stripe_api: Client) -> None:
    stripe_api.sim.script(FaultScript(answer_after=30, event_lost=True, read_pending=1), operation="checkout_create")
    session = stripe_api.session()
    assert stripe_api.kinds(31) == []
    reads = [stripe_api.found(f"checkout/sessions/{session['id']}") for _ in range(2)]
    assert [(one["status"], one["payment_status"]) for one in reads] == [("open", "unpaid"), ("complete", "paid")]
    assert len(stripe_api.sim.charges_of("S1")) == 1


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"mode": ...}, "mode"),
        ({"mode": "subscription"}, "mode"),
        ({"success_url": ...}, "success_url"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"line_items": ...}, "line_items"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "line_items[0][price]"),
        ({"expires_at": 5}, "expires_at"),
        ({"payment_intent_data": {"colour": "red"}}, "payment_intent_data[colour]"),
        ({"customer": "cus_nobodys"}, "customer"),
    ],
)
def test_a_session_that_cannot_be_is_refused(stripe_api: Client, changes: dict[str, Any], param: str) -> None:
    price = {"currency": "kes", "unit_amount": 2500, "product_data": {"name": "Tea"}}
    params: dict[str, Any] = {
        "mode": "payment",
        "success_url": BACK,
        "line_items": [{"quantity": 1, "price_data": price}],
    }
    params.update(changes)
    reply: Reply = stripe_api.post("checkout/sessions", **{key: one for key, one in params.items() if one is not ...})
    assert (reply.status, reply.body["error"]["param"]) == (400, param)
    assert stripe_api.sim.state()["accounts"][0]["checkout_sessions"] == {}


def test_a_session_makes_a_customer_when_it_is_told_to(stripe_api: Client) -> None:
    session = stripe_api.session(customer_creation="always", customer_email="a@shop.example")
    done = stripe_api.sim.pay_session(session["id"])
    assert stripe_api.found(f"customers/{done['customer']}")["email"] == "a@shop.example"
    assert done["customer_details"]["email"] == "a@shop.example"
    assert stripe_api.sim.pay_session(stripe_api.session()["id"])["customer"] is None
