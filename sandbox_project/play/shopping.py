"""What the shop does for every way to pay: it asks for money, hears that it came, and gives a part of it back."""

from __future__ import annotations

import secrets
from typing import Any

import httpx

from sandbox_project.play.scene import NotSeen, Scene, read


def new_key() -> dict[str, str]:
    """A header that makes a request one of a kind."""
    return {"Idempotency-Key": secrets.token_hex(12)}


def buy(scene: Scene, product: str) -> None:
    """A customer presses Buy; the shop asks Majuu for a payment and sends the customer to its page."""
    order_id = f"duka-{secrets.token_hex(5)}"
    bought = scene.shop.post("/buy", data={"product": product, "order": order_id})
    if bought.status_code != httpx.codes.SEE_OTHER:
        raise NotSeen(f"the shop answered {bought.status_code}: {bought.text[:300]}")
    orders = read(scene.shop, "/orders.json")
    scene.order = next(order for order in orders if order["id"] == order_id)
    scene.intent = {"id": scene.order["payment_intent"]}
    scene.intent = read(scene.majuu, scene.intent_url)
    if bought.headers["Location"] != scene.intent["payment_url"]:
        raise NotSeen("the shop sent the customer elsewhere than to the payment page")


def ask_for(scene: Scene, amount: str, **details: str) -> None:
    """An intent of the shop's over the API, without an order on its page."""
    wanted = {"amount": amount, "currency": "KES", "reference": f"duka-{secrets.token_hex(5)}", **details}
    made = scene.majuu.post("/api/v1/payment-intents", json=wanted, headers=new_key())
    if made.status_code != httpx.codes.CREATED:
        raise NotSeen(f"the intent was refused: {made.text[:300]}")
    scene.intent = made.json()


def reach(scene: Scene, status: str, *, seconds: float = 45) -> dict[str, Any]:
    """Wait until the intent has this status; its latest charge. Raises NotSeen when the payment failed."""

    def look() -> dict[str, Any] | None:
        scene.intent = read(scene.majuu, scene.intent_url)
        charge: dict[str, Any] = scene.intent["latest_charge"] or {}
        if charge.get("failure"):
            raise NotSeen(f"the payment failed: {charge['failure']['provider_code']} {charge['failure']['message']}")
        is_done = scene.intent["status"] == status and (status != "succeeded" or charge.get("receipt"))
        return charge if is_done else None

    def missing() -> str:
        charge = scene.intent["latest_charge"] or {}
        seen = f"its charge {charge.get('status')}, receipt {charge.get('receipt')}"
        return f"the intent is {scene.intent['status']}, {seen}"

    return scene.watch(look, seconds=seconds, missing=missing)


def hear_of_payment(scene: Scene) -> dict[str, Any]:
    """The shop has found the signature of the message good and marked its order as paid; the event."""

    def heard() -> list[dict[str, Any]]:
        events = read(scene.shop, "/events.json")
        return [event for event in events if event["payment_intent"] == scene.intent["id"]]

    def look() -> dict[str, Any] | None:
        return next((event for event in heard() if event["type"] == "payment_intent.succeeded"), None)

    def missing() -> str:
        return f"the shop has verified {', '.join(event['type'] for event in heard()) or 'nothing'}"

    event = scene.watch(look, seconds=30, missing=missing)
    orders = {order["id"]: order for order in read(scene.shop, "/orders.json")}
    state = orders[scene.order["id"]]["state"]
    if state != "paid":
        raise NotSeen(f"the shop's order is {state}")
    return event


def give_back(scene: Scene, charge: str, amount: str, reason: str) -> dict[str, Any]:
    """A part of a charge goes back, by whatever way there is; the refund once it has succeeded."""
    wanted = {"charge": charge, "amount": amount, "reason": reason}
    made = scene.majuu.post("/api/v1/refunds", json=wanted, headers=new_key())
    if made.status_code != httpx.codes.CREATED:
        raise NotSeen(f"the refund was refused: {made.text[:300]}")
    path = f"/api/v1/refunds/{made.json()['id']}"

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = read(scene.majuu, path)
        if found["status"] in ("failed", "canceled"):
            raise NotSeen(f"the refund {found['status']}: {found['failure']}")
        return found if found["status"] == "succeeded" else None

    return scene.watch(look, seconds=60, missing=lambda: f"the refund is {read(scene.majuu, path)['status']}")
