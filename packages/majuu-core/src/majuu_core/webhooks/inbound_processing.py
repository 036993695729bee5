"""Working on what providers told us, each message in its own transaction.

What an unsigned message says is a hint: the provider is asked, and its answer is applied. The message adds only what
the answer lacks (receipt, payer, time). One that names another amount than was asked for adds nothing and is parked.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import IntegrityError, models
from django.db.models import F, Q

from majuu_core.common import clock
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.database.compiled import RowByKey
from majuu_core.merchants.provider_accounts import provider_for
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.locks import Seen
from majuu_core.payments.models import Charge
from majuu_core.payments.notices import Ending, Notice
from majuu_core.payments.questions import ask
from majuu_core.payments.representation import asked_amount
from majuu_core.payments.settling import apply_if_unchanged, apply_result
from majuu_core.payments.turns import Turns
from majuu_core.providers import (
    ProviderEvent,
    Result,
    ResultStatus,
    SupportsWebhooks,
    Trust,
    WebhookRejected,
    WebhookRequest,
)
from majuu_core.webhooks.inbound_routes import ROUTES
from majuu_core.webhooks.models import InboundEvent, InboundWebhook

logger = logging.getLogger("majuu.webhooks")
LEASE = timedelta(seconds=60)
TURNS = Turns(2)
# Seconds between looks while the provider does not confirm what a message says; about a day in all.
RETRY_SECONDS: tuple[int, ...] = (2, 3, 5, 10, 20, 40, 60, 120, 300, 600, 1200, *(3600,) * 23)
_State = InboundWebhook.State
_HANDLED = "payment.updated"
_INBOUND = RowByKey(
    lambda: InboundWebhook.objects.select_related(
        "provider_account", "charge__provider_account", "charge__payment_intent__store"
    )
)
_NOT_FINAL = frozenset(
    {ResultStatus.PENDING, ResultStatus.UNKNOWN, ResultStatus.REQUIRES_ACTION, ResultStatus.AUTHORIZED}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one event of a message ended. ``written`` when the message's row was finished together with it."""

    state: InboundWebhook.State
    reason: str = ""
    written: bool = False


def process_waiting(limit: int = 50) -> int:
    """Work on messages whose time has come; returns how many were taken. Two workers never take the same one.

    Several threads may run it; a provider that hangs keeps at most two of them.
    """
    waiting = InboundWebhook.objects.filter(state=_State.RECEIVED, next_attempt_at__lte=clock.now())
    if busy := TURNS.busy():
        waiting = waiting.filter(Q(provider_account__isnull=True) | ~Q(provider_account__in=busy))
    found = list(
        waiting.order_by("next_attempt_at").values_list("pk", "next_attempt_at", "provider_account_id")[:limit]
    )
    return sum(_process_in_turn(key, at, account) for key, at, account in found)


def _process_in_turn(inbound_id: uuid.UUID, at: datetime | None, account: uuid.UUID | None) -> bool:
    with TURNS.take(account) as mine:
        if not mine:
            return False
        row = InboundWebhook.objects.filter(pk=inbound_id, state=_State.RECEIVED, next_attempt_at=at)
        if row.update(next_attempt_at=clock.now() + LEASE, attempts=F("attempts") + 1) != 1:
            return False
        _process_safely(inbound_id)
        return True


def _process_safely(inbound_id: uuid.UUID) -> None:
    """A message that cannot be worked on waits for its next turn, and for a person when it has had too many."""
    try:
        process_inbound(inbound_id)
    except Exception:
        logger.exception("working on webhook %s", inbound_id)
        tired = InboundWebhook.objects.filter(pk=inbound_id, state=_State.RECEIVED, attempts__gt=len(RETRY_SECONDS))
        tired.update(**_closing(Outcome(_State.PARKED, "Working on it failed every time; the log says why.")))


