"""A store that takes cards: core, the Stripe plugin and the simulated Stripe, with real HTTP and real signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.addresses import account_callback_url
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.customers import CustomerDetails, create_customer
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.payments.saved_methods import SavingDetails, remove_method, save_method
from majuu_core.plugins import hookimpl
from majuu_core.providers.installed import installed_providers
from majuu_core.testing.factories import make_provider_account, make_store
from majuu_core.webhooks.inbound_processing import process_waiting
from majuu_core.webhooks.models import InboundWebhook
from majuu_sim.clock import ExternalClock
from majuu_sim.stripe import Endpoint, StripeAccount, StripeConfig, StripeSimulator
from majuu_sim.transport import CollectingTransport
from majuu_stripe.provider import StripeProvider

KEY, SECRET = "sk_test_sandbox0000000000001", "whsec_sandbox00000000000001"


Letter = tuple[bytes, dict[str, str]]


class Plugin:
    """Offers Stripe where no installed application does."""

    @hookimpl
    def register_payment_providers(self) -> list[type[StripeProvider]]:
        return [StripeProvider]


class CardShop:
    """Events are handed over by ``deliver``, so that a test may repeat or reorder them."""

    def __init__(self, clock: VirtualClock, *, account: StripeAccount | None = None, **options: Any) -> None:
        self.clock = clock
        self.mail = CollectingTransport()
        self.sim = StripeSimulator(
            clock=ExternalClock(clock.now),
            transport=self.mail,
            config=StripeConfig(accounts=(account or StripeAccount(secret_key=KEY),), **options),
        )

    def open(self) -> None:
        self.store = make_store()
        self.account = make_provider_account(
            store=self.store, provider="stripe", credentials={"secret_key": KEY, "webhook_secrets": [SECRET]}
        )
        self.url = account_callback_url(self.account.pk)
        self.sim.set_endpoints(Endpoint(url=self.url, secrets=(SECRET,)))

    def pay(self, token: str = "", amount: str = "1500") -> Charge:
        intent = create_payment_intent(
            store=self.store, livemode=False, details=IntentDetails(amount=Money(amount, "KES"), reference="ORDER-7")
        )
        data = {"payment_method": token} if token else {}
        choice = PaymentChoice(
            payment_method="card", payment_method_data=data, return_url="https://duka.example/thanks"
        )
        return confirm_payment_intent(intent=intent, choice=choice)[1]

    def letters(self) -> list[Letter]:
        self.clock.advance(2)
        self.sim.run_due()
        return [(body, headers) for _, body, headers in self.mail.take_signed()]

    def deliver(self, letters: list[Letter] | None = None) -> list[int]:
        client = Client()
        return [
            client.post(
                urlsplit(self.url).path,
                data=body,
                content_type="application/json",
                HTTP_STRIPE_SIGNATURE=headers["Stripe-Signature"],
            ).status_code
            for body, headers in (self.letters() if letters is None else letters)
        ]


@pytest.fixture
def shop(
    db: None, virtual_clock: VirtualClock, settings: Any, temporary_plugin: Callable[[object], object]
) -> Iterator[CardShop]:
    if "stripe" not in installed_providers():
        temporary_plugin(Plugin())
    shop = CardShop(virtual_clock)
    with shop.sim.serve():
        settings.MAJUU_PROVIDERS = {"stripe": {"test": {"base_url": shop.sim.base_url}}}
        shop.open()
        yield shop
    assert list(find_problems()) == []


def states() -> set[str]:
    return set(InboundWebhook.objects.values_list("state", flat=True))


def test_a_customer_pays_in_stripes_page(shop: CardShop) -> None:
    """Given a session, when the customer pays there, then Stripe's events alone make the charge paid, once."""
    charge = shop.pay()
    assert (charge.status, charge.provider_reference[:8] if charge.provider_reference else "") == (
        "requires_action",
        "cs_test_",
    )
    session = charge.provider_reference or ""
    shop.sim.pay_session(session)
    letters = shop.letters()

    assert set(shop.deliver(list(reversed(letters)))) == {200}
    assert set(shop.deliver(letters)) == {200}

    charge.refresh_from_db()
    assert (charge.status, charge.provider_reference, charge.amount_received) == (
        "succeeded",
        session,
        Money(1500, "KES"),
    )
    assert (charge.receipt or "").startswith("ch_")
    assert charge.payment_intent.status == "succeeded"
    assert InboundWebhook.objects.filter(state="parked").count() == 0


def test_a_card_that_is_declined_fails_the_charge_and_takes_nothing(shop: CardShop) -> None:
    charge = shop.pay("pm_card_chargeDeclinedInsufficientFunds")

    shop.deliver()

    charge.refresh_from_db()
    assert (charge.status, charge.failure_code, charge.provider_failure_code) == (
        "failed",
        "insufficient_funds",
        "insufficient_funds",
    )
    assert shop.sim.payments() == []
    assert "parked" not in states()


def test_a_lost_answer_is_sent_again_and_pays_once(shop: CardShop) -> None:
    """Stripe knows the key: the second request is a look-up."""
    shop.sim.script("accepted_5xx", operation="payment_create")

    charge = shop.pay("pm_card_visa")
    shop.deliver()

    charge.refresh_from_db()
    assert charge.status == "succeeded"
    assert len(shop.sim.charges_of(charge.public_id)) == 1


