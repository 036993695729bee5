"""What payouts mean in the books. Every function adds to a write batch; nothing here touches the database.

A payout holds its amount first (a pending transfer from whoever pays for it to the provider's clearing account) and
posts or voids that hold when the outcome is known.
"""

from __future__ import annotations

from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef, parse_account
from majuu_core.ledger.services import Move, add_posting, add_transaction, add_voiding
from majuu_core.payments.models import Payout
from majuu_core.payments.outgoing import OutgoingPlan


def hold_payout(batch: WriteBatch, payout: Payout) -> None:
    """Begin the hold and remember it on the payout (not saved here)."""
    transfers = add_transaction(
        batch,
        key=f"{payout.public_id}:hold",
        kind="payout_hold",
        reference=payout.public_id,
        livemode=payout.livemode,
        moves=[_move(payout, held=True)],
    )
    payout.hold_id = transfers[0].pk


def book_payout(batch: WriteBatch, payout: Payout, plan: OutgoingPlan) -> None:
    """Book what an answer means: the money left, it did not, or the provider's fee became known afterwards."""
    fee = _fee(payout, plan)
    if plan.books:
        _book_sent(batch, payout, fee)
    elif plan.releases:
        release_payout(batch, payout)
    elif fee:
        _add(batch, payout, "fee", "payout_fee", fee)


def release_payout(batch: WriteBatch, payout: Payout) -> None:
    """Void the hold, if there still is one."""
    if payout.hold_id is None:
        return
    add_voiding(
        batch,
        key=f"{payout.public_id}:void",
        kind="payout_void",
        reference=payout.public_id,
        hold_id=payout.hold_id,
        hold=_move(payout, held=True),
    )


def _book_sent(batch: WriteBatch, payout: Payout, fee: list[Move]) -> None:
    if payout.hold_id is None:  # it was given up before, and sent all the same
        _add(batch, payout, "post", "payout", [_move(payout, held=False), *fee])
        return
    add_posting(
        batch,
        key=f"{payout.public_id}:post",
        kind="payout",
        reference=payout.public_id,
        hold_id=payout.hold_id,
        hold=_move(payout, held=True),
        also=fee,
    )


def _add(batch: WriteBatch, payout: Payout, key: str, kind: str, moves: list[Move]) -> None:
    add_transaction(
        batch,
        key=f"{payout.public_id}:{key}",
        kind=kind,
        reference=payout.public_id,
        livemode=payout.livemode,
        moves=moves,
    )


def _move(payout: Payout, *, held: bool) -> Move:
    return Move(
        debit=parse_account(payout.source),
        credit=_clearing(payout),
        amount=payout.amount,
        phase="pending" if held else "posted",
    )


def _fee(payout: Payout, plan: OutgoingPlan) -> list[Move]:
    """What the provider keeps is taken from the same money and is the store's expense."""
    if plan.fee is None:
        return []
    fees = AccountRef(AccountKind.PROVIDER_FEES, payout.store.public_id, payout.currency, payout.livemode)
    return [Move(debit=fees, credit=_clearing(payout), amount=plan.fee)]


def _clearing(payout: Payout) -> AccountRef:
    return AccountRef(
        AccountKind.PROVIDER_CLEARING, payout.provider_account.public_id, payout.currency, payout.livemode
    )
