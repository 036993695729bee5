"""Hearing of disputes: what providers tell by message, and what they answer when they are asked.

Signed messages are applied as they are, all others only make us ask. Open disputes are asked about near their deadline
and, rarely, while somebody decides; at once and again after a call whose answer was lost.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from majuu_core.common import clock
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.dispute_applying import UnfitDispute, apply_dispute
from majuu_core.payments.dispute_schedule import next_look
from majuu_core.payments.models import Dispute
from majuu_core.payments.notices import APPLIED, Notice, Verdict, parked, waiting
from majuu_core.payments.outgoing import claim_due
from majuu_core.providers import (
    DisputeState,
    FetchRequest,
    InvalidCredentials,
    ProviderError,
    SupportsDisputes,
    Trust,
)

logger = logging.getLogger("majuu.payments")
LEASE = timedelta(seconds=60)
_AFTER_SILENCE = timedelta(hours=1)


def apply_dispute_event(notice: Notice) -> Verdict:
    """What a provider's message says of a dispute. One of an unknown payment is parked for a person."""
    told, at, records = notice.event.dispute, notice.event.occurred_at, []
    if told is None:
        return parked("It tells of a dispute without saying what it is like.")
    if notice.trust is not Trust.SIGNED:
        at = clock.now()
        conversation = Conversation(notice.account)
        told = ask_about_dispute(conversation, told.provider_reference)
        records = conversation.records()
        if told is None:
            return waiting("The provider does not confirm it yet.")
    try:
        applied = apply_dispute(account=notice.account, state=told, at=at, records=records)
    except UnfitDispute as problem:
        return parked(str(problem))
    return parked(applied.dispute.parked_reason) if applied.parked else APPLIED


def run_due_disputes(limit: int = 20) -> int:
    """Ask about every dispute whose time has come; returns how many were asked about."""
    return sum(_follow_up_safely(key) for key in claim_due(Dispute, lease=LEASE, limit=limit))


def follow_up_dispute(dispute_id: uuid.UUID) -> bool:
    """Ask the provider about one dispute now and apply what it says. True when it answered. May be called any time."""
    refuse_open_transaction()
    dispute = Dispute.objects.select_related("provider_account", "charge").get(pk=dispute_id)
    conversation = Conversation(dispute.provider_account, about=dispute.public_id)
    asked_at = clock.now()
    state = ask_about_dispute(conversation, dispute.provider_reference, dispute.public_id)
    if state is None:
        _look_again(dispute, conversation)
        return False
    values = {"follow_up_count": dispute.follow_up_count + 1, **settle_lost_answers(dispute, state)}
    try:
        apply_dispute(
            account=dispute.provider_account,
            state=state,
            at=asked_at,
            records=conversation.records(),
            values=values,
        )
    except UnfitDispute as problem:
        _look_again(dispute, conversation, {"is_parked": True, "parked_reason": str(problem)[:255]})
    return True


def ask_about_dispute(conversation: Conversation, provider_reference: str, reference: str = "") -> DisputeState | None:
    """The provider's word on the dispute; None when there is none, or it is about another dispute."""
    request = FetchRequest(reference=reference, provider_reference=provider_reference)
    try:
        provider = conversation.provider()
        if not isinstance(provider, SupportsDisputes):
            return None
        state = provider.fetch_dispute(request)
    except InvalidCredentials as problem:
        record_health(account=conversation.account, healthy=False, message=str(problem))
    except ProviderError as problem:
        logger.warning("asking about the dispute %s: %s", provider_reference, problem)
    except Exception:
        logger.exception("asking about the dispute %s", provider_reference)
    else:
        return state if state.provider_reference == provider_reference else None
    return None


def settle_lost_answers(dispute: Dispute, state: DisputeState) -> dict[str, Any]:
    """What the truth says of calls whose answers were lost: arrived, when it waits for no answer any more."""
    arrived = state.status.value != Dispute.Status.NEEDS_RESPONSE
    values: dict[str, Any] = {}
    if dispute.submitting_at is not None:
        values["submitting_at"] = None
        if arrived and dispute.evidence_submitted_at is None:
            values["evidence_submitted_at"] = dispute.submitting_at
    if dispute.accepting_at is not None:
        values["accepting_at"] = None
    if values:
        values["follow_up_count"] = 0
    return values


def _look_again(dispute: Dispute, conversation: Conversation, values: dict[str, Any] | None = None) -> None:
    """Nothing could be applied: the next look comes soon, as long as one is wanted at all."""
    now, batch = clock.now(), WriteBatch()
    dispute.follow_up_count += 1
    batch.insert_if_absent(*conversation.records())
    later = {"follow_up_at": _soon(dispute, now), "follow_up_count": dispute.follow_up_count}
    batch.update(Dispute, dispute.pk, later | (values or {}))
    batch.execute()


def _soon(dispute: Dispute, now: datetime) -> datetime | None:
    at = next_look(dispute, now)
    return at and min(at, now + _AFTER_SILENCE)


def _follow_up_safely(dispute_id: uuid.UUID) -> bool:
    """One dispute that cannot be followed up must not keep the others waiting."""
    try:
        return follow_up_dispute(dispute_id)
    except Exception:
        logger.exception("following up the dispute %s", dispute_id)
    dispute = Dispute.objects.get(pk=dispute_id)
    _look_again(dispute, Conversation(dispute.provider_account))
    return True
