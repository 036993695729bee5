"""Money that a wallet paid and that came back to it. Refunds are made and booked in the room of payments."""

from __future__ import annotations

from django.db import transaction

from majuu_core.events.models import Event
from majuu_core.ledger.selectors import balance
from majuu_core.payments.models import Refund
from majuu_core.wallets.locks import lock_wallet
from majuu_core.wallets.models import Wallet, WalletPayment
from majuu_core.wallets.services import set_status


def handle_refund(event: Event) -> None:
    """Event handler: open a closed wallet again, frozen, when money came back to it. Others' refunds pass.

    Closing a wallet needs it to be empty, so what stands on a closed one would be seen by nobody. Safe to repeat.
    """
    try:
        refund_id = Refund.uuid_of(event.object_id)
    except ValueError:
        return
    payment = WalletPayment.objects.filter(charge__refunds=refund_id).first()
    if payment is None:
        return
    with transaction.atomic():
        wallet = lock_wallet(payment.wallet_id)
        if wallet.status == Wallet.Status.CLOSED and balance(wallet.account).posted.amount > 0:
            set_status(wallet, Wallet.Status.FROZEN, "Money came back by a refund after it had been closed.")
