"""The bodies of STK callbacks, and the plan of which are sent when. Pure functions."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from majuu_sim.daraja.config import C2B_SHAPES, EVENT_SHAPES, RESULT_SHAPES
from majuu_sim.daraja.courier import Planned, plan_event
from majuu_sim.daraja.formats import eat_digits
from majuu_sim.daraja.records import Prompt
from majuu_sim.daraja.results import RESULTS, Result


def callback_body(
    prompt: Prompt, result: Result, *, amount: int, receipt: str, moment: datetime, shape: str
) -> dict[str, Any]:
    """A whole callback. Only a success has CallbackMetadata."""
    inner: dict[str, Any] = {
        "MerchantRequestID": prompt.merchant_request_id,
        "CheckoutRequestID": prompt.checkout_request_id,
        "ResultCode": result.callback_code,
        "ResultDesc": result.text,
    }
    if result.paid and shape != "no_metadata":
        items = _items(amount, receipt, int(eat_digits(moment)), int(prompt.request.msisdn), shape)
        inner["CallbackMetadata"] = {"Item": items}
    return {"Body": {"stkCallback": inner}}


def _items(amount: int, receipt: str, date: int, phone: int, shape: str) -> list[dict[str, Any]]:
    """The metadata items in one of the shapes seen in the wild."""
    # A float only because the body must say 10.0, as many real callbacks do; nothing is computed with it.
    shown: Any = float(amount) if shape in ("decimal", "balance_without_value") else amount
    when: Any = date
    number: Any = phone
    if shape == "text":
        shown, when, number = str(amount), str(date), str(phone)
    if shape == "masked_phone":
        number = f"{str(phone)[:5]}****{str(phone)[-3:]}"
    items = [{"Name": "Amount", "Value": shown}, {"Name": "MpesaReceiptNumber", "Value": receipt}]
    if shape == "balance_without_value":
        items.append({"Name": "Balance"})
    return [*items, {"Name": "TransactionDate", "Value": when}, {"Name": "PhoneNumber", "Value": number}]


def choose_shape(configured: str, scripted: str | None, rng: random.Random) -> str:
    """The shape of one callback; "mixed" picks one that still tells the whole story."""
    shape = scripted if scripted in EVENT_SHAPES else configured
    return rng.choice(["plain", "decimal", "balance_without_value", "text"]) if shape == "mixed" else shape


def check_shape(shape: str | None) -> None:
    """ValueError for a shape that does not exist."""
    known = sorted({*EVENT_SHAPES, *C2B_SHAPES, *RESULT_SHAPES})
    if shape is not None and shape not in known:
        raise ValueError(f"unknown event_shape {shape!r}; known: {', '.join(known)}")


def plan_result(prompt: Prompt, *, shape: str, moment: datetime, invent: Callable[[], str]) -> list[Planned]:
    """The callbacks that follow from a prompt's result. ``invent`` makes a receipt of a payment that never was."""
    script, truth = prompt.script, prompt.result
    if truth is None:
        raise ValueError(f"{prompt.checkout_request_id} has no result yet")
    claimed = RESULTS[script.event_outcome] if script.event_outcome else truth
    amount = int(script.event_amount) if script.event_amount else prompt.request.amount
    receipt = prompt.receipt or (invent() if claimed.paid else "")
    subject, url = prompt.checkout_request_id, prompt.request.callback_url
    body = callback_body(prompt, claimed, amount=amount, receipt=receipt, moment=moment, shape=shape)
    plan = plan_event(script, subject=subject, url=url, body=body)
    if script.stale_outcome:
        stale = RESULTS[script.stale_outcome]
        other = callback_body(prompt, stale, amount=amount, receipt=receipt or "", moment=moment, shape=shape)
        after = script.event_delay + script.stale_after
        plan.append(Planned(after=after, kind="stale", subject=subject, url=url, body=other))
    return plan


def plan_forged(prompt: Prompt, *, shape: str, moment: datetime, invent: Callable[[], str]) -> list[Planned]:
    """Success callbacks that nobody at Daraja sent, each with an invented receipt."""
    script = prompt.script
    amount = int(script.forged_amount) if script.forged_amount else prompt.request.amount
    return [
        Planned(
            after=script.forged_after,
            kind="forged",
            subject=prompt.checkout_request_id,
            url=prompt.request.callback_url,
            body=callback_body(prompt, RESULTS["pay"], amount=amount, receipt=invent(), moment=moment, shape=shape),
        )
        for _ in range(script.forged)
    ]
