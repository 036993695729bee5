"""How much of a charge may still go back, and what a provider is asked about it."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from moneyed import Money

from majuu_core.ledger.selectors import ExactSum
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refund_planner import payer_phone
from majuu_core.providers import RefundQuestion

_OVER = (Refund.Status.FAILED, Refund.Status.CANCELED)


def count_reserved(charge: Charge, *, excluding: uuid.UUID | None = None) -> Decimal:
    """What went back, or is on its way, or may be: every refund that has not failed."""
    rows = charge.refunds.exclude(status__in=_OVER)
    if excluding is not None:
        rows = rows.exclude(pk=excluding)
    total: Decimal = rows.aggregate(total=ExactSum("amount"))["total"]
    return total


def refundable_amount(charge: Charge) -> Money:
    """What may still be given back; certain only under the charge's lock. Never below zero."""
    left = charge.amount_received.amount - count_reserved(charge)
    return Money(max(left, Decimal(0)), charge.amount.currency)


def question_about(
    charge: Charge, amount: Money, now: datetime, *, excluding: uuid.UUID | None = None
) -> RefundQuestion:
    """What a provider is asked about giving this amount back. ``excluding`` is a refund that does not count."""
    return RefundQuestion(
        amount=amount,
        paid=charge.amount_received,
        refunded=Money(count_reserved(charge, excluding=excluding), charge.amount.currency),
        paid_at=charge.occurred_at or charge.created_at,
        now=now,
        receipt=charge.receipt,
        provider_reference=charge.provider_reference,
        payer_phone=payer_phone(charge.payer),
    )