def test_money_goes_back_by_us_and_by_the_dashboard(shop: CardShop) -> None:
    charge = shop.pay("pm_card_visa")
    shop.deliver()
    charge.refresh_from_db()
    wanted = RefundDetails(charge=charge.public_id, amount=Money(500, "KES"), reason="Wrong size")
    [ours] = create_refund(store=shop.store, livemode=False, details=wanted)

    shop.sim.refund_in_dashboard(charge.receipt or "", 20_000)
    letters = shop.letters()
    shop.deliver(letters)
    shop.deliver(letters)

    ours.refresh_from_db()
    charge.refresh_from_db()
    found = Refund.objects.filter(charge=charge).order_by("amount")
    assert [(one.amount, one.status, one.source) for one in found] == [
        (Money(200, "KES"), "succeeded", "provider"),
        (Money(500, "KES"), "succeeded", ours.source),
    ]
    assert charge.amount_refunded == Decimal(700)
    assert "parked" not in states()


def test_a_refund_that_is_told_before_its_payment_waits_for_it(shop: CardShop) -> None:
    """Given events that come backwards, then the dashboard's refund is booked once the payment is, and nobody looks."""
    charge = shop.pay()
    shop.sim.pay_session(charge.provider_reference or "")
    session = shop.sim.object(charge.provider_reference or "")
    shop.sim.refund_in_dashboard(session["payment_intent"], 20_000)
    refunds: list[Letter] = []
    payments: list[Letter] = []
    for letter in shop.letters():
        (refunds if b'"type":"refund.created"' in letter[0].replace(b": ", b":") else payments).append(letter)
    assert refunds

    shop.deliver(refunds)
    assert (Refund.objects.count(), states()) == (0, {"received"})
    shop.deliver(payments)
    shop.clock.advance(5)
    process_waiting()

    [refund] = Refund.objects.all()
    charge.refresh_from_db()
    assert (refund.amount, refund.status, refund.is_parked) == (Money(200, "KES"), "succeeded", False)
    assert (charge.status, charge.amount_refunded) == ("succeeded", Decimal(200))
    assert states() <= {"applied", "duplicate", "rejected"}


def test_a_card_is_saved_in_stripes_page_and_charged_while_nobody_is_there(shop: CardShop) -> None:
    details = CustomerDetails(name="Asha Otieno", email="asha@example.com")
    customer = create_customer(store=shop.store, livemode=False, details=details)
    wanted = SavingDetails(payment_method="card", return_url="https://duka.example/cards")
    saved = save_method(customer=customer, details=wanted)
    assert (saved.status, saved.next_action and saved.next_action["type"]) == ("requires_action", "redirect")

    shop.sim.pay_session(saved.provider_reference or "", "pm_card_authenticationRequiredOnSetup")
    for name, state in shop.sim.state()["accounts"][0]["checkout_sessions"].items():
        if state == "open":
            shop.sim.authenticate(shop.sim.object(name)["setup_intent"])
    shop.deliver()
    saved.refresh_from_db()
    assert (saved.status, saved.brand, saved.last4) == ("active", "visa", "3155")

    intent = create_payment_intent(
        store=shop.store, livemode=False, details=IntentDetails(amount=Money(900, "KES"), reference="ORDER-8")
    )
    choice = PaymentChoice(payment_method="card", saved_method=saved, customer_present=False)
    charge = confirm_payment_intent(intent=intent, choice=choice)[1]
    shop.deliver()

    charge.refresh_from_db()
    assert (charge.status, charge.amount_received) == ("succeeded", Money(900, "KES"))
    assert remove_method(saved=saved).status == "removed"
    assert "parked" not in states()


def test_what_another_system_does_in_the_account_leaves_nothing_to_look_at(shop: CardShop) -> None:
    provider_account = make_provider_account(
        store=shop.store, provider="stripe", credentials={"secret_key": KEY, "webhook_secrets": [SECRET]}
    )
    assert provider_account.pk != shop.account.pk
    charge = shop.pay("pm_card_visa")
    other = urlsplit(account_callback_url(_other(shop, provider_account, charge).pk)).path
    client = Client()

    answers = [
        client.post(
            other, data=body, content_type="application/json", HTTP_STRIPE_SIGNATURE=headers["Stripe-Signature"]
        ).status_code
        for body, headers in shop.letters()
    ]

    assert answers
    assert set(answers) == {200}
    assert states() == {"rejected"}
    assert set(InboundWebhook.objects.values_list("reason", flat=True)) == {"No event."}


def _other(shop: CardShop, second: Any, charge: Charge) -> Any:
    """The one of the two accounts at the same Stripe account that did not make the charge."""
    return second if charge.provider_account_id == shop.account.pk else shop.account


def test_a_forged_event_changes_nothing(shop: CardShop) -> None:
    charge = shop.pay()
    shop.sim.forge(charge.provider_reference or "")

    assert set(shop.deliver()) == {400}

    charge.refresh_from_db()
    assert charge.status == "requires_action"
    assert states() == {"rejected"}


def test_the_address_for_stripes_dashboard(shop: CardShop) -> None:
    out = StringIO()
    call_command("majuu_callback_address", shop.account.public_id, stdout=out)

    assert out.getvalue().strip() == shop.url
    with pytest.raises(CommandError, match="no provider account"):
        call_command("majuu_callback_address", "pa_nonsense")
