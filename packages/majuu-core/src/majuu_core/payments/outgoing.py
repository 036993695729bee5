"""What refunds and payouts share: money that leaves, and the provider's word on it.

``plan_outgoing`` decides what an answer means; it reads and writes nothing. ``apply_outgoing`` writes it in one
transaction, whatever order the answers, fetched truths and webhooks come in. What differs between the two (which
table, which accounts in the books, which events) stands in an ``OutgoingKind``.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection, models, transaction
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.payments.models import Payout, Refund
from majuu_core.payments.transitions import OPEN_OUTGOING, may_move_outgoing
from majuu_core.providers import FetchRequest, PaymentProvider, Result, ResultStatus

logger = logging.getLogger("majuu.payments")
# The call itself may take this long; nobody asks or sends meanwhile.
CALL_LEASE = timedelta(seconds=45)
NO_ANSWER = "The provider never said what became of this money. Look at its statement, then decide."
_S = ResultStatus
_O = Payout.Status
_MEANS: Mapping[ResultStatus, str] = {
    _S.SUCCEEDED: _O.SUCCEEDED,
    _S.FAILED: _O.FAILED,
    _S.CANCELED: _O.CANCELED,
    _S.UNKNOWN: _O.UNKNOWN,
    _S.PENDING: _O.PENDING,
    _S.REQUIRES_ACTION: _O.PENDING,
    _S.AUTHORIZED: _O.PENDING,
}
_NO_FAILURE = {"failure_code": "", "provider_failure_code": "", "failure_message": ""}

Row = TypeVar("Row", bound=Refund | Payout)
Extend = Callable[[WriteBatch], None]


@dataclass(slots=True)
class OutgoingPlan:
    """Everything one answer changes. ``values`` are column values, by name."""

    values: dict[str, Any] = field(default_factory=dict)
    books: bool = False  # the money left: post the hold, or book it anew where the hold was given up before
    releases: bool = False  # it did not: void the hold, if there is one
    fee: Money | None = None  # what the provider keeps, to be booked
    event: str = ""  # "succeeded" | "failed" | "canceled" | "updated" | "parked"

    def __bool__(self) -> bool:
        return bool(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingKind(Generic[Row]):
    """Refunds or payouts: what the functions below need to know of them.

    ``book`` adds bookings and sees the row as it was, with its hold; ``tell`` adds event, audit entry and whatever
    else changes with it, and sees the row as it will be, ``before`` being its status until now. ``fetch`` asks a
    provider for the truth, ``callback_url`` is where an answer goes that comes later. ``plan`` decides what an answer
    means, where that is not ``plan_outgoing``.
    """

    model: type[Row]
    lock: Callable[[uuid.UUID], Row]
    book: Callable[[WriteBatch, Row, OutgoingPlan], None]
    tell: Callable[[WriteBatch, Row, OutgoingPlan, str], None]
    fetch: Callable[[PaymentProvider, FetchRequest], Result]
    callback_url: Callable[[uuid.UUID], str]
    plan: Callable[[Row, Result, datetime], OutgoingPlan] | None = None


@dataclass(frozen=True, slots=True)
class Applied(Generic[Row]):
    """The row as it is now, and what its status was before this answer."""

    row: Row
    before: str
    parked: bool = False

    @property
    def changed(self) -> bool:
        """Whether this answer moved it."""
        return self.row.status != self.before


def apply_outgoing(
    kind: OutgoingKind[Row],
    row_id: uuid.UUID,
    result: Result,
    *,
    records: Iterable[models.Model] = (),
    values: Mapping[str, Any] | None = None,
    extend: Extend | None = None,
) -> Applied[Row]:
    """Apply a provider's answer to the row, the ledger, the outbox and the audit trail, in one transaction.

    ``records`` are rows written with it (provider calls); ``values`` are columns to set besides while it stays open
    and nobody has to look at it; ``extend`` lets the caller add to the same batch. A repeated or overtaken answer
    changes nothing but adds its records.
    """
    with transaction.atomic():
        row = kind.lock(row_id)
        now = clock.now()
        plan = kind.plan(row, result, now) if kind.plan else plan_outgoing(row, result, now=now)
        is_open = plan.values.get("status", row.status) in OPEN_OUTGOING
        if is_open and not row.is_parked and not plan.values.get("is_parked"):
            plan.values = {**(values or {}), **plan.values}
        was_parked = row.is_parked
        if plan.values.get("is_parked") and not was_parked:
            plan.event = "parked"
        batch = WriteBatch()
        batch.insert_if_absent(*records)  # a transaction that is tried again may have been committed
        applied = Applied(row, row.status, parked=plan.event == "parked")
        add_outgoing_plan(batch, kind, row, plan)
        if extend is not None:
            extend(batch)
        batch.execute()
    _log(applied)
    return applied


def add_outgoing_plan(batch: WriteBatch, kind: OutgoingKind[Row], row: Row, plan: OutgoingPlan) -> None:
    """Put a plan's rows into the batch and its values on the instance."""
    if not plan:
        return
    before = row.status
    kind.book(batch, row, plan)
    batch.update(kind.model, row.pk, plan.values)
    for name, value in plan.values.items():
        setattr(row, name, value)
    if plan.event:
        kind.tell(batch, row, plan, before)


