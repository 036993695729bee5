"""PayPal, which takes no shillings: an order in shillings is paid in dollars, at the demo's fixed rate."""

from __future__ import annotations

from decimal import Decimal

import httpx

from sandbox_project.majuu_hooks import FIXED_DEMO_RATE
from sandbox_project.play.books import heard_from, took
from sandbox_project.play.customer import leave_for, opened, press
from sandbox_project.play.scene import NotSeen, Scene
from sandbox_project.play.shopping import buy, give_back, hear_of_payment, reach
from sandbox_project.play.wording import money

PROVIDER = "paypal"
PRICE, GIVEN_BACK = "USD 21.56", "5.00"  # KES 2,800 at 0.0077


def see_dollars(scene: Scene) -> str:
    """The payment page says what PayPal will charge, before the customer leaves."""
    buy(scene, "kiondo")
    price = f"You pay {PRICE} (1 KES = 0.0077 USD)"
    opened(scene.intent["payment_url"], shows=price)
    return f"the page offers PayPal for {money(scene.intent['amount'])}: {price!r}\n{scene.intent['id']}"


def see_approval(scene: Scene) -> str:
    """The customer approves at PayPal and comes back, which is when the money is taken."""
    page = leave_for(scene, "paypal")
    opened(page, shows="21.56 USD")
    order = httpx.URL(page).params["token"]
    back = press(str(httpx.URL(page).join(f"/checkoutnow/{order}/approve")), instrument="pay")
    opened(back, shows="1 KES = 0.0077 USD")
    charge = reach(scene, "succeeded")
    exchange = charge["exchange"] or {}
    if (f"{charge['currency']} {charge['amount']}", exchange.get("source")) != (PRICE, FIXED_DEMO_RATE):
        raise NotSeen(f"PayPal took {charge['currency']} {charge['amount']}, exchanged by {exchange}")
    scene.wallet = charge["id"]
    took(scene, PROVIDER, scene.intent["id"])
    return f"approved at PayPal, taken when the customer comes back: {PRICE}\nreceipt {charge['receipt']}"


def see_notice(scene: Scene) -> str:
    """PayPal tells of it too; the signature is checked against a certificate chain, and nothing is paid twice."""
    charge = reach(scene, "succeeded")
    message = heard_from(scene, PROVIDER, charge["receipt"])
    hear_of_payment(scene)
    return f"PayPal tells it too: certificate and signature verified, {message.state}\n{message.public_id}"


def see_refund(scene: Scene) -> str:
    """A part goes back in dollars, and takes back its share of the shillings."""
    refund = give_back(scene, scene.wallet, GIVEN_BACK, "A handle was loose")
    scene.expected[PROVIDER] -= Decimal(GIVEN_BACK)
    return f"{money(GIVEN_BACK, 'USD')} back to the PayPal account\n{refund['id']}"
