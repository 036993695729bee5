"""Statements in two steps: what would change, then the change. The same again is nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from majuu_core.audit.models import AuditEntry
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.providers import StatementLine
from majuu_core.reports import uploads
from majuu_core.reports.lines import Difference, compare_lines
from majuu_core.reports.models import Close, Settlement, SettlementLine, SettlementPart
from majuu_core.reports.resources import SettlementLineResource
from majuu_core.reports.uploads import discard_settlement, import_settlement, save_listed, stage_statement
from majuu_core.testing.factories import make_provider_account
from tests.core.reports.desk import DAY, NOON, Desk, at, kes
from tests.core.reports.paper_provider import ZONE


def counts(settlement: Settlement) -> tuple[int, int, int]:
    return settlement.new_lines, settlement.known_lines, settlement.changed_lines


def test_a_staged_file_says_what_would_change_and_changes_nothing(desk: Desk) -> None:
    settlement = desk.stage(f"UA01,{NOON},100", f"UA02,{NOON},lots", "UA03,never,5", "total,,")
    assert (settlement.state, counts(settlement)) == ("staged", (1, 0, 0))
    assert (settlement.rows, settlement.unreadable_rows, settlement.left_out_rows) == (4, 2, 1)
    assert settlement.problems == [
        {"row": 2, "column": "amount", "message": "No amount.", "value": "lots"},
        {"row": 3, "column": "time", "message": "No time.", "value": "never"},
    ]
    assert (SettlementLine.objects.count(), Close.objects.count()) == (0, 0)
    assert AuditEntry.objects.filter(action="settlement.uploaded", object_id=settlement.public_id).count() == 1


def test_the_import_takes_the_lines_in_and_asks_for_the_days(desk: Desk) -> None:
    settlement = import_settlement(settlement=desk.stage(f"UA01,{NOON},100", "UA02,2026-01-11T23:59:59,-5"))
    assert (settlement.state, settlement.imported_at) == ("imported", desk.clock.now())
    assert [(row.receipt, row.day, row.direction, row.amount) for row in SettlementLine.objects.order_by("pk")] == [
        ("UA01", DAY, "in", 100),
        ("UA02", date(2026, 1, 11), "out", 5),
    ]
    assert [(row.day, row.state) for row in Close.objects.order_by("day")] == [
        (DAY, "waiting"),
        (date(2026, 1, 11), "waiting"),
    ]
    # and importing it again is nothing
    before = AuditEntry.objects.count()
    assert import_settlement(settlement=settlement).pk == settlement.pk
    assert (SettlementLine.objects.count(), AuditEntry.objects.count()) == (2, before)


def test_the_same_file_again_is_the_same_settlement(desk: Desk) -> None:
    first = import_settlement(settlement=desk.stage(f"UA01,{NOON},100"))
    again = desk.stage(f"UA01,{NOON},100", name="copy.csv")
    assert again.pk == first.pk
    assert (Settlement.objects.count(), SettlementPart.objects.count()) == (1, 1)


def test_an_overlapping_file_brings_only_what_is_new(desk: Desk) -> None:
    import_settlement(settlement=desk.stage(f"UA01,{NOON},100", f"UA02,{NOON},5"))
    second = desk.stage(f"UA02,{NOON},5", f"UA03,{NOON},7", f"UA03,{NOON},7")
    assert counts(second) == (1, 1, 0)
    second = import_settlement(settlement=second)
    assert counts(second) == (1, 1, 0)
    assert sorted(SettlementLine.objects.values_list("receipt", "leg")) == [("UA01", 1), ("UA02", 1), ("UA03", 1)]


def test_a_changed_line_is_shown_and_replaced(desk: Desk) -> None:
    import_settlement(settlement=desk.stage(f"UA01,{NOON},100"))
    second = desk.stage(f"UA01,{NOON},120")
    assert counts(second) == (0, 0, 1)
    assert second.changes == [
        {"row": "1", "receipt": "UA01", "column": "amount", "before": "100", "after": "120"},
    ]
    assert SettlementLine.objects.get().amount == 100
    import_settlement(settlement=second)
    row = SettlementLine.objects.get()
    assert (row.amount, row.settlement == second, row.seen_in == second) == (120, False, True)


def test_a_second_posting_is_kept_beside_the_first_even_when_it_comes_later(desk: Desk) -> None:
    import_settlement(settlement=desk.stage(f"UA01,{NOON},100"))
    late = f"{NOON[:-1]}9"
    import_settlement(settlement=desk.stage(f"UA01,{late},100", f"UA01,{NOON},100"))
    assert list(SettlementLine.objects.order_by("leg").values_list("leg", "occurred_at")) == [
        (1, at(NOON)),
        (2, at(late)),
    ]


def test_known_lines_far_from_a_second_posting_are_not_overwritten(desk: Desk, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "_PIECE", 1)
    import_settlement(settlement=desk.stage(f"UA01,{NOON},100"))
    import_settlement(settlement=desk.stage(f"UA01,{NOON},100", f"UB01,{NOON},1", f"UA01,{NOON[:-1]}9,90"))
    assert list(SettlementLine.objects.filter(receipt="UA01").order_by("leg").values_list("leg", "amount")) == [
        (1, Decimal(100)),
        (2, Decimal(90)),
    ]


def test_a_list_without_balances_and_a_file_with_them_tell_of_one_line(desk: Desk) -> None:
    line = StatementLine(
        line_number=1, receipt="UA01", kind="charge", direction="in", amount=kes(100), occurred_at=at(NOON)
    )
    pulled = save_listed(account=desk.account, source="pull", lines=[line], zone=ZONE, covers=(at(NOON), at(NOON)))
    assert pulled is not None
    assert (pulled.state, pulled.covers_from) == ("imported", None)
    assert counts(desk.stage(f"UA01,{NOON},100")) == (0, 1, 0)


def test_what_was_refused_says_why_and_cannot_be_imported(desk: Desk) -> None:
    unusable, nothing = desk.stage("unusable,,"), desk.stage(f"UA01,{NOON},x")
    assert (unusable.state, unusable.message) == ("refused", 'The column "amount" is missing.')
    assert (nothing.state, nothing.unreadable_rows) == ("refused", 1)
    for settlement in (unusable, nothing):
        with pytest.raises(Conflict) as caught:
            import_settlement(settlement=settlement)
        assert caught.value.code == "settlement_not_staged"
    assert (SettlementLine.objects.count(), Close.objects.count()) == (0, 0)


def test_dates_that_reach_too_far_are_refused(desk: Desk) -> None:
    settlement = desk.stage("UA01,1970-01-01T00:00:00,5", f"UA02,{NOON},5")
    assert settlement.state == "refused"
    assert "1970-01-01 to 2026-01-10" in settlement.message


def test_discarding_removes_the_file(desk: Desk) -> None:
    settlement = discard_settlement(settlement=desk.stage(f"UA01,{NOON},100"))
    assert (settlement.state, SettlementPart.objects.count()) == ("discarded", 0)
    with pytest.raises(Conflict):
        import_settlement(settlement=settlement)
    imported = import_settlement(settlement=desk.stage(f"UA01,{NOON},100"))
    with pytest.raises(Conflict) as caught:
        discard_settlement(settlement=imported)
    assert caught.value.code == "settlement_imported"
    assert SettlementPart.objects.count() == 1


@pytest.mark.parametrize(
    ("chunks", "code"), [([], "file_empty"), ([b""], "file_empty"), ([b"x" * 1024] * 3, "file_too_large")]
)
def test_files_of_a_wrong_size_leave_nothing(desk: Desk, monkeypatch, chunks: list[bytes], code: str) -> None:
    monkeypatch.setattr(uploads, "LARGEST_FILE", 2048)
    with pytest.raises(Invalid) as caught:
        stage_statement(account=desk.account, chunks=chunks, name="x.csv")
    assert caught.value.code == code
    assert (Settlement.objects.count(), SettlementPart.objects.count()) == (0, 0)


def test_a_provider_that_reads_no_statements_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid) as caught:
        stage_statement(account=make_provider_account(), chunks=[b"x"], name="x.csv")
    assert (caught.value.code, caught.value.field) == ("statements_unsupported", "account")
    assert Settlement.objects.count() == 0


def test_days_in_the_wrong_order_are_refused(desk: Desk) -> None:
    with pytest.raises(Invalid) as caught:
        desk.stage("x", first_day=DAY, last_day=date(2026, 1, 9))
    assert caught.value.code == "period_reversed"


def test_a_file_of_many_parts_is_read_as_it_came(desk: Desk, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "_PART", 7)
    settlement = desk.stage(*(f"UA{number:02},{NOON},{number + 1}" for number in range(30)))
    assert SettlementPart.objects.count() > 50
    with uploads.open_file(settlement) as file:
        assert file.read().decode().splitlines()[29] == f"UA29,{NOON},30"
    assert counts(settlement) == (30, 0, 0)


def test_hostile_file_names_are_cut(desk: Desk) -> None:
    assert desk.stage(f"UA01,{NOON},1", name="../../etc/\x00" + "x" * 400).file_name.startswith(
        "\N{REPLACEMENT CHARACTER}x"
    )
    assert desk.stage(f"UA02,{NOON},1", name="C:\\temp\\day.csv").file_name == "day.csv"


def test_a_line_of_another_mode_is_refused_by_the_database(desk: Desk) -> None:
    settlement = import_settlement(settlement=desk.stage(f"UA01,{NOON},1"))
    row = SettlementLine.objects.get()
    row.pk, row.receipt, row.livemode = None, "UA02", True
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
    assert SettlementLine.objects.filter(settlement=settlement).count() == 1


ROWS = st.lists(
    st.tuples(st.sampled_from(["UA1", "UA2"]), st.sampled_from([1, 2]), st.sampled_from([10, 20])),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS, order=st.randoms(use_true_random=False))
def test_any_order_of_lines_gives_the_same_lines(desk: Desk, rows: list[tuple[str, int, int]], order) -> None:
    def taken(items: list[tuple[str, int, int]]) -> set[tuple[str, datetime, Decimal]]:
        with transaction.atomic():
            settlement = Settlement.objects.create(provider_account=desk.account, livemode=False, source="upload")
            lines = [
                StatementLine(
                    line_number=number,
                    receipt=receipt,
                    kind="charge",
                    direction="in",
                    amount=kes(amount),
                    occurred_at=datetime(2026, 1, 10, 9, 0, second, tzinfo=UTC),
                )
                for number, (receipt, second, amount) in enumerate(items)
            ]
            for start in range(0, len(lines), 2):
                compare_lines(settlement, lines[start : start + 2], ZONE, Difference(), write=True)
            found = set(SettlementLine.objects.values_list("receipt", "occurred_at", "amount"))
            assert SettlementLine.objects.count() == len(found)
            transaction.set_rollback(True)
        return found

    shuffled = list(rows)
    order.shuffle(shuffled)
    assert taken(rows) == taken(shuffled)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (f",{NOON},100", ("receipt", "The row has no receipt.", "")),
        (f"UA02,{NOON},0", ("amount", "Must be above zero.", "0")),
        (f"UA02,{NOON},1.00001", ("amount", "Ensure that there are no more than 4 decimal places.", "1.00001")),
        (f"UA02,{NOON},5,gift", ("kind", "Value 'gift' is not a valid choice.", "gift")),
    ],
)
def test_a_line_that_cannot_be_kept_is_told_by_row_and_column(
    desk: Desk, row: str, problem: tuple[str, str, str]
) -> None:
    """Given a row that the reader took and the table would not, when it is imported, then only the others are there."""
    column, message, value = problem
    told = [{"row": 2, "column": column, "message": message, "value": value}]
    staged = desk.stage(f"UA01,{NOON},100", row, f"UA03,{NOON},7")
    assert (counts(staged), staged.unreadable_rows, staged.problems) == ((2, 0, 0), 1, told)
    imported = import_settlement(settlement=staged)
    assert (counts(imported), imported.unreadable_rows, imported.problems) == ((2, 0, 0), 1, told)
    assert sorted(SettlementLine.objects.values_list("receipt", flat=True)) == ["UA01", "UA03"]


def test_a_correction_that_cannot_be_kept_leaves_the_line_as_it_was(desk: Desk) -> None:
    import_settlement(settlement=desk.stage(f"UA01,{NOON},100"))
    second = import_settlement(settlement=desk.stage(f"UA01,{NOON},1.00001", f"UA01,{NOON},120", f"UA02,{NOON},5"))
    assert (counts(second), second.unreadable_rows) == ((1, 0, 1), 1)
    assert [(item["before"], item["after"]) for item in second.changes] == [("100", "120")]
    assert list(SettlementLine.objects.order_by("receipt").values_list("receipt", "leg", "amount")) == [
        ("UA01", 1, Decimal(120)),
        ("UA02", 1, Decimal(5)),
    ]


def test_an_error_of_the_database_rolls_the_piece_back_and_is_raised(desk: Desk, monkeypatch) -> None:
    """Given a database that refuses what was written, when a file is imported, then it stays staged, to be repeated."""
    import_settlement(settlement=desk.stage(f"UA01,{NOON},100"))
    staged = desk.stage(f"UA01,{NOON},120", f"UA02,{NOON},5")
    with monkeypatch.context() as patch:
        patch.setattr(SettlementLineResource, "init_instance", _of_another_mode)
        with pytest.raises(IntegrityError):
            import_settlement(settlement=staged)
    staged.refresh_from_db()
    assert staged.state == "staged"
    assert list(SettlementLine.objects.values_list("receipt", "amount")) == [("UA01", Decimal(100))]
    assert counts(import_settlement(settlement=staged)) == (1, 0, 1)


def test_a_piece_takes_the_same_queries_however_many_lines_it_has(desk: Desk) -> None:
    def queries(count: int, *, write: bool) -> int:
        settlement = desk.stage(f"UB{count}{write},{NOON},1")
        lines = [
            StatementLine(
                line_number=number,
                receipt=f"UC{count}{number}",
                kind="charge",
                direction="in",
                amount=kes(5),
                occurred_at=at(NOON),
            )
            for number in range(count)
        ]
        with CaptureQueriesContext(connection) as seen:
            compare_lines(settlement, lines, ZONE, Difference(), write=write)
        return len(seen)

    assert queries(1, write=False) == queries(20, write=False)
    assert queries(1, write=True) == queries(20, write=True)


def _of_another_mode(resource: SettlementLineResource, row: Any = None) -> SettlementLine:
    return SettlementLine(
        settlement=resource.settlement,
        provider_account_id=resource.settlement.provider_account_id,
        livemode=not resource.settlement.livemode,
    )
