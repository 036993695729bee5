"""Finding out what became of money that leaves: questions by the provider's schedule, and what webhooks say.

Questions and messages end in ``apply_outgoing``. An answer may also come later, to the row's own callback address: the
question is PENDING then, and the schedule goes on until something final is heard.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import IntegrityError, models

from majuu_core.common import clock
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.by_hand import is_by_hand
from majuu_core.payments.calls import Conversation, Paused, ask_provider, refuse_open_transaction
from majuu_core.payments.models import Payout, ProviderCall, Refund
from majuu_core.payments.notices import APPLIED, Ending, Notice, Verdict, duplicate, parked, waiting
from majuu_core.payments.outgoing import OutgoingKind, Row, apply_outgoing, claim_due, next_question
from majuu_core.payments.transitions import OPEN_OUTGOING
from majuu_core.providers import (
    FetchRequest,
    InvalidCredentials,
    ProviderError,
    RateLimited,
    Result,
    ResultStatus,
    Trust,
)
from majuu_core.providers.installed import installed_providers
from majuu_core.providers.types import DEFAULT_FOLLOW_UP_SECONDS

logger = logging.getLogger("majuu.payments")
LEASE = timedelta(seconds=60)
TIMEOUT_TOPIC = "timeout"
FINAL = frozenset({ResultStatus.SUCCEEDED, ResultStatus.FAILED, ResultStatus.CANCELED})
# At least twelve characters without a space, and four digits among them.
_ID = re.compile(r"(?=(?:[^0-9]*[0-9]){4})[A-Za-z0-9_.-]{12,128}")
_CALLS_LOOKED_AT = 50
_NOTHING = Result(status=ResultStatus.UNKNOWN)


def run_due_questions(kind: OutgoingKind[Row], limit: int = 50) -> int:
    """Ask about every row whose time has come; returns how many were asked about."""
    return sum(_follow_up_safely(kind, key) for key in claim_due(kind.model, lease=LEASE, limit=limit))


def follow_up_outgoing(kind: OutgoingKind[Row], row_id: uuid.UUID) -> bool:
    """Ask the provider about one row now and apply what it says. True when it was asked. May be called at any time."""
    refuse_open_transaction()
    row = _read(kind, row_id)
    if row.status not in OPEN_OUTGOING:
        _rows(kind).filter(pk=row_id).exclude(status__in=OPEN_OUTGOING).update(follow_up_at=None)
        return False
    if is_by_hand(row.provider_account.provider):  # it stands on the list of what people pay
        _rows(kind).filter(pk=row_id).update(follow_up_at=None)
        return False
    conversation = Conversation(row.provider_account, about=row.public_id)
    result, wait = ask_about(kind, conversation, row)
    values = next_question(row, schedule_of(row), clock.now(), wait)
    apply_outgoing(kind, row_id, result, records=conversation.records(), values=values)
    return True


def ask_about(
    kind: OutgoingKind[Row], conversation: Conversation, row: Row, provider_reference: str | None = None
) -> tuple[Result, int]:
    """The provider's word on the row, UNKNOWN when there is none; and seconds to wait, if it asked for that."""
    request = FetchRequest(
        reference=row.public_id,
        provider_reference=row.provider_reference or provider_reference,
        amount=row.amount,
        webhook_url=kind.callback_url(row.pk),
    )
    try:
        return ask_provider(conversation, lambda provider: kind.fetch(provider, request)), 0
    except Paused as problem:
        return _NOTHING, problem.seconds
    except RateLimited as problem:
        return _NOTHING, problem.retry_after or 60
    except InvalidCredentials as problem:
        record_health(account=conversation.account, healthy=False, message=str(problem))
    except ProviderError as problem:
        logger.warning("asking about %s: %s", row.public_id, problem)
    except Exception:
        logger.exception("asking about %s", row.public_id)
    return _NOTHING, 0


def apply_notice(kind: OutgoingKind[Row], notice: Notice) -> Verdict:
    """Apply what a provider's message says of a refund or payout, as far as it proves itself.

    Signed: believed. Unsigned: the provider is asked first. Correlated: believed once the id it names is one that the
    provider gave us itself. A "timeout" decides nothing: it only makes the next question due.
    """
    row = _find(kind, notice)
    if row is None:
        return parked(f"Nothing of this account has the reference {notice.event.provider_reference[:100]}.")
    if notice.subject_id and notice.event.reference not in (None, "", notice.subject_id):
        return parked(f"It speaks of {str(notice.event.reference)[:80]}, at the address of {notice.subject_id}.")
    if notice.topic == TIMEOUT_TOPIC:
        return _ask_soon(kind, row)
    if notice.trust is Trust.SIGNED:
        return _believe(kind, row, notice, notice.event.result)
    if notice.trust is Trust.CORRELATED:
        return _believe_if_acknowledged(kind, row, notice)
    return _ask_first(kind, row, notice)


