"""A provider's statement as a file somebody uploads: the values that cross the contract.

As in types.py: frozen, keyword-only; amounts are ``moneyed.Money``, times are timezone-aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from moneyed import Money

from majuu_core.providers.errors import ProviderError


class StatementUnreadable(ProviderError):
    """Nothing of the file can be used. The text names what is missing and what was found instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One posting on a statement. Every text is hostile."""

    line_number: int  # of the file, as people count
    receipt: str
    kind: str  # "charge" | "refund" | "fee" | "payout" | "dispute" | "adjustment"
    direction: str  # "in" | "out"
    amount: Money  # above zero
    occurred_at: datetime
    fee: Money | None = None  # kept by the provider from this very line; lines of their own have the kind "fee"
    balance: Money | None = None  # of the account afterwards
    counterparty: str = ""
    description: str = ""
    reference: str = ""  # what the payer typed
    linked_receipt: str = ""  # of the payment that this one takes back
    line_id: str = ""  # the provider's id of this very line; with it, the line is known by nothing else
    object_id: str = ""  # our public id of the charge, refund or payout, where the provider repeats it
    provider_reference: str = ""
    payout_reference: str = ""  # as on SettlementLine
    presented: Money | None = None  # as on SettlementLine
    raw: Mapping[str, str] = field(default_factory=dict)  # the row, by its own headings


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementProblem:
    """A row that is no line. ``is_error`` False: it is understood, and holds no money that moved."""

    line_number: int
    column: str
    message: str  # what is wrong, and what would be right
    value: str = ""
    is_error: bool = True
