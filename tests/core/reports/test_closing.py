"""A day is closed: each way a line and a payment can end, at midnight too, again and again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.audit.models import AuditEntry
from majuu_core.common.problems import Conflict
from majuu_core.events.models import Event
from majuu_core.ledger.chart import AccountKind
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.payments.models import Charge
from majuu_core.reports import closing
from majuu_core.reports.findings import GONE
from majuu_core.reports.mismatches import resolve_mismatch
from majuu_core.reports.models import Close, Mismatch, SettlementLine
from majuu_core.testing.factories import make_provider_account
from majuu_core.webhooks.models import InboundWebhook
from tests.core.reports.desk import DAY, NOON, PHONE, Desk, kes


def outcomes() -> dict[str, str]:
    return {row.receipt: row.outcome for row in SettlementLine.objects.order_by("pk")}


def test_a_day_on_which_both_sides_agree(desk: Desk) -> None:
    desk.charge("UA01", 100)
    desk.incoming("UA02", 250)
    desk.payout("UA03", 70, fee=0)
    charge = desk.charge("UA04", 40)
    desk.refund(charge, "UA05", 40)
    lines = [f"UA01,{NOON},100", f"UA02,{NOON},250", f"UA03,{NOON},-70", f"UA04,{NOON},40", f"UA05,{NOON},-40,refund"]
    desk.bring(*lines)
    close = desk.close()
    assert (close.state, close.has_statement, close.outcomes) == ("done", True, {"matched": 5, "missing_there": 0})
    assert (close.done, close.expected, close.percent) == (10, 10, 100)
    assert desk.open_ones() == []
    shown = close.totals["currencies"]["KES"]
    for side in ("payments", "ledger", "statement"):
        assert (shown[side]["in"]["count"], shown[side]["out"]["count"]) == (3, 2)
        assert float(shown[side]["in"]["amount"]) == 390
        assert float(shown[side]["out"]["amount"]) == 110


def test_each_kind_of_difference(desk: Desk) -> None:
    desk.charge("UA02")
    desk.charge("UA03", 100)
    desk.charge("UA04")
    desk.incoming("UA04")
    desk.charge("UA06", booked=0)
    desk.charge("UA07", booked=99)
    desk.bring(
        *(f"UA01,{NOON},100", f"UA03,{NOON},90", f"UA04,{NOON},100", f"UA06,{NOON},100", f"UA07,{NOON},100"),
        *(f"UA08,{NOON},-5,adjustment", f"UA09,{NOON},100", f"UA09,{NOON[:-1]}9,100"),
    )
    close = desk.close()
    assert desk.open_ones() == [
        ("amount_differs", "UA03"),
        ("amount_differs", "UA06"),
        ("amount_differs", "UA07"),
        ("duplicate", "UA04"),
        ("duplicate", "UA09"),
        ("missing_here", "UA01"),
        ("missing_here", "UA08"),
        ("missing_here", "UA09"),
        ("missing_there", "UA02"),
    ]
    assert close.outcomes == {
        "amount_differs": 3,
        "duplicate": 1,
        "matched": 1,
        "missing_here": 3,
        "missing_there": 1,
    }
    assert set(outcomes().values()) == {"amount_differs", "duplicate", "matched", "missing_here"}
    entry = AuditEntry.objects.get(action="close.finished")
    assert (entry.object_id, entry.changes["open"]) == (close.public_id, 9)


def test_what_did_not_move_money_is_not_compared(desk: Desk) -> None:
    desk.charge("UA01", status="failed", booked=0)
    desk.incoming("UA02", status="refuted", booked=0)
    desk.bring("total,,")
    assert desk.close().expected == 0
    assert desk.open_ones() == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("2026-01-10T23:59:59", "2026-01-11T00:00:02"),
        ("2026-01-11T00:00:02", "2026-01-10T23:59:59"),
        ("2026-01-10T23:59:59", "2026-01-10T23:59:59"),
        ("2026-01-10T00:00:00", "2026-01-10T00:00:00"),
        ("2026-01-09T23:58:00", "2026-01-10T00:00:00"),
    ],
)
def test_clocks_that_differ_at_midnight_make_no_difference(desk: Desk, ours: str, theirs: str) -> None:
    # given a payment that both sides count, perhaps on two days, and statements that come day by day
    desk.charge("UA01", when=ours)
    for day in (date(2026, 1, 9), DAY, date(2026, 1, 11)):
        rows = [f"UA01,{theirs},100"] if theirs.startswith(str(day)) else []
        desk.bring("total,,", *rows, first_day=day, last_day=day)
        # when each day is closed as soon as its statement is there
        desk.close(day)
        # then nothing is ever called missing
        assert desk.open_ones() == []
    assert list(outcomes().values()) == ["matched"]


def test_a_loss_in_the_last_minutes_is_found_with_the_next_statement(desk: Desk) -> None:
    desk.charge("UA01", when="2026-01-10T23:55:00")
    desk.bring("total,,", first_day=DAY, last_day=DAY)
    desk.close()
    assert desk.open_ones() == []
    desk.bring("total,,", f"UA02,2026-01-11T10:00:00,5", first_day=date(2026, 1, 11), last_day=date(2026, 1, 11))  # noqa: F541
    desk.close(date(2026, 1, 11))
    assert desk.open_ones() == [("missing_here", "UA02"), ("missing_there", "UA01")]


def test_without_a_whole_statement_nothing_is_missing_there(desk: Desk) -> None:
    desk.charge("UA01")
    close = desk.close()
    assert (close.has_statement, close.totals["not_covered"], desk.open_ones()) == (False, 1, [])


def test_a_statement_with_unreadable_rows_proves_no_absence(desk: Desk) -> None:
    desk.charge("UA01")
    settlement = desk.bring(f"UA02,{NOON},many", f"UA03,{NOON},5")
    assert settlement.unreadable_rows == 1
    close = desk.close()
    assert (close.has_statement, desk.open_ones()) == (False, [("missing_here", "UA03")])


def test_a_statement_covers_nothing_after_it_was_made(desk: Desk) -> None:
    desk.charge("UA01", when="2026-01-12T11:40:00")
    desk.charge("UA02", when="2026-01-12T13:00:00")
    desk.bring("total,,", first_day=date(2026, 1, 11), last_day=date(2026, 1, 12))
    close = desk.close(date(2026, 1, 12))
    assert desk.open_ones() == [("missing_there", "UA01")]
    assert (close.has_statement, close.totals["not_covered"]) == (False, 1)


def test_a_receipt_nobody_told_is_found_by_amount_time_and_phone_and_written_down(desk: Desk) -> None:
    charge = desk.charge(None, 700)
    minute = (charge.created_at + timedelta(hours=3, minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    desk.bring(
        f"UA01,{minute},700,,{PHONE} - JANE", first_day=date(2026, 1, 10), last_day=date(2026, 1, 12), name="a.csv"
    )
    desk.clock.advance(timedelta(days=2))
    close = desk.close(date(2026, 1, 12))
    charge.refresh_from_db()
    assert charge.receipt == "UA01"
    assert (close.outcomes["matched"], desk.open_ones()) == (1, [])
    assert Event.objects.filter(object_id=charge.public_id, type="charge.updated").count() == 1
    assert AuditEntry.objects.filter(object_id=charge.public_id, action="charge.updated").count() == 1
    # and once more changes nothing
    desk.close(date(2026, 1, 12))
    assert Event.objects.filter(object_id=charge.public_id, type="charge.updated").count() == 1


@pytest.mark.parametrize("counterparty", ["254799999999 - JOHN", "", "JANE"])
def test_another_phone_gets_no_receipt(desk: Desk, counterparty: str) -> None:
    charge = desk.charge(None, 700)
    minute = (charge.created_at + timedelta(hours=3, minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    desk.bring(f"UA01,{minute},700,,{counterparty}")
    desk.close(date(2026, 1, 12))
    charge.refresh_from_db()
    assert charge.receipt is None
    assert ("missing_here", "UA01") in desk.open_ones()


def test_an_open_charge_that_may_be_the_line_is_named(desk: Desk) -> None:
    charge = desk.charge(None, 700, status="unknown", booked=0, occurred_at=None)
    minute = (charge.created_at + timedelta(hours=3, minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    desk.bring(f"UA01,{minute},700,,{PHONE} - JANE")
    desk.close(date(2026, 1, 12))
    row = Mismatch.objects.get()
    assert (row.kind, charge.public_id in row.detail) == ("missing_here", True)
    assert Charge.objects.get(pk=charge.pk).status == "unknown"


def test_a_refund_without_a_receipt_is_known_by_the_payment_it_takes_back(desk: Desk) -> None:
    charge = desk.charge("UA01", 40)
    desk.refund(charge, None, 40)
    desk.bring(f"UA01,{NOON},40", f"UA02,{NOON},-40,refund,,UA01")
    assert (desk.close().outcomes["matched"], desk.open_ones()) == (2, [])


def test_a_charge_and_its_confirmation_are_one_payment(desk: Desk) -> None:
    charge = desk.charge("UA01", booked=0)
    desk.incoming("UA01", ownership="charge", charge=charge)
    desk.bring(f"UA01,{NOON},100")
    assert (desk.close().outcomes["matched"], desk.open_ones()) == (1, [])
    # and one that was booked twice is not
    desk.book(charge.public_id, 100, other=AccountKind.STORE_PAYABLE)
    desk.close()
    assert desk.open_ones() == [("amount_differs", "UA01")]
    assert Mismatch.objects.get().here == 200


def test_money_booked_at_another_account_of_the_same_paybill_is_here(desk: Desk) -> None:
    twin = Desk(make_provider_account(store=desk.account.store, provider="paper", credentials={}), desk.clock)
    twin.charge("UA01")
    desk.bring(f"UA01,{NOON},100")
    twin.bring("total,,")
    assert desk.close().outcomes["matched"] == 1
    twin.close()
    assert desk.open_ones() == []


def test_events_that_never_came_are_told_for_information(desk: Desk) -> None:
    told, silent = desk.charge("UA01"), desk.charge("UA02")
    forged = desk.charge("UA03")
    for charge, state in ((told, "applied"), (forged, "rejected")):
        InboundWebhook.objects.create(
            provider_account=desk.account, charge=charge, method="POST", path="/", body=b"", remote_addr="", state=state
        )
    desk.incoming("UA04", source="pull")
    desk.incoming("UA05", source="webhook")
    desk.bring(*(f"UA0{number},{NOON},100" for number in range(1, 6)))
    close = desk.close()
    assert close.totals["events_lost"] == 3
    assert close.totals["events_lost_for"][:2] == [silent.public_id, forged.public_id]
    assert close.totals["currencies"]["KES"]["events"]["in"]["count"] == 2
    assert desk.open_ones() == []


def test_fees_that_nobody_told_are_booked_once(desk: Desk) -> None:
    payout = desk.payout("UA01", 70)
    desk.bring(f"UA01,{NOON},-70", f"UA01,{NOON},-23,fee")
    close = desk.close()
    assert close.outcomes["matched"] == 2
    assert close.totals["currencies"]["KES"]["statement"]["fees_late"] == {"amount": "23.0000", "count": 1}
    again = desk.close()
    payout.refresh_from_db()
    assert (payout.fee, again.outcomes["matched"], desk.open_ones()) == (kes(23), 2, [])
    fees = LedgerTransaction.objects.get(reference=payout.public_id, kind="payout_fee")
    assert [(move.amount, move.debit_account.kind) for move in fees.transfers.all()] == [(Decimal(23), "provider_fees")]


def test_what_a_person_resolved_stays_resolved(desk: Desk) -> None:
    desk.bring(f"UA01,{NOON},100")
    desk.close()
    resolve_mismatch(mismatch=Mismatch.objects.get(), reason="The owner paid it in.")
    desk.close()
    row = Mismatch.objects.get()
    assert (row.state, row.resolution, row.seen_in_run) == ("resolved", "The owner paid it in.", 2)
    # unless the statement says something else now
    desk.bring(f"UA01,{NOON},120")
    desk.close()
    row.refresh_from_db()
    assert (row.state, row.there, row.resolution) == ("open", 120, "")


def test_what_disappears_is_resolved_with_the_reason_and_opens_again_when_it_comes_back(desk: Desk) -> None:
    desk.bring(f"UA01,{NOON},100")
    desk.close()
    charge = desk.charge("UA01")
    desk.close()
    row = Mismatch.objects.get()
    assert (row.state, row.resolution, row.resolved_by) == ("resolved", GONE, "")
    Charge.objects.filter(pk=charge.pk).update(status="failed")
    desk.close()
    row.refresh_from_db()
    assert (row.state, row.resolution, row.resolved_at) == ("open", "", None)


def test_a_line_that_turns_up_later_settles_what_was_missing_there(desk: Desk) -> None:
    desk.charge("UA01")
    desk.bring("total,,")
    desk.close()
    assert desk.open_ones() == [("missing_there", "UA01")]
    desk.bring(f"UA01,{NOON},100")
    assert Close.objects.get(day=DAY).state == "waiting"
    desk.close()
    assert desk.open_ones() == []


def test_one_close_runs_at_a_time_and_a_dead_one_is_taken_over(desk: Desk) -> None:
    Close.objects.create(
        provider_account=desk.account,
        livemode=False,
        day=DAY,
        time_zone="Africa/Nairobi",
        state="running",
        runs=1,
        leased_until=desk.clock.now() + closing.LEASE,
    )
    with pytest.raises(Conflict) as caught:
        desk.close()
    assert caught.value.code == "close_running"
    assert Close.objects.get().runs == 1
    desk.clock.advance(closing.LEASE)
    assert desk.close().runs == 2


@pytest.mark.parametrize("step", ["_judge_records", "_finish"])
def test_a_statement_that_is_imported_while_the_day_is_closed_is_not_passed_over(
    desk: Desk, monkeypatch, step: str
) -> None:
    """given a run that has looked at the lines / when more lines are imported / then it gives up, and is run anew."""
    desk.charge("UA01")
    desk.bring(f"UA01,{NOON},100")
    real = getattr(closing, step)

    def import_meanwhile(run, *arguments):
        desk.bring(f"UA02,{NOON},70", name="late.csv")
        return real(run, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(closing, step, import_meanwhile)
        with pytest.raises(Conflict) as caught:
            desk.close()
    assert caught.value.code == "close_taken_over"
    assert Close.objects.get(day=DAY).state == "waiting"
    assert desk.close().outcomes == {"matched": 1, "missing_here": 1, "missing_there": 0}
    assert desk.open_ones() == [("missing_here", "UA02")]


def test_a_run_that_lost_its_lease_does_not_write_over_the_next(desk: Desk, monkeypatch) -> None:
    """given a run that stood still at its end / when another has begun / then the first writes nothing."""
    desk.bring(f"UA01,{NOON},100")
    real = closing._finish

    def stand_still(run):
        Close.objects.filter(pk=run.close.pk).update(runs=2)
        return real(run)

    monkeypatch.setattr(closing, "_finish", stand_still)
    with pytest.raises(Conflict):
        desk.close()
    close = Close.objects.get(day=DAY)
    assert (close.runs, close.state, close.finished_at) == (2, "running", None)
    assert AuditEntry.objects.filter(action="close.finished").count() == 0


def test_a_row_without_a_receipt_is_unreadable_and_proves_no_absence(desk: Desk) -> None:
    """given a row that names money and no receipt / when imported / then it is told, and nothing is missing there."""
    desk.charge("UA01")
    settlement = desk.bring(f" ,{NOON},70", f"UA02,{NOON},5")
    assert (settlement.new_lines, settlement.unreadable_rows) == (1, 1)
    assert [(item["column"], item["message"]) for item in settlement.problems] == [
        ("receipt", "The row has no receipt.")
    ]
    close = desk.close()
    assert (close.has_statement, desk.open_ones()) == (False, [("missing_here", "UA02")])


def test_a_receipt_that_two_days_statements_show_is_a_duplicate(desk: Desk) -> None:
    """given one payment / when each of two days' files posts its receipt / then the second posting is not hidden."""
    desk.charge("UA01")
    desk.bring(f"UA01,{NOON},100", first_day=DAY, last_day=DAY)
    next_day = DAY + timedelta(days=1)
    second = desk.bring(f"UA01,{next_day}T08:00:00,100", name="next.csv", first_day=next_day, last_day=next_day)
    assert (second.new_lines, second.changed_lines) == (1, 0)
    desk.close()
    desk.close(next_day)
    assert desk.open_ones() == [("duplicate", "UA01")]
    assert list(SettlementLine.objects.order_by("leg").values_list("leg", "day")) == [(1, DAY), (2, next_day)]


