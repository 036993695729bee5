"""A customer pays in a real browser: live with scripts, by refreshing without them."""

from __future__ import annotations

import pytest
from moneyed import Money

from majuu_core.payments.follow_ups import follow_up_charge
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.providers import NextAction, Result, ResultStatus
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.checkout.phone_provider import PhonePlugin, PhoneProvider, failed, paid


@pytest.fixture
def provider(transactional_db, temporary_plugin) -> type[PhoneProvider]:
    plugin = PhonePlugin()
    temporary_plugin(plugin)
    return plugin.provider


@pytest.fixture
def intent(provider) -> PaymentIntent:
    store = make_store(name="Mama Njeri Fashions")
    make_provider_account(store=store, provider="phone", credentials={}, priority=1)
    make_provider_account(store=store)
    return create_payment_intent(store=store, livemode=False, details=IntentDetails(amount=Money("1500", "KES")))


def settle(provider: type[PhoneProvider], result: Result) -> None:
    provider.truth = result
    follow_up_charge(Charge.objects.latest("created_at").pk)


def wait_for(visitor, stage: str) -> None:
    visitor.page.wait_for_selector(f'#checkout[data-stage="{stage}"]')


def pay_by_phone(visitor, number: str = "0712 345 678") -> None:
    visitor.page.fill("input[type=tel]", number)
    visitor.page.click("button[type=submit]")


def test_live_with_scripts(provider, intent, visit) -> None:
    visitor = visit()
    visitor.open(f"/pay/{intent.link_token}")
    pay_by_phone(visitor)
    wait_for(visitor, "prompt")
    first = visitor.page.inner_text("#clock")
    visitor.page.wait_for_timeout(2200)
    assert visitor.page.inner_text("#clock") < first  # the seconds run
    settle(provider, failed())
    visitor.page.wait_for_selector("text=You cancelled the request on your phone.")
    assert visitor.page.inner_text("#announce") == "The payment did not go through"
    pay_by_phone(visitor)
    wait_for(visitor, "prompt")
    settle(provider, paid("TKL12AB34C"))
    wait_for(visitor, "paid")
    assert "TKL12AB34C" in visitor.page.inner_text("#checkout")
    assert visitor.page.title() == "Payment received · Pay Mama Njeri Fashions"
    intent.refresh_from_db()
    assert intent.status == "succeeded"
    assert visitor.complaints == []


def test_without_scripts(provider, intent, visit) -> None:
    visitor = visit(scripts=False, language="sw-KE")
    visitor.open(f"/pay/{intent.link_token}")
    assert visitor.page.inner_text("legend") == "Ungependa kulipa vipi?"
    pay_by_phone(visitor, "12")
    visitor.page.wait_for_selector("text=Nambari ya simu si sahihi.")
    assert visitor.page.input_value("input[type=tel]") == "12"
    visitor.picture("checkout-refused-360-light")
    pay_by_phone(visitor)
    wait_for(visitor, "prompt")
    settle(provider, paid("TKL12AB34C"))
    wait_for(visitor, "paid")  # the page reloads by itself
    assert "TKL12AB34C" in visitor.page.inner_text("#checkout")
    assert [text for text in visitor.complaints if "422" not in text] == []  # the browser notes the refusal itself


@pytest.mark.parametrize("scripts", [True, False])
def test_by_the_mock_method(scripts, intent, visit) -> None:
    visitor = visit(scripts=scripts)
    visitor.open(f"/pay/{intent.link_token}")
    assert not visitor.page.is_visible("text=7701 fails for lack of money")
    visitor.page.check("#method-mock")
    assert visitor.page.is_visible("text=7701 fails for lack of money")
    assert not visitor.page.is_visible("input[type=tel]")
    visitor.page.click("button[type=submit]")
    wait_for(visitor, "paid")
    charge = Charge.objects.get()
    assert (charge.status, charge.payment_method) == ("succeeded", "mock")
    assert charge.receipt in visitor.page.inner_text("#checkout")
    assert visitor.complaints == []


def test_an_impatient_customer_pays_once(provider, intent, visit) -> None:
    visitor = visit()
    visitor.open(f"/pay/{intent.link_token}")
    visitor.page.fill("input[type=tel]", "0712345678")
    visitor.page.dblclick("button[type=submit]")
    wait_for(visitor, "prompt")
    visitor.page.go_back()
    wait_for(visitor, "prompt")  # the old form is not shown again
    assert (Charge.objects.count(), len(provider.sent)) == (1, 1)


def test_with_the_keyboard_alone(provider, intent, visit) -> None:
    visitor = visit()
    visitor.open(f"/pay/{intent.link_token}")
    keyboard = visitor.page.keyboard
    keyboard.press("Tab")
    assert visitor.page.evaluate("document.activeElement.className") == "skip"
    keyboard.press("Enter")
    keyboard.press("Tab")
    assert visitor.page.evaluate("document.activeElement.id") == "method-phone_push"
    keyboard.press("Tab")
    keyboard.type("0712345678")
    keyboard.press("Enter")
    wait_for(visitor, "prompt")
    assert Charge.objects.count() == 1


def test_the_language_can_be_switched_without_losing_the_place(provider, intent, visit) -> None:
    visitor = visit()
    visitor.open(f"/pay/{intent.link_token}")
    pay_by_phone(visitor)
    wait_for(visitor, "prompt")
    visitor.page.click("text=Kiswahili")
    visitor.page.wait_for_selector("text=Angalia simu yako")
    settle(provider, paid())
    visitor.page.wait_for_selector("text=Malipo yamepokelewa")
    assert visitor.complaints == []


@pytest.mark.parametrize("scripts", [True, False])
def test_being_sent_to_the_provider_and_back(scripts, provider, intent, visit, live_server) -> None:
    elsewhere = f"{live_server.url}/pay/at-the-provider"  # any page will do; this one is a 404 of ours
    action = NextAction(type="redirect", data={"url": elsewhere})
    provider.on_sale = Result(status=ResultStatus.REQUIRES_ACTION, next_action=action)
    visitor = visit(scripts=scripts)
    visitor.open(f"/pay/{intent.link_token}")
    pay_by_phone(visitor)
    visitor.page.wait_for_url(elsewhere)
    visitor.open(f"/pay/{intent.link_token}")
    wait_for(visitor, "redirect")
    settle(provider, paid())
    wait_for(visitor, "paid")
