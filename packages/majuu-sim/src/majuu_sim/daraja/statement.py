"""A shortcode's statement as its owner sees it in the organisation portal: one row for each posting, oldest first."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from majuu_sim.daraja.books import Movement, Posting, label_of
from majuu_sim.daraja.config import Shortcode
from majuu_sim.daraja.formats import EAT

COLUMNS = (
    "Receipt No.",
    "Completion Time",
    "Initiation Time",
    "Details",
    "Transaction Status",
    "Paid In",
    "Withdrawn",
    "Balance",
    "Reason Type",
    "Other Party Info",
    "Linked Transaction ID",
    "A/C No.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One line. Exactly one of ``paid_in`` and ``withdrawn`` is set; both are positive. Times are aware, in EAT."""

    receipt: str
    completed_at: datetime
    initiated_at: datetime
    details: str
    status: str
    paid_in: Decimal | None
    withdrawn: Decimal | None
    balance: Decimal
    account: str
    account_label: str
    reason: str
    other_party: str
    linked_receipt: str
    account_reference: str
    kind: str
    is_charge: bool

    def to_dict(self) -> dict[str, Any]:
        """For the control API; amounts are text."""
        return {
            **asdict(self),
            "completed_at": self.completed_at.isoformat(),
            "initiated_at": self.initiated_at.isoformat(),
            "paid_in": _text(self.paid_in) or None,
            "withdrawn": _text(self.withdrawn) or None,
            "balance": _text(self.balance),
        }

    def to_cells(self) -> tuple[str, ...]:
        """The row under :data:`COLUMNS`. Times are ``DD-MM-YYYY HH:MM:SS``, amounts positive."""
        return (
            self.receipt,
            self.completed_at.strftime("%d-%m-%Y %H:%M:%S"),
            self.initiated_at.strftime("%d-%m-%Y %H:%M:%S"),
            self.details,
            self.status,
            _text(self.paid_in),
            _text(self.withdrawn),
            _text(self.balance),
            self.reason,
            self.other_party,
            self.linked_receipt,
            self.account_reference,
        )


def statement_rows(
    movements: Iterable[Movement], shortcode: Shortcode, day: date | None, account: str | None
) -> list[StatementRow]:
    """The rows of ``day`` in East Africa Time (None: every day), of one account or of all."""
    rows = []
    for movement in movements:
        completed = movement.at.astimezone(EAT)
        if day is not None and completed.date() != day:
            continue
        for posting in movement.postings:
            if posting.shortcode == shortcode.number and account in (None, posting.account):
                rows.append(_row(movement, posting, shortcode, completed))
    return rows


def _row(movement: Movement, posting: Posting, shortcode: Shortcode, completed: datetime) -> StatementRow:
    out = posting.amount < 0
    other = movement.receiver if movement.payer.startswith(shortcode.number) else movement.payer
    reason = f"{movement.reason} Charge" if posting.is_charge else movement.reason
    details = f"{reason} {'to' if out else 'from'} {other}"
    if movement.account_reference:
        details += f" Acc. {movement.account_reference}"
    return StatementRow(
        receipt=movement.receipt,
        completed_at=completed,
        initiated_at=movement.started_at.astimezone(EAT),
        details=details,
        status="Completed",
        paid_in=None if out else posting.amount,
        withdrawn=-posting.amount if out else None,
        balance=posting.balance,
        account=posting.account,
        account_label=label_of(posting.account, shortcode),
        reason=reason,
        other_party=other,
        linked_receipt=movement.original_receipt,
        account_reference=movement.account_reference,
        kind=movement.kind,
        is_charge=posting.is_charge,
    )


def as_csv(rows: Iterable[StatementRow]) -> str:
    """The rows as comma-separated values under :data:`COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(row.to_cells() for row in rows)
    return text.getvalue()


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"
