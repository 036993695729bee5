"""The chart of accounts: which kinds there are, what they mean, and how one account is named.

An account is named by its kind, owner, currency and mode, and its id follows from that name. So a payment knows its
accounts without asking the database.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from majuu_core.common.money import currency_of

PLATFORM = "platform"
_NAMESPACE = uuid.UUID("6c3a9a5e-7f0d-5b1c-9d27-3f6f0a8e41b2")
_OWNER = re.compile(r"[A-Za-z0-9_./:-]{1,64}")


class Side(StrEnum):
    """The two sides of every account."""

    DEBIT = "debit"
    CREDIT = "credit"


class Category(StrEnum):
    """The five kinds of accounts that bookkeeping knows."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"

    @property
    def normal_side(self) -> Side:
        """The side that makes the account grow: debit for assets and expenses, credit for the rest."""
        return Side.DEBIT if self in (Category.ASSET, Category.EXPENSE) else Side.CREDIT


class AccountKind(StrEnum):
    """Every kind of account; CHART says what each is for."""

    PROVIDER_CLEARING = "provider_clearing"
    BANK = "bank"
    TRUST_BANK = "trust_bank"
    DISPUTES_HELD = "disputes_held"
    STORE_PAYABLE = "store_payable"
    STORE_SURPLUS = "store_surplus"
    STORE_UNAPPLIED = "store_unapplied"
    DISPUTES_RESERVE = "disputes_reserve"
    PAYOUTS_IN_TRANSIT = "payouts_in_transit"
    REFUNDS_IN_TRANSIT = "refunds_in_transit"
    INTAKE_UNCLAIMED = "intake_unclaimed"
    WALLET = "wallet"
    TAX_PAYABLE = "tax_payable"
    FX_TRADING = "fx_trading"
    OPENING_BALANCE = "opening_balance"
    STORE_INCOME = "store_income"
    PLATFORM_FEES = "platform_fees"
    PROVIDER_FEES = "provider_fees"
    LOSSES = "losses"
    ROUNDING = "rounding"

    @property
    def category(self) -> Category:
        """Asset, liability, equity, income or expense."""
        return CHART[self].category

    @property
    def normal_side(self) -> Side:
        """The side that makes an account of this kind grow."""
        return CHART[self].category.normal_side

    @property
    def guarded(self) -> bool:
        """True when spending must be checked first (``lock_for_spending``)."""
        return CHART[self].guarded


@dataclass(frozen=True, slots=True)
class ChartEntry:
    """What a kind of account is: its category, who owns one, what stands on it."""

    category: Category
    owned_by: str
    meaning: str
    guarded: bool = False


