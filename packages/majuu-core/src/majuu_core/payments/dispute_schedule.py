"""When the provider is asked about a dispute by ourselves, in case its messages are lost. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from majuu_core.payments.models import Dispute

DAY = timedelta(days=1)
# While it waits for an answer: a day before the deadline, and just after it.
_NEAR_DEADLINE = (-DAY, timedelta(hours=1))
_REVIEW = 2 * DAY
# After a call whose answer was lost.
_AFTER_LOST_ANSWER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=6))
_D = Dispute.Status


def next_look(dispute: Dispute, now: datetime) -> datetime | None:
    """When to ask next; None when it is over and nothing is awaited."""
    if dispute.submitting_at or dispute.accepting_at:
        return now + _AFTER_LOST_ANSWER[min(dispute.follow_up_count, len(_AFTER_LOST_ANSWER) - 1)]
    if dispute.status == _D.NEEDS_RESPONSE and dispute.respond_by is not None:
        near = [dispute.respond_by + distance for distance in _NEAR_DEADLINE]
        return next((at for at in near if at > now), now + DAY)
    if dispute.status == _D.UNDER_REVIEW or dispute.status == _D.NEEDS_RESPONSE:
        return now + _REVIEW
    if dispute.status == _D.WON and dispute.withdrawn > Decimal(0):
        return now + _REVIEW  # won, and the money is not back yet
    return None
