"""A small shop for tests of payments: intents paid by the mock provider, and what the books say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.testing.factories import make_provider_account, make_store


class Till:
    """A store with one mock account."""

    def __init__(self, **store_fields: Any) -> None:
        late_success = store_fields.pop("late_success", "succeed")
        self.store: Store = make_store(**store_fields)
        Store.objects.filter(pk=self.store.pk).update(late_success=late_success)
        self.store.refresh_from_db()
        self.account: ProviderAccount = make_provider_account(store=self.store)

    def intent(self, amount: str = "1500", currency: str = "KES", **details: Any) -> PaymentIntent:
        wanted = IntentDetails(amount=Money(amount, currency), **details)
        return create_payment_intent(store=self.store, livemode=False, details=wanted)

    def pay(self, intent: PaymentIntent, part: str | None = None, **choice: Any) -> tuple[PaymentIntent, Charge]:
        amount = None if part is None else Money(part, intent.currency)
        chosen = PaymentChoice(payment_method="mock", amount=amount, **choice)
        return confirm_payment_intent(intent=intent, choice=chosen)

    def pay_new(self, amount: str = "1500", **details: Any) -> tuple[PaymentIntent, Charge]:
        return self.pay(self.intent(amount, **details))

    def books(self, currency: str = "KES") -> dict[str, tuple[Decimal, Decimal]]:
        """Posted and pending balance of every account that has either, by kind."""
        owners = {
            AccountKind.PROVIDER_CLEARING: self.account.public_id,
            AccountKind.STORE_PAYABLE: self.store.public_id,
            AccountKind.STORE_SURPLUS: self.store.public_id,
            AccountKind.STORE_UNAPPLIED: self.store.public_id,
            AccountKind.PROVIDER_FEES: self.store.public_id,
            AccountKind.DISPUTES_HELD: self.account.public_id,
            AccountKind.DISPUTES_RESERVE: self.store.public_id,
        }
        found = {}
        for kind, owner in owners.items():
            ref = AccountRef(kind=kind, owner=owner, currency=currency, livemode=False)
            now = balance(ref)
            pending = now.debits_pending + now.credits_pending
            if now.posted.amount or pending.amount:
                found[kind.value] = (now.posted.amount, pending.amount)
        return found


def seconds(count: int) -> timedelta:
    return timedelta(seconds=count)
