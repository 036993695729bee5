"""A payout as the API and events show it, and the events and audit entries of its changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from majuu_core.audit.services import build_entry
from majuu_core.common.money import format_amount
from majuu_core.database.batch import WriteBatch
from majuu_core.events.services import build_event
from majuu_core.payments.models import Payout, PayoutBatch
from majuu_core.payments.outgoing import OutgoingPlan
from majuu_core.payments.representation import represent_time

# What happened to a payout, and what shops hear of it.
PAYOUT_EVENTS: Mapping[str, str] = {
    "created": "payout.created",
    "requires_approval": "payout.requires_approval",
    "updated": "payout.updated",
    "succeeded": "payout.succeeded",
    "failed": "payout.failed",
    "canceled": "payout.canceled",
    "parked": "payout.parked",
}


def represent_payout(payout: Payout) -> dict[str, Any]:
    """Plain JSON values, amounts as decimal strings."""
    failure = {
        "code": payout.failure_code,
        "provider_code": payout.provider_failure_code,
        "message": payout.failure_message,
    }
    return {
        "id": payout.public_id,
        "object": "payout",
        "livemode": payout.livemode,
        "reference": payout.reference,
        "amount": format_amount(payout.amount),
        "fee": format_amount(payout.fee),
        "currency": payout.currency,
        "status": payout.status,
        "provider": payout.provider,
        "purpose": payout.purpose,
        "destination": payout.destination,
        "description": payout.description,
        "metadata": payout.metadata,
        "recipient_name": payout.recipient_name,
        "provider_reference": payout.provider_reference,
        "receipt": payout.receipt,
        "failure": failure if payout.failure_code else None,
        "batch": PayoutBatch(id=payout.batch_id).public_id if payout.batch_id else None,
        "parked": payout.is_parked,
        "approved_at": represent_time(payout.approved_at),
        "occurred_at": represent_time(payout.occurred_at),
        "created_at": represent_time(payout.created_at),
    }


def tell_of_payout(batch: WriteBatch, payout: Payout, plan: OutgoingPlan, before: str) -> None:
    """Event and audit entry of a provider's answer."""
    add_payout_event(batch, payout, plan.event)
    add_payout_entry(batch, payout, plan.event, {"status": [before, payout.status], "reason": payout.parked_reason})


def add_payout_event(batch: WriteBatch, payout: Payout, word: str) -> None:
    """``payout.<word>``, with the payout as it now is."""
    batch.insert(
        build_event(
            store_id=payout.store_id,
            livemode=payout.livemode,
            type=PAYOUT_EVENTS[word],
            object_id=payout.public_id,
            data={"payout": represent_payout(payout)},
        )
    )


def add_payout_entry(batch: WriteBatch, payout: Payout, word: str, changes: Mapping[str, Any]) -> None:
    """The audit entry ``payout.<word>``. Changes that say nothing are left out."""
    batch.insert(
        build_entry(
            action=f"payout.{word}",
            object_id=payout.public_id,
            merchant_id=payout.store.merchant_id,
            store_id=payout.store_id,
            changes={name: value for name, value in changes.items() if value != ""},
        )
    )
