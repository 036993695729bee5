"""Promise P8 and demand 18 with threads: one winner of a receipt, one booking of what two channels tell of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from moneyed import Money

from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.database.batch import WriteBatch
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.merchants.provider_accounts import deactivate_provider_account, provider_for
from majuu_core.payments import payouts
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.claim_undoing import confirm_claim_undo, request_claim_undo
from majuu_core.payments.incoming_settling import run_due_incoming
from majuu_core.payments.models import Charge, Claim, IncomingPayment, Payout
from majuu_core.payments.payouts import PayoutDetails, create_payout
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.incoming_support import PHONE, arrive, claim, payable, the_money, unclaimed
from tests.core.payments.support import Till
from tests.core.payments.test_incoming_links import PENDING, assert_counted_once, hand_out, paid, prompted
from tests.core.races.threads import Rendezvous, answers, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("custodian")]
RECEIPT = "UKP7X1A2B3"


def outcome_of(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Conflict as problem:
        return problem


def test_100_claims_of_one_receipt_have_one_winner(till: Till) -> None:
    arrive(make_provider_account(platform=True))
    stores = [till.store, *(make_store(name=f"Store {number}") for number in range(9))]

    def four_claims(first: int) -> list[Any]:
        """One connection's share: a hundred connections are more than a usual server has."""
        return [
            outcome_of(partial(claim, stores[number % 10], RECEIPT, f"order {number}"))
            for number in range(first, first + 4)
        ]

    shares = answers(at_once([partial(four_claims, first) for first in range(0, 100, 4)]))
    results = [result for share in shares for result in share]
    won = [result for result in results if isinstance(result, Claim)]
    refused = [result.code for result in results if isinstance(result, Conflict)]
    assert (len(won), refused) == (1, ["incoming_payment_claimed"] * 99)
    assert (the_money().store, Claim.objects.get()) == (won[0].store, won[0])
    assert [payable(store) for store in stores] == [Decimal(1500 * (store == won[0].store)) for store in stores]
    assert (unclaimed(), LedgerTransaction.objects.filter(kind="incoming_claim").count()) == (Decimal(0), 1)
    assert Event.objects.filter(type="incoming_payment.claimed").count() == 1


def test_the_same_claim_32_times_at_once_is_one_answer(till: Till) -> None:
    arrive(make_provider_account(platform=True))
    assert len({made.pk for made in answers(at_once([partial(claim, till.store)] * 32))}) == 1
    assert payable(till.store) == Decimal(1500)


