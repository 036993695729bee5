"""Talking to a provider: one account, every exchange recorded, every way it can go wrong given a name.

No function here may run inside a database transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

from majuu_core.common import ids
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import provider_for, record_health
from majuu_core.payments.models import Charge, ProviderCall
from majuu_core.providers import (
    Failure,
    FailureCode,
    InvalidCredentials,
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


class TransactionOpen(RuntimeError):
    """A provider was about to be called with a database transaction open. Locks must never wait for a network."""


@dataclass(slots=True)
class Conversation:
    """One or more calls to a provider on behalf of one account (and, usually, one charge)."""

    account: ProviderAccount
    charge: Charge | None = None
    exchanges: list[Exchange] = field(default_factory=list)

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
                operation=exchange.operation[:32],
                method=exchange.method,
                url=exchange.url,
                request_headers=dict(exchange.request_headers),
                request_body=exchange.request_body,
                status=exchange.status,
                response_body=exchange.response_body,
                error=exchange.error,
                started_at=exchange.started_at,
                duration_ms=exchange.duration_ms,
            )
            for exchange in self.exchanges
        ]


def refuse_open_transaction() -> None:
    """Raise TransactionOpen when a transaction of ours is open (a test's own wrapper does not count)."""
    if connection.in_atomic_block and not all(
        getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
    ):
        raise TransactionOpen("a provider must not be called inside a database transaction")


def take_money(conversation: Conversation, call: Callable[[], Result], *, replay_safe: bool) -> Result:
    """Make a call that may move money, once, and turn every way it can fail into a result.

    What never left us is tried again at once; what may have arrived is sent again only when the provider treats the
    same key as a look-up; everything else is decided later by asking.
    """
    refuse_open_transaction()
    for attempt in range(1, _NOT_SENT_TRIES + 1):
        try:
            return call()
        except NotSent as problem:
            if attempt == _NOT_SENT_TRIES:
                return _failed("not_sent", f"The provider could not be reached: {problem}")
        except OutcomeUnknown:
            if not replay_safe or attempt > 1:
                return Result(status=ResultStatus.UNKNOWN)
        except RateLimited as problem:
            return _failed(
                "rate_limited", f"The provider is too busy: {problem}. Nothing was taken; try again shortly."
            )
        except RequestRejected as problem:
            logger.error("request rejected by %s: %s", conversation.account, problem)
            return _failed(problem.code or "request_rejected", str(problem))
        except InvalidCredentials as problem:
            record_health(account=conversation.account, healthy=False, message=str(problem))
            return _failed("invalid_credentials", "The provider refused the account's credentials.")
        except ProviderError:
            logger.exception("unexpected answer of %s", conversation.account)
            return Result(status=ResultStatus.UNKNOWN)
        except Exception:
            logger.exception("the provider of %s failed", conversation.account)
            return Result(status=ResultStatus.UNKNOWN)
    return Result(status=ResultStatus.UNKNOWN)


def _failed(provider_code: str, message: str) -> Result:
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code=provider_code, message=message)
    return Result(status=ResultStatus.FAILED, failure=failure)
