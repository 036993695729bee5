"""Everything that can be found out about a provider account without a customer (``manage.py majuu_check_account``)."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from majuu_core.audit.services import record_entry
from majuu_core.common.redaction import redact_text
from majuu_core.merchants.errors import CredentialsUnreadable
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import open_credentials, record_health
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.providers import (
    ChecksItself,
    InvalidCredentials,
    NotSent,
    OutcomeUnknown,
    PaymentProvider,
    ProviderError,
    SelfCheck,
)
from majuu_core.providers.registry import UnknownProvider

logger = logging.getLogger("majuu.payments")
OK, WARNING, ERROR = "ok", "warning", "error"


def check_account(account: ProviderAccount) -> list[SelfCheck]:
    """Ask everything about one account, write down its health and what was said to the provider.

    Never raises for what is wrong with the account: that is an answer. Talks to the network.
    """
    refuse_open_transaction()
    conversation = Conversation(account, about=account.public_id)
    found = [_clean(check) for check in _checks(account, conversation)]
    for record in conversation.records():
        record.save(force_insert=True)
    counts = {state: sum(check.state == state for check in found) for state in (OK, WARNING, ERROR)}
    record_entry(
        action="provider_account.checked",
        object_id=account.public_id,
        merchant_id=account.store.merchant_id if account.store is not None else None,
        store_id=account.store_id,
        changes=counts,
    )
    return found


def has_errors(checks: list[SelfCheck]) -> bool:
    """Whether something keeps the account from working."""
    return any(check.state == ERROR for check in checks)


def _checks(account: ProviderAccount, conversation: Conversation) -> Iterator[SelfCheck]:
    if not account.is_active:
        yield SelfCheck(name="Account", state=WARNING, message="It is switched off: it takes no new payments.")
    try:
        open_credentials(account)
        provider = conversation.provider()
    except UnknownProvider:
        text = f"No installed package provides {account.provider!r}: install it and add it to INSTALLED_APPS."
        yield SelfCheck(name="Provider package", state=ERROR, message=text)
        return
    except CredentialsUnreadable as problem:
        yield SelfCheck(name="Stored credentials", state=ERROR, message=str(problem))
        return
    except Exception as problem:
        logger.exception("the provider of %s cannot be made", account.public_id)
        yield SelfCheck(name="Provider package", state=ERROR, message=f"It cannot be used: {problem}")
        return
    yield SelfCheck(name="Stored credentials", state=OK, message="They open with a key of MAJUU_ENCRYPTION_KEYS.")
    yield _ask_provider(account, provider)
    yield from _own_checks(account, provider)


def _ask_provider(account: ProviderAccount, provider: PaymentProvider) -> SelfCheck:
    name = "Credentials"
    try:
        provider.check_credentials()
    except InvalidCredentials as problem:
        record_health(account=account, healthy=False, message=str(problem))
        text = f"The provider refuses them: {problem}. Copy them anew from the provider's portal."
        return SelfCheck(name=name, state=ERROR, message=text)
    except (NotSent, OutcomeUnknown) as problem:
        text = f"The provider gave no answer: {problem}. Is it up, and may this machine connect to it?"
        return SelfCheck(name=name, state=ERROR, message=text)
    except ProviderError as problem:
        return SelfCheck(name=name, state=WARNING, message=f"The provider did not say: {problem}")
    except Exception:
        logger.exception("checking the credentials of %s failed", account.public_id)
        return SelfCheck(name=name, state=ERROR, message="The provider package failed to ask; the log says why.")
    record_health(account=account, healthy=True)
    return SelfCheck(name=name, state=OK, message="The provider takes them.")


def _own_checks(account: ProviderAccount, provider: PaymentProvider) -> Iterator[SelfCheck]:
    """What the provider's package itself can find out. One that fails has failed its users here first."""
    if not isinstance(provider, ChecksItself):
        return
    try:
        yield from provider.self_checks(callback_url=account_callback_url(account.pk))
    except Exception:
        logger.exception("the checks of %s failed", account.public_id)
        text = "The provider package failed while checking; the log says why."
        yield SelfCheck(name="Provider's own checks", state=ERROR, message=text)


def _clean(check: SelfCheck) -> SelfCheck:
    state = check.state if check.state in (OK, WARNING) else ERROR
    return SelfCheck(name=check.name, state=state, message=redact_text(check.message))
