"""Disputes: what the customer's bank says, what Stripe holds back for it, and what the store answers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_core.common import clock
from majuu_core.common.money import AmountError, Money
from majuu_core.providers import (
    DisputeReason,
    DisputeState,
    DisputeStatus,
    EvidenceFile,
    EvidenceRequest,
    FetchRequest,
    FollowUpRequest,
    OutcomeUnknown,
    RequestRejected,
)
from majuu_stripe.account import Account
from majuu_stripe.client import keyed
from majuu_stripe.currencies import from_stripe
from majuu_stripe.errors import Refused
from majuu_stripe.evidence import check_evidence
from majuu_stripe.fields import (
    Obj,
    id_of,
    items,
    moment,
    money,
    obj,
    reference_of,
    seconds_of,
    shown,
    text,
    whole,
)

_S, _R = DisputeStatus, DisputeReason
ACCEPTED = "majuu_accepted"  # in a dispute's metadata: Stripe calls one that was given up "lost"
_STATUS: dict[str, DisputeStatus] = {
    "needs_response": _S.NEEDS_RESPONSE,
    "warning_needs_response": _S.NEEDS_RESPONSE,
    "under_review": _S.UNDER_REVIEW,
    "warning_under_review": _S.UNDER_REVIEW,
    "won": _S.WON,
    "lost": _S.LOST,
    "warning_closed": _S.EXPIRED,
    "prevented": _S.EXPIRED,
    "charge_refunded": _S.EXPIRED,  # of API versions before 2019
}
_REASON: dict[str, DisputeReason] = {
    "fraudulent": _R.FRAUDULENT,
    "product_not_received": _R.NOT_RECEIVED,
    "product_unacceptable": _R.NOT_AS_DESCRIBED,
    "duplicate": _R.DUPLICATE,
    "credit_not_processed": _R.CREDIT_NOT_PROCESSED,
    "subscription_canceled": _R.CANCELED,
    "unrecognized": _R.UNRECOGNIZED,
}
_EXPAND = {"expand": ["charge"]}


def fetch(account: Account, request: FetchRequest) -> DisputeState:
    """What the dispute is like now. Raises RequestRejected when there is no such dispute, or it is somebody else's."""
    return _state(account, _dispute(account, request.provider_reference or ""))


def list_since(account: Account, since: datetime) -> Iterator[DisputeState]:
    """Every dispute about a payment of ours that was opened since then."""
    wanted = {"created": {"gte": seconds_of(since)}, "expand": ["data.charge"]}
    for found in account.api.pages(lambda v1, params: v1.disputes.list(params), wanted):
        if reference_of(obj(found, "charge"), "ch", account.account_id):
            yield _state(account, found)


def submit_evidence(account: Account, request: EvidenceRequest) -> DisputeState:
    """Send texts and files; with ``submit`` they go to the bank and cannot be changed. Raises InvalidPaymentData."""
    check_evidence(request)
    evidence: dict[str, str] = {name: value for name, value in request.texts.items() if value}
    for file in request.files:
        evidence[file.field] = _upload(account, file, f"{request.idempotency_key}-{file.field}")
    params = {"evidence": evidence, "submit": request.submit, **_EXPAND}
    reference, options = request.provider_reference, keyed(request.idempotency_key)
    return _state(account, account.api.send(lambda v1: v1.disputes.update(reference, params, options)))


def accept(account: Account, request: FollowUpRequest) -> DisputeState:
    """Give in. That it was the store's wish stays with the dispute, so that asking later says so too."""
    reference, options = request.provider_reference, keyed(request.idempotency_key)
    mark = {"metadata": {ACCEPTED: "true"}}
    marked = keyed(request.idempotency_key, "mark")
    found = account.api.send(lambda v1: v1.disputes.update(reference, mark, marked))
    if text(found, "status") == "lost":
        return _state(account, _dispute(account, reference))
    try:
        return _state(account, account.api.send(lambda v1: v1.disputes.close(reference, _EXPAND, options)))
    except Refused:
        found = _dispute(account, reference)
        if text(found, "status") == "lost":
            return _state(account, found)
        raise


