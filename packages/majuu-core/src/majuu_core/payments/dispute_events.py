"""How disputes are shown to shops, and what shops are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moneyed import Money

from majuu_core.common.money import format_amount
from majuu_core.database.batch import WriteBatch
from majuu_core.events.services import build_event
from majuu_core.payments.models import Dispute
from majuu_core.payments.representation import represent_time

# What happened, and the event that tells of it.
DISPUTE_EVENTS: Mapping[str, str] = {
    "created": "dispute.created",
    "updated": "dispute.updated",
    "closed": "dispute.closed",
    "withdrawn": "dispute.funds_withdrawn",
    "reinstated": "dispute.funds_reinstated",
}


def represent_dispute(dispute: Dispute) -> dict[str, Any]:
    """A dispute as the API and events show it. Reads the dispute's charge and its intent."""
    fee = dispute.fee_money
    return {
        "id": dispute.public_id,
        "object": "dispute",
        "livemode": dispute.livemode,
        "charge": dispute.charge.public_id,
        "payment_intent": dispute.charge.payment_intent.public_id,
        "amount": format_amount(dispute.amount),
        "currency": dispute.currency,
        "withdrawn": format_amount(Money(dispute.withdrawn, dispute.amount.currency)),
        "fee": format_amount(fee) if fee is not None else None,
        "fee_currency": dispute.fee_currency or None,
        "status": dispute.status,
        "reason": dispute.reason,
        "provider_reason": dispute.provider_reason,
        "provider_reference": dispute.provider_reference,
        "respond_by": represent_time(dispute.respond_by),
        "evidence_submitted_at": represent_time(dispute.evidence_submitted_at),
        "accepted_at": represent_time(dispute.accepted_at),
        "opened_at": represent_time(dispute.opened_at),
        "closed_at": represent_time(dispute.closed_at),
        "parked": dispute.is_parked,
        "created_at": represent_time(dispute.created_at),
    }


def add_dispute_event(batch: WriteBatch, dispute: Dispute, word: str) -> None:
    """Tell the store what happened, one of DISPUTE_EVENTS, and how the dispute is now."""
    batch.insert(
        build_event(
            store_id=dispute.store_id,
            livemode=dispute.livemode,
            type=DISPUTE_EVENTS[word],
            object_id=dispute.public_id,
            data={"dispute": represent_dispute(dispute)},
        )
    )
