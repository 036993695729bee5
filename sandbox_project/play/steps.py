"""One payment by M-Pesa, step by step. Each step is a function that looks, and says what it saw or raises NotSeen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from majuu_core.payments.models import Charge
from majuu_core.webhooks.models import InboundWebhook
from sandbox_project.play.books import begin, took
from sandbox_project.play.scene import NotSeen, Scene, read
from sandbox_project.play.shopping import buy, hear_of_payment, new_key, reach
from sandbox_project.play.wording import money, shown_phone

PRODUCT = "kikoi"


def see_request(scene: Scene) -> str:
    """A customer presses Buy; the shop asks Majuu for a payment and sends the customer to its page."""
    begin(scene)
    buy(scene, PRODUCT)
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
    answer = scene.majuu.post(f"{scene.intent_url}/confirm", json=chosen, headers=new_key())
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
    scene.charge = reach(scene, "succeeded")
    scene.receipt = scene.charge["receipt"]
    given = [payment["receipt"] for payment in payments_of(scene) if _paid_by(payment, scene)]
    if given != [scene.receipt]:
        raise NotSeen(f"Majuu shows the receipt {scene.receipt}, the provider gave {given}")
    took(scene, "mpesa", scene.intent["id"])
    return f"succeeded: {money(scene.intent['amount_received'])} received\nreceipt {scene.receipt}"


def _paid_by(payment: dict[str, Any], scene: Scene) -> bool:
    return bool(payment["checkout_request_id"] == scene.charge["provider_reference"])


def see_webhook(scene: Scene) -> str:
    """The shop heard of it, found the signature good, and marked its order as paid."""
    event = hear_of_payment(scene)
    return f"{event['type']} at the shop: signature verified, order paid\n{event['id']}"


def payments_of(scene: Scene) -> list[dict[str, Any]]:
    """The money that the simulated provider really took."""
    return list(read(scene.simulator, "/control/payments")["payments"])
