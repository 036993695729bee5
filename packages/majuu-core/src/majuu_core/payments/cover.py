"""Whether a store's money is there before it leaves from an account of the platform: nobody is paid with another's.

What we owe a store is one account in the books, whichever provider account the money came to. Money that came to an
account of the merchant's own is in the merchant's hands already and covers nothing that leaves from the platform's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import F
from moneyed import Money

from majuu_core.common.problems import Conflict
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.exceptions import InsufficientFunds
from majuu_core.ledger.models import LedgerTransfer
from majuu_core.ledger.selectors import ExactSum, balances
from majuu_core.ledger.services import lock_for_spending
from majuu_core.merchants.models import Merchant, ProviderAccount, Store
from majuu_core.payments.exchange import dispute_settles
from majuu_core.payments.models import Charge, Dispute, IncomingPayment, Refund

_K = AccountKind
_OWED = (_K.STORE_PAYABLE, _K.STORE_SURPLUS, _K.STORE_UNAPPLIED)
_POSTED = (LedgerTransfer.Phase.POSTED, LedgerTransfer.Phase.POST_PENDING)


@dataclass(frozen=True, slots=True)
class Spending:
    """Money of a store that is to leave. ``source`` is who pays in the books, ``account`` where it leaves from.

    ``leaves`` is False when it only goes to another account of the books, such as a customer's wallet.
    """

    store: Store
    account: ProviderAccount
    source: AccountRef
    amount: Money
    leaves: bool = True


def require_cover(spendings: Sequence[Spending], what: str) -> None:
    """Whoever pays from the platform's own account, or from a wallet, must have the money. ``what`` is for the text.

    Looked at under locks that last until the transaction ends, so that nobody spends it twice at the same moment.
    Raises Conflict ``insufficient_funds``.
    """
    checked = [one for one in spendings if one.account.store_id is None or one.source.kind.guarded]
    owed = [one for one in checked if one.leaves and one.source.kind is _K.STORE_PAYABLE]
    merchants = sorted({one.store.merchant_id for one in owed if _has_accounts(one)})
    weaker = connection.features.has_select_for_no_key_update  # what only names the merchant goes on meanwhile
    rows = Merchant.objects.select_for_update(no_key=weaker)
    for merchant in rows.filter(pk__in=merchants).order_by("pk"):
        mine = [one for one in owed if one.store.merchant_id == merchant.pk]
        for account, amount in _sums(mine).items():
            if _held_by_platform(merchant, account) < amount.amount:
                raise _refused(what)
    sums = _sums(checked)
    for account in sorted(sums, key=lambda account: account.id):
        try:
            lock_for_spending(account, sums[account], guarded_here=True)
        except InsufficientFunds:
            raise _refused(what) from None


def _refused(what: str) -> Conflict:
    return Conflict(
        "insufficient_funds",
        f"The balance does not cover this {what}, with what is on its way already.",
        field="amount",
    )


def _sums(spendings: Sequence[Spending]) -> Mapping[AccountRef, Money]:
    sums: dict[AccountRef, Money] = {}
    for one in spendings:
        sums[one.source] = sums[one.source] + one.amount if one.source in sums else one.amount
    return sums


def _has_accounts(spending: Spending) -> bool:
    return ProviderAccount.objects.filter(store__merchant_id=spending.store.merchant_id).exists()


def _exchanged_at(accounts: Sequence[ProviderAccount], like: AccountRef) -> Decimal:
    """What these accounts took in other currencies for intents in this one: the merchant has that already, too."""
    charges = Charge.objects.filter(
        provider_account__in=accounts,
        payment_intent__currency=like.currency,
        settles_amount__isnull=False,
        status=Charge.Status.SUCCEEDED,
    )
    refunds = Refund.objects.filter(charge__in=charges, status=Refund.Status.SUCCEEDED)
    came: Decimal = charges.aggregate(total=ExactSum("settles_amount"))["total"]
    went: Decimal = refunds.aggregate(total=ExactSum("settles_amount"))["total"]
    taken = Dispute.objects.filter(charge__in=charges, withdrawn__gt=0, currency=F("charge__currency")).select_related(
        "charge__payment_intent"
    )
    return came - went - sum((dispute_settles(one.charge, one.withdrawn) for one in taken), start=Decimal(0))


def _held_by_platform(merchant: Merchant, like: AccountRef) -> Decimal:
    """What the platform holds for a merchant, in the currency and mode of an account of the books.

    That is all that its stores are owed, less what came to accounts of its own, where it has it already.
    """
    stores = [store.public_id for store in Store.objects.filter(merchant=merchant)]
    accounts = list(ProviderAccount.objects.filter(store__merchant=merchant, livemode=like.livemode).only("pk"))
    owed = [AccountRef(kind, owner, like.currency, like.livemode) for kind in _OWED for owner in stores]
    own = [AccountRef(_K.PROVIDER_CLEARING, one.public_id, like.currency, like.livemode) for one in accounts]
    found = balances([*owed, *own])
    total = sum((found[account].available.amount for account in owed), start=Decimal(0))
    total -= sum((found[account].available.amount for account in own), start=Decimal(0))
    fees = LedgerTransfer.objects.filter(
        credit_account__in=[account.id for account in own], debit_account__kind=_K.PROVIDER_FEES, phase__in=_POSTED
    )
    unclaimed = IncomingPayment.objects.filter(
        provider_account__in=accounts,
        currency=like.currency,
        ownership=IncomingPayment.Ownership.UNCLAIMED,
        status=IncomingPayment.Status.SUCCEEDED,
    )
    total -= fees.aggregate(total=ExactSum("amount"))["total"]
    total -= _exchanged_at(accounts, like)
    return Decimal(total + unclaimed.aggregate(total=ExactSum("amount"))["total"])
