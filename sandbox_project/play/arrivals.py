"""Money that arrives by itself and money that goes back: the second half of what is played with M-Pesa."""

from __future__ import annotations

import io
import secrets
from decimal import Decimal
from typing import Any

import httpx
from django.core.management import call_command
from django.core.management.base import CommandError

from sandbox_project.play.books import movements
from sandbox_project.play.scene import NotSeen, Scene, read
from sandbox_project.play.shopping import ask_for, give_back, new_key
from sandbox_project.play.wording import money, shown_phone

ASKED, GIVEN_BACK = "2300.00", "500.00"


def see_registration(scene: Scene) -> str:
    """The paybill learns where to tell of payments that nobody asked for."""
    output = io.StringIO()
    try:
        call_command("majuu_register_incoming", scene.accounts["mpesa"], stdout=output, stderr=output)
    except CommandError as problem:
        raise NotSeen(str(problem)) from None
    known = read(scene.simulator, "/control/c2b/registrations")["registrations"]
    if not any(row["shortcode"] == scene.shortcode for row in known):
        raise NotSeen(f"the provider knows no address of {scene.shortcode}: {known}")
    return f"paybill {scene.shortcode} will tell of every payment\nvalidation and confirmation addresses registered"


def see_arrival(scene: Scene) -> str:
    """A customer pays at the phone's own menu and mistypes the order number; the money waits at the platform."""
    reference = f"kikapu-{secrets.randbelow(9000) + 1000}"
    ask_for(scene, ASKED, reference=reference, customer_phone=f"+{scene.msisdn}")
    typed = reference[:-2] + reference[-1] + reference[-2]  # the last two digits change places
    typed = typed if typed != reference else reference[:-1]
    paying = {"msisdn": scene.msisdn, "to": scene.shortcode, "amount": int(Decimal(ASKED)), "account": typed}
    paid = scene.simulator.post("/control/c2b/payments", json=paying)
    if paid.status_code >= 300:
        raise NotSeen(f"the paybill was not paid: {paid.text[:300]}")
    scene.receipt = paid.json()["receipt"]
    found = scene.watch(lambda: _available(scene), seconds=45, missing=lambda: str(_verify(scene)))
    if Decimal(found["amount"]) != Decimal(ASKED):
        raise NotSeen(f"{found['amount']} arrived instead of {ASKED}")
    scene.expected["mpesa"] += Decimal(ASKED)
    return (
        f"{shown_phone(scene.phone)} pays {money(ASKED)} for account {typed!r}: meant was {reference!r}\n"
        f"receipt {scene.receipt}, confirmed by asking, unclaimed"
    )


def see_suggestion(scene: Scene) -> str:
    """Majuu says which order it may be, and why."""
    path = f"{scene.intent_url}/incoming-suggestions"

    def look() -> dict[str, Any] | None:
        found = read(scene.majuu, path)["suggestions"]
        return next((item for item in found if item["incoming_payment"]["receipt"] == scene.receipt), None)

    best = scene.watch(look, seconds=15, missing=lambda: str(read(scene.majuu, path))[:300])
    reasons = ", ".join(reason["code"] for reason in best["reasons"] if reason["points"] > 0)
    return f"suggested for {scene.intent['reference']} with {best['score']} of 100\n{reasons}"


def see_claim(scene: Scene) -> str:
    """The shop claims the receipt for its order, which is paid with it; a second claim is refused."""
    body = {
        "receipt": scene.receipt,
        "reference": scene.intent["reference"],
        "payment_intent": scene.intent["id"],
    }
    claimed = scene.majuu.post("/api/v1/incoming-payments/claim", json=body, headers=new_key())
    if claimed.status_code != httpx.codes.OK:
        raise NotSeen(f"the claim was refused: {claimed.text[:300]}")
    status = read(scene.majuu, scene.intent_url)["status"]
    if status != "succeeded":
        raise NotSeen(f"the intent is {status}")
    again = scene.majuu.post(
        "/api/v1/incoming-payments/claim", json={"receipt": scene.receipt, "reference": "another"}, headers=new_key()
    )
    if (again.status_code, again.json().get("code")) != (httpx.codes.CONFLICT, "incoming_payment_claimed"):
        raise NotSeen(f"a second claim was answered with {again.status_code}: {again.text[:200]}")
    return f"claimed for {scene.intent['reference']}, which is paid; a second claim is refused\n{scene.intent['id']}"


def see_refund(scene: Scene) -> str:
    """A part of the first payment goes back to the customer's phone, by the way that the planner chose."""
    plan = read(scene.majuu, f"/api/v1/charges/{scene.charge['id']}/refund-plan?amount={GIVEN_BACK}")
    found = give_back(scene, scene.charge["id"], GIVEN_BACK, "One basket was torn")
    if found["method"] != "b2c":
        raise NotSeen(f"a part was given back by {found['method']}: {plan}")
    sent = [row for row in movements(scene) if row["kind"] == "b2c"]
    if [Decimal(row["amount"]) for row in sent[-1:]] != [Decimal(GIVEN_BACK)]:
        raise NotSeen(f"the provider sent {sent}")
    scene.expected["mpesa"] -= Decimal(GIVEN_BACK)
    return f"{money(GIVEN_BACK)} back to {shown_phone(scene.phone)} by B2C: a reversal would undo all\n{found['id']}"


def _verify(scene: Scene) -> Any:
    answer = scene.majuu.get("/api/v1/incoming-payments/verify", params={"receipt": scene.receipt})
    return answer.json()


def _available(scene: Scene) -> dict[str, Any] | None:
    found = _verify(scene)
    return found if found.get("claimable") else None
