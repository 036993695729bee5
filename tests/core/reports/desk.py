"""Where tests of reconciliation work: an account, its payments, its statements, its closes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from moneyed import KES, Money

from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.services import Move, record_transaction
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.models import Charge, IncomingPayment, PaymentIntent, Payout, Refund
from majuu_core.reports.closing import close_day
from majuu_core.reports.models import Close, Mismatch, Settlement
from majuu_core.reports.uploads import import_settlement, stage_statement
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.reports.paper_provider import ZONE

DAY = date(2026, 1, 10)
NOON = "2026-01-10T12:00:00"
PHONE = "254712345678"


def at(text: str) -> datetime:
    """A moment in Nairobi."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


def kes(amount: int | str | Decimal) -> Any:
    return Money(amount, KES)


@dataclass
class Desk:
    """One account."""

    account: ProviderAccount
    clock: VirtualClock

    @property
    def store(self) -> Store:
        assert self.account.store is not None
        return self.account.store

    @classmethod
    def open(cls, time: VirtualClock) -> Desk:
        time.advance(datetime(2026, 1, 12, 9, tzinfo=UTC) - time.now())
        return cls(make_provider_account(store=make_store(), provider="paper", credentials={}), time)

    def stage(self, *rows: str, name: str = "day.csv", **days: Any) -> Settlement:
        body = "".join(f"{row}\n" for row in rows).encode()
        return stage_statement(account=self.account, chunks=[body], name=name, **days)

    def bring(self, *rows: str, **days: Any) -> Settlement:
        """A statement that is imported; without days it covers the 9th to the 11th."""
        days = days or {"first_day": date(2026, 1, 9), "last_day": date(2026, 1, 11)}
        return import_settlement(settlement=self.stage(*rows, **days))

    def close(self, day: date = DAY, **more: Any) -> Close:
        return close_day(account=self.account, day=day, **more)

    def open_ones(self) -> list[tuple[str, str]]:
        """Kind and name of what nobody has resolved, sorted here: databases differ over "RC7" and "own-t3"."""
        rows = Mismatch.objects.exclude(state=Mismatch.State.RESOLVED)
        return sorted((row.kind, row.receipt or row.object_id) for row in rows)

    def charge(
        self, receipt: str | None, amount: Any = 100, when: str = NOON, *, booked: Any = None, **more: Any
    ) -> Charge:
        """A charge that succeeded; ``booked`` 0 leaves it out of the ledger."""
        intent = PaymentIntent.objects.create(
            store=self.store,
            livemode=False,
            amount=kes(amount),
            amount_received=kes(amount),
            surplus=kes(0),
            status="succeeded",
            link_token=uuid.uuid4().hex,
            expires_at=clock.now() + timedelta(days=1),
        )
        values: dict[str, Any] = {"status": "succeeded", "occurred_at": at(when), "payer": PHONE, "fee": kes(0), **more}
        charge = Charge.objects.create(
            payment_intent=intent,
            provider_account=self.account,
            provider="paper",
            livemode=False,
            payment_method="phone_prompt",
            amount=kes(amount),
            amount_received=kes(amount),
            provider_reference=f"ref-{uuid.uuid4().hex}",
            receipt=receipt,
            **values,
        )
        self.book(charge.public_id, amount if booked is None else booked)
        return charge

    def incoming(
        self, receipt: str, amount: Any = 100, when: str = NOON, *, booked: Any = None, **more: Any
    ) -> IncomingPayment:
        incoming = IncomingPayment.objects.create(
            provider_account=self.account,
            provider="paper",
            livemode=False,
            store=self.store,
            receipt=receipt,
            receiver="174379",
            amount=kes(amount),
            occurred_at=at(when),
            **more,
        )
        self.book(incoming.public_id, amount if booked is None else booked, other=AccountKind.INTAKE_UNCLAIMED)
        return incoming

    def payout(self, receipt: str | None, amount: Any = 100, when: str = NOON, fee: Any = 0) -> Payout:
        payout = Payout.objects.create(
            store=self.store,
            provider_account=self.account,
            provider="paper",
            livemode=False,
            reference=uuid.uuid4().hex,
            amount=kes(amount),
            fee=kes(fee),
            source="x",
            status="succeeded",
            receipt=receipt,
            occurred_at=at(when),
        )
        self.book(payout.public_id, -Decimal(amount))
        return payout

    def refund(self, charge: Charge, receipt: str | None, amount: Any = 100, when: str = NOON) -> Refund:
        refund = Refund.objects.create(
            store=self.store,
            charge=charge,
            provider_account=self.account,
            livemode=False,
            amount=kes(amount),
            fee=kes(0),
            status="succeeded",
            receipt=receipt,
            occurred_at=at(when),
        )
        self.book(refund.public_id, -Decimal(amount))
        return refund

    def book(self, reference: str, amount: Any, *, other: AccountKind = AccountKind.STORE_PAYABLE) -> None:
        if not amount:
            return
        clearing = AccountRef(AccountKind.PROVIDER_CLEARING, self.account.public_id, "KES", livemode=False)
        owed = AccountRef(other, self.store.public_id, "KES", livemode=False)
        debit, credit = (clearing, owed) if Decimal(amount) > 0 else (owed, clearing)
        move = Move(debit=debit, credit=credit, amount=kes(abs(Decimal(amount))))
        record_transaction(key=f"{reference}:post", kind="charge", reference=reference, livemode=False, moves=[move])
