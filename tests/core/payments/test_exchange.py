"""Charges in another currency than their intent's: offered at a promised rate only, and exact in the books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.common.money import round_to_currency
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.ledger.chart import AccountKind, AccountRef, fx_trading
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.calls import Conversation
from majuu_core.payments.captures import capture_payment_intent
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent, offered_accounts
from majuu_core.payments.cover import Spending, require_cover
from majuu_core.payments.exchange import refund_settles
from majuu_core.payments.models import Charge, PaymentIntent, Refund
from majuu_core.payments.outgoing import apply_outgoing
from majuu_core.payments.questions import ask
from majuu_core.payments.refund_outcomes import REFUNDS
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.payments.representation import represent_charge
from majuu_core.payments.settling import apply_result
from majuu_core.plugins.contributions import FxQuote
from majuu_core.plugins.markers import hookimpl
from majuu_core.providers import Failure, FailureCode, PaymentMethodInfo, PaymentProvider, Result, ResultStatus
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.fake import FakeProvider
from majuu_core.testing.mock_amounts import amount_named
from tests.core.payments.refund_support import give_back
from tests.core.payments.support import Till

RATE = Decimal("0.0077")


class DollarProvider(FakeProvider):
    """Takes dollars and yen only, as PayPal takes no shillings."""

    code = "dollars"
    info = replace(
        FakeProvider.info,
        payment_methods=(PaymentMethodInfo(code="dollar_wallet", label="Dollar wallet"),),
        currencies=frozenset({"USD", "JPY"}),
    )


class Exchange:
    """A plugin with the provider and a fixed rate, which can be taken away or go wrong."""

    def __init__(self) -> None:
        self.rate: Decimal | None = RATE
        self.wrong: Money | None = None
        self.asked = 0
        self.answers = 1000

    @hookimpl
    def register_payment_providers(self) -> list[type[PaymentProvider]]:
        return [DollarProvider]

    @hookimpl
    def quote_fx(self, amount: Money, to_currency: str, at: datetime) -> FxQuote | None:
        if self.rate is None or to_currency != "USD" or self.asked >= self.answers:
            return None
        self.asked += 1
        fair = round_to_currency(Money(amount.amount * self.rate, to_currency))
        converted = fair if self.wrong is None else self.wrong
        return FxQuote(
            amount=amount, converted=converted, rate=self.rate, source="fixed", expires_at=at + timedelta(minutes=5)
        )


@pytest.fixture
def exchange(temporary_plugin: Callable[[object], object]) -> Exchange:
    plugin = Exchange()
    temporary_plugin(plugin)
    return plugin


@pytest.fixture
def dollar_till(till: Till, exchange: Exchange) -> Till:
    till.account = make_provider_account(store=till.store, provider="dollars", name="Dollars")
    return till


def pay(till: Till, intent: PaymentIntent, part: str | None = None) -> tuple[PaymentIntent, Charge]:
    choice = PaymentChoice(payment_method="dollar_wallet", amount=None if part is None else Money(part, "KES"))
    return confirm_payment_intent(intent=intent, choice=choice)


def trading(currency: str, other: str) -> Decimal:
    posted: Decimal = balance(fx_trading(currency, other, livemode=False)).posted.amount
    return posted


@contextmanager
def refused(problem: type[Exception], code: str) -> Iterator[None]:
    with pytest.raises(problem) as caught:
        yield
    assert caught.value.code == code  # type: ignore[attr-defined]


def test_shillings_are_charged_in_dollars_at_the_promised_rate(dollar_till: Till) -> None:
    # when: KES 1500 at 0.0077 are USD 11.55
    intent, charge = pay(dollar_till, dollar_till.intent("1500"))
    # then
    assert (charge.status, charge.amount, charge.amount_received) == (
        "succeeded",
        Money("11.55", "USD"),
        Money("11.55", "USD"),
    )
    assert (charge.settles_amount, charge.fx_rate, charge.fx_source) == (Decimal(1500), RATE, "fixed")
    assert (intent.status, intent.amount_received, intent.surplus) == ("succeeded", Money(1500, "KES"), Money(0, "KES"))
    assert represent_charge(charge, intent_id=intent.public_id)["exchange"] == {
        "amount": "1500.00",
        "currency": "KES",
        "rate": "0.0077",
        "source": "fixed",
    }


def test_the_books_meet_in_the_trading_account(dollar_till: Till) -> None:
    pay(dollar_till, dollar_till.intent("1500"))
    assert dollar_till.books("USD") == {"provider_clearing": (Decimal("11.55"), Decimal(0))}
    assert dollar_till.books("KES") == {"store_payable": (Decimal(1500), Decimal(0))}
    assert (trading("USD", "KES"), trading("KES", "USD")) == (Decimal("11.55"), Decimal(-1500))
    assert list(find_problems()) == []


def test_a_pending_charge_holds_what_it_is_to_settle(dollar_till: Till, exchange: Exchange) -> None:
    # given
    exchange.wrong = Money(amount_named("pending_succeeds"), "USD")
    intent, charge = pay(dollar_till, dollar_till.intent("900000"))
    assert (charge.status, intent.status) == ("pending", "processing")
    assert dollar_till.books("KES") == {"store_payable": (Decimal(0), Decimal(900000))}
    assert dollar_till.books("USD") == {}
    # when
    paid = Result(status=ResultStatus.SUCCEEDED, amount=charge.amount, fee=Money("300.00", "USD"))
    apply_result(charge_id=charge.pk, result=paid)
    # then
    assert dollar_till.books("KES") == {"store_payable": (Decimal(900000), Decimal(0))}
    assert dollar_till.books("USD") == {
        "provider_clearing": (Decimal(7421), Decimal(0)),
        "provider_fees": (Decimal(300), Decimal(0)),
    }
    assert list(find_problems()) == []


def test_one_that_fails_lets_its_hold_go(dollar_till: Till, exchange: Exchange) -> None:
    exchange.wrong = Money(amount_named("declined"), "USD")
    intent, charge = pay(dollar_till, dollar_till.intent("900000"))
    assert (charge.status, intent.status) == ("failed", "requires_payment_method")
    assert dollar_till.books("KES") == dollar_till.books("USD") == {}


def test_it_is_not_offered_without_a_rate_and_says_why(dollar_till: Till, exchange: Exchange) -> None:
    intent = dollar_till.intent("1500")
    exchange.rate = None
    assert "dollar_wallet" not in offered_accounts(intent)
    with refused(Invalid, "payment_method_currency_unsupported"):
        pay(dollar_till, intent)
    with refused(Invalid, "payment_method_currency_unsupported"):
        dollar_till.intent("1500", payment_methods=["dollar_wallet"])
    assert (Charge.objects.count(), PaymentIntent.objects.count()) == (0, 1)


def test_it_is_offered_with_one(dollar_till: Till) -> None:
    intent = dollar_till.intent("1500", payment_methods=["dollar_wallet"])
    assert offered_accounts(intent) == {"dollar_wallet": [dollar_till.account]}


def test_a_currency_the_provider_takes_is_never_exchanged(dollar_till: Till, exchange: Exchange) -> None:
    _, charge = pay(dollar_till, dollar_till.intent("20", "USD"))
    assert (charge.amount, charge.settles_amount, exchange.asked) == (Money(20, "USD"), None, 0)


@pytest.mark.parametrize("wrong", [Money("11.555", "USD"), Money(0, "USD"), Money("11.55", "EUR")])
def test_a_quote_that_cannot_be_is_no_quote(dollar_till: Till, exchange: Exchange, wrong: Money) -> None:
    exchange.wrong = wrong
    assert "dollar_wallet" not in offered_accounts(dollar_till.intent("1500"))


def test_a_rate_that_is_gone_meanwhile_is_a_conflict(dollar_till: Till, exchange: Exchange) -> None:
    intent = dollar_till.intent("1500")
    exchange.answers = 1  # enough to be offered
    with refused(Conflict, "exchange_rate_gone"):
        pay(dollar_till, intent)
    assert Charge.objects.count() == 0


def test_parts_are_exchanged_each_at_its_own_rate(dollar_till: Till, exchange: Exchange) -> None:
    intent, _ = pay(dollar_till, dollar_till.intent("1500"), part="500")
    exchange.rate = Decimal("0.008")
    intent, second = pay(dollar_till, intent)
    assert (intent.status, intent.amount_received) == ("succeeded", Money(1500, "KES"))
    assert (second.amount, second.settles_amount) == (Money("8.00", "USD"), Decimal(1000))
    assert (trading("USD", "KES"), trading("KES", "USD")) == (Decimal("11.85"), Decimal(-1500))


def test_another_amount_than_charged_is_parked_in_its_own_currency(dollar_till: Till, exchange: Exchange) -> None:
    # given: one dollar less than asked
    exchange.wrong = Money(amount_named("wrong_amount"), "USD")
    intent, charge = pay(dollar_till, dollar_till.intent("900000"))
    assert (charge.is_parked, charge.settles_amount, intent.amount_received.amount) == (True, Decimal(0), 0)
    assert dollar_till.books("USD")["store_unapplied"] == (Decimal(7750), Decimal(0))
    assert dollar_till.books("KES") == {}
    # when
    refund = give_back(dollar_till, charge)
    # then
    charge.refresh_from_db()
    intent.refresh_from_db()
    assert (refund.status, refund.amount, refund.settles_amount) == ("succeeded", Money(7750, "USD"), Decimal(0))
    assert (charge.is_parked, intent.is_parked) == (False, False)
    assert intent.amount_refunded == intent.refunded_unapplied == Decimal(0)
    assert dollar_till.books("USD") == {}
    assert list(find_problems()) == []


def test_a_full_refund_gives_back_both_sides(dollar_till: Till) -> None:
    intent, charge = pay(dollar_till, dollar_till.intent("1500"))
    refund = give_back(dollar_till, charge)
    assert (refund.status, refund.amount, refund.settles_amount) == ("succeeded", Money("11.55", "USD"), Decimal(1500))
    intent.refresh_from_db()
    charge.refresh_from_db()
    assert (intent.amount_refunded, charge.amount_refunded) == (Decimal(1500), Decimal("11.55"))
    assert dollar_till.books("KES") == dollar_till.books("USD") == {}
    assert (trading("USD", "KES"), trading("KES", "USD")) == (Decimal(0), Decimal(0))
    assert list(find_problems()) == []


def test_partial_refunds_add_up_to_the_whole(dollar_till: Till) -> None:
    _, charge = pay(dollar_till, dollar_till.intent("1000"))  # USD 7.70
    shares = [give_back(dollar_till, charge, part).settles_amount for part in ("2.57", "2.57", "2.56")]
    assert shares == [Decimal("333.77"), Decimal("333.76"), Decimal("332.47")]
    assert dollar_till.books("KES") == {}


def test_parts_add_up_also_when_one_of_them_failed(dollar_till: Till, exchange: Exchange) -> None:
    # given: three dollars for KES 100, two of them on their way back
    exchange.wrong = Money(3, "USD")
    _, charge = pay(dollar_till, dollar_till.intent("100"))
    first, second = give_back(dollar_till, charge, "1"), give_back(dollar_till, charge, "1")
    assert (first.settles_amount, second.settles_amount) == (Decimal("33.33"), Decimal("33.34"))
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code="expired", message="The account is closed.")
    late = Result(status=ResultStatus.FAILED, failure=failure, occurred_at=clock.now() + timedelta(days=3))
    apply_outgoing(REFUNDS, first.pk, late)
    # when
    rest = [give_back(dollar_till, charge, "1").settles_amount for _ in range(2)]
    # then
    assert [second.settles_amount, *rest] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]


def test_what_was_paid_too_much_goes_back_first_in_the_books(
    dollar_till: Till, exchange: Exchange, virtual_clock: VirtualClock
) -> None:
    # given: the first attempt was given up and the intent paid by another; then its dollars came all the same
    exchange.wrong = Money(amount_named("pending_succeeds"), "USD")
    intent, late = pay(dollar_till, dollar_till.intent("1500"))
    failure = Failure(code=FailureCode.EXPIRED, provider_code="expired", message="It took too long.")
    apply_result(charge_id=late.pk, result=Result(status=ResultStatus.FAILED, failure=failure))
    exchange.wrong = None
    pay(dollar_till, PaymentIntent.objects.get(pk=intent.pk))
    virtual_clock.advance(6)
    truth, _ = ask(Conversation(late.provider_account, late), late)
    apply_result(charge_id=late.pk, result=truth)
    assert dollar_till.books("KES") == {
        "store_payable": (Decimal(1500), Decimal(0)),
        "store_surplus": (Decimal(1500), Decimal(0)),
    }
    # when
    refund = give_back(dollar_till, Charge.objects.get(pk=late.pk))
    assert dollar_till.books("KES")["store_surplus"] == (Decimal(1500), Decimal(1500))
    refund = apply_outgoing(REFUNDS, refund.pk, Result(status=ResultStatus.SUCCEEDED)).row
    # then
    assert (refund.status, refund.settles_amount) == ("succeeded", Decimal(1500))
    assert dollar_till.books("KES") == {"store_payable": (Decimal(1500), Decimal(0))}
    assert dollar_till.books("USD") == {"provider_clearing": (Decimal("11.55"), Decimal(0))}
    assert list(find_problems()) == []


def test_a_failed_refund_lets_both_holds_go(dollar_till: Till) -> None:
    _, charge = pay(dollar_till, dollar_till.intent("1500"))
    refund = give_back(dollar_till, charge, "5.00")
    later = clock.now() + timedelta(days=3)
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code="expired", message="The account is closed.")
    apply_outgoing(REFUNDS, refund.pk, Result(status=ResultStatus.FAILED, failure=failure, occurred_at=later))
    assert Refund.objects.get().status == "failed"
    assert dollar_till.books("KES") == {"store_payable": (Decimal(1500), Decimal(0))}
    assert (trading("USD", "KES"), trading("KES", "USD")) == (Decimal("11.55"), Decimal(-1500))
    intent = PaymentIntent.objects.get()
    assert intent.amount_refunded == 0
    assert list(find_problems()) == []


def test_what_came_in_dollars_to_an_account_of_its_own_covers_nothing_at_the_platforms(dollar_till: Till) -> None:
    # given: the merchant has its dollars already; the platform holds none of its shillings
    pay(dollar_till, dollar_till.intent("1500"))
    platform = make_provider_account(platform=True, name="Platform")
    source = AccountRef(AccountKind.STORE_PAYABLE, dollar_till.store.public_id, "KES", False)
    spending = Spending(dollar_till.store, platform, source, Money(1, "KES"))
    # then
    with refused(Conflict, "insufficient_funds"):
        require_cover([spending], "payout")


def test_an_intent_paid_in_two_currencies_gives_back_all_of_both_but_no_sum_of_them(dollar_till: Till) -> None:
    # given: KES 1000 as USD 7.70, and KES 500
    intent, dollars = pay(dollar_till, dollar_till.intent("1500"), part="1000")
    make_provider_account(store=dollar_till.store)
    _, shillings = confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))
    assert (dollars.amount, shillings.amount) == (Money("7.70", "USD"), Money(500, "KES"))

    def refund(amount: Money | None) -> list[Refund]:
        wanted = RefundDetails(payment_intent=intent.public_id, amount=amount, reason="Wrong size")
        return create_refund(store=dollar_till.store, livemode=False, details=wanted)

    # when: five hundred and seven of which currency?
    with refused(Invalid, "refund_several_currencies"):
        refund(Money("507.70", "KES"))
    assert Refund.objects.count() == 0
    made = refund(None)
    # then
    assert [one.amount for one in made] == [Money(500, "KES"), Money("7.70", "USD")]
    assert dollar_till.books("KES") == dollar_till.books("USD") == {}
    with refused(Invalid, "refund_nothing_left"):
        refund(None)
    assert list(find_problems()) == []


def test_a_store_of_another_merchant_is_not_offered_the_account(dollar_till: Till) -> None:
    other = Till()
    assert other.store.merchant_id != dollar_till.store.merchant_id
    assert "dollar_wallet" not in offered_accounts(other.intent("1500"))


@given(received=st.integers(1, 10**9), settled=st.integers(0, 10**9), parts=st.lists(st.integers(1, 10**9), max_size=8))
def test_refunds_never_take_more_than_was_settled(received: int, settled: int, parts: list[int]) -> None:
    owed: dict[str, Any] = {"amount": Money(1, "KES")}
    came: dict[str, Any] = {"amount": Money(received, "JPY"), "amount_received": Money(received, "JPY")}
    charge = Charge(**came, settles_amount=Decimal(settled) / 100, payment_intent=PaymentIntent(**owed))
    taken, gone = Decimal(0), 0
    for part in [*parts, received]:
        part = min(part, received - gone)
        share = refund_settles(charge, Decimal(gone), Money(part, "JPY"), taken=taken)
        assert share is not None
        assert share >= 0
        taken, gone = taken + share, gone + part
        assert taken <= Decimal(settled) / 100
    assert taken == Decimal(settled) / 100


def test_an_exchanged_authorization_is_captured_as_a_whole(dollar_till: Till) -> None:
    """given shillings held as dollars / when captured / then all of it settles the intent; a part is refused."""
    intent = dollar_till.intent("1500", capture_method="manual")
    choice = PaymentChoice(payment_method="dollar_wallet")
    intent, charge = confirm_payment_intent(intent=intent, choice=choice)
    assert (intent.status, intent.amount_capturable, charge.amount) == (
        "requires_capture",
        Decimal(1500),
        Money("11.55", "USD"),
    )
    with pytest.raises(Invalid) as refused:
        capture_payment_intent(intent=intent, amount=Money(700, "KES"))
    assert refused.value.code == "partial_capture_exchanged"
    intent, charge = capture_payment_intent(intent=intent, amount=Money(1500, "KES"))
    assert (intent.status, intent.amount_received, charge.amount_received) == (
        "succeeded",
        Money(1500, "KES"),
        Money("11.55", "USD"),
    )
    assert (intent.amount_capturable, charge.amount_to_capture) == (Decimal(0), Decimal("11.55"))
    assert list(find_problems()) == []
