"""One wallet, many hands, one moment: what is there is spent once, and what arrives is credited once."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Problem
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Charge, PaymentIntent, Payout
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.wallets.deposits import credit_deposit, credit_watched_deposits, handle_payment
from majuu_core.wallets.models import Wallet, WalletDeposit, WalletPayment, WalletWithdrawal
from majuu_core.wallets.services import WalletDetails, close_wallet, freeze_wallet, open_wallet
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.withdrawals import WithdrawalDetails, withdraw
from tests.core.races.threads import answers, at_once
from tests.core.wallets.support import Counter, on

pytestmark = pytest.mark.postgresql
D = Decimal


@pytest.fixture
def counter(transactional_db: None, virtual_clock: VirtualClock, settings: Any) -> Iterator[Counter]:
    """A store with wallets. Whatever the race did, the books are in order afterwards."""
    settings.MAJUU_CUSTODIAL = True
    yield Counter()
    assert list(find_problems()) == []


def outcomes(results: list[Any]) -> Tally[str]:
    """How often each answer came: "done", or the code of a refusal. Other exceptions fail the test."""
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, Problem):
            raise result
    return Tally(result.code if isinstance(result, Problem) else "done" for result in results)


@pytest.mark.parametrize("part", ["100", "300"])
def test_50_refunds_to_a_wallet_never_exceed_what_it_paid(counter: Counter, part: str) -> None:
    """given 300 paid from a wallet / when 50 refunds of a part come at once / then as many go back as fit."""
    wallet = counter.wallet(funds="300")
    charge = pay_intent_from_wallet(wallet=wallet, intent=counter.intent("300")).charge
    details = RefundDetails(charge=charge.public_id, amount=Money(part, "KES"), reason="Wrong size")
    work = partial(create_refund, store=counter.store, livemode=False, details=details)

    tally = outcomes(at_once([work] * 50))

    fits = int(D(300) / D(part))
    assert (tally.pop("done"), sum(tally.values())) == (fits, 50 - fits)
    assert set(tally) <= {"refund_amount_out_of_range", "refund_nothing_left"}
    charge.refresh_from_db()
    assert (charge.amount_refunded, on(wallet), counter.payable()) == (D(300), (D(300), D(300)), D(0))
    booked = LedgerTransaction.objects.filter(kind="wallet_refund", key__endswith=":post")
    assert booked.count() == fits


@pytest.mark.parametrize("covered", [0, 1, 17, 49, 50])
def test_50_spends_with_money_for_some_of_them(counter: Counter, covered: int) -> None:
    """given 50 intents of 100 and money for k / when one wallet pays all at once / then exactly k are paid."""
    wallet = counter.wallet()
    if left_over := covered * 100 + 99:
        counter.fill(wallet, str(left_over))
    intents = [counter.intent("100") for _ in range(50)]

    results = at_once([partial(pay_intent_from_wallet, wallet=wallet, intent=intent) for intent in intents])

    assert outcomes(results) == Tally({"done": covered, "insufficient_funds": 50 - covered})
    assert on(wallet) == (D(99), D(99))
    assert counter.payable() == 100 * covered
    assert WalletPayment.objects.count() == Charge.objects.filter(provider="wallet").count() == covered
    assert PaymentIntent.objects.filter(status="succeeded", wallet_deposit=None).count() == covered
    assert Event.objects.filter(type="wallet.debited").count() == covered


def test_50_payments_and_withdrawals_share_what_is_there(counter: Counter) -> None:
    """given money for 20 / when 25 payments and 25 withdrawals come at once / then 20 of them, never below zero."""
    wallet = counter.wallet(funds="2000")
    intents = [counter.intent("100") for _ in range(25)]
    works: list[Callable[[], Any]] = [partial(pay_intent_from_wallet, wallet=wallet, intent=item) for item in intents]
    for number in range(25):
        details = WithdrawalDetails(amount=Money(100, "KES"), reference=f"W-{number}")
        works.append(partial(withdraw, wallet=wallet, details=details))

    assert outcomes(at_once(works)) == Tally({"done": 20, "insufficient_funds": 30})

    assert on(wallet) == (D(0), D(0))
    assert WalletPayment.objects.count() + WalletWithdrawal.objects.count() == 20
    assert Payout.objects.filter(status="succeeded").count() == WalletWithdrawal.objects.count()


def test_one_intent_is_paid_by_one_of_20_wallets(counter: Counter) -> None:
    """given 20 wallets / when all pay one intent at once / then one does, and the others keep what they have."""
    wallets = [counter.wallet(f"C-{number}", funds="100") for number in range(20)]
    intent = counter.intent("100")

    results = at_once([partial(pay_intent_from_wallet, wallet=wallet, intent=intent) for wallet in wallets])

    tally = outcomes(results)
    assert tally["done"] == 1
    assert sum(on(wallet)[0] for wallet in wallets) == 1900
    assert PaymentIntent.objects.get(pk=intent.pk).amount_received == Money(100, "KES")


def test_a_deposit_is_credited_once_by_16_workers(counter: Counter) -> None:
    """given a paid deposit / when handlers and loops of 16 workers find it at once / then it is credited once."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, "1500")
    counter.pay(deposit.payment_intent)
    event = Event.objects.get(object_id=deposit.payment_intent.public_id, type="payment_intent.succeeded")
    works: list[Callable[[], Any]] = [
        *[partial(handle_payment, event)] * 6,
        *[partial(credit_deposit, deposit=deposit)] * 5,
        *[credit_watched_deposits] * 5,
    ]

    answers(at_once(works))

    assert on(wallet) == (D(1500), D(1500))
    assert LedgerTransaction.objects.filter(kind="wallet_deposit_own").count() == 1
    assert Event.objects.filter(type="wallet.credited").count() == 1
    assert WalletDeposit.objects.get().credited == D(1500)


