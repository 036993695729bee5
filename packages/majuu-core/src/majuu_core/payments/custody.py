"""Holding other people's money: allowed by a setting only, because the law asks more of those who do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from majuu_core.common.problems import Denied
from majuu_core.configuration import custodial, trust_accounts
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.services import intake_store

_MEANING = (
    "MAJUU_CUSTODIAL is on: this site holds money for others. In Kenya that is the business of a payment service "
    "provider under the National Payment System Regulations, 2014: it needs the Central Bank's authorisation; "
    "customers' money stands in trust accounts, apart from your own, and is not lent; above KES 100 million it is "
    "spread over at least two strong-rated banks, at most 25 % at each."
)


def require_custodial(what: str) -> None:
    """Refuse what only a custodian may do. ``what`` begins the sentence, such as "Wallets".

    Raises Denied (``custodial_disabled``).
    """
    if not custodial():
        raise Denied(
            "custodial_disabled",
            f"{what}: this site does not hold money for others. Its operator can allow it with MAJUU_CUSTODIAL.",
        )


def may_hold_for(store: Store, account: ProviderAccount) -> bool:
    """Whether money at this account may be the store's: always at a store's own, at the platform's with custody only.

    The platform's own business needs no permission for its own money.
    """
    return account.store_id is not None or custodial() or store.merchant_id == intake_store().merchant_id


def require_may_hold_for(store: Store, account: ProviderAccount, what: str) -> None:
    """Raise Denied (``custodial_disabled``) unless ``may_hold_for``. ``what`` begins the sentence."""
    if not may_hold_for(store, account):
        require_custodial(what)


def check_custody(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """majuu.W030: what holding money for others means. majuu.E030: it is on, and no trust account is named."""
    try:
        if not custodial():
            return []
        accounts = trust_accounts()
    except ImproperlyConfigured:
        return []  # majuu.E010 tells of it
    hint = "Ask your lawyer. docs/explanation/custody.md says what Majuu does for it; majuu_safeguarding reports."
    found: list[CheckMessage] = [Warning(_MEANING, hint=hint, id="majuu.W030")]
    if not accounts:
        text = "MAJUU_CUSTODIAL is on and MAJUU_TRUST_ACCOUNTS is empty: nobody knows where customers' money is kept."
        example = 'MAJUU_TRUST_ACCOUNTS = {"kcb": {"name": "Majuu Trust", "bank": "KCB Bank"}}'
        found.append(Error(text, hint=f"Name every trust account and its bank: {example}", id="majuu.E030"))
    return found