CHART: Mapping[AccountKind, ChartEntry] = {
    # What we have, or others hold for us.
    AccountKind.PROVIDER_CLEARING: ChartEntry(
        Category.ASSET, "provider account", "Money that a provider took from customers and has not paid out yet."
    ),
    AccountKind.BANK: ChartEntry(
        Category.ASSET, "merchant or platform", "Money that a provider settled into the merchant's own bank account."
    ),
    AccountKind.TRUST_BANK: ChartEntry(Category.ASSET, "platform", "Customers' money in the trust account at a bank."),
    AccountKind.DISPUTES_HELD: ChartEntry(
        Category.ASSET, "provider account", "Money that a provider took back while a dispute is open."
    ),
    # What we owe.
    AccountKind.STORE_PAYABLE: ChartEntry(
        Category.LIABILITY, "store", "What the store has earned and not been paid yet."
    ),
    AccountKind.STORE_SURPLUS: ChartEntry(
        Category.LIABILITY, "store", "Money that customers paid beyond the amount asked for."
    ),
    AccountKind.STORE_UNAPPLIED: ChartEntry(
        Category.LIABILITY,
        "store",
        "Money that arrived for the store and waits for a decision: apply it, or give it back.",
    ),
    AccountKind.DISPUTES_RESERVE: ChartEntry(
        Category.LIABILITY, "store", "The store's money set aside while a dispute is open."
    ),
    AccountKind.PAYOUTS_IN_TRANSIT: ChartEntry(
        Category.LIABILITY, "store", "Money sent out, not yet confirmed by the provider."
    ),
    AccountKind.REFUNDS_IN_TRANSIT: ChartEntry(
        Category.LIABILITY, "store", "Money on its way back to customers, not yet confirmed by the provider."
    ),
    AccountKind.INTAKE_UNCLAIMED: ChartEntry(
        Category.LIABILITY,
        "platform's intake store",
        "Money that arrived without an intent and that no store has claimed.",
    ),
    AccountKind.WALLET: ChartEntry(
        Category.LIABILITY, "customer or merchant", "A spendable balance. Never below zero.", guarded=True
    ),
    AccountKind.TAX_PAYABLE: ChartEntry(Category.LIABILITY, "store", "Taxes and duties collected for an authority."),
    # Between currencies, and the beginning of the books.
    AccountKind.FX_TRADING: ChartEntry(
        Category.EQUITY, "currency pair", "Where money changes currency: one account in each currency of the pair."
    ),
    AccountKind.OPENING_BALANCE: ChartEntry(
        Category.EQUITY, "any", "The other side of balances brought in from elsewhere."
    ),
    # What is earned and spent.
    AccountKind.STORE_INCOME: ChartEntry(
        Category.INCOME, "store", "Income that is not a sale, such as interest or a bonus."
    ),
    AccountKind.PLATFORM_FEES: ChartEntry(Category.INCOME, "platform", "What stores pay to whoever runs this gateway."),
    AccountKind.PROVIDER_FEES: ChartEntry(Category.EXPENSE, "store or platform", "What providers keep for their work."),
    AccountKind.LOSSES: ChartEntry(Category.EXPENSE, "store or platform", "Money written off."),
    AccountKind.ROUNDING: ChartEntry(
        Category.EXPENSE, "store or platform", "Fractions that no currency unit can hold."
    ),
}


@dataclass(frozen=True)
class AccountRef:
    """The name of one account. ``owner`` is a public id, ``platform``, or a currency pair.

    Raises ValueError for an owner that cannot be one, AmountError for an unknown currency.
    """

    kind: AccountKind
    owner: str
    currency: str
    livemode: bool

    def __post_init__(self) -> None:
        if not _OWNER.fullmatch(self.owner):
            raise ValueError(f"{self.owner[:64]!r} cannot own an account: use 1 to 64 letters, digits and _ . / : -")
        currency_of(self.currency)

    @cached_property
    def id(self) -> uuid.UUID:
        """The account's primary key: a UUIDv5 over its name."""
        return _account_id(self.kind.value, self.owner, self.currency, self.livemode)

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.owner}:{self.currency}:{'live' if self.livemode else 'test'}"


@lru_cache(maxsize=10_000)
def _account_id(kind: str, owner: str, currency: str, livemode: bool) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{kind}|{owner}|{currency}|{'live' if livemode else 'test'}")


def parse_account(text: str) -> AccountRef:
    """Read ``kind:owner:currency:mode`` as AccountRef writes it. Raises ValueError when it is none."""
    kind, _, rest = text.partition(":")
    owner, _, tail = rest.rpartition(":")
    owner, _, currency = owner.rpartition(":")
    if tail not in ("live", "test"):
        raise ValueError(f"{text!r} is not an account: write kind:owner:currency:live or :test")
    return AccountRef(AccountKind(kind), owner, currency, tail == "live")


def fx_trading(currency: str, other: str, *, livemode: bool) -> AccountRef:
    """The trading account of a currency pair, in ``currency``. The pair's name does not depend on the direction."""
    if currency == other:
        raise ValueError("a currency pair has two currencies")
    return AccountRef(AccountKind.FX_TRADING, "/".join(sorted((currency, other))), currency, livemode)
