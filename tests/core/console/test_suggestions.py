"""Tables of suggestions: what staff see, and that hostile text stays text."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from moneyed import Money

from majuu_core.console.cells import address_of
from majuu_core.console.suggestions import money_table, reason_lines, score_bar, suggestion_table
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.suggestion_reasons import reason
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.arrivals import give_prefix, save_incoming

pytestmark = pytest.mark.django_db
HOSTILE = "<b>duka\u202e ord104526"


@pytest.fixture
def duka(virtual_clock):
    return give_prefix(make_store(name="Duka <i>"), "DUKA")


@pytest.fixture
def intent(duka):
    details = IntentDetails(amount=Money("1500", "KES"), reference="ORD-10452")
    return create_payment_intent(store=duka, livemode=False, details=details)


@pytest.fixture
def money(duka):
    return save_incoming(make_provider_account(platform=True), receipt="UKP7A1B2C3", account_reference=HOSTILE)


def words(cell: object) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", str(cell))).replace("\u00a0", " ").split())


def test_the_orders_that_money_may_pay(intent, money):
    table = suggestion_table(money)
    assert (table.title, table.headers) == ("Suggestions", ("Score", "Order", "Store", "Owed", "Why"))
    (row,) = table.rows
    assert [words(cell) for cell in row[2:4]] == ["Duka <i>", "KES 1,500.00"]
    assert words(row[0]) == "94 of 100 94"
    assert address_of(intent) in str(row[1])
    assert "ORD-10452" in words(row[1])
    assert words(row[4]) == (
        "+60 The account reference is this order's, and its check character holds. "
        "+26 The amount is what is still owed. "
        "+8 It came within half an hour of the order."
    )
    assert "<i>" not in str(row[2])


def test_money_that_has_an_owner_has_no_suggestions(intent, money):
    money.ownership = "claimed"
    table = suggestion_table(money)
    assert (list(table.rows), table.note) == ([], "The money has an owner, or is not there any more.")


def test_the_page_of_the_money_shows_it_to_who_may_see_orders(intent, money, staff_client, superuser_client: Client):
    page = address_of(money)
    assert intent.public_id in superuser_client.get(page).content.decode()
    without = staff_client("majuu_payments.view_incomingpayment").get(page)
    assert without.status_code == 200
    assert intent.public_id not in without.content.decode()


def test_the_money_an_order_may_have_been_paid_with(intent, money):
    (row,) = money_table(intent).rows
    assert [words(cell) for cell in row[:4]] == ["94 of 100 94", "UKP7A1B2C3", "KES 1,500.00", HOSTILE]
    assert "<b>" not in str(row[3])


def test_as_many_queries_however_many_are_shown(duka, money, django_assert_num_queries):
    for _ in range(5):
        details = IntentDetails(amount=Money("1500", "KES"), reference="ORD-10452")
        create_payment_intent(store=duka, livemode=False, details=details)
    with django_assert_num_queries(7):
        assert len(suggestion_table(money).rows) == 5


def test_the_intents_page_shows_it_to_who_may_see_money(intent, money, staff_client, superuser_client: Client):
    page = address_of(intent)
    assert "UKP7A1B2C3" in superuser_client.get(page).content.decode()
    without = staff_client("majuu_payments.view_paymentintent").get(page)
    assert without.status_code == 200
    assert "UKP7A1B2C3" not in without.content.decode()


def test_a_bar_and_its_reasons():
    assert score_bar(86) == (
        '<span class="mj-score"><meter min="0" max="100" low="50" high="80" optimum="100" value="86">86 of 100</meter>'
        " 86</span>"
    )
    assert words(reason_lines([reason("phone_other")])) == "-3 Another phone than the customer's paid."
