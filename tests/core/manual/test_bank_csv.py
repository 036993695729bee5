"""A bank's CSV file by its mapping: what is read, what is refused, and with which row and column."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from majuu_core.manual.bank_mapping import BankMapping
from majuu_core.manual.statements import read_mapped
from majuu_core.providers import StatementLine, StatementProblem, StatementUnreadable
from tests.core.manual.office import MAPPING, as_file, csv_of

ACCOUNT = "pa_01"
ONE_COLUMN = {
    "delimiter": ";",
    "skip_rows": 3,
    "date": "Buchungstag",
    "date_format": "DD.MM.YYYY",
    "decimal_sign": ",",
    "amount": "Betrag",
    "currency_column": "W",
    "description": "Zweck;Kunde",
}
GERMAN = """Kontoauszug;;;;

Konto;DE02120300000000202051;;;
Buchungstag;Zweck;Kunde;Betrag;W
31.12.2026;RG 17 K7QM3XNP5;Müller;1.234,50;EUR
30.12.2026;Miete;Haus & Co;-900,00;EUR
"""


def read(text: str | bytes, **mapping: Any) -> list[StatementLine | StatementProblem]:
    known = BankMapping.model_validate(mapping or MAPPING)
    return list(read_mapped(as_file(text), known, account_id=ACCOUNT, time_zone="Africa/Nairobi"))


def lines(text: str | bytes, **mapping: Any) -> list[StatementLine]:
    found = read(text, **mapping)
    assert all(isinstance(item, StatementLine) for item in found), found
    return found  # type: ignore[return-value]


def problem(text: str | bytes, **mapping: Any) -> StatementProblem:
    (found,) = read(text, **mapping)
    assert isinstance(found, StatementProblem)
    return found


def test_two_columns_and_a_bank_number() -> None:
    paid_in, paid_out = lines(
        csv_of(("2026-01-12", "FT1", "K7Q-M3X-NP5 rent", "1500.00", ""), ("2026-01-13", "FT2", "SALARY", "", "90000"))
    )
    assert (paid_in.direction, paid_in.kind, paid_in.amount.amount, paid_in.line_number) == (
        "in",
        "charge",
        Decimal(1500),
        2,
    )
    assert paid_in.occurred_at.isoformat() == "2026-01-12T00:00:00+03:00"
    assert (paid_in.reference, paid_in.counterparty) == ("K7Q-M3X-NP5 rent", "Jane Wanjiku")
    assert paid_in.receipt.startswith("FT1-260112-")
    assert (paid_out.direction, paid_out.kind, paid_out.amount.amount) == ("out", "adjustment", Decimal(90000))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_one_column_with_a_sign_in_any_encoding(encoding: str) -> None:
    first, second = lines(GERMAN.encode(encoding), **ONE_COLUMN)
    assert (first.amount.amount, first.amount.currency.code, first.direction) == (Decimal("1234.50"), "EUR", "in")
    assert first.description == "RG 17 K7QM3XNP5 Müller"
    assert (second.amount.amount, second.direction) == (Decimal("900.00"), "out")


def test_columns_by_number_without_headings() -> None:
    by_number = {"has_headings": False, "date": "1", "date_format": "YYYYMMDD", "amount": "3", "currency": "KES"}
    (line,) = lines("20260112,JANE,250 CR\n", **by_number)
    assert (line.amount.amount, line.direction) == (Decimal(250), "in")
    (line,) = lines("20260112,JANE,250DR\n", **by_number)
    assert line.direction == "out"


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        ("12/01/2026,FT1,J,x,5,,", "Date", "no date of the form YYYY-MM-DD"),
        ("2026-02-30,FT1,J,x,5,,", "Date", "no date"),
        ("0026-01-12,FT1,J,x,5,,", "Date", "too far away"),
        ("2026-01-12,FT1,J,x,5,3,", "Money in", "cannot come in and go out"),
        ("2026-01-12,FT1,J,x,0.00,,", "Money in", "neither what came in"),
        ("2026-01-12,FT1,J,x,five,,", "Money in", "would be written 1,500.00"),
        ('2026-01-12,FT1,J,x,"1.500,00",,', "Money in", "would be written 1,500.00"),
        ("2026-01-12,FT1,J,x,5.005,,", "Money in", "KES has 2 decimal places"),
        ("2026-01-12,FT1,J,x,9999999999999999,,", "Money in", "too large"),
        ("2026-01-12,FT1,J,x,=5+5,,", "Money in", "holds a formula"),
        ("2026-01-12,FT1,J,x,1e3,,", "Money in", "no amount"),
        ("2026-01-12,FT1,J,x,٥,,", "Money in", "no amount"),
        ("2026-01-12,FT1,J,x,5,,what", "Balance", "no amount"),
    ],
)
def test_what_cannot_be_read_is_told_with_row_and_column(row: str, column: str, text: str) -> None:
    found = problem(f"{csv_of()}{row}\n")
    assert (found.line_number, found.column, found.is_error) == (2, column, True)
    assert text in found.message


def test_totals_and_remarks_are_left_out_and_empty_rows_are_not_seen() -> None:
    found = problem(f"{csv_of()}\n,,,Closing balance,,,5000\n\n")
    assert (found.line_number, found.is_error) == (3, False)


def test_headings_that_are_not_there_are_named() -> None:
    with pytest.raises(StatementUnreadable) as refusal:
        read("Datum,Bank ref,Name,Narrative,Money in,Money out,Balance\n")
    assert 'Row 1 should hold the headings, and lacks "Date". It holds "Datum", "Bank ref"' in str(refusal.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "ends before its headings"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel format"),
        (b"PK\x03\x04not a zip", "XLSX"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "lacks"),
        (csv_of().encode() + b'"' + b"x" * 200_000, "field larger than field limit"),
    ],
)
def test_files_that_are_no_table_are_refused(data: bytes, text: str) -> None:
    with pytest.raises(StatementUnreadable, match=text):
        read(data)


def test_formulas_in_texts_stay_texts_and_protected_numbers_are_numbers() -> None:
    (line,) = lines(f'{csv_of()}2026-01-12,"=""00123""","=HYPERLINK(1)",x,5,,\n')
    assert line.counterparty == "=HYPERLINK(1)"
    assert line.receipt.startswith("00123-260112-")


