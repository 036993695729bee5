"""What customers and staff see of a charge that a wallet paid."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client

from majuu_core.console.cells import address_of
from majuu_core.payments.addresses import payment_url
from majuu_core.testing.people import sign_in
from majuu_core.wallets.spending import pay_intent_from_wallet
from tests.core.console.world import make_staff
from tests.core.wallets.support import Counter


def test_the_customer_s_page_says_paid(counter: Counter) -> None:
    """given an intent paid from a wallet / when its page is opened / then it says paid, and asks for nothing."""
    intent = counter.intent("300")
    payment = pay_intent_from_wallet(wallet=counter.wallet(funds="500"), intent=intent)
    page = Client().get(urlsplit(payment_url(intent)).path, headers={"Accept-Language": "en"})
    assert page.status_code == 200
    text = page.content.decode()
    assert "Payment received" in text
    assert payment.public_id in text  # the receipt
    assert 'name="payment_method"' not in text


@pytest.mark.parametrize("what", ["charge", "intent", "account"])
def test_the_console_shows_the_charge_its_intent_and_its_account(counter: Counter, what: str) -> None:
    """given a charge that a wallet paid / when staff look at it, its intent or its account / then the pages open."""
    charge = pay_intent_from_wallet(wallet=counter.wallet(funds="500"), intent=counter.intent("300")).charge
    row = {"charge": charge, "intent": charge.payment_intent, "account": charge.provider_account}[what]
    client = Client()
    sign_in(client, make_staff(superuser=True))
    assert client.get(address_of(row)).status_code == 200
