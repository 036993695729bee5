"""Reading a table of payouts, whoever wrote it with whatever program: every fault named by row and column.

Nothing is guessed about money: a thousands separator, a float's exponent or an unknown column is an error that says
how to write it. Rows are counted as a spreadsheet counts them, the headings being row 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from moneyed import Money

from majuu_core.common.money import AmountError, parse_amount
from majuu_core.payments.payout_accounts import PayoutDetails

MAX_ROWS = 10_000
MAX_BYTES = 2_500_000
OWN_COLUMNS = ("reference", "amount", "currency", "purpose", "description", "provider")
_REQUIRED = ("reference", "amount")
_DELIMITERS = (",", ";", "\t")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class RowError:
    """One fault. ``row`` is 0 when it is the whole file's; ``column`` is a heading or ""."""

    row: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number, and its cells by column. Destinations are columns of their own."""

    number: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class Table:
    """What could be read, and what could not."""

    rows: list[TableRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def refuse(self, code: str, message: str, *, row: int = 0, column: str = "") -> None:
        """Add a fault."""
        self.errors.append(RowError(row, column, code, message))


def read_csv(content: bytes, *, destinations: Sequence[str]) -> Table:
    """The rows of a CSV file. ``destinations`` are the headings that say where money goes, such as ``phone``."""
    table = Table()
    text = _decode(content, table)
    if not text.strip():
        if not table.errors:
            table.refuse("file_empty", "The file is empty. Its first row holds the headings: reference, amount, phone.")
        return table
    try:
        _read_rows(table, _records(text), (*OWN_COLUMNS, *destinations))
    except csv.Error as problem:
        table.refuse("csv_invalid", f"This is not a CSV file: {problem}.")
    return table


def read_details(row: TableRow, table: Table, *, currency: str) -> PayoutDetails | None:
    """What one row asks for; None when it cannot be read, with the fault added. ``currency`` where it names none."""
    cells = row.cells
    amount = _read_amount(row, table, cells.get("currency", "") or currency)
    if amount is None:
        return None
    return PayoutDetails(
        amount=amount,
        reference=cells["reference"],
        destination={name: value for name, value in cells.items() if name not in OWN_COLUMNS and value},
        purpose=cells.get("purpose", ""),
        description=cells.get("description", ""),
        provider=cells.get("provider", ""),
    )


def _decode(content: bytes, table: Table) -> str:
    if len(content) > MAX_BYTES:
        table.refuse("file_too_large", f"The file is larger than {MAX_BYTES} bytes. Split it.")
        return ""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as problem:
        row = content[: problem.start].count(b"\n") + 1
        table.refuse(
            "encoding_unknown",
            'The file is not UTF-8. Save it as "CSV UTF-8", so that no name or number is misread.',
            row=row if encoding == "utf-8" else 0,
        )
        return ""
    if "\0" in text:
        table.refuse("encoding_unknown", 'The file holds NUL characters. Save it as "CSV UTF-8".')
        return ""
    return text


def _records(text: str) -> Iterator[list[str]]:
    first = text.lstrip("\r\n").splitlines()[0]
    delimiter = max(_DELIMITERS, key=first.count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _read_rows(table: Table, records: Iterator[list[str]], known: Sequence[str]) -> None:
    headings: list[str] = []
    for number, cells in enumerate(records, start=1):
        values = [cell.strip() for cell in cells]
        if not any(values):
            continue
        if not headings:
            headings = [value.lower().replace(" ", "_") for value in values]
            if not _check_headings(table, headings, known, number):
                return
            continue
        if len(table.rows) >= MAX_ROWS:
            table.refuse("rows_too_many", f"A file holds at most {MAX_ROWS} payouts. Split it.", row=number)
            return
        if len(values) != len(headings):
            text = f"This row has {len(values)} cells; there are {len(headings)} headings."
            table.refuse("row_length", text, row=number)
            continue
        table.rows.append(TableRow(number, dict(zip(headings, values, strict=True))))
    if not table.rows and not table.errors:
        table.refuse("file_empty", "The file holds headings and no payouts.")


def _check_headings(table: Table, headings: Sequence[str], known: Sequence[str], number: int) -> bool:
    faults = len(table.errors)
    for name in dict.fromkeys(headings):
        if headings.count(name) > 1:
            table.refuse("column_twice", f"The heading {name[:40]!r} stands there twice.", row=number, column=name[:40])
        elif name not in known:
            text = f"There is no column {name[:40]!r}. Columns are: {', '.join(known)}."
            table.refuse("column_unknown", text, row=number, column=name[:40])
    for name in _REQUIRED:
        if name not in headings:
            table.refuse("column_missing", f"The column {name} is missing.", row=number, column=name)
    return len(table.errors) == faults


def _read_amount(row: TableRow, table: Table, currency: str) -> Money | None:
    text = row.cells["amount"]
    try:
        return parse_amount(text, currency)
    except AmountError as problem:
        column = "currency" if problem.code == "currency_unknown" else "amount"
        message = str(problem)
        if problem.code == "amount_invalid":
            message = f"{text[:32]!r} is not an amount. Write digits such as 1500.00, without separators or formulas."
        table.refuse(problem.code, message, row=row.number, column=column)
        return None
