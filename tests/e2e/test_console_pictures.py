"""The console's pages in a browser: they work under their Content-Security-Policy, and nothing sticks out."""

from __future__ import annotations

import pytest
from moneyed import Money

from majuu_core.console.cells import address_of
from majuu_core.console.site import console_site
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Charge, Claim, IncomingPayment
from majuu_core.testing.factories import make_provider_account
from tests.core.console.world import World, make_staff, one_of
from tests.core.payments.arrivals import save_incoming
from tests.e2e.signing_in import sign_in_on

console_site.register_pages()
MODELS = list(console_site._registry)


@pytest.fixture
def world(transactional_db) -> World:
    made = World().add(3)
    made.add(1, amount="7702")  # declined
    made.add(1, amount="7736")  # nobody ever finds out
    return made


@pytest.fixture
def sign_in(visit):
    """A visitor who has logged in, password and second factor, as a superuser."""
    user = make_staff(superuser=True)

    def go(**options):
        visitor = visit(**options)
        sign_in_on(visitor, user, "/console/")
        visitor.page.wait_for_selector("#attention")
        return visitor

    return go


def show(visitor, path: str, name: str) -> None:
    visitor.open(path)
    assert visitor.fits(), name
    visitor.picture(name)
    assert visitor.complaints == []


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_home_detail_and_list(width, dark, world, visit, sign_in) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    visitor = sign_in(width=width, dark=dark)
    show(visitor, "/console/", f"console-home-{look}")
    show(visitor, "/console/plugins/", f"console-plugins-{look}")
    show(visitor, "/console/majuu_payments/paymentintent/", f"console-intents-{look}")
    show(visitor, address_of(world.intents[0]), f"console-intent-{look}")
    show(visitor, address_of(Charge.objects.get(status="unknown")), f"console-charge-{look}")
    show(visitor, address_of(world.inbound[0]), f"console-inbound-{look}")
    show(visitor, "/console/majuu_payments/payout/", f"console-payouts-{look}")
    show(visitor, address_of(world.batches[0].payouts.first()), f"console-payout-{look}")
    show(visitor, address_of(world.batches[0]), f"console-payout-batch-{look}")


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_suggestions(width, dark, world, sign_in) -> None:
    store, account = world.stores[0], make_provider_account(platform=True)
    details = IntentDetails(amount=Money("1500", "KES"), reference="ORD-10452", customer_phone="0712345678")
    intent = create_payment_intent(store=store, livemode=False, details=details)
    money = save_incoming(account, receipt="UKP7A1B2C3", account_reference="ord 10452", payer_phone="254712345678")
    save_incoming(account, "500", receipt="UKP7A1B2C4", account_reference="0712345678")
    visitor = sign_in(width=width, dark=dark)
    show(visitor, address_of(intent), f"console-suggestions-{width}-{'dark' if dark else 'light'}")
    show(visitor, address_of(money), f"console-incoming-suggestions-{width}-{'dark' if dark else 'light'}")


def test_every_list_and_detail(world, sign_in) -> None:
    visitor = sign_in(width=1280)
    for model in MODELS:
        name = model._meta.model_name
        show(visitor, f"/console/{model._meta.app_label}/{name}/", f"console-list-{name}")
        show(visitor, address_of(one_of(model)), f"console-detail-{name}")


def test_asking_the_provider_from_the_console(world, sign_in) -> None:
    store = world.stores[0]
    intent = create_payment_intent(store=store, livemode=False, details=IntentDetails(amount=Money("7722", "KES")))
    _, charge = confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method="mock"))
    assert charge.status == "pending"
    visitor = sign_in(width=1280)
    visitor.open(address_of(charge))
    visitor.page.wait_for_timeout(5500)  # the mock provider decides after five seconds
    visitor.page.click("text=Ask the provider now")
    visitor.page.wait_for_selector("text=The charge is now: Failed.")
    visitor.picture("console-asked")
    charge.refresh_from_db()
    assert (charge.status, charge.failure_code) == ("failed", "declined")
    assert visitor.complaints == []


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_the_inbox_of_incoming_money(width, dark, world, sign_in) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    visitor = sign_in(width=width, dark=dark)
    show(visitor, "/console/majuu_payments/incomingpayment/?ownership=unclaimed", f"console-incoming-{look}")
    free = IncomingPayment.objects.filter(ownership="unclaimed").latest("pk")
    show(visitor, address_of(free), f"console-incoming-one-{look}")
    visitor.page.click("text=Claim for a store")
    visitor.page.wait_for_selector("input[name=reference]")
    assert visitor.fits()
    visitor.picture(f"console-claiming-{look}")
    visitor.page.fill("input[name=store]", free.store.code)
    visitor.page.fill("input[name=reference]", "ORD-7")
    visitor.page.click("form.mj-form button[type=submit]")
    visitor.page.wait_for_selector(f"text=The money is {free.store}'s now.")
    show(visitor, address_of(Claim.objects.latest("pk")), f"console-claim-{look}")
