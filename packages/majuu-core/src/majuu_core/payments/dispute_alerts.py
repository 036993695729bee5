"""Disputes that nobody has answered while their deadline comes near: an alert each, until they are answered or over."""

from __future__ import annotations

from datetime import timedelta

from majuu_core import configuration
from majuu_core.common import clock
from majuu_core.common.money import format_amount
from majuu_core.payments.alerts import Trouble, keep_alerts
from majuu_core.payments.models import Alert, Dispute

_MOST = 100


def watch_disputes() -> int:
    """Let the alerts be just these disputes. Returns how many were raised or cleared."""
    days = configuration.dispute_warning_days()
    if not days:
        return keep_alerts(kind=Alert.Kind.DISPUTE_DUE, troubles=())
    now = clock.now()
    near = Dispute.objects.filter(
        status=Dispute.Status.NEEDS_RESPONSE, respond_by__gt=now, respond_by__lte=now + timedelta(days=days)
    )
    rows = near.select_related("store", "provider_account").defer("provider_account__credentials")
    return keep_alerts(
        kind=Alert.Kind.DISPUTE_DUE, troubles=[_trouble(row) for row in rows.order_by("respond_by")[:_MOST]]
    )


def _trouble(row: Dispute) -> Trouble:
    return Trouble(
        subject=row.public_id,
        title=f"A dispute of {row.store.name} needs an answer by {row.respond_by:%d %B %H:%M} UTC",
        detail=f"{row.get_reason_display()}, {row.currency} {format_amount(row.amount)}. Without an answer the "
        f"customer keeps the money. Answer it at {configuration.public_url()}/console/majuu_payments/dispute/"
        f"{row.public_id}/change/, or accept it there.",
        livemode=row.livemode,
        account=row.provider_account,
    )