def test_the_receipt_of_a_charge_is_used_once_by_32_threads(till: Till) -> None:
    _, charge = till.pay_new("1500")
    works = [partial(claim, till.store, charge.receipt or "", f"order {number}") for number in range(32)]
    results = at_once(works)
    assert sum(isinstance(result, Claim) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 31


def test_16_notices_of_one_payment_book_it_once(till: Till) -> None:
    intent = till.intent("1500", reference="1001")
    work = partial(arrive, till.account, account_reference="1001")
    answers(at_once([work] * 16))
    intent.refresh_from_db()
    assert (intent.status, intent.surplus.amount, Charge.objects.count()) == ("succeeded", 0, 1)
    assert till.books()["provider_clearing"] == (Decimal(1500), Decimal(0))


def test_claims_against_the_matching_reference(till: Till) -> None:
    """A claim onto one intent and the account reference of another: the money pays one of them."""
    named, other = till.intent("1500", reference="1001"), till.intent("1500", reference="2002")
    works: list[Callable[[], Any]] = [partial(arrive, till.account, account_reference="1001")]
    works += [partial(claim, till.store, payment_intent=other.public_id)] * 8
    at_once(works)
    for intent in (named, other):
        intent.refresh_from_db()
    assert sorted([named.status, other.status]) == ["requires_payment_method", "succeeded"]
    assert till.books()["store_payable"] == (Decimal(1500), Decimal(0))


@pytest.mark.parametrize("receipt", [RECEIPT, None])
@pytest.mark.parametrize("repetition", range(4))
def test_a_charge_and_its_notice_at_once_count_once(
    till: Till, virtual_clock: VirtualClock, receipt: str | None, repetition: int
) -> None:
    charge = prompted(till)
    works: list[Callable[[], Any]] = [partial(paid, Charge.objects.get(pk=charge.pk), receipt)]
    works += [partial(arrive, till.account, RECEIPT, PENDING, account_reference="1001")] * 3
    works += [partial(claim, till.store)] * 2 + [hand_out] * 2
    at_once(works)
    hand_out()
    virtual_clock.advance(10)
    run_due_incoming()
    assert_counted_once(till, charge)


@pytest.mark.parametrize("repetition", range(6))
def test_undoing_a_claim_and_paying_its_money_out_at_once_spends_it_once(till: Till, repetition: int) -> None:
    """Given a store that has nothing but the claimed 1,500, then they are paid out or nobody's again, never both."""
    deactivate_provider_account(account=till.account)
    arrive(make_provider_account(platform=True))
    made = claim(till.store)
    with acting_as(Actor(type="user", id="1")):
        request_claim_undo(claim=made, reason="Wrong order")

    def undo() -> str:
        with acting_as(Actor(type="user", id="2")):
            confirm_claim_undo(claim=made)
        return "undone"

    def pay_out(number: int) -> str:
        details = PayoutDetails(amount=Money(1500, "KES"), reference=f"P-{number}", destination={"phone": PHONE})
        create_payout(store=till.store, livemode=False, details=details)
        return "paid out"

    works: list[Callable[[], str]] = [undo, *(partial(pay_out, number) for number in range(4))]
    results = at_once(works)
    done = [result for result in results if isinstance(result, str)]
    refused = sorted(result.code for result in results if isinstance(result, Conflict))
    assert len(done) == 1
    if done == ["undone"]:
        assert refused == ["insufficient_funds"] * 4
        assert (the_money().ownership, unclaimed(), payable(till.store)) == ("unclaimed", Decimal(1500), Decimal(0))
    else:
        assert refused == ["claim_money_gone"] + ["insufficient_funds"] * 3
        assert (the_money().ownership, unclaimed(), payable(till.store)) == ("claimed", Decimal(0), Decimal(0))


def test_an_undoing_waits_for_a_payout_that_is_spending_the_money(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a payout that has looked at the money and not booked yet, when undone, then the undoing sees it gone."""
    deactivate_provider_account(account=till.account)
    arrive(make_provider_account(platform=True))
    made = claim(till.store)
    with acting_as(Actor(type="user", id="1")):
        request_claim_undo(claim=made, reason="Wrong order")
    inside, original = Rendezvous(), payouts.add_payout

    def slowly(batch: WriteBatch, payout: Payout) -> None:
        inside.stop_here()
        original(batch, payout)

    monkeypatch.setattr(payouts, "add_payout", slowly)

    def pay_out() -> str:
        details = PayoutDetails(amount=Money(1500, "KES"), reference="P-1", destination={"phone": PHONE})
        return create_payout(store=till.store, livemode=False, details=details).status

    def undo() -> str:
        inside.reached.wait(20)
        threading.Timer(1, inside.go_on.set).start()  # the undoing is under way by then, and waits
        with acting_as(Actor(type="user", id="2")):
            confirm_claim_undo(claim=made)
        return "undone"

    sent, refused = at_once([pay_out, undo])
    assert isinstance(refused, Conflict)
    assert (sent, refused.code) == ("succeeded", "claim_money_gone")
    assert (the_money().ownership, payable(till.store)) == ("claimed", Decimal(0))


def test_a_message_over_http_16_times_at_once(till: Till) -> None:
    from django.test import Client

    from tests.core.payments.incoming_support import money

    provider: Any = provider_for(till.account)
    request = provider.make_incoming_webhook(money(receiver="MOCK-TILL"))
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    path = f"{account_callback_url(till.account.pk).removeprefix('http://testserver')}/notice"

    def deliver() -> int:
        return (
            Client().generic("POST", path, request.body, content_type="application/json", headers=headers).status_code
        )

    assert answers(at_once([deliver] * 16)) == [200] * 16
    assert (IncomingPayment.objects.count(), unclaimed()) == (1, Decimal(1500))
