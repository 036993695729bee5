"""Portal statements: every way a file has been seen to be saved, and every way it can be wrong."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from moneyed import KES, Money

from majuu_core.common.xlsx import write_xlsx
from majuu_core.providers import StatementLine, StatementProblem, StatementUnreadable
from majuu_mpesa.statements import read_statement
from majuu_sim.clock import VirtualClock
from majuu_sim.daraja import DarajaSimulator

HEAD = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Reason Type,"
    "Other Party Info,Linked Transaction ID,A/C No."
)
PAID = (
    "UBO1A2B3C4,31-01-2026 23:59:59,31-01-2026 23:59:50,Pay Bill from 254712345678 - JANE DOE Acc. INV 7,Completed,"
    '"1,500.00",,"2,001,500.00",Pay Bill,254712345678 - JANE DOE,,INV 7'
)
KEPT = datetime(2026, 1, 31, 20, 59, 59, tzinfo=UTC)


def read(text: str | bytes, encoding: str = "utf-8") -> list[StatementLine | StatementProblem]:
    return list(read_statement(io.BytesIO(text if isinstance(text, bytes) else text.encode(encoding))))


def one(text: str | bytes, encoding: str = "utf-8") -> StatementLine:
    (line,) = read(text, encoding)
    assert isinstance(line, StatementLine), line
    return line


def problem(text: str) -> StatementProblem:
    (found,) = read(text)
    assert isinstance(found, StatementProblem), found
    return found


def short(amount_in: str = "", out: str = "", at: str = "01-02-2026 10:00:00", receipt: str = "UBO1A2B3C4") -> str:
    return f'Receipt No.,Completion Time,Paid In,Withdrawn\n"{receipt}","{at}","{amount_in}","{out}"\n'


def test_a_payment_is_read_with_everything_the_portal_says() -> None:
    line = one(f"{HEAD}\r\n{PAID}\r\n")
    assert line.receipt == "UBO1A2B3C4"
    assert (line.kind, line.direction, line.amount) == ("charge", "in", Money("1500.00", KES))
    assert line.occurred_at == KEPT
    assert line.balance == Money("2001500.00", KES)
    assert line.counterparty == "254712345678 - JANE DOE"
    assert line.reference == "INV 7"
    assert line.line_number == 2
    assert line.raw["Paid In"] == "1,500.00"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_encodings_are_told_apart(encoding: str) -> None:
    text = f"{HEAD}\n{PAID}\n".replace("JANE DOE", "JANÉ DÖE")
    assert one(text, encoding).counterparty == "254712345678 - JANÉ DÖE"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators_are_told_apart(separator: str) -> None:
    rows = [HEAD.split(","), ["UBO1A2B3C4", "31-01-2026 23:59:59", "", "", "Completed", "1,500.00"]]
    assert one("\n".join(separator.join(row) for row in rows)).amount == Money("1500.00", KES)


def test_columns_may_change_places_and_a_preamble_may_stand_above() -> None:
    text = (
        "M-PESA ORGANISATION STATEMENT\nShort Code:,174379\nTime Period:,From 01-01-2026 To 31-01-2026\n\n"
        'Withdrawn,Extra,Paid In,Completion Time,Receipt No.\n,x,"1,500.00",31-01-2026 23:59:59,UBO1A2B3C4\n'
        ",,,,\nTotal,,1500.00,,\n"
    )
    line, total = read(text)
    assert isinstance(line, StatementLine)
    assert (line.amount, line.occurred_at, line.line_number) == (Money("1500.00", KES), KEPT, 6)
    assert isinstance(total, StatementProblem)
    assert (total.is_error, total.line_number) == (False, 8)


def test_a_missing_column_is_named_with_what_was_found() -> None:
    with pytest.raises(StatementUnreadable) as caught:
        read("Receipt No.,Completion Time,Amount\nUBO1A2B3C4,31-01-2026 23:59:59,1\n")
    assert '"Paid In", "Withdrawn" is missing' in str(caught.value)
    assert 'row 1, with "Receipt No.", "Completion Time", "Amount"' in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\x00\x01\x02\x03" * 40, b"PK\x03\x04 not an archive", b"{}"])
def test_what_is_no_statement_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(StatementUnreadable):
        read(body)


def test_an_old_excel_file_is_refused_with_what_to_do() -> None:
    with pytest.raises(StatementUnreadable, match="Save the file as XLSX or CSV"):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1500", "1500.00"),
        ("1,500.00", "1500.00"),
        ("1 500.00", "1500.00"),
        ("1\u00a0500.50", "1500.50"),
        ("1.234.567,89", "1234567.89"),
        ("KES 1,500.00", "1500.00"),
        ("Ksh1500", "1500.00"),
        ("1.5E3", "1500.00"),
        ("0.1", "0.10"),
        ("1500.1000000001", "1500.10"),
    ],
)
def test_amounts_are_read_however_they_are_written(text: str, amount: str) -> None:
    assert one(short(text)).amount == Money(amount, KES)


@pytest.mark.parametrize("text", ["(1,500.00)", "-1500", "1,500.00-", "\u22121500.00", "(KES 1,500.00)"])
def test_what_is_withdrawn_is_positive_and_goes_out(text: str) -> None:
    line = one(short("", text))
    assert (line.direction, line.amount) == ("out", Money("1500.00", KES))


def test_money_below_zero_coming_in_went_out() -> None:
    line = one(short("(20.00)"))
    assert (line.direction, line.amount) == ("out", Money("20.00", KES))


@pytest.mark.parametrize(
    ("amount_in", "out", "column", "message"),
    [
        ("1,50.00", "", "Paid In", "This is no amount"),
        ("abc", "", "Paid In", "This is no amount"),
        ("1.999", "", "Paid In", "at most two decimals"),
        ("99999999999999999", "", "Paid In", "too large"),
        ("=SUM(A1:A9)", "", "Paid In", "holds a formula"),
        ("", "=1+1", "Withdrawn", "holds a formula"),
        ("NaN", "", "Paid In", "This is no amount"),
        ("Infinity", "", "Paid In", "This is no amount"),
        ("", "", "Paid In", "neither"),
        ("0.00", "0", "Paid In", "neither"),
        ("5", "5", "Paid In", "one row"),
        ("", "x" * 5000, "Withdrawn", "This is no amount"),
    ],
)
def test_a_bad_amount_is_told_by_row_and_column(amount_in: str, out: str, column: str, message: str) -> None:
    found = problem(short(amount_in, out))
    assert (found.line_number, found.column, found.is_error) == (2, column, True)
    assert message in found.message
    assert len(found.value) <= 100


@pytest.mark.parametrize(
    "text",
    [
        "31-01-2026 23:59:59",
        "2026-01-31 23:59:59",
        "31/01/2026 23:59:59",
        "31.01.2026 23:59:59",
        "31/01/2026 11:59:59 PM",
        "31 Jan 2026 23:59:59",
        "31-Jan-2026  23:59:59",
        "2026-01-31T23:59:59",
        "2026-01-31T20:59:59Z",
        "20260131235959",
        "46053.9999884259",
    ],
)
def test_times_are_east_african_however_they_are_written(text: str) -> None:
    assert one(short("5", at=text)).occurred_at == KEPT


@pytest.mark.parametrize("text", ["", "yesterday", "01/31/2026 10:00:00", "31-02-2026 10:00:00", "=NOW()", "1"])
def test_a_bad_time_is_told_by_row_and_column(text: str) -> None:
    found = problem(short("5", at=text))
    assert (found.line_number, found.column) == (2, "Completion Time")


@pytest.mark.parametrize("receipt", ["", "A B", "x" * 65, "=A1", "<b>"])
def test_a_bad_receipt_is_told_by_row_and_column(receipt: str) -> None:
    found = problem(short("5", receipt=receipt))
    assert (found.line_number, found.column, found.is_error) == (2, "Receipt No.", True)


def test_what_did_not_complete_moved_no_money() -> None:
    found = problem(f"{HEAD}\n{PAID.replace('Completed', 'Failed')}\n")
    assert (found.is_error, found.column, found.value) == (False, "Transaction Status", "Failed")


def test_formulas_in_texts_stay_texts() -> None:
    line = one(f"{HEAD}\n{PAID.replace('INV 7', '=cmd|calc!A1')}\n")
    assert line.reference == "=cmd|calc!A1"


def xlsx(*rows: tuple[object, ...]) -> bytes:
    return b"".join(write_xlsx(rows))


def test_an_xlsx_statement_is_read_the_same() -> None:
    rows = (("A statement",), tuple(HEAD.split(",")), ("UBO1A2B3C4", "31-01-2026 23:59:59", "", "", "Completed"))
    line = one(xlsx(*rows[:2], (*rows[2], Decimal("1500.00"), "", "2,001,500.00", "Pay Bill")))
    assert (line.amount, line.balance, line.occurred_at) == (Money("1500.00", KES), Money("2001500.00", KES), KEPT)
    assert line.line_number == 3


def test_a_formula_in_an_xlsx_amount_is_told_and_its_last_value_is_not_believed() -> None:
    import zipfile

    source = zipfile.ZipFile(io.BytesIO(xlsx(("Receipt No.", "Completion Time", "Paid In", "Withdrawn"))))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("sheet1.xml"):
                row = (
                    b'<row r="7"><c r="A7" t="inlineStr"><is><t>UBO1A2B3C4</t></is></c><c r="B7"><v>46053.5</v></c>'
                    b'<c r="C7"><f>1000+500</f><v>1500</v></c></row></sheetData>'
                )
                data = data.replace(b"</sheetData>", row)
            archive.writestr(name, data)
    (found,) = read(made.getvalue())
    assert isinstance(found, StatementProblem)
    assert (found.line_number, found.column, found.value) == (7, "Paid In", "=1000+500")


def test_the_simulators_own_statement_is_read_without_a_problem() -> None:
    clock = VirtualClock()
    with DarajaSimulator(seed=3, clock=clock).serve() as sim:
        sim.pay_paybill("254712345678", "174379", 250, "INV 1")
        sim.fund("174379", 5000)
        sim.withdraw("174379", 700)
        text, rows = sim.statement_csv("174379"), sim.statement("174379")
    lines = [line for line in read(text) if isinstance(line, StatementLine)]
    assert [(line.receipt, line.kind, line.direction, line.amount.amount) for line in lines] == [
        (rows[0].receipt, "charge", "in", Decimal(250)),
        (rows[1].receipt, "adjustment", "in", Decimal(5000)),
        (rows[2].receipt, "adjustment", "out", Decimal(700)),
    ]
    assert [line.occurred_at for line in lines] == [row.completed_at for row in rows]
