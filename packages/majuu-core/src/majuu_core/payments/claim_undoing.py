"""Undoing a claim: one person asks, another one allows it, and only while the money is still there."""

from __future__ import annotations

from django.db import transaction

from majuu_core.common import clock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.database.batch import WriteBatch
from majuu_core.merchants.people import acting_person, require_second_person
from majuu_core.merchants.services import intake_store
from majuu_core.payments.incoming_books import keep_if_there, reverse_claim
from majuu_core.payments.incoming_shown import add_incoming_event, claim_entry, incoming_entry
from majuu_core.payments.locks import lock_claim, lock_incoming
from majuu_core.payments.models import Claim, IncomingPayment


def request_claim_undo(*, claim: Claim, reason: str) -> Claim:
    """Ask for it. Nothing moves before another person confirms. Asking again changes nothing.

    Raises Invalid without a reason, Conflict for a claim that cannot be undone.
    """
    if len(reason.strip()) < 5:
        raise Invalid("reason_missing", "Say why the claim was wrong.", field="reason")
    with transaction.atomic():
        row = lock_claim(claim.pk)
        _check_standing(row)
        if row.incoming is not None:
            _check_unspent(row, row.incoming)
        if row.undo_requested_at is not None:
            return row
        row.undo_requested_by, row.undo_requested_at = acting_person()[:80], clock.now()
        row.undo_reason = reason.strip()[:255]
        row.save(update_fields=["undo_requested_by", "undo_requested_at", "undo_reason"])
        claim_entry(row, "claim.undo_requested", {"reason": row.undo_reason}).save(force_insert=True)
    return row


def withdraw_claim_undo(*, claim: Claim) -> Claim:
    """Take the request back, or refuse it: the claim stands."""
    with transaction.atomic():
        row = lock_claim(claim.pk)
        if row.undone_at is None and row.undo_requested_at is not None:
            row.undo_requested_by, row.undo_requested_at, row.undo_reason = "", None, ""
            row.save(update_fields=["undo_requested_by", "undo_requested_at", "undo_reason"])
            claim_entry(row, "claim.undo_withdrawn", {}).save(force_insert=True)
    return row


def confirm_claim_undo(*, claim: Claim) -> Claim:
    """Undo it: the money is nobody's again, and the receipt may be claimed anew.

    Raises Denied when no person acts, Conflict when it is the one who asked, when nobody asked, or when the money is
    not there any more: it paid an intent, or was paid out.
    """
    with transaction.atomic():
        incoming = lock_incoming(claim.incoming_id) if claim.incoming_id is not None else None
        row = lock_claim(claim.pk)
        _check_standing(row)
        if row.undo_requested_at is None:
            raise Conflict("undo_not_requested", "Nobody has asked for this claim to be undone.")
        person = require_second_person(row.undo_requested_by)
        if incoming is not None and incoming.ownership == IncomingPayment.Ownership.CLAIMED:
            _check_unspent(row, incoming)
            _give_back(row, incoming)
        row.active_key, row.undone_by, row.undone_at = None, person[:80], clock.now()
        row.save(update_fields=["active_key", "undone_by", "undone_at"])
        changes = {"asked_by": row.undo_requested_by, "reason": row.undo_reason}
        claim_entry(row, "claim.undone", changes).save(force_insert=True)
    return row


def _give_back(claim: Claim, incoming: IncomingPayment) -> None:
    reverse_claim(claim, why=claim.undo_reason)
    loser, owner = incoming.store, incoming.provider_account.store or intake_store()
    incoming.store, incoming.ownership = owner, IncomingPayment.Ownership.UNCLAIMED
    batch = WriteBatch()
    values = {"store_id": owner.pk, "ownership": incoming.ownership, "updated_at": clock.now()}
    batch.update(IncomingPayment, incoming.pk, values)
    add_incoming_event(batch, incoming, "incoming_payment.claim_undone", store=loser)
    changes = {"ownership": ["claimed", "unclaimed"], "claim": claim.public_id}
    batch.insert(incoming_entry(incoming, "incoming_payment.claim_undone", changes))
    batch.execute()


def _check_standing(claim: Claim) -> None:
    if claim.undone_at is not None:
        raise Conflict("claim_undone", "This claim has been undone already.")


def _check_unspent(claim: Claim, incoming: IncomingPayment) -> None:
    if incoming.ownership != IncomingPayment.Ownership.CLAIMED:
        return
    if incoming.payment_intent is not None:
        raise Conflict(
            "claim_applied",
            f"The money has paid {incoming.payment_intent.public_id}. Refund that payment instead.",
        )
    if not keep_if_there(incoming, claim.store):
        raise Conflict("claim_money_gone", "The store does not have this money any more: it was paid out.")
