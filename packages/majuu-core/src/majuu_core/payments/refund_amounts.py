"""How much of a charge may still go back, and what a provider is asked about it."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from moneyed import Money

from majuu_core.ledger.selectors import ExactSum
from majuu_core.payments.exchange import refund_settles
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refund_planner import payer_phone
from majuu_core.providers import RefundQuestion

_OVER = (Refund.Status.FAILED, Refund.Status.CANCELED)


def count_reserved(charge: Charge, *, excluding: uuid.UUID | None = None) -> Decimal:
    """What went back, or is on its way, or may be: every refund that has not failed, and what is disputed."""
    return count_refunds(charge, excluding=excluding) + count_disputed(charge)


def count_disputed(charge: Charge) -> Decimal:
    """What open disputes are about, and what decided ones took. In a currency that is not the charge's: all of it."""
    if charge.dispute_status == Charge.DisputeStatus.NONE:  # written under the same lock as the disputes
        return Decimal(0)
    taken = [
        dispute.reserved if dispute.currency == charge.currency else charge.amount_received.amount
        for dispute in charge.disputes.all()
        if dispute.reserved
    ]
    return sum(taken, start=Decimal(0))


def count_refunds(charge: Charge, *, excluding: uuid.UUID | None = None) -> Decimal:
    """Every refund of the charge that has not failed."""
    rows = charge.refunds.exclude(status__in=_OVER)
    if excluding is not None:
        rows = rows.exclude(pk=excluding)
    total: Decimal = rows.aggregate(total=ExactSum("amount"))["total"]
    return total


def settled_by_refund(charge: Charge, amount: Money) -> Decimal | None:
    """What giving this much back takes of what the charge settled, under its lock; None without an exchange."""
    if charge.settles_amount is None:
        return None
    rows = charge.refunds.exclude(status__in=_OVER)
    taken: Decimal = rows.aggregate(total=ExactSum("settles_amount"))["total"]
    return refund_settles(charge, count_refunds(charge), amount, taken=taken)


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
        refunded=Money(count_refunds(charge, excluding=excluding), charge.amount.currency),
        paid_at=charge.occurred_at or charge.created_at,
        now=now,
        receipt=charge.receipt,
        provider_reference=charge.provider_reference,
        payer_phone=payer_phone(charge.payer),
    )
