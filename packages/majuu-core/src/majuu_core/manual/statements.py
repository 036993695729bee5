"""Bank statements: told apart by content, and read row by row."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from majuu_core.common.money import MAX_AMOUNT, AmountError, Money, decimal_places
from majuu_core.common.tables import Row, TableUnreadable, read_rows
from majuu_core.manual.bank_mapping import DATE_FORMATS, BankMapping
from majuu_core.manual.camt import is_camt, read_camt
from majuu_core.manual.credentials import ManualCredentials
from majuu_core.manual.identities import Occurrences, line_identity, posting_identity
from majuu_core.providers import StatementLine, StatementProblem, StatementUnreadable

_MOST_ROWS = 500_000
_GROUPED = {
    ".": re.compile(r"[0-9]{1,3}(,[0-9]{2,3})+(\.[0-9]+)?|[0-9]+(\.[0-9]+)?|\.[0-9]+"),
    ",": re.compile(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?|[0-9]+(,[0-9]+)?|,[0-9]+"),
}
_BLANKS = re.compile(r"[\s\u00a0\u202f']")
_SIDE = re.compile(r"(CR|DR|C|D)\.?$")
_AS_TEXT = re.compile(r'="(.*)"')  # how spreadsheets keep the zeros of a number
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")


class _Cell(ValueError):
    """A cell that cannot be read."""


def read_bank_statement(
    file: BinaryIO, *, account: ManualCredentials, account_id: str
) -> Iterator[StatementLine | StatementProblem]:
    """The lines of a file that can be rewound. Raises StatementUnreadable when none of it can be used."""
    if is_camt(file):
        yield from read_camt(file, account=account, account_id=account_id)
        return
    if account.statement is None:
        raise StatementUnreadable(
            "Nobody has said yet how this bank writes its CSV files. Save the mapping of its columns with the account "
            "first, or upload a CAMT.053 file."
        )
    yield from read_mapped(file, account.statement, account_id=account_id, time_zone=account.time_zone)


def read_mapped(
    file: BinaryIO, mapping: BankMapping, *, account_id: str, time_zone: str
) -> Iterator[StatementLine | StatementProblem]:
    """The lines of a CSV or XLSX file, by a mapping."""
    separator = {"auto": "", "tab": "\t"}.get(mapping.delimiter, mapping.delimiter)
    try:
        with closing(cast("Generator[Row, None, None]", read_rows(file, separator=separator))) as rows:
            table = _open_table(rows, _Table(mapping, account_id, ZoneInfo(time_zone)))
            for number, row in enumerate(rows):
                if number >= _MOST_ROWS:
                    raise StatementUnreadable(f"A statement has at most {_MOST_ROWS:,} rows. Split it by days.")
                if any(cell.strip() for cell in row.cells):
                    yield table.read(row)
    except TableUnreadable as problem:
        raise StatementUnreadable(str(problem)) from problem


def _open_table(rows: Iterator[Row], table: _Table) -> _Table:
    """The table with its columns found, below the rows that are skipped."""
    mapping = table.mapping
    for _ in range(mapping.skip_rows):
        next(rows, None)
    if not mapping.has_headings:
        return table
    heading = next((row for row in rows if any(cell.strip() for cell in row.cells)), None)
    if heading is None:
        raise StatementUnreadable(f"The file ends before its headings: {mapping.skip_rows} rows are skipped.")
    table.titles = tuple(_plain(cell, 60) for cell in heading.cells)
    for number, title in enumerate(table.titles):
        table.places.setdefault(_key(title), number)
    missing = [name for name in _columns_of(mapping) if _place(name, table.places) is None]
    if missing:
        seen = ", ".join(f'"{title}"' for title in table.titles if title) or "nothing"
        named = ", ".join(f'"{name}"' for name in missing)
        raise StatementUnreadable(
            f"Row {heading.number} should hold the headings, and lacks {named}. It holds {seen[:600]}. Correct the "
            "mapping: the rows to skip, or the names of the columns."
        )
    return table


def _columns_of(mapping: BankMapping) -> list[str]:
    single = (mapping.date, mapping.amount, mapping.credit, mapping.debit, mapping.currency_column, mapping.payer)
    return [name for name in (*single, mapping.bank_reference, mapping.balance, *mapping.description) if name]


class _Table:
    """One file, as its mapping reads it."""

    def __init__(self, mapping: BankMapping, account_id: str, zone: ZoneInfo) -> None:
        self.mapping, self.account_id, self.zone = mapping, account_id, zone
        self.places: dict[str, int] = {}
        self.titles: tuple[str, ...] = ()
        self.occurrences = Occurrences()

    def read(self, row: Row) -> StatementLine | StatementProblem:
        """One row that is not empty."""
        mapping, column = self.mapping, self.mapping.date
        money = [name for name in (mapping.amount, mapping.credit, mapping.debit) if name]
        if not self.text(row, mapping.date) or not any(self.text(row, name) for name in money):
            text = "This row has no date or no amount: a total or a remark. Left out."
            return self._problem(row, column, text, is_error=False)
        try:
            occurred_at = self._time(self._checked(row, column))
            column = mapping.currency_column
            currency = self._currency(row)
            column = money[0]
            amount = self._amount(row, currency)
            column = mapping.balance
            balance = _read_number(self.text(row, column), mapping.decimal_sign, currency) if column else None
        except _Cell as problem:
            return self._problem(row, column, str(problem))
        return self._line(row, occurred_at, Money(amount, currency), balance)

    def _line(self, row: Row, occurred_at: datetime, amount: Money, balance: Decimal | None) -> StatementLine:
        mapping = self.mapping
        text = " ".join(found for name in mapping.description if (found := _plain(self.text(row, name), 300)))
        payer = _plain(self.text(row, mapping.payer), 200)
        is_in = amount.amount > 0
        return StatementLine(
            line_number=row.number,
            receipt=self._identity(row, occurred_at, amount, text, payer),
            kind="charge" if is_in else "adjustment",
            direction="in" if is_in else "out",
            amount=amount if is_in else -amount,
            occurred_at=occurred_at,
            balance=None if balance is None else Money(balance, amount.currency),
            counterparty=payer,
            description=text[:300],
            reference=text[:64],
            raw=self._raw(row),
        )

    def _identity(self, row: Row, occurred_at: datetime, amount: Money, text: str, payer: str) -> str:
        day = occurred_at.date()
        number = _plain(self.text(row, self.mapping.bank_reference), 200)
        if number:
            return posting_identity(self.account_id, number, day, self.occurrences.count(number, str(day)))
        said = (str(occurred_at), f"{amount.amount:f}", amount.currency.code, text, payer)
        return line_identity(self.account_id, said, day, self.occurrences.count(*said))

    def text(self, row: Row, name: str) -> str:
        """The text of a column, by its heading or number; "" for one that is not named."""
        found = row.cell(_place(name, self.places)) if name else ""
        shown = _AS_TEXT.fullmatch(found)
        return shown[1].strip() if shown else found

    def _checked(self, row: Row, name: str) -> str:
        text = self.text(row, name)
        if _place(name, self.places) in row.formulas or text.startswith("="):
            raise _Cell("This cell holds a formula. Formulas are not calculated here: write its value.")
        return text

    def _time(self, text: str) -> datetime:
        try:
            told = datetime.strptime(" ".join(text.split()), DATE_FORMATS[self.mapping.date_format])  # noqa: DTZ007
            read = told.replace(tzinfo=self.zone)
        except ValueError:
            raise _Cell(f"This is no date of the form {self.mapping.date_format}.") from None
        if not 2000 <= read.year <= 2100:
            raise _Cell("This date is too far away to be one of a statement.")
        return read

    def _currency(self, row: Row) -> str:
        code = self._checked(row, self.mapping.currency_column).upper() or self.mapping.currency
        try:
            decimal_places(code)
        except AmountError:
            raise _Cell("This is no currency we know. Write it as KES.") from None
        return code

    def _amount(self, row: Row, currency: str) -> Decimal:
        """Above zero for money in, below for money out."""
        mapping = self.mapping
        if mapping.amount:
            found = _read_number(self._checked(row, mapping.amount), mapping.decimal_sign, currency)
            if not found:
                raise _Cell("This row says neither what came in nor what went out.")
            return found
        credit = _read_number(self._checked(row, mapping.credit), mapping.decimal_sign, currency) or Decimal(0)
        debit = _read_number(self._checked(row, mapping.debit), mapping.decimal_sign, currency) or Decimal(0)
        if bool(credit) is bool(debit):
            both = "Money cannot come in and go out in one row."
            raise _Cell(both if credit else "This row says neither what came in nor what went out.")
        return credit if credit else -abs(debit)

    def _raw(self, row: Row) -> dict[str, str]:
        titles = self.titles or tuple(str(number) for number in range(1, len(row.cells) + 1))
        return {title: _plain(cell, 300) for title, cell in zip(titles, row.cells, strict=False) if cell.strip()}

    def _problem(self, row: Row, column: str, message: str, *, is_error: bool = True) -> StatementProblem:
        value = _plain(self.text(row, column), 100)
        return StatementProblem(line_number=row.number, column=column, message=message, value=value, is_error=is_error)


def _read_number(text: str, sign: str, currency: str) -> Decimal | None:
    """The amount, None for an empty cell. A minus before or after it, brackets and "DR" put it below zero."""
    plain = _BLANKS.sub("", text.upper()).removeprefix(currency).removesuffix(currency)
    if plain in ("", "-", "–"):
        return None
    side = _SIDE.search(plain)
    plain = _SIDE.sub("", plain)
    is_negative = plain.startswith(("-", "(", "\u2212")) or plain.endswith("-") or (side and side[1][0] == "D")
    digits = plain.strip("+-()\u2212")
    if not _GROUPED[sign].fullmatch(digits):
        example = "1,500.00" if sign == "." else "1.500,00"
        raise _Cell(f"This is no amount. With the mapping's decimal sign it would be written {example}.")
    other = "," if sign == "." else "."
    try:
        number = Decimal(digits.replace(other, "").replace(sign, "."))
    except InvalidOperation:
        raise _Cell("This is no amount.") from None
    if number > MAX_AMOUNT:
        raise _Cell("This amount is too large to be one.")
    places = decimal_places(currency)
    exact = number.quantize(Decimal((0, (1,), -places)))
    if exact != number:
        raise _Cell(f"{currency} has {places} decimal places.")
    return -exact if is_negative else exact


def _place(name: str, places: Mapping[str, int]) -> int | None:
    known = places.get(_key(name))
    return int(name) - 1 if known is None and name.isdecimal() and int(name) > 0 else known


def _key(text: str) -> str:
    return " ".join(text.lower().split())


def _plain(text: str, limit: int) -> str:
    return " ".join(_UNSEEN.sub(" ", text).split())[:limit]
