"""Money whose payer typed the order number in another way than the shop writes it, and money nobody need ask about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from majuu_core.common import clock
from majuu_core.events.handlers import run_due_handlers
from majuu_core.events.models import HandlerRun
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.services import update_store
from majuu_core.payments.claims import ClaimRequest, claim_incoming
from majuu_core.payments.incoming_settling import confirm_by_hand
from majuu_core.payments.intents import cancel_payment_intent
from majuu_core.payments.models import Claim
from majuu_core.payments.suggestion_reasons import AUTO_CLAIM_SCORE
from majuu_core.providers import Result, ResultStatus, Trust
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.dispatch import dispatch_due
from tests.core.payments.incoming_support import PHONE, arrive, the_money, unclaimed
from tests.core.payments.support import Till


@pytest.fixture
def paybill(till: Till, custodian: None) -> ProviderAccount:
    update_store(store=till.store, account_prefix="DUKA")
    return make_provider_account(platform=True)


def work() -> None:
    """The worker's turn: events are handed out, handlers run."""
    dispatch_due()
    run_due_handlers(100)


def choose(till: Till, score: int | None = AUTO_CLAIM_SCORE) -> None:
    Store.objects.filter(pk=till.store.pk).update(auto_claim_score=score)


@pytest.mark.parametrize(
    "typed",
    ["DUKAORD104526", "duka ord 10452 6", "DUKA0RD1O4526", "acc dukaord104526", "dukaord104526 john", "duka ord10452"],
)
def test_a_number_typed_in_another_way_pays_its_intent(till: Till, paybill: ProviderAccount, typed: str) -> None:
    till.intent("1500", reference="ORD-10453")
    intent = till.intent("1500", reference="ORD-10452")
    arrive(paybill, account_reference=typed)
    intent.refresh_from_db()
    assert intent.status == "succeeded"
    assert (the_money().payment_intent, Claim.objects.get().method) == (intent, "reference")
    assert list(find_problems()) == []


@pytest.mark.parametrize("typed", ["DUKAORD104256", "ORD-10452 john", "DUKA shoes 10452", "SOKONI ORD10452"])
def test_what_is_not_the_whole_number_is_left_to_suggestions(till: Till, paybill: ProviderAccount, typed: str) -> None:
    intent = till.intent("1500", reference="ORD-10452")
    arrive(paybill, account_reference=typed)
    intent.refresh_from_db()
    assert (intent.status, the_money().ownership) == ("requires_payment_method", "unclaimed")
    assert Claim.objects.count() == 0


def test_a_short_number_is_only_taken_as_it_is(till: Till) -> None:
    intent = till.intent("1500", reference="N-7")
    arrive(till.account, "AAA1", account_reference="n7")
    assert the_money("AAA1").ownership == "unclaimed"
    arrive(till.account, "AAA2", account_reference="N-7")
    assert the_money("AAA2").payment_intent == intent


def test_two_orders_that_read_alike_are_for_people(till: Till) -> None:
    for reference in ("ORD-10452", "ORD/10452"):
        till.intent("1500", reference=reference)
    arrive(till.account, account_reference="ord10452")
    assert the_money().ownership == "unclaimed"


# Claimed without asking


def test_certain_money_pays_its_order_with_score_and_reasons(till: Till, paybill: ProviderAccount) -> None:
    choose(till)
    intent = till.intent("1500", reference="ORD-10452", customer_phone=PHONE)
    arrive(paybill, account_reference="DUKAORD104256")  # two characters swapped
    assert the_money().ownership == "unclaimed"
    work()
    intent.refresh_from_db()
    made = Claim.objects.get()
    assert (intent.status, intent.amount_received.amount) == ("succeeded", 1500)
    assert (made.method, made.score, made.reference, made.store) == ("automatic", 100, "ORD-10452", till.store)
    assert made.reasons == ["reference_corrected", "phone_same", "amount_exact", "time_minutes"]
    assert the_money().payment_intent == intent
    assert unclaimed() == 0
    assert list(find_problems()) == []
    work()
    assert Claim.objects.count() == 1
    assert not HandlerRun.objects.exclude(state=HandlerRun.State.SUCCEEDED).exists()


def test_without_custody_certain_money_waits_and_no_handler_fails(
    till: Till, paybill: ProviderAccount, settings: Any
) -> None:
    """given money at the platform's account that surely pays an order / when custody is off / then it quietly waits."""
    choose(till)
    intent = till.intent("1500", reference="ORD-10452", customer_phone=PHONE)
    settings.MAJUU_CUSTODIAL = False
    arrive(paybill, account_reference="DUKAORD104256")
    work()
    intent.refresh_from_db()
    assert (intent.status, the_money().ownership, Claim.objects.count()) == ("requires_payment_method", "unclaimed", 0)
    assert unclaimed() == 1500
    assert not HandlerRun.objects.exclude(state=HandlerRun.State.SUCCEEDED).exists()


