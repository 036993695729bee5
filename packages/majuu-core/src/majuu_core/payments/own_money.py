"""Payments with money that stands on an account of our own books, such as a wallet. No provider takes part.

What is paid so has a charge as every other payment: born succeeded, at an account of the pseudo-provider whose code is
its payment method. Given back, it returns to the account it came from.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.models import LedgerTransfer
from majuu_core.ledger.services import Move, add_transaction
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import own_money_account
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.outcomes import plan_outcome
from majuu_core.payments.settling import add_plan
from majuu_core.providers import RefundRoute, Result, ResultStatus

WALLET = "wallet"


def build_own_charge(intent: PaymentIntent, *, method: str, payer: str, amount: Money, receipt: str) -> Charge:
    """A charge of the intent that an account of ours pays. Not saved. ``receipt`` is what the customer can quote."""
    now, zero = clock.now(), Money(0, amount.currency)
    account: ProviderAccount = own_money_account(method, livemode=intent.livemode)
    amounts: dict[str, Any] = {"amount": amount, "amount_received": zero, "fee": zero}
    return Charge(
        **amounts,
        id=ids.new_uuid(),
        payment_intent=intent,
        livemode=intent.livemode,
        provider_account=account,
        provider=account.provider,
        payment_method=method,
        payer=payer[:80],
        receipt=receipt,
        created_at=now,
        updated_at=now,
    )


def add_own_payment(batch: WriteBatch, charge: Charge, *, paid_from: AccountRef) -> None:
    """Add a new charge, its money and what it makes of its intent. The intent is locked, and so is who pays."""
    intent = charge.payment_intent
    before = (charge.status, intent.status)
    plan = plan_outcome(charge, Result(status=ResultStatus.SUCCEEDED), now=charge.created_at)
    for name, value in plan.charge.items():
        setattr(charge, name, value)
    batch.insert(charge)
    add_transaction(
        batch,
        key=f"{charge.public_id}:post",
        kind=f"{charge.payment_method}_payment",
        reference=charge.public_id,
        livemode=charge.livemode,
        moves=[Move(debit=paid_from, credit=_payable(charge), amount=charge.amount)],
        description=intent.description,
    )
    # The charge is inserted as it becomes, and its money is no provider's: the rest of the plan is as always.
    add_plan(batch, charge, dataclasses.replace(plan, charge={}, applied=None, surplus=None), before)


def is_own_money(charge: Charge) -> bool:
    """Whether an account of ours paid the charge, and no provider."""
    return charge.provider == WALLET


def account_that_paid(charge: Charge) -> AccountRef | None:
    """The account of ours that paid a charge; None for one that a provider brought."""
    if not is_own_money(charge):
        return None
    moved = LedgerTransfer.objects.select_related("debit_account").get(transaction__key=f"{charge.public_id}:post")
    account = moved.debit_account
    return AccountRef(AccountKind(account.kind), account.owner, account.currency, account.livemode)


def own_routes(charge: Charge) -> tuple[RefundRoute, ...]:
    """The way back of money that an account of ours paid; empty for a charge that a provider brought."""
    if not is_own_money(charge):
        return ()
    reason = f"It goes back to the {WALLET} that paid, at once; no provider takes part."
    return (RefundRoute(method=WALLET, possible=True, reason=reason),)


def _payable(charge: Charge) -> AccountRef:
    store = charge.payment_intent.store
    return AccountRef(AccountKind.STORE_PAYABLE, store.public_id, charge.currency, charge.livemode)
