"""The one table of what may follow what. A repeated transition is a no-op, never an error.

States only move forward. The exceptions are those where money proves an earlier belief wrong: a charge held for failed
or canceled that the provider says succeeded, and an intent that was canceled before its money arrived.
"""

from __future__ import annotations

from datetime import datetime

from majuu_core.payments.models import Charge, Dispute, PaymentIntent, Payout

_C = Charge.Status
_I = PaymentIntent.Status
_O = Payout.Status  # those of refunds are the same, less one
_D = Dispute.Status

CHARGE_TRANSITIONS: dict[str, frozenset[str]] = {
    _C.PENDING: frozenset({_C.REQUIRES_ACTION, _C.AUTHORIZED, _C.SUCCEEDED, _C.FAILED, _C.CANCELED, _C.UNKNOWN}),
    # An answer that says nothing does not take back what we know the customer was asked.
    _C.REQUIRES_ACTION: frozenset({_C.PENDING, _C.AUTHORIZED, _C.SUCCEEDED, _C.FAILED, _C.CANCELED}),
    _C.UNKNOWN: frozenset({_C.PENDING, _C.REQUIRES_ACTION, _C.AUTHORIZED, _C.SUCCEEDED, _C.FAILED, _C.CANCELED}),
    _C.AUTHORIZED: frozenset({_C.SUCCEEDED, _C.CANCELED, _C.FAILED}),
    _C.FAILED: frozenset({_C.SUCCEEDED}),
    _C.CANCELED: frozenset({_C.SUCCEEDED}),
    _C.SUCCEEDED: frozenset(),
}

INTENT_TRANSITIONS: dict[str, frozenset[str]] = {
    _I.REQUIRES_PAYMENT_METHOD: frozenset({_I.PROCESSING, _I.SUCCEEDED, _I.CANCELED}),
    _I.PROCESSING: frozenset(
        {_I.REQUIRES_PAYMENT_METHOD, _I.REQUIRES_ACTION, _I.REQUIRES_CAPTURE, _I.SUCCEEDED, _I.CANCELED}
    ),
    _I.REQUIRES_ACTION: frozenset(
        {_I.REQUIRES_PAYMENT_METHOD, _I.PROCESSING, _I.REQUIRES_CAPTURE, _I.SUCCEEDED, _I.CANCELED}
    ),
    _I.REQUIRES_CAPTURE: frozenset({_I.SUCCEEDED, _I.CANCELED, _I.REQUIRES_PAYMENT_METHOD}),
    _I.CANCELED: frozenset({_I.SUCCEEDED}),
    _I.SUCCEEDED: frozenset(),
}

# Refunds and payouts. Only a person moves one that waits for approval.
OUTGOING_TRANSITIONS: dict[str, frozenset[str]] = {
    _O.REQUIRES_APPROVAL: frozenset({_O.PENDING, _O.CANCELED}),
    _O.PENDING: frozenset({_O.SUCCEEDED, _O.FAILED, _O.CANCELED, _O.UNKNOWN}),
    _O.UNKNOWN: frozenset({_O.PENDING, _O.SUCCEEDED, _O.FAILED, _O.CANCELED}),
    _O.FAILED: frozenset({_O.SUCCEEDED}),
    _O.CANCELED: frozenset({_O.SUCCEEDED}),
    _O.SUCCEEDED: frozenset(),
}

# Banks reopen, appeals are won: with later news a dispute may go anywhere. Never with older news.
DISPUTE_TRANSITIONS: dict[str, frozenset[str]] = {status: frozenset(_D) - {status} for status in _D}
# Of two words about the same moment the one further on counts.
DISPUTE_ORDER: tuple[str, ...] = (
    _D.NEEDS_RESPONSE,
    _D.UNDER_REVIEW,
    _D.EXPIRED,
    _D.WON,
    _D.LOST,
    _D.ACCEPTED,
)

# A charge in one of these may still take money: no second prompt meanwhile, and the provider is asked until it is over.
OPEN_CHARGE: frozenset[str] = frozenset({_C.PENDING, _C.REQUIRES_ACTION, _C.UNKNOWN})
# The provider is asked about these: an authorized one may be captured, voided or let go without us.
FOLLOWED_CHARGE: frozenset[str] = OPEN_CHARGE | {_C.AUTHORIZED}
# Sent, or about to be; the outcome is not known.
OPEN_OUTGOING: frozenset[str] = frozenset({_O.PENDING, _O.UNKNOWN})
OPEN_DISPUTE: frozenset[str] = frozenset({_D.NEEDS_RESPONSE, _D.UNDER_REVIEW})
FINAL_INTENT: frozenset[str] = frozenset({_I.SUCCEEDED, _I.CANCELED})


def may_move_charge(current: str, target: str) -> bool:
    """True when the charge may go from current to target. Staying is not moving."""
    return target in CHARGE_TRANSITIONS[current]


def may_move_intent(current: str, target: str) -> bool:
    """True when the intent may go from current to target. Staying is not moving."""
    return target in INTENT_TRANSITIONS[current]


def may_move_outgoing(current: str, target: str) -> bool:
    """True when the refund or payout may go from current to target. Staying is not moving."""
    return target in OUTGOING_TRANSITIONS[current]


def may_move_dispute(current: str, told_at: datetime, target: str, at: datetime) -> bool:
    """True when a dispute that became ``current`` at ``told_at`` may go to ``target``, which it became at ``at``."""
    later = (at, DISPUTE_ORDER.index(target)) > (told_at, DISPUTE_ORDER.index(current))
    return later and target in DISPUTE_TRANSITIONS[current]
