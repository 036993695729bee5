"""Sending money from a wallet to its customer: a payout whose money the wallet gives.

The payout holds its amount on the wallet's account from the start, so it cannot be spent twice; a payout that fails
gives it back. Customers get their money back also while wallets are switched off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import models
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.payments.models import Payout
from majuu_core.payments.payouts import PayoutDetails, create_payout
from majuu_core.wallets.locks import lock_wallet
from majuu_core.wallets.models import Wallet, WalletWithdrawal
from majuu_core.wallets.records import records_of, represent_withdrawal
from majuu_core.wallets.services import require_spendable

__all__ = ["WithdrawalDetails", "withdraw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalDetails:
    """What is to be paid out. ``reference`` is used once for ever; without a destination it goes to the customer."""

    amount: Money
    reference: str
    destination: Mapping[str, str] = field(default_factory=dict)
    purpose: str = ""
    description: str = ""
    provider: str = ""


def withdraw(*, wallet: Wallet, details: WithdrawalDetails, request_key: str = "") -> WalletWithdrawal:
    """Send money to the customer; returns the withdrawal with its payout as the provider has answered.

    The same reference with the same content is the same withdrawal. Raises what create_payout raises, and Conflict
    ``wallet_frozen`` and ``wallet_closed``. Must not be called inside a transaction: it talks to the provider.
    """
    if details.amount.currency.code != wallet.currency:
        raise Invalid("currency_mismatch", f"The wallet is in {wallet.currency}.", field="amount")

    def alongside(payout: Payout) -> Sequence[models.Model]:
        locked = lock_wallet(wallet.pk)
        require_spendable(locked)
        return _rows(locked, payout)

    payout = create_payout(
        store=wallet.store,
        livemode=wallet.livemode,
        details=_payout(wallet, details),
        source=wallet.account,
        request_key=request_key,
        alongside=alongside,
    )
    found = WalletWithdrawal.objects.select_related("wallet").filter(payout=payout).first()
    if found is None:  # the wallet's account paid it, but not through here
        raise Conflict("payout_reference_used", "This reference belongs to another payout.", field="reference")
    found.payout = payout
    return found


def _rows(wallet: Wallet, payout: Payout) -> list[models.Model]:
    withdrawal = WalletWithdrawal(wallet=wallet, livemode=wallet.livemode, payout=payout, created_at=clock.now())
    changes = {"amount": format_amount(payout.amount), "payout": payout.public_id, "wallet": wallet.public_id}
    shown = {"wallet_withdrawal": represent_withdrawal(withdrawal)}
    told = records_of(wallet, "wallet.withdrawal_created", about=withdrawal, data=shown, changes=changes)
    return [withdrawal, *told]


def _payout(wallet: Wallet, details: WithdrawalDetails) -> PayoutDetails:
    destination = dict(details.destination)
    if not destination and wallet.customer_phone:
        destination = {"phone": wallet.customer_phone}
    return PayoutDetails(
        amount=details.amount,
        reference=details.reference,
        destination=destination,
        purpose=details.purpose,
        description=details.description or "Withdrawal",
        metadata={"wallet": wallet.public_id},
        provider=details.provider,
    )
