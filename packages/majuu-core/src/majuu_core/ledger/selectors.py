"""Reading the books: balances now and as of any instant, statements, the trial balance."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from moneyed import Money

from majuu_core.common.money import currency_of
from majuu_core.ledger.chart import AccountKind, AccountRef, Side
from majuu_core.ledger.models import LedgerBalance, LedgerTransfer

_PAGE = 1000
_POSTED = ("posted", "post_pending")
_RESOLVING = ("post_pending", "void_pending")
_ZERO = Decimal(0)


class _Exact(models.Func):
    """The expression itself; on SQLite, where decimals are stored as floats, its whole ten-thousandths."""

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return super().as_sql(
            compiler, connection, template="CAST(ROUND((%(expressions)s) * 10000) AS INTEGER)", **context
        )


class ExactSum(models.Sum):
    """SUM as a Decimal, exact on every database. Nothing to add is zero."""

    def __init__(self, expression: Any, **options: Any) -> None:
        super().__init__(_Exact(expression, output_field=models.TextField()), **options)

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        return [self._from_database]

    @staticmethod
    def _from_database(value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Decimal:
        number = Decimal(str(value or 0))
        return number.scaleb(-4) if connection.vendor == "sqlite" else number


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has seen on both sides, and what is held on them."""

    account: AccountRef
    debits_posted: Money
    credits_posted: Money
    debits_pending: Money
    credits_pending: Money

    @property
    def posted(self) -> Money:
        """The balance on the account's normal side: positive when it has what it should."""
        if self.account.kind.normal_side is Side.DEBIT:
            return self.debits_posted - self.credits_posted
        return self.credits_posted - self.debits_posted

    @property
    def available(self) -> Money:
        """What may still be taken out: the balance less the holds that would take from it."""
        if self.account.kind.normal_side is Side.DEBIT:
            return self.posted - self.credits_pending
        return self.posted - self.debits_pending

    @property
    def incoming(self) -> Money:
        """What would be added if all holds into the account were posted."""
        return self.debits_pending if self.account.kind.normal_side is Side.DEBIT else self.credits_pending


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posted transfer as its account sees it. ``amount`` and ``balance`` are signed by the normal side."""

    at: datetime
    transfer_id: uuid.UUID
    transaction_id: uuid.UUID
    kind: str
    reference: str
    description: str
    side: Side
    amount: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """An account between two instants, ``start`` included and ``end`` not. ``lines`` can be read once, and streams."""

    account: AccountRef
    start: datetime
    end: datetime
    opening: Money
    lines: Iterator[StatementLine]
    closing: Money


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """All accounts of one kind in one currency, added up."""

    kind: AccountKind
    debits: Money
    credits: Money


def balance(account: AccountRef, at: datetime | None = None) -> Balance:
    """The account's balance: now, in constant time; or as of an instant (included), from its transfers."""
    if at is None:
        return balances([account])[account]
    return _balance_from_transfers(account, Q(created_at__lte=at))


def balances(accounts: Iterable[AccountRef]) -> dict[AccountRef, Balance]:
    """The present balances, in one query. An account nobody used yet has zeros."""
    wanted = {account.id: account for account in accounts}
    rows = (
        LedgerBalance.objects.filter(account__in=wanted)
        .values("account_id")
        .annotate(
            debits=ExactSum("debits_posted"),
            credits=ExactSum("credits_posted"),
            held_debits=ExactSum("debits_pending"),
            held_credits=ExactSum("credits_pending"),
        )
        .values_list("account_id", "debits", "credits", "held_debits", "held_credits")
        .order_by()
    )
    found = {row[0]: row[1:] for row in rows} if wanted else {}
    return {account: _balance(account, *found.get(key, (_ZERO,) * 4)) for key, account in wanted.items()}


def statement(account: AccountRef, start: datetime, end: datetime) -> Statement:
    """What moved between two instants, line by line, with the balance after each. Holds do not appear until posted.

    Lines come in the order of their time stamps. Money committed late by a transaction that began before ``end`` may
    still join a period that ended a moment ago.
    """
    if start > end:
        raise ValueError("a statement's start is not after its end")
    opening = _balance_from_transfers(account, Q(created_at__lt=start)).posted
    closing = _balance_from_transfers(account, Q(created_at__lt=end)).posted
    return Statement(account, start, end, opening, _lines(account, start, end, opening), closing)


