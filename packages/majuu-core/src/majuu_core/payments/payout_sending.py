"""Sending payouts, and finding out what became of them.

A payout is claimed for sending by the same update that makes its first question due, so whoever dies with it in hand
leaves a payout that is asked about, never one that is sent again. What certainly did nothing goes back into the queue
(it never left us, or the provider refused our credentials, which somebody can mend); what may have arrived is sent
again only where the provider treats the same key as a look-up.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from majuu_core.common import clock
from majuu_core.merchants.breaker import admit, record_answer, record_silence, seconds_closed_to_calls
from majuu_core.merchants.models import Merchant
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.addresses import payout_callback_url
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.locks import lock_payout
from majuu_core.payments.models import Payout
from majuu_core.payments.notices import Notice, Verdict
from majuu_core.payments.outgoing import OutgoingKind, first_question, write_answer
from majuu_core.payments.outgoing_follow_ups import apply_notice, follow_up_outgoing, run_due_questions, schedule_of
from majuu_core.payments.payout_bookings import book_payout
from majuu_core.payments.payout_records import tell_of_payout
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    InvalidCredentials,
    InvalidPaymentData,
    NotSent,
    OutcomeUnknown,
    PaymentProvider,
    PayoutRequest,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    SupportsPayout,
)

logger = logging.getLogger("majuu.payments")
# Seconds until what never left us is tried again; the last one repeats, until GIVE_UP_AFTER.
RETRY_SECONDS: tuple[int, ...] = (15, 30, 60, 120, 300, 900)
GIVE_UP_AFTER = timedelta(hours=24)
# Providers forget keys in the end: after this, the same key might send a second time.
RESEND_WITHIN = timedelta(hours=12)
# The provider's word for "I have this reference already": the first request got through.
DUPLICATE_REFERENCE = "duplicate_reference"
_UNKNOWN = Result(status=ResultStatus.UNKNOWN)
_PENDING = Result(status=ResultStatus.PENDING)


@dataclass(frozen=True, slots=True)
class Later:
    """The request certainly did nothing: send it again after this many seconds, if given, at the earliest.

    ``code`` is the failure's, should it come to nothing for a day.
    """

    reason: str
    seconds: int = 0
    code: str = "not_sent"


def send_due_payouts(limit: int = 20) -> int:
    """Send payouts whose time has come; returns how many were taken. Two workers never take the same one."""
    due = Payout.objects.filter(send_at__lte=clock.now()).order_by("send_at", "pk")
    return sum(_send_claimed(key, at) for key, at in list(due.values_list("pk", "send_at")[:limit]))


def send_payout(payout: Payout) -> Payout:
    """Call the provider about a payout that nobody else will send, and write down what it says.

    The caller has just inserted or claimed it: its status is pending, ``send_at`` is empty and its first question has
    a time.
    """
    refuse_open_transaction()
    conversation = Conversation(payout.provider_account, about=payout.public_id)
    answer = _obstacle(payout) or _open_and_call(conversation, payout)
    now = clock.now()
    if isinstance(answer, Later) and now - _began(payout) >= GIVE_UP_AFTER:
        answer = _failed(answer.code, f"It could not be sent for a day: {answer.reason}")
    if isinstance(answer, Later):
        logger.warning("%s was not sent: %s", payout.public_id, answer.reason)
        result, values = _PENDING, _queued_again(payout, answer, now)
    else:
        result, values = answer, {"follow_up_at": _question_after(payout, now), "follow_up_count": 0}
    return write_answer(PAYOUTS, payout, result, records=conversation.records(), values=values).row


def follow_up_payout(payout_id: uuid.UUID) -> bool:
    """Ask the provider about one payout now. True when it was asked."""
    return follow_up_outgoing(PAYOUTS, payout_id)


def run_due_payout_questions(limit: int = 50) -> int:
    """Ask about every payout whose time has come; returns how many were asked about."""
    return run_due_questions(PAYOUTS, limit)


def apply_payout_event(notice: Notice) -> Verdict:
    """What a provider's message says of a payout."""
    return apply_notice(PAYOUTS, notice)


def _send_claimed(payout_id: uuid.UUID, at: datetime | None) -> bool:
    """Claim one payout and send it. One that cannot be sent must not keep the others waiting."""
    payout = Payout.objects.select_related("store__merchant", "provider_account").get(pk=payout_id)
    now = clock.now()
    mine = Payout.objects.filter(pk=payout_id, send_at=at, status=Payout.Status.PENDING)
    claim = {"send_at": None, "follow_up_at": first_question(schedule_of(payout), now)}
    if not mine.update(**claim):
        rest = Payout.objects.filter(pk=payout_id, send_at=at).exclude(status=Payout.Status.PENDING)
        # A message spoke of it meanwhile and the provider did not confirm it: it is asked about and not sent.
        rest.filter(status=Payout.Status.UNKNOWN, is_parked=False, follow_up_at=None).update(**claim)
        rest.update(send_at=None)
        return False
    for name, value in claim.items():
        setattr(payout, name, value)
    try:
        send_payout(payout)
    except Exception:
        logger.exception("sending %s; it will be asked about", payout.public_id)
    return True