def process_inbound(inbound_id: uuid.UUID) -> None:
    """Work on one stored message now."""
    refuse_open_transaction()
    inbound = _INBOUND.get(inbound_id)
    if inbound is None or inbound.state != _State.RECEIVED:
        return
    if inbound.provider_account is None:
        finish(inbound, [Outcome(_State.PARKED, "It came for no account that we know.")])
        return
    provider = provider_for(inbound.provider_account, observe=lambda exchange: None)
    try:
        if not isinstance(provider, SupportsWebhooks):
            raise WebhookRejected("The provider package takes no webhooks any more.")
        events = list(provider.parse_webhook(as_request(inbound)))
    except WebhookRejected as problem:
        # It could be read when it came, and nobody sends again what was taken then.
        _finish_or_wait(inbound, [None], reason=str(problem))
        return
    if inbound.trust == Trust.SIGNED:
        process_signed(inbound, events)
    else:
        _process_unsigned(inbound, events)


def process_signed(inbound: InboundWebhook, events: Sequence[ProviderEvent]) -> None:
    """Apply what a verified message says. Its row is in the database."""
    alone = len(events) == 1
    outcomes = [
        _apply(inbound, event, _find_charge(inbound, event), event.result, alone=alone)
        if event.type == _HANDLED
        else _route(inbound, event)
        for event in events
    ]
    _finish_or_wait(inbound, outcomes)


def apply_at_once(inbound: InboundWebhook, events: Sequence[ProviderEvent], seen: Seen) -> bool:
    """Write a verified message that is not in the database yet together with all that it changes, in one statement.

    False when it could not be applied just so, whatever the reason: then nothing was written, and the message has to
    be stored and processed.
    """
    if len(events) != 1 or events[0].type != _HANDLED or events[0].reference not in (None, "", seen.charge.public_id):
        return False

    def extend(batch: WriteBatch) -> None:
        for name, value in _closing(Outcome(_State.APPLIED)).items():
            setattr(inbound, name, value)
        batch.insert(inbound, _event_row(inbound, events[0]))

    before = inbound.state, inbound.next_attempt_at
    try:
        if apply_if_unchanged(seen=seen, result=events[0].result, extend=extend) is not None:
            return True
    except IntegrityError:
        pass  # most likely a repetition; processing finds out
    except Exception:
        logger.exception("webhook %s could not be applied at once", inbound.public_id)
    inbound.state, inbound.next_attempt_at = before
    inbound.processed_at = None
    return False


def as_request(inbound: InboundWebhook) -> WebhookRequest:
    """The stored message as the provider contract wants it."""
    return WebhookRequest(
        method=inbound.method,
        headers=inbound.headers,
        query=inbound.query,
        body=bytes(inbound.body),
        remote_addr=inbound.remote_addr,
        reference=inbound.charge.public_id if inbound.charge else inbound.subject_id or None,
        topic=inbound.topic,
    )


def finish(inbound: InboundWebhook, outcomes: Sequence[Outcome]) -> None:
    """Close a message: parked if any of its events is, else applied if any is, else duplicate or rejected."""
    if len(outcomes) == 1 and outcomes[0].written:
        return
    order = [_State.PARKED, _State.APPLIED, _State.REJECTED, _State.DUPLICATE]
    worst = min(outcomes, key=lambda outcome: order.index(outcome.state), default=Outcome(_State.REJECTED, "No event."))
    if worst.state == _State.PARKED:
        logger.error("webhook %s parked: %s", inbound.public_id, worst.reason)
    InboundWebhook.objects.filter(pk=inbound.pk, state=_State.RECEIVED).update(**_closing(worst))


def _process_unsigned(inbound: InboundWebhook, events: Sequence[ProviderEvent]) -> None:
    alone = len(events) == 1
    outcomes = [
        _settle(inbound, event, alone=alone) if event.type == _HANDLED else _route(inbound, event) for event in events
    ]
    _finish_or_wait(inbound, outcomes)


def _finish_or_wait(inbound: InboundWebhook, outcomes: Sequence[Outcome | None], reason: str = "") -> None:
    if None not in outcomes:
        finish(inbound, [outcome for outcome in outcomes if outcome is not None])
    elif inbound.attempts > len(RETRY_SECONDS):
        finish(inbound, [Outcome(_State.PARKED, reason or "The provider never confirmed what this message says.")])
    else:
        wait = RETRY_SECONDS[max(inbound.attempts, 1) - 1]
        InboundWebhook.objects.filter(pk=inbound.pk, state=_State.RECEIVED).update(
            next_attempt_at=clock.now() + timedelta(seconds=wait),
            reason=storable(reason, 500) or "Waiting for the provider to confirm it.",
        )


