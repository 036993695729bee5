"""What the payer typed finds the intent or the store, when it names one and only one, and only among the permitted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from majuu_core.events.models import Event
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.services import update_store
from majuu_core.payments.incoming_references import read_account_reference
from majuu_core.payments.models import Charge, Claim
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.incoming_support import arrive, payable, the_money, unclaimed
from tests.core.payments.support import Till


@pytest.fixture
def paybill(till: Till, custodian: None) -> ProviderAccount:
    update_store(store=till.store, account_prefix="DUKA")
    return make_provider_account(platform=True)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("DUKA 1001", ("DUKA", "1001")),
        ("duka-1001 ", ("DUKA", "1001")),
        ("Duka#10 01", ("DUKA", "10 01")),
        ("1001", ("", "1001")),
        (" A1001 ", ("", "A1001")),
        ("", ("", "")),
    ],
)
def test_reading(text: str, read: tuple[str, str]) -> None:
    assert read_account_reference(text) == read


def test_a_reference_at_the_own_account_pays_the_intent(till: Till) -> None:
    intent = till.intent("1500", reference="1001")
    arrive(till.account, account_reference=" 1001 ")
    intent.refresh_from_db()
    assert (intent.status, intent.amount_received.amount) == ("succeeded", 1500)
    assert (the_money().ownership, the_money().payment_intent) == ("claimed", intent)
    made = Claim.objects.get()
    assert (made.method, made.reference, made.store) == ("reference", "1001", till.store)
    types = Event.objects.order_by("pk").values_list("type", flat=True)
    assert list(types)[-3:] == ["charge.succeeded", "payment_intent.succeeded", "incoming_payment.claimed"]
    assert till.books() == {
        "provider_clearing": (Decimal(1500), Decimal(0)),
        "store_payable": (Decimal(1500), Decimal(0)),
    }
    assert unclaimed() == Decimal(0)
    assert list(find_problems()) == []


def test_parts_add_up_and_the_rest_is_surplus(till: Till) -> None:
    """Demand 24: an underpayment leaves the intent open; a later one completes it."""
    intent = till.intent("1500", reference="1001")
    arrive(till.account, "AAA1", "600", account_reference="1001")
    intent.refresh_from_db()
    assert (intent.status, intent.amount_received.amount) == ("requires_payment_method", 600)
    arrive(till.account, "AAA2", "1000", account_reference="1001")
    intent.refresh_from_db()
    assert (intent.status, intent.amount_received.amount, intent.surplus.amount) == ("succeeded", 1500, 100)
    arrive(till.account, "AAA3", "1500", account_reference="1001")
    assert the_money("AAA3").ownership == "unclaimed"
    assert till.books()["store_payable"] == (Decimal(1500), Decimal(0))
    assert unclaimed() == Decimal(1500)


def test_the_prefix_names_the_store_on_a_shared_paybill(till: Till, paybill: ProviderAccount) -> None:
    intent = till.intent("1500", reference="1001")
    arrive(paybill, account_reference="duka 1001")
    intent.refresh_from_db()
    assert intent.status == "succeeded"


def test_an_order_number_alone_names_nobody_on_a_shared_paybill(till: Till, paybill: ProviderAccount) -> None:
    """Any shop could else take another's money with the other's order number."""
    intent = till.intent("1500", reference="1001")
    arrive(paybill, account_reference="1001")
    intent.refresh_from_db()
    assert (intent.status, the_money().ownership) == ("requires_payment_method", "unclaimed")


def test_a_store_without_such_an_order_has_the_money_kept_for_it(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill, account_reference="DUKA 9999")
    assert (the_money().ownership, the_money().store) == ("unclaimed", till.store)
    assert (unclaimed(), payable(till.store)) == (Decimal(1500), Decimal(0))
    assert Event.objects.filter(type="incoming_payment.assigned", store_id=till.store.pk).count() == 1


def test_a_prefix_of_a_stranger_means_nothing_at_an_own_account(till: Till, paybill: ProviderAccount) -> None:
    other = Till()
    arrive(other.account, account_reference="DUKA 1001")
    assert the_money().store == other.store


def test_two_intents_with_one_reference_are_nobodys(till: Till) -> None:
    till.intent("1500", reference="1001")
    till.intent("1500", reference="1001")
    arrive(till.account, account_reference="1001")
    assert (the_money().ownership, Charge.objects.count()) == ("unclaimed", 0)


def test_another_currency_or_a_closed_intent_is_not_paid(till: Till) -> None:
    till.intent("15", currency="USD", reference="1001")
    paid, _ = till.pay(till.intent("200", reference="1002"))
    arrive(till.account, "AAA1", account_reference="1001")
    arrive(till.account, "AAA2", account_reference="1002")
    assert {the_money("AAA1").ownership, the_money("AAA2").ownership} == {"unclaimed"}
    assert paid.status == "succeeded"


def test_a_sister_stores_order_is_found_at_the_merchants_account(till: Till) -> None:
    from moneyed import Money

    from majuu_core.payments.intents import IntentDetails, create_payment_intent

    sister = make_store(merchant=till.store.merchant)
    details = IntentDetails(amount=Money("1500", "KES"), reference="S-1")
    intent = create_payment_intent(store=sister, livemode=False, details=details)
    arrive(till.account, account_reference="S-1")
    assert (the_money().payment_intent, payable(sister)) == (intent, Decimal(1500))
