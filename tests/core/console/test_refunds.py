"""Refunding from the console: the plan first, then a confirmation with a reason; and who may not."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.console.cells import address_of
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.testing.audit import address_in
from tests.core.payments.refund_support import two_ways
from tests.core.payments.support import Till

pytestmark = pytest.mark.django_db


def text_of(answer: Any) -> str:
    source = re.sub(r"<[^>]*>", " ", answer.content.decode())
    return " ".join(html.unescape(source).replace("\u00a0", " ").split())


def page_of(charge: Charge) -> str:
    return reverse("console:majuu_payments_charge_refund", args=[charge.public_id])


def form_of(client: Client, charge: Charge, query: str = "") -> dict[str, str]:
    """The hidden fields of the form that confirms."""
    source = client.get(page_of(charge) + query).content.decode()
    form = re.search(r'<form method="post".*?</form>', source.rpartition("Give back")[2] or source, re.DOTALL)
    assert form is not None, "there is nothing to confirm"
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))


def confirm(client: Client, charge: Charge, query: str = "", **fields: str) -> Any:
    sent = form_of(client, charge, query) | {"reason": "Came back broken"} | fields
    return client.post(page_of(charge), sent, follow=True)


def test_the_button_leads_to_the_plan_and_moves_nothing(world, superuser_client) -> None:
    charge = world.charges[0]
    before = LedgerTransaction.objects.count()
    source = superuser_client.get(address_of(charge)).content.decode()
    assert "Refund …" in source
    token = superuser_client.cookies["csrftoken"].value
    answer = superuser_client.post(page_of(charge), {"csrfmiddlewaretoken": token}, follow=True)
    assert answer.redirect_chain == [(page_of(charge), 302)]
    text = text_of(answer)
    assert "at most KES 1,400.00" in text
    assert "refund chosen The provider gives the payment back the way it came." in text
    assert "store payable KES 1,400.00 It is what the store has earned by this payment." in text
    assert "Give back KES 1400.00 by refund" in text
    assert (Refund.objects.count(), LedgerTransaction.objects.count()) == (1, before)


def test_a_confirmed_refund_is_made_in_the_users_name(world, superuser_client) -> None:
    charge = world.charges[0]
    answer = confirm(superuser_client, charge, "?amount=250")
    refund = Refund.objects.order_by("-pk")[0]
    assert answer.redirect_chain == [(address_of(refund), 302)]
    assert "The refund is now: Succeeded." in text_of(answer)
    user = superuser_client.session["_auth_user_id"]
    assert (refund.amount.amount, refund.source, refund.reason) == (250, "console", "Came back broken")
    assert refund.created_by == f"user:{user}"
    entry = AuditEntry.objects.get(object_id=refund.public_id, action="refund.created")
    assert (entry.actor_type, entry.actor_id, address_in(entry)) == ("user", user, "127.0.0.1")


def test_a_second_click_is_the_same_refund(world, superuser_client) -> None:
    charge = world.charges[0]
    sent = form_of(superuser_client, charge, "?amount=250") | {"reason": "Came back broken"}
    first, second = (superuser_client.post(page_of(charge), sent, follow=True) for _ in range(2))
    assert first.redirect_chain == second.redirect_chain
    assert Refund.objects.count() == 2  # the world's own, and this one


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": " no "}, "Say why, in at least 5 characters."),
        ({"amount": "1400.01"}, "that is what remains"),
        ({"amount": "lots"}, "is not an amount"),
        ({"method": "cheque"}, "There is no such way back."),
    ],
)
def test_what_is_refused_is_said_and_changes_nothing(world, superuser_client, fields, words) -> None:
    before = LedgerTransaction.objects.count()
    answer = confirm(superuser_client, world.charges[0], **fields)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert (Refund.objects.count(), LedgerTransaction.objects.count()) == (1, before)


def test_the_plan_of_a_wrong_amount_says_why(world, superuser_client) -> None:
    text = text_of(superuser_client.get(page_of(world.charges[0]) + "?amount=9999"))
    assert "that is what remains" in text
    assert "Give the money back" not in text


def test_closed_and_other_ways_are_shown_with_their_reasons(virtual_clock, db, superuser_client) -> None:
    till = Till()
    with two_ways(till):
        _, charge = till.pay_new("1500")
        text = text_of(superuser_client.get(page_of(charge) + "?amount=400"))
        assert "reversal closed Only a whole payment can be reversed." in text
        assert "b2c chosen New money is sent to the phone." in text
        assert "Phone, with its country code" in text
        refused = confirm(superuser_client, charge, "?amount=400")
        assert "b2c needs phone" in text_of(refused)
        made = confirm(superuser_client, charge, "?amount=400", phone="254712345678")
        assert "The refund is now: Succeeded." in text_of(made)
        refund = Refund.objects.get()
        assert (refund.method, refund.destination) == ("b2c", {"phone": "254712345678"})
        chosen = text_of(superuser_client.get(page_of(charge) + "?amount=400&method=reversal"))
        assert "Give the money back" not in chosen


def test_nothing_left_has_no_button(world, superuser_client) -> None:
    charge = world.charges[0]
    create_refund(
        store=world.stores[0],
        livemode=False,
        details=RefundDetails(charge=charge.public_id, amount=Money(1400, "KES"), reason="All"),
    )
    assert "Refund …" not in superuser_client.get(address_of(charge)).content.decode()
    assert "All of it has gone back" in text_of(superuser_client.get(page_of(charge)))


def test_who_may_not_add_refunds_may_not_refund(world, staff_client) -> None:
    charge = world.charges[0]
    client = staff_client("majuu_payments.view_charge", "majuu_payments.view_refund")
    assert "Refund …" not in client.get(address_of(charge)).content.decode()
    assert client.get(page_of(charge)).status_code == 403
    answer = client.post(page_of(charge), {"confirm": "1", "amount": "1", "reason": "Because I can"})
    assert (answer.status_code, Refund.objects.count()) == (403, 1)
    may = staff_client("majuu_payments.view_charge", "majuu_payments.add_refund")
    assert may.get(page_of(charge)).status_code == 200


def test_a_foreign_form_cannot_refund(world, superuser_client) -> None:
    sent = {"confirm": "1", "amount": "1", "reason": "From elsewhere"}
    assert superuser_client.post(page_of(world.charges[0]), sent).status_code == 403
    assert Refund.objects.count() == 1


def test_a_charge_that_is_not_there(world, superuser_client) -> None:
    for key in ("ch_00000000000000000000000000", "nonsense"):
        address = reverse("console:majuu_payments_charge_refund", args=[key])
        assert superuser_client.get(address).status_code == 404


def test_a_refunds_page_tells_its_story(world, superuser_client) -> None:
    text = text_of(superuser_client.get(address_of(world.refunds[0])))
    for line in ("Refund of KES 100.00 begun", "Booked: refund reversal", "Event refund.succeeded", "Refund succeeded"):
        assert line in text, line


def test_asking_about_an_open_refund(world, superuser_client, virtual_clock) -> None:
    world.add(1, amount="20000.00")
    details = RefundDetails(charge=world.charges[-1].public_id, amount=Money("7721", "KES"), reason="Slow")
    (refund,) = create_refund(store=world.stores[-1], livemode=False, details=details)
    virtual_clock.advance(6)
    source = superuser_client.get(address_of(refund)).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', source)
    assert token is not None
    address = reverse("console:majuu_payments_refund_ask", args=[refund.public_id])
    assert superuser_client.get(address).status_code == 405
    answer = superuser_client.post(address, {"csrfmiddlewaretoken": token[1]}, follow=True)
    assert "The refund is now: Succeeded." in text_of(answer)


def test_who_may_not_change_refunds_may_not_ask(world, staff_client) -> None:
    client = staff_client("majuu_payments.view_refund")
    address = reverse("console:majuu_payments_refund_ask", args=[world.refunds[0].public_id])
    assert client.post(address).status_code == 403
