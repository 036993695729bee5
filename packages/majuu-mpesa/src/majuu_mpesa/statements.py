"""The organisation portal's statement, as CSV or XLSX: what a row means, however the file was saved.

Columns are found by name, in any order, below any preamble. What cannot be read is told with its row and column; what
a formula would show is never asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import BinaryIO
from zoneinfo import ZoneInfo

from majuu_core.common.money import MAX_AMOUNT, Money
from majuu_core.common.tables import Row, TableUnreadable, read_rows
from majuu_core.providers import StatementLine, StatementProblem, StatementUnreadable
from majuu_mpesa.text import plain_text

TIME_ZONE = "Africa/Nairobi"
CURRENCY = "KES"
_EAT = ZoneInfo(TIME_ZONE)
_PREAMBLE_ROWS = 60

# What a column is called: as the portal writes it, and as it has been seen in exports of other versions.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "receipt": ("Receipt No.", "Receipt", "Receipt Number", "M-PESA Receipt No", "Transaction ID", "Trans ID"),
    "completed": ("Completion Time", "Completed Time", "Transaction Date", "Completion Date", "Date", "Time"),
    "details": ("Details", "Transaction Details", "Description", "Particulars"),
    "status": ("Transaction Status", "Status"),
    "paid_in": ("Paid In", "Credit", "Amount In", "Money In", "Paid In Amount"),
    "withdrawn": ("Withdrawn", "Withdrawal", "Debit", "Amount Out", "Money Out", "Paid Out", "Withdrawn Amount"),
    "balance": ("Balance", "Running Balance", "Account Balance"),
    "reason": ("Reason Type", "Transaction Type", "Type"),
    "other_party": ("Other Party Info", "Other Party", "Opposite Party", "Counterparty"),
    "linked": ("Linked Transaction ID", "Linked Transaction", "Original Transaction ID"),
    "account": ("A/C No.", "Account No", "Account Number", "Account Reference", "Account"),
}
_REQUIRED = ("receipt", "completed", "paid_in", "withdrawn")
_TIMES = (
    "%d-%m-%Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%Y-%m-%d %H:%M",
    "%d-%m-%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%d %b %Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y%m%d%H%M%S",
)
_EXCEL_BEGINNING = datetime(1899, 12, 30, tzinfo=_EAT)
_EXCEL_DAYS = re.compile(r"[3-6][0-9]{4}(\.[0-9]+)?")  # 1982 to 2091
_RECEIPT = re.compile(r"[A-Za-z0-9-]{4,64}")
_ENGLISH = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?|[0-9]+(\.[0-9]+)?|\.[0-9]+")
_CONTINENTAL = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]{1,2}")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,2}")
_SPACES = re.compile(r"\s+")
_CENT = Decimal("0.01")
_BINARY_NOISE = Decimal("0.000001")  # what a spreadsheet's own numbers may be beside the amount
_PHONE_FIRST = re.compile(r"\s*\+?(254|0)[17][0-9*]")


class _Cell(ValueError):
    """A cell that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Header:
    """Where each column stands, and what it is called in this file."""

    places: Mapping[str, int]
    titles: tuple[str, ...]

    @classmethod
    def of(cls, places: Mapping[str, int], row: Row) -> _Header:
        return cls(places, tuple(_plain(cell, 60) for cell in row.cells))

    def title(self, name: str) -> str:
        return self.titles[self.places[name]] if name in self.places else _NAMES[name][0]

    def text(self, row: Row, name: str) -> str:
        return row.cell(self.places.get(name))


def read_statement(file: BinaryIO) -> Iterator[StatementLine | StatementProblem]:
    """The lines of a portal statement. Raises StatementUnreadable when there is no table of the right columns."""
    try:
        rows = read_rows(file)
        header = _find_header(rows)
        for row in rows:
            if any(cell.strip() for cell in row.cells):
                yield _read_row(row, header)
    except TableUnreadable as problem:
        raise StatementUnreadable(str(problem)) from problem


