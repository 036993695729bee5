"""What a store does about a dispute: answer it, give in, take note of a doubt.

First transaction: check and mark the dispute as being answered, commit. Then the provider is called with no transaction
open. Second transaction: what it said is applied. An answer that is lost leaves the mark: the provider is asked what
became of it, at once and by the follow-ups, and the same evidence sent again has the same key.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

from django.db import transaction

from majuu_core.audit.services import build_entry, record_entry
from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.errors import CredentialsUnreadable
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.dispute_applying import UnfitDispute, apply_dispute
from majuu_core.payments.dispute_evidence import require_answerable
from majuu_core.payments.dispute_hearing import follow_up_dispute
from majuu_core.payments.dispute_schedule import next_look
from majuu_core.payments.locks import lock_dispute
from majuu_core.payments.models import Dispute, DisputeEvidence
from majuu_core.providers import (
    DisputeState,
    EvidenceFile,
    EvidenceRequest,
    FollowUpRequest,
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    ProviderError,
    RateLimited,
    RequestRejected,
    SupportsDisputes,
)
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
_REFUSALS = (NotSent, RateLimited, RequestRejected, InvalidCredentials, InvalidPaymentData)
Call = Callable[[SupportsDisputes], DisputeState]


def get_dispute(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> Dispute:
    """The store's dispute. Raises NotFound, also for another store's and another mode's."""
    try:
        rows = Dispute.objects.select_related("charge__payment_intent", "store", "provider_account")
        return rows.get(pk=Dispute.uuid_of(public_id), store_id=store_id, livemode=livemode)
    except (ValueError, Dispute.DoesNotExist):
        raise NotFound("dispute_not_found", "There is no such dispute in this store and mode.") from None


def submit_evidence(*, dispute: Dispute) -> Dispute:
    """Send all drafts to the provider, for good. Returns the dispute as the provider then describes it.

    Raises Invalid without any evidence and for what the provider does not take, Conflict when it is too late or the
    provider could not be reached; nothing was submitted then.
    """
    refuse_open_transaction()
    with transaction.atomic():
        row = lock_dispute(dispute.pk)
        require_answerable(row, clock.now())
        request = _evidence_request(row)
        fields = sorted({*request.texts, *(file.field for file in request.files)})
        _begin(row, "submitting_at", "evidence_sent", {"fields": fields, "key": request.idempotency_key})
    return _send(row, "submitting_at", lambda provider: provider.submit_evidence(request))


def accept_dispute(*, dispute: Dispute, confirmed: bool, reason: str = "") -> Dispute:
    """Give in: the customer keeps the money. It cannot be taken back, so it has to be confirmed.

    Raises Invalid without the confirmation, Conflict when it is decided already or the provider could not be reached.
    """
    refuse_open_transaction()
    if not confirmed:
        text = "Giving in cannot be taken back: confirm that the customer keeps the money."
        raise Invalid("confirmation_missing", text, field="confirm")
    with transaction.atomic():
        row = lock_dispute(dispute.pk)
        if row.status == Dispute.Status.ACCEPTED:
            return row
        _require_acceptable(row)
        request = FollowUpRequest(
            idempotency_key=f"{row.public_id}:accept",
            reference=row.public_id,
            provider_reference=row.provider_reference,
            reason=reason[:255],
            receipt=row.charge.receipt,
        )
        _begin(row, "accepting_at", "accepting", {"reason": reason[:255]})
    return _send(row, "accepting_at", lambda provider: provider.accept_dispute(request))


def note_dispute(*, dispute: Dispute, reason: str) -> Dispute:
    """A person has looked at what is doubtful about it: it is not parked any more.

    Raises Invalid without a reason, Conflict when it is not parked.
    """
    if len(reason.strip()) < 5:
        raise Invalid("reason_missing", "Say what you found, in at least 5 characters.", field="reason")
    with transaction.atomic():
        row = lock_dispute(dispute.pk)
        if not row.is_parked:
            raise Conflict("dispute_not_parked", "Nothing about this dispute waits for a decision.")
        row.is_parked, row.noted_reason, row.parked_reason = False, row.parked_reason, ""
        row.updated_at = clock.now()
        row.save(update_fields=["is_parked", "noted_reason", "parked_reason", "updated_at"])
        _record(row, "noted", {"doubt": row.noted_reason, "reason": reason.strip()[:400]})
    return row


def _require_acceptable(row: Dispute) -> None:
    if not row.is_open:
        state = row.get_status_display().lower()
        raise Conflict("dispute_closed", f"The dispute is {state}: there is nothing to accept any more.")
    if row.submitting_at is not None or row.accepting_at is not None:
        text = "Something was just sent, and its answer is awaited. Look again in a minute."
        raise Conflict("dispute_busy", text, retry_after=60)


