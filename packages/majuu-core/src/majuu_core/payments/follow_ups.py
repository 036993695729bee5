"""The janitor: asks providers about charges whose outcome is not known (promise P3).

STK questions come 10, 20 and 40 seconds, 2, 5 and 15 minutes and 1 hour after the charge, then hourly for a day; then
the charge is parked for a person. A payment that the customer has approved is completed here, and an authorized one is
asked about as long as the provider holds its money (holds.py). Claiming a charge pushes its next question ahead first,
so a question that crashes the worker does not crash it in a loop, and two workers never ask at once.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

from majuu_core.common import clock
from majuu_core.payments.by_hand import end_waiting, is_by_hand
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.completion import complete, is_wanted
from majuu_core.payments.holds import follow_up_hold, values_until_next_look
from majuu_core.payments.models import Charge
from majuu_core.payments.outcomes import next_follow_up
from majuu_core.payments.questions import ask as ask
from majuu_core.payments.settling import apply_result, tell_of_failure
from majuu_core.payments.transitions import FOLLOWED_CHARGE
from majuu_core.payments.turns import Turns
from majuu_core.payments.voids import call_back
from majuu_core.providers import Result, ResultStatus
from majuu_core.providers.installed import installed_providers
from majuu_core.providers.types import DEFAULT_FOLLOW_UP_SECONDS as USUAL

logger = logging.getLogger("majuu.payments")
LEASE = timedelta(seconds=60)
TURNS = Turns(2)
PARKED = "The provider never said what became of this payment. Look at its statement, then decide."


def run_due_follow_ups(limit: int = 50) -> int:
    """Ask about charges whose time has come; returns how many were asked about.

    Several threads may run it; a provider that hangs keeps at most two of them.
    """
    due = Charge.objects.filter(follow_up_at__lte=clock.now()).exclude(provider_account__in=TURNS.busy())
    found = list(due.order_by("follow_up_at").values_list("pk", "follow_up_at", "provider_account_id")[:limit])
    return sum(_follow_up_in_turn(pk, at, account) for pk, at, account in found)


def _follow_up_in_turn(charge_id: uuid.UUID, at: datetime | None, account: uuid.UUID) -> bool:
    with TURNS.take(account) as mine:
        return mine and _claim(charge_id, at) and _follow_up_safely(charge_id)


def follow_up_charge(charge_id: uuid.UUID) -> bool:
    """Ask the provider about one charge now and apply what it says. True when it was asked.

    May be called at any time: also by a person in the console, or when a callback came.
    """
    refuse_open_transaction()
    charge = Charge.objects.select_related("provider_account", "payment_intent__store").get(pk=charge_id)
    if charge.status not in FOLLOWED_CHARGE:
        tell_of_failure(charge_id)
        Charge.objects.filter(pk=charge_id).exclude(status__in=FOLLOWED_CHARGE).update(follow_up_at=None)
        return False
    if is_by_hand(charge.provider):
        end_waiting(charge)
        return False
    conversation = Conversation(charge.provider_account, charge)
    result, wait = ask(conversation, charge)
    if charge.status == Charge.Status.AUTHORIZED:
        follow_up_hold(charge, conversation, result, _schedule(charge))
        return True
    approved = result.needs_completion
    if approved and not is_wanted(charge):
        # Nobody waits for the money any more. Without our call the provider does not take it: it lapses there, if it
        # cannot be called back.
        call_back(charge)
        approved, result = False, Result(status=ResultStatus.CANCELED, provider_reference=result.provider_reference)
    elif approved:
        result = complete(conversation, charge, result)
    apply_result(
        charge_id=charge_id,
        result=result,
        records=conversation.records(),
        charge_values=_next_values(charge, wait),
        renames=approved,
    )
    return True


def _follow_up_safely(charge_id: uuid.UUID) -> bool:
    """One charge that cannot be followed up must not keep the others waiting.

    What the provider says cannot be written, it seems: the schedule goes on without it and ends with a person.
    """
    try:
        return follow_up_charge(charge_id)
    except Exception:
        logger.exception("following up charge %s", charge_id)
    charge = Charge.objects.get(pk=charge_id)
    if charge.status in FOLLOWED_CHARGE:
        nothing = Result(status=ResultStatus.UNKNOWN, provider_reference=charge.provider_reference)
        apply_result(
            charge_id=charge_id,
            result=nothing,
            charge_values=_next_values(charge, None),
            hold_values=values_until_next_look(charge, _schedule(charge)),
        )
    return True


def _claim(charge_id: uuid.UUID, at: datetime | None) -> bool:
    return Charge.objects.filter(pk=charge_id, follow_up_at=at).update(follow_up_at=clock.now() + LEASE) == 1


def _next_values(charge: Charge, wait: int | None) -> dict[str, object]:
    """When to ask next, if the answer does not settle it (apply_result overrides these when it does)."""
    now = clock.now()
    schedule = _schedule(charge)
    due = next_follow_up(charge, schedule, now)
    values: dict[str, object] = {
        "follow_up_at": due and max(due, now + timedelta(seconds=wait or 0)),
        "follow_up_count": sum(charge.created_at + timedelta(seconds=seconds) <= now for seconds in schedule),
    }
    if due is None:
        values |= {"is_parked": True, "parked_reason": PARKED}
    return values


def _schedule(charge: Charge) -> tuple[int, ...]:
    """The provider's own; the usual one when its package is not installed any more."""
    providers = installed_providers()
    return providers.get(charge.provider).info.follow_up_seconds if charge.provider in providers else USUAL
