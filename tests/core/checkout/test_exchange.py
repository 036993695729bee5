"""A way to pay in another currency: the customer knows what is charged before, on the way, and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from moneyed import Money

from majuu_core.common.money import round_to_currency
from majuu_core.payments.models import Charge
from majuu_core.payments.settling import apply_result
from majuu_core.plugins.contributions import FxQuote
from majuu_core.plugins.markers import hookimpl
from majuu_core.providers import (
    MethodField,
    NextAction,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    Result,
    ResultStatus,
)
from majuu_core.testing.factories import make_provider_account
from tests.core.checkout.conftest import MakeIntent
from tests.core.checkout.html import Document, read
from tests.core.checkout.phone_provider import PhoneProvider

pytestmark = pytest.mark.django_db
IN_DOLLARS = "You pay USD 11.55 (1 KES = 0.0077 USD)"


class DollarProvider(PhoneProvider):
    """Takes dollars only, on a page of its own; one of its ways asks for an e-mail address first."""

    code = "dollars"
    info = replace(
        PhoneProvider.info,
        payment_methods=(
            PaymentMethodInfo(code="dollar_page", label="Dollar page"),
            PaymentMethodInfo(
                code="dollar_mail", label="Dollar mail", fields=(MethodField(name="email", kind="email", label="Mail"),)
            ),
        ),
        currencies=frozenset({"USD"}),
    )
    on_sale = Result(
        status=ResultStatus.REQUIRES_ACTION,
        provider_reference="D-1",
        next_action=NextAction(type="redirect", data={"url": "https://dollars.example/pay/1"}),
    )

    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        return request


class Exchange:
    """The provider, and shillings at a fixed rate."""

    @hookimpl
    def register_payment_providers(self) -> list[type[PaymentProvider]]:
        return [DollarProvider]

    @hookimpl
    def quote_fx(self, amount: Money, to_currency: str, at: datetime) -> FxQuote:
        rate = Decimal("0.00770")
        converted = round_to_currency(Money(amount.amount * rate, to_currency))
        return FxQuote(amount=amount, converted=converted, rate=rate, source="t", expires_at=at + timedelta(minutes=5))


@pytest.fixture
def intent(make_intent: MakeIntent, temporary_plugin: Callable[[object], object], store, phone_account):
    temporary_plugin(Exchange())
    make_provider_account(store=store, provider="dollars", credentials={})
    return make_intent("1500")


def look(browser: Client, intent, query: str = "") -> Document:
    return read(browser.get(f"/pay/{intent.link_token}{query}"))


def test_the_form_says_what_is_charged_in_the_other_currency_alone(browser: Client, intent) -> None:
    # given: a phone's prompt in shillings, a page and a form in dollars
    english, swahili = look(browser, intent), look(browser, intent, "?lang=sw")
    # then: once for the button, once for the form
    assert english.text.count(IN_DOLLARS) == 2
    assert f"Pay with Dollar page {IN_DOLLARS}" in english.text
    assert swahili.text.count("Utalipa USD 11.55 (1 KES = 0.0077 USD)") == 2


def test_a_method_in_the_owed_currency_says_nothing_of_it(browser: Client, make_intent, phone_account) -> None:
    page = look(browser, make_intent("1500"))

    assert "KES 1,500" in page.text
    assert "You pay" not in page.text


def test_it_is_said_on_the_way_and_on_the_receipt(browser: Client, intent) -> None:
    # given: a customer who was sent to the provider's page
    browser.post(f"/pay/{intent.link_token}", {"method": "dollar_page"})
    charge = Charge.objects.get()
    on_the_way = look(browser, intent)
    # when: the provider has the money
    paid = Result(status=ResultStatus.SUCCEEDED, receipt="R-1", amount=Money("11.55", "USD"))
    apply_result(charge_id=charge.pk, result=paid)
    # then
    assert on_the_way.all("main")[0]["data-stage"] == "redirect"
    assert IN_DOLLARS in on_the_way.text
    receipt = look(browser, intent).text
    assert "Receipt number R-1 Amount USD 11.55 Covers KES 1,500 1 KES = 0.0077 USD" in receipt
