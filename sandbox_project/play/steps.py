"""One payment, step by step. Each step is a function that looks, and says what it saw or raises NotSeen."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
from django.core.management import call_command

from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.payments.models import Charge
from majuu_core.webhooks.models import InboundWebhook
from sandbox_project.play.arrivals import (
    ASKED,
    GIVEN_BACK,
    movements,
    see_arrival,
    see_claim,
    see_refund,
    see_registration,
    see_suggestion,
)
from sandbox_project.play.scene import NotSeen, Scene, read
from sandbox_project.play.wording import money, shown_phone

PRODUCT = "kikoi"


@dataclass(frozen=True, slots=True)
class Step:
    """A name for the transcript, and what is to be seen."""

    name: str
    see: Callable[[Scene], str]


def see_request(scene: Scene) -> str:
    """A customer presses Buy; the shop asks Majuu for a payment and sends the customer to its page."""
    scene.held_before, scene.booked_before = money_held(scene), money_booked(scene)
    order_id = f"duka-{secrets.token_hex(5)}"
    bought = scene.shop.post("/buy", data={"product": PRODUCT, "order": order_id})
    if bought.status_code != httpx.codes.SEE_OTHER:
        raise NotSeen(f"the shop answered {bought.status_code}: {bought.text[:300]}")
    orders = read(scene.shop, "/orders.json")
    scene.order = next(order for order in orders if order["id"] == order_id)
    scene.intent = {"id": scene.order["payment_intent"]}
    scene.intent = read(scene.majuu, scene.intent_url)
    if bought.headers["Location"] != scene.intent["payment_url"]:
        raise NotSeen("the shop sent the customer elsewhere than to the payment page")
    return f"the shop asks for {money(scene.intent['amount'])}\n{scene.intent['id']}"


def see_page(scene: Scene) -> str:
    """The payment link opens, without any key."""
    page = httpx.get(scene.intent["payment_url"], timeout=20, trust_env=False)
    if page.status_code != httpx.codes.OK or "1,500" not in page.text:
        raise NotSeen(f"the customer's page answered {page.status_code}")
    return f"the customer's page opens\n{scene.intent['payment_url']}"


def see_prompt(scene: Scene) -> str:
    """The payment is confirmed with a phone number, and that phone rings."""
    chosen = {"payment_method": "mpesa_stk", "payment_method_data": {"phone": scene.phone}}
    key = {"Idempotency-Key": secrets.token_hex(12)}
    answer = scene.majuu.post(f"{scene.intent_url}/confirm", json=chosen, headers=key)
    found = answer.json()
    if answer.status_code != httpx.codes.OK or found["status"] not in ("requires_action", "processing"):
        raise NotSeen(f"confirming it answered {answer.status_code}: {answer.text[:400]}")
    scene.charge = found["latest_charge"]
    reference = scene.charge["provider_reference"]

    def look() -> dict[str, Any] | None:
        prompts = read(scene.simulator, "/control/prompts")["prompts"]
        return next((prompt for prompt in prompts if prompt["checkout_request_id"] == reference), None)

    prompt = scene.watch(look, seconds=15, missing=lambda: f"no phone rang for {reference}")
    if (prompt["msisdn"], Decimal(prompt["amount"])) != (scene.msisdn, Decimal(scene.intent["amount"])):
        raise NotSeen(f"{prompt['msisdn']} rang for {prompt['amount']}")
    wanted = f"{money(str(prompt['amount']))} to paybill {prompt['receiver']}"
    return f"{shown_phone(scene.phone)} rings: {wanted}\n{reference}"


def see_callback(scene: Scene) -> str:
    """The customer answers; the provider calls back; the message is kept, checked by a query, and applied."""
    final = (InboundWebhook.State.APPLIED, InboundWebhook.State.DUPLICATE)
    rows = InboundWebhook.objects.filter(charge_id=Charge.uuid_of(scene.charge["id"])).order_by("pk")

    def missing() -> str:
        seen = ", ".join(f"{row.state} {row.reason}".strip() for row in rows) or "none"
        return f"callbacks for {scene.charge['id']}: {seen}"

    row = scene.watch(lambda: rows.filter(state__in=final).first(), seconds=45, missing=missing)
    sent = [item["state"] for item in read(scene.simulator, "/control/callbacks")["callbacks"] if _is_of(item, scene)]
    if sent != ["delivered"]:
        raise NotSeen(f"the provider's own record of the callback says {sent}")
    return f"the customer answers, the provider calls back, its word is checked by a query\n{row.public_id} {row.state}"


def _is_of(callback: dict[str, Any], scene: Scene) -> bool:
    return bool(callback["subject"] == scene.charge["provider_reference"])


def see_success(scene: Scene) -> str:
    """The intent has succeeded, with the very receipt number that the provider gave the customer."""

    def look() -> dict[str, Any] | None:
        found = read(scene.majuu, scene.intent_url)
        charge = found["latest_charge"] or {}
        is_done = found["status"] == "succeeded" and charge.get("receipt")
        scene.intent = found
        if charge.get("failure"):
            raise NotSeen(f"the payment failed: {charge['failure']['provider_code']} {charge['failure']['message']}")
        return found if is_done else None

    def missing() -> str:
        charge = scene.intent["latest_charge"] or {}
        seen = f"its charge {charge.get('status')}, receipt {charge.get('receipt')}"
        return f"the intent is {scene.intent['status']}, {seen}"

    found = scene.watch(look, seconds=45, missing=missing)
    scene.charge = found["latest_charge"]
    scene.receipt = scene.charge["receipt"]
    given = [payment["receipt"] for payment in payments_of(scene) if _paid_by(payment, scene)]
    if given != [scene.receipt]:
        raise NotSeen(f"Majuu shows the receipt {scene.receipt}, the provider gave {given}")
    return f"succeeded: {money(found['amount_received'])} received\nreceipt {scene.receipt}"


def _paid_by(payment: dict[str, Any], scene: Scene) -> bool:
    return bool(payment["checkout_request_id"] == scene.charge["provider_reference"])


def see_webhook(scene: Scene) -> str:
    """The shop heard of it, found the signature good, and marked its order as paid."""

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
    return f"{event['type']} at the shop: signature verified, order paid\n{event['id']}"


def see_ledger(scene: Scene) -> str:
    """``majuu_ledger verify`` recomputes every balance and finds nothing wrong."""
    output = io.StringIO()
    try:
        call_command("majuu_ledger", "verify", "--json", stdout=output)
    except SystemExit:
        raise NotSeen(f"majuu_ledger verify: {output.getvalue()[:600]}") from None
    found = json.loads(output.getvalue())
    if found["ok"] is not True or not found["transfers"]:
        raise NotSeen(f"majuu_ledger verify: {output.getvalue()[:600]}")
    counts = ", ".join(f"{number} {name}" for name, number in found.items() if isinstance(number, int) and name != "ok")
    return f"majuu_ledger verify: balanced ({counts})"


def see_agreement(scene: Scene) -> str:
    """What the provider took is what the books say it holds for the store: no more, no less."""
    held, booked = money_held(scene) - scene.held_before, money_booked(scene) - scene.booked_before
    if not held == booked == _expected(scene):
        raise NotSeen(f"the provider took {held}, the books say {booked}, customers paid {_expected(scene)}")
    return f"the provider holds {money(str(held))} more than before, and so say the books"


def _expected(scene: Scene) -> Decimal:
    """The first order, the second, less what went back."""
    return Decimal(scene.charge["amount"]) + Decimal(ASKED) - Decimal(GIVEN_BACK)


# What is played, in this order. A step finds in the scene what the steps before it have put there.
STEPS: tuple[Step, ...] = (
    Step("request", see_request),
    Step("page", see_page),
    Step("prompt", see_prompt),
    Step("callback", see_callback),
    Step("succeeded", see_success),
    Step("webhook", see_webhook),
    Step("registered", see_registration),
    Step("paybill", see_arrival),
    Step("suggested", see_suggestion),
    Step("claimed", see_claim),
    Step("refund", see_refund),
    Step("ledger", see_ledger),
    Step("agreement", see_agreement),
)


def payments_of(scene: Scene) -> list[dict[str, Any]]:
    """The money that the simulated provider really took."""
    return list(read(scene.simulator, "/control/payments")["payments"])


def money_held(scene: Scene) -> Decimal:
    """What the provider took for the store less what it sent out, in shillings, since the simulator was started."""
    signs = {"stk": 1, "c2b": 1, "b2c": -1, "reversal": -1}
    moved = (signs.get(row["kind"], 0) * Decimal(row["amount"]) for row in movements(scene))
    return sum(moved, Decimal(0))


def money_booked(scene: Scene) -> Decimal:
    """What the provider holds for the store by our own books, in shillings."""
    account = AccountRef(AccountKind.PROVIDER_CLEARING, scene.clearing_owner, "KES", livemode=False)
    return Decimal(balance(account).posted.amount)
