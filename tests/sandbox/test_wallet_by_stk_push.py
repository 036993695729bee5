"""A wallet filled by STK push: over real HTTP at the simulated Daraja, and through the worker's loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import Store
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.wallets.deposits import DepositDetails, create_deposit
from majuu_core.wallets.models import Wallet, WalletDeposit
from majuu_core.wallets.services import WalletDetails, open_wallet
from majuu_core.worker.loops import run_all
from majuu_mpesa import majuu_hooks
from majuu_sim.clock import ExternalClock
from majuu_sim.daraja import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, DarajaSimulator
from majuu_sim.transport import CollectingTransport

CUSTOMER = "254712345678"


@pytest.fixture
def daraja(virtual_clock: VirtualClock) -> Iterator[Any]:
    with DarajaSimulator(
        seed=7, clock=ExternalClock(virtual_clock.now), transport=CollectingTransport()
    ).serve() as sim:
        yield sim


@pytest.fixture
def store(transactional_db: None, daraja: Any, settings: Any, temporary_plugin: Callable[[object], object]) -> Store:
    """A store with a shortcode at the simulated Daraja, where wallets are allowed."""
    settings.MAJUU_CUSTODIAL = True
    settings.MAJUU_PUBLIC_URL = "https://pay.example.com"
    settings.MAJUU_PROVIDERS = {"mpesa": {"base_url": daraja.base_url, "callback_addresses": "*"}}
    temporary_plugin(majuu_hooks)
    made = make_store()
    credentials = {
        "consumer_key": "majuu-sim-key",
        "consumer_secret": "majuu-sim-secret",
        "passkey": SANDBOX_PASSKEY,
        "shortcode": SANDBOX_SHORTCODE,
    }
    make_provider_account(store=made, provider="mpesa", credentials=credentials)
    return made


def push(store: Store, amount: str) -> tuple[Wallet, WalletDeposit]:
    details = WalletDetails(currency="KES", customer_reference="C-1", customer_phone=CUSTOMER)
    wallet = open_wallet(store=store, livemode=False, details=details)
    deposit = create_deposit(wallet=wallet, details=DepositDetails(amount=Money(amount, "KES")))
    choice = PaymentChoice(payment_method="mpesa_stk", payment_method_data={"phone": CUSTOMER})
    intent, charge = confirm_payment_intent(intent=deposit.payment_intent, choice=choice)
    assert (intent.status, charge.status) in {("processing", "pending"), ("requires_action", "requires_action")}
    return wallet, deposit


@pytest.mark.parametrize(("outcome", "credited"), [("pay", "1500"), ("insufficient", "0"), ("cancel", "0")])
def test_a_push_fills_the_wallet_or_does_not(
    store: Store, daraja: Any, virtual_clock: VirtualClock, outcome: str, credited: str
) -> None:
    """given a prompt whose callback is lost / when the worker asks what became of it / then it is credited, or not."""
    daraja.set_subscriber(CUSTOMER, script=outcome)
    wallet, deposit = push(store, "1500")
    assert balance(wallet.account).posted == Money(0, "KES")

    for _ in range(12):
        virtual_clock.advance(60)
        daraja.run_due()
        run_all()

    deposit.refresh_from_db()
    assert (balance(wallet.account).posted, deposit.credited) == (Money(credited, "KES"), Decimal(credited))
    assert list(find_problems()) == []
