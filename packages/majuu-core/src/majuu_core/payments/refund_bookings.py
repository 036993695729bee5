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
from typing import Literal

from moneyed import Money

from majuu_core.common.money import currency_of
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.models import LedgerAccount, LedgerTransaction, LedgerTransfer
from majuu_core.ledger.services import Move, add_resolution, add_transaction
from majuu_core.payments.exchange import is_exchanged, trading_account
from majuu_core.payments.models import Charge, Refund
from majuu_core.payments.own_money import WALLET, account_that_paid
from majuu_core.payments.refund_planner import RefundSource

_Phase = LedgerTransfer.Phase
_MOVED = (_Phase.POSTED, _Phase.POST_PENDING)
_UNAPPLIED = AccountKind.STORE_UNAPPLIED
# In the order in which they are used up; the last one gives whatever the others do not have.
_REASONS: Mapping[AccountKind, str] = {
    AccountKind.STORE_UNAPPLIED: "It waits for a decision and paid for nothing.",
    AccountKind.STORE_SURPLUS: "It was paid beyond the amount asked for.",
    AccountKind.STORE_PAYABLE: "It is what the store has earned by this payment.",
}


def split_by_source(charge: Charge, amount: Money) -> list[RefundSource]:
    """Which accounts a refund of this amount takes from now, and why, in the charge's currency.

    What an exchanged charge settled is in the intent's currency: ``hold_refund`` exchanges it back.
    """
    left, sources = amount.amount, []
    standing = standing_of(charge)
    for kind, reason in _REASONS.items():
        part = left if kind is AccountKind.STORE_PAYABLE else min(left, max(standing[kind], Decimal(0)))
        if part > 0:
            sources.append(RefundSource(account=kind.value, amount=Money(part, amount.currency), reason=reason))
            left -= part
    return sources


def split_settled(charge: Charge, settled: Money) -> list[tuple[AccountKind, Money]]:
    """Which accounts give what an exchanged charge had settled, in the intent's currency and the same order."""
    surplus = standing_of(charge, settled.currency.code)[AccountKind.STORE_SURPLUS]
    too_much = Money(min(settled.amount, max(surplus, Decimal(0))), settled.currency)
    parts = [(AccountKind.STORE_SURPLUS, too_much), (AccountKind.STORE_PAYABLE, settled - too_much)]
    return [(kind, part) for kind, part in parts if part.amount > 0]


def hold_refund(batch: WriteBatch, refund: Refund, sources: Iterable[RefundSource]) -> None:
    """Hold the amount, one pending transfer for each source, and remember the first on the refund (not saved here)."""
    moves = _moves(refund, sources, pending=True)
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
        moves = _moves(refund, split_by_source(refund.charge, refund.amount))
        _book(batch, refund, "post", _kind(refund), [*moves, *_fee(refund, fee)])
    return sum((move.amount.amount for move in moves if move.debit.kind is _UNAPPLIED), start=Decimal(0))


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
    moves = [
        Move(debit=credit, credit=debit, amount=Money(amount, currency_of(debit.currency)))
        for (debit, credit), amount in given.items()
        if amount > 0
    ]
    _book(batch, refund, "back", "refund_failed_late", moves)
    return sum((move.amount.amount for move in moves if move.credit.kind is _UNAPPLIED), start=Decimal(0))


def book_fee(batch: WriteBatch, refund: Refund, fee: Money) -> None:
    """A fee that was told after the refund itself."""
    _book(batch, refund, "fee", "refund_fee", _fee(refund, fee))


def _kind(refund: Refund) -> str:
    """The books tell a payment that was undone from money that was sent anew, and from money that never left us."""
    if refund.charge.provider == WALLET:
        return f"{WALLET}_refund"
    return "refund_payout" if refund.books_as == Refund.BooksAs.PAYOUT else "refund_reversal"


def standing_of(charge: Charge, currency: str = "") -> dict[AccountKind, Decimal]:
    """What the charge brought to each account less what its refunds and disputes took or hold, in its own currency or
    the one named."""
    currency = currency or charge.currency
    names = [charge.public_id, *(refund.public_id for refund in charge.refunds.only("pk"))]
    names += [dispute.public_id for dispute in charge.disputes.only("pk")]
    owner = charge.payment_intent.store.public_id
    found = dict.fromkeys(_REASONS, Decimal(0))
    for transfer in _transfers(names):
        if transfer.currency != currency:
            continue
        if transfer.phase in _MOVED and (kind := _own_kind(transfer.credit_account, owner)):
            found[kind] += transfer.amount
        held = transfer.phase == _Phase.PENDING and not hasattr(transfer, "resolution")
        if (transfer.phase in _MOVED or held) and (kind := _own_kind(transfer.debit_account, owner)):
            found[kind] -= transfer.amount
    return found


def _given(refund: Refund) -> dict[tuple[AccountRef, AccountRef], Decimal]:
    """What has moved for this refund from account to account, fees apart, less what moved back."""
    found: dict[tuple[AccountRef, AccountRef], Decimal] = {}
    for transfer in _transfers([refund.public_id]):
        debit, credit = _ref(transfer.debit_account), _ref(transfer.credit_account)
        if transfer.phase not in _MOVED or debit.kind is AccountKind.PROVIDER_FEES:
            continue
        if (credit, debit) in found:
            found[credit, debit] -= transfer.amount
        else:
            found[debit, credit] = found.get((debit, credit), Decimal(0)) + transfer.amount
    return found


def _ref(account: LedgerAccount) -> AccountRef:
    return AccountRef(AccountKind(account.kind), account.owner, account.currency, account.livemode)


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
    return [
        (
            row.pk,
            Move(
                debit=_ref(row.debit_account),
                credit=_ref(row.credit_account),
                amount=Money(row.amount, currency_of(row.currency)),
                phase="pending",
            ),
        )
        for row in rows.select_related("debit_account", "credit_account").order_by("pk")
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


def _moves(refund: Refund, sources: Iterable[RefundSource], *, pending: bool = False) -> list[Move]:
    return [
        move
        for source in sources
        for move in (
            _exchange_back(refund, source.amount, pending=pending)
            if is_exchanged(refund.charge) and AccountKind(source.account) is not _UNAPPLIED
            else [_move(refund, AccountKind(source.account), source.amount, pending=pending)]
        )
    ]


def _exchange_back(refund: Refund, amount: Money, *, pending: bool) -> list[Move]:
    """What the store was credited in the intent's currency, and what goes back in the charge's."""
    charge = refund.charge
    phase: Literal["posted", "pending"] = "pending" if pending else "posted"
    settled = Money(refund.settles_amount or 0, charge.payment_intent.amount.currency)
    currency = settled.currency.code
    owner = refund.store.public_id
    back = trading_account(charge, currency)
    return [
        *(
            Move(debit=AccountRef(kind, owner, currency, refund.livemode), credit=back, amount=part, phase=phase)
            for kind, part in split_settled(charge, settled)
        ),
        Move(debit=trading_account(charge, refund.currency), credit=_clearing(refund), amount=amount, phase=phase),
    ]


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
