"""What scripts may ask of customers, refunds and payouts."""

from __future__ import annotations

PAY, CANCEL, TIMEOUT, MANUAL = "pay", "cancel", "timeout", "manual"
DECLINED, PAYER_ACTION, CAPTURE_DECLINED = "declined", "payer_action", "capture_declined"
PENDING, PENDING_DENIED, REVIEW = "pending", "pending_denied", "review"

# A customer at the approval page: what they do, and what their instrument then does at the capture.
CUSTOMER = frozenset(
    {
        PAY,  # approves, and the money moves
        CANCEL,  # goes back to the shop's cancel_url
        TIMEOUT,  # never answers
        MANUAL,  # waits for the page or for approve()
        DECLINED,  # approves with an instrument that is refused at the capture
        PAYER_ACTION,  # approves, and must come back once more
        CAPTURE_DECLINED,  # the capture is made and declined
        PENDING,  # an eCheck that clears days later
        PENDING_DENIED,  # an eCheck that bounces days later
        REVIEW,  # held for a review, then released
    }
)
SILENT = frozenset({TIMEOUT, MANUAL})
REFUSES = frozenset({DECLINED, PAYER_ACTION})  # what makes a capture fail
INSTRUMENTS = CUSTOMER - SILENT - {CANCEL}

REFUND_PENDING, REFUND_FAILED, REFUND_FAILED_LATE, REFUND_CANCELLED = (
    "refund_pending",
    "refund_failed",
    "refund_failed_late",
    "refund_cancelled",
)
REFUND = frozenset(
    {
        PAY,  # COMPLETED at once
        REFUND_PENDING,  # PENDING, then COMPLETED
        REFUND_FAILED,  # PENDING, then FAILED
        REFUND_FAILED_LATE,  # COMPLETED, and FAILED days later
        REFUND_CANCELLED,  # PENDING, then CANCELLED
    }
)

PAYOUT_STATUS = {
    PAY: "SUCCESS",
    PENDING: "PENDING",
    "unclaimed": "UNCLAIMED",
    "payout_returned": "RETURNED",
    "payout_failed": "FAILED",
    "payout_blocked": "BLOCKED",
    "payout_onhold": "ONHOLD",
}
PAYOUT_DENIED = "payout_denied"  # the whole batch
PAYOUT = frozenset(PAYOUT_STATUS) | {PAYOUT_DENIED}

EVERY_OUTCOME = CUSTOMER | REFUND | PAYOUT