def _find_header(rows: Iterator[Row]) -> _Header:
    best: tuple[dict[str, int], Row] | None = None
    for _, row in zip(range(_PREAMBLE_ROWS), rows, strict=False):
        places = _places(row)
        if best is None or len(places) > len(best[0]):
            best = (places, row)
        if all(name in places for name in _REQUIRED):
            return _Header.of(places, row)
    raise StatementUnreadable(_explain_missing(best))


def _places(row: Row) -> dict[str, int]:
    """Known columns of a row, by name; the portal's own titles win over others."""
    titles = [_key(cell) for cell in row.cells]
    found: dict[str, int] = {}
    for name, known in _NAMES.items():
        place = next((titles.index(_key(title)) for title in known if _key(title) in titles), None)
        if place is not None and place not in found.values():
            found[name] = place
    return found


def _explain_missing(best: tuple[dict[str, int], Row] | None) -> str:
    if best is None:
        return "The file is empty."
    places, row = best
    missing = ", ".join(f'"{_NAMES[name][0]}"' for name in _REQUIRED if name not in places)
    seen = ", ".join(f'"{plain_text(cell, limit=40)}"' for cell in row.cells if cell.strip()) or "nothing"
    return (
        f"The column {missing} is missing. The nearest thing to a heading is row {row.number}, with {seen[:600]}. "
        "Download the statement again with all its columns, or give the column its old name."
    )


def _read_row(row: Row, header: _Header) -> StatementLine | StatementProblem:
    receipt = header.text(row, "receipt")
    if not receipt and not header.text(row, "completed"):
        return _note(row, header, "receipt", "This row has no receipt and no time: a total or a remark. Left out.")
    status = header.text(row, "status")
    if status and _key(status) not in ("completed", "complete", "success", "successful"):
        return _note(row, header, "status", f"The transaction is {plain_text(status, limit=40)}: no money moved.")
    reading = "receipt"
    try:
        receipt = _read_receipt(row, header)
        reading = "completed"
        occurred_at = _read_time(_checked(row, header, "completed"))
        reading = "paid_in"
        paid_in = _read_amount(_checked(row, header, "paid_in"))
        reading = "withdrawn"
        withdrawn = _read_amount(_checked(row, header, "withdrawn"))
        reading = "balance"
        balance = _read_amount(_checked(row, header, "balance"))
        reading = "paid_in"
        direction, amount = _direction(paid_in, withdrawn)
    except _Cell as problem:
        return _problem(row, header, reading, str(problem))
    reason = _plain(header.text(row, "reason") or header.text(row, "details"), 200)
    other = _plain(header.text(row, "other_party"), 200)
    return StatementLine(
        line_number=row.number,
        receipt=receipt,
        kind=_kind(reason, direction, other),
        direction=direction,
        amount=Money(amount, CURRENCY),
        occurred_at=occurred_at,
        balance=None if balance is None else Money(balance, CURRENCY),
        counterparty=other,
        description=_plain(header.text(row, "details") or reason, 300),
        reference=_plain(header.text(row, "account"), 64),
        linked_receipt=_plain(header.text(row, "linked"), 64),
        raw=_raw(row, header),
    )


def _raw(row: Row, header: _Header) -> dict[str, str]:
    pairs = zip(header.titles, row.cells, strict=False)
    return {title: _plain(cell, 300) for title, cell in pairs if cell.strip()}


def _read_receipt(row: Row, header: _Header) -> str:
    text = _checked(row, header, "receipt")
    if not _RECEIPT.fullmatch(text):
        raise _Cell("A receipt has 4 to 64 letters and digits, such as TGK7XYZ123.")
    return text.upper()


def _checked(row: Row, header: _Header, name: str) -> str:
    """The text of a cell that must not be a formula."""
    if header.places.get(name) in row.formulas or header.text(row, name).startswith("="):
        raise _Cell("This cell holds a formula. Formulas are not calculated here: write its value.")
    return header.text(row, name)


