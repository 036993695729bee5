"""Telling a provider where to ask us about incoming money, and where to tell us of it."""

from __future__ import annotations

from majuu_core.audit.services import record_entry
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import record_health
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.calls import Conversation, refuse_open_transaction
from majuu_core.providers import IncomingAddresses, InvalidCredentials, ProviderError, SupportsIncoming


def incoming_addresses(account: ProviderAccount, *, accept_when_unreachable: bool = True) -> IncomingAddresses:
    """The account's own secret addresses, each for one purpose."""
    address = account_callback_url(account.pk)
    return IncomingAddresses(
        check_url=f"{address}/check", notice_url=f"{address}/notice", accept_when_unreachable=accept_when_unreachable
    )


def register_incoming(*, account: ProviderAccount, accept_when_unreachable: bool = True) -> IncomingAddresses:
    """Register the addresses at the provider.

    Raises Invalid for one that takes no such money, Conflict when it refuses. The text of
    a refusal says what to do. Talks to the provider, so never inside a transaction.
    """
    refuse_open_transaction()
    conversation = Conversation(account, about=account.public_id)
    addresses = incoming_addresses(account, accept_when_unreachable=accept_when_unreachable)
    try:
        provider = conversation.provider()
        if not isinstance(provider, SupportsIncoming):
            raise Invalid("incoming_unsupported", f"{account.provider} takes no money without a payment intent.")
        provider.register_incoming(addresses)
    except InvalidCredentials as problem:
        record_health(account=account, healthy=False, message=str(problem))
        raise Conflict("credentials_refused", f"The provider refused the credentials: {problem}") from problem
    except ProviderError as problem:
        raise Conflict("registration_refused", f"The provider did not register the addresses: {problem}") from problem
    finally:
        for record in conversation.records():
            record.save(force_insert=True)
    record_entry(
        action="provider_account.incoming_registered",
        object_id=account.public_id,
        merchant_id=account.store.merchant_id if account.store else None,
        store_id=account.store_id,
        changes={"accept_when_unreachable": accept_when_unreachable},
    )
    return addresses