def _evidence_request(row: Dispute) -> EvidenceRequest:
    kept = list(row.evidence.order_by("pk"))
    texts = {item.field: item.text for item in kept if item.kind == DisputeEvidence.Kind.TEXT}
    files = [item for item in kept if item.kind == DisputeEvidence.Kind.FILE]
    if not kept:
        raise Invalid("evidence_missing", "Save a text or a file first: without evidence nothing is submitted.")
    content = json.dumps([sorted(texts.items()), [(item.field, item.content_hash) for item in files]])
    return EvidenceRequest(
        idempotency_key=f"{row.public_id}:{hashlib.sha256(content.encode()).hexdigest()[:24]}",
        reference=row.public_id,
        provider_reference=row.provider_reference,
        texts=texts,
        files=tuple(
            EvidenceFile(
                field=item.field, name=item.name, content_type=item.content_type, content=bytes(item.content or b"")
            )
            for item in files
        ),
        submit=True,
    )


def _begin(row: Dispute, mark: str, action: str, changes: dict[str, Any]) -> None:
    """Mark the dispute, so that nobody sends anything else meanwhile, and a lost answer is asked about."""
    if row.provider_account.provider not in installed_providers():
        raise Conflict("provider_unavailable", "The provider's package is not installed. Answer in its own dashboard.")
    now = clock.now()
    setattr(row, mark, now)
    row.follow_up_count = 0
    row.follow_up_at = next_look(row, now)
    row.save(update_fields=[mark, "follow_up_at", "follow_up_count"])
    _record(row, action, changes)


def _send(row: Dispute, mark: str, call: Call) -> Dispute:
    conversation = Conversation(row.provider_account, about=row.public_id)
    asked_at = clock.now()
    try:
        provider = conversation.provider()
        if not isinstance(provider, SupportsDisputes):
            raise RequestRejected("The provider takes no answers here. Answer in its own dashboard.")
        state = call(provider)
        if state.provider_reference != row.provider_reference:
            raise ProviderError(f"it answered about {state.provider_reference[:60]}")
    except (*_REFUSALS, CredentialsUnreadable) as problem:
        _give_up(row, mark, conversation, problem)
    except Exception:
        logger.exception("%s: no answer that can be used; the provider is asked", row.public_id)
        _keep(conversation)
        follow_up_dispute(row.pk)
        return _fresh(row)
    return _apply(row, mark, state, asked_at, conversation)


def _apply(row: Dispute, mark: str, state: DisputeState, asked_at: datetime, conversation: Conversation) -> Dispute:
    is_evidence = mark == "submitting_at"
    values: dict[str, Any] = {mark: None, "follow_up_count": 0}
    if is_evidence:
        values["evidence_submitted_at"] = clock.now()
    entry = build_entry(
        action="dispute.evidence_submitted" if is_evidence else "dispute.accepted",
        object_id=row.public_id,
        merchant_id=row.store.merchant_id,
        store_id=row.store_id,
        changes={"status": [row.status, state.status.value]},
    )
    try:
        apply_dispute(
            account=row.provider_account,
            state=state,
            at=asked_at,
            records=conversation.records(),
            values=values,
            extend=lambda batch, _: batch.insert(entry),
        )
    except UnfitDispute as problem:  # it was sent; only what came back cannot be used
        _finish(row, {**values, "is_parked": True, "parked_reason": str(problem)[:255]}, conversation)
    return _fresh(row)


def _give_up(row: Dispute, mark: str, conversation: Conversation, problem: Exception) -> NoReturn:
    """Nothing arrived, or it was refused: the dispute is as before, and the caller hears why."""
    _finish(row, {mark: None, "follow_up_count": 0}, conversation)
    with transaction.atomic():
        _record(row, "refused", {"problem": str(problem)[:400]})
    if isinstance(problem, InvalidPaymentData):
        first = problem.violations[0] if problem.violations else None
        raise Invalid("evidence_refused", str(problem), field=first.field if first else "") from None
    if isinstance(problem, RequestRejected):
        raise Conflict("dispute_refused", f"The provider refused it: {problem}") from None
    if isinstance(problem, (InvalidCredentials, CredentialsUnreadable)):
        if isinstance(problem, InvalidCredentials):
            record_health(account=row.provider_account, healthy=False, message=str(problem))
        raise Conflict("provider_account_unusable", "The provider refused the account's credentials.") from None
    text = "The provider could not be reached, and nothing was sent. Try again shortly."
    raise Conflict("provider_unreachable", text, retry_after=60) from None


def _finish(row: Dispute, values: dict[str, Any], conversation: Conversation) -> None:
    with transaction.atomic():
        locked, batch = lock_dispute(row.pk), WriteBatch()
        for name, value in values.items():
            setattr(locked, name, value)
        batch.insert_if_absent(*conversation.records())
        batch.update(Dispute, row.pk, {**values, "follow_up_at": next_look(locked, clock.now())})
        batch.execute()


def _keep(conversation: Conversation) -> None:
    batch = WriteBatch()
    batch.insert_if_absent(*conversation.records())
    batch.execute()


def _fresh(row: Dispute) -> Dispute:
    return Dispute.objects.select_related("charge__payment_intent", "store", "provider_account").get(pk=row.pk)


def _record(row: Dispute, action: str, changes: dict[str, Any]) -> None:
    record_entry(
        action=f"dispute.{action}",
        object_id=row.public_id,
        merchant_id=row.store.merchant_id,
        store_id=row.store_id,
        changes=changes,
    )