def history(account: AccountRef, *, limit: int, before: uuid.UUID | None = None) -> list[StatementLine]:
    """The account's latest posted transfers, newest first, each with the balance after it.

    ``before`` is the id of a transfer of the account: only older ones. Raises ValueError for one that is not.
    """
    period = Q()
    if before is not None:
        ours = Q(debit_account=account.id) | Q(credit_account=account.id)
        last = LedgerTransfer.objects.filter(ours, pk=before).first()
        if last is None:
            raise ValueError("no such transfer of this account")
        period = Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, id__lt=last.pk)
    rows = LedgerTransfer.objects.filter(period, phase__in=_POSTED).select_related("transaction")
    rows = rows.order_by("-created_at", "-id")
    found = [(row, side) for side in Side for row in rows.filter(**{f"{side.value}_account": account.id})[:limit]]
    found.sort(key=lambda pair: (pair[0].created_at, pair[0].pk), reverse=True)
    running = _balance_from_transfers(account, period).posted
    lines = []
    for transfer, side in found[:limit]:
        line = _line(account, transfer, side, running)
        lines.append(line)
        running -= line.amount
    return lines


def balances_by_owner(
    kinds: Iterable[AccountKind], *, livemode: bool, at: datetime
) -> dict[tuple[AccountKind, str, str], Money]:
    """Posted balances of all accounts of these kinds as of an instant (included), by kind, owner and currency.

    Read from the transfers: for reports.
    """
    sums: dict[tuple[AccountKind, str, str], Decimal] = {}
    for side in Side:
        column = f"{side.value}_account"
        named = [f"{column}__{name}" for name in ("kind", "owner", "currency")]
        rows = LedgerTransfer.objects.filter(
            **{f"{column}__kind__in": list(kinds)}, livemode=livemode, phase__in=_POSTED, created_at__lte=at
        )
        for kind, owner, currency, total in rows.values_list(*named).annotate(total=ExactSum("amount")).order_by():
            key = (AccountKind(kind), owner, currency)
            sums[key] = sums.get(key, _ZERO) + (total if side is key[0].normal_side else -total)
    return {key: _money(total, key[2]) for key, total in sorted(sums.items())}


def trial_balance(livemode: bool) -> list[TrialBalanceLine]:
    """Posted debits and credits of every kind and currency. Per currency, both sides have the same sum."""
    rows = (
        LedgerBalance.objects.filter(account__livemode=livemode)
        .values("account__kind", "account__currency")
        .annotate(debits=ExactSum("debits_posted"), credits=ExactSum("credits_posted"))
        .values_list("account__kind", "account__currency", "debits", "credits")
        .order_by("account__currency", "account__kind")
    )
    return [
        TrialBalanceLine(AccountKind(kind), _money(debits, currency), _money(credits, currency))
        for kind, currency, debits, credits in rows
    ]


def _balance(account: AccountRef, *amounts: Decimal) -> Balance:
    debits, credits, held_debits, held_credits = (_money(amount, account.currency) for amount in amounts)
    return Balance(account, debits, credits, held_debits, held_credits)


def _money(amount: Decimal, currency: str) -> Money:
    return Money(amount, currency_of(currency))


def _balance_from_transfers(account: AccountRef, period: Q) -> Balance:
    sums = []
    for column in ("debit_account", "credit_account"):
        sums.append(
            LedgerTransfer.objects.filter(period, **{column: account.id}).aggregate(
                posted=ExactSum("amount", filter=Q(phase__in=_POSTED)),
                held=ExactSum("amount", filter=Q(phase="pending")),
                released=ExactSum("pending__amount", filter=Q(phase__in=_RESOLVING)),
            )
        )
    debit, credit = sums
    return _balance(
        account,
        debit["posted"],
        credit["posted"],
        debit["held"] - debit["released"],
        credit["held"] - credit["released"],
    )


def _lines(account: AccountRef, start: datetime, end: datetime, running: Money) -> Iterator[StatementLine]:
    sides = [_transfers(account, side, start, end) for side in Side]
    for transfer, side in heapq.merge(*sides, key=lambda pair: (pair[0].created_at, pair[0].pk)):
        line = _line(account, transfer, side, running)
        running += line.amount
        yield replace(line, balance=running)


def _line(account: AccountRef, transfer: LedgerTransfer, side: Side, after: Money) -> StatementLine:
    amount = Money(transfer.amount, after.currency)
    return StatementLine(
        at=transfer.created_at,
        transfer_id=transfer.pk,
        transaction_id=transfer.transaction_id,
        kind=transfer.transaction.kind,
        reference=transfer.transaction.reference,
        description=transfer.transaction.description,
        side=side,
        amount=amount if side is account.kind.normal_side else -amount,
        balance=after,
    )


def _transfers(
    account: AccountRef, side: Side, start: datetime, end: datetime
) -> Iterator[tuple[LedgerTransfer, Side]]:
    """Page by page along the index, so that memory stays constant with every driver."""
    rows = LedgerTransfer.objects.filter(**{f"{side.value}_account": account.id}, phase__in=_POSTED, created_at__lt=end)
    rows = rows.select_related("transaction").order_by("created_at", "id")
    page = list(rows.filter(created_at__gte=start)[:_PAGE])
    while page:
        for transfer in page:
            yield transfer, side
        last = page[-1]
        after = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, id__gt=last.pk)
        page = list(rows.filter(after, created_at__gte=last.created_at)[:_PAGE])