def schedule_of(row: Refund | Payout) -> tuple[int, ...]:
    """The provider's own; the usual one when its package is not installed any more."""
    providers, code = installed_providers(), row.provider_account.provider
    return providers.get(code).info.follow_up_seconds if code in providers else DEFAULT_FOLLOW_UP_SECONDS


def _believe(
    kind: OutgoingKind[Row], row: Row, notice: Notice, result: Result, records: Sequence[models.Model] = ()
) -> Verdict:
    try:
        applied = apply_outgoing(kind, row.pk, result, records=records)
    except IntegrityError:
        return parked(f"{notice.event.provider_reference[:100]} belongs to something else of this account.")
    if applied.parked:
        return parked(applied.row.parked_reason)
    return APPLIED


def _believe_if_acknowledged(kind: OutgoingKind[Row], row: Row, notice: Notice) -> Verdict:
    named = notice.event.provider_reference
    if not notice.subject_id:
        return parked("It came to no address of its own; nothing proves that it is genuine.")
    if named and (named == row.provider_reference or was_given(row.public_id, named)):
        # The id of a later question is not the id of the money.
        own = named == row.provider_reference
        told = notice.event.result if own else replace(notice.event.result, provider_reference=None)
        return _believe(kind, row, notice, told)
    if row.status == notice.event.result.status.value:
        return duplicate("It says what is known already.")
    if row.provider_reference and row.status not in OPEN_OUTGOING:
        return parked(f"It names {named[:100]}, which the provider never gave to this request.")
    return waiting(f"The provider has not acknowledged {named[:100]} yet.")


def _ask_first(kind: OutgoingKind[Row], row: Row, notice: Notice) -> Verdict:
    told = notice.event.result.status
    conversation = Conversation(row.provider_account, about=row.public_id)
    truth, _ = ask_about(kind, conversation, row, notice.event.provider_reference or None)
    records = conversation.records()
    if truth.status not in FINAL:
        apply_outgoing(kind, row.pk, _NOTHING, records=records)
        return waiting("The provider does not confirm it yet.")
    verdict = _believe(kind, row, notice, truth, records)
    if verdict.ending is not Ending.APPLIED or told is truth.status:
        return verdict
    reason = f"It says {told.value}; the provider, when asked, says {truth.status.value}."
    return parked(reason) if told is ResultStatus.SUCCEEDED else Verdict(Ending.APPLIED, reason)


def _ask_soon(kind: OutgoingKind[Row], row: Row) -> Verdict:
    due = _rows(kind).filter(pk=row.pk, status__in=OPEN_OUTGOING, is_parked=False, follow_up_at__gt=clock.now())
    due.update(follow_up_at=clock.now())
    return Verdict(Ending.APPLIED, "It took the provider long, which decides nothing: it is asked.")


def was_given(public_id: str, reference: str) -> bool:
    """Whether the provider gave us this id in an answer to a call about what has the public id.

    It has to be a whole value of the answer and look like an id: the words that every answer holds prove nothing, nor
    does our own id, which is no secret.
    """
    if not _ID.fullmatch(reference) or reference == public_id:
        return False
    calls = ProviderCall.objects.filter(about=public_id, response_body__contains=reference)
    bodies = calls.order_by("-started_at").values_list("response_body", flat=True)[:_CALLS_LOOKED_AT]
    return any(reference in _values(body) for body in bodies)


def _values(body: str) -> set[str]:
    """The texts that stand as values in an answer's JSON."""
    try:
        waiting, found = [json.loads(body)], set()
    except ValueError:
        return set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str):
            found.add(item)
    return found


def _find(kind: OutgoingKind[Row], notice: Notice) -> Row | None:
    """By the address it came to, else by our id, else by the provider's."""
    rows = _rows(kind).select_related("store", "provider_account").filter(provider_account=notice.account)
    for public_id in (notice.subject_id, notice.event.reference or ""):
        try:
            key = kind.model.uuid_of(public_id)
        except ValueError:
            continue
        return rows.filter(pk=key).first()
    return rows.filter(provider_reference=notice.event.provider_reference[:128]).first()


def _follow_up_safely(kind: OutgoingKind[Row], row_id: uuid.UUID) -> bool:
    """One row that cannot be followed up must not keep the others waiting. Its schedule goes on, and ends."""
    try:
        return follow_up_outgoing(kind, row_id)
    except Exception:
        logger.exception("following up %s", row_id)
    row = _read(kind, row_id)
    apply_outgoing(kind, row_id, _NOTHING, values=next_question(row, schedule_of(row), clock.now()))
    return True


def _read(kind: OutgoingKind[Row], row_id: uuid.UUID) -> Row:
    return _rows(kind).select_related("store", "provider_account").get(pk=row_id)


def _rows(kind: OutgoingKind[Row]) -> models.QuerySet[Row]:
    return kind.model._default_manager.all()  # type: ignore[return-value]
