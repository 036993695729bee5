"""Filling a wallet: an intent collects the money, and what arrives for it is moved to the wallet.

The intent is paid as every other one, by any method. Its money is first the store's (payable, or surplus for what was
paid beyond the amount) and goes on to the wallet in a second transaction: all of it, surplus included, since it is all
the customer's. Money that is parked for a decision waits for it. A part that arrived is credited at once.

The event handler does it as soon as the intent's event is handed out; a loop of the worker looks after deposits
besides, so that a lost run, or a setting that was switched off meanwhile, leaves nobody's money behind.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Invalid
from majuu_core.database.batch import WriteBatch
from majuu_core.events.models import Event
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.services import Move, add_transaction
from majuu_core.payments.custody import require_custodial
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.providers import Violation
from majuu_core.wallets.locks import lock_deposit, lock_wallet
from majuu_core.wallets.models import Wallet, WalletDeposit
from majuu_core.wallets.records import audit_of, records_of, represent_deposit
from majuu_core.wallets.services import require_open, set_status

logger = logging.getLogger("majuu.wallets")
# The books tell what the platform's accounts took from what a store's own account took: safeguarding asks.
POOLED_DEPOSIT, OWN_DEPOSIT = "wallet_deposit", "wallet_deposit_own"
# A prompt of the last minute may be answered long after the intent has expired.
WATCHED_AFTER_EXPIRY = timedelta(days=3)
_WATCHED_AFTER_CREDIT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositDetails:
    """What is to be put into a wallet. The rest is as for a payment intent."""

    amount: Money
    payment_methods: Sequence[str] = ()
    description: str = ""
    return_url: str = ""
    lifetime: timedelta | None = None


def create_deposit(*, wallet: Wallet, details: DepositDetails) -> WalletDeposit:
    """Begin a deposit: an intent to be confirmed as every other. A frozen wallet takes deposits, a closed one does not.

    Raises Denied ``custodial_disabled``, Conflict ``wallet_closed``, Invalid.
    """
    require_custodial("Wallets")
    if details.amount.currency.code != wallet.currency:
        raise Invalid("currency_mismatch", f"The wallet is in {wallet.currency}.", field="amount")
    with transaction.atomic():
        locked = lock_wallet(wallet.pk)
        require_open(locked)
        intent = create_payment_intent(store=locked.store, livemode=locked.livemode, details=_intent(locked, details))
        deposit = WalletDeposit(
            wallet=locked,
            livemode=locked.livemode,
            payment_intent=intent,
            watch_until=intent.expires_at + WATCHED_AFTER_EXPIRY,
            created_at=intent.created_at,
            updated_at=intent.created_at,
        )
        batch = WriteBatch()
        batch.insert(deposit)
        changes = {"amount": [None, format_amount(intent.amount)], "payment_intent": [None, intent.public_id]}
        batch.insert(audit_of(locked, "wallet.deposit_created", about=deposit, changes=changes))
        batch.execute()
    return deposit


def handle_payment(event: Event) -> None:
    """Event handler: credit what arrived for a deposit. Other intents' events pass."""
    try:
        intent_id = PaymentIntent.uuid_of(event.object_id)
    except ValueError:
        return
    deposit = WalletDeposit.objects.filter(payment_intent_id=intent_id).first()
    if deposit is not None:
        credit_deposit(deposit=deposit)


def credit_watched_deposits(limit: int = 100) -> int:
    """Credit what arrived for deposits and was not credited by the handler; returns how many there were."""
    arrived = F("payment_intent__amount_received") + F("payment_intent__surplus")
    waiting = WalletDeposit.objects.filter(watch_until__gt=clock.now()).filter(
        Q(payment_intent__amount_received__gt=F("credited")) | Q(payment_intent__surplus__gt=F("credited_surplus"))
    )
    found = list(waiting.annotate(arrived=arrived).order_by("watch_until")[:limit])
    return sum(credit_deposit(deposit=deposit).amount > 0 for deposit in found)


