"""Asking a provider about a charge. Whatever goes wrong with a question says nothing about the money."""

from __future__ import annotations

import logging

from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.calls import Conversation, Paused, ask_provider
from majuu_core.payments.models import Charge
from majuu_core.providers import FetchRequest, InvalidCredentials, ProviderError, RateLimited, Result, ResultStatus

logger = logging.getLogger("majuu.payments")


def ask(conversation: Conversation, charge: Charge, provider_reference: str | None = None) -> tuple[Result, int | None]:
    """The provider's word on the charge, UNKNOWN when there is none; and seconds to wait, if it asked for that."""
    request = FetchRequest(
        reference=charge.public_id,
        provider_reference=charge.provider_reference or provider_reference,
        amount=charge.amount,
    )
    try:
        return ask_provider(conversation, lambda provider: provider.fetch_payment(request)), None
    except Paused as problem:
        return Result(status=ResultStatus.UNKNOWN), problem.seconds
    except RateLimited as problem:
        return Result(status=ResultStatus.UNKNOWN), problem.retry_after or 60
    except InvalidCredentials as problem:
        record_health(account=conversation.account, healthy=False, message=str(problem))
        return Result(status=ResultStatus.UNKNOWN), None
    except ProviderError as problem:
        logger.warning("asking about %s: %s", charge.public_id, problem)
        return Result(status=ResultStatus.UNKNOWN), None
    except Exception:
        logger.exception("asking about %s", charge.public_id)
        return Result(status=ResultStatus.UNKNOWN), None
