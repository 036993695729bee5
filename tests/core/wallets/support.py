"""A store whose customers have wallets: filled by the mock provider, and what the books say of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.events.models import Event
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import PaymentIntent
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.wallets.deposits import DepositDetails, create_deposit, credit_deposit
from majuu_core.wallets.models import Wallet, WalletDeposit
from majuu_core.wallets.services import WalletDetails, open_wallet


class Counter:
    """A store with one mock account that opens wallets."""

    def __init__(self) -> None:
        self.store: Store = make_store()
        self.account: ProviderAccount = make_provider_account(store=self.store)

    def wallet(self, reference: str = "C-1", funds: str = "", **details: Any) -> Wallet:
        details.setdefault("customer_phone", "254712345678")
        details.setdefault("customer_name", "Wanjiku")
        wanted = WalletDetails(currency="KES", customer_reference=reference, **details)
        wallet = open_wallet(store=self.store, livemode=False, details=wanted)
        if funds:
            self.fill(wallet, funds)
        return wallet

    def begin(self, wallet: Wallet, amount: str = "1500", **details: Any) -> WalletDeposit:
        return create_deposit(wallet=wallet, details=DepositDetails(amount=Money(amount, "KES"), **details))

    def pay(self, intent: PaymentIntent, part: str | None = None) -> PaymentIntent:
        amount = None if part is None else Money(part, "KES")
        choice = PaymentChoice(payment_method="mock", amount=amount)
        return confirm_payment_intent(intent=intent, choice=choice)[0]

    def fill(self, wallet: Wallet, amount: str) -> WalletDeposit:
        """A deposit, paid and credited."""
        deposit = self.begin(wallet, amount)
        self.pay(deposit.payment_intent)
        assert credit_deposit(deposit=deposit) == Money(amount, "KES")
        return deposit

    def intent(self, amount: str = "300", **details: Any) -> PaymentIntent:
        wanted = IntentDetails(amount=Money(amount, details.pop("currency", "KES")), **details)
        return create_payment_intent(store=self.store, livemode=False, details=wanted)

    def payable(self, kind: AccountKind = AccountKind.STORE_PAYABLE) -> Decimal:
        return balance(AccountRef(kind, self.store.public_id, "KES", False)).posted.amount


def on(wallet: Wallet) -> tuple[Decimal, Decimal]:
    """What stands on the wallet, and how much of it may be spent."""
    now = balance(wallet.account)
    return now.posted.amount, now.available.amount


def told(row: Any) -> list[str]:
    """The events about a row, in order."""
    return list(Event.objects.filter(object_id=row.public_id).order_by("pk").values_list("type", flat=True))
