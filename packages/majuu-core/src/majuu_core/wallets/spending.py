"""Paying an intent from a wallet, and what stands on it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from moneyed import Money

from majuu_core.common.money import format_amount
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.exceptions import InsufficientFunds
from majuu_core.ledger.services import lock_for_spending
from majuu_core.payments.by_hand import add_giving_way, lock_intent_and_waiting
from majuu_core.payments.charges import amount_to_charge, check_payable
from majuu_core.payments.custody import require_custodial
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.own_money import WALLET, add_own_payment, build_own_charge
from majuu_core.wallets.locks import lock_intent_and_wallet
from majuu_core.wallets.models import Wallet, WalletDeposit, WalletPayment
from majuu_core.wallets.records import records_of, represent_payment
from majuu_core.wallets.services import require_spendable


def pay_intent_from_wallet(*, wallet: Wallet, intent: PaymentIntent, amount: Money | None = None) -> WalletPayment:
    """Pay an intent of the same store, or ``amount`` of it, in one transaction: nothing is ever half done.

    The intent's list of payment methods says what its page offers; it does not bind the shop itself. Raises Denied
    ``custodial_disabled``, Invalid, and Conflict: ``insufficient_funds``, ``wallet_frozen``, ``wallet_closed``, and
    what keeps an intent from being paid by any method.
    """
    require_custodial("Wallets")
    _check_same_store(wallet, intent)
    with transaction.atomic():
        _, waiting = lock_intent_and_waiting(intent.pk)
        locked_intent, locked = lock_intent_and_wallet(intent.pk, wallet.pk)
        require_spendable(locked)
        if WalletDeposit.objects.filter(payment_intent_id=intent.pk).exists():
            raise Conflict("deposit_from_wallet", "A deposit cannot be paid from a wallet.")
        spent = amount_to_charge(locked_intent, amount)
        check_payable(locked_intent, spent, ended=waiting)
        require_funds(locked, spent)
        return _pay(locked, locked_intent, spent, waiting)


def require_funds(wallet: Wallet, amount: Money) -> None:
    """Keep others from spending what the wallet has, until this transaction ends. Raises Conflict."""
    try:
        lock_for_spending(wallet.account, amount)
    except InsufficientFunds:
        raise Conflict("insufficient_funds", "The wallet does not hold that much.", field="amount") from None


def _pay(wallet: Wallet, intent: PaymentIntent, amount: Money, waiting: Sequence[Charge]) -> WalletPayment:
    payer = wallet.customer_phone or wallet.customer_reference
    payment = WalletPayment(wallet=wallet, livemode=wallet.livemode)
    charge = build_own_charge(intent, method=WALLET, payer=payer, amount=amount, receipt=payment.public_id)
    payment.charge, payment.created_at = charge, charge.created_at
    batch = WriteBatch()
    add_giving_way(batch, waiting)
    add_own_payment(batch, charge, paid_from=wallet.account)
    batch.insert(payment)
    changes = {"amount": format_amount(amount), "payment_intent": intent.public_id, "wallet": wallet.public_id}
    shown = {"wallet_payment": represent_payment(payment)}
    batch.insert(*records_of(wallet, "wallet.debited", about=payment, data=shown, changes=changes))
    batch.execute()
    return payment


def _check_same_store(wallet: Wallet, intent: PaymentIntent) -> None:
    if (intent.store_id, intent.livemode) != (wallet.store_id, wallet.livemode):
        raise NotFound("payment_intent_not_found", "There is no such payment intent in this store and mode.")
    if intent.currency != wallet.currency:
        raise Invalid("currency_mismatch", f"The wallet is in {wallet.currency}.", field="payment_intent")
