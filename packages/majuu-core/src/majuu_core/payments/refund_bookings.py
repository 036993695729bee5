"""What refunds mean in the books: whose money goes back, the hold, and how it ends.

Money that waits for a decision goes back first (it is owed to nobody else), then what was paid too much, then what the
store has earned. What each of these still holds of one charge is read from the charge's own transfers, so it cannot
differ from the books. Everything here adds to a write batch; only the readers touch the database, under the charge's
lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from moneyed import Money

from majuu_core.common.money import currency_of
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.models import LedgerTransaction, LedgerTransfer
from majuu_core.ledger.services import Move, add_resolution, add_transaction
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.own_money import WALLET, account_that_paid
from majuu_core.payments.refund_planner import RefundSource

_Phase = LedgerTransfer.Phase
_MOVED = (_Phase.POSTED, _Phase.POST_PENDING)
# In the order in which they are used up; the last one gives whatever the others do not have.
_REASONS: Mapping[AccountKind, str] = {
    AccountKind.STORE_UNAPPLIED: "It waits for a decision and paid for nothing.",
    AccountKind.STORE_SURPLUS: "It was paid beyond the amount asked for.",
    AccountKind.STORE_PAYABLE: "It is what the store has earned by this payment.",
}


def split_by_source(charge: Charge, amount: Money) -> list[RefundSource]:
    """Which accounts a refund of this amount takes from now, and why."""
    left, sources = amount.amount, []
    standing = _standing(charge)
    for kind, reason in _REASONS.items():
        part = left if kind is AccountKind.STORE_PAYABLE else min(left, max(standing[kind], Decimal(0)))
        if part > 0:
            sources.append(RefundSource(account=kind.value, amount=Money(part, amount.currency), reason=reason))
            left -= part
    return sources


def hold_refund(batch: WriteBatch, refund: Refund, sources: Iterable[RefundSource]) -> None:
    """Hold the amount, one pending transfer for each source, and remember the first on the refund (not saved here)."""
    moves = [_move(refund, AccountKind(source.account), source.amount, pending=True) for source in sources]
    transfers = add_transaction(
        batch,
        key=f"{refund.public_id}:hold",
        kind=_kind(refund),
        reference=refund.public_id,
        livemode=refund.livemode,
        moves=moves,
        description=refund.reason,
    )
    refund.hold_id = transfers[0].pk


def book_refund(batch: WriteBatch, refund: Refund, fee: Money | None) -> Decimal:
    """The money left: post the hold, or book anew where there is none. Returns how much of it was unapplied money."""
    holds = _holds(refund)
    if holds:
        moves = [move for _, move in holds]
        _resolve(batch, refund, "post", _kind(refund), holds, posts=True, also=_fee(refund, fee))
    else:
        sources = split_by_source(refund.charge, refund.amount)
        moves = [_move(refund, AccountKind(source.account), source.amount) for source in sources]
        _book(batch, refund, "post", _kind(refund), [*moves, *_fee(refund, fee)])
    return sum(
        (move.amount.amount for move in moves if move.debit.kind is AccountKind.STORE_UNAPPLIED), start=Decimal(0)
    )


def release_refund(batch: WriteBatch, refund: Refund) -> None:
    """The money stays: void the hold."""
    holds = _holds(refund)
    if holds:
        _resolve(batch, refund, "void", "refund_void", holds, posts=False)


def book_back(batch: WriteBatch, refund: Refund) -> Decimal:
    """The money came back after all: each account gets what it gave. Returns how much was unapplied money.

    The provider's fee is not given back.
    """
    given = _given(refund)
    currency = currency_of(refund.currency)
    moves = [
        Move(debit=_clearing(refund), credit=_owned(refund, kind), amount=Money(amount, currency))
        for kind, amount in given.items()
        if amount > 0
    ]
    _book(batch, refund, "back", "refund_failed_late", moves)
    return given.get(AccountKind.STORE_UNAPPLIED, Decimal(0))


def book_fee(batch: WriteBatch, refund: Refund, fee: Money) -> None:
    """A fee that was told after the refund itself."""
    _book(batch, refund, "fee", "refund_fee", _fee(refund, fee))


def _kind(refund: Refund) -> str:
    """The books tell a payment that was undone from money that was sent anew, and from money that never left us."""
    if refund.charge.provider == WALLET:
        return f"{WALLET}_refund"
    return "refund_payout" if refund.books_as == Refund.BooksAs.PAYOUT else "refund_reversal"


def _standing(charge: Charge) -> dict[AccountKind, Decimal]:
    """What the charge brought to each account less what its refunds took or hold, in the charge's currency."""
    names = [charge.public_id, *(refund.public_id for refund in charge.refunds.only("pk"))]
    owner = charge.payment_intent.store.public_id
    found = dict.fromkeys(_REASONS, Decimal(0))
    for transfer in _transfers(names):
        if transfer.currency != charge.currency:
            continue
        if transfer.phase in _MOVED and (kind := _own_kind(transfer.credit_account, owner)):
            found[kind] += transfer.amount
        held = transfer.phase == _Phase.PENDING and not hasattr(transfer, "resolution")
        if (transfer.phase in _MOVED or held) and (kind := _own_kind(transfer.debit_account, owner)):
            found[kind] -= transfer.amount
    return found


