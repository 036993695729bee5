"""What payments mean in the books. Every function adds to a write batch; nothing here touches the database.

A charge holds its amount first (a pending transfer from the provider's clearing account to what we owe the store) and
posts or voids that hold when the outcome is known.
"""

from __future__ import annotations

from moneyed import Money

from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.services import Move, add_posting, add_transaction, add_voiding
from majuu_core.merchants.models import Store
from majuu_core.payments.exchange import is_exchanged, trading_account
from majuu_core.payments.models import Charge


def hold_amount(batch: WriteBatch, charge: Charge, store: Store) -> None:
    """Begin the hold and remember it on the charge (not saved here)."""
    transfers = add_transaction(
        batch,
        key=f"{charge.public_id}:hold",
        kind="charge_hold",
        reference=charge.public_id,
        livemode=charge.livemode,
        moves=[_hold_move(charge, store)],
    )
    charge.hold_id = transfers[0].pk


def release_hold(batch: WriteBatch, charge: Charge, store: Store) -> None:
    """Void the hold, if there still is one."""
    if charge.hold_id is None:
        return
    add_voiding(
        batch,
        key=f"{charge.public_id}:void",
        kind="charge_void",
        reference=charge.public_id,
        hold_id=charge.hold_id,
        hold=_hold_move(charge, store),
    )


def book_payment(
    batch: WriteBatch,
    charge: Charge,
    store: Store,
    *,
    applied: Money,
    surplus: Money,
    fee: Money | None,
    exchanged: Money | None = None,
    source: AccountRef | None = None,
) -> None:
    """Book money that arrived, as one ledger transaction.

    ``applied`` goes to what we owe the store, ``surplus`` to its surplus account, ``fee`` is what the provider keeps.
    ``exchanged`` is what came, where that is another currency. ``source`` is where the money stands already, for a
    charge without a hold; the provider's clearing account if not.
    """
    also = [*_received(charge, store, AccountKind.STORE_SURPLUS, surplus, source), *_fee(charge, store, fee)]
    also += _exchange(charge, exchanged)
    if charge.hold_id is not None and applied.amount > 0:
        add_posting(
            batch,
            key=f"{charge.public_id}:post",
            kind="charge",
            reference=charge.public_id,
            hold_id=charge.hold_id,
            hold=_hold_move(charge, store),
            amount=applied,
            also=also,
        )
        return
    moves = [*_received(charge, store, AccountKind.STORE_PAYABLE, applied, source), *also]
    _resolve(batch, charge, store, "charge", moves)


def book_unapplied(
    batch: WriteBatch,
    charge: Charge,
    store: Store,
    received: Money,
    fee: Money | None,
    source: AccountRef | None = None,
) -> None:
    """Book money somebody must decide about, in whatever currency it came. ``source`` as for book_payment."""
    moves = [*_received(charge, store, AccountKind.STORE_UNAPPLIED, received, source), *_fee(charge, store, fee)]
    _resolve(batch, charge, store, "charge_unapplied", moves)


def _resolve(batch: WriteBatch, charge: Charge, store: Store, kind: str, moves: list[Move]) -> None:
    """Book moves besides the hold, and release the hold, if there still is one."""
    if charge.hold_id is not None:
        add_voiding(
            batch,
            key=f"{charge.public_id}:post",
            kind=kind,
            reference=charge.public_id,
            hold_id=charge.hold_id,
            hold=_hold_move(charge, store),
            also=moves,
        )
    elif moves:
        add_transaction(
            batch,
            key=f"{charge.public_id}:post",
            kind=kind,
            reference=charge.public_id,
            livemode=charge.livemode,
            moves=moves,
        )


def _received(
    charge: Charge, store: Store, kind: AccountKind, amount: Money, source: AccountRef | None = None
) -> list[Move]:
    if amount.amount <= 0:
        return []
    currency = amount.currency.code
    credit = _store_account(kind, store, currency, charge.livemode)
    return [Move(debit=source or _origin(charge, currency), credit=credit, amount=amount)]


def _exchange(charge: Charge, received: Money | None) -> list[Move]:
    """What came, into the trading account; what it settles leaves there in the intent's currency."""
    if received is None or received.amount <= 0:
        return []
    currency = received.currency.code
    return [Move(debit=_clearing(charge, currency), credit=trading_account(charge, currency), amount=received)]


def _fee(charge: Charge, store: Store, fee: Money | None) -> list[Move]:
    if fee is None or fee.amount <= 0:
        return []
    currency = fee.currency.code
    debit = _store_account(AccountKind.PROVIDER_FEES, store, currency, charge.livemode)
    return [Move(debit=debit, credit=_clearing(charge, currency), amount=fee)]


def _hold_move(charge: Charge, store: Store) -> Move:
    amount = _held_amount(charge)
    currency = amount.currency.code
    return Move(
        debit=_origin(charge, currency),
        credit=_store_account(AccountKind.STORE_PAYABLE, store, currency, charge.livemode),
        amount=amount,
        phase="pending",
    )


def _held_amount(charge: Charge) -> Money:
    """What the charge is to settle, in the intent's currency."""
    amount: Money = charge.amount
    if charge.settles_amount is None:
        return amount
    return Money(charge.settles_amount, charge.payment_intent.amount.currency)


def _origin(charge: Charge, currency: str) -> AccountRef:
    """Where money of this currency comes from: the provider, or the exchange."""
    if is_exchanged(charge) and currency != charge.currency:
        return trading_account(charge, currency)
    return _clearing(charge, currency)


def _clearing(charge: Charge, currency: str) -> AccountRef:
    return AccountRef(
        kind=AccountKind.PROVIDER_CLEARING,
        owner=charge.provider_account.public_id,
        currency=currency,
        livemode=charge.livemode,
    )


def _store_account(kind: AccountKind, store: Store, currency: str, livemode: bool) -> AccountRef:
    return AccountRef(kind=kind, owner=store.public_id, currency=currency, livemode=livemode)