def test_deposits_and_payments_at_the_same_moment(counter: Counter) -> None:
    """given 10 deposits paid and 10 intents / when credited and spent at once / then nothing is lost or made."""
    wallet = counter.wallet(funds="100")
    deposits = [counter.begin(wallet, "100") for _ in range(10)]
    for deposit in deposits:
        counter.pay(deposit.payment_intent)
    intents = [counter.intent("100") for _ in range(10)]
    works: list[Callable[[], Any]] = [
        *[partial(credit_deposit, deposit=deposit) for deposit in deposits],
        *[partial(pay_intent_from_wallet, wallet=wallet, intent=intent) for intent in intents],
    ]

    tally = outcomes(at_once(works))

    paid = WalletPayment.objects.count()
    assert 1 <= paid <= 10
    assert tally == Tally({"done": 10 + paid, "insufficient_funds": 10 - paid})
    assert on(wallet) == (D(1100 - 100 * paid), D(1100 - 100 * paid))


def test_freezing_stops_whoever_comes_after_it(counter: Counter) -> None:
    """given 20 payments and a freeze / when all come at once / then who was first paid, the others are refused."""
    wallet = counter.wallet(funds="2000")
    intents = [counter.intent("100") for _ in range(20)]
    works: list[Callable[[], Any]] = [
        *[partial(pay_intent_from_wallet, wallet=wallet, intent=intent) for intent in intents[:10]],
        partial(freeze_wallet, wallet=wallet, reason="The phone was stolen."),
        *[partial(pay_intent_from_wallet, wallet=wallet, intent=intent) for intent in intents[10:]],
    ]

    tally = outcomes(at_once(works))

    paid = WalletPayment.objects.count()
    assert tally == Tally({"done": 1 + paid, "wallet_frozen": 20 - paid})
    assert on(wallet) == (D(2000 - 100 * paid), D(2000 - 100 * paid))
    assert Wallet.objects.get().status == "frozen"


def test_a_wallet_is_closed_or_filled_never_both_in_silence(counter: Counter) -> None:
    """given a paid deposit / when it is credited while the wallet is closed / then its money is there, and seen."""
    for number in range(8):
        wallet = counter.wallet(f"C-{number}")
        deposit = counter.begin(wallet, "100")
        counter.pay(deposit.payment_intent)
        outcomes(at_once([partial(credit_deposit, deposit=deposit), partial(close_wallet, wallet=wallet)]))
        wallet.refresh_from_db()
        assert on(wallet) == (D(100), D(100))
        assert wallet.status in {"active", "frozen"}


def test_a_customer_s_wallet_is_opened_once_by_20_threads(counter: Counter) -> None:
    """given no wallet / when 20 threads open one customer's / then all get the same."""
    details = WalletDetails(currency="KES", customer_reference="C-1")
    found = answers(at_once([partial(open_wallet, store=counter.store, livemode=False, details=details)] * 20))
    assert len({wallet.pk for wallet in found}) == Wallet.objects.count() == 1
    assert Event.objects.filter(type="wallet.created").count() == 1