def write_answer(
    kind: OutgoingKind[Row],
    row: Row,
    result: Result,
    *,
    records: Iterable[models.Model] = (),
    values: Mapping[str, Any] | None = None,
) -> Applied[Row]:
    """The second transaction, once more if the database was away; the log keeps what only this process knows."""
    kept = list(records)
    try:
        return apply_outgoing(kind, row.pk, result, records=kept, values=values)
    except (OperationalError, InterfaceError):
        logger.exception(
            "%s: the provider said %s, its reference is %s; writing it once more",
            row.public_id,
            result.status,
            result.provider_reference,
        )
        connection.close_if_unusable_or_obsolete()
        return apply_outgoing(kind, row.pk, result, records=kept, values=values)


def plan_outgoing(row: Refund | Payout, result: Result, *, now: datetime) -> OutgoingPlan:
    """Decide what an answer changes."""
    if row.status == _O.REQUIRES_APPROVAL and result.status is not _S.SUCCEEDED:
        return OutgoingPlan()  # it was never sent: only a person moves it
    plan = OutgoingPlan(values=_details(row, result))
    succeeded = result.status is _S.SUCCEEDED
    doubt = _reason_to_park(row, result) if succeeded else _doubt_about(row, result)
    if doubt:
        _park(plan, row, doubt, now)
        return plan
    target = _MEANS[result.status]
    if not may_move_outgoing(row.status, target) or _says_nothing_new(row, result):
        if succeeded and row.status == _O.SUCCEEDED:
            _add_late_details(plan, row, result, now)
        return plan
    plan.values |= {"status": target, "updated_at": now}
    plan.event = "updated" if target in OPEN_OUTGOING else str(target)
    if target in OPEN_OUTGOING:
        return plan
    plan.values |= {"follow_up_at": None, "hold_id": None, **_unparked(row)}
    if isinstance(row, Payout):
        plan.values["send_at"] = None
    if succeeded:
        plan.books = True
        plan.values |= {"occurred_at": result.occurred_at or now, **_NO_FAILURE}
        _add_fee(plan, row, result)
    else:
        plan.releases = row.hold_id is not None
        plan.values |= _failure_columns(result)
    return plan


def next_question(row: Refund | Payout, schedule: tuple[int, ...], now: datetime, wait: int = 0) -> dict[str, Any]:
    """Columns for a question asked now: when the next one is due, or, when the schedule is over, a parked row.

    The schedule's times are kept as distances from one question to the next, so that nothing is asked in a burst after
    a time when nobody could ask. ``wait`` are seconds that the provider wants to be left alone.
    """
    count = row.follow_up_count + 1
    if count >= len(schedule):
        ended = {"is_parked": True, "parked_reason": NO_ANSWER, "updated_at": now}
        return {"follow_up_at": None, "follow_up_count": count, **ended}
    pause = schedule[count] - schedule[count - 1]
    return {"follow_up_at": now + timedelta(seconds=max(pause, wait)), "follow_up_count": count}


