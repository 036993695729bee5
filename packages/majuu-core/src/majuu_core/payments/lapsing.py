"""Warns before authorized money is lost: what is not captured in time goes back to the customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from majuu_core.common import clock
from majuu_core.payments.alerts import MOST_SHOWN, Trouble, keep_alerts
from majuu_core.payments.models import Alert, Charge

NOTICE = timedelta(days=1)


def watch_lapsing() -> int:
    """Raise an alert for each authorization that ends within a day and that nobody has captured. Returns how many
    changed."""
    return keep_alerts(kind=Alert.Kind.LAPSING, troubles=_lapsing())


def _lapsing() -> Iterator[Trouble]:
    now = clock.now()
    # They are all asked about when they lapse, at the latest, so the index of what is due has them.
    soon = Charge.objects.filter(follow_up_at__lte=now + NOTICE + timedelta(hours=1), status=Charge.Status.AUTHORIZED)
    waiting = soon.filter(
        capture_before__gt=now,
        capture_before__lte=now + NOTICE,
        amount_to_capture__isnull=True,
        void_requested_at__isnull=True,
    )
    for charge in waiting.select_related("provider_account__store").order_by("capture_before")[:MOST_SHOWN]:
        yield Trouble(
            subject=charge.public_id,
            title=f"{charge.amount} authorized by {charge.public_id} is about to be lost",
            detail=f"The provider lets it go at {charge.capture_before:%d %B %Y %H:%M} UTC. Capture it, or cancel the "
            "payment intent.",
            livemode=charge.livemode,
            account=charge.provider_account,
        )
