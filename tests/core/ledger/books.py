"""Accounts and moves that the ledger's tests use: one store, one provider account, Kenyan shillings."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from majuu_core.common.money import Money, currency_of
from majuu_core.ledger import services
from majuu_core.ledger.chart import PLATFORM, AccountKind, AccountRef
from majuu_core.ledger.models import LedgerAccount, LedgerBalance, LedgerTransaction, LedgerTransfer
from majuu_core.ledger.selectors import balance
from majuu_core.ledger.services import Move
from majuu_core.ledger.verification import find_problems

STORE = "st_01"
PROVIDER = "pa_01"
_numbers = itertools.count(1)


def kes(amount: str) -> Money:
    return Money(Decimal(amount), currency_of("KES"))


def usd(amount: str) -> Money:
    return Money(Decimal(amount), currency_of("USD"))


def store(kind: AccountKind, currency: str = "KES", *, owner: str = STORE, livemode: bool = False) -> AccountRef:
    return AccountRef(kind, owner, currency, livemode)


def clearing(currency: str = "KES", *, livemode: bool = False) -> AccountRef:
    return AccountRef(AccountKind.PROVIDER_CLEARING, PROVIDER, currency, livemode)


def payable(currency: str = "KES", *, owner: str = STORE, livemode: bool = False) -> AccountRef:
    return store(AccountKind.STORE_PAYABLE, currency, owner=owner, livemode=livemode)


def bank(currency: str = "KES") -> AccountRef:
    return AccountRef(AccountKind.TRUST_BANK, PLATFORM, currency, False)


def wallet(owner: str = "cu_01") -> AccountRef:
    return AccountRef(AccountKind.WALLET, owner, "KES", False)


def sale(amount: str, *, pending: bool = False) -> Move:
    """A customer pays: the provider has the money, we owe it to the store."""
    return Move(debit=clearing(), credit=payable(), amount=kes(amount), phase="pending" if pending else "posted")


def book(*moves: Move, key: str | None = None, kind: str = "charge") -> Sequence[LedgerTransfer]:
    """Record the moves as one transaction, under a new key."""
    key = key or f"test:{next(_numbers)}"
    return services.record_transaction(
        key=key, kind=kind, reference="ch_01", livemode=moves[0].livemode if moves else False, moves=moves
    )


def hold(amount: str) -> uuid.UUID:
    """Hold the amount between provider and store; the hold's id."""
    return book(sale(amount, pending=True), kind="charge_hold")[0].pk


def posted(account: AccountRef) -> str:
    """The posted balance as text, e.g. "1500.00"."""
    return f"{balance(account).posted.amount:.2f}"


def available(account: AccountRef) -> str:
    return f"{balance(account).available.amount:.2f}"


def incoming(account: AccountRef) -> str:
    return f"{balance(account).incoming.amount:.2f}"


def everything() -> dict[str, list[Any]]:
    """All rows of the ledger, to show that a refusal changed none of them."""
    tables = (LedgerAccount, LedgerTransaction, LedgerTransfer, LedgerBalance)
    return {model.__name__: sorted(model.objects.values_list(), key=repr) for model in tables}


def assert_in_order() -> None:
    """The ledger verifies."""
    assert [*find_problems()] == []