def _read_time(text: str) -> datetime:
    plain = _SPACES.sub(" ", text)
    if _EXCEL_DAYS.fullmatch(plain):
        seconds = (Decimal(plain) * 86400).to_integral_value()
        return _EXCEL_BEGINNING + timedelta(seconds=int(seconds))
    for form in _TIMES:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=_EAT)
        except ValueError:
            continue
    try:
        known = datetime.fromisoformat(plain)
    except ValueError:
        known = None
    if known is None or known.tzinfo is None:
        raise _Cell("This is no time. Write it as 31-12-2026 23:59:59, the day before the month.")
    return known.astimezone(_EAT)


def _read_amount(text: str) -> Decimal | None:
    """The amount, None for an empty cell; in brackets or with a minus before or after it, it is below zero."""
    plain = re.sub(r"^(KES|KSH|KSHS)\.?|[\s\u00a0\u202f']", "", text.upper())
    if plain in ("", "-", "–", "N/A"):
        return None
    is_negative = plain.startswith(("-", "(", "\u2212")) or plain.endswith("-")
    digits = re.sub(r"^(KES|KSHS?)\.?", "", plain.strip("-()\u2212"))
    number = _read_number(digits)
    cents = number.quantize(_CENT)
    if abs(number - cents) > _BINARY_NOISE:
        raise _Cell("An amount has at most two decimals.")
    if cents > MAX_AMOUNT:
        raise _Cell("This amount is too large to be one.")
    return -cents if is_negative else cents


def _read_number(digits: str) -> Decimal:
    if _ENGLISH.fullmatch(digits) or _SCIENTIFIC.fullmatch(digits):
        return Decimal(digits.replace(",", ""))
    if _CONTINENTAL.fullmatch(digits):
        return Decimal(digits.replace(".", "").replace(",", "."))
    raise _Cell("This is no amount. Write it as 1,500.00.")


def _direction(paid_in: Decimal | None, withdrawn: Decimal | None) -> tuple[str, Decimal]:
    if paid_in and withdrawn:
        raise _Cell("Money cannot come in and go out in one row.")
    if not paid_in and not withdrawn:
        raise _Cell("This row says neither what came in nor what went out.")
    if paid_in and paid_in < 0:  # some exports write what was taken back as less than nothing
        return "out", -paid_in
    return ("in", paid_in) if paid_in else ("out", abs(withdrawn or Decimal(0)))


def _kind(reason: str, direction: str, other_party: str) -> str:
    """What a posting is, by the portal's words for it; they are no closed list."""
    words = reason.lower()
    if re.search(r"\bcharges?\b|\bfees?\b|\btariff\b", words):
        return "fee"
    if "revers" in words:
        return "refund" if direction == "out" else "adjustment"
    if re.search(r"\bdeposit\b|\bwithdrawal of\b|\btransfer\b|\bsettlement\b|\bmerchant to\b", words):
        return "adjustment"
    if direction == "in":
        known = re.search(r"pay ?bill|merchant payment|buy goods|customer payment|pay merchant|push", words)
        return "charge" if known or _PHONE_FIRST.match(other_party) else "adjustment"
    known = re.search(r"business payment|salary|promotion|b2c|business pay|business buy", words)
    return "payout" if known or _PHONE_FIRST.match(other_party) else "adjustment"


def _problem(row: Row, header: _Header, name: str, message: str) -> StatementProblem:
    value = _plain(header.text(row, name), 100)
    return StatementProblem(line_number=row.number, column=header.title(name), message=message, value=value)


def _note(row: Row, header: _Header, name: str, message: str) -> StatementProblem:
    value = _plain(header.text(row, name), 100)
    return StatementProblem(
        line_number=row.number, column=header.title(name), message=message, value=value, is_error=False
    )


def _plain(text: str, limit: int) -> str:
    """As plain_text; most cells of a long statement are ordinary, and need no look at each character."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:limit]
    return plain_text(text, limit=limit)


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