def _settle(inbound: InboundWebhook, event: ProviderEvent, *, alone: bool) -> Outcome | None:
    """Fetch the truth and apply it. None while there is no final truth."""
    charge = _find_charge(inbound, event)
    if charge is None:
        return Outcome(_State.PARKED, f"No charge of this account has the reference {event.provider_reference[:100]}.")
    if charge.provider_reference and charge.provider_reference != event.provider_reference:
        return Outcome(_State.PARKED, f"It names {event.provider_reference[:100]}, which is not this charge's request.")
    told = event.result.status is ResultStatus.SUCCEEDED
    if told and charge.status == Charge.Status.SUCCEEDED:
        return _add_details(inbound, event, charge, alone=alone)
    conversation = Conversation(charge.provider_account, charge)
    truth, _ = ask(conversation, charge, event.provider_reference)
    records = conversation.records()
    if truth.status in _NOT_FINAL and not truth.status is event.result.status is ResultStatus.AUTHORIZED:
        # A reference that the provider does not own up to may be anybody's invention: it stays with the message.
        known = event.provider_reference if truth.provider_reference == event.provider_reference else None
        hint = truth if truth.needs_completion else Result(status=ResultStatus.UNKNOWN)
        return _remember(charge, replace(hint, provider_reference=known), records)
    paid = truth.status is ResultStatus.SUCCEEDED
    if told and not paid:
        apply_result(charge_id=charge.pk, result=Result(status=ResultStatus.UNKNOWN), records=records)
        return Outcome(_State.PARKED, f"It says paid; the provider, when asked, says {truth.status.value}.")
    asked, named = asked_amount(charge), event.result.amount
    if told and paid and named is not None and named != asked:
        # The provider says that what was asked for is paid. A message that names something else adds nothing to that.
        doubt = Outcome(_State.PARKED, f"It names {named}; {asked} was asked for and, as the provider says, paid.")
        bare = replace(truth, provider_reference=event.provider_reference)
        return _apply(inbound, event, charge, bare, alone=alone, records=records, ending=doubt)
    result = _merge(truth, event) if told else replace(truth, provider_reference=event.provider_reference)
    outcome = _apply(inbound, event, charge, result, alone=alone, records=records)
    if paid and not told and outcome.state == _State.APPLIED:
        return Outcome(_State.APPLIED, "It said failed; the provider, when asked, says paid.")
    return outcome


def _route(inbound: InboundWebhook, event: ProviderEvent) -> Outcome | None:
    """Hand an event that is not about a charge to its service. None while there is no final truth."""
    route = ROUTES.get(event.type)
    if route is None:
        return Outcome(_State.PARKED, f"Nothing here handles {event.type[:60]} yet.")
    assert inbound.provider_account is not None  # noqa: S101 - process_inbound parks a message without one
    known = InboundEvent.objects.filter(
        provider_account=inbound.provider_account, event_id=storable(event.event_id, 255)
    ).exclude(inbound=inbound)
    if known.exists():
        return Outcome(_State.DUPLICATE, "The same event was applied before.")
    notice = Notice(
        account=inbound.provider_account,
        event=event,
        trust=Trust(inbound.trust),
        subject_id=inbound.subject_id,
        topic=inbound.topic,
        body=bytes(inbound.body),
    )
    verdict = route(notice)
    if verdict.ending is Ending.WAITING:
        return None
    if verdict.ending is Ending.APPLIED:
        batch = WriteBatch()
        batch.insert_if_absent(_event_row(inbound, event))
        batch.execute()
    return Outcome(_State(verdict.ending.value), verdict.reason)


def _remember(charge: Charge, hint: Result, records: Sequence[models.Model]) -> Outcome | None:
    """Keep the provider's reference for later questions; another charge may have it already."""
    try:
        apply_result(charge_id=charge.pk, result=hint, records=records)
    except IntegrityError:
        return Outcome(_State.PARKED, f"{hint.provider_reference} belongs to another charge.")
    return None


