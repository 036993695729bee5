"""What a provider's answer means for a charge and its intent. Pure decisions: nothing here reads or writes rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moneyed import Money

from majuu_core.common.money import AmountError, to_minor_units
from majuu_core.common.storable import storable
from majuu_core.ledger.chart import AccountRef
from majuu_core.merchants.models import Store
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.representation import remaining_amount, represent_time
from majuu_core.payments.transitions import FINAL_INTENT, may_move_charge, may_move_intent
from majuu_core.providers import NextAction, Result, ResultStatus

_S = ResultStatus
_I = PaymentIntent.Status
_GIVEN_UP = frozenset({Charge.Status.FAILED, Charge.Status.CANCELED})


@dataclass(slots=True)
class Plan:
    """Everything one answer changes. ``charge`` and ``intent`` are column values, by name."""

    charge: dict[str, Any] = field(default_factory=dict)
    intent: dict[str, Any] = field(default_factory=dict)
    applied: Money | None = None  # to what we owe the store
    surplus: Money | None = None  # to the store's surplus
    unapplied: Money | None = None  # parked for a decision
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
    if charge.status != Charge.Status.REQUIRES_ACTION or result.status is not _S.PENDING:
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
    received = charge.amount if result.amount is None else result.amount
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


def _reason_to_park(charge: Charge, store: Store, received: Money) -> str:
    if received != charge.amount:
        return f"The provider reports {received.amount} {received.currency.code}; {charge.amount.amount} was asked for."
    if charge.payment_intent.status == _I.CANCELED and store.late_success == Store.LateSuccess.PARK:
        return "The money arrived after the payment intent had been canceled."
    if charge.payment_intent.status == _I.CANCELED and received < remaining_amount(charge.payment_intent):
        return "A part of the amount arrived after the payment intent had been canceled."
    return ""


def _park(plan: Plan, charge: Charge, received: Money, reason: str, now: datetime) -> None:
    plan.unapplied = received
    plan.charge |= {"is_parked": True, "parked_reason": reason}
    plan.intent |= {"is_parked": True, "parked_reason": reason, "updated_at": now}
    plan.intent_event, plan.audit_action = "payment_intent.parked", "charge.parked"


def _credit(plan: Plan, charge: Charge, received: Money, now: datetime) -> None:
    intent = charge.payment_intent
    plan.applied = min(received, remaining_amount(intent))
    plan.surplus = received - plan.applied
    total = intent.amount_received + plan.applied
    plan.intent |= {"updated_at": now}
    if plan.applied.amount:
        plan.intent["amount_received"] = total
    if plan.surplus.amount:
        plan.intent["surplus"] = intent.surplus + plan.surplus
    if total < intent.amount:
        plan.intent_event = "payment_intent.partially_paid"
        # The late success of a charge that had been given up says nothing about the one that may be open now.
        if intent.status not in FINAL_INTENT and charge.status not in _GIVEN_UP:
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
    if may_move_intent(intent.status, _I.REQUIRES_PAYMENT_METHOD):
        plan.intent |= {"status": _I.REQUIRES_PAYMENT_METHOD, "updated_at": now}
        plan.intent_event = "payment_intent.payment_failed"


def _plan_waiting(plan: Plan, charge: Charge, result: Result, now: datetime) -> None:
    intent = charge.payment_intent
    targets = {_S.REQUIRES_ACTION: _I.REQUIRES_ACTION, _S.AUTHORIZED: _I.REQUIRES_CAPTURE}
    target = targets.get(result.status, _I.PROCESSING)
    plan.charge["next_action"] = _represent_action(result.next_action)
    if result.status is _S.AUTHORIZED:
        plan.charge["follow_up_at"] = None
    plan.audit_action = "charge.updated"
    if intent.status != target and may_move_intent(intent.status, target) and intent.status not in FINAL_INTENT:
        plan.intent |= {"status": target, "updated_at": now}
        if target == _I.REQUIRES_ACTION:
            plan.intent_event = "payment_intent.requires_action"


def _represent_action(action: NextAction | None) -> dict[str, Any] | None:
    if action is None:
        return None
    return {"type": action.type, "data": dict(action.data), "expires_at": represent_time(action.expires_at)}


def _as_charge_status(status: ResultStatus) -> str:
    return Charge.Status(status.value).value
