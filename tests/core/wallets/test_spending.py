"""Paying intents from wallets: wholly, in parts, never more than there is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.problems import Conflict, Invalid, NotFound, Problem
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import candidate_accounts, rotate_credentials
from majuu_core.payments.charges import offered_accounts
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent, ProviderCall, Refund
from majuu_core.payments.own_money import account_that_paid, own_routes
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.wallets.models import WalletPayment
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.wallets.statements import list_movements
from tests.core.wallets.support import Counter, on, told

D = Decimal


def test_an_intent_is_paid_from_a_wallet(counter: Counter) -> None:
    """given 1500 on a wallet / when it pays an intent of 300 / then both sides, charge, intent and events agree."""
    wallet = counter.wallet(funds="1500")
    intent = counter.intent("300")

    payment = pay_intent_from_wallet(wallet=wallet, intent=intent)

    assert (on(wallet), counter.payable()) == ((D(1200), D(1200)), D(300))
    charge = Charge.objects.get(payment_intent=intent)
    assert (charge.status, charge.payment_method, charge.provider) == ("succeeded", "wallet", "wallet")
    assert (charge.amount_received, charge.fee) == (Money(300, "KES"), Money(0, "KES"))
    assert (charge.payer, charge.hold_id, charge.follow_up_at) == ("254712345678", None, None)
    paid = PaymentIntent.objects.get(pk=intent.pk)
    assert (paid.status, paid.amount_received) == ("succeeded", Money(300, "KES"))
    assert paid.succeeded_at == charge.occurred_at == charge.created_at
    assert told(intent) == ["payment_intent.created", "payment_intent.succeeded"]
    assert (told(charge), told(payment)) == (["charge.succeeded"], ["wallet.debited"])
    shown = Event.objects.get(type="wallet.debited").data["wallet_payment"]
    assert (shown["charge"]["status"], shown["payment_intent"]["status"]) == ("succeeded", "succeeded")
    booked = LedgerTransaction.objects.get(reference=charge.public_id)
    assert (booked.kind, booked.transfers.count()) == ("wallet_payment", 1)
    assert (
        AuditEntry.objects.filter(action__in=["charge.succeeded", "wallet.debited"]).count() == 3
    )  # with the deposit's


def test_a_part_from_a_wallet_the_rest_by_another_method(counter: Counter) -> None:
    """given an intent of 1000 / when 400 come from a wallet and the rest by the provider / then it succeeds once."""
    wallet = counter.wallet(funds="400")
    intent = counter.intent("1000")

    pay_intent_from_wallet(wallet=wallet, intent=intent, amount=Money(400, "KES"))
    assert PaymentIntent.objects.get(pk=intent.pk).status == "requires_payment_method"
    paid = counter.pay(PaymentIntent.objects.get(pk=intent.pk))

    assert (paid.status, paid.amount_received, paid.surplus) == ("succeeded", Money(1000, "KES"), Money(0, "KES"))
    assert (on(wallet), counter.payable()) == ((D(0), D(0)), D(1000))
    assert told(intent) == ["payment_intent.created", "payment_intent.partially_paid", "payment_intent.succeeded"]


def test_more_than_there_is_is_refused_without_a_trace(counter: Counter) -> None:
    """given 299.99 on a wallet / when it is to pay 300 / then 409, and no charge, event, entry or booking."""
    wallet = counter.wallet(funds="299.99")
    intent = counter.intent("300")
    counts = [model.objects.count() for model in (Charge, Event, AuditEntry, LedgerTransaction, WalletPayment)]

    with pytest.raises(Conflict) as refusal:
        pay_intent_from_wallet(wallet=wallet, intent=intent)

    assert refusal.value.code == "insufficient_funds"
    assert counts == [model.objects.count() for model in (Charge, Event, AuditEntry, LedgerTransaction, WalletPayment)]
    assert (on(wallet), PaymentIntent.objects.get(pk=intent.pk).status) == (
        (D("299.99"), D("299.99")),
        "requires_payment_method",
    )


def test_a_wallet_that_was_never_filled_pays_nothing(counter: Counter) -> None:
    """given a wallet without a ledger account / when it is to pay / then 409."""
    with pytest.raises(Conflict) as refusal:
        pay_intent_from_wallet(wallet=counter.wallet(), intent=counter.intent("1"))
    assert refusal.value.code == "insufficient_funds"


@pytest.mark.parametrize("amount", ["0", "-1", "300.01"])
def test_an_amount_that_is_not_owed_is_refused(counter: Counter, amount: str) -> None:
    """given an intent of 300 / when zero, less, or more is to be paid / then Invalid and nothing moved."""
    wallet = counter.wallet(funds="1500")
    with pytest.raises(Invalid) as refusal:
        pay_intent_from_wallet(wallet=wallet, intent=counter.intent("300"), amount=Money(amount, "KES"))
    assert refusal.value.code == "amount_out_of_range"
    assert on(wallet) == (D(1500), D(1500))


def test_intents_that_cannot_be_paid_are_refused(counter: Counter) -> None:
    """given intents paid, canceled, with a prompt open, and a deposit / when a wallet is to pay / then 409 each."""
    wallet = counter.wallet(funds="10000")
    intents = {
        "payment_intent_final": counter.pay(counter.intent("10")),
        "charge_in_progress": counter.pay(counter.intent("7724")),
        "deposit_from_wallet": counter.begin(wallet, "10").payment_intent,
    }
    canceled = cancel_payment_intent(intent=counter.intent("10"))
    for code, intent in [*intents.items(), ("payment_intent_final", canceled)]:
        with pytest.raises(Problem) as refusal:
            pay_intent_from_wallet(wallet=wallet, intent=intent)
        assert refusal.value.code == code
    assert (on(wallet), WalletPayment.objects.count()) == ((D(10000), D(10000)), 0)


def test_another_store_s_intent_is_not_there(counter: Counter) -> None:
    """given an intent of another store / when a wallet is to pay it / then not found; another currency: Invalid."""
    wallet, other = counter.wallet(funds="500"), Counter()
    with pytest.raises(NotFound):
        pay_intent_from_wallet(wallet=wallet, intent=other.intent("300"))
    with pytest.raises(Invalid) as refusal:
        pay_intent_from_wallet(wallet=wallet, intent=counter.intent("3", currency="USD"))
    assert refusal.value.code == "currency_mismatch"
    assert on(wallet) == (D(500), D(500))


def test_the_account_of_own_money_is_one_and_offers_nothing(counter: Counter) -> None:
    """given payments from wallets / when accounts are looked at / then there is one, that no payment is sent to."""
    wallet = counter.wallet(funds="500")
    for _ in range(2):
        pay_intent_from_wallet(wallet=wallet, intent=counter.intent("100"))
    own = ProviderAccount.objects.get(provider="wallet")
    assert (own.store, own.livemode, own.is_active) == (None, False, False)
    assert own not in candidate_accounts(store=counter.store, livemode=False)
    assert list(offered_accounts(counter.intent("1"))) == ["mock"]
    assert rotate_credentials().unreadable == []


def give_back(counter: Counter, charge: Charge, amount: str, key: str = "") -> list[Refund]:
    details = RefundDetails(charge=charge.public_id, amount=Money(amount, "KES"), reason="Wrong size")
    return create_refund(store=counter.store, livemode=False, details=details, request_key=key)


def test_what_a_wallet_paid_goes_back_to_it(counter: Counter) -> None:
    """given a charge paid from a wallet / when one request refunds a part twice / then the wallet has it once."""
    wallet = counter.wallet(funds="500")
    charge = pay_intent_from_wallet(wallet=wallet, intent=counter.intent("300")).charge
    (refund,) = give_back(counter, charge, "120", key="r-1")
    assert give_back(counter, charge, "120", key="r-1") == [refund]

    assert (refund.status, refund.follow_up_at, refund.hold_id) == ("succeeded", None, None)
    assert (on(wallet), counter.payable()) == ((D(320), D(320)), D(180))
    charge.refresh_from_db()
    assert charge.amount_refunded == 120
    assert list_movements(wallet, limit=1)[0][0].type == "refund"
    assert ProviderCall.objects.filter(about=refund.public_id).count() == 0
    events = Event.objects.filter(object_id=refund.public_id).order_by("pk").values_list("type", flat=True)
    assert list(events) == ["refund.created", "refund.succeeded"]


def test_a_wallet_gets_no_more_back_than_it_paid(counter: Counter) -> None:
    """given 300 paid from a wallet and 250 back / when 51 more are to go back / then refused, and nothing moves."""
    wallet = counter.wallet(funds="500")
    charge = pay_intent_from_wallet(wallet=wallet, intent=counter.intent("300")).charge
    give_back(counter, charge, "250")
    with pytest.raises(Invalid) as caught:
        give_back(counter, charge, "51")
    assert caught.value.code == "refund_amount_out_of_range"
    assert (on(wallet), counter.payable()) == ((D(450), D(450)), D(50))
    give_back(counter, charge, "50")
    assert (on(wallet), counter.payable()) == ((D(500), D(500)), D(0))


def test_an_intent_paid_from_a_wallet_and_by_a_provider_goes_back_to_both(counter: Counter) -> None:
    """given 100 from a wallet and 200 by a prompt / when the intent is refunded / then each has its own again."""
    wallet, intent = counter.wallet(funds="500"), counter.intent("300")
    pay_intent_from_wallet(wallet=wallet, intent=intent, amount=Money(100, "KES"))
    intent.refresh_from_db()
    counter.pay(intent)
    details = RefundDetails(payment_intent=intent.public_id)
    made = create_refund(store=counter.store, livemode=False, details=details)
    assert sorted((refund.status, refund.amount.amount) for refund in made) == [("succeeded", 100), ("succeeded", 200)]
    assert (on(wallet), counter.payable()) == ((D(500), D(500)), D(0))


def test_money_of_a_provider_has_no_account_of_ours_to_go_back_to(counter: Counter) -> None:
    """given a charge of the mock provider / when it is asked which account paid / then none, and no way of ours."""
    charge = counter.pay(counter.intent("100")).charges.get()
    assert (account_that_paid(charge), own_routes(charge)) == (None, ())


def test_the_work_does_not_grow_with_the_wallet(counter: Counter) -> None:
    """given a wallet with one payment and with twenty / when it pays again / then with the same number of queries."""
    wallet = counter.wallet(funds="5000")

    def queries() -> int:
        intent = counter.intent("10")
        with CaptureQueriesContext(connection) as seen:
            pay_intent_from_wallet(wallet=wallet, intent=intent)
        return len(seen)

    queries()
    first = queries()
    for _ in range(18):
        queries()
    assert queries() == first
