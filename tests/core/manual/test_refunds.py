"""Refunds that people pay out: on a list, in a file, marked as done or failed."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from majuu_core.audit.services import acting_as
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.common.tables import read_rows
from majuu_core.payments.models import Refund, Sighting
from majuu_core.payments.refund_lists import list_csv, list_xlsx, refunds_to_pay
from majuu_core.payments.refund_outcomes import run_due_refund_questions
from majuu_core.payments.refunds import RefundDetails, create_refund
from majuu_core.payments.sightings import Seen, confirm_sighting, report_refund_failed, report_refund_paid
from tests.core.manual.office import Office, csv_of, people, shillings, state_of

BANK = {"account_name": "=Jane", "account_number": "0011223344", "bank_name": "KCB"}


@pytest.fixture
def to_pay(office: Office) -> Refund:
    return ask_back(office, "1500", "500")


def ask_back(office: Office, paid: str, back: str, **changes: Any) -> Refund:
    charge = office.wait_for(paid)
    office.upload(csv_of(("2026-01-12", f"FT{paid}", str(charge.provider_reference), paid, "")), f"{paid}.csv")
    details = RefundDetails(
        charge=charge.public_id, amount=shillings(back), reason="Returned", destination={**BANK, **changes}
    )
    return create_refund(store=office.store, livemode=False, details=details)[0]


def paid_out(amount: str, number: str = "OUT1") -> Seen:
    return Seen(amount=shillings(amount), on=date(2026, 1, 1), bank_reference=number)


def test_a_refund_waits_on_the_list_and_is_never_parked(to_pay: Refund, virtual_clock: VirtualClock) -> None:
    assert (to_pay.status, to_pay.method, to_pay.destination) == ("pending", "bank_transfer", BANK)
    for _ in range(30):
        virtual_clock.advance(3600 * 2)
        run_due_refund_questions()
    to_pay.refresh_from_db()
    assert (to_pay.status, to_pay.is_parked, to_pay.follow_up_at) == ("pending", False, None)
    assert list(refunds_to_pay(livemode=False)) == [to_pay]
    assert not refunds_to_pay(livemode=True)
    assert list(refunds_to_pay(livemode=False, account=to_pay.provider_account.public_id, currency="KES")) == [to_pay]
    assert not refunds_to_pay(livemode=False, account="pa_nonsense")


def test_a_refund_needs_to_know_where_to(office: Office) -> None:
    with pytest.raises(Invalid) as refusal:
        ask_back(office, "1500", "500", account_number="")
    assert refusal.value.field == "destination.account_number"
    assert not Refund.objects.exists()


def test_the_files_hold_no_formula_and_keep_the_zeros(to_pay: Refund) -> None:
    rows = refunds_to_pay(livemode=False)
    for data in (b"".join(list_csv(rows)), b"".join(list_xlsx(rows))):
        heading, row = (found.cells for found in read_rows(io.BytesIO(data)))
        told = dict(zip(heading, row, strict=False))
        assert told["\ufeffRefund" if "\ufeffRefund" in told else "Refund"] == to_pay.public_id
        assert (told["Account name"], told["Account number"]) == ("'=Jane", "0011223344")
        assert Decimal(told["Amount"]) == 500


def test_one_person_marks_a_small_one_as_paid(office: Office, to_pay: Refund) -> None:
    (person,) = people(1)
    with acting_as(person):
        done = report_refund_paid(refund=to_pay, seen=paid_out("500"))
        assert isinstance(done, Refund)
        assert (done.status, done.receipt) == ("succeeded", done.receipt)
        with pytest.raises(Conflict):
            report_refund_paid(refund=done, seen=paid_out("500"))
    assert done.receipt is not None
    assert done.receipt.startswith("OUT1-260101-")
    assert office.books()["store_payable"] == (Decimal(1000), Decimal(0))
    assert not refunds_to_pay(livemode=False)


def test_a_large_one_needs_a_second_person(office: Office) -> None:
    refund, (first, second) = ask_back(office, "90000", "60000"), people()
    with acting_as(first):
        waiting = report_refund_paid(refund=refund, seen=paid_out("60000"))
        assert isinstance(waiting, Sighting)
        with pytest.raises(Conflict):
            report_refund_paid(refund=refund, seen=paid_out("60000"))
        with pytest.raises(Conflict):
            report_refund_failed(refund=refund, reason="The account is closed")
        with pytest.raises(Conflict):
            confirm_sighting(sighting=waiting)
    assert state_of(refund) == "pending"
    with acting_as(second):
        confirm_sighting(sighting=waiting)
    assert state_of(refund) == "succeeded"
    assert office.books()["store_payable"] == (Decimal(30000), Decimal(0))


def test_one_that_could_not_be_paid_frees_its_money(office: Office, to_pay: Refund) -> None:
    (person,) = people(1)
    with acting_as(person):
        with pytest.raises(Invalid):
            report_refund_failed(refund=to_pay, reason="")
        failed = report_refund_failed(refund=to_pay, reason="The account is closed")
    assert failed.status == "failed"
    assert office.books()["store_payable"] == (Decimal(1500), Decimal(0))


def test_another_amount_than_the_refund_is_refused(to_pay: Refund) -> None:
    (person,) = people(1)
    with acting_as(person), pytest.raises(Invalid) as refusal:
        report_refund_paid(refund=to_pay, seen=paid_out("499"))
    assert refusal.value.code == "amount_differs"
    assert state_of(to_pay) == "pending"
