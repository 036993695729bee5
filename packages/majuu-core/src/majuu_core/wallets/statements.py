"""What moved on a wallet: newest first page by page, or between two instants as a statement. All from the books."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.common.cells import safe_cell
from majuu_core.common.money import format_amount
from majuu_core.common.problems import Invalid
from majuu_core.ledger.selectors import Statement, StatementLine, history, statement
from majuu_core.payments.representation import represent_time
from majuu_core.wallets.models import Wallet

MAX_PAGE = 100
MAX_LINES = 5000  # of a statement that is made as a whole; as CSV it streams, however long it is
_PREFIX = "mov"
_INSTANT = timedelta(microseconds=1)  # what happens now belongs to a statement until now
_TYPES = {
    "wallet_deposit": "deposit",
    "wallet_deposit_own": "deposit",
    "wallet_payment": "payment",
    "wallet_refund": "refund",
    "payout": "withdrawal",
}
CSV_HEADERS = ("time", "type", "reference", "description", "amount", "balance", "currency")


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of a wallet's balance. ``amount`` is negative when money left; ``balance`` is what stood after it."""

    id: str
    type: str
    reference: str
    description: str
    amount: Money
    balance: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class WalletStatement:
    """A wallet between two instants, ``start`` included and ``end`` not. ``movements`` can be read once.

    ``closing`` is what the books say before the movements are read. One that is committed meanwhile is among them: show
    ``closing_after`` them, so that what people see adds up.
    """

    wallet: Wallet
    start: datetime
    end: datetime
    opening: Money
    movements: Iterator[Movement]
    closing: Money


def closing_after(made: WalletStatement, last: Movement | None) -> Money:
    """What stood on the wallet after the last movement of the statement; the opening balance where nothing moved."""
    return made.opening if last is None else last.balance


def list_movements(wallet: Wallet, *, limit: int, cursor: str | None = None) -> tuple[list[Movement], str | None]:
    """A page of movements, newest first, and the cursor of the next one. Raises Invalid."""
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid("limit_invalid", f"limit must be between 1 and {MAX_PAGE}.", field="limit")
    try:
        before = ids.decode_id(_PREFIX, cursor) if cursor else None
        lines = history(wallet.account, limit=limit + 1, before=before)
    except ValueError:
        text = "cursor must be the next_cursor of an earlier page."
        raise Invalid("cursor_invalid", text, field="cursor") from None
    page = [_movement(line) for line in lines[:limit]]
    return page, page[-1].id if len(lines) > limit else None


def wallet_statement(wallet: Wallet, start: datetime | None = None, end: datetime | None = None) -> WalletStatement:
    """The statement between two instants: from the wallet's beginning until now, unless told otherwise."""
    begins = start or wallet.created_at
    ends = end or max(clock.now() + _INSTANT, begins)
    if begins > ends:
        raise Invalid("period_invalid", "The start must not be after the end.", field="start")
    books: Statement = statement(wallet.account, begins, ends)
    return WalletStatement(wallet, begins, ends, books.opening, map(_movement, books.lines), books.closing)


def parse_instant(text: str, field: str) -> datetime:
    """A time with its offset, or a day in UTC: its beginning, for the field ``end`` its end. Raises Invalid."""
    try:
        if len(text) == len("2026-01-31"):
            day = datetime.combine(date.fromisoformat(text), time.min, UTC)
            return day + timedelta(days=1) if field == "end" else day
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid("time_invalid", "Send a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z.", field=field)


def collect_movements(made: WalletStatement) -> list[Movement]:
    """All movements of a statement at once. Raises Invalid ``period_too_long`` beyond MAX_LINES."""
    found: list[Movement] = []
    for movement in made.movements:
        if len(found) == MAX_LINES:
            raise Invalid(
                "period_too_long",
                f"More than {MAX_LINES} movements: ask for a shorter time, or for CSV.",
                field="start",
            )
        found.append(movement)
    return found


def represent_movement(movement: Movement) -> dict[str, Any]:
    """A movement as the API shows it."""
    return {
        "id": movement.id,
        "object": "wallet_movement",
        "type": movement.type,
        "reference": movement.reference,
        "description": movement.description,
        "amount": format_amount(movement.amount),
        "balance": format_amount(movement.balance),
        "currency": movement.amount.currency.code,
        "at": represent_time(movement.at),
    }


def represent_statement(made: WalletStatement) -> dict[str, Any]:
    """A statement as the API shows it."""
    movements = collect_movements(made)
    closing = closing_after(made, movements[-1] if movements else None)
    return {
        "object": "wallet_statement",
        "wallet": made.wallet.public_id,
        "livemode": made.wallet.livemode,
        "currency": made.wallet.currency,
        "start": represent_time(made.start),
        "end": represent_time(made.end),
        "opening_balance": format_amount(made.opening),
        "closing_balance": format_amount(closing),
        "movements": [represent_movement(movement) for movement in movements],
    }


def statement_csv(made: WalletStatement) -> Iterator[str]:
    """The statement as CSV, line by line. No cell can be taken for a formula."""
    currency, item = made.wallet.currency, None
    yield _csv_line(CSV_HEADERS)
    yield _csv_line((made.start, "opening balance", "", "", "", _number(made.opening), currency))
    for item in made.movements:
        amounts = (_number(item.amount), _number(item.balance))
        yield _csv_line((item.at, item.type, item.reference, item.description, *amounts, currency))
    yield _csv_line((made.end, "closing balance", "", "", "", _number(closing_after(made, item)), currency))


def _number(money: Money) -> Decimal:
    return Decimal(format_amount(money))


def _csv_line(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(value) for value in values])
    return out.getvalue()


def _movement(line: StatementLine) -> Movement:
    return Movement(
        id=ids.encode_id(_PREFIX, line.transfer_id),
        type=_TYPES.get(line.kind, line.kind),
        reference=line.reference,
        description=line.description,
        amount=line.amount,
        balance=line.balance,
        at=line.at,
    )
