"""Money and orders for tests of suggestions: as values, and as rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.merchants.services import intake_store
from majuu_core.payments.models import IncomingPayment
from majuu_core.payments.suggestions import Arrival, Expectation

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
STORE = ids.new_uuid()


def arrival(amount: str = "1500", *, minutes: int = 10, **fields: Any) -> Arrival:
    """Money that came some minutes after noon."""
    fields.setdefault("key", ids.new_uuid())
    fields.setdefault("currency", "KES")
    return Arrival(amount=Decimal(amount), occurred_at=NOON + timedelta(minutes=minutes), **fields)


def order(amount: str = "1500", *, remaining: str = "", **fields: Any) -> Expectation:
    """An order made at noon."""
    fields.setdefault("key", ids.new_uuid())
    fields.setdefault("store", STORE)
    fields.setdefault("currency", "KES")
    fields.setdefault("created_at", NOON)
    return Expectation(amount=Decimal(amount), remaining=Decimal(remaining or amount), **fields)


def save_incoming(account: ProviderAccount, amount: str = "1500", **fields: Any) -> IncomingPayment:
    """Money in the inbox, unclaimed."""
    fields.setdefault("receipt", f"UK{ids.new_uuid().hex[-8:].upper()}")
    fields.setdefault("occurred_at", clock.now())
    fields.setdefault("livemode", account.livemode)
    fields.setdefault("store", account.store or intake_store())
    fields.setdefault("receiver", "600100")
    fields["amount"] = Money(amount, fields.pop("currency", "KES"))
    return IncomingPayment.objects.create(provider_account=account, provider=account.provider, **fields)


def give_prefix(store: Store, prefix: str) -> Store:
    """The store with a prefix for account references."""
    Store.objects.filter(pk=store.pk).update(account_prefix=prefix)
    store.refresh_from_db()
    return store