def _given(refund: Refund) -> dict[AccountKind, Decimal]:
    """What each account has given for this refund, less what it got back."""
    owner = refund.store.public_id
    found: dict[AccountKind, Decimal] = {}
    for transfer in _transfers([refund.public_id]):
        if transfer.phase not in _MOVED:
            continue
        for account, sign in ((transfer.debit_account, 1), (transfer.credit_account, -1)):
            if kind := _own_kind(account, owner):
                found[kind] = found.get(kind, Decimal(0)) + sign * transfer.amount
    return found


def _transfers(references: Sequence[str]) -> Iterable[LedgerTransfer]:
    rows = LedgerTransfer.objects.filter(transaction__reference__in=references)
    return rows.select_related("debit_account", "credit_account", "resolution").order_by("pk")


def _own_kind(account: object, owner: str) -> AccountKind | None:
    """The account's kind, when it is one of those refunds are paid from, of this store."""
    kind = AccountKind(account.kind)  # type: ignore[attr-defined]
    return kind if kind in _REASONS and account.owner == owner else None  # type: ignore[attr-defined]


def _holds(refund: Refund) -> list[tuple[uuid.UUID, Move]]:
    """The refund's pending transfers, each with the move it was made with."""
    if refund.hold_id is None:
        return []
    rows = LedgerTransfer.objects.filter(transaction__key=f"{refund.public_id}:hold", phase=_Phase.PENDING)
    currency = currency_of(refund.currency)
    return [
        (row.pk, _move(refund, AccountKind(row.debit_account.kind), Money(row.amount, currency), pending=True))
        for row in rows.select_related("debit_account").order_by("pk")
    ]


def _resolve(
    batch: WriteBatch,
    refund: Refund,
    word: str,
    kind: str,
    holds: Sequence[tuple[uuid.UUID, Move]],
    *,
    posts: bool,
    also: Sequence[Move] = (),
) -> None:
    add_resolution(
        batch,
        key=f"{refund.public_id}:{word}",
        kind=kind,
        reference=refund.public_id,
        livemode=refund.livemode,
        holds=holds,
        posts=posts,
        also=also,
    )


def _book(batch: WriteBatch, refund: Refund, word: str, kind: str, moves: Sequence[Move]) -> None:
    """Book moves under a key of their own: what was booked and booked back may be booked again."""
    key = f"{refund.public_id}:{word}"
    before = LedgerTransaction.objects.filter(reference=refund.public_id, key__startswith=key).count()
    add_transaction(
        batch,
        key=f"{key}:{before + 1}" if before else key,
        kind=kind,
        reference=refund.public_id,
        livemode=refund.livemode,
        moves=moves,
    )


def _move(refund: Refund, kind: AccountKind, amount: Money, *, pending: bool = False) -> Move:
    return Move(
        debit=_owned(refund, kind),
        credit=account_that_paid(refund.charge) or _clearing(refund),
        amount=amount,
        phase="pending" if pending else "posted",
    )


def _fee(refund: Refund, fee: Money | None) -> list[Move]:
    if fee is None or fee.amount <= 0:
        return []
    return [Move(debit=_owned(refund, AccountKind.PROVIDER_FEES), credit=_clearing(refund), amount=fee)]


def _clearing(refund: Refund) -> AccountRef:
    return AccountRef(
        kind=AccountKind.PROVIDER_CLEARING,
        owner=refund.provider_account.public_id,
        currency=refund.currency,
        livemode=refund.livemode,
    )


def _owned(refund: Refund, kind: AccountKind) -> AccountRef:
    return AccountRef(kind=kind, owner=refund.store.public_id, currency=refund.currency, livemode=refund.livemode)
