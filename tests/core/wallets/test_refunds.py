"""What a wallet paid goes back to it by an ordinary refund: at once, once, never more than it paid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.problems import Invalid
from majuu_core.events.handlers import run_due_handlers
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.payments.models import Charge, PaymentIntent, ProviderCall, Refund
from majuu_core.payments.refund_outcomes import resolve_refund, run_due_refund_questions
from majuu_core.payments.refunds import RefundDetails, create_refund, plan_refund
from majuu_core.wallets.models import Wallet
from majuu_core.wallets.refunds import handle_refund
from majuu_core.wallets.services import close_wallet
from majuu_core.wallets.spending import pay_intent_from_wallet
from majuu_core.webhooks.dispatch import dispatch_due
from tests.core.wallets.support import Counter, on, told

D = Decimal


def paid(counter: Counter, wallet: Wallet, amount: str = "300") -> Charge:
    return pay_intent_from_wallet(wallet=wallet, intent=counter.intent(amount)).charge


def give_back(counter: Counter, amount: str | None = None, **fields: Any) -> list[Refund]:
    money = None if amount is None else Money(amount, "KES")
    key = fields.pop("request_key", "")
    details = RefundDetails(amount=money, reason="Wrong size", **fields)
    return create_refund(store=counter.store, livemode=False, details=details, request_key=key)


def test_it_is_on_the_wallet_again_at_once(counter: Counter) -> None:
    """given 300 paid from a wallet / when 120 go back / then it succeeded, everywhere, and no provider was called."""
    wallet = counter.wallet(funds="500")
    charge = paid(counter, wallet)
    calls = ProviderCall.objects.count()

    (refund,) = give_back(counter, "120", charge=charge.public_id)

    refund = Refund.objects.get(pk=refund.pk)
    assert (refund.status, refund.method, refund.books_as) == ("succeeded", "wallet", "reversal")
    assert (refund.hold_id, refund.follow_up_at, refund.occurred_at) == (None, None, refund.created_at)
    assert (on(wallet), counter.payable()) == ((D(320), D(320)), D(180))
    charge.refresh_from_db()
    intent = PaymentIntent.objects.get(pk=charge.payment_intent_id)
    assert (charge.amount_refunded, intent.amount_refunded, intent.refunded_unapplied) == (D(120), D(120), D(0))
    assert told(refund) == ["refund.created", "refund.succeeded"]
    statuses = [event.data["refund"]["status"] for event in Event.objects.filter(object_id=refund.public_id)]
    assert sorted(statuses) == ["pending", "succeeded"]
    actions = AuditEntry.objects.filter(object_id=refund.public_id).values_list("action", flat=True)
    assert sorted(actions) == ["refund.created", "refund.succeeded"]
    booked = LedgerTransaction.objects.filter(reference=refund.public_id).order_by("pk")
    steps = [(f"{refund.public_id}:{step}", "wallet_refund") for step in ("hold", "post")]
    assert list(booked.values_list("key", "kind")) == steps
    assert ProviderCall.objects.count() == calls


def test_the_plan_names_the_wallet_and_nothing_else(counter: Counter) -> None:
    """given a charge paid from a wallet / when a refund is planned / then the one way is the wallet, from earnings."""
    charge = paid(counter, counter.wallet(funds="500"))
    plan = plan_refund(charge=charge)
    assert plan.chosen is not None
    assert (plan.chosen.method, plan.chosen.reason) == (
        "wallet",
        "It goes back to the wallet that paid, at once; no provider takes part.",
    )
    assert (plan.alternatives, plan.rejected, plan.missing) == ((), (), ())
    assert [(source.account, source.amount) for source in plan.sources] == [("store_payable", Money(300, "KES"))]
    with pytest.raises(Invalid) as refused:
        plan_refund(charge=charge, method="reversal")
    assert refused.value.code == "refund_method_unknown"


def test_never_more_than_it_paid(counter: Counter) -> None:
    """given 300 paid / when parts go back to the last cent and one more is asked for / then that one is refused."""
    wallet = counter.wallet(funds="500")
    charge = paid(counter, wallet)
    for amount in ("100", "199.99", "0.01"):
        give_back(counter, amount, charge=charge.public_id)
    with pytest.raises(Invalid) as refused:
        give_back(counter, "0.01", charge=charge.public_id)
    assert refused.value.code == "refund_nothing_left"
    assert (on(wallet), counter.payable(), Refund.objects.count()) == ((D(500), D(500)), D(0), 3)


def test_the_same_request_finds_its_refund(counter: Counter) -> None:
    """given a request that made a refund / when it comes again / then that one is the answer and nothing moves."""
    wallet = counter.wallet(funds="500")
    charge = paid(counter, wallet)
    first = give_back(counter, "120", charge=charge.public_id, request_key="k1")
    again = give_back(counter, "120", charge=charge.public_id, request_key="k1")
    assert ([row.pk for row in again], on(wallet)) == ([first[0].pk], (D(320), D(320)))


def test_an_intent_paid_by_wallets_and_a_provider_goes_back_each_its_way(counter: Counter) -> None:
    """given 1000 by two wallet payments and a provider / when all goes back / then each part is where it came from."""
    wallet, other = counter.wallet(funds="400"), counter.wallet("C-2", funds="250")
    intent = counter.intent("1000")
    pay_intent_from_wallet(wallet=wallet, intent=intent, amount=Money(400, "KES"))
    pay_intent_from_wallet(wallet=other, intent=intent, amount=Money(250, "KES"))
    counter.pay(PaymentIntent.objects.get(pk=intent.pk))

    refunds = give_back(counter, payment_intent=intent.public_id)

    ways = [(row.method, row.status, row.amount.amount) for row in refunds]
    assert ways == [
        ("refund", "succeeded", D(350)),
        ("wallet", "succeeded", D(250)),
        ("wallet", "succeeded", D(400)),
    ]
    assert (on(wallet), on(other), counter.payable()) == ((D(400), D(400)), (D(250), D(250)), D(0))
    assert PaymentIntent.objects.get(pk=intent.pk).amount_refunded == D(1000)


def test_it_is_never_asked_about_nor_booked_again(counter: Counter) -> None:
    """given a refund to a wallet / when questions run and a person takes note of it / then nothing moves."""
    wallet = counter.wallet(funds="500")
    (refund,) = give_back(counter, charge=paid(counter, wallet).public_id)
    transactions = LedgerTransaction.objects.count()
    assert run_due_refund_questions() == 0
    resolve_refund(refund=refund, succeeded=None, reason="Looked at it.")
    assert (LedgerTransaction.objects.count(), on(wallet)) == (transactions, (D(500), D(500)))


def test_custody_switched_off_locks_nobody_s_money_in(counter: Counter, settings: Any) -> None:
    """given a payment from a wallet / when custody is switched off / then it can still go back."""
    wallet = counter.wallet(funds="500")
    charge = paid(counter, wallet)
    settings.MAJUU_CUSTODIAL = False
    assert give_back(counter, charge=charge.public_id)[0].status == "succeeded"
    assert on(wallet) == (D(500), D(500))


def test_a_closed_wallet_is_opened_again_frozen(counter: Counter) -> None:
    """given a wallet that paid and was closed / when money comes back / then it is frozen, for somebody to look at."""
    wallet = counter.wallet(funds="300")
    charge = paid(counter, wallet)
    close_wallet(wallet=wallet)
    give_back(counter, "100", charge=charge.public_id)

    while dispatch_due() or run_due_handlers():
        pass

    wallet.refresh_from_db()
    assert (wallet.status, wallet.status_reason) == ("frozen", "Money came back by a refund after it had been closed.")
    assert on(wallet) == (D(100), D(100))
    changes = told(wallet).count("wallet.updated")
    handle_refund(Event.objects.get(type="refund.succeeded"))
    assert told(wallet).count("wallet.updated") == changes


def test_others_refunds_open_nothing(counter: Counter) -> None:
    """given a refund of a provider's charge, and one to an active wallet / when handled / then wallets stay."""
    wallet = counter.wallet(funds="500")
    give_back(counter, charge=paid(counter, wallet).public_id)
    give_back(counter, charge=counter.pay(counter.intent("40")).charges.get().public_id)
    for event in Event.objects.filter(type="refund.succeeded"):
        handle_refund(event)
    wallet.refresh_from_db()
    assert (wallet.status, told(wallet).count("wallet.updated")) == ("active", 0)
