"""The truth: every shilling that moved in or out of a shortcode, with its receipt and the balances after it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_sim.clock import Clock
from majuu_sim.daraja import formats
from majuu_sim.daraja.config import DarajaConfig, Shortcode

WORKING, FLOAT, UTILITY, CHARGES, SETTLEMENT = "working", "float", "utility", "charges", "settlement"
ACCOUNTS = (WORKING, FLOAT, UTILITY, CHARGES, SETTLEMENT)  # in the order of Daraja's balance string
_LABELS = {
    WORKING: "Working Account",
    FLOAT: "Float Account",
    UTILITY: "Utility Account",
    CHARGES: "Charges Paid Account",
    SETTLEMENT: "Organization Settlement Account",
}
NOTHING = Decimal(0)


def label_of(account: str, shortcode: Shortcode) -> str:
    """What Daraja calls an account. A till's utility account is its merchant account."""
    return "Merchant Account" if account == UTILITY and shortcode.is_till else _LABELS[account]


@dataclass(slots=True)
class Account:
    """One account of a shortcode, in shillings with two decimals."""

    available: Decimal = NOTHING
    reserved: Decimal = NOTHING
    uncleared: Decimal = NOTHING

    @property
    def current(self) -> Decimal:
        """What is there, reserved or not."""
        return self.available + self.reserved

    def to_text(self, label: str) -> str:
        """``Name|KES|current|available|reserved|uncleared``, as in the balance string."""
        return f"{label}|KES|{self.current:.2f}|{self.available:.2f}|{self.reserved:.2f}|{self.uncleared:.2f}"


@dataclass(frozen=True, slots=True)
class Posting:
    """What a movement did to one account."""

    shortcode: str
    account: str
    amount: Decimal  # negative: went out
    balance: Decimal  # of the account afterwards, with what is reserved
    is_charge: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For the control API; amounts are text."""
        return {**asdict(self), "amount": f"{self.amount:.2f}", "balance": f"{self.balance:.2f}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that really moved. ``kind``: stk, c2b, b2c, b2b, reversal, deposit, withdrawal."""

    receipt: str
    kind: str
    amount: Decimal
    at: datetime
    payer: str  # "254712345678 - JOHN DOE", "174379 - Simulated shop 174379"
    receiver: str
    msisdn: str = ""  # the customer, when there is one
    reason: str = ""
    account_reference: str = ""
    original_receipt: str = ""  # of what a reversal takes back
    conversation_id: str = ""
    originator_conversation_id: str = ""
    started_at: datetime
    postings: tuple[Posting, ...] = ()

    @property
    def shortcodes(self) -> set[str]:
        """Whose accounts it touched."""
        return {posting.shortcode for posting in self.postings}

    def to_dict(self) -> dict[str, Any]:
        """For the control API; amounts are text."""
        return {
            **asdict(self),
            "amount": f"{self.amount:.2f}",
            "at": self.at.isoformat(),
            "started_at": self.started_at.isoformat(),
            "postings": [posting.to_dict() for posting in self.postings],
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A posting to be made."""

    shortcode: str
    account: str
    amount: Decimal
    is_charge: bool = False


class Books:
    """Accounts and movements of every shortcode."""

    def __init__(self, *, config: DarajaConfig, clock: Clock, rng: random.Random) -> None:
        """Open the accounts with what the settings put there."""
        self._config = config
        self._clock = clock
        self._rng = rng
        self.movements: list[Movement] = []
        self._by_receipt: dict[str, Movement] = {}
        self._by_conversation: dict[str, Movement] = {}
        self._reversed: dict[str, str] = {}
        self._receipts: set[str] = set()
        self._accounts: dict[tuple[str, str], Account] = {}
        self._open()

    def clear(self) -> None:
        """Forget every movement and start with the opening balances."""
        for store in (self._by_receipt, self._by_conversation, self._reversed, self._accounts, self._receipts):
            store.clear()
        self.movements.clear()
        self._open()

    def _open(self) -> None:
        for code in self._config.shortcodes:
            opening = {WORKING: Decimal(code.working), UTILITY: Decimal(code.utility)}
            for name in ACCOUNTS:
                self._accounts[code.number, name] = Account(opening.get(name, NOTHING))

    def account(self, shortcode: str, name: str) -> Account:
        """One account of a shortcode (its own number, not a till's); KeyError when there is none."""
        return self._accounts[shortcode, name]

    def accounts_of(self, shortcode: str) -> dict[str, Account]:
        """All accounts of a shortcode, in Daraja's order; KeyError when it is not ours."""
        return {name: self._accounts[shortcode, name] for name in ACCOUNTS}

    def balance_text(self, shortcode: Shortcode, *, without: str | None = None) -> str:
        """Daraja's AccountBalance string, perhaps without one account."""
        return "&".join(
            account.to_text(label_of(name, shortcode))
            for name, account in self.accounts_of(shortcode.number).items()
            if name != without
        )

    def new_receipt(self) -> str:
        """A receipt number not given out before."""
        while (made := formats.receipt(self._clock.now(), self._rng)) in self._receipts:
            continue
        self._receipts.add(made)
        return made

    def reserve(self, shortcode: str, name: str, amount: Decimal) -> None:
        """Block money that stays in the account; ValueError when there is not so much."""
        account = self.account(shortcode, name)
        if not 0 <= amount <= account.available:
            raise ValueError(f"only {account.available:.2f} of {shortcode}'s {name} account can be reserved")
        account.available -= amount
        account.reserved += amount

    def record(self, movement: Movement, entries: Iterable[Entry]) -> Movement:
        """Move the money and keep the movement; returns it with its postings."""
        postings = []
        for entry in entries:
            account = self._accounts[entry.shortcode, entry.account]
            account.available += entry.amount
            postings.append(Posting(entry.shortcode, entry.account, entry.amount, account.current, entry.is_charge))
        made = replace(movement, postings=tuple(postings))
        self.movements.append(made)
        self._by_receipt[made.receipt] = made
        for conversation in (made.conversation_id, made.originator_conversation_id):
            if conversation:
                self._by_conversation[conversation] = made
        if made.original_receipt:
            self._reversed[made.original_receipt] = made.receipt
        return made

    def find(self, receipt: str) -> Movement | None:
        """The movement of a receipt."""
        return self._by_receipt.get(receipt)

    def find_by_conversation(self, conversation: str) -> Movement | None:
        """The movement a request led to, by either of its ids (of a push: CheckoutRequestID or MerchantRequestID)."""
        return self._by_conversation.get(conversation)

    def reversal_of(self, receipt: str) -> str | None:
        """The receipt that took this one back, if one did."""
        return self._reversed.get(receipt)
