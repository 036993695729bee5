"""Money that moves to and from the trust accounts, as their bank statements show it."""

from __future__ import annotations

from django.db import transaction
from moneyed import Money

from majuu_core.audit.services import record_entry
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.configuration import TrustAccount, trust_accounts
from majuu_core.ledger.chart import PLATFORM, AccountKind, AccountRef
from majuu_core.ledger.exceptions import DuplicateTransaction
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.services import Move, record_transaction
from majuu_core.merchants.models import ProviderAccount

__all__ = ["record_trust_movement", "trust_account", "trust_ref"]


def trust_account(code: str) -> TrustAccount:
    """The trust account with this code. Raises Invalid."""
    for account in trust_accounts():
        if account.code == code:
            return account
    known = ", ".join(account.code for account in trust_accounts()) or "none"
    text = f"MAJUU_TRUST_ACCOUNTS names no {code[:32]!r}. Known: {known}."
    raise Invalid("trust_account_unknown", text, field="trust")


def trust_ref(code: str, currency: str, *, livemode: bool) -> AccountRef:
    """The ledger account of a trust account in one currency."""
    return AccountRef(AccountKind.TRUST_BANK, f"{PLATFORM}/{code}", currency, livemode)


def record_trust_movement(
    *,
    trust: str,
    incoming: bool,
    amount: Money,
    reference: str,
    provider_account: ProviderAccount | None = None,
    livemode: bool = True,
    description: str = "",
) -> LedgerTransaction:
    """Book money that reached a trust account (``incoming``) or left it, once for each bank reference.

    It came from, or went to, the ``provider_account`` that had collected it; without one it was there before these
    books began (opening balance). Raises Invalid, and Conflict ``trust_movement_recorded``.
    """
    trust_account(trust)
    if amount.amount <= 0:
        raise Invalid("amount_not_positive", "The amount must be greater than zero.", field="amount")
    if not 1 <= len(reference) <= 64 or not reference.isprintable() or reference != reference.strip():
        text = "Give the bank's reference: 1 to 64 printable characters, no space at the ends."
        raise Invalid("reference_invalid", text, field="reference")
    if provider_account is not None and provider_account.livemode != livemode:
        raise Invalid("mode_mismatch", "The provider account is of the other mode.", field="provider_account")
    bank = trust_ref(trust, amount.currency.code, livemode=livemode)
    other = _other_side(provider_account, amount, livemode)
    key = f"trust:{trust}:{'live' if livemode else 'test'}:{'in' if incoming else 'out'}:{reference}"
    shown = {"trust": trust, "amount": f"{format_amount(amount)} {amount.currency.code}", "incoming": incoming}
    with transaction.atomic():
        try:
            transfers = record_transaction(
                key=key,
                kind="trust_movement",
                reference=reference,
                livemode=livemode,
                moves=[Move(debit=bank, credit=other, amount=amount) if incoming else Move(other, bank, amount)],
                description=description,
            )
        except DuplicateTransaction:
            text = f"The bank's reference {reference} is in the books already."
            raise Conflict("trust_movement_recorded", text, field="reference") from None
        made = LedgerTransaction.objects.get(pk=transfers[0].transaction_id)
        record_entry(action="trust_movement.recorded", object_id=made.public_id, changes=shown)
    return made


def _other_side(provider_account: ProviderAccount | None, amount: Money, livemode: bool) -> AccountRef:
    currency = amount.currency.code
    if provider_account is None:
        return AccountRef(AccountKind.OPENING_BALANCE, PLATFORM, currency, livemode)
    return AccountRef(AccountKind.PROVIDER_CLEARING, provider_account.public_id, currency, livemode)