def first_question(schedule: tuple[int, ...], now: datetime) -> datetime:
    """When the provider is asked first about what is sent now, should the process that sends it die."""
    return now + max(CALL_LEASE, timedelta(seconds=schedule[0]))


def claim_due(
    model: type[models.Model], *, column: str = "follow_up_at", lease: timedelta, limit: int
) -> list[uuid.UUID]:
    """Take rows whose time has come by pushing it ahead, the longest due first. No two workers take the same one."""
    now, taken = clock.now(), []
    due = model._default_manager.filter(**{f"{column}__lte": now}).order_by(column)
    for key, at in list(due.values_list("pk", column)[:limit]):
        if model._default_manager.filter(pk=key, **{column: at}).update(**{column: clock.now() + lease}) == 1:
            taken.append(key)
    return taken


def _details(row: Refund | Payout, result: Result) -> dict[str, Any]:
    """What the answer adds to what we know. Nothing known is overwritten."""
    values: dict[str, Any] = {}
    if result.provider_reference and not row.provider_reference:
        values["provider_reference"] = result.provider_reference[:128]
    if result.status is not _S.SUCCEEDED:
        return values  # a failure's receipt is a dummy
    if result.receipt and not row.receipt:
        values["receipt"] = storable(result.receipt, 64)
    if isinstance(row, Payout) and result.payer and not row.recipient_name:
        values["recipient_name"] = storable(result.payer, 200)
    return values


def _reason_to_park(row: Refund | Payout, result: Result) -> str:
    """Why a success cannot be believed as it is; "" when it can."""
    amount = result.amount
    if amount is not None and amount != row.amount:
        return f"The provider reports {amount.amount} {amount.currency.code}; {row.amount.amount} were to be sent."
    if result.receipt and row.receipt and storable(result.receipt, 64) != row.receipt:
        return f"The provider names the receipt {storable(result.receipt, 64)}; {row.receipt} is known."
    if row.status == _O.REQUIRES_APPROVAL:
        return "The provider says that it was sent; nobody has approved it."
    return ""


def _doubt_about(row: Refund | Payout, result: Result) -> str:
    """Why the provider itself says that a person must look. What is settled stays so."""
    return result.doubt if row.status in OPEN_OUTGOING else ""


def _park(plan: OutgoingPlan, row: Refund | Payout, reason: str, now: datetime) -> None:
    """The hold stays and the questions end: a person decides. What a person has settled is not parked once more."""
    reason = storable(reason, 255)
    if row.parked_reason == reason:
        return
    plan.values |= {"is_parked": True, "parked_reason": reason, "follow_up_at": None, "updated_at": now}
    plan.event = "parked"


def _unparked(row: Refund | Payout) -> dict[str, Any]:
    """The answer has come after all. Doubts about what was said before stay with a person."""
    return {"is_parked": False, "parked_reason": ""} if row.parked_reason == NO_ANSWER else {}


def _says_nothing_new(row: Refund | Payout, result: Result) -> bool:
    """An "I do not know" takes nothing back from what the provider has accepted."""
    return result.status is _S.UNKNOWN and bool(row.provider_reference)


def _add_late_details(plan: OutgoingPlan, row: Refund | Payout, result: Result, now: datetime) -> None:
    _add_fee(plan, row, result)
    if plan.values:
        plan.values["updated_at"] = now
        plan.event = "updated"


def _add_fee(plan: OutgoingPlan, row: Refund | Payout, result: Result) -> None:
    """A fee in the row's currency is booked once, whichever answer brings it."""
    fee = result.fee
    if fee is not None and fee.currency == row.amount.currency and fee.amount > 0 and row.fee.amount == 0:
        plan.fee = plan.values["fee"] = fee


def _failure_columns(result: Result) -> dict[str, str]:
    if result.failure is None:
        return {}
    return {
        "failure_code": result.failure.code.value,
        "provider_failure_code": storable(result.failure.provider_code, 64),
        "failure_message": storable(result.failure.message, 500),
    }


def _log(applied: Applied[Row]) -> None:
    if applied.changed:
        logger.info("%s: %s -> %s", applied.row.public_id, applied.before, applied.row.status)
    if applied.parked:
        logger.error("%s parked: %s", applied.row.public_id, applied.row.parked_reason)
