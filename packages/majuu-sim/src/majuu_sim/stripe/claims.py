"""Events and answers that claim something else than the truth, because a script wants it."""

from __future__ import annotations

import copy

from majuu_sim.faults import FaultScript
from majuu_sim.stripe.book import Book
from majuu_sim.stripe.cards import DECLINES
from majuu_sim.stripe.errors import Obj

# Which events report the result of a payment or of a refund, and may thus be made to lie.
_RESULTS = {
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
}
AMOUNTS = ("amount", "amount_received", "amount_captured", "amount_capturable", "amount_total", "amount_subtotal")


def altered(event: Obj, script: FaultScript) -> Obj:
    """The event with what the script makes it claim: an outcome, an amount, another account."""
    made = event
    if script.event_outcome is not None and made["type"] in _RESULTS:
        made = _with_outcome(made, script.event_outcome)
    if script.event_amount is not None:
        made = _with_amount(made, int(script.event_amount))
    if script.event_receiver is not None:
        made = {**copy.deepcopy(made), "account": script.event_receiver}
    return made


def stale(event: Obj, outcome: str) -> Obj | None:
    """An older event that contradicts a payment's result; None for an event that is no result."""
    if event["type"] not in _RESULTS:
        return None
    made = _with_outcome(event, outcome)
    made["created"] -= 1
    return made


def forged(book: Book, about: Obj, *, amount: str | None) -> Obj:
    """A success event nobody at Stripe made."""
    made: Obj = {
        "id": book.new_id("evt"),
        "object": "event",
        "api_version": book.account.api_version,
        "created": book.now(),
        "data": {"object": copy.deepcopy(about)},
        "livemode": book.account.livemode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "payment_intent.succeeded",
    }
    if about["object"] == "checkout.session":
        made["type"] = "checkout.session.completed"
        made["data"]["object"] |= {"status": "complete", "payment_status": "paid"}
        return made if amount is None else _with_amount(made, int(amount))
    return _with_outcome(made if amount is None else _with_amount(made, int(amount)), "pay")


def payment_claiming(payment: Obj, outcome: str) -> Obj:
    """A copy of a payment intent that claims this outcome."""
    made = copy.deepcopy(payment)
    if outcome in DECLINES:
        code, decline, message = DECLINES[outcome]
        made |= {"status": "requires_payment_method", "amount_received": 0, "amount_capturable": 0}
        made["last_payment_error"] = {
            "type": "card_error", "code": code, "decline_code": decline, "message": message,
        }  # fmt: skip
    elif outcome == "requires_action":
        made |= {"status": "requires_action", "amount_received": 0}
    else:
        made |= {"status": "succeeded", "amount_received": made["amount"], "last_payment_error": None}
    return made


def read_pending(shown: Obj) -> Obj:
    """A copy of an answer in which nothing has been decided yet."""
    made = copy.deepcopy(shown)
    if made["object"] == "payment_intent":
        made |= {"status": "processing", "amount_received": 0, "amount_capturable": 0, "latest_charge": None}
    elif made["object"] == "checkout.session":
        made |= {"status": "open", "payment_status": "unpaid"}
    elif made["object"] == "refund":
        made["status"] = "pending"
    else:
        made["status"] = "processing"
    return made


def read_claiming(shown: Obj, outcome: str) -> Obj:
    """A copy of an answer that claims this outcome."""
    if shown["object"] == "payment_intent":
        return payment_claiming(shown, outcome)
    made = copy.deepcopy(shown)
    refused = outcome in DECLINES
    if made["object"] == "checkout.session":
        made |= {"status": "open", "payment_status": "unpaid"} if refused else {
            "status": "complete", "payment_status": "paid",
        }  # fmt: skip
    else:
        made["status"] = "failed" if refused else "succeeded"
    return made


def _with_outcome(event: Obj, outcome: str) -> Obj:
    made = copy.deepcopy(event)
    if made["data"]["object"]["object"] == "refund":
        failed = outcome in DECLINES
        made["data"]["object"]["status"] = "failed" if failed else "succeeded"
        made["type"] = "refund.failed" if failed else "refund.updated"
        return made
    claimed = payment_claiming(made["data"]["object"], outcome)
    made["data"]["object"] = claimed
    made["type"] = {
        "succeeded": "payment_intent.succeeded",
        "requires_action": "payment_intent.requires_action",
    }.get(claimed["status"], "payment_intent.payment_failed")
    return made


def _with_amount(event: Obj, amount: int) -> Obj:
    made = copy.deepcopy(event)
    about = made["data"]["object"]
    for name in AMOUNTS:
        if about.get(name):
            about[name] = amount
    return made
