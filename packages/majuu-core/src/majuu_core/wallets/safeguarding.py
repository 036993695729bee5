"""Customers' money against the money that is kept for them, as of any instant.

Liabilities are wallets, unclaimed intake, and what stores are owed of money that the platform's own accounts took for
them. Against them stand the trust accounts; and, not yet there, what the platform's accounts at providers hold.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet
from moneyed import Money

from majuu_core.common.cells import safe_cell
from majuu_core.common.money import currency_of, format_amount
from majuu_core.configuration import trust_accounts
from majuu_core.ledger.chart import PLATFORM, AccountKind
from majuu_core.ledger.models import LedgerTransfer
from majuu_core.ledger.selectors import ExactSum, balances_by_owner
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.models import BalanceSnapshot
from majuu_core.wallets.deposits import OWN_DEPOSIT

_K = AccountKind
_STORES = (_K.STORE_PAYABLE, _K.STORE_SURPLUS, _K.STORE_UNAPPLIED)
_POSTED = ("posted", "post_pending")
SPREAD_ABOVE = Money(100_000_000, "KES")
MOST_AT_ONE_BANK = Decimal("0.25")
MIN_BANKS = 2
CSV_HEADERS = ("currency", "section", "name", "detail", "amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report. ``section`` is liability, trust, provider or reported."""

    section: str
    name: str
    detail: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguarding:
    """The report in one currency. ``reported`` rows are what providers said last; they are not added up."""

    currency: str
    rows: tuple[Row, ...]
    findings: tuple[str, ...]

    def total(self, section: str) -> Money:
        """The sum of a section."""
        amounts = (row.amount.amount for row in self.rows if row.section == section)
        return Money(sum(amounts, start=Decimal(0)), currency_of(self.currency))

    @property
    def uncovered(self) -> Money:
        """What customers are owed beyond the trust accounts; zero when these suffice."""
        missing = self.total("liability") - self.total("trust")
        return max(missing, Money(0, missing.currency))

    @property
    def shortfall(self) -> Money:
        """What is missing even when all that providers hold has reached the trust accounts."""
        missing = self.uncovered - self.total("provider")
        return max(missing, Money(0, missing.currency))


def safeguarding_report(*, livemode: bool, at: datetime) -> list[Safeguarding]:
    """The report as of an instant (included), one for each currency that has anything."""
    pooled = {
        account.public_id: account
        for account in ProviderAccount.objects.filter(store=None, livemode=livemode).order_by("pk")
    }
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in (*_liabilities(pooled, livemode, at), *_trust(livemode, at), *_held(pooled, livemode, at)):
        rows[row.amount.currency.code].append(row)
    return [
        Safeguarding(currency=currency, rows=tuple(found), findings=tuple(_findings(found)))
        for currency, found in sorted(rows.items())
    ]


def report_csv(reports: Iterable[Safeguarding]) -> Iterator[str]:
    """The reports as CSV, line by line, totals included. No cell can be taken for a formula."""
    yield _csv_line(CSV_HEADERS)
    for report in reports:
        for row in report.rows:
            yield _csv_line((report.currency, row.section, row.name, row.detail, _number(row.amount)))
        for name in ("liability", "trust", "provider"):
            yield _csv_line((report.currency, "total", name, "", _number(report.total(name))))
        yield _csv_line((report.currency, "total", "uncovered", "", _number(report.uncovered)))
        yield _csv_line((report.currency, "total", "shortfall", "", _number(report.shortfall)))
        for finding in report.findings:
            yield _csv_line((report.currency, "finding", finding, "", ""))


def _liabilities(pooled: Iterable[str], livemode: bool, at: datetime) -> Iterator[Row]:
    sums: dict[tuple[AccountKind, str], tuple[Decimal, int]] = {}
    for (kind, _, currency), owed in balances_by_owner(
        (_K.WALLET, _K.INTAKE_UNCLAIMED), livemode=livemode, at=at
    ).items():
        total, count = sums.get((kind, currency), (Decimal(0), 0))
        sums[kind, currency] = (total + owed.amount, count + bool(owed.amount))
    texts = {
        _K.WALLET: ("Wallets", "{} with money on them"),
        _K.INTAKE_UNCLAIMED: ("Unclaimed payments", "accounts with some: {}"),
    }
    for (kind, currency), (total, count) in sorted(sums.items()):
        name, detail = texts[kind]
        yield Row(section="liability", name=name, detail=detail.format(count), amount=_money(total, currency))
    for currency, (total, count) in sorted(_owed_to_stores(pooled, livemode, at).items()):
        detail = f"{count} stores, of money that the platform's accounts took"
        yield Row(section="liability", name="Owed to stores", detail=detail, amount=_money(total, currency))


