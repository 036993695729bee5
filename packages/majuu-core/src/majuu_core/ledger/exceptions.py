"""Why the ledger refuses: one class per rule. Each refusal leaves the books as they were."""

from __future__ import annotations


class LedgerError(Exception):
    """Anything the ledger refuses."""


class CurrencyMismatch(LedgerError):
    """A move's amount and its two accounts must share one currency. Change money through ``fx_trading``."""


class ModeMismatch(LedgerError):
    """Test and live money never meet: accounts, transfers and transaction must all be of one mode."""


class NotPositive(LedgerError):
    """A move has an amount above zero. To move money the other way, swap debit and credit."""


class SameAccount(LedgerError):
    """A move has two different accounts."""


class EmptyTransaction(LedgerError):
    """A transaction has at least one move."""


class DuplicateTransaction(LedgerError):
    """A transaction with this key is in the books already (or one that reverses the same transaction)."""


class HoldNotFound(LedgerError):
    """No hold has this id."""


class HoldAlreadyResolved(LedgerError):
    """A hold is posted or voided once."""


class HoldMismatch(LedgerError):
    """What resolves a hold must name a pending transfer and repeat its accounts, currency and mode."""


class PostsMoreThanHeld(LedgerError):
    """A hold can be posted up to its amount. Book the rest as a transaction of its own."""


class TransactionNotFound(LedgerError):
    """No transaction has this id."""


class NothingToReverse(LedgerError):
    """The transaction moved nothing that could be moved back."""


class InsufficientFunds(LedgerError):
    """The account has less available than the amount asked for. Holds count as spent."""


class NotGuarded(LedgerError):
    """Only accounts of a guarded kind, such as wallets, can be locked for spending."""
