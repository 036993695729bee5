"""What a provider's answer means for a charge and its intent. Pure decisions: nothing here reads or writes rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.common.money import AmountError, format_amount, to_minor_units
from majuu_core.common.storable import storable
from majuu_core.ledger.chart import AccountRef
from majuu_core.merchants.models import Store
from majuu_core.payments.exchange import is_exchanged, settled_by
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.representation import asked_amount, remaining_amount, represent_action
from majuu_core.payments.transitions import FINAL_INTENT, may_move_charge, may_move_intent
from majuu_core.providers import Result, ResultStatus

_S = ResultStatus
_I = PaymentIntent.Status
_GIVEN_UP = frozenset({Charge.Status.FAILED, Charge.Status.CANCELED})
# A provider may be a little late to say that it let the money go.
LAPSE_GRACE = timedelta(minutes=1)


@dataclass(slots=True)
class Plan:
    """Everything one answer changes. ``charge`` and ``intent`` are column values, by name."""

    charge: dict[str, Any] = field(default_factory=dict)
    intent: dict[str, Any] = field(default_factory=dict)
    applied: Money | None = None  # to what we owe the store
    surplus: Money | None = None  # to the store's surplus
    unapplied: Money | None = None  # parked for a decision
    exchanged: Money | None = None  # what came, where that is another currency than the intent's
    fee: Money | None = None
    source: AccountRef | None = None  # where the money stands; None: at the provider
    releases_hold: bool = False
    charge_event: str = ""
    intent_event: str = ""
    audit_action: str = ""

    def __bool__(self) -> bool:
        return bool(self.charge or self.intent)


def plan_outcome(charge: Charge, result: Result, *, now: datetime) -> Plan:
    """Decide what an answer changes."""
    target = _as_charge_status(result.status)
    plan = Plan(charge=_details(charge, result))
    if not may_move_charge(charge.status, target) or _says_nothing_new(charge, result, now):
        if charge.status == Charge.Status.SUCCEEDED and "receipt" in plan.charge:
            plan.charge_event, plan.audit_action = "charge.updated", "charge.updated"
        return plan
    if result.status is _S.SUCCEEDED and not _can_be_booked(result.amount):
        return _plan_unbookable(plan, charge, result, now)
    plan.charge |= {"status": target, "updated_at": now}
    if result.status is _S.SUCCEEDED:
        _plan_success(plan, charge, result, now)
    elif result.status in (_S.FAILED, _S.CANCELED):
        _plan_failure(plan, charge, result, now)
    else:
        _plan_waiting(plan, charge, result, now)
    return plan


def next_follow_up(charge: Charge, schedule: tuple[int, ...], now: datetime) -> datetime | None:
    """When the provider is asked next, counted from the start of the charge; None when the schedule is over.

    Questions that fell due while nobody could ask are not asked in a burst afterwards.
    """
    for seconds in schedule[charge.follow_up_count :]:
        due = charge.created_at + timedelta(seconds=seconds)
        if due > now:
            return due
    return None


def _says_nothing_new(charge: Charge, result: Result, now: datetime) -> bool:
    """An "I do not know" takes nothing back from a charge that the provider has accepted, and "still being processed"
    nothing from a customer who has the prompt in hand."""
    if result.status is _S.UNKNOWN:
        return bool(charge.provider_reference)
    if charge.status != Charge.Status.REQUIRES_ACTION or result.status is not _S.PENDING or result.needs_completion:
        return False
    expires = (charge.next_action or {}).get("expires_at")
    return isinstance(expires, str) and datetime.fromisoformat(expires) > now


def _details(charge: Charge, result: Result) -> dict[str, Any]:
    """What the answer adds to what we know. Nothing known is overwritten."""
    values: dict[str, Any] = {}
    if result.provider_reference and not charge.provider_reference:
        values["provider_reference"] = result.provider_reference[:128]
    if result.receipt and not charge.receipt:
        values["receipt"] = storable(result.receipt, 64)
    if result.payer and not charge.payer:
        values["payer"] = storable(result.payer, 80)
    if result.occurred_at and not charge.occurred_at and result.status is _S.SUCCEEDED:
        values["occurred_at"] = result.occurred_at
    if result.status is _S.AUTHORIZED and result.capture_before and result.capture_before != charge.capture_before:
        values["capture_before"] = result.capture_before
    return values


def _can_be_booked(amount: Money | None) -> bool:
    """Whether the books can hold it: a currency we know, no more decimals than it has, not negative."""
    if amount is None:
        return True
    try:
        to_minor_units(amount)
    except AmountError:
        return False
    return amount.amount >= 0


def _plan_unbookable(plan: Plan, charge: Charge, result: Result, now: datetime) -> Plan:
    """The provider says paid and names an amount that cannot be booked: a person has to find out what it was."""
    amount = result.amount
    reason = f"The provider reports {amount}, which the books cannot hold." if amount is not None else ""
    plan.charge |= {"is_parked": True, "parked_reason": reason[:255], "follow_up_at": None, "updated_at": now}
    return plan


def _plan_success(plan: Plan, charge: Charge, result: Result, now: datetime) -> None:
    intent = charge.payment_intent
    # A provider that reports nothing received nothing other than what was asked; one that reports zero says so.
    received = asked_amount(charge) if result.amount is None else result.amount
    plan.charge |= {"follow_up_at": None, "next_action": None, "occurred_at": result.occurred_at or now}
    plan.charge |= {"failure_code": "", "provider_failure_code": "", "failure_message": "", "hold_id": None}
    plan.charge |= {"is_parked": False, "parked_reason": ""}
    plan.charge_event, plan.audit_action = "charge.succeeded", "charge.succeeded"
    if result.fee and result.fee.amount > 0 and _can_be_booked(result.fee):
        plan.fee = result.fee
        if result.fee.currency == charge.amount.currency:
            plan.charge["fee"] = result.fee
    if received.currency == charge.amount.currency:
        plan.charge["amount_received"] = received
    reason = _reason_to_park(charge, intent.store, received)
    if reason:
        _park(plan, charge, received, reason, now)
    else:
        _credit(plan, charge, received, now)
    _release_capturable(plan, charge)


def _reason_to_park(charge: Charge, store: Store, received: Money) -> str:
    asked = asked_amount(charge)
    if received != asked:
        return f"The provider reports {received.amount} {received.currency.code}; {format_amount(asked)} was asked for."
    if charge.payment_intent.status == _I.CANCELED and store.late_success == Store.LateSuccess.PARK:
        return "The money arrived after the payment intent had been canceled."
    settled = settled_by(charge, received)
    if charge.payment_intent.status == _I.CANCELED and settled < remaining_amount(charge.payment_intent):
        return "A part of the amount arrived after the payment intent had been canceled."
    return ""


def _park(plan: Plan, charge: Charge, received: Money, reason: str, now: datetime) -> None:
    plan.unapplied = received
    plan.charge |= {"is_parked": True, "parked_reason": reason}
    if is_exchanged(charge):
        plan.charge["settles_amount"] = Decimal(0)
    plan.intent |= {"is_parked": True, "parked_reason": reason, "updated_at": now}
    plan.intent_event, plan.audit_action = "payment_intent.parked", "charge.parked"


def _credit(plan: Plan, charge: Charge, received: Money, now: datetime) -> None:
    intent, settled = charge.payment_intent, settled_by(charge, received)
    if is_exchanged(charge):
        plan.exchanged = received
        plan.charge["settles_amount"] = settled.amount
    plan.applied = min(settled, remaining_amount(intent))
    plan.surplus = settled - plan.applied
    total = intent.amount_received + plan.applied
    plan.intent |= {"updated_at": now}
    if plan.applied.amount:
        plan.intent["amount_received"] = total
    if plan.surplus.amount:
        plan.intent["surplus"] = intent.surplus + plan.surplus
    if total < intent.amount and charge.status != Charge.Status.AUTHORIZED:  # a capture of a part is final
        plan.intent_event = "payment_intent.partially_paid"
        # The late success of a charge that had been given up says nothing about the one that may be open now.
        # Nor does a part say anything about money that is held and may still be captured.
        waits = intent.status not in FINAL_INTENT and intent.status != _I.REQUIRES_CAPTURE
        if waits and charge.status not in _GIVEN_UP:
            plan.intent["status"] = _I.REQUIRES_PAYMENT_METHOD
    elif may_move_intent(intent.status, _I.SUCCEEDED):
        plan.intent |= {"status": _I.SUCCEEDED, "succeeded_at": now}
        plan.intent_event = "payment_intent.succeeded"
    elif plan.surplus.amount:
        plan.intent_event = "payment_intent.overpaid"


def _plan_failure(plan: Plan, charge: Charge, result: Result, now: datetime) -> None:
    intent = charge.payment_intent
    plan.releases_hold = charge.hold_id is not None
    plan.charge |= {"follow_up_at": None, "next_action": None, "hold_id": None, "is_parked": False, "parked_reason": ""}
    if result.failure is not None:
        plan.charge |= {
            "failure_code": result.failure.code.value,
            "provider_failure_code": storable(result.failure.provider_code, 64),
            "failure_message": storable(result.failure.message, 500),
        }
    plan.charge_event, plan.audit_action = "charge.failed", "charge.failed"
    _release_capturable(plan, charge)
    let_go = result.status is _S.CANCELED or charge.void_requested_at is not None
    if intent.status == _I.REQUIRES_CAPTURE and let_go and not intent.amount_received.amount:
        _plan_cancellation(plan, charge, now)
    elif may_move_intent(intent.status, _I.REQUIRES_PAYMENT_METHOD):
        plan.intent |= {"status": _I.REQUIRES_PAYMENT_METHOD, "updated_at": now}
        plan.intent_event = "payment_intent.payment_failed"


def _plan_waiting(plan: Plan, charge: Charge, result: Result, now: datetime) -> None:
    intent = charge.payment_intent
    targets = {_S.REQUIRES_ACTION: _I.REQUIRES_ACTION, _S.AUTHORIZED: _I.REQUIRES_CAPTURE}
    target = targets.get(result.status, _I.PROCESSING)
    plan.charge["next_action"] = represent_action(result.next_action)
    plan.audit_action = "charge.updated"
    if result.status is _S.AUTHORIZED:
        _plan_authorized(plan, charge, result, now)
    if intent.status != target and may_move_intent(intent.status, target) and intent.status not in FINAL_INTENT:
        plan.intent |= {"status": target, "updated_at": now}
        if target == _I.REQUIRES_ACTION:
            plan.intent_event = "payment_intent.requires_action"
        elif target == _I.REQUIRES_CAPTURE:
            held = charge.amount.amount if charge.settles_amount is None else charge.settles_amount
            plan.intent["amount_capturable"] = held
            plan.intent_event = "payment_intent.amount_capturable_updated"


def _plan_authorized(plan: Plan, charge: Charge, result: Result, now: datetime) -> None:
    """The money is held. What nobody waits for any more is let go: the intent was canceled or paid meanwhile."""
    plan.audit_action = "charge.authorized"
    plan.charge |= {"follow_up_count": 0, "is_parked": False, "parked_reason": ""}
    if may_move_intent(charge.payment_intent.status, _I.REQUIRES_CAPTURE):
        plan.charge["follow_up_at"] = next_look(result.capture_before or charge.capture_before, now)
    else:
        plan.charge |= {"void_requested_at": now, "follow_up_at": now}


def next_look(capture_before: datetime | None, now: datetime) -> datetime:
    """When the provider is asked about money it holds, while nothing was asked of it: each day, and when it lapses."""
    tomorrow = now + timedelta(days=1)
    if capture_before is None:
        return tomorrow
    return min(tomorrow, capture_before + LAPSE_GRACE) if capture_before > now else now + timedelta(hours=1)


def _plan_cancellation(plan: Plan, charge: Charge, now: datetime) -> None:
    """The hold is gone, by our own wish, by the provider's or because its time was over."""
    intent = charge.payment_intent
    has_lapsed = charge.capture_before is not None and charge.capture_before <= now
    reason = PaymentIntent.CancellationReason.EXPIRED if has_lapsed else PaymentIntent.CancellationReason.REQUESTED
    plan.intent |= {
        "status": _I.CANCELED,
        "cancellation_reason": intent.cancellation_reason or reason,
        "canceled_at": now,
        "updated_at": now,
    }
    plan.intent_event = "payment_intent.canceled"


def _release_capturable(plan: Plan, charge: Charge) -> None:
    if charge.status == Charge.Status.AUTHORIZED and charge.payment_intent.amount_capturable:
        plan.intent["amount_capturable"] = Decimal(0)


def _as_charge_status(status: ResultStatus) -> str:
    return Charge.Status(status.value).value
