"""Money that people see, at the same moment: two uploads, two who confirm, and a customer who changes their mind."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from majuu_core.audit.services import acting_as
from majuu_core.common.problems import Conflict
from majuu_core.payments.models import Charge, IncomingPayment
from majuu_core.payments.sightings import Seen, confirm_sighting, report_money
from majuu_core.reports.models import SettlementLine
from majuu_core.reports.uploads import import_settlement
from tests.core.manual.office import Office, csv_of, people, shillings, state_of
from tests.core.races.threads import answers, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
DAY = "2026-01-02"


@pytest.fixture
def office(transactional_db, virtual_clock) -> Office:
    return Office()


def test_two_uploads_of_one_statement_count_once(office: Office) -> None:
    charges = [office.wait_for(str(1000 + number)) for number in range(4)]
    lines = [(DAY, f"FT{item.pk}", str(item.provider_reference), f"{item.amount.amount}", "") for item in charges]
    text = csv_of(*lines, (DAY, "FT9", "NOBODY", "77", ""))
    staged = [office.stage(text, f"{number}.csv") for number in range(2)]
    done = answers(at_once([lambda row=row: import_settlement(settlement=row) for row in staged]))  # type: ignore[misc]
    assert [row.state for row in done] == ["imported", "imported"]
    assert [state_of(charge) for charge in charges] == ["succeeded"] * 4
    assert SettlementLine.objects.count() == IncomingPayment.objects.count() == 5
    assert IncomingPayment.objects.filter(ownership="charge").count() == 4
    assert office.books()["store_payable"] == (Decimal(4006), Decimal(0))


def test_two_transfers_with_one_reference_at_once_pay_once(office: Office) -> None:
    for turn in range(6):
        charge = office.wait_for()
        staged = [
            office.stage(csv_of((DAY, f"FT{turn}{name}", str(charge.provider_reference), "1500", "")), f"{turn}{name}")
            for name in "ab"
        ]
        answers(at_once([lambda row=row: import_settlement(settlement=row) for row in staged]))  # type: ignore[misc]
        money = IncomingPayment.objects.order_by("-pk")[:2]
        assert sorted(item.ownership for item in money) == ["charge", "unclaimed"]
        assert office.books()["store_payable"] == (Decimal(1500) * (turn + 1), Decimal(0))


def test_two_people_confirm_at_once(office: Office) -> None:
    maker, *checkers = people(3)
    charge = office.wait_for()
    with acting_as(maker):
        seen = Seen(amount=shillings("1500"), on=charge.created_at.date(), bank_reference="FT1")
        sighting = report_money(charge=charge, seen=seen)

    def confirm(who):
        with acting_as(who):
            return confirm_sighting(sighting=sighting).status

    assert answers(at_once([partial(confirm, who) for who in checkers])) == ["confirmed", "confirmed"]
    assert office.books()["store_payable"] == (Decimal(1500), Decimal(0))


def test_money_arrives_while_the_customer_chooses_another_method(office: Office) -> None:
    charge = office.wait_for()
    staged = office.stage(csv_of((DAY, "FT1", str(charge.provider_reference), "1500", "")))
    works: list[Callable[[], object]] = [
        lambda: import_settlement(settlement=staged),
        lambda: office.pay(charge.payment_intent),
    ]
    imported, paid = at_once(works)
    assert not isinstance(imported, Exception)
    assert not isinstance(paid, Exception) or isinstance(paid, Conflict)
    assert state_of(charge) == "succeeded"
    charge.payment_intent.refresh_from_db()
    intent, others = charge.payment_intent, Charge.objects.exclude(pk=charge.pk).filter(status="succeeded").count()
    assert (intent.status, intent.amount_received.amount) == ("succeeded", 1500)
    assert intent.surplus.amount == 1500 * others
