"""Cards through Stripe: paid on its page, with the bank's question, held and taken in part, given back in part."""

from __future__ import annotations

from decimal import Decimal

import httpx

from sandbox_project.play.books import heard_from, took
from sandbox_project.play.customer import leave_for, opened, press
from sandbox_project.play.scene import NotSeen, Scene, read
from sandbox_project.play.shopping import ask_for, buy, give_back, hear_of_payment, new_key, reach
from sandbox_project.play.wording import money

PROVIDER = "stripe"
HELD, CAPTURED, GIVEN_BACK = "1500.00", "1200.00", "150.00"
VISA, ASKED_BY_BANK = "pm_card_visa", "pm_card_threeDSecure2Required"


def see_card(scene: Scene) -> str:
    """A customer is sent to Stripe's page, pays there with a test card, and closes the browser."""
    buy(scene, "kahawa")
    page = leave_for(scene, "card")
    opened(page, shows="650")
    press(page, card=VISA)
    return f"the customer pays {money(scene.intent['amount'])} on Stripe's page and never comes back\n{page}"


def see_event(scene: Scene) -> str:
    """Stripe tells of it with a signed event, which alone makes the order paid."""
    charge = reach(scene, "succeeded")
    message = heard_from(scene, PROVIDER, charge["provider_reference"])
    hear_of_payment(scene)
    took(scene, PROVIDER, scene.intent["id"])
    scene.card = charge["id"]
    return f"Stripe tells it: signature verified, {message.state}; the shop's order is paid\n{message.public_id}"


def see_question(scene: Scene) -> str:
    """A card whose bank asks the customer first (3-D Secure); the customer comes back to Majuu."""
    buy(scene, "kikoi")
    page = leave_for(scene, "card")
    question = press(page, card=ASKED_BY_BANK)
    opened(question, shows="Your bank asks")
    if payments_of(scene):
        raise NotSeen("the card was charged before its bank had asked")
    back = press(question, answer="approve")
    opened(back, shows="Payment received")
    charge = reach(scene, "succeeded")
    took(scene, PROVIDER, scene.intent["id"])
    return f"the bank asks (3-D Secure), the customer approves and comes back: paid\nreceipt {charge['receipt']}"


def see_hold(scene: Scene) -> str:
    """Manual capture: the money is held, and nothing is taken."""
    ask_for(scene, HELD, capture_method="manual", description="A basket made to order")
    back = press(leave_for(scene, "card"), card=VISA)
    opened(back, shows="Your payment is reserved")
    charge = reach(scene, "requires_capture")
    if payments_of(scene):
        raise NotSeen("money was taken that should only be held")
    return f"{money(scene.intent['amount_capturable'])} held, nothing taken\n{charge['id']}"


def see_capture(scene: Scene) -> str:
    """The shop takes a part when it ships; the rest is let go."""
    answer = scene.majuu.post(f"{scene.intent_url}/capture", json={"amount": CAPTURED}, headers=new_key())
    if answer.status_code != httpx.codes.OK:
        raise NotSeen(f"the capture was refused: {answer.text[:300]}")
    reach(scene, "succeeded")
    if (received := Decimal(scene.intent["amount_received"])) != Decimal(CAPTURED):
        raise NotSeen(f"{received} was captured")
    took(scene, PROVIDER, scene.intent["id"])
    return f"{money(CAPTURED)} of it captured, {money(str(Decimal(HELD) - Decimal(CAPTURED)))} let go"


def see_refund(scene: Scene) -> str:
    """A part of the first card payment goes back to the card."""
    refund = give_back(scene, scene.card, GIVEN_BACK, "One bag was torn")
    scene.expected[PROVIDER] -= Decimal(GIVEN_BACK)
    return f"{money(GIVEN_BACK)} back to the card\n{refund['id']}"


def payments_of(scene: Scene) -> list[str]:
    """What Stripe has charged for the intent's latest attempt."""
    scene.intent = read(scene.majuu, scene.intent_url)
    charge = scene.intent["latest_charge"]["id"]
    found = read(scene.stripe, "/control/payments")["payments"]
    return [row["charge"] for row in found if row["reference"] == charge]
