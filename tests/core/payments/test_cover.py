"""Nobody is paid with another store's money: what leaves from the platform's accounts is covered by what came there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from moneyed import Money

from majuu_core.common.problems import Conflict
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.services import Move, record_transaction
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.models import Charge, Payout, Refund
from majuu_core.payments.refund_bookings import split_by_source
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.incoming_support import arrive, claim
from tests.core.payments.payout_support import Paymaster
from tests.core.payments.refund_support import give_back
from tests.core.payments.support import Till

pytestmark = pytest.mark.usefixtures("custodian")


def came_to(master: Paymaster, account: ProviderAccount, amount: str, fee: str = "0") -> None:
    """Money of the store that came to an account, and what the provider kept of it."""
    clearing = AccountRef(AccountKind.PROVIDER_CLEARING, account.public_id, "KES", False)
    fees = AccountRef(AccountKind.PROVIDER_FEES, master.store.public_id, "KES", False)
    moves = [Move(debit=clearing, credit=master.payable(), amount=Money(amount, "KES"))]
    if fee != "0":
        moves.append(Move(debit=fees, credit=clearing, amount=Money(fee, "KES")))
    record_transaction(key=f"came:{account.public_id}", kind="charge", reference="test", livemode=False, moves=moves)


@pytest.fixture
def pooled(db: None) -> Paymaster:
    """A store that is paid through the platform's account."""
    return Paymaster(pooled=True)


def refuse(master: Paymaster, amount: str) -> None:
    before = (balance(master.clearing()), Payout.objects.count())
    with pytest.raises(Conflict) as caught:
        master.send(amount, "REFUSED")
    assert caught.value.code == "insufficient_funds"
    assert (balance(master.clearing()), Payout.objects.count()) == before


@pytest.mark.parametrize("fee", ["0", "30"])
def test_money_at_an_account_of_its_own_buys_nothing_from_the_platform(pooled: Paymaster, fee: str) -> None:
    """Given 1000 at the store's own account, since switched off, and 200 at the platform's, then 200 may leave here."""
    own = make_provider_account(store=pooled.store)
    came_to(pooled, own, "1000", fee)
    came_to(pooled, pooled.account, "200")
    ProviderAccount.objects.filter(pk=own.pk).update(is_active=False)
    refuse(pooled, "201")
    assert pooled.send("200").status == "succeeded"
    refuse(pooled, "1")
    assert list(find_problems()) == []


def test_the_account_of_a_sister_store_counts_too(pooled: Paymaster) -> None:
    """Given a merchant's second store with an account of its own, whose money the first one claimed: the same."""
    sister = make_store(merchant=pooled.store.merchant, name="Sister")
    own = make_provider_account(store=sister)
    came_to(pooled, own, "1000")
    ProviderAccount.objects.filter(pk=own.pk).update(is_active=False)
    refuse(pooled, "1")


def test_what_nobody_has_claimed_at_an_own_account_takes_nothing_away(pooled: Paymaster) -> None:
    own = make_provider_account(store=pooled.store)
    arrive(own, amount="700")
    ProviderAccount.objects.filter(pk=own.pk).update(is_active=False)
    came_to(pooled, pooled.account, "200")
    assert pooled.send("200").status == "succeeded"


def test_an_own_account_still_sends_what_the_books_do_not_know(db: None) -> None:
    assert Paymaster().send("1500").status == "succeeded"


def pooled_till(master: Paymaster) -> Till:
    """The same store, paid by customers at the platform's account."""
    till = Till.__new__(Till)
    till.store, till.account = master.store, master.account
    return till


def test_a_refund_from_the_platforms_account_needs_the_money(pooled: Paymaster) -> None:
    """Given a store that was paid 1500 and took 1000 out, when it refunds all of it, then nothing leaves; 500 may."""
    till = pooled_till(pooled)
    _, charge = till.pay_new("1500")
    assert pooled.send("1000").status == "succeeded"
    before = balance(pooled.clearing())
    with pytest.raises(Conflict) as caught:
        give_back(till, charge)
    assert (caught.value.code, Refund.objects.count()) == ("insufficient_funds", 0)
    assert balance(pooled.clearing()) == before
    assert give_back(till, charge, "500").status == "succeeded"
    assert (pooled.books(), list(find_problems())) == ((Decimal(0), Decimal(0)), [])


def test_what_was_paid_too_much_goes_back_without_earnings(pooled: Paymaster) -> None:
    """Given 2000 for an order of 1500 and the price taken out, when 500 go back, then the surplus pays them."""
    intent = pooled_till(pooled).intent("1500")
    arrive(pooled.account, amount="2000")
    claim(pooled.store, payment_intent=intent.public_id)
    assert pooled.send("1500").status == "succeeded"
    sources = split_by_source(Charge.objects.get(), Money(500, "KES"))
    assert [(source.account, source.amount.amount) for source in sources] == [("store_surplus", Decimal(500))]
    made = give_back(pooled_till(pooled), Charge.objects.get(), "500")
    assert made.provider_failure_code == "not_found"  # it was sent: the mock never saw the payment
    assert pooled.books() == (Decimal(0), Decimal(0))
