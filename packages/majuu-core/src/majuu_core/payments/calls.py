"""Talking to a provider: one account, every exchange recorded, every way it can go wrong given a name.

No function here may run inside a database transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import connection

from majuu_core.common import ids
from majuu_core.common.storable import storable
from majuu_core.merchants.breaker import admit, record_answer, record_silence, seconds_closed_to_calls
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import provider_for, record_health
from majuu_core.payments.models import Charge, ProviderCall
from majuu_core.providers import (
    Failure,
    FailureCode,
    InvalidCredentials,
    InvalidPaymentData,
    NotKnown,
    NotSent,
    OutcomeUnknown,
    PaymentProvider,
    ProviderError,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_core.providers.http import Exchange

logger = logging.getLogger("majuu.payments")
_NOT_SENT_TRIES = 3
Answer = TypeVar("Answer")
# The provider did nothing, for certain.
_REFUSALS = (RateLimited, RequestRejected, InvalidCredentials, InvalidPaymentData)


class TransactionOpen(RuntimeError):
    """A provider was about to be called with a database transaction open. Locks must never wait for a network."""


@dataclass(slots=True)
class Conversation:
    """One or more calls to a provider on behalf of one account (and, usually, one charge).

    ``about`` is the public id of what else it is about: a refund, a payout, an incoming payment.
    """

    account: ProviderAccount
    charge: Charge | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    about: str = ""

    def provider(self) -> PaymentProvider:
        """The provider, reporting its exchanges here."""
        return provider_for(self.account, observe=self.exchanges.append)

    def records(self) -> list[ProviderCall]:
        """Rows for everything said so far, not yet written."""
        return [
            ProviderCall(
                id=ids.new_uuid(),
                provider_account=self.account,
                charge=self.charge,
                about=self.about,
                operation=exchange.operation[:32],
                method=exchange.method,
                url=storable(exchange.url),
                request_headers=dict(exchange.request_headers),
                request_body=storable(exchange.request_body),
                status=exchange.status,
                response_body=storable(exchange.response_body),
                error=storable(exchange.error),
                started_at=exchange.started_at,
                duration_ms=exchange.duration_ms,
            )
            for exchange in self.exchanges
        ]


def keep_calls(conversation: Conversation) -> None:
    """Write down what was said, when it is about nothing else that is written."""
    ProviderCall.objects.bulk_create(conversation.records())


def refuse_open_transaction() -> None:
    """Raise TransactionOpen when a transaction of ours is open (a test's own wrapper does not count)."""
    if connection.in_atomic_block and not all(
        getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
    ):
        raise TransactionOpen("a provider must not be called inside a database transaction")


def take_money(
    conversation: Conversation, call: Callable[[], Result], *, replay_safe: bool, repeated: bool = False
) -> Result:
    """Make a call that may move money, once, and turn every way it can fail into a result.

    What never left us is tried again at once; what may have arrived is sent again only when the provider treats the
    same key as a look-up; everything else is decided later by asking. Once a request may have arrived, no refusal of
    its repetition is a failure: only an answer says what became of the first. ``repeated`` says that one may have
    arrived in an earlier conversation.
    """
    refuse_open_transaction()
    if not admit(conversation.account):
        if repeated:
            return Result(status=ResultStatus.UNKNOWN)
        return _failed("provider_paused", "The provider does not answer at the moment, so nothing was sent to it.")
    may_have_arrived, refused, silence = repeated, _failed("not_sent", "The provider could not be reached."), ""
    for attempt in range(1, _NOT_SENT_TRIES + 1):
        try:
            result = call()
        except NotSent as problem:
            silence = str(problem)
            refused = _failed("not_sent", f"The provider could not be reached: {problem}")
        except OutcomeUnknown as problem:
            may_have_arrived, silence = True, str(problem)
            if not replay_safe or attempt > 1:
                break
        except _REFUSALS as problem:
            refused, silence = _refused(conversation, problem), ""
            record_answer(conversation.account)
            break
        except Exception:
            logger.exception("the provider of %s failed", conversation.account)
            may_have_arrived = True
            break
        else:
            record_answer(conversation.account)
            return result
    if silence:
        record_silence(conversation.account, silence)
    return Result(status=ResultStatus.UNKNOWN) if may_have_arrived else refused


class Paused(Exception):
    """The provider is not called at the moment. ``seconds`` until it is worth asking again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"not called for {seconds} seconds: it does not answer")
        self.seconds = seconds


def ask_provider(conversation: Conversation, question: Callable[[PaymentProvider], Answer]) -> Answer:
    """Ask for the truth about something. Raises Paused while the breaker is open, and what providers raise."""
    account = conversation.account
    if not admit(account):
        raise Paused(max(seconds_closed_to_calls(account), 1))
    try:
        answer = question(conversation.provider())
    except (NotSent, OutcomeUnknown) as problem:
        if isinstance(problem, NotKnown):
            record_answer(account)
        else:
            record_silence(account, str(problem))
        raise
    except ProviderError:
        record_answer(account)
        raise
    record_answer(account)
    return answer


def _refused(conversation: Conversation, problem: ProviderError) -> Result:
    if isinstance(problem, RateLimited):
        return _failed("rate_limited", f"The provider is too busy: {problem}. Nothing was taken; try again shortly.")
    if isinstance(problem, RequestRejected):
        logger.error("request rejected by %s: %s", conversation.account, problem)
        return _failed(problem.code or "request_rejected", str(problem))
    if isinstance(problem, InvalidPaymentData):
        return _failed("invalid_payment_data", str(problem))
    record_health(account=conversation.account, healthy=False, message=str(problem))
    return _failed("invalid_credentials", "The provider refused the account's credentials.")


def _failed(provider_code: str, message: str) -> Result:
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code=provider_code, message=message)
    return Result(status=ResultStatus.FAILED, failure=failure)
