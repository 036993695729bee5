"""A provider whose statement is a small CSV, for tests that know no real provider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, ClassVar
from zoneinfo import ZoneInfo

from moneyed import KES, Money

from majuu_core.common.tables import TableUnreadable, read_rows
from majuu_core.plugins import hookimpl
from majuu_core.providers import PaymentProvider, StatementLine, StatementProblem, StatementUnreadable
from tests.core.checkout.phone_provider import PhoneProvider

ZONE = "Africa/Nairobi"


class PaperProvider(PhoneProvider):
    """Columns: receipt, time (ISO, East Africa), amount (below zero: out), kind, other party, linked receipt."""

    code: ClassVar[str] = "paper"

    def read_statement(self, file: BinaryIO, *, name: str) -> Iterator[StatementLine | StatementProblem]:
        try:
            for row in read_rows(file):
                yield self._read(row.number, [*row.cells, "", "", ""])
        except TableUnreadable as problem:
            raise StatementUnreadable(str(problem)) from problem

    def _read(self, number: int, cells: list[str]) -> StatementLine | StatementProblem:
        if cells[0] == "total":
            return StatementProblem(line_number=number, column="receipt", message="A total.", is_error=False)
        if cells[0] == "unusable":
            raise StatementUnreadable('The column "amount" is missing.')
        try:
            amount, at = Money(cells[2], KES), datetime.fromisoformat(cells[1]).replace(tzinfo=ZoneInfo(ZONE))
        except ArithmeticError:
            return StatementProblem(line_number=number, column="amount", message="No amount.", value=cells[2])
        except ValueError:
            return StatementProblem(line_number=number, column="time", message="No time.", value=cells[1])
        out = amount.amount < 0
        return StatementLine(
            line_number=number,
            receipt=cells[0],
            kind=cells[3] or ("payout" if out else "charge"),
            direction="out" if out else "in",
            amount=abs(amount),
            occurred_at=at,
            counterparty=cells[4],
            linked_receipt=cells[5],
        )

    def statement_time_zone(self) -> str:
        return ZONE


class PaperPlugin:
    """Offers it."""

    @hookimpl
    def register_payment_providers(self) -> list[type[PaymentProvider]]:
        return [PaperProvider]
