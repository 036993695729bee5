"""Money that a provider holds for us: asking for it or letting it go, and what the answer means.

Captures and voids share this. What was asked for stands on the charge before the provider hears of it, so a lost answer
is found out by asking. A refusal is no end of the authorization: only the provider says whether it still stands.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from moneyed import Money

from majuu_core.audit.services import build_entry
from majuu_core.common import clock
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.calls import Conversation, take_money
from majuu_core.payments.locks import lock_charge
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.outcomes import Plan, next_look
from majuu_core.payments.questions import ask
from majuu_core.payments.representation import asked_amount
from majuu_core.payments.settling import Applied, add_plan, apply_result
from majuu_core.payments.transitions import FINAL_INTENT
from majuu_core.providers import (
    Failure,
    FollowUpRequest,
    PaymentProvider,
    Result,
    ResultStatus,
    SupportsAuthorization,
)

# The call itself may take this long; nobody asks about the charge meanwhile.
CALL_LEASE = timedelta(seconds=45)
_LONGEST_WAIT = 3600
_PATIENCE_AFTER_LAPSE = timedelta(days=3)
UNANSWERED = "The provider never said what became of the capture or void. Look at its statement, then decide."
NOT_LET_GO = "The provider should have let this authorization go days ago and does not say so. Look at its dashboard."
_DEFINITE = frozenset({ResultStatus.SUCCEEDED, ResultStatus.FAILED, ResultStatus.CANCELED})


def is_asked_for(charge: Charge) -> bool:
    """Whether a capture or a void of the authorization is on its way."""
    return charge.amount_to_capture is not None or charge.void_requested_at is not None


def capture_held(charge: Charge, conversation: Conversation, *, repeated: bool = False) -> Applied:
    """Ask the provider for what ``amount_to_capture`` says, and write down what came of it."""
    provider = _able(conversation.provider())
    return _settle(charge, conversation, _call(provider, provider.capture, charge, conversation, repeated))


def void_held(charge: Charge, conversation: Conversation, *, repeated: bool = False) -> Applied:
    """Ask the provider to let the authorization go, and write down what came of it."""
    provider = _able(conversation.provider())
    return _settle(charge, conversation, _call(provider, provider.void, charge, conversation, repeated))


def follow_up_hold(charge: Charge, conversation: Conversation, truth: Result, schedule: tuple[int, ...]) -> None:
    """Apply what the provider says of an authorized charge; ask again for what it shows no sign of having heard.

    Only a provider that looks a repeated key up is asked again.
    """
    stands = truth.status is ResultStatus.AUTHORIZED
    first = stands and (_claim_first_attempt(charge) if is_asked_for(charge) else _give_up(charge))
    if first or (stands and is_asked_for(charge) and conversation.provider().info.replay_safe):
        send = void_held if charge.void_requested_at is not None else capture_held
        send(charge, conversation, repeated=not first)
        return
    apply_result(
        charge_id=charge.pk,
        result=truth,
        records=conversation.records(),
        hold_values=values_until_next_look(charge, schedule),
        renames=truth.status is ResultStatus.SUCCEEDED,
    )


def _give_up(charge: Charge) -> bool:
    """Whether the money is to be let go from now on: its intent was paid or canceled without it."""
    if charge.payment_intent.status not in FINAL_INTENT:
        return False
    untouched = Charge.objects.filter(pk=charge.pk, status=charge.status, hold_attempts=charge.hold_attempts)
    values = {"void_requested_at": clock.now(), "hold_attempts": charge.hold_attempts + 1, "follow_up_count": 0}
    if not untouched.update(**values):
        return False
    for name, value in values.items():
        setattr(charge, name, value)
    return True


def _claim_first_attempt(charge: Charge) -> bool:
    """Whether nobody has ever sent it: the hold came when nobody waited for it any more."""
    if charge.hold_attempts:
        return False
    if not Charge.objects.filter(pk=charge.pk, hold_attempts=0).update(hold_attempts=1):
        return False
    charge.hold_attempts = 1
    return True


def values_until_next_look(charge: Charge, schedule: tuple[int, ...]) -> dict[str, Any]:
    """When the provider is asked next about an authorized charge, unless the answer settles it."""
    now = clock.now()
    if not is_asked_for(charge):
        lapsed = charge.capture_before is not None and charge.capture_before + _PATIENCE_AFTER_LAPSE <= now
        return _parked(NOT_LET_GO) if lapsed else {"follow_up_at": next_look(charge.capture_before, now)}
    if charge.follow_up_count >= len(schedule):
        return _parked(UNANSWERED)
    wait = min(schedule[charge.follow_up_count], _LONGEST_WAIT)
    return {"follow_up_at": now + timedelta(seconds=wait), "follow_up_count": charge.follow_up_count + 1}


def values_when_asked(charge: Charge) -> dict[str, Any]:
    """What both requests write on the charge beside what they ask for."""
    now = clock.now()
    return {
        "hold_attempts": charge.hold_attempts + 1,
        "follow_up_at": now + CALL_LEASE,
        "follow_up_count": 0,
        "failure_code": "",
        "provider_failure_code": "",
        "failure_message": "",
        "updated_at": now,
    }


def _able(provider: PaymentProvider) -> Any:
    if not isinstance(provider, SupportsAuthorization):
        raise TypeError(f"the provider {provider.code} cannot capture or void any more")
    return provider


def _call(
    provider: PaymentProvider,
    operation: Callable[[FollowUpRequest], Result],
    charge: Charge,
    conversation: Conversation,
    repeated: bool,
) -> Result:
    voids = charge.void_requested_at is not None
    request = FollowUpRequest(
        idempotency_key=_key(charge, "void" if voids else "capture"),
        reference=charge.public_id,
        provider_reference=charge.provider_reference or "",
        amount=None if voids else asked_amount(charge),
        webhook_url=charge_callback_url(charge.pk),
    )
    return take_money(
        conversation, lambda: operation(request), replay_safe=provider.info.replay_safe, repeated=repeated
    )


def _key(charge: Charge, operation: str) -> str:
    """The same for every repetition of one request; another for one that follows a refusal, which would be repeated."""
    plain = f"{charge.public_id}:{operation}"
    return plain if charge.hold_attempts <= 1 else f"{plain}:{charge.hold_attempts}"


def _settle(charge: Charge, conversation: Conversation, result: Result) -> Applied:
    failure, again = result.failure, {}
    if failure is not None:
        # That nothing was captured or voided is certain. Whether the authorization still stands is another question.
        result, _ = ask(conversation, charge)
        if result.status not in _DEFINITE and not _must_be_let_go(charge):
            return _keep(charge, conversation, failure)
        again = {"hold_attempts": charge.hold_attempts + 1}
    settled = result if result.status in _DEFINITE else Result(status=ResultStatus.UNKNOWN)
    return apply_result(
        charge_id=charge.pk,
        result=settled,
        records=conversation.records(),
        hold_values=values_until_next_look(charge, conversation.provider().info.follow_up_seconds) | again,
        renames=settled.status is ResultStatus.SUCCEEDED,
    )


def _must_be_let_go(charge: Charge) -> bool:
    """Whether nobody waits for the money any more: a void is asked for again until it is done."""
    return charge.void_requested_at is not None and charge.payment_intent.status in FINAL_INTENT


def _keep(charge: Charge, conversation: Conversation, failure: Failure) -> Applied:
    """The request failed, and what was authorized before is authorized still."""
    with transaction.atomic():
        locked = lock_charge(charge.pk)
        before = locked.status, locked.payment_intent.status
        batch = WriteBatch()
        batch.insert_if_absent(*conversation.records())
        if locked.status == Charge.Status.AUTHORIZED and is_asked_for(locked):
            add_plan(batch, locked, _plan_kept(locked, failure), before)
        batch.execute()
    return Applied(locked, before[0])


def _plan_kept(charge: Charge, failure: Failure) -> Plan:
    now, voided = clock.now(), charge.void_requested_at is not None
    plan = Plan(charge_event="charge.updated")
    plan.charge = {
        "amount_to_capture": None,
        "void_requested_at": None,
        "failure_code": failure.code.value,
        "provider_failure_code": storable(failure.provider_code, 64),
        "failure_message": storable(failure.message, 500),
        "follow_up_at": min(next_look(charge.capture_before, now), now + timedelta(minutes=10)),
        "follow_up_count": 0,
        "updated_at": now,
    }
    plan.audit_action = "charge.void_failed" if voided else "charge.capture_failed"
    if charge.payment_intent.status == PaymentIntent.Status.REQUIRES_CAPTURE:
        plan.intent = {"cancellation_reason": "", "updated_at": now}
        if not voided:
            plan.intent_event = "payment_intent.capture_failed"
    return plan


def _parked(reason: str) -> dict[str, Any]:
    return {"follow_up_at": None, "is_parked": True, "parked_reason": reason}


def audit_request(batch: WriteBatch, charge: Charge, action: str, changes: dict[str, object]) -> None:
    """Who asked for it, and for what."""
    store = charge.payment_intent.store
    batch.insert(
        build_entry(
            action=action,
            object_id=charge.public_id,
            merchant_id=store.merchant_id,
            store_id=store.pk,
            changes=changes,
        )
    )


def held_amount(charge: Charge) -> Money:
    """What the authorization pays of its intent, in the intent's currency."""
    amount: Money = charge.payment_intent.amount
    return charge.amount if charge.settles_amount is None else Money(charge.settles_amount, amount.currency)
