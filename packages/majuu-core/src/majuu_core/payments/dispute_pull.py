"""What webhooks lost: providers that can list their disputes are asked for the new ones, every hour.

The last look is remembered for each account. Some days before it are looked at again: lists lag behind, and a dispute
of a payment that nobody here knows stands as an alert as long.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from majuu_core.common import clock
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.alerts import Trouble, keep_alerts
from majuu_core.payments.calls import Conversation, keep_calls, refuse_open_transaction
from majuu_core.payments.dispute_applying import UnfitDispute, apply_dispute
from majuu_core.payments.models import Alert, DisputeWatch
from majuu_core.providers import InvalidCredentials, ProviderError, RequestRejected, SupportsDisputes, operations
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
OVERLAP = timedelta(days=7)
FARTHEST = timedelta(days=120)
_NAMED = 5


def pull_all_disputes() -> int:
    """Look at the lists of all active accounts; returns how many disputes were new here."""
    refuse_open_transaction()
    listing = [provider.code for provider in installed_providers() if "list_disputes" in operations(provider)]
    accounts = ProviderAccount.objects.select_related("store").filter(is_active=True, provider__in=listing)
    return sum(_pull_safely(account) for account in accounts.order_by("pk"))


def pull_disputes(account: ProviderAccount) -> int:
    """Apply one account's list; returns how many disputes were new here. Raises the provider's errors.

    The watermark moves only when the whole list was read.
    """
    now, conversation, new = clock.now(), Conversation(account, about=account.public_id), 0
    watch = DisputeWatch.objects.filter(pk=account.pk).first()
    since = now - FARTHEST if watch is None else watch.seen_until - OVERLAP
    unfit: list[str] = []
    try:
        provider = conversation.provider()
        if not isinstance(provider, SupportsDisputes):
            return 0
        for state in provider.list_disputes(since=max(since, account.created_at)):
            try:
                new += apply_dispute(account=account, state=state, at=now).before == ""
            except UnfitDispute as problem:
                unfit.append(f"{state.provider_reference[:60]}: {problem}")
    finally:
        keep_calls(conversation)
    DisputeWatch.objects.update_or_create(pk=account.pk, defaults={"seen_until": now})
    _keep_alert(account, unfit)
    return new


def _keep_alert(account: ProviderAccount, unfit: list[str]) -> None:
    troubles = [
        Trouble(
            subject=account.public_id,
            title=f"{account.name} lists disputes that fit no payment here",
            detail=f"{' '.join(unfit[:_NAMED])} Look at them in the provider's own dashboard: their deadlines run.",
            livemode=account.livemode,
            account=account,
        )
    ]
    mine = Alert.objects.filter(provider_account=account)
    keep_alerts(kind=Alert.Kind.DISPUTE_UNKNOWN, troubles=troubles if unfit else (), within=mine)


def _pull_safely(account: ProviderAccount) -> int:
    try:
        return pull_disputes(account)
    except InvalidCredentials as problem:
        record_health(account=account, healthy=False, message=str(problem))
    except RequestRejected as problem:
        logger.info("%s cannot list its disputes: %s", account.public_id, problem)
    except ProviderError as problem:
        logger.warning("listing the disputes of %s: %s", account.public_id, problem)
    except Exception:
        logger.exception("listing the disputes of %s", account.public_id)
    return 0