def credit_deposit(*, deposit: WalletDeposit) -> Money:
    """Move to the wallet what arrived for the deposit and is not there yet; returns how much that was.

    Safe to repeat, in several workers at once: the wallet's lock lets one through at a time, and the ledger refuses a
    second transaction for the same level.
    """
    with transaction.atomic():
        locked = lock_deposit(deposit)
        intent = locked.payment_intent
        amount = Money(intent.amount_received.amount - locked.credited, intent.amount.currency)
        surplus = Money(intent.surplus.amount - locked.credited_surplus, intent.amount.currency)
        if amount.amount <= 0 and surplus.amount <= 0:
            return Money(0, intent.amount.currency)
        _credit(locked, amount, surplus)
        if locked.wallet.status == Wallet.Status.CLOSED:
            set_status(locked.wallet, Wallet.Status.FROZEN, "Money of a deposit arrived after it had been closed.")
    logger.info("deposit %s: %s credited", locked.public_id, amount + surplus)
    return amount + surplus


def _credit(deposit: WalletDeposit, amount: Money, surplus: Money) -> None:
    """Book and record it. Intent and wallet are locked."""
    intent, wallet = deposit.payment_intent, deposit.wallet
    moves = [
        Move(debit=_store_account(kind, wallet), credit=wallet.account, amount=part)
        for kind, part in ((AccountKind.STORE_PAYABLE, amount), (AccountKind.STORE_SURPLUS, surplus))
        if part.amount > 0
    ]
    now = clock.now()
    values: dict[str, Any] = {
        "credited": intent.amount_received.amount,
        "credited_surplus": intent.surplus.amount,
        "updated_at": now,
    }
    if intent.amount_received == intent.amount:
        values["watch_until"] = now + _WATCHED_AFTER_CREDIT  # a second charge may still bring a surplus
    for name, value in values.items():
        setattr(deposit, name, value)
    batch = WriteBatch()
    add_transaction(
        batch,
        key=f"{intent.public_id}:wallet:{deposit.total_credited.amount.normalize():f}",
        kind=POOLED_DEPOSIT if _is_pooled(intent) else OWN_DEPOSIT,
        reference=deposit.public_id,
        livemode=wallet.livemode,
        moves=moves,
        description=intent.description,
    )
    batch.update(WalletDeposit, deposit.pk, values)
    changes = {"amount": format_amount(amount + surplus), "wallet": wallet.public_id}
    shown = {"wallet_deposit": represent_deposit(deposit)}
    batch.insert(*records_of(wallet, "wallet.credited", about=deposit, data=shown, changes=changes))
    batch.execute()


def _is_pooled(intent: PaymentIntent) -> bool:
    """Whether an account of the platform's took the money, or a part of it."""
    charges = intent.charges.filter(status=Charge.Status.SUCCEEDED, provider_account__store=None)
    return charges.exists() or intent.incoming.filter(provider_account__store=None).exists()


def _intent(wallet: Wallet, details: DepositDetails) -> IntentDetails:
    return IntentDetails(
        amount=details.amount,
        payment_methods=details.payment_methods,
        reference=wallet.customer_reference,
        description=details.description or "Deposit",
        customer_phone=wallet.customer_phone,
        metadata={"wallet": wallet.public_id},
        return_url=details.return_url,
        lifetime=details.lifetime,
    )


def _store_account(kind: AccountKind, wallet: Wallet) -> AccountRef:
    return AccountRef(kind, wallet.store.public_id, wallet.currency, wallet.livemode)


def refuse_refund_of_deposit(charge: Any) -> list[Violation]:
    """The objection to a refund, from the store's money, of a charge that filled a wallet. Empty for other charges."""
    if charge.is_parked or not WalletDeposit.objects.filter(payment_intent_id=charge.payment_intent_id).exists():
        return []  # what is parked never reached the wallet
    text = "This money stands on a customer's wallet. Pay it out by a withdrawal from there."
    return [Violation(code="charge_fills_wallet", message=text, field="charge")]
