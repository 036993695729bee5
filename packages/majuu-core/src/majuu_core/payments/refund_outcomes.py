"""What becomes of a refund: the provider's word on it, in whatever order it comes.

Built on outgoing.py, with three rules of its own: what went back counts on charge and intent in the same transaction;
a refund may fail days after it had succeeded, which is booked back; and a failure names the way that is still open.
Answers with a time are ordered by it, so that any order of arrival ends in the same state.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.audit.services import build_entry
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.events.services import build_event
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.addresses import refund_callback_url
from majuu_core.payments.locks import lock_refund
from majuu_core.payments.models import Refund
from majuu_core.payments.outgoing import OutgoingKind, OutgoingPlan, apply_outgoing, plan_outgoing
from majuu_core.payments.outgoing_follow_ups import follow_up_outgoing, run_due_questions
from majuu_core.payments.refund_amounts import count_reserved, question_about
from majuu_core.payments.refund_bookings import book_back, book_fee, book_refund, release_refund
from majuu_core.payments.refund_planner import routes_of
from majuu_core.payments.representation import represent_refund
from majuu_core.payments.transitions import OPEN_OUTGOING
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    PaymentProvider,
    Result,
    ResultStatus,
    SupportsRefund,
)

logger = logging.getLogger("majuu.payments")
CAME_BACK = "The provider says that it failed after it had been done. The money is booked back; look at the statement."
TOO_MUCH = "More has gone back than this payment brought. Look at the provider's statement."
# What happened, and the event that tells of it.
REFUND_EVENTS: Mapping[str, str] = {
    "created": "refund.created",
    "updated": "refund.updated",
    "succeeded": "refund.succeeded",
    "failed": "refund.failed",
    "canceled": "refund.failed",
    "parked": "refund.parked",
}
_R = Refund.Status
_S = ResultStatus
_GIVEN_UP = frozenset({_R.FAILED, _R.CANCELED})


@dataclass(slots=True)
class RefundOutcome(OutgoingPlan):
    """What an answer changes. ``books_back``: the money had left and came back."""

    books_back: bool = False


def run_due_refund_questions(limit: int = 50) -> int:
    """Ask about every refund whose time has come; returns how many were asked about."""
    return run_due_questions(REFUNDS, limit)


def follow_up_refund(refund_id: uuid.UUID) -> bool:
    """Ask the provider about one refund now and apply what it says. True when it was asked."""
    return follow_up_outgoing(REFUNDS, refund_id)


def resolve_refund(*, refund: Refund, succeeded: bool | None, reason: str, receipt: str = "") -> Refund:
    """Settle a refund by hand, as the provider's statement shows it; it is not parked afterwards.

    ``succeeded`` None only takes note of one that is settled. Raises Conflict when the outcome is known and another,
    Invalid without a reason.
    """
    if len(reason.strip()) < 5:
        text = "Say what the decision rests on, e.g. the line of the statement."
        raise Invalid("reason_missing", text, field="reason")
    if (succeeded is None) is (refund.status in OPEN_OUTGOING):
        raise Conflict("refund_settled", f"The refund is {refund.status}.")
    result = _decided(refund, succeeded, reason, receipt)
    entry = build_entry(
        action="refund.resolved",
        object_id=refund.public_id,
        merchant_id=refund.store.merchant_id,
        store_id=refund.store_id,
        changes={"outcome": [refund.status, result.status.value], "reason": reason.strip(), "receipt": receipt},
    )
    kind = replace(REFUNDS, plan=_plan_by_hand)
    return apply_outgoing(kind, refund.pk, result, extend=lambda batch: batch.insert(entry)).row


def plan_refund_outcome(refund: Refund, result: Result, now: datetime) -> OutgoingPlan:
    """What an answer changes. Under the charge's lock: what other refunds took is looked up where it matters."""
    failed = result.status in (_S.FAILED, _S.CANCELED)
    if failed and refund.status == _R.SUCCEEDED:
        return _plan_late_failure(refund, result, now)
    if result.status is _S.SUCCEEDED and refund.status in _GIVEN_UP and _is_later(refund.occurred_at, result):
        return _parking(refund, CAME_BACK, now)
    plan = plan_outgoing(refund, result, now=now)
    if failed and "status" in plan.values:
        plan.values |= {"occurred_at": result.occurred_at} if result.occurred_at else {}
        _name_next_way(plan, refund, now)
    if plan.books and refund.status in _GIVEN_UP and _exceeds(refund):
        plan.values |= {"is_parked": True, "parked_reason": TOO_MUCH}
    return plan


def add_refund_event(batch: WriteBatch, refund: Refund, word: str) -> None:
    """Tell the store what happened, one of REFUND_EVENTS, and how the refund is now."""
    batch.insert(
        build_event(
            store_id=refund.store_id,
            livemode=refund.livemode,
            type=REFUND_EVENTS[word],
            object_id=refund.public_id,
            data={"refund": represent_refund(refund)},
        )
    )


def add_success(batch: WriteBatch, refund: Refund, fee: Money | None) -> None:
    """Book a refund that went out and count it on charge and intent. The charge is locked."""
    unapplied = book_refund(batch, refund, fee)
    _count(batch, refund, 1, unapplied)