def dispute_state(
    found: Obj, *, charge_reference: str = "", occurred_at: datetime | None = None, now: datetime | None = None
) -> DisputeState:
    """A dispute of Stripe's. Raises OutcomeUnknown for one without id, amount or time."""
    amount, opened = money(found, "amount"), moment(found, "created")
    reference, charge = text(found, "id"), id_of(found, "charge") or id_of(found, "payment_intent")
    if not reference or not charge or amount is None or opened is None:
        raise OutcomeUnknown("Stripe's dispute cannot be read")
    reason = text(found, "reason")
    return DisputeState(
        provider_reference=reference,
        payment_reference=charge,
        charge_reference=charge_reference,
        status=_status(found, occurred_at or now),
        reason=_REASON.get(reason, _R.GENERAL),
        provider_reason=reason,
        amount=amount,
        opened_at=opened,
        withdrawn=_withdrawn(found, amount),
        fee=_fee(found),
        respond_by=moment(found, "evidence_details", "due_by"),
        occurred_at=occurred_at or now,
        raw=shown(found),
    )


def _state(account: Account, found: Obj) -> DisputeState:
    reference = reference_of(obj(found, "charge"), "ch", account.account_id)
    return dispute_state(found, charge_reference=reference, now=clock.now())


def _dispute(account: Account, reference: str) -> Obj:
    if not reference:
        raise RequestRejected("A dispute is asked about by Stripe's id (du_… or dp_…).", code="dispute_unknown")
    return account.api.send(lambda v1: v1.disputes.retrieve(reference, _EXPAND))


def _status(found: Obj, at: datetime | None) -> DisputeStatus:
    status = _STATUS.get(text(found, "status"), _S.UNDER_REVIEW)
    if status is not _S.LOST:
        return status
    if text(found, "metadata", ACCEPTED) == "true":
        return _S.ACCEPTED
    due, sent = moment(found, "evidence_details", "due_by"), whole(found, "evidence_details", "submission_count")
    return _S.EXPIRED if sent == 0 and due is not None and at is not None and due <= at else _S.LOST


def _withdrawn(found: Obj, amount: Money) -> Money | None:
    """What is held back now, in the currency of the dispute; Stripe books it in that of the payout."""
    if text(found, "status").startswith("warning_"):
        return Money(0, amount.currency)
    moves = [whole(move, "amount") for move in items(found, "balance_transactions")]
    known = [move for move in moves if move is not None]
    if not known:
        return None if not isinstance(found.get("balance_transactions"), list) else Money(0, amount.currency)
    currencies = {text(move, "currency").upper() for move in items(found, "balance_transactions")}
    taken = -sum(known)
    if currencies == {amount.currency.code}:
        return from_stripe(max(taken, 0), amount.currency.code)
    return amount if taken > 0 else Money(0, amount.currency)


def _fee(found: Obj) -> Money | None:
    """What Stripe kept for the dispute in all: what it gives back after a win counts against it."""
    moves = [move for move in items(found, "balance_transactions") if whole(move, "fee") is not None]
    currencies = {text(move, "currency") for move in moves}
    if len(currencies) != 1:
        return None
    try:
        total = from_stripe(sum(whole(move, "fee") or 0 for move in moves), currencies.pop())
    except AmountError:
        return None
    return total if total.amount >= 0 else Money(Decimal(0), total.currency)


class _NamedFile(io.BytesIO):
    """Bytes with the name that Stripe shows; the SDK reads it off the file."""

    def __init__(self, file: EvidenceFile) -> None:
        super().__init__(file.content)
        self.name = file.name[:100] or file.field


def _upload(account: Account, file: EvidenceFile, key: str) -> str:
    params: dict[str, Any] = {"purpose": "dispute_evidence", "file": _NamedFile(file)}
    found = text(account.api.send(lambda v1: v1.files.create(params, keyed(key))), "id")
    if not found:
        raise OutcomeUnknown("Stripe took a file and gave it no id")
    return found
