"""A shop that takes bank transfers, its bank's statements, and what the books say."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.audit.services import Actor, acting_as
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.models import Charge, IncomingPayment, PaymentIntent, Refund
from majuu_core.reports.models import Settlement
from majuu_core.reports.uploads import import_settlement, stage_statement
from majuu_core.testing.factories import make_provider_account, make_user
from tests.core.manual.harness import ACCOUNT
from tests.core.payments.support import Till

MAPPING = {
    "date": "Date",
    "date_format": "YYYY-MM-DD",
    "credit": "Money in",
    "debit": "Money out",
    "currency": "KES",
    "description": ["Narrative"],
    "payer": "Name",
    "bank_reference": "Bank ref",
    "balance": "Balance",
}
HEADINGS = "Date,Bank ref,Name,Narrative,Money in,Money out,Balance"
Line = tuple[str, str, str, str, str]  # date, bank's number, narrative, in, out


class Office(Till):
    """A till whose customers pay into the shop's own bank account."""

    def __init__(self, **credentials: Any) -> None:
        late_success = credentials.pop("late_success", "succeed")
        super().__init__(late_success=late_success)
        self.mock_account = self.account
        self.account = self.bank(self.store, **credentials)

    def bank(self, store: Store, **credentials: Any) -> ProviderAccount:
        told = {**ACCOUNT, "statement": MAPPING, **credentials}
        return make_provider_account(store=store, provider="manual", credentials=told, name="Equity KES")

    def wait_for(self, amount: str = "1500", method: str = "bank_transfer", **details: Any) -> Charge:
        """A customer who has been told where to pay."""
        return self.choose(self.intent(amount, **details), method)

    def choose(self, intent: PaymentIntent, method: str = "bank_transfer") -> Charge:
        return confirm_payment_intent(intent=intent, choice=PaymentChoice(payment_method=method))[1]

    def stage(self, text: str | bytes, name: str = "statement.csv") -> Settlement:
        data = text.encode() if isinstance(text, str) else text
        with acting_as(Actor(type="system")):
            return stage_statement(account=self.account, chunks=[data], name=name)

    def upload(self, text: str | bytes, name: str = "statement.csv") -> Settlement:
        """A statement, looked at and imported."""
        staged = self.stage(text, name)
        with acting_as(Actor(type="system")):
            return import_settlement(settlement=staged)


def csv_of(*lines: Line) -> str:
    rows = [
        f"{day},{number},Jane Wanjiku,{text},{money_in},{money_out},"
        for day, number, text, money_in, money_out in lines
    ]
    return "\n".join([HEADINGS, *rows]) + "\n"


def arrived() -> list[tuple[Decimal, str]]:
    """Every incoming payment: amount and whose it is, oldest first."""
    rows = IncomingPayment.objects.order_by("pk")
    return [(row.amount.amount, row.ownership) for row in rows]


def state_of(row: Charge | PaymentIntent | Refund) -> str:
    row.refresh_from_db()
    return row.status


def shillings(amount: str) -> Money:
    return Money(amount, "KES")


def as_file(text: str | bytes) -> io.BytesIO:
    return io.BytesIO(text.encode() if isinstance(text, str) else text)


def people(count: int = 2) -> Sequence[Actor]:
    return [Actor(type="user", id=str(make_user().pk)) for _ in range(count)]
