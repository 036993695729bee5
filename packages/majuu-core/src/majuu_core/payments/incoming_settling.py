"""Finding out whose incoming money is, step by step, as often as it takes.

Every step is safe to repeat and leaves the next time on the row: is it the money of a charge? could it be that of one
still going on? did it really arrive? whom does its account reference name? What nobody is named for is offered for
claiming. The worker comes back by the schedule of follow_ups.py, and the last one to look is a person.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from majuu_core import configuration
from majuu_core.common import clock
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.services import ledger_errors
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.addresses import incoming_callback_url
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.incoming_applying import apply_to_intent, reserve_for_store
from majuu_core.payments.incoming_books import book_arrival, reverse_arrival
from majuu_core.payments.incoming_links import ask_soon, find_charge, link_to_charge, open_charges_for
from majuu_core.payments.incoming_named import settle_named
from majuu_core.payments.incoming_references import named_intent, named_store
from majuu_core.payments.incoming_shown import add_incoming_event, incoming_entry
from majuu_core.payments.locks import lock_incoming
from majuu_core.payments.models import IncomingPayment
from majuu_core.providers import IncomingQuery, InvalidCredentials, Result, ResultStatus, VerifiesIncoming, operations
from majuu_core.providers.installed import installed_providers
from majuu_core.providers.types import DEFAULT_FOLLOW_UP_SECONDS as SCHEDULE

logger = logging.getLogger("majuu.payments")
LEASE = timedelta(seconds=60)
_CLOCKS_DIFFER = timedelta(minutes=10)
_Ownership, _Status = IncomingPayment.Ownership, IncomingPayment.Status


def run_due_incoming(limit: int = 50) -> int:
    """Go on with every incoming payment whose time has come; returns how many were taken."""
    due = IncomingPayment.objects.filter(follow_up_at__lte=clock.now()).order_by("follow_up_at")
    taken = [pk for pk, at in list(due.values_list("pk", "follow_up_at")[:limit]) if _take(pk, at)]
    for key in taken:
        try:
            settle_incoming(key)
        except Exception:
            logger.exception("settling incoming payment %s", key)
            _come_back(IncomingPayment.objects.get(pk=key))
    return len(taken)


def settle_incoming(incoming_id: uuid.UUID) -> None:
    """Do for one incoming payment what can be done now. Talks to the provider, so never inside a transaction."""
    refuse_open_transaction()
    incoming = IncomingPayment.objects.select_related("provider_account__store", "store").get(pk=incoming_id)
    if incoming.status != _Status.SUCCEEDED or incoming.ownership != _Ownership.UNCLAIMED:
        _come_back(incoming, never=True)
        return
    if link_if_certain(incoming) or settle_named(incoming):
        return
    held = open_charges_for(incoming)
    ask_soon(held)
    if is_doubtful(incoming):
        incoming = _verify(incoming)
        if incoming.status != _Status.SUCCEEDED:
            return
    if held or is_doubtful(incoming):
        _come_back(incoming)
        return
    if not link_if_certain(incoming):
        _match(incoming)


def link_if_certain(incoming: IncomingPayment) -> bool:
    """Give the money to the charge that it is, if there is one. True when it was given.

    A charge that does not know its receipt learns it from the notice: that one has to be true.
    """
    charge = find_charge(incoming)
    if charge is None or (not charge.receipt and is_doubtful(incoming)):
        return False
    return link_to_charge(incoming.pk, charge.pk)


def is_doubtful(incoming: IncomingPayment) -> bool:
    """Whether the provider could say if this money arrived, and has not yet. Nobody gets such money."""
    if incoming.verified_at is not None or configuration.verify_incoming() == "off":
        return False
    registry = installed_providers()
    return incoming.provider in registry and "verify_incoming" in operations(registry.get(incoming.provider))


def answer_to_question(incoming_id: uuid.UUID, result: Result) -> None:
    """Apply what the provider said about the money, and go on with it."""
    _apply_answer(incoming_id, result)
    settle_incoming(incoming_id)


def confirm_by_hand(*, incoming: IncomingPayment, reason: str) -> IncomingPayment:
    """A person has seen the money on the provider's statement. ``reason`` is audited."""
    with transaction.atomic():
        row = lock_incoming(incoming.pk)
        if row.verified_at is None and row.status == _Status.SUCCEEDED:
            _write_verified(row, "person", {"reason": reason})
    settle_incoming(row.pk)
    row.refresh_from_db()
    return row


def _match(incoming: IncomingPayment) -> None:
    store = named_store(incoming)
    intent_id = named_intent(incoming, store)
    if intent_id is not None and apply_to_intent(incoming.pk, intent_id):
        return
    if store is not None:
        reserve_for_store(incoming.pk, store)
    _come_back(incoming, never=True)


def _verify(incoming: IncomingPayment) -> IncomingPayment:
    """Ask the provider whether the money arrived, once for each turn, and write its answer."""
    conversation = Conversation(incoming.provider_account, about=incoming.public_id)
    query = IncomingQuery(
        receipt=incoming.receipt, reference=incoming.public_id, webhook_url=incoming_callback_url(incoming.pk)
    )
    result = Result(status=ResultStatus.UNKNOWN)
    try:
        provider = conversation.provider()
        if isinstance(provider, VerifiesIncoming):
            result = provider.verify_incoming(query)
    except InvalidCredentials as problem:
        record_health(account=incoming.provider_account, healthy=False, message=str(problem))
    except Exception:
        logger.exception("asking about incoming payment %s", incoming.public_id)
    batch = WriteBatch()
    batch.insert(*conversation.records())
    if result.provider_reference and result.status is ResultStatus.PENDING:
        values = {"check_reference": storable(result.provider_reference, 128)}
        batch.update(IncomingPayment, incoming.pk, values)
    batch.execute()
    return _apply_answer(incoming.pk, result)


