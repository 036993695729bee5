"""Money that people see: one says so, another confirms it, and then it counts once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.audit.services import Actor, acting_as
from majuu_core.common.problems import Conflict, Denied, Invalid
from majuu_core.payments.models import Charge, Sighting
from majuu_core.payments.sightings import Seen, confirm_sighting, refuse_sighting, report_money
from tests.core.manual.office import Office, arrived, csv_of, people, shillings, state_of

DAY = date(2026, 1, 12)
PAID = {"provider_clearing": (Decimal(1500), Decimal(0)), "store_payable": (Decimal(1500), Decimal(0))}


def report(charge: Charge, who: Actor, amount: str = "1500", number: str = "FT1") -> Sighting:
    with acting_as(who):
        return report_money(charge=charge, seen=Seen(amount=shillings(amount), on=DAY, bank_reference=number))


def confirm(sighting: Sighting, who: Actor) -> Sighting:
    with acting_as(who):
        return confirm_sighting(sighting=sighting)


@pytest.fixture(autouse=True)
def _later(virtual_clock) -> None:
    """So that the day has begun in every time zone."""
    from datetime import UTC, datetime

    virtual_clock.advance(max(0.0, (datetime(2026, 1, 13, tzinfo=UTC) - virtual_clock.now()).total_seconds()))


@pytest.mark.parametrize("method", ["bank_transfer", "cash"])
def test_two_people_make_a_payment(office: Office, method: str) -> None:
    first, second = people()
    charge = office.wait_for(method=method)
    sighting = report(charge, first)
    assert (state_of(charge), sighting.status) == ("requires_action", "waiting")
    done = confirm(sighting, second)
    charge.refresh_from_db()
    assert (done.status, charge.status, state_of(charge.payment_intent)) == ("confirmed", "succeeded", "succeeded")
    assert charge.receipt is not None
    assert charge.receipt.startswith("FT1-260112-")
    assert office.books() == PAID
    actions = AuditEntry.objects.filter(action__startswith="sighting.").order_by("pk")
    assert [(entry.action, entry.actor_id) for entry in actions] == [
        ("sighting.reported", first.id),
        ("sighting.confirmed", second.id),
    ]
    # Pressed twice, it is confirmed once.
    assert confirm(sighting, second).status == "confirmed"
    assert office.books() == PAID


def test_nobody_confirms_what_they_reported_and_no_key_does(office: Office) -> None:
    (first,) = people(1)
    charge = office.wait_for()
    sighting = report(charge, first)
    with pytest.raises(Conflict) as refusal:
        confirm(sighting, first)
    assert refusal.value.code == "second_person_required"
    for nobody in (Actor(type="api_key", id="key_1"), Actor(type="system")):
        with pytest.raises(Denied):
            confirm(sighting, nobody)
        with pytest.raises(Denied):
            report(charge, nobody)
    sighting.refresh_from_db()
    assert (sighting.status, state_of(charge), Sighting.objects.count()) == ("waiting", "requires_action", 1)


def test_the_statement_tells_of_the_same_money_later(office: Office) -> None:
    first, second = people()
    charge = office.wait_for()
    confirm(report(charge, first), second)
    # The payer forgot the reference, and the operator wrote down the bank's number.
    office.upload(csv_of(("2026-01-12", "FT1", "FROM JANE", "1500", "")))
    assert arrived() == [(Decimal(1500), "charge")]
    assert office.books() == PAID


def test_money_that_a_statement_brought_meanwhile_is_not_booked_again(office: Office) -> None:
    first, second = people()
    charge = office.wait_for()
    sighting = report(charge, first, number="OTHER")
    office.upload(csv_of(("2026-01-12", "FT1", str(charge.provider_reference), "1500", "")))
    with pytest.raises(Conflict) as refusal:
        confirm(sighting, second)
    assert refusal.value.code == "charge_settled"
    sighting.refresh_from_db()
    assert sighting.status == "waiting"
    assert office.books() == PAID


def test_late_money_of_a_canceled_charge_counts(office: Office) -> None:
    first, second = people()
    charge = office.wait_for()
    office.pay(charge.payment_intent)
    confirm(report(charge, first), second)
    charge.payment_intent.refresh_from_db()
    assert state_of(charge) == "succeeded"
    assert charge.payment_intent.surplus.amount == 1500


def test_it_can_be_refused_and_reported_anew(office: Office) -> None:
    first, second = people()
    charge = office.wait_for()
    sighting = report(charge, first)
    with pytest.raises(Conflict) as refusal:
        report(charge, second)
    assert refusal.value.code == "sighting_waits"
    with acting_as(second), pytest.raises(Invalid):
        refuse_sighting(sighting=sighting, reason=" ")
    with acting_as(second):
        assert refuse_sighting(sighting=sighting, reason="It is another customer's").status == "refused"
    with pytest.raises(Conflict):
        confirm(sighting, second)
    assert report(charge, second).status == "waiting"
    assert state_of(charge) == "requires_action"


def test_another_amount_needs_the_owners_word(db, virtual_clock) -> None:
    first, second = people()
    strict, lenient = Office(), Office(amount_may_differ=True)
    charge = strict.wait_for()
    with pytest.raises(Invalid) as refusal:
        report(charge, first, amount="1000")
    assert refusal.value.code == "amount_differs"
    assert not Sighting.objects.exists()
    charge = lenient.wait_for()
    sighting = report(charge, first, amount="1000")
    confirm(sighting, second)
    confirm(sighting, second)
    charge.payment_intent.refresh_from_db()
    assert charge.payment_intent.amount_received.amount == 1000
    assert arrived() == [(Decimal(1000), "claimed")]


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Seen(amount=shillings("0"), on=DAY, bank_reference="FT1"), "amount_not_positive"),
        (Seen(amount=shillings("1500"), on=date(2030, 1, 1), bank_reference="FT1"), "date_in_future"),
        (Seen(amount=shillings("1500"), on=DAY, note="ok"), "evidence_missing"),
    ],
)
def test_what_cannot_have_been_seen_is_refused(office: Office, seen: Seen, code: str) -> None:
    charge, (first,) = office.wait_for(), people(1)
    with acting_as(first), pytest.raises(Invalid) as refusal:
        report_money(charge=charge, seen=seen)
    assert refusal.value.code == code
    assert not Sighting.objects.exists()


def test_a_provider_that_can_be_asked_is_asked(office: Office) -> None:
    _, charge = office.pay_new("7721")
    (first,) = people(1)
    with pytest.raises(Conflict) as refusal:
        report(charge, first, amount="7721")
    assert refusal.value.code == "charge_not_by_hand"
