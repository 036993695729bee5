"""Every stage of the customer's page, small and large, light and dark: nothing sticks out, nobody complains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from moneyed import Money

from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.follow_ups import follow_up_charge
from majuu_core.payments.intents import IntentDetails, cancel_payment_intent, create_payment_intent
from majuu_core.payments.models import PaymentIntent
from majuu_core.plugins import hookimpl
from majuu_core.providers import NextAction, PaymentMethodInfo, Result, ResultStatus
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.checkout.phone_provider import PhonePlugin, PhoneProvider, failed, paid
from tests.core.manual.harness import ACCOUNT


@pytest.fixture
def provider(temporary_plugin) -> type[PhoneProvider]:
    plugin = PhonePlugin()
    temporary_plugin(plugin)
    temporary_plugin(PagesPlugin())
    return plugin.provider


def page_provider(code: str, label: str) -> type[PhoneProvider]:
    """A provider that asks for nothing beforehand."""
    method = PaymentMethodInfo(code=code, label=label)
    info = replace(PhoneProvider.info, display_name=label, payment_methods=(method,))
    return type(label.replace(" ", ""), (PhoneProvider,), {"code": f"page_{code}", "info": info})


class PagesPlugin:
    """Ways to pay on pages of their own."""

    @hookimpl
    def register_payment_providers(self) -> list[type[PhoneProvider]]:
        return [page_provider("card", "card"), page_provider("paypal_wallet", "PayPal")]


class Scene:
    """A shop with a payment that can be brought to any stage."""

    def __init__(self, provider: type[PhoneProvider], clock) -> None:
        self.provider, self.clock = provider, clock
        self.store = make_store(name="Mama Njeri Fashions")
        make_provider_account(store=self.store, provider="phone", credentials={}, priority=1)

    def intent(self, amount: str = "1500.00", **details) -> PaymentIntent:
        wanted = IntentDetails(
            amount=Money(amount, "KES"),
            description="Two kitenge dresses, size M",
            reference="ORD-2041",
            return_url="https://shop.example/orders/2041",
            **details,
        )
        return create_payment_intent(store=self.store, livemode=False, details=wanted)

    def charge(self, intent: PaymentIntent, part: str | None = None):
        choice = PaymentChoice(
            payment_method="phone_push",
            payment_method_data={"phone": "0712345678"},
            amount=Money(part, "KES") if part else None,
        )
        return confirm_payment_intent(intent=intent, choice=choice)[1]

    def settle(self, charge, result: Result) -> None:
        self.provider.truth = result
        follow_up_charge(charge.pk)


@pytest.fixture
def scene(transactional_db, provider, virtual_clock) -> Scene:
    return Scene(provider, virtual_clock)


def pay(scene: Scene) -> PaymentIntent:
    return scene.intent()


def pay_choice(scene: Scene) -> PaymentIntent:
    make_provider_account(store=scene.store)
    return scene.intent()


def prompt(scene: Scene) -> PaymentIntent:
    intent = scene.intent()
    scene.charge(intent)
    scene.clock.advance(18)
    return intent


def checking(scene: Scene) -> PaymentIntent:
    scene.provider.on_sale = Result(status=ResultStatus.UNKNOWN)
    intent = scene.intent()
    scene.charge(intent)
    return intent


def processing(scene: Scene) -> PaymentIntent:
    scene.provider.on_sale = Result(status=ResultStatus.PENDING)
    intent = scene.intent()
    scene.charge(intent)
    return intent


def redirect(scene: Scene) -> PaymentIntent:
    action = NextAction(type="redirect", data={"url": "https://bank.example/approve/1"})
    scene.provider.on_sale = Result(status=ResultStatus.REQUIRES_ACTION, next_action=action)
    intent = scene.intent()
    scene.charge(intent)
    return intent


def instructions(scene: Scene) -> PaymentIntent:
    text = "Open M-Pesa, choose Lipa na M-Pesa, then Pay Bill.\nBusiness number 400200. Pay the exact amount."
    action = NextAction(type="display_instructions", data={"text": text, "reference": "MJ-2041"})
    scene.provider.on_sale = Result(status=ResultStatus.REQUIRES_ACTION, next_action=action)
    intent = scene.intent()
    scene.charge(intent)
    return intent


def came_back(scene: Scene) -> PaymentIntent:
    return redirect(scene)


def buttons(scene: Scene) -> PaymentIntent:
    for method in ("card", "paypal_wallet"):
        make_provider_account(store=scene.store, provider=f"page_{method}", credentials={})
    return scene.intent()


def authorized(scene: Scene) -> PaymentIntent:
    scene.provider.on_sale = Result(status=ResultStatus.AUTHORIZED)
    intent = scene.intent()
    scene.charge(intent)
    return intent


def by_hand(scene: Scene, method: str) -> PaymentIntent:
    make_provider_account(store=scene.store, provider="manual", credentials=ACCOUNT)
    intent = scene.intent()
    confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method=method))
    return intent


def transfer(scene: Scene) -> PaymentIntent:
    return by_hand(scene, "bank_transfer")


def cash(scene: Scene) -> PaymentIntent:
    return by_hand(scene, "cash")


def succeeded(scene: Scene) -> PaymentIntent:
    intent = scene.intent()
    scene.settle(scene.charge(intent), paid())
    return intent


def payment_failed(scene: Scene) -> PaymentIntent:
    intent = scene.intent()
    scene.settle(scene.charge(intent), failed())
    return intent


def partly_paid(scene: Scene) -> PaymentIntent:
    intent = scene.intent()
    scene.settle(scene.charge(intent, "1000.00"), paid())
    return intent


def parked(scene: Scene) -> PaymentIntent:
    intent = scene.intent()
    scene.settle(scene.charge(intent), Result(status=ResultStatus.SUCCEEDED, amount=Money(900, "KES"), receipt="TK1"))
    return intent


def canceled(scene: Scene) -> PaymentIntent:
    return cancel_payment_intent(intent=scene.intent())


def expired(scene: Scene) -> PaymentIntent:
    return cancel_payment_intent(intent=scene.intent(), reason="expired")


def long_texts(scene: Scene) -> PaymentIntent:
    scene.store.name = "Kampuni ya Usafirishaji Mizigo na Vifurushi vya Afrika Mashariki Limited"
    scene.store.save()
    return scene.intent("123456789.50")


STAGES: dict[str, tuple[Callable[[Scene], PaymentIntent], str]] = {
    "pay": (pay, "pay"),
    "pay-choice": (pay_choice, "pay"),
    "prompt": (prompt, "prompt"),
    "checking": (checking, "checking"),
    "processing": (processing, "processing"),
    "redirect": (redirect, "redirect"),
    "came-back": (came_back, "redirect"),
    "buttons": (buttons, "pay"),
    "authorized": (authorized, "authorized"),
    "instructions": (instructions, "instructions"),
    "transfer": (transfer, "instructions"),
    "cash": (cash, "instructions"),
    "paid": (succeeded, "paid"),
    "failed": (payment_failed, "pay"),
    "partial": (partly_paid, "pay"),
    "parked": (parked, "review"),
    "canceled": (canceled, "canceled"),
    "expired": (expired, "expired"),
    "long": (long_texts, "pay"),
}


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_fits_small_and_large_screens(name, scene, visit) -> None:
    make, stage = STAGES[name]
    intent = make(scene)
    for width, dark in ((360, False), (360, True), (1280, False)):
        visitor = visit(width=width, dark=dark)
        query = ["lang=sw"] * dark + ["back=1"] * (name == "came-back")
        visitor.open(f"/pay/{intent.link_token}?" + "&".join(query))
        assert visitor.page.locator("#checkout").get_attribute("data-stage") == stage
        assert visitor.fits(), (width, dark)
        visitor.picture(f"checkout-{name}-{width}-{'dark' if dark else 'light'}")
        assert visitor.complaints == []


def test_a_wrong_link_is_answered_kindly(visit) -> None:
    visitor = visit()
    answer = visitor.open("/pay/00000000000000000000000000000000")
    assert answer.status == 404
    assert visitor.page.locator("h1").inner_text() == "There is no payment here"
    visitor.picture("checkout-not-found")