def _add_details(inbound: InboundWebhook, event: ProviderEvent, charge: Charge, *, alone: bool) -> Outcome:
    """The charge had succeeded: the message may still bring the receipt."""
    if event.result.amount is not None and event.result.amount != charge.amount_received:
        amount = event.result.amount
        return Outcome(
            _State.PARKED, f"It names {amount.amount} {amount.currency.code}; {charge.amount_received} was booked."
        )
    if charge.receipt and event.result.receipt and charge.receipt != event.result.receipt:
        return Outcome(_State.PARKED, f"It names the receipt {event.result.receipt}; {charge.receipt} is known.")
    return _apply(inbound, event, charge, event.result, alone=alone)


def _merge(truth: Result, event: ProviderEvent) -> Result:
    told = event.result
    return replace(
        truth,
        provider_reference=event.provider_reference,
        receipt=truth.receipt or told.receipt,
        payer=truth.payer or told.payer,
        occurred_at=truth.occurred_at or told.occurred_at,
    )


def _apply(
    inbound: InboundWebhook,
    event: ProviderEvent,
    charge: Charge | None,
    result: Result,
    *,
    alone: bool,
    records: Sequence[models.Model] = (),
    ending: Outcome | None = None,
) -> Outcome:
    if charge is None:
        return Outcome(_State.PARKED, f"No charge of this account has the reference {event.provider_reference[:100]}.")
    if event.reference and event.reference != charge.public_id:
        return Outcome(_State.PARKED, f"It speaks of {event.reference[:80]}, at the address of {charge.public_id}.")
    if event.type != _HANDLED:
        return Outcome(_State.PARKED, f"Nothing here handles {event.type[:60]} yet.")
    done = replace(ending or Outcome(_State.APPLIED), written=alone)

    def extend(batch: WriteBatch) -> None:
        batch.insert(_event_row(inbound, event))
        if alone:
            batch.update(InboundWebhook, inbound.pk, _closing(done))

    try:
        apply_result(charge_id=charge.pk, result=result, records=records, extend=extend)
    except IntegrityError:
        return _explain_conflict(inbound, event)
    if done.state == _State.PARKED:
        logger.error("webhook %s parked: %s", inbound.public_id, done.reason)
    return done


def _explain_conflict(inbound: InboundWebhook, event: ProviderEvent) -> Outcome:
    known = InboundEvent.objects.filter(
        provider_account_id=inbound.provider_account_id, event_id=storable(event.event_id, 255)
    ).first()
    if known is not None and known.inbound_id == inbound.pk:
        return Outcome(_State.APPLIED)  # by a worker that died before it closed the message, or by one just now
    if known is not None:
        return Outcome(_State.DUPLICATE, "The same event was applied before.")
    holder = Charge.objects.filter(
        provider_account_id=inbound.provider_account_id, provider_reference=event.provider_reference
    )
    if holder.exists():
        return Outcome(_State.PARKED, f"{event.provider_reference[:100]} belongs to another charge.")
    raise RuntimeError(f"webhook {inbound.public_id} could not be applied, and no known rule says why")


def _event_row(inbound: InboundWebhook, event: ProviderEvent) -> InboundEvent:
    return InboundEvent(
        inbound=inbound,
        provider_account=inbound.provider_account,
        event_id=storable(event.event_id, 255),
        type=storable(event.type, 64),
        created_at=clock.now(),
    )


def _find_charge(inbound: InboundWebhook, event: ProviderEvent) -> Charge | None:
    """The charge whose address was used, else the one the event names; only ever of this account."""
    if inbound.charge is not None:
        return inbound.charge
    charges = Charge.objects.select_related("provider_account", "payment_intent__store")
    mine = charges.filter(provider_account_id=inbound.provider_account_id)
    if event.reference:
        try:
            return mine.filter(pk=Charge.uuid_of(event.reference)).first()
        except ValueError:
            return None
    return mine.filter(provider_reference=event.provider_reference).first()


def _closing(outcome: Outcome) -> dict[str, object]:
    return {
        "state": outcome.state,
        "reason": storable(outcome.reason, 500),
        "next_attempt_at": None,
        "processed_at": clock.now(),
    }
