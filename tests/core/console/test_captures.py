"""Capturing and releasing from the console: who may, what is shown, and what is written down."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from majuu_core.audit.models import AuditEntry
from majuu_core.console.cells import address_of
from majuu_core.payments.models import Charge
from majuu_core.testing.people import sign_in
from tests.core.console.test_refunds import text_of
from tests.core.console.world import make_staff
from tests.core.payments.support import Till

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(virtual_clock: Any) -> Charge:
    """A charge whose money is authorized."""
    till = Till()
    return till.pay(till.intent("10000", capture_method="manual"))[1]


def page_of(charge: Charge) -> str:
    return reverse("console:majuu_payments_charge_capture", args=[charge.public_id])


def confirm(client: Client, charge: Charge, confirm: str, **fields: str) -> Any:
    source = client.get(page_of(charge)).content.decode()
    sent = dict(re.findall(r'name="(csrfmiddlewaretoken|key)" value="([^"]*)"', source))
    return client.post(page_of(charge), sent | {"confirm": confirm} | fields, follow=True)


def test_a_part_is_captured_in_the_users_name(held: Charge, superuser_client: Client) -> None:
    for page in (held, held.payment_intent):
        assert "Capture or release …" in superuser_client.get(address_of(page)).content.decode()
    text = text_of(superuser_client.get(page_of(held)))
    assert "KES 10,000.00 is authorized" in text
    answer = confirm(superuser_client, held, "capture", amount="2500")
    assert answer.redirect_chain == [(address_of(held), 302)]
    assert "The charge is now: Succeeded." in text_of(answer)
    assert "To be captured: KES 2,500.00" in text_of(answer)
    held.refresh_from_db()
    assert (held.status, held.amount_received.amount) == ("succeeded", 2500)
    entry = AuditEntry.objects.get(action="charge.capture_requested")
    assert (entry.actor_type, entry.actor_id) == ("user", superuser_client.session["_auth_user_id"])
    assert "Nothing is waiting to be captured" in text_of(superuser_client.get(page_of(held)))


def test_the_money_is_released(held: Charge, superuser_client: Client) -> None:
    answer = confirm(superuser_client, held, "void")
    assert "The charge is now: Canceled." in text_of(answer)
    held.refresh_from_db()
    assert (held.status, held.payment_intent.status) == ("canceled", "canceled")
    assert AuditEntry.objects.get(action="charge.void_requested").actor_type == "user"


@pytest.mark.parametrize(("amount", "says"), [("10000.01", "At most 10000.00"), ("much", "amount")])
def test_what_cannot_be_captured_is_said(held: Charge, superuser_client: Client, amount: str, says: str) -> None:
    answer = confirm(superuser_client, held, "capture", amount=amount)
    assert (answer.status_code, says in text_of(answer)) == (422, True)
    held.refresh_from_db()
    assert (held.status, held.amount_to_capture) == ("authorized", None)


def test_a_refusal_of_the_provider_is_shown(held: Charge, superuser_client: Client) -> None:
    answer = confirm(superuser_client, held, "capture", amount="7743")
    assert "The provider refused, and the money is authorized still" in text_of(answer)


def test_who_may_not_change_intents_may_not_capture(held: Charge, staff_client: Any) -> None:
    client = staff_client("majuu_payments.view_charge", "majuu_payments.change_charge")
    assert "Capture or release …" not in client.get(address_of(held)).content.decode()
    assert client.get(page_of(held)).status_code == 403
    for what in ("capture", "void"):
        assert client.post(page_of(held), {"confirm": what, "amount": "1"}).status_code == 403
    held.refresh_from_db()
    assert (held.status, held.amount_to_capture, held.void_requested_at) == ("authorized", None, None)
    may = staff_client("majuu_payments.view_charge", "majuu_payments.change_paymentintent")
    assert may.get(page_of(held)).status_code == 200


def test_a_foreign_form_captures_nothing(held: Charge, superuser_client: Client) -> None:
    assert superuser_client.post(page_of(held), {"confirm": "capture", "amount": "1"}).status_code == 403
    held.refresh_from_db()
    assert held.status == "authorized"


def test_capturing_and_releasing_ask_for_the_second_factor_again(held: Charge) -> None:
    """given staff whose second factor was shown long ago / when they capture or release / then nothing moves before it
    is shown again"""
    client = Client()
    sign_in(client, make_staff(superuser=True), fresh=False)
    page = page_of(held)
    asked = f"/accounts/confirm/?next={quote(page, safe='')}"
    assert client.get(page)["Location"] == asked
    for what in ("capture", "void"):
        sent = {"confirm": what, "amount": "2500", "key": "k"}
        answer = client.post(page, sent, headers={"Referer": f"http://testserver{page}"})
        assert (answer.status_code, answer["Location"]) == (302, asked)
    held.refresh_from_db()
    assert (held.status, held.amount_to_capture, held.void_requested_at) == ("authorized", None, None)
    actions = ("charge.capture_requested", "charge.void_requested")
    assert not AuditEntry.objects.filter(action__in=actions).exists()
    assert client.get(address_of(held)).status_code == 200
