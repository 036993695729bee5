"""The only place of this room that locks rows.

Order, everywhere: the charge, the intent (payments/locks.py), then the wallet, then its ledger account
(ledger.services.lock_for_spending). Whoever takes money from a wallet, or changes its state, holds its row.
"""

from __future__ import annotations

import uuid

from django.db import connection

from majuu_core.payments.locks import lock_intent
from majuu_core.payments.models import PaymentIntent
from majuu_core.wallets.models import Wallet, WalletDeposit


def lock_wallet(wallet_id: uuid.UUID) -> Wallet:
    """The wallet with its store, the wallet locked. Raises Wallet.DoesNotExist."""
    rows = Wallet.objects.filter(pk=wallet_id)
    if connection.features.has_select_for_update_of:
        rows = rows.select_related("store").select_for_update(
            of=("self",), no_key=connection.features.has_select_for_no_key_update
        )
    else:  # MariaDB would lock the store as well
        rows = rows.select_for_update()
    return rows.get()


def lock_intent_and_wallet(intent_id: uuid.UUID, wallet_id: uuid.UUID) -> tuple[PaymentIntent, Wallet]:
    """Both, locked in the order above. Raises DoesNotExist of either."""
    intent = lock_intent(intent_id)
    return intent, lock_wallet(wallet_id)


def lock_deposit(deposit: WalletDeposit) -> WalletDeposit:
    """The deposit with its intent and wallet as they are now, both locked; so is the deposit, through its wallet."""
    intent, wallet = lock_intent_and_wallet(deposit.payment_intent_id, deposit.wallet_id)
    found = WalletDeposit.objects.get(pk=deposit.pk)
    found.payment_intent, found.wallet = intent, wallet
    return found