def _apply_answer(incoming_id: uuid.UUID, result: Result) -> IncomingPayment:
    with transaction.atomic():
        incoming = lock_incoming(incoming_id)
        if incoming.verified_at is not None or incoming.status != _Status.SUCCEEDED:
            return incoming
        if incoming.ownership != _Ownership.UNCLAIMED:  # given away while the setting was off: a person's matter now
            if result.status is ResultStatus.FAILED:
                logger.error("%s is %s, and refuted by its provider", incoming.public_id, incoming.ownership)
            return incoming
        if result.status is ResultStatus.FAILED:
            _refute(incoming, result)
        elif result.status is ResultStatus.SUCCEEDED and result.receipt in (None, "", incoming.receipt):
            if result.amount is not None and result.amount != incoming.amount:
                _correct(incoming, result)
            else:
                _write_verified(incoming, "question", {}, _true_time(incoming, result))
        return incoming


def _true_time(incoming: IncomingPayment, result: Result) -> dict[str, Any]:
    """An old receipt that is told anew does not become young by it. Two clocks may differ by minutes."""
    at = result.occurred_at
    return {} if at is None or abs(at - incoming.occurred_at) <= _CLOCKS_DIFFER else {"occurred_at": at}


def _write_verified(
    incoming: IncomingPayment, how: str, changes: dict[str, Any], values: Mapping[str, Any] | None = None
) -> None:
    batch = WriteBatch()
    _add_change(
        batch,
        incoming,
        {"verified_by": how, "verified_at": clock.now(), **(values or {})},
        "incoming_payment.verified",
        {"verified_by": ["", how], **changes},
    )
    batch.execute()


def _refute(incoming: IncomingPayment, result: Result) -> None:
    """No such money arrived: somebody made the message up. What was booked is taken back."""
    why = storable(result.failure.message, 200) if result.failure else ""
    logger.error("incoming payment %s is refuted by its provider: %s", incoming.public_id, why)
    reverse_arrival(incoming, why="The provider knows of no such money.")
    batch = WriteBatch()
    values = {"status": _Status.REFUTED, "follow_up_at": None}
    _add_change(batch, incoming, values, "incoming_payment.refuted", {"status": ["succeeded", "refuted"], "why": why})
    batch.execute()


def _correct(incoming: IncomingPayment, result: Result) -> None:
    """The money arrived, but not in the amount the message named: the books follow the provider."""
    assert result.amount is not None  # noqa: S101 - only called with one
    told, true = incoming.amount, result.amount
    logger.error("incoming payment %s named %s; the provider says %s", incoming.public_id, told, true)
    reverse_arrival(incoming, why=f"The provider says {true}.")
    values: dict[str, Any] = {
        "amount": true.amount,
        "currency": true.currency.code,
        "verified_by": "question",
        "verified_at": clock.now(),
        **_true_time(incoming, result),
    }
    batch = WriteBatch()
    incoming.amount = true
    book_arrival(batch, incoming, again="corrected")
    _add_change(batch, incoming, values, "incoming_payment.corrected", {"amount": [str(told), str(true)]})
    incoming.amount = true
    with ledger_errors():
        batch.execute()


def _add_change(
    batch: WriteBatch, incoming: IncomingPayment, values: dict[str, Any], action: str, changes: dict[str, Any]
) -> None:
    for name, value in values.items():
        if name not in ("amount", "currency"):
            setattr(incoming, name, value)
    batch.update(IncomingPayment, incoming.pk, values | {"updated_at": clock.now()})
    add_incoming_event(batch, incoming, action)
    batch.insert(incoming_entry(incoming, action, changes))


def _come_back(incoming: IncomingPayment, *, never: bool = False) -> None:
    """Write down when to look again: by the schedule, counted from the arrival; never when all is done."""
    now = clock.now()
    ages = [timedelta(seconds=seconds) for seconds in SCHEDULE]
    due = None if never else next((incoming.created_at + age for age in ages if incoming.created_at + age > now), None)
    passed = sum(incoming.created_at + age <= now for age in ages)
    IncomingPayment.objects.filter(pk=incoming.pk).update(follow_up_at=due, follow_up_count=passed)
    if due is None and not never and is_doubtful(incoming):
        _hand_to_a_person(incoming)


def _hand_to_a_person(incoming: IncomingPayment) -> None:
    logger.error("nobody could say whether incoming payment %s arrived", incoming.public_id)
    batch = WriteBatch()
    add_incoming_event(batch, incoming, "incoming_payment.unverified")
    batch.insert(incoming_entry(incoming, "incoming_payment.unverified", {"asked": len(SCHEDULE)}))
    batch.execute()


def _take(key: uuid.UUID, at: datetime | None) -> bool:
    mine = IncomingPayment.objects.filter(pk=key, follow_up_at=at)
    return mine.update(follow_up_at=clock.now() + LEASE) == 1
