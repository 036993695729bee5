"""One payment by STK push that Daraja tells twice, by the callback and as C2B: in the books it is one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from majuu_core.events.models import Event
from majuu_core.payments.incoming_pull import pull_all
from majuu_core.payments.models import Charge, IncomingPayment
from majuu_core.webhooks.models import InboundWebhook
from tests.core.payments.incoming_support import claim
from tests.sandbox.daraja_office import TILL, Letters, Office, kinds_of, letters_of

OpenOffice = Callable[..., Office]


def paid(office: Office) -> tuple[Charge, Letters, Letters]:
    """A prompt that the customer has answered: the charge, its callback and its confirmation."""
    office.register()
    charge = office.push()
    letters = office.wait(5)
    callback, confirmation = letters_of(letters, "Body"), letters_of(letters, "TransID")
    assert (len(callback), len(confirmation), len(letters)) == (1, 1, 2)
    return charge, callback, confirmation


def check_one_payment(office: Office, charge: Charge) -> None:
    charge.refresh_from_db()
    [movement] = office.sim.movements()
    incoming = office.the_money()
    assert (charge.status, charge.receipt, charge.amount_received.amount) == (
        "succeeded",
        movement.receipt,
        Decimal(1500),
    )
    assert charge.payment_intent.status == "succeeded"
    assert charge.payment_intent.amount_received.amount == Decimal(1500)
    assert (incoming.receipt, incoming.ownership, incoming.charge_id) == (movement.receipt, "charge", charge.pk)
    assert (incoming.status, incoming.store_id) == ("succeeded", office.store.pk)
    assert office.books() == {"clearing": office.moved(), "unclaimed": Decimal(0), "store": Decimal(1500)}
    assert Charge.objects.count() == 1
    assert not Event.objects.filter(type="incoming_payment.conflict").exists()


def test_callback_before_confirmation(office: Office) -> None:
    """Given the callback first, then the confirmation is the same money and books nothing."""
    charge, callback, confirmation = paid(office)
    office.deliver(callback)
    office.work()

    office.deliver(confirmation)
    office.play()

    check_one_payment(office, charge)
    assert kinds_of(office.the_money().public_id) == []


def test_confirmation_before_callback(office: Office) -> None:
    """Given the confirmation first, then nobody else gets the money, and the callback makes it the charge's."""
    charge, callback, confirmation = paid(office)
    office.deliver(confirmation)
    assert office.books() == {"clearing": Decimal(1500), "unclaimed": Decimal(1500), "store": Decimal(0)}

    office.deliver(callback)
    office.play()

    check_one_payment(office, charge)
    assert kinds_of(office.the_money().public_id) == ["incoming", "incoming_back"]


def test_confirmation_alone(office: Office) -> None:
    """Given a callback that was lost, when the query says paid but names no receipt, then the confirmation gives it."""
    charge, _, confirmation = paid(office)

    office.deliver(confirmation)
    office.play(rounds=4)

    check_one_payment(office, charge)


def test_a_query_before_the_confirmation(office: Office) -> None:
    """Given a lost callback and a charge that succeeded by a query, then a late confirmation adds the receipt."""
    charge, _, confirmation = paid(office)
    for _ in range(4):
        office.deliver(office.wait(15))
        office.work()
    charge.refresh_from_db()
    assert (charge.status, charge.receipt) == ("succeeded", None)
    assert office.books() == {"clearing": Decimal(1500), "unclaimed": Decimal(0), "store": Decimal(1500)}

    office.deliver(confirmation)
    office.play()

    check_one_payment(office, charge)


def test_a_callback_after_all_is_a_duplicate_in_substance(office: Office) -> None:
    """Given charge and confirmation linked by a query, when the callback comes at last, then nothing changes."""
    charge, callback, confirmation = paid(office)
    office.deliver(confirmation)
    office.play(rounds=4)

    office.deliver(callback)
    office.play()

    check_one_payment(office, charge)
    assert "parked" not in office.states()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_two_customers_who_pay_the_same_at_once_are_two_payments(open_office: OpenOffice, version: str) -> None:
    """Given a prompt and somebody else's paybill payment of the same amount, then each is booked as its own."""
    office = open_office(account={"c2b_version": version})
    charge, callback, confirmation = paid(office)
    other = office.sim.pay_paybill("254722000111", "174379", 1500, "OTHER").receipt
    office.deliver([*office.wait(1), *confirmation, *callback])
    office.play()

    charge.refresh_from_db()
    assert charge.receipt == office.sim.movements()[0].receipt != other
    mine, theirs = IncomingPayment.objects.get(receipt=charge.receipt), IncomingPayment.objects.get(receipt=other)
    assert (mine.ownership, theirs.ownership) == ("charge", "unclaimed")
    assert office.books() == {"clearing": Decimal(3000), "unclaimed": Decimal(1500), "store": Decimal(1500)}
    assert office.moved() == Decimal(3000)


def test_the_receipt_of_a_push_is_used_once(office: Office) -> None:
    """Given a charge told by both channels, when its receipt is claimed, no money moves, and it counts as used."""
    charge, callback, confirmation = paid(office)
    office.deliver([*confirmation, *callback])
    office.play()
    charge.refresh_from_db()
    before = office.books()

    made = claim(office.store, str(charge.receipt), reference="1001")

    assert (made.method, made.charge_id, office.books()) == ("charge", charge.pk, before)
    assert InboundWebhook.objects.exclude(state__in=["applied", "duplicate"]).count() == 0


@pytest.mark.parametrize("shape", ["auto", "v1", "v2", "plain_number"])
def test_a_till_hides_most_of_the_number(open_office: OpenOffice, shape: str) -> None:
    """Given a till's push whose callback is lost, however its confirmation hides the payer, then it is one payment."""
    office = open_office(account=TILL, confirmation_shape=shape)
    charge, _, confirmation = paid(office)
    for _ in range(4):
        office.deliver(office.wait(15))
        office.work()
    charge.refresh_from_db()
    assert (charge.status, charge.receipt) == ("succeeded", None)

    office.deliver(confirmation)
    office.play()

    check_one_payment(office, charge)


def test_a_push_that_only_the_list_tells_of(open_office: OpenOffice) -> None:
    """Given callback and confirmation both lost, when the query says paid and the list is pulled, it is one payment."""
    office = open_office(account={"nominated_number": "0722000000"})
    charge, _, _ = paid(office)
    for _ in range(4):
        office.deliver(office.wait(15))
        office.work()

    pull_all()
    office.play()

    charge.refresh_from_db()
    assert charge.status == "succeeded"
    assert office.books() == {"clearing": office.moved(), "unclaimed": Decimal(0), "store": Decimal(1500)}