def test_a_repeated_event_claims_nothing_twice(till: Till, paybill: ProviderAccount) -> None:
    choose(till)
    till.intent("1500", reference="ORD-10452", customer_phone=PHONE)
    arrive(paybill, account_reference="DUKAORD104256")
    work()
    HandlerRun.objects.update(state=HandlerRun.State.PENDING, next_attempt_at=clock.now())
    run_due_handlers(100)
    assert Claim.objects.count() == 1
    assert list(find_problems()) == []


@pytest.mark.parametrize("score", [None, 100])
def test_nothing_is_claimed_unless_the_store_wants_it(till: Till, paybill: ProviderAccount, score: int | None) -> None:
    choose(till, score)
    till.intent("1500", reference="ORD-10452", metadata={"customer_name": "Jane Wanjiru"})
    arrive(paybill, account_reference="DUKAORD104256")
    work()
    assert (the_money().ownership, Claim.objects.count(), unclaimed()) == ("unclaimed", 0, Decimal(1500))


@pytest.mark.parametrize(
    ("intents", "told"),
    [
        ([{"reference": "ORD-1"}, {"reference": "ORD-2"}], {}),
        ([{"reference": "ORD-1", "customer_phone": ""}], {}),
    ],
    ids=["two orders of one customer", "nothing but the amount"],
)
def test_what_is_uncertain_is_left_to_people(
    till: Till, paybill: ProviderAccount, intents: list[dict[str, Any]], told: dict[str, Any]
) -> None:
    choose(till)
    for fields in intents:
        till.intent("1500", **({"customer_phone": PHONE, "metadata": {"customer_name": "Jane Wanjiru"}} | fields))
    if intents[0].get("customer_phone") == "":
        told = told | {"payer_name": "", "payer_phone": ""}
    arrive(paybill, account_reference="shoes", **told)
    work()
    assert (the_money().ownership, Claim.objects.count()) == ("unclaimed", 0)


def test_money_is_claimed_when_the_provider_confirms_it_and_not_before(till: Till, paybill: ProviderAccount) -> None:
    choose(till)
    till.intent("1500", reference="ORD-10452", customer_phone=PHONE)
    silent = Result(status=ResultStatus.UNKNOWN)
    with mock.patch.object(FakeProvider, "verify_incoming", return_value=silent):
        arrive(paybill, account_reference="DUKAORD104256", trust=Trust.UNSIGNED)
        work()
    assert (the_money().verified_at, the_money().ownership, Claim.objects.count()) == (None, "unclaimed", 0)
    confirm_by_hand(incoming=the_money(), reason="Seen on the statement.")
    work()
    assert (the_money().ownership, Claim.objects.get().method) == ("claimed", "automatic")


def test_a_canceled_order_is_left_to_people(till: Till, paybill: ProviderAccount) -> None:
    choose(till)
    intent = till.intent("1500", reference="ORD-10452", customer_phone=PHONE)
    cancel_payment_intent(intent=intent, reason="requested")
    arrive(paybill, account_reference="DUKAORD104526")
    work()
    assert (the_money().ownership, Claim.objects.count()) == ("unclaimed", 0)


def test_money_reserved_for_another_merchant_is_never_suggested(till: Till, paybill: ProviderAccount) -> None:
    choose(till)
    soko = make_store(name="Soko")
    update_store(store=soko, account_prefix="SOKO")
    till.intent("1500", reference="ORD-10452", customer_phone=PHONE, metadata={"customer_name": "Jane Wanjiru"})
    arrive(paybill, account_reference="SOKO ORD-99")
    assert the_money().store == soko
    work()
    assert (the_money().ownership, Claim.objects.count()) == ("unclaimed", 0)


def test_a_person_who_was_faster_keeps_the_money(till: Till, paybill: ProviderAccount) -> None:
    choose(till)
    till.intent("1500", reference="ORD-10452", customer_phone=PHONE)
    arrive(paybill, account_reference="DUKAORD104256")
    other = make_store(name="Other")
    request = ClaimRequest(receipt=the_money().receipt, reference="mine")
    if the_money().store == till.store:  # the prefix reserved it
        other = till.store
    claim_incoming(store=other, livemode=False, request=request)
    work()
    assert (Claim.objects.get().method, Claim.objects.get().reference) == ("manual", "mine")
