"""Differences as files: streamed, complete, and harmless to open."""

from __future__ import annotations

import csv
import io

from django.db import connection
from django.test.utils import CaptureQueriesContext

from majuu_core.common.tables import read_rows
from majuu_core.reports.exports import COLUMNS, export_csv, export_xlsx
from majuu_core.reports.models import Mismatch, SettlementLine
from tests.core.reports.desk import NOON, Desk


def tables(rows) -> tuple[list[list[str]], list[list[str]]]:
    text = b"".join(export_csv(rows)).decode("utf-8-sig")
    sheet = io.BytesIO(b"".join(export_xlsx(rows)))
    return list(csv.reader(io.StringIO(text))), [list(row.cells) for row in read_rows(sheet)]


def test_both_files_hold_every_difference(desk: Desk) -> None:
    desk.charge("UA02", 90)
    desk.bring(f"UA01,{NOON},100,,JANE", f"UA02,{NOON},80")
    desk.close()
    first, second = Mismatch.objects.order_by("pk")
    for table in tables(Mismatch.objects.all()):
        assert table[0] == list(COLUMNS)
        assert [row[0] for row in table[1:]] == [first.public_id, second.public_id]
        assert table[1][1:11] == [
            *("Missing here", "Open", "2026-01-10", desk.account.name, "UA01", "", "In", "", "100.0000", "KES")
        ]
        assert table[2][8:10] == ["90.0000", "80.0000"]


def test_no_cell_is_a_formula(desk: Desk) -> None:
    desk.bring(f"UA01,{NOON},100,,=cmd|' /C calc'!A1")
    desk.close()
    Mismatch.objects.update(detail="+1", resolution="@SUM(A1)")
    for table in tables(Mismatch.objects.all()):
        cells = dict(zip(COLUMNS, table[1], strict=True))
        assert (cells["Counterparty"], cells["Detail"]) == ("'=cmd|' /C calc'!A1", "'+1")
        assert cells["Resolution"] == "'@SUM(A1)"


def test_a_long_list_is_read_with_one_query(desk: Desk) -> None:
    desk.bring(*(f"UA{number:02},{NOON},1" for number in range(20)))
    desk.close()
    for rows in (Mismatch.objects.filter(receipt="UA01"), Mismatch.objects.all()):
        with CaptureQueriesContext(connection) as seen:
            b"".join(export_csv(rows))
        assert len(seen) == 1
    assert SettlementLine.objects.count() == 20
