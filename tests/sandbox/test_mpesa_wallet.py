"""A customer's wallet at the simulated Daraja: filled by STK push, spent, and emptied by B2C."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.problems import Conflict
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.models import Payout
from majuu_core.wallets.deposits import DepositDetails, create_deposit
from majuu_core.wallets.models import Wallet
from majuu_core.wallets.services import WalletDetails, open_wallet
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.withdrawals import WithdrawalDetails, withdraw
from tests.core.wallets.support import on
from tests.sandbox.daraja_office import CUSTOMER, Office

OpenOffice = Callable[..., Office]


@pytest.fixture
def office(settings: Any, open_office: OpenOffice) -> Office:
    """One where wallets are allowed."""
    settings.MAJUU_CUSTODIAL = True
    return open_office()


def filled(office: Office, amount: str = "2000") -> Wallet:
    """A wallet with a deposit that the customer has paid."""
    details = WalletDetails(currency="KES", customer_reference="C-1", customer_phone=CUSTOMER)
    wallet = open_wallet(store=office.store, livemode=False, details=details)
    deposit = create_deposit(wallet=wallet, details=DepositDetails(amount=Money(amount, "KES")))
    choice = PaymentChoice(payment_method="mpesa_stk", payment_method_data={"phone": CUSTOMER})
    confirm_payment_intent(intent=deposit.payment_intent, choice=choice)
    office.play(2)
    deposit.refresh_from_db()
    assert (deposit.credited, on(wallet)) == (Decimal(amount), (Decimal(amount), Decimal(amount)))
    return wallet


def take_out(wallet: Wallet, amount: str, reference: str = "W-1") -> Payout:
    details = WithdrawalDetails(amount=Money(amount, "KES"), reference=reference)
    return withdraw(wallet=wallet, details=details).payout


def test_in_spent_and_out(office: Office) -> None:
    """Given a deposit, when a part pays an order and the rest is withdrawn, then books and Daraja agree."""
    wallet = filled(office)
    assert office.books() == {"clearing": Decimal(2000), "unclaimed": Decimal(0), "store": Decimal(0)}
    intent = office.intent("700", "ORDER-2")
    pay_intent_from_wallet(wallet=wallet, intent=intent)
    intent.refresh_from_db()
    assert (intent.status, on(wallet)) == ("succeeded", (Decimal(1300), Decimal(1300)))
    assert office.books() == {"clearing": Decimal(2000), "unclaimed": Decimal(0), "store": Decimal(700)}

    payout = take_out(wallet, "1300")
    assert (payout.status, payout.destination, on(wallet)) == (
        "pending",
        {"phone": CUSTOMER},
        (Decimal(1300), Decimal(0)),
    )
    with pytest.raises(Conflict) as refused:
        pay_intent_from_wallet(wallet=wallet, intent=office.intent("1", "ORDER-3"))
    assert refused.value.code == "insufficient_funds"
    office.play(1)

    payout.refresh_from_db()
    assert (payout.status, on(wallet)) == ("succeeded", (Decimal(0), Decimal(0)))
    assert [one.kind for one in office.sim.movements()] == ["stk", "b2c"]
    assert payout.receipt == office.sim.movements()[-1].receipt
    assert office.books() == {"clearing": office.moved(), "unclaimed": Decimal(0), "store": Decimal(700)}
    assert office.moved() == Decimal(700)


@pytest.mark.parametrize(("fault", "status"), [("not_registered", "failed"), ("insufficient", "failed")])
def test_a_withdrawal_that_fails_gives_the_money_back(office: Office, fault: str, status: str) -> None:
    """Given a number that cannot be paid, then the wallet holds all of it again and can spend it."""
    wallet = filled(office)
    office.sim.script(fault, operation="b2c_payment")
    payout = take_out(wallet, "1300")

    office.play(2)

    payout.refresh_from_db()
    assert (payout.status, on(wallet)) == (status, (Decimal(2000), Decimal(2000)))
    assert office.moved() == office.books()["clearing"] == Decimal(2000)


def test_a_withdrawal_whose_result_is_lost_is_asked_for(office: Office) -> None:
    """Given a lost result, then the money stays held until Daraja has been asked, and leaves the wallet once."""
    wallet = filled(office)
    payout = take_out(wallet, "500")
    office.wait()  # lost
    assert on(wallet) == (Decimal(2000), Decimal(1500))
    assert take_out(wallet, "500").pk == payout.pk  # asked twice for the same

    office.play(rounds=4, seconds=30)

    payout.refresh_from_db()
    assert (payout.status, on(wallet)) == ("succeeded", (Decimal(1500), Decimal(1500)))
    assert len(office.sim.movements()) == 2
    assert office.books()["clearing"] == office.moved() == Decimal(1500)


def test_a_deposit_told_by_both_channels_is_credited_once(office: Office) -> None:
    """Given registered addresses, so that the push is confirmed as C2B too, then the wallet gets it once."""
    office.register()

    wallet = filled(office)
    office.play()

    assert on(wallet) == (Decimal(2000), Decimal(2000))
    assert office.books() == {"clearing": office.moved(), "unclaimed": Decimal(0), "store": Decimal(0)}
    assert office.the_money().ownership == "charge"
