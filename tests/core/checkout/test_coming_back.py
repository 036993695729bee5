"""Ways to pay that lead to a page of the provider: the button, the way there, and every way back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.captures import capture_payment_intent
from majuu_core.payments.follow_ups import run_due_follow_ups
from majuu_core.payments.models import Charge, PaymentIntent, ProviderCall
from majuu_core.providers import OutcomeUnknown
from majuu_core.testing.factories import make_provider_account
from tests.core.checkout.conftest import MakeIntent
from tests.core.checkout.html import Document, read
from tests.core.checkout.test_paying import is_live, open_page, stage, submit, url
from tests.core.payments.holding import Bank, HoldingPlugin, refusal


@pytest.fixture
def bank(store: Store, temporary_plugin: Any) -> Bank:
    """A bank that customers approve payments at, on a page of its own, with an account of the store."""
    plugin = HoldingPlugin()
    plugin.bank.redirects = True
    temporary_plugin(plugin)
    make_provider_account(store=store, provider="holding", credentials={})
    return plugin.bank


def sent_away(browser: Client, intent: PaymentIntent) -> Charge:
    """The customer pressed the button and is on the bank's page."""
    answer = submit(browser, intent, open_page(browser, intent), method="holding_card")
    assert (answer.status_code, answer["Location"]) == (303, f"{url(intent)}/continue")
    return Charge.objects.get(payment_intent=intent)


def come_back(browser: Client, intent: PaymentIntent, way: str = "return", query: str = "") -> Document:
    """Back by one of our two addresses, and on to the page."""
    answer = browser.get(f"{url(intent)}/{way}{query}")
    assert (answer.status_code, answer["Referrer-Policy"]) == (303, "no-referrer")
    assert answer["Location"].startswith(f"{url(intent)}?")
    return read(browser.get(answer["Location"]))


def test_what_needs_nothing_entered_has_a_button_of_its_own(
    browser: Client, make_intent: MakeIntent, phone_account: ProviderAccount, bank: Bank
) -> None:
    page = open_page(browser, make_intent())
    assert page.all("input", type="radio") == []
    for text in ("Pay with Phone Money", "Or pay another way", "Pay with Bank card", "come back here"):
        assert text in page.text
    attempts = [tag["value"] for tag in page.all("input", name="attempt")]
    assert (len(page.all("form")), len(set(attempts))) == (2, 2)
    swahili = open_page(browser, make_intent(), "?lang=sw")
    for text in ("Au lipa kwa njia nyingine", "Lipa kwa Bank card", "kisha urudi hapa"):
        assert text in swahili.text


def test_a_button_pressed_twice_starts_one_payment(browser: Client, make_intent: MakeIntent, bank: Bank) -> None:
    intent = make_intent()
    page = open_page(browser, intent)
    assert "How would you like to pay?" in page.text
    for _ in range(2):
        submit(browser, intent, page)
    assert (Charge.objects.count(), bank.names()) == (1, ["sale"])


def test_back_with_the_approval_the_payment_is_completed_at_once(
    browser: Client, make_intent: MakeIntent, bank: Bank
) -> None:
    intent = make_intent(return_url="https://shop.example/thanks")
    charge = sent_away(browser, intent)
    assert "https://bank.example/approve/" in read(browser.get(f"{url(intent)}/continue")).source
    bank.approve(charge)
    page = come_back(browser, intent, query="?lang=sw")
    assert stage(page) == "paid"
    assert "Malipo yamepokelewa" in page.text
    assert page.all("a", href="https://shop.example/thanks")
    assert bank.names() == ["sale", "complete"]
    come_back(browser, intent)
    assert bank.names() == ["sale", "complete"]


def test_back_before_the_provider_knows_the_page_waits(
    browser: Client, make_intent: MakeIntent, bank: Bank, virtual_clock: VirtualClock
) -> None:
    intent = make_intent()
    charge = sent_away(browser, intent)
    bank.trouble["fetch"] = [OutcomeUnknown("dead")]
    page = come_back(browser, intent)
    assert (stage(page), is_live(page)) == ("redirect", True)
    for text in ("Waiting for Bank card", "Continue to Bank card"):
        assert text in page.text
    bank.approve(charge)
    virtual_clock.advance(60)
    run_due_follow_ups()
    assert stage(open_page(browser, intent)) == "paid"


def test_back_without_having_paid_another_way_is_open(browser: Client, make_intent: MakeIntent, bank: Bank) -> None:
    intent = make_intent()
    charge = sent_away(browser, intent)
    page = come_back(browser, intent, "canceled")
    assert stage(page) == "pay"
    assert "The payment was cancelled before it was complete." in page.text
    charge.refresh_from_db()
    assert (charge.status, bank.names()) == ("canceled", ["sale", "void"])
    intent.refresh_from_db()
    assert intent.status == "requires_payment_method"


def test_a_page_that_stays_open_can_be_gone_back_to(browser: Client, make_intent: MakeIntent, bank: Bank) -> None:
    intent = make_intent()
    charge = sent_away(browser, intent)
    bank.trouble["void"] = [refusal("too_late")]
    page = come_back(browser, intent, "canceled")
    assert (stage(page), "Continue to Bank card" in page.text) == ("redirect", True)
    charge.refresh_from_db()
    assert (charge.status, charge.failure_code) == ("requires_action", "")


def test_reserved_money_is_shown_as_reserved(browser: Client, make_intent: MakeIntent, bank: Bank) -> None:
    intent = make_intent(capture_method="manual", return_url="https://shop.example/thanks")
    bank.approve(sent_away(browser, intent))
    page = come_back(browser, intent)
    assert (stage(page), is_live(page)) == ("authorized", False)
    assert "Your payment is reserved" in page.text
    assert page.all("a", href="https://shop.example/thanks")
    intent.refresh_from_db()
    assert intent.amount_capturable == Decimal(1500)


def test_a_part_that_was_captured_is_what_was_paid(browser: Client, make_intent: MakeIntent, bank: Bank) -> None:
    intent = make_intent(capture_method="manual")
    bank.approve(sent_away(browser, intent))
    come_back(browser, intent)
    capture_payment_intent(intent=intent, amount=Money("400.50", "KES"))
    page = open_page(browser, intent)
    assert stage(page) == "paid"
    assert "KES 400.50" in page.text
    assert "1,500" not in page.text


def test_looking_only_asks_nobody(browser: Client, make_intent: MakeIntent, bank: Bank) -> None:
    intent = make_intent()
    sent_away(browser, intent)
    before = len(bank.calls)
    assert browser.head(f"{url(intent)}/canceled").status_code == 303
    assert browser.post(f"{url(intent)}/return").status_code == 403
    assert browser.get("/pay/00000000000000000000000000000000/return").status_code == 404
    assert len(bank.calls) == before


def test_coming_back_again_and_again_does_not_keep_the_provider_busy(
    browser: Client, make_intent: MakeIntent, bank: Bank, virtual_clock: VirtualClock
) -> None:
    intent = make_intent()
    charge = sent_away(browser, intent)
    ProviderCall.objects.bulk_create(
        ProviderCall(
            provider_account=charge.provider_account,
            charge=charge,
            operation="fetch",
            method="GET",
            url="https://bank.example",
            started_at=virtual_clock.now(),
            duration_ms=1,
        )
        for _ in range(20)
    )
    before = len(bank.calls)
    come_back(browser, intent)
    assert len(bank.calls) == before
    virtual_clock.advance(60)
    come_back(browser, intent)
    assert len(bank.calls) == before + 1