def _plan_late_failure(refund: Refund, result: Result, now: datetime) -> OutgoingPlan:
    if refund.occurred_at is None or not _is_later(result.occurred_at, refund):
        return OutgoingPlan()  # overtaken: it was said before the refund succeeded, or nobody knows when
    plan = RefundOutcome(books_back=True, event="failed")
    plan.values = {"status": _R(result.status.value), "occurred_at": result.occurred_at, "updated_at": now}
    plan.values |= {"is_parked": True, "parked_reason": CAME_BACK}
    if result.failure is not None:
        plan.values |= {
            "failure_code": result.failure.code.value,
            "provider_failure_code": storable(result.failure.provider_code, 64),
            "failure_message": storable(result.failure.message, 500),
        }
    return plan


def _is_later(moment: datetime | None, than: Refund | Result) -> bool:
    """Whether the moment lies after the other's. What has no time is later than nothing."""
    return moment is not None and than.occurred_at is not None and moment > than.occurred_at


def _parking(refund: Refund, reason: str, now: datetime) -> OutgoingPlan:
    if refund.is_parked:
        return OutgoingPlan()
    values = {"is_parked": True, "parked_reason": reason, "updated_at": now}
    return OutgoingPlan(values=values, event="parked")


def _exceeds(refund: Refund) -> bool:
    others = count_reserved(refund.charge, excluding=refund.pk)
    return bool(others + refund.amount.amount > refund.charge.amount_received.amount)


def _name_next_way(plan: OutgoingPlan, refund: Refund, now: datetime) -> None:
    """Say which way is open when this one failed. Nobody goes it unasked."""
    try:
        provider = provider_for(refund.provider_account)
        routes = routes_of(provider, question_about(refund.charge, refund.amount, now, excluding=refund.pk))
    except Exception:
        logger.exception("%s: the other ways back are not known", refund.public_id)
        return
    other = next((route for route in routes if route.possible and route.method != refund.method), None)
    if other is not None:
        said = plan.values.get("failure_message", "").rstrip()
        hint = f'Open instead: {other.method}. {other.reason} Refund again with the method "{other.method}".'
        plan.values["failure_message"] = storable(f"{said} {hint}".strip(), 500)


def _book(batch: WriteBatch, refund: Refund, plan: OutgoingPlan) -> None:
    if plan.books:
        add_success(batch, refund, plan.fee)
    elif plan.releases:
        release_refund(batch, refund)
    elif isinstance(plan, RefundOutcome) and plan.books_back:
        _count(batch, refund, -1, -book_back(batch, refund))
    elif plan.fee is not None:
        book_fee(batch, refund, plan.fee)


def _count(batch: WriteBatch, refund: Refund, sign: int, unapplied: Decimal) -> None:
    """What went back (sign -1: what came back) counts on the charge and on its intent, each in its own currency."""
    charge, amount = refund.charge, sign * refund.amount.amount
    settled = amount if refund.settles_amount is None else sign * refund.settles_amount
    intent, now_refunded = charge.payment_intent, charge.amount_refunded + amount
    charge_values: dict[str, Any] = {"amount_refunded": now_refunded}
    intent_values: dict[str, Any] = {"amount_refunded": intent.amount_refunded + settled}
    if unapplied and refund.settles_amount is None:  # otherwise it is in another currency than the intent's
        intent_values["refunded_unapplied"] = intent.refunded_unapplied + unapplied
    if unapplied > 0 and charge.is_parked and now_refunded >= charge.amount_received.amount:
        # The decision that was waited for is made: all of it went back.
        if intent.is_parked and intent.parked_reason == charge.parked_reason:
            intent_values |= {"is_parked": False, "parked_reason": ""}
        charge_values |= {"is_parked": False, "parked_reason": ""}
    for row, values in ((charge, charge_values), (intent, intent_values)):
        batch.update(type(row), row.pk, values)
        for name, value in values.items():
            setattr(row, name, value)


def _tell(batch: WriteBatch, refund: Refund, plan: OutgoingPlan, before: str) -> None:
    came_back = isinstance(plan, RefundOutcome) and plan.books_back
    words = ["failed", "parked"] if came_back else [plan.event]
    if plan.event == "parked" and not came_back and refund.status != before:
        words.insert(0, str(refund.status))
    for word in words:
        add_refund_event(batch, refund, word)
    batch.insert(
        build_entry(
            action=f"refund.{plan.event}",
            object_id=refund.public_id,
            merchant_id=refund.store.merchant_id,
            store_id=refund.store_id,
            changes={
                "status": [before, refund.status],
                **({"reason": refund.parked_reason} if refund.is_parked else {}),
            },
        )
    )


def _fetch(provider: PaymentProvider, request: FetchRequest) -> Result:
    return provider.fetch_refund(request) if isinstance(provider, SupportsRefund) else Result(status=_S.UNKNOWN)


def _plan_by_hand(refund: Refund, result: Result, now: datetime) -> OutgoingPlan:
    settled = refund.status not in OPEN_OUTGOING
    plan = OutgoingPlan(event="updated") if settled else plan_refund_outcome(refund, result, now)
    plan.values |= {"is_parked": False, "parked_reason": "", "follow_up_at": None, "updated_at": now}
    return plan


def _decided(refund: Refund, succeeded: bool | None, reason: str, receipt: str) -> Result:
    if succeeded is None:
        return Result(status=_S.UNKNOWN)
    if succeeded:
        return Result(status=_S.SUCCEEDED, amount=refund.amount, receipt=receipt or None)
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code="resolved_by_hand", message=reason.strip())
    return Result(status=_S.FAILED, failure=failure)


REFUNDS: OutgoingKind[Refund] = OutgoingKind(
    model=Refund,
    lock=lock_refund,
    book=_book,
    tell=_tell,
    fetch=_fetch,
    callback_url=refund_callback_url,
    plan=plan_refund_outcome,
)