def _owed_to_stores(pooled: Iterable[str], livemode: bool, at: datetime) -> dict[str, tuple[Decimal, int]]:
    """What each store is owed of money that is not at an account of its own, added up by currency.

    What the platform's accounts took for it, less what they sent out and what went on to wallets; and what wallets paid
    it, unless it holds that itself, because its own account had filled wallets with as much. What came in another
    currency counts as what it was exchanged for; what a dispute holds back is neither owed nor there meanwhile.
    """
    rows = LedgerTransfer.objects.filter(livemode=livemode, phase__in=_POSTED, created_at__lte=at)
    into, out = rows.filter(credit_account__kind__in=_STORES), rows.filter(debit_account__kind__in=_STORES)
    credited, debited = "credit_account__owner", "debit_account__owner"
    clearing, owners = _K.PROVIDER_CLEARING, list(pooled)
    to_wallets = out.filter(credit_account__kind=_K.WALLET)
    held: _ByStore = defaultdict(Decimal)
    _add(held, into.filter(debit_account__kind=clearing, debit_account__owner__in=owners), credited, 1)
    _add(held, into.filter(debit_account__kind=_K.INTAKE_UNCLAIMED), credited, 1)
    _add(held, out.filter(credit_account__kind=clearing, credit_account__owner__in=owners), debited, -1)
    _add(held, out.filter(credit_account__kind=_K.INTAKE_UNCLAIMED), debited, -1)
    at_platform = _touching(owners)
    other_side = (_K.FX_TRADING, _K.DISPUTES_RESERVE)
    _add(held, into.filter(at_platform, debit_account__kind__in=other_side), credited, 1)
    _add(held, out.filter(at_platform, credit_account__kind__in=other_side), debited, -1)
    _add(held, to_wallets.exclude(transaction__kind=OWN_DEPOSIT), debited, -1)
    paid: _ByStore = defaultdict(Decimal)
    _add(paid, into.filter(debit_account__kind=_K.WALLET), credited, 1)
    _add(paid, to_wallets.filter(transaction__kind=OWN_DEPOSIT), debited, -1)
    sums: dict[str, tuple[Decimal, int]] = {}
    for key in sorted(held.keys() | paid.keys()):
        owed = max(held[key] + max(paid[key], Decimal(0)), Decimal(0))
        if owed:
            total, count = sums.get(key[1], (Decimal(0), 0))
            sums[key[1]] = (total + owed, count + 1)
    return sums


def _touching(owners: Sequence[str]) -> Exists:
    """Transfers whose transaction also moves money at one of these provider accounts."""
    kinds = (_K.PROVIDER_CLEARING, _K.DISPUTES_HELD)
    return Exists(
        LedgerTransfer.objects.filter(
            Q(debit_account__kind__in=kinds, debit_account__owner__in=owners)
            | Q(credit_account__kind__in=kinds, credit_account__owner__in=owners),
            transaction=OuterRef("transaction"),
        )
    )


_ByStore = dict[tuple[str, str], Decimal]


def _add(sums: _ByStore, transfers: QuerySet[LedgerTransfer], owner: str, sign: int) -> None:
    """Add what the transfers moved to the sums, by the store that ``owner`` names and currency."""
    for store, currency, total in (
        transfers.values_list(owner, "currency").annotate(total=ExactSum("amount")).order_by()
    ):
        sums[store, currency] += sign * total


def _trust(livemode: bool, at: datetime) -> Iterator[Row]:
    known = {f"{PLATFORM}/{account.code}": account for account in trust_accounts()}
    for (_, owner, _), held in balances_by_owner((_K.TRUST_BANK,), livemode=livemode, at=at).items():
        account = known.get(owner)
        name = account.name if account else owner
        bank = account.bank if account else "not in MAJUU_TRUST_ACCOUNTS"
        yield Row(section="trust", name=name, detail=bank, amount=held)


def _held(pooled: dict[str, ProviderAccount], livemode: bool, at: datetime) -> Iterator[Row]:
    """What providers hold by the books, and what they said themselves last."""
    for (_, owner, _), held in balances_by_owner((_K.PROVIDER_CLEARING,), livemode=livemode, at=at).items():
        if owner in pooled and held.amount:
            account = pooled[owner]
            yield Row(section="provider", name=account.name, detail=account.provider, amount=held)
    told = BalanceSnapshot.objects.filter(
        provider_account__in=pooled.values(), status=BalanceSnapshot.Status.REPORTED, reported_at__lte=at
    )
    latest: dict[object, BalanceSnapshot] = {}
    for snapshot in told.order_by("reported_at").prefetch_related("lines").select_related("provider_account"):
        latest[snapshot.provider_account_id] = snapshot
    for snapshot in latest.values():
        for line in snapshot.lines.all():
            yield Row(
                section="reported",
                name=f"{snapshot.provider_account.name}: {line.name}",
                detail=f"as told at {snapshot.reported_at:%Y-%m-%d %H:%M} UTC",
                amount=_money(line.current, line.currency),
            )


def _findings(rows: list[Row]) -> Iterator[str]:
    """What the rules ask for and the figures do not show."""
    currency = rows[0].amount.currency.code
    report = Safeguarding(currency=currency, rows=tuple(rows), findings=())
    if report.shortfall.amount > 0:
        yield f"{format_amount(report.shortfall)} {currency} of customers' money are missing."
    elif report.uncovered.amount > 0:
        yield f"{format_amount(report.uncovered)} {currency} are with providers and not yet in a trust account."
    banks: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.section == "trust":
            banks[row.detail] += row.amount.amount
    total = sum(banks.values(), start=Decimal(0))
    if currency != SPREAD_ABOVE.currency.code or total <= SPREAD_ABOVE.amount:
        return
    if len(banks) < MIN_BANKS:
        yield f"More than KES 100 million in trust at one bank: spread it over at least {MIN_BANKS}."
    for bank, amount in sorted(banks.items()):
        if amount > total * MOST_AT_ONE_BANK:
            yield f"{bank} holds {amount * 100 / total:.1f} % of the trust money; at most 25 % may be at one bank."


def _money(amount: Decimal, currency: str) -> Money:
    return Money(amount, currency_of(currency))


def _number(money: Money) -> Decimal:
    return Decimal(format_amount(money))


def _csv_line(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(value) for value in values])
    return out.getvalue()
