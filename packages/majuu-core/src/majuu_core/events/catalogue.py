"""Every kind of event a shop can subscribe to: core's own, and those plugins add by ``register_event_types``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from majuu_core.common.problems import Invalid
from majuu_core.plugins.contributions import EventType
from majuu_core.plugins.manager import registries

TEST_EVENT = "webhook_endpoint.test"
ENDPOINT_DISABLED = "webhook_endpoint.disabled"
MAX_PATTERNS = 50
_PATTERN = re.compile(r"\*|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?")


def _type(name: str, description: str) -> EventType:
    return EventType(name=name, description=description)


CORE_EVENT_TYPES: tuple[EventType, ...] = (
    _type("payment_intent.created", "A payment intent was created."),
    _type(
        "payment_intent.requires_action",
        "The customer has to do something, such as entering a PIN on the phone. Data: the intent.",
    ),
    _type(
        "payment_intent.amount_capturable_updated",
        "Money is authorized and waits to be captured. Data: the intent.",
    ),
    _type("payment_intent.capture_failed", "A capture failed; the money is authorized still. The charge says why."),
    _type("payment_intent.partially_paid", "Money arrived, but less than is owed; the intent stays open for the rest."),
    _type("payment_intent.succeeded", "The intent is paid, or captured. Ship the goods on this one."),
    _type("payment_intent.overpaid", "More arrived than was owed; the rest is booked to the store's surplus account."),
    _type("payment_intent.payment_failed", "An attempt to pay failed; the customer may try again on the same intent."),
    _type("payment_intent.canceled", "The intent was canceled or expired."),
    _type("payment_intent.parked", "Money arrived that somebody has to decide about. The reason is in the console."),
    _type("charge.updated", "An attempt to pay changed: it waits for the customer, or its outcome is not known yet."),
    _type("charge.succeeded", "An attempt to pay brought money."),
    _type("charge.failed", "An attempt to pay brought none; the failure says why."),
    _type("payout.created", "A payout was created. Data: the payout."),
    _type("payout.requires_approval", "The payout is above the limit: a second person has to approve it first."),
    _type("payout.updated", "A payout changed: it was approved, its outcome is not known yet, or a detail came later."),
    _type("payout.succeeded", "The money of a payout was sent, as the provider says. The receipt is in the data."),
    _type("payout.failed", "No money of a payout was sent; the failure says why."),
    _type("payout.canceled", "A payout was canceled or refused before it was sent."),
    _type("payout.parked", "Somebody has to decide about a payout. The reason is in the console."),
    _type("refund.created", "Giving money back was begun."),
    _type("refund.updated", "A refund changed: its outcome is not known yet, or more is known about it."),
    _type("refund.succeeded", "The money went back."),
    _type("refund.failed", "The money did not go back, or came back later; the failure says why, and what is open."),
    _type("refund.parked", "Something about a refund has to be decided by somebody. The reason is in the console."),
    _type("saved_method.active", "A customer's method is saved and can be charged. Data: the saved method."),
    _type("saved_method.failed", "A customer's method was not saved; the failure says why."),
    _type("saved_method.removed", "A customer's method was removed and can be charged no longer."),
    _type("dispute.created", "A customer's bank or the provider disputes a payment. Data: the dispute."),
    _type("dispute.updated", "More is known about a dispute, or it goes on after it was decided."),
    _type("dispute.closed", "A dispute was decided: won, lost, accepted or expired. The status says which."),
    _type("dispute.funds_withdrawn", "The provider took back the disputed money, or more of it."),
    _type("dispute.funds_reinstated", "The provider returned money that it had taken back for a dispute."),
    _type("wallet.created", "A customer's wallet was opened."),
    _type("wallet.updated", "A wallet was frozen, released, closed or opened again. Data: the wallet."),
    _type("wallet.credited", "Money of a deposit stands on the wallet now. Data: the deposit."),
    _type("wallet.debited", "A payment intent was paid from a wallet. Data: the payment."),
    _type("wallet.withdrawal_created", "Money is on its way out of a wallet; its payout tells the rest."),
    _type("incoming_payment.received", "Money arrived without a payment intent. Data: the incoming payment."),
    _type("incoming_payment.verified", "The provider confirmed that incoming money really arrived."),
    _type("incoming_payment.corrected", "The provider named another amount than the message that told of the money."),
    _type("incoming_payment.refuted", "The provider says that no such money arrived; what was booked is taken back."),
    _type("incoming_payment.reinstated", "Money that was refuted arrived after all, says the provider's own list."),
    _type(
        "incoming_payment.unverified", "The provider never said whether incoming money arrived; a person has to look."
    ),
    _type("incoming_payment.assigned", "The payer named the store: only its merchant may claim the money."),
    _type("incoming_payment.claimed", "Incoming money became the store's, or paid one of its intents."),
    _type("incoming_payment.claim_undone", "A claim was undone; the money is not the store's any more."),
    _type("incoming_payment.linked", "Incoming money is the same payment as one of the store's charges."),
    _type("incoming_payment.conflict", "Two channels disagree about one receipt; a person has to look."),
    _type(ENDPOINT_DISABLED, "One of the store's webhook endpoints was disabled after failing for too long."),
    _type(TEST_EVENT, "A test message, sent to one endpoint when somebody asks for it. Not part of any pattern."),
)
_CORE: Mapping[str, EventType] = {item.name: item for item in CORE_EVENT_TYPES}


def event_types() -> Mapping[str, EventType]:
    """All known types by name, core's first."""
    return {**_CORE, **registries().event_types}


def matches(patterns: Sequence[str], event_type: str) -> bool:
    """Whether an endpoint with these patterns wants this type. No patterns: it wants all.

    ``payment_intent.*`` stands for every type that begins with ``payment_intent.``, ``*`` for all.
    """
    if not patterns or event_type in patterns:
        return True
    return any(
        pattern == "*" or (pattern.endswith(".*") and event_type.startswith(pattern[:-1])) for pattern in patterns
    )


def check_patterns(patterns: Iterable[str]) -> list[str]:
    """The patterns without repetitions, in their order.

    Raises Invalid (``event_type_unknown``) for one that no known type fits: a misspelt type would stay silent for ever.
    """
    found = list(dict.fromkeys(patterns))
    if len(found) > MAX_PATTERNS:
        raise Invalid("event_types_too_many", f"Name at most {MAX_PATTERNS} event types.", field="event_types")
    names = event_types()
    for pattern in found:
        if not _PATTERN.fullmatch(pattern) or not _fits_any(pattern, names):
            raise Invalid(
                "event_type_unknown",
                f'{pattern[:64]!r} is not an event type. Use one of the catalogue, or a group such as "charge.*".',
                field="event_types",
            )
    return found


def _fits_any(pattern: str, names: Iterable[str]) -> bool:
    return any(matches([pattern], name) for name in names)
