"""Money on its way into a wallet: all of it arrives, once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Invalid
from majuu_core.events.handlers import run_due_handlers
from majuu_core.events.models import Event, HandlerRun
from majuu_core.ledger.chart import AccountKind
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.majuu_hooks import register_event_handlers, validate_refund
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.payments.settling import apply_result
from majuu_core.providers import Failure, FailureCode, Result, ResultStatus
from majuu_core.wallets.deposits import (
    DepositDetails,
    create_deposit,
    credit_deposit,
    credit_watched_deposits,
    handle_payment,
)
from majuu_core.wallets.models import Wallet, WalletDeposit
from majuu_core.wallets.services import close_wallet
from majuu_core.webhooks.dispatch import dispatch_due
from tests.core.wallets.support import Counter, on, told

D = Decimal
DECLINED = Failure(code=FailureCode.DECLINED, provider_code="1", message="Declined.")
PAID = Result(status=ResultStatus.SUCCEEDED)
SLOW = "7723"  # pending for an hour, then paid
FORGOTTEN = "7724"  # pending for ever


class Nothing:
    """A plugin without hooks: with it, what every plugin registers is collected anew."""


def deposits_booked() -> int:
    return LedgerTransaction.objects.filter(kind__startswith="wallet_deposit").count()


def event_of(intent: PaymentIntent, type: str = "payment_intent.succeeded") -> Event:
    return Event.objects.get(object_id=intent.public_id, type=type)


def test_a_deposit_is_an_intent_of_the_store(counter: Counter) -> None:
    """given a wallet / when a deposit begins / then an intent asks for it, for this customer; nothing is credited."""
    wallet = counter.wallet("C-1")
    deposit = counter.begin(wallet, "1500", description="Top up")
    intent = deposit.payment_intent
    assert (intent.amount, intent.status) == (Money(1500, "KES"), "requires_payment_method")
    assert (intent.reference, intent.description, intent.customer_phone) == ("C-1", "Top up", "254712345678")
    assert intent.metadata == {"wallet": wallet.public_id}
    assert on(wallet) == (D(0), D(0))


def test_what_was_paid_moves_to_the_wallet(counter: Counter) -> None:
    """given a paid deposit / when its event is handled / then the money stands on the wallet, not at the store."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, "1500")
    intent = counter.pay(deposit.payment_intent)
    assert (counter.payable(), on(wallet)) == (D(1500), (D(0), D(0)))

    handle_payment(event_of(intent))

    assert (counter.payable(), on(wallet)) == (D(0), (D(1500), D(1500)))
    assert told(deposit) == ["wallet.credited"]
    shown = Event.objects.get(type="wallet.credited").data["wallet_deposit"]
    assert (shown["credited"], shown["wallet"], shown["payment_intent"]["status"]) == (
        "1500.00",
        wallet.public_id,
        "succeeded",
    )


def test_handled_twice_it_is_credited_once(counter: Counter) -> None:
    """given a credited deposit / when the handler, the loop and the service come again / then nothing moves."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, "1500")
    event = event_of(counter.pay(deposit.payment_intent))
    handle_payment(event)

    handle_payment(event)
    assert credit_deposit(deposit=deposit) == Money(0, "KES")
    assert credit_watched_deposits() == 0

    assert (on(wallet), deposits_booked()) == ((D(1500), D(1500)), 1)
    assert told(deposit) == ["wallet.credited"]


def test_the_outbox_brings_it(counter: Counter, temporary_plugin: Callable[[object], object]) -> None:
    """given wallets are allowed when the site starts / when the worker runs / then the deposit is credited."""
    temporary_plugin(Nothing())
    wallet = counter.wallet()
    counter.pay(counter.begin(wallet, "1500").payment_intent)
    counter.pay(counter.intent("40"))  # nobody's deposit

    while dispatch_due() or run_due_handlers():
        pass

    assert on(wallet) == (D(1500), D(1500))
    runs = HandlerRun.objects.filter(handler="majuu.wallet_deposits")
    assert list(runs.values_list("state", flat=True)) == ["succeeded"] * 2


def test_sites_without_wallets_have_no_handler(settings: Any) -> None:
    """given wallets are not allowed / when handlers are registered / then payments have no run to make."""
    settings.MAJUU_CUSTODIAL = False
    assert "majuu.wallet_deposits" not in {handler.name for handler in register_event_handlers()}
    settings.MAJUU_CUSTODIAL = True
    assert "majuu.wallet_deposits" in {handler.name for handler in register_event_handlers()}


def test_the_worker_finds_what_the_handler_lost(counter: Counter, settings: Any) -> None:
    """given a paid deposit that no handler saw / when the loop comes, wallets off meanwhile / then it is credited."""
    wallet = counter.wallet()
    counter.pay(counter.begin(wallet, "1500").payment_intent)
    counter.begin(wallet, "99")  # not paid
    settings.MAJUU_CUSTODIAL = False

    assert (credit_watched_deposits(), credit_watched_deposits()) == (1, 0)
    assert on(wallet) == (D(1500), D(1500))


def test_the_worker_stops_looking_in_the_end(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a deposit that expired four days ago / when the loop comes / then it does not look at it any more."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, "1500")
    counter.pay(deposit.payment_intent)
    virtual_clock.advance(5 * 24 * 3600)
    assert credit_watched_deposits() == 0
    assert credit_deposit(deposit=deposit) == Money(1500, "KES")


def test_parts_are_credited_as_they_arrive(counter: Counter) -> None:
    """given a deposit of 1500 / when 600 and then 900 are paid / then each is credited at its event."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, "1500")

    intent = counter.pay(deposit.payment_intent, "600")
    handle_payment(event_of(intent, "payment_intent.partially_paid"))
    assert on(wallet) == (D(600), D(600))
    intent = counter.pay(intent)
    handle_payment(event_of(intent))
    handle_payment(event_of(intent, "payment_intent.partially_paid"))

    assert (on(wallet), counter.payable(), deposits_booked()) == ((D(1500), D(1500)), D(0), 2)


