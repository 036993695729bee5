"""What webhooks lost: providers that can list their incoming money are asked for the last 48 hours, again and again."""

from __future__ import annotations

import logging
from datetime import timedelta

from majuu_core.common import clock
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.payments.incoming import Arrival, take_incoming
from majuu_core.payments.notices import Ending
from majuu_core.providers import InvalidCredentials, ListsIncoming, ProviderError, RequestRejected, operations
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
WINDOW = timedelta(hours=48)


def pull_all() -> int:
    """Look at the lists of all active accounts; returns how many payments nobody had told of."""
    refuse_open_transaction()
    listing = [provider.code for provider in installed_providers() if "list_incoming" in operations(provider)]
    accounts = ProviderAccount.objects.select_related("store").filter(is_active=True, provider__in=listing)
    return sum(_pull_safely(account) for account in accounts.order_by("pk"))


def pull_incoming(account: ProviderAccount) -> int:
    """Feed one account's list into the intake; returns how many payments were new. Raises the provider's errors."""
    now, conversation, new = clock.now(), Conversation(account, about=account.public_id), 0
    try:
        provider = conversation.provider()
        if not isinstance(provider, ListsIncoming):
            return 0
        for money in provider.list_incoming(start=now - WINDOW, end=now):
            verdict = take_incoming(Arrival(account=account, money=money, source="pull", verified_by="pull"))
            new += verdict.ending is Ending.APPLIED
            if verdict.ending is Ending.PARKED:
                logger.error("%s lists %s: %s", account.public_id, money.receipt[:64], verdict.reason)
    finally:
        for record in conversation.records():
            record.save(force_insert=True)
    return new


def _pull_safely(account: ProviderAccount) -> int:
    try:
        return pull_incoming(account)
    except InvalidCredentials as problem:
        record_health(account=account, healthy=False, message=str(problem))
    except RequestRejected as problem:  # most often: not set up at the provider, which its self-checks tell too
        logger.info("%s cannot list its incoming money: %s", account.public_id, problem)
    except ProviderError as problem:
        logger.warning("listing the incoming money of %s: %s", account.public_id, problem)
    except Exception:
        logger.exception("listing the incoming money of %s", account.public_id)
    return 0
