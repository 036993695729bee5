"""A provider account's page, an alert and a QR code in a browser: they work, and nothing sticks out."""

from __future__ import annotations

import pytest
from moneyed import Money

from majuu_core.console.cells import address_of
from majuu_core.payments.intents import IntentDetails, create_payment_intent
from majuu_core.payments.models import Alert
from tests.core.console.world import World, make_staff
from tests.e2e.signing_in import sign_in_on


@pytest.fixture
def world(transactional_db, live_server, settings) -> World:
    settings.MAJUU_PUBLIC_URL = live_server.url
    return World().add(2)


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True), (360, False)])
def test_operations_pages(width, dark, world, visit) -> None:
    look = f"{width}-{'dark' if dark else 'light'}"
    visitor, user = visit(width=width, dark=dark), make_staff(superuser=True)
    sign_in_on(visitor, user, "/console/")
    visitor.page.wait_for_selector("#attention")

    def show(name: str) -> None:
        visitor.page.wait_for_load_state("networkidle")
        assert visitor.fits(), name
        visitor.picture(f"operations-{name}-{look}")
        assert visitor.complaints == []

    show("home")
    visitor.open(address_of(world.accounts[0]))
    for button in ("Check the account", "Test callbacks"):
        visitor.page.click(f"button:has-text('{button}')")
        visitor.page.wait_for_load_state("networkidle")
    assert "arrived as iwh_" in visitor.page.inner_text("body")
    show("account")
    visitor.open(address_of(Alert.objects.latest("pk")))
    show("alert")
    details = IntentDetails(amount=Money("250.00", "KES"), reference="ORDER7")
    visitor.open(address_of(create_payment_intent(store=world.stores[0], livemode=False, details=details)))
    visitor.page.click("button:has-text('Make a QR code')")
    visitor.page.wait_for_selector("img.mj-picture")
    show("qr-code")