def test_paid_twice_all_of_it_is_the_customer_s(counter: Counter) -> None:
    """given a deposit paid by two charges / when the second succeeds late / then its surplus is credited as well."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, SLOW)
    intent = counter.pay(deposit.payment_intent)
    first = intent.charges.get()
    apply_result(charge_id=first.pk, result=Result(status=ResultStatus.FAILED, failure=DECLINED))
    second = counter.pay(PaymentIntent.objects.get(pk=intent.pk))
    apply_result(charge_id=second.charges.exclude(pk=first.pk).get().pk, result=PAID)
    credit_deposit(deposit=deposit)

    apply_result(charge_id=first.pk, result=PAID)
    handle_payment(event_of(intent, "payment_intent.overpaid"))

    deposit.refresh_from_db()
    assert (deposit.credited, deposit.credited_surplus) == (D(7723), D(7723))
    assert on(wallet) == (D(15446), D(15446))
    assert (counter.payable(), counter.payable(AccountKind.STORE_SURPLUS)) == (D(0), D(0))
    assert told(deposit) == ["wallet.credited", "wallet.credited"]


@pytest.mark.parametrize("reported", ["7720", "7800"])
def test_another_amount_than_asked_for_waits_for_a_person(counter: Counter, reported: str) -> None:
    """given a charge of 7723 / when the provider reports less, or more / then it is parked and nothing is credited."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, SLOW)
    charge = counter.pay(deposit.payment_intent).charges.get()

    applied = apply_result(charge_id=charge.pk, result=Result(status=PAID.status, amount=Money(reported, "KES")))

    assert applied.charge.is_parked
    assert credit_deposit(deposit=deposit) == Money(0, "KES")
    assert (on(wallet), counter.payable(AccountKind.STORE_UNAPPLIED)) == ((D(0), D(0)), D(reported))


def test_money_after_the_deposit_was_canceled_is_credited(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a prompt still on a phone / when the intent is canceled and paid all the same / then it is credited."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, SLOW)
    intent = counter.pay(deposit.payment_intent)
    cancel_payment_intent(intent=intent)

    virtual_clock.advance(3601)
    run_due_follow_ups()
    assert credit_watched_deposits() == 1

    assert on(wallet) == (D(7723), D(7723))


def test_money_for_a_closed_wallet_opens_it_again_frozen(counter: Counter, virtual_clock: VirtualClock) -> None:
    """given a wallet closed with a deposit under way / when that is paid / then it is credited and frozen."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, SLOW)
    counter.pay(deposit.payment_intent)
    close_wallet(wallet=wallet)

    virtual_clock.advance(3601)
    run_due_follow_ups()
    credit_watched_deposits()

    wallet.refresh_from_db()
    assert (wallet.status, wallet.status_reason) == (
        Wallet.Status.FROZEN,
        "Money of a deposit arrived after it had been closed.",
    )
    assert on(wallet) == (D(7723), D(7723))


def test_a_failed_deposit_credits_nothing(counter: Counter) -> None:
    """given a deposit whose payment is declined / when handled / then the wallet and the books are as before."""
    wallet = counter.wallet()
    deposit = counter.begin(wallet, "7702")
    intent = counter.pay(deposit.payment_intent)
    assert intent.status == "requires_payment_method"
    assert credit_deposit(deposit=deposit) == Money(0, "KES")
    assert (on(wallet), deposits_booked()) == ((D(0), D(0)), 0)


def test_a_deposit_in_another_currency_is_refused(counter: Counter) -> None:
    """given a wallet in KES / when a deposit in USD begins / then Invalid and there is no intent."""
    wallet = counter.wallet()
    with pytest.raises(Invalid) as refusal:
        create_deposit(wallet=wallet, details=DepositDetails(amount=Money(10, "USD")))
    assert refusal.value.code == "currency_mismatch"
    assert (PaymentIntent.objects.count(), WalletDeposit.objects.count()) == (0, 0)


def test_events_about_something_else_pass(counter: Counter) -> None:
    """given events of an ordinary intent, and one that names no intent / when handled / then nothing happens."""
    event = event_of(counter.pay(counter.intent("100")))
    handle_payment(event)
    event.object_id = "wal_nonsense"
    handle_payment(event)
    assert deposits_booked() == 0


def test_a_deposit_is_not_refunded_from_the_store_s_money(counter: Counter) -> None:
    """given charges of a deposit, of an order, and a parked one / when refunded / then only the first is refused."""
    counter.fill(counter.wallet(), "500")
    deposited = Charge.objects.get()
    ordinary = counter.pay(counter.intent("100")).charges.get()

    assert [item.code for item in validate_refund(refund=None, charge=deposited)] == ["charge_fills_wallet"]
    assert validate_refund(refund=None, charge=ordinary) == []
    deposited.is_parked = True
    assert validate_refund(refund=None, charge=deposited) == []