@pytest.mark.parametrize(("first", "second"), [("2026-01-10T23:59:58", "2026-01-11T00:00:01")])
def test_a_posting_at_midnight_that_two_sources_date_differently_is_one(desk: Desk, first: str, second: str) -> None:
    """given a payment at midnight / when two files name different days / then it is one line, corrected."""
    desk.charge("UA01", when=first)
    desk.bring(f"UA01,{first},100")
    assert desk.bring(f"UA01,{second},100", name="next.csv").changed_lines == 1
    desk.close()
    desk.close(DAY + timedelta(days=1))
    assert desk.open_ones() == []


def test_a_run_that_fails_says_why_and_settles_nothing(desk: Desk, monkeypatch) -> None:
    desk.bring(f"UA01,{NOON},100")
    desk.close()
    monkeypatch.setattr(closing, "records_by_receipt", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        desk.close()
    close = Close.objects.get(day=DAY)
    assert (close.state, close.message) == ("failed", "ZeroDivisionError: division by zero")
    assert desk.open_ones() == [("missing_here", "UA01")]


def test_queries_do_not_grow_with_the_lines_of_a_piece(desk: Desk) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            desk.close()
        return len(seen)

    for number in range(2):
        desk.charge(f"UA0{number}")
        desk.incoming(f"UB0{number}")
    desk.bring(*(f"U{letter}0{number},{NOON},100" for letter in "ABC" for number in range(2)))
    few = queries()
    for number in range(2, 20):
        desk.charge(f"UA{number:02}")
        desk.incoming(f"UB{number:02}")
    desk.bring(*(f"U{letter}{number:02},{NOON},100" for letter in "ABC" for number in range(2, 20)))
    queries()
    assert queries() == few
    assert len(desk.open_ones()) == 20


def test_pieces_do_not_change_the_result(desk: Desk, monkeypatch) -> None:
    desk.charge("UA00")
    rows = [f"UA{number:02},{NOON},100" for number in range(7)]
    desk.bring(*rows, f"UA03,{NOON[:-1]}9,100")
    whole = desk.close()
    monkeypatch.setattr(closing, "PIECE", 2)
    pieces = desk.close()
    assert (pieces.outcomes, pieces.totals) == (whole.outcomes, whole.totals)
    assert Mismatch.objects.count() == 7