def test_equal_lines_of_a_day_are_counted_and_the_next_file_finds_the_same() -> None:
    without = {name: value for name, value in MAPPING.items() if name != "bank_reference"}
    twice = csv_of(("2026-01-12", "", "RENT", "5", ""), ("2026-01-12", "", "RENT", "5", ""))
    longer = csv_of(("2026-01-11", "", "RENT", "5", "")) + twice.partition("\n")[2]
    first, second = lines(twice, **without)
    other_day, again, once_more = lines(longer, **without)
    assert first.receipt != second.receipt
    assert [again.receipt, once_more.receipt] == [first.receipt, second.receipt]
    assert other_day.receipt not in (first.receipt, second.receipt)


def test_one_bank_number_on_two_days_or_twice_is_two_postings() -> None:
    rows = [
        ("2026-01-12", "FT1", "A", "5", ""),
        ("2026-01-12", "FT1", "B", "5", ""),
        ("2026-01-13", "FT1", "A", "5", ""),
    ]
    assert len({line.receipt for line in lines(csv_of(*rows))}) == 3
    assert all(len(line.receipt) <= 64 for line in lines(csv_of(("2026-01-12", "F" * 190, "A", "5", ""))))


def test_two_accounts_have_no_posting_in_common() -> None:
    mapping = BankMapping.model_validate(MAPPING)
    text = csv_of(("2026-01-12", "FT1", "A", "5", ""))
    found = {
        item.receipt
        for account in ("pa_01", "pa_02")
        for item in read_mapped(as_file(text), mapping, account_id=account, time_zone="Africa/Nairobi")
        if isinstance(item, StatementLine)
    }
    assert len(found) == 2


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"amount": "Amount"}, "Name one column with the amount, or one for money in"),
        ({"credit": ""}, "Name one column with the amount"),
        ({"currency": ""}, "Name the currency, or the column"),
        ({"currency": "XXX"}, "Give a currency code"),
        ({"date_format": "D/M/Y"}, "Choose one of DD/MM/YYYY"),
        ({"has_headings": False}, "columns named by number"),
        ({"skip_rows": -1}, "greater than or equal to 0"),
    ],
)
def test_a_mapping_that_says_too_little_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        BankMapping.model_validate(MAPPING | changes)
