"""Money from a wallet to its customer, through a payout at the mock provider."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.models import Event
from majuu_core.payments.models import Payout
from majuu_core.payments.payout_sending import run_due_payout_questions
from majuu_core.payments.payouts import PayoutDetails, create_payout
from majuu_core.wallets.models import Wallet, WalletWithdrawal
from majuu_core.wallets.withdrawals import WithdrawalDetails, withdraw
from tests.core.wallets.support import Counter, on, told

D = Decimal


def take(wallet: Wallet, amount: str = "200", reference: str = "W-1", **details: Any) -> WalletWithdrawal:
    wanted = WithdrawalDetails(amount=Money(amount, details.pop("currency", "KES")), reference=reference, **details)
    return withdraw(wallet=wallet, details=wanted)


def test_a_withdrawal_is_a_payout_from_the_wallet(counter: Counter) -> None:
    """given 1500 on a wallet / when 200 are withdrawn / then a payout to the customer's phone took them from there."""
    wallet = counter.wallet(funds="1500")
    counter.pay(counter.intent("40"))

    made = take(wallet)

    assert (on(wallet), counter.payable()) == ((D(1300), D(1300)), D(40))
    payout = Payout.objects.get()
    assert (payout.status, payout.source, payout.reference) == ("succeeded", str(wallet.account), "W-1")
    assert (payout.destination, payout.metadata) == ({"phone": "254712345678"}, {"wallet": wallet.public_id})
    assert (made.payout, made.wallet, told(made)) == (payout, wallet, ["wallet.withdrawal_created"])
    assert told(payout) == ["payout.created", "payout.succeeded"]


def test_what_is_on_its_way_out_cannot_be_spent(counter: Counter) -> None:
    """given 8000 on a wallet / when 7723 are on their way / then 277 are available; once they arrived, 277 are left."""
    wallet = counter.wallet(funds="8000")
    take(wallet, "7723")
    assert on(wallet) == (D(8000), D(277))
    with pytest.raises(Conflict) as refusal:
        take(wallet, "278", "W-2")
    assert refusal.value.code == "insufficient_funds"
    assert on(wallet) == (D(8000), D(277))


def test_a_payout_that_fails_gives_it_back(counter: Counter) -> None:
    """given a withdrawal the provider declines / when it has answered / then the wallet has everything."""
    wallet = counter.wallet(funds="8000")
    made = take(wallet, "7702")
    assert (made.payout.status, on(wallet)) == ("failed", (D(8000), D(8000)))


def test_the_outcome_comes_later(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a withdrawal that is pending / when the provider is asked an hour later / then the money has left."""
    wallet = counter.wallet(funds="8000")
    made = take(wallet, "7723")
    for _ in range(10):
        virtual_clock.advance(3600)
        run_due_payout_questions()
    made.payout.refresh_from_db()
    assert (made.payout.status, on(wallet)) == ("succeeded", (D(277), D(277)))


def test_the_same_reference_is_the_same_withdrawal(counter: Counter) -> None:
    """given a withdrawal / when asked for again / then it is that one; with another amount / then 409."""
    wallet = counter.wallet(funds="1500")
    first = take(wallet)
    assert take(wallet).pk == first.pk
    with pytest.raises(Conflict) as refusal:
        take(wallet, "201")
    assert refusal.value.code == "payout_reference_used"
    assert (on(wallet), WalletWithdrawal.objects.count()) == ((D(1300), D(1300)), 1)


def test_another_wallet_s_reference_is_refused(counter: Counter) -> None:
    """given a withdrawal from one wallet / when another one uses its reference / then 409, and nothing moved there."""
    first, second = counter.wallet("C-1", funds="500"), counter.wallet("C-2", funds="500")
    take(first)
    with pytest.raises(Conflict) as refusal:
        take(second)
    assert refusal.value.code == "payout_reference_used"
    assert on(second) == (D(500), D(500))


def test_a_payout_of_the_store_s_is_no_withdrawal(counter: Counter) -> None:
    """given a payout of the store's own money / when a wallet uses its reference / then 409 and there is no row."""
    wallet = counter.wallet(funds="500")
    counter.pay(counter.intent("900"))
    details = PayoutDetails(amount=Money(200, "KES"), reference="W-1", destination={"phone": "254712345678"})
    create_payout(store=counter.store, livemode=False, details=details)
    with pytest.raises(Conflict):
        take(wallet)
    assert (on(wallet), WalletWithdrawal.objects.count()) == ((D(500), D(500)), 0)


def test_more_than_there_is_leaves_nothing_behind(counter: Counter) -> None:
    """given 199.99 on a wallet / when 200 are withdrawn / then 409, and no payout, row or event."""
    wallet = counter.wallet(funds="199.99")
    events = Event.objects.count()
    with pytest.raises(Conflict) as refusal:
        take(wallet)
    assert refusal.value.code == "insufficient_funds"
    assert (Payout.objects.count(), WalletWithdrawal.objects.count(), Event.objects.count()) == (0, 0, events)


def test_another_currency_is_refused(counter: Counter) -> None:
    """given a wallet in KES / when USD are withdrawn / then Invalid."""
    with pytest.raises(Invalid) as refusal:
        take(counter.wallet(funds="500"), "2", currency="USD")
    assert (refusal.value.code, Payout.objects.count()) == ("currency_mismatch", 0)


def test_a_withdrawal_above_the_limit_waits_with_its_money_held(counter: Counter) -> None:
    """given a limit of KES 50,000 / when 60,000 are withdrawn / then a second person must agree; the money is held."""
    wallet = counter.wallet(funds="70000")
    made = take(wallet, "60000")
    assert (made.payout.status, on(wallet)) == ("requires_approval", (D(70000), D(10000)))


def test_a_named_destination_wins(counter: Counter) -> None:
    """given a customer's phone / when a withdrawal names another / then it goes there."""
    made = take(counter.wallet(funds="500"), destination={"phone": "254700000000"})
    assert made.payout.destination == {"phone": "254700000000"}