def _obstacle(payout: Payout) -> Later | None:
    """Why nothing may leave now, though it was agreed on before."""
    store = payout.store
    if store.merchant.status == Merchant.Status.SUSPENDED or not store.is_active:
        return Later("The merchant is suspended, or the store is switched off.", 300)
    if not payout.provider_account.is_active:
        return Later("The provider account is switched off.", 300)
    return None


def _open_and_call(conversation: Conversation, payout: Payout) -> Result | Later:
    try:
        provider = conversation.provider()
    except Exception:
        logger.exception("the provider of %s cannot be used", conversation.account)
        return Later("The provider package or its credentials cannot be used; the log says why.", 300)
    if not isinstance(provider, SupportsPayout):
        return Later("The provider package sends no payouts any more.", 300)
    if not admit(conversation.account):
        seconds = max(seconds_closed_to_calls(conversation.account), 1)
        return Later("The provider does not answer at the moment.", seconds, "provider_paused")
    request = request_for(payout)
    return _call(conversation, lambda: provider.payout(request), replay_safe=provider.info.replay_safe)


def _call(conversation: Conversation, call: Callable[[], Result], *, replay_safe: bool) -> Result | Later:
    """Make the call once, or once more where that is a look-up. Once it may have arrived, no refusal is a failure."""
    may_have_arrived, silence = False, ""
    for _ in range(2 if replay_safe else 1):
        try:
            answer = call()
        except OutcomeUnknown as problem:
            may_have_arrived, silence = True, str(problem)
        except Exception as problem:  # noqa: BLE001 - every kind gets a meaning, unknown ones the most careful
            if isinstance(problem, NotSent):
                record_silence(conversation.account, str(problem))
            meaning = _meaning_of(conversation, problem)
            return _UNKNOWN if may_have_arrived else meaning
        else:
            record_answer(conversation.account)
            return answer
    record_silence(conversation.account, silence)
    return _UNKNOWN


def _meaning_of(conversation: Conversation, problem: Exception) -> Result | Later:
    match problem:
        case NotSent():
            return Later(f"The provider could not be reached: {problem}")
        case RateLimited():
            return Later(f"The provider is too busy: {problem}", problem.retry_after or 60)
        case RequestRejected() if problem.code == DUPLICATE_REFERENCE:
            return _UNKNOWN
        case RequestRejected():
            logger.error("request rejected by %s: %s", conversation.account, problem)
            return _failed(problem.code or "request_rejected", str(problem))
        case InvalidPaymentData():
            return _failed("invalid_payout_data", str(problem))
        case InvalidCredentials():
            record_health(account=conversation.account, healthy=False, message=str(problem))
            return Later("The provider refused the account's credentials.", 300, "invalid_credentials")
    logger.error("the provider of %s failed", conversation.account, exc_info=problem)
    return _UNKNOWN


def _failed(provider_code: str, message: str) -> Result:
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code=provider_code, message=message)
    return Result(status=ResultStatus.FAILED, failure=failure)


def request_for(payout: Payout) -> PayoutRequest:
    """The same request every time: its key and reference are the payout's public id."""
    return PayoutRequest(
        idempotency_key=payout.public_id,
        reference=payout.public_id,
        amount=payout.amount,
        destination=payout.destination,
        reason=payout.description or payout.reference,
        webhook_url=payout_callback_url(payout.pk),
        purpose=payout.purpose,
    )


def _fetch(provider: PaymentProvider, request: FetchRequest) -> Result:
    """Ask; and send the same key again where nobody knows whether it ever arrived and that is a look-up."""
    if not isinstance(provider, SupportsPayout):
        return _UNKNOWN
    found = provider.fetch_payout(request)
    if found.status is not ResultStatus.UNKNOWN or request.provider_reference or not provider.info.replay_safe:
        return found
    payout = Payout.objects.select_related("store__merchant", "provider_account").get(
        pk=Payout.uuid_of(request.reference)
    )
    if _obstacle(payout) or clock.now() - _began(payout) >= RESEND_WITHIN:
        return found
    return provider.payout(request_for(payout))


def _queued_again(payout: Payout, later: Later, now: datetime) -> dict[str, Any]:
    """Back into the queue: nobody asks about what never left."""
    pause = RETRY_SECONDS[min(payout.follow_up_count, len(RETRY_SECONDS) - 1)]
    return {
        "send_at": now + timedelta(seconds=max(pause, later.seconds)),
        "follow_up_at": None,
        "follow_up_count": payout.follow_up_count + 1,
        "updated_at": now,
    }


def _question_after(payout: Payout, now: datetime) -> datetime:
    return now + timedelta(seconds=schedule_of(payout)[0])


def _began(payout: Payout) -> datetime:
    """Since when it may be sent."""
    return payout.approved_at or payout.created_at


PAYOUTS: OutgoingKind[Payout] = OutgoingKind(
    model=Payout,
    lock=lock_payout,
    book=book_payout,
    tell=tell_of_payout,
    fetch=_fetch,
    callback_url=payout_callback_url,
)
