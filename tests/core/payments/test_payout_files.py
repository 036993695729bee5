"""Tables of payouts from every kind of program: read rightly, or refused with the row and the column."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.payments.payout_files import MAX_BYTES, MAX_ROWS, Table, read_csv, read_details

GOOD = "reference,amount,currency,phone\nSAL-1,1500.00,KES,0712345678\nSAL-2,2000,KES,0712345679\n"


def read(content: str | bytes) -> Table:
    return read_csv(content.encode() if isinstance(content, str) else content, destinations=["phone", "email"])


def faults(table: Table) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.code) for error in table.errors]


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        b"\xfe\xff" + GOOD.encode("utf-16-be"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.replace("reference,amount", " Reference , AMOUNT").encode(),
        GOOD.replace("SAL-1", '"SAL-1"').encode(),
    ],
    ids=["plain", "BOM", "utf-16", "utf-16 BE", "CRLF", "CR", "semicolons", "tabs", "spaces", "quotes"],
)
def test_the_same_table_from_every_program(content: bytes) -> None:
    table = read(content)
    assert faults(table) == []
    assert [row.number for row in table.rows] == [2, 3]
    assert table.rows[0].cells == {"reference": "SAL-1", "amount": "1500.00", "currency": "KES", "phone": "0712345678"}


def test_empty_rows_are_passed_over_and_counted() -> None:
    table = read("\n\nreference,amount,phone\n\nA,1,07\n,,\nB,2,07\n")
    assert [(row.number, row.cells["reference"]) for row in table.rows] == [(5, "A"), (7, "B")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", [(0, "", "file_empty")]),
        (" \n ", [(0, "", "file_empty")]),
        ("reference,amount,phone\n", [(0, "", "file_empty")]),
        ("reference,phone\nA,07\n", [(1, "amount", "column_missing")]),
        ("phone;reference;betrag\n07;A;1\n", [(1, "betrag", "column_unknown"), (1, "amount", "column_missing")]),
        ("reference,amount,amount\nA,1,1\n", [(1, "amount", "column_twice")]),
        ("reference,amount,phone\nA,1\nB,2,07\n", [(2, "", "row_length")]),
        ("reference,amount,phone\nA,1,500,07\n", [(2, "", "row_length")]),
        ('reference,amount,phone\n"A,1,07\n', [(0, "", "csv_invalid")]),
        ("reference,amount,phone\nJos\xe9,1,07\n".encode("latin-1"), [(2, "", "encoding_unknown")]),
        (GOOD.encode("utf-16-le"), [(0, "", "encoding_unknown")]),
        (GOOD.encode("utf-16")[:-1], [(0, "", "encoding_unknown")]),
        (b"x" * (MAX_BYTES + 1), [(0, "", "file_too_large")]),
        (b"PK\x03\x04\x14\x00\x06\x00", [(0, "", "encoding_unknown")]),
        ("a" * 200_000, [(0, "", "csv_invalid")]),
    ],
    ids=str,
)
def test_what_is_no_table_of_payouts(content: str | bytes, expected: list[tuple[int, str, str]]) -> None:
    assert faults(read(content)) == expected


@pytest.mark.parametrize(
    "amount", ["1,500.00", "1 500", "1.500,00", "=1+1", "1e3", "", "KES 5", "١٥", "+5", "1500.001"]
)
def test_an_amount_is_never_guessed(amount: str) -> None:
    table = read(f'reference,amount,phone\nA,"{amount}",07\n')
    assert read_details(table.rows[0], table, currency="KES") is None
    assert [(row, column) for row, column, _ in faults(table)] == [(2, "amount")]


def test_an_unknown_currency_is_named() -> None:
    table = read("reference,amount,currency,phone\nA,1,kes,07\n")
    assert read_details(table.rows[0], table, currency="KES") is None
    assert faults(table) == [(2, "currency", "currency_unknown")]


def test_details_come_from_their_columns() -> None:
    table = read("reference,amount,phone,email,description\nA,1,07,,Salary\n")
    details = read_details(table.rows[0], table, currency="UGX")
    assert details is not None
    assert (details.amount.amount, details.amount.currency.code) == (Decimal(1), "UGX")
    assert (details.destination, details.description) == ({"phone": "07"}, "Salary")


def test_ten_thousand_rows_and_no_more() -> None:
    rows = "".join(f"R{number},1,07\n" for number in range(MAX_ROWS))
    assert faults(read("reference,amount,phone\n" + rows)) == []
    table = read("reference,amount,phone\n" + rows + "X,1,07\n")
    assert faults(table) == [(MAX_ROWS + 2, "", "rows_too_many")]


@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    """Whatever comes, there are rows with every column, or errors."""
    table = read(content)
    assert table.rows or table.errors
    assert all({"reference", "amount"} <= set(row.cells) for row in table.rows)
