"""A statement is imported: which charge each line pays, what waits to be claimed, and that nothing counts twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from majuu_core.common.problems import Invalid
from majuu_core.manual.references import grouped
from majuu_core.payments.models import Claim, IncomingPayment
from majuu_core.payments.resolving import resolve_charge
from majuu_core.payments.suggestion_queries import suggest_money
from majuu_core.reports.models import SettlementLine
from majuu_core.testing.factories import make_provider_account
from tests.core.manual.harness import ACCOUNT
from tests.core.manual.office import Office, arrived, csv_of, state_of

DAY = "2026-01-12"
PAID = {"provider_clearing": (Decimal(1500), Decimal(0)), "store_payable": (Decimal(1500), Decimal(0))}


def test_the_right_amount_with_the_reference_pays_its_charge(office: Office) -> None:
    charge = office.wait_for()
    told = grouped(str(charge.provider_reference)).lower()
    done = office.upload(csv_of((DAY, "FT1", f"PESALINK {told} Jane", "1500.00", "")))
    charge.refresh_from_db()
    assert (charge.status, state_of(charge.payment_intent)) == ("succeeded", "succeeded")
    assert charge.receipt == SettlementLine.objects.get().receipt
    assert charge.occurred_at is not None
    assert charge.occurred_at.isoformat() == "2026-01-11T21:00:00+00:00"
    assert arrived() == [(Decimal(1500), "charge")]
    assert office.books() == PAID
    assert (done.state, done.new_lines) == ("imported", 1)


def test_the_same_and_overlapping_files_count_once(office: Office) -> None:
    charge = office.wait_for()
    line = (DAY, "FT1", str(charge.provider_reference), "1500", "")
    office.upload(csv_of(line))
    office.upload(csv_of(line))
    longer = office.upload(csv_of(line, (DAY, "FT2", "UNKNOWN", "70", "")), "longer.csv")
    assert (longer.new_lines, longer.known_lines) == (1, 1)
    assert arrived() == [(Decimal(1500), "charge"), (Decimal(70), "unclaimed")]
    assert office.books()["store_payable"] == (Decimal(1500), Decimal(0))


def test_a_line_that_says_another_amount_now_is_shown_and_moves_nothing(office: Office) -> None:
    office.upload(csv_of((DAY, "FT1", "RENT", "500", "")))
    changed = office.upload(csv_of((DAY, "FT1", "RENT", "900", "")), "corrected.csv")
    assert changed.changed_lines == 1
    (change,) = changed.changes
    assert (change["column"], change["before"], change["after"]) == ("amount", "500", "900")
    (problem,) = changed.problems
    assert problem["message"] == "It names 900 KES; 500 KES is known by this receipt."
    assert arrived() == [(Decimal(500), "unclaimed")]


def test_debits_make_no_incoming_money(office: Office) -> None:
    office.upload(csv_of((DAY, "FT1", "SALARIES", "", "90000")))
    assert arrived() == []
    assert SettlementLine.objects.get().direction == "out"


def test_money_without_a_reference_waits_in_the_inbox_and_is_suggested(office: Office) -> None:
    charge = office.wait_for(reference="ORD-77001")
    office.upload(csv_of((DAY, "FT1", "PAYMENT FROM JANE", "1500", "")))
    assert arrived() == [(Decimal(1500), "unclaimed")]
    assert state_of(charge) == "requires_action"
    ((money, suggestion),) = suggest_money(charge.payment_intent)
    assert money == IncomingPayment.objects.get()
    assert suggestion.score > 0


def test_another_amount_is_left_to_the_shop(office: Office) -> None:
    charge = office.wait_for()
    office.upload(csv_of((DAY, "FT1", str(charge.provider_reference), "1400", "")))
    assert (state_of(charge), arrived()) == ("requires_action", [(Decimal(1400), "unclaimed")])
    assert IncomingPayment.objects.get().store_id == office.store.pk


def test_another_amount_pays_a_part_where_the_owner_allows_it(db, virtual_clock) -> None:
    office = Office(amount_may_differ=True)
    charge = office.wait_for()
    intent, named = charge.payment_intent, str(charge.provider_reference)
    office.upload(csv_of((DAY, "FT1", named, "1000", "")))
    assert state_of(intent) == "requires_payment_method"
    assert intent.amount_received.amount == 1000
    office.upload(csv_of((DAY, "FT2", named, "700", "")))
    intent.refresh_from_db()
    assert (intent.status, intent.surplus.amount) == ("succeeded", 200)
    assert Claim.objects.filter(method="reference").count() == 2


def test_a_second_transfer_with_the_same_reference_is_not_lost(office: Office) -> None:
    charge = office.wait_for()
    named = str(charge.provider_reference)
    office.upload(csv_of((DAY, "FT1", named, "1500", ""), (DAY, "FT2", named, "1500", "")))
    assert arrived() == [(Decimal(1500), "charge"), (Decimal(1500), "unclaimed")]
    assert office.books()["store_payable"] == (Decimal(1500), Decimal(0))


@pytest.mark.parametrize("receipt", ["", "SEEN-BY-EYE"])
def test_a_charge_that_a_person_confirmed_is_the_same_money(office: Office, receipt: str) -> None:
    charge = office.wait_for()
    resolve_charge(charge=charge, succeeded=True, reason="Seen in the app", receipt=receipt)
    office.upload(csv_of((DAY, "FT1", str(charge.provider_reference), "1500", "")))
    assert arrived() == [(Decimal(1500), "charge")]
    assert office.books() == PAID


def test_a_reference_counts_at_its_own_account_only(office: Office) -> None:
    charge = office.wait_for()
    office.account = make_provider_account(
        store=None, provider="manual", credentials={**ACCOUNT, "statement": office_mapping()}
    )
    office.upload(csv_of((DAY, "FT1", str(charge.provider_reference), "1500", "")))
    assert state_of(charge) == "requires_action"
    assert arrived() == [(Decimal(1500), "unclaimed")]


def test_without_a_mapping_the_refusal_says_what_to_do(db, virtual_clock) -> None:
    office = Office(statement=None)
    refused = office.stage(csv_of((DAY, "FT1", "x", "5", "")))
    assert refused.state == "refused"
    assert "Save the mapping of its columns" in refused.message


def test_the_preview_shows_what_is_unreadable_and_writes_nothing(office: Office) -> None:
    office.wait_for()
    staged = office.stage(csv_of((DAY, "FT1", "A", "5", ""), ("yesterday", "FT2", "B", "5", "")))
    assert (staged.state, staged.new_lines, staged.unreadable_rows) == ("staged", 1, 1)
    assert (staged.problems[0]["row"], staged.problems[0]["column"]) == (3, "Date")
    assert arrived() == []
    assert not SettlementLine.objects.exists()


def test_an_import_that_was_interrupted_takes_in_the_rest(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from majuu_core.payments import incoming
    from majuu_core.reports import arrivals, uploads

    staged = office.stage(csv_of((DAY, "FT1", "A", "5", ""), (DAY, "FT2", "B", "6", "")))
    take = incoming.take_incoming
    monkeypatch.setattr(arrivals, "take_incoming", lambda told: take(told) if told.money.amount.amount == 5 else _die())
    with pytest.raises(SystemExit):
        uploads.import_settlement(settlement=staged)
    monkeypatch.setattr(arrivals, "take_incoming", take)
    assert arrived() == [(Decimal(5), "unclaimed")]
    done = uploads.import_settlement(settlement=staged)
    assert done.state == "imported"
    assert arrived() == [(Decimal(5), "unclaimed"), (Decimal(6), "unclaimed")]


def test_an_empty_file_is_refused(office: Office) -> None:
    with pytest.raises(Invalid):
        office.stage("")


def office_mapping() -> dict[str, object]:
    from tests.core.manual.office import MAPPING

    return dict(MAPPING)


def _die() -> None:
    raise SystemExit
