"""Writing to the books.

``add_*`` put rows into a caller's write batch, so that a payment and its bookkeeping are one statement; the caller
executes it inside ``ledger_errors()`` to get our exceptions instead of the database's. ``record_transaction``,
``post_hold``, ``void_hold`` and ``reverse_transaction`` execute a batch of their own.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from django.db import DatabaseError, IntegrityError, connections, router, transaction
from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.money import currency_of, parse_amount
from majuu_core.database.batch import WriteBatch
from majuu_core.database.errors import is_unique_violation, names_constraint
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.exceptions import (
    CurrencyMismatch,
    DuplicateTransaction,
    EmptyTransaction,
    HoldAlreadyResolved,
    HoldMismatch,
    HoldNotFound,
    InsufficientFunds,
    LedgerError,
    ModeMismatch,
    NotGuarded,
    NothingToReverse,
    NotPositive,
    PostsMoreThanHeld,
    SameAccount,
    TransactionNotFound,
)
from majuu_core.ledger.guards import HOLD_RULE
from majuu_core.ledger.models import LedgerAccount, LedgerTransaction, LedgerTransfer
from majuu_core.ledger.selectors import Balance, balance

Phase = LedgerTransfer.Phase
_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Move:
    """An amount from one account to another: ``debit`` receives it, ``credit`` gives it.

    ``pending`` makes it a hold. Raises CurrencyMismatch, ModeMismatch, NotPositive, SameAccount, and AmountError for
    an amount with more decimals than its currency has.
    """

    debit: AccountRef
    credit: AccountRef
    amount: Money
    phase: Literal["posted", "pending"] = "posted"

    def __post_init__(self) -> None:
        currency = self.amount.currency.code
        if not currency == self.debit.currency == self.credit.currency:
            raise CurrencyMismatch(f"{currency} cannot move between {self.debit} and {self.credit}")
        if self.debit.livemode != self.credit.livemode:
            raise ModeMismatch(f"{self.debit} and {self.credit} are of different modes")
        if not self.amount.amount.is_finite() or self.amount.amount <= 0:
            raise NotPositive(f"{self.amount.amount} is not an amount above zero")
        if self.debit == self.credit:
            raise SameAccount(f"{self.debit} is on both sides")
        parse_amount(format(self.amount.amount, "f"), currency)

    @property
    def livemode(self) -> bool:
        """The mode of both accounts."""
        return self.debit.livemode


def add_transaction(
    batch: WriteBatch,
    *,
    key: str,
    kind: str,
    reference: str,
    livemode: bool,
    moves: Sequence[Move],
    description: str = "",
) -> list[LedgerTransfer]:
    """Book the moves as one transaction. Returns their transfers, in order; a hold's id is its transfer's id.

    ``key`` names the transaction for good (a second one with it is refused by the database: DuplicateTransaction);
    ``kind`` is a lower-case word such as "charge"; ``reference`` the public id of what caused it.
    """
    return _add(batch, _transaction(key, kind, reference, livemode, description), moves)


def add_posting(
    batch: WriteBatch,
    *,
    key: str,
    kind: str,
    reference: str,
    hold_id: uuid.UUID,
    hold: Move,
    amount: Money | None = None,
    also: Sequence[Move] = (),
    description: str = "",
) -> list[LedgerTransfer]:
    """Post a hold: wholly, or ``amount`` of it, in which case the rest is released. Returns the posting first.

    ``hold`` is the move the hold was made with (nothing is read here; the database compares). ``also`` are further
    moves of the same transaction, such as the provider's fee. Raises PostsMoreThanHeld; on execution
    HoldAlreadyResolved and HoldMismatch.
    """
    posted = replace(hold, amount=hold.amount if amount is None else amount, phase="posted")
    if posted.amount > hold.amount:
        raise PostsMoreThanHeld(f"{posted.amount} cannot be posted from a hold of {hold.amount}")
    entry = _transaction(key, kind, reference, hold.livemode, description)
    return _add(batch, entry, [posted, *also], resolves=hold_id, phase=Phase.POST_PENDING)


def add_voiding(
    batch: WriteBatch,
    *,
    key: str,
    kind: str,
    reference: str,
    hold_id: uuid.UUID,
    hold: Move,
    also: Sequence[Move] = (),
    description: str = "",
) -> list[LedgerTransfer]:
    """Release a hold wholly. Arguments as for add_posting. On execution: HoldAlreadyResolved, HoldMismatch."""
    entry = _transaction(key, kind, reference, hold.livemode, description)
    return _add(batch, entry, [hold, *also], resolves=hold_id, phase=Phase.VOID_PENDING)


def add_resolution(
    batch: WriteBatch,
    *,
    key: str,
    kind: str,
    reference: str,
    livemode: bool,
    holds: Sequence[tuple[uuid.UUID, Move]],
    posts: bool,
    also: Sequence[Move] = (),
    description: str = "",
) -> list[LedgerTransfer]:
    """Post several holds wholly (``posts``), or release them, as one transaction. Returns ``also`` first.

    Each hold comes with the move it was made with. On execution: HoldAlreadyResolved, HoldMismatch.
    """
    entry = _transaction(key, kind, reference, livemode, description)
    return _add(batch, entry, also, holds=holds, as_phase=Phase.POST_PENDING if posts else Phase.VOID_PENDING)


def record_transaction(
    *, key: str, kind: str, reference: str, livemode: bool, moves: Sequence[Move], description: str = ""
) -> list[LedgerTransfer]:
    """add_transaction and execute, in a transaction (or savepoint) of its own. Raises DuplicateTransaction."""
    batch = WriteBatch()
    transfers = add_transaction(
        batch, key=key, kind=kind, reference=reference, livemode=livemode, moves=moves, description=description
    )
    _execute(batch)
    return transfers


def post_hold(
    *, key: str, kind: str, reference: str, hold_id: uuid.UUID, amount: Money | None = None, description: str = ""
) -> list[LedgerTransfer]:
    """Read the hold, post it (see add_posting) and execute. Raises HoldNotFound besides."""
    batch = WriteBatch()
    transfers = add_posting(
        batch,
        key=key,
        kind=kind,
        reference=reference,
        hold_id=hold_id,
        hold=_read_hold(hold_id),
        amount=amount,
        description=description,
    )
    _execute(batch)
    return transfers


def void_hold(
    *, key: str, kind: str, reference: str, hold_id: uuid.UUID, description: str = ""
) -> list[LedgerTransfer]:
    """Read the hold, release it and execute. Raises HoldNotFound, HoldAlreadyResolved."""
    batch = WriteBatch()
    transfers = add_voiding(
        batch,
        key=key,
        kind=kind,
        reference=reference,
        hold_id=hold_id,
        hold=_read_hold(hold_id),
        description=description,
    )
    _execute(batch)
    return transfers


def reverse_transaction(
    *, transaction_id: uuid.UUID, key: str, kind: str, reference: str, description: str = ""
) -> list[LedgerTransfer]:
    """Undo a transaction by a new one: what it posted moves back, what it still holds is released.

    A transaction is reversed once. Raises TransactionNotFound, NothingToReverse, DuplicateTransaction.
    """
    original = LedgerTransaction.objects.filter(pk=transaction_id).first()
    if original is None:
        raise TransactionNotFound(f"no ledger transaction {transaction_id}")
    transfers = original.transfers.select_related("debit_account", "credit_account", "resolution").order_by("id")
    back: list[Move] = []
    holds: list[tuple[uuid.UUID, Move]] = []
    for transfer in transfers:
        move = _move_of(transfer)
        if transfer.phase in (Phase.POSTED, Phase.POST_PENDING):
            back.append(Move(debit=move.credit, credit=move.debit, amount=move.amount))
        elif transfer.phase == Phase.PENDING and not hasattr(transfer, "resolution"):
            holds.append((transfer.pk, move))
    if not back and not holds:
        raise NothingToReverse(f"{original.public_id} moved nothing that is still there")
    batch = WriteBatch()
    entry = _transaction(key, kind, reference, original.livemode, description)
    entry.reverses_id = original.pk
    written = _add(batch, entry, back, holds=holds)
    _execute(batch)
    return written


def lock_for_spending(account: AccountRef, amount: Money, *, guarded_here: bool = False) -> Balance:
    """Make sure a guarded account can spend the amount, and keep others from spending until this transaction ends.

    Call it inside ``atomic()``, lock several accounts in the order of their ids, then book. Returns the balance before
    spending. ``guarded_here`` is for an account that may be overdrawn elsewhere and must not be by this spending: it
    is safe against other callers of this function only. Raises InsufficientFunds, NotGuarded, CurrencyMismatch.
    """
    if not account.kind.guarded and not guarded_here:
        raise NotGuarded(f"{account} is not of a guarded kind")
    if amount.currency.code != account.currency:
        raise CurrencyMismatch(f"{account} holds no {amount.currency.code}")
    connection = connections[router.db_for_write(LedgerAccount)]
    # On PostgreSQL the weaker lock leaves transfers into the account free: their foreign keys only share the row.
    weaker = connection.features.has_select_for_no_key_update
    rows = LedgerAccount.objects.using(connection.alias).select_for_update(no_key=weaker)
    rows.filter(pk=account.id).values_list("pk").first()
    present = balance(account)
    if present.available < amount:
        raise InsufficientFunds(f"{account} has {present.available.amount} available, {amount.amount} are asked for")
    return present


# --- putting rows together ---------------------------------------------------------------------------------------


def _transaction(key: str, kind: str, reference: str, livemode: bool, description: str) -> LedgerTransaction:
    if not 1 <= len(key) <= 128:
        raise ValueError("a transaction's key has 1 to 128 characters")
    if not _KIND.fullmatch(kind):
        raise ValueError(f"{kind[:40]!r} is no transaction kind: use up to 32 lower-case letters, digits and _")
    if not 1 <= len(reference) <= 64:
        raise ValueError("a transaction's reference has 1 to 64 characters")
    return LedgerTransaction(
        key=key,
        kind=kind,
        reference=reference,
        livemode=livemode,
        description=description[:255],
        created_at=clock.now(),
    )


def _add(
    batch: WriteBatch,
    entry: LedgerTransaction,
    moves: Sequence[Move],
    *,
    resolves: uuid.UUID | None = None,
    phase: str = "",
    holds: Sequence[tuple[uuid.UUID, Move]] = (),
    as_phase: str = Phase.VOID_PENDING,
) -> list[LedgerTransfer]:
    """Add accounts, transaction and transfers. The first move resolves the hold ``resolves`` in ``phase``.

    ``holds`` are resolved wholly, each by its own move, in ``as_phase``.
    """
    transfers = [_transfer(entry, move) for move in moves]
    if resolves is not None:
        transfers[0].phase, transfers[0].pending_id = phase, resolves
    for hold_id, move in holds:
        resolving = _transfer(entry, move)
        resolving.phase, resolving.pending_id = as_phase, hold_id
        transfers.append(resolving)
    if not transfers:
        raise EmptyTransaction(f"transaction {entry.key} moves nothing")
    refs = {ref for move in [*moves, *(move for _, move in holds)] for ref in (move.debit, move.credit)}
    if any(ref.livemode != entry.livemode for ref in refs):
        raise ModeMismatch(f"transaction {entry.key} names accounts of the other mode")
    _add_accounts(batch, refs, entry)
    batch.insert(entry, *transfers)
    return transfers


def _transfer(entry: LedgerTransaction, move: Move) -> LedgerTransfer:
    return LedgerTransfer(
        transaction_id=entry.pk,
        phase=move.phase,
        debit_account_id=move.debit.id,
        credit_account_id=move.credit.id,
        amount=move.amount.amount,
        currency=move.amount.currency.code,
        livemode=entry.livemode,
        created_at=entry.created_at,
    )


def _read_hold(hold_id: uuid.UUID) -> Move:
    accounts = LedgerTransfer.objects.select_related("debit_account", "credit_account")
    hold = accounts.filter(pk=hold_id, phase=Phase.PENDING).first()
    if hold is None:
        raise HoldNotFound(f"no hold {hold_id}")
    return _move_of(hold)


def _move_of(transfer: LedgerTransfer) -> Move:
    return Move(
        debit=_ref_of(transfer.debit_account),
        credit=_ref_of(transfer.credit_account),
        amount=Money(transfer.amount, currency_of(transfer.currency)),
    )


def _ref_of(account: LedgerAccount) -> AccountRef:
    return AccountRef(AccountKind(account.kind), account.owner, account.currency, account.livemode)


# --- accounts come into being with their first transfer ------------------------------------------------------------

# Accounts that are certainly committed, by database. Accounts are never deleted, so the set only grows.
_known_accounts: set[tuple[str, uuid.UUID]] = set()


def forget_known_accounts() -> None:
    """Ask the database about accounts again. For tests, whose accounts vanish with a rollback."""
    _known_accounts.clear()


def _add_accounts(batch: WriteBatch, refs: Iterable[AccountRef], entry: LedgerTransaction) -> None:
    using = router.db_for_write(LedgerAccount)
    new = [ref for ref in refs if (using, ref.id) not in _known_accounts]
    # In one order everywhere, so that two transactions that create the same accounts wait instead of deadlocking.
    for ref in sorted(new, key=lambda ref: ref.id):
        batch.insert_if_absent(
            LedgerAccount(
                id=ref.id,
                kind=ref.kind.value,
                owner=ref.owner,
                category=ref.kind.category.value,
                currency=ref.currency,
                livemode=ref.livemode,
                created_at=entry.created_at,
            )
        )
    if new:
        known = {(using, ref.id) for ref in new}
        batch.when_committed(lambda: _known_accounts.update(known))


# --- what the database refuses -------------------------------------------------------------------------------------


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Turn what the database refuses about the ledger into this room's exceptions; other errors pass unchanged."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error, IntegrityError):
            # Perhaps a known account is gone (a restored database): the next attempt asks again.
            forget_known_accounts()
        refusal = _explain(error)
        if refusal is None:
            raise
        raise refusal from error


_RESOLVED_ONCE = ("majuu_ledger_ledgertransfer_pending_id", "ledgertransfer.pending_id", "'pending_id'")
_BOOKED_ONCE = ("majuu_transaction_key_once", "ledgertransaction.key")
_REVERSED_ONCE = ("majuu_ledger_ledgertransaction_reverses_id", "ledgertransaction.reverses_id", "'reverses_id'")


def _explain(error: DatabaseError) -> LedgerError | None:
    unique = is_unique_violation(error)
    if unique and names_constraint(error, *_RESOLVED_ONCE):
        return HoldAlreadyResolved("the hold has been posted or voided already")
    if unique and names_constraint(error, *_BOOKED_ONCE, *_REVERSED_ONCE):
        return DuplicateTransaction("the transaction is in the books already")
    if names_constraint(error, HOLD_RULE):
        return HoldMismatch("the hold does not exist, or differs in accounts, currency, mode or amount")
    return None


def _execute(batch: WriteBatch) -> None:
    with ledger_errors(), transaction.atomic(using=router.db_for_write(LedgerTransaction)):
        batch.execute()
