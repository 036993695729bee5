"""What disputes mean in the books, as differences from what is booked already.

While the provider holds money back it stands on ``disputes_held`` (an asset: it may come back) instead of its clearing
account, and on ``disputes_reserve`` (still owed to the store, if it wins) instead of what the store has earned. A win
undoes both. A loss closes one against the other: the store has less, and so has the provider. What a store owes then,
because it was paid out already, is a balance below zero on ``store_payable``.

Money that waits for a decision goes first, as for refunds. What an exchanged charge settled is taken in the intent's
currency, through the trading account of the pair.

What is booked is read from the dispute's own transfers, so it cannot differ from the books. The charge is locked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from moneyed import Money

from majuu_core.common.money import currency_of
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import AccountKind, AccountRef
from majuu_core.ledger.models import LedgerTransaction, LedgerTransfer
from majuu_core.ledger.services import Move, add_transaction
from majuu_core.payments.dispute_facts import DisputeFacts
from majuu_core.payments.exchange import dispute_settles, is_exchanged, trading_account
from majuu_core.payments.models import Dispute
from majuu_core.payments.refund_bookings import standing_of

_CLEARING, _HELD = AccountKind.PROVIDER_CLEARING, AccountKind.DISPUTES_HELD
_PAYABLE, _RESERVE = AccountKind.STORE_PAYABLE, AccountKind.DISPUTES_RESERVE
_UNAPPLIED, _TRADING = AccountKind.STORE_UNAPPLIED, AccountKind.FX_TRADING
_FEES = AccountKind.PROVIDER_FEES
_OF_PROVIDER = frozenset({_CLEARING, _HELD})


@dataclass(slots=True)
class Booked:
    """What the books hold of one dispute: withdrawn in all, the part of it that is lost, and fees by currency.

    ``unapplied`` is the part of what is withdrawn that waited for a decision; ``settled`` is what an exchanged charge
    had settled of it, in the intent's currency.
    """

    withdrawn: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    unapplied: Decimal = Decimal(0)
    settled: Decimal = Decimal(0)
    fees: dict[str, Decimal] = field(default_factory=dict)


def read_booked(dispute: Dispute) -> Booked:
    """Add up the dispute's own transfers."""
    found = Booked()
    rows = LedgerTransfer.objects.filter(transaction__reference=dispute.public_id)
    for row in rows.values_list("debit_account__kind", "credit_account__kind", "currency", "amount"):
        debit, credit, currency, amount = row
        if {debit, credit} == {_CLEARING, _HELD}:
            found.withdrawn += amount if debit == _HELD else -amount
        elif {debit, credit} == {_RESERVE, _HELD}:
            found.lost += amount if debit == _RESERVE else -amount
        elif {debit, credit} == {_UNAPPLIED, _RESERVE}:
            found.unapplied += amount if debit == _UNAPPLIED else -amount
        elif {debit, credit} == {_PAYABLE, _TRADING}:
            found.settled += amount if debit == _PAYABLE else -amount
        elif _FEES in (debit, credit):
            signed = amount if debit == _FEES else -amount
            found.fees[currency] = found.fees.get(currency, Decimal(0)) + signed
    return found


def book_difference(batch: WriteBatch, dispute: Dispute, facts: DisputeFacts) -> Decimal:
    """Book what the facts say beyond what is booked. Returns how much more is withdrawn; below zero: came back."""
    booked = read_booked(dispute)
    withdrawn, lost = facts.withdrawn - booked.withdrawn, facts.lost - booked.lost
    moves = [
        *_moves(dispute, _HELD, _CLEARING, withdrawn, dispute.currency),
        *_set_aside(dispute, withdrawn, facts, booked),
        *_moves(dispute, _RESERVE, _HELD, lost, dispute.currency),
    ]
    fees = {**dict.fromkeys(booked.fees, Decimal(0)), **({facts.fee_currency: facts.fee} if facts.fee_currency else {})}
    for currency, fee in sorted(fees.items()):
        moves += _moves(dispute, _FEES, _CLEARING, fee - booked.fees.get(currency, Decimal(0)), currency)
    if moves:
        before = LedgerTransaction.objects.filter(reference=dispute.public_id).count()
        add_transaction(
            batch,
            key=f"{dispute.public_id}:{before + 1}",
            kind=_kind(withdrawn, lost),
            reference=dispute.public_id,
            livemode=dispute.livemode,
            moves=moves,
        )
    return withdrawn


def _set_aside(dispute: Dispute, withdrawn: Decimal, facts: DisputeFacts, booked: Booked) -> list[Move]:
    """The store's side of what is withdrawn, and of what comes back."""
    if not withdrawn:
        return []
    unapplied = _from_unapplied(dispute, withdrawn, booked)
    moves, rest = _moves(dispute, _UNAPPLIED, _RESERVE, unapplied, dispute.currency), withdrawn - unapplied
    charge = dispute.charge
    if not is_exchanged(charge) or dispute.currency != charge.currency:
        return [*moves, *_moves(dispute, _PAYABLE, _RESERVE, rest, dispute.currency)]
    currency = charge.payment_intent.currency
    settled = dispute_settles(charge, facts.withdrawn) - booked.settled
    moves += _between(_account(dispute, _PAYABLE, currency), trading_account(charge, currency), settled)
    return [
        *moves,
        *_between(trading_account(charge, dispute.currency), _account(dispute, _RESERVE, dispute.currency), rest),
    ]


def _from_unapplied(dispute: Dispute, withdrawn: Decimal, booked: Booked) -> Decimal:
    """How much of it waits for a decision: that goes first, and comes back last."""
    if withdrawn < 0:
        return min(booked.withdrawn + withdrawn - booked.unapplied, Decimal(0))
    if dispute.currency != dispute.charge.currency:
        return Decimal(0)
    return min(withdrawn, max(standing_of(dispute.charge)[_UNAPPLIED], Decimal(0)))


def _kind(withdrawn: Decimal, lost: Decimal) -> str:
    if withdrawn:
        return "dispute_withdrawn" if withdrawn > 0 else "dispute_reinstated"
    if lost:
        return "dispute_lost" if lost > 0 else "dispute_reopened"
    return "dispute_fee"


def _moves(dispute: Dispute, debit: AccountKind, credit: AccountKind, amount: Decimal, currency: str) -> list[Move]:
    """One move, the other way round for an amount below zero."""
    return _between(_account(dispute, debit, currency), _account(dispute, credit, currency), amount)


def _between(debit: AccountRef, credit: AccountRef, amount: Decimal) -> list[Move]:
    if not amount:
        return []
    first, second = (debit, credit) if amount > 0 else (credit, debit)
    return [Move(debit=first, credit=second, amount=Money(abs(amount), currency_of(debit.currency)))]


def _account(dispute: Dispute, kind: AccountKind, currency: str) -> AccountRef:
    owner = dispute.provider_account if kind in _OF_PROVIDER else dispute.store
    return AccountRef(kind=kind, owner=owner.public_id, currency=currency, livemode=dispute.livemode)
