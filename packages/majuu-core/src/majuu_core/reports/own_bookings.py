"""What a provider does by itself, booked from the lines of its own list: money to the bank, fees of no payment, and
the exchange of what customers paid in another currency.

Each line is booked once, for good, under a key made of its account and its own id; closing the day again finds it
there. So the provider's clearing account shows what the provider still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from majuu_core.common.money import Money
from majuu_core.configuration import trust_accounts
from majuu_core.database.batch import WriteBatch
from majuu_core.ledger.chart import PLATFORM, AccountKind, AccountRef, fx_trading
from majuu_core.ledger.exceptions import DuplicateTransaction
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.services import Move, add_transaction, ledger_errors
from majuu_core.merchants.models import ProviderAccount
from majuu_core.reports.matching import AMOUNT_DIFFERS, IN, Finding, Line, Record

_PIECE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One line as the books have it."""

    line: Line
    kind: str
    moves: Sequence[Move]
    description: str


def book_own_lines(
    account: ProviderAccount, own: Iterable[Line], exchanged: Iterable[tuple[Line, Record]]
) -> tuple[int, list[Finding]]:
    """Book these lines, each once; returns how many are new, and those that were booked with another amount before.

    A platform with trust accounts books what reaches its banks itself, from their statements: its payouts are left
    out. Not within a transaction: another run of the close may be booking the same line.
    """
    booked_by_hand = account.store_id is None and bool(trust_accounts())
    entries = [_own(account, line) for line in own if not (line.stands_alone and booked_by_hand)]
    entries += [_exchange(account, line, record) for line, record in exchanged]
    known = _known(account, entries) if entries else {}
    new: list[_Entry] = []
    findings: list[Finding] = []
    for entry in entries:
        booked = known.get(_key(account, entry.line))
        if booked is None:
            new.append(entry)
        elif booked not in [(move.amount.amount, move.amount.currency.code) for move in entry.moves]:
            findings.append(_differs(entry, Money(*booked)))
    pieces = (new[start : start + _PIECE] for start in range(0, len(new), _PIECE))
    return sum(_record(account, piece) for piece in pieces), findings


def _known(account: ProviderAccount, entries: Sequence[_Entry]) -> dict[str, tuple[object, str]]:
    """Key to the first amount that was booked under it."""
    keys = [_key(account, entry.line) for entry in entries]
    rows = LedgerTransaction.objects.filter(key__in=keys).order_by("-transfers__pk")
    return {
        key: (amount, currency)
        for key, amount, currency in rows.values_list("key", "transfers__amount", "transfers__currency")
    }


def _record(account: ProviderAccount, entries: Sequence[_Entry]) -> int:
    """Book them together; one by one, if another run was faster with any of them."""
    batch = WriteBatch()
    for entry in entries:
        add_transaction(
            batch,
            key=_key(account, entry.line),
            kind=entry.kind,
            reference=entry.line.line_id,
            livemode=account.livemode,
            moves=entry.moves,
            description=entry.description,
        )
    try:
        with ledger_errors(), transaction.atomic():
            batch.execute()
    except DuplicateTransaction:
        return sum(_record(account, [entry]) for entry in entries) if len(entries) > 1 else 0
    return len(entries)


def _key(account: ProviderAccount, line: Line) -> str:
    return f"{account.public_id}:{line.line_id}"


def _own(account: ProviderAccount, line: Line) -> _Entry:
    clearing, fees = _clearing(account, line.amount), _fees(account, line.amount)
    if line.stands_alone:
        owner = account.store.merchant.public_id if account.store else PLATFORM
        bank = AccountRef(AccountKind.BANK, owner, line.amount.currency.code, account.livemode)
        kept = [] if line.fee is None else _between(fees, clearing, line.fee)
        text = f"Payout {line.payout_reference} {'came back' if line.direction == IN else 'to the bank'}"
        return _Entry(line=line, kind="bank_payout", moves=[_out(bank, clearing, line), *kept], description=text)
    return _Entry(
        line=line, kind="provider_fee", moves=[_out(fees, clearing, line)], description=f"The provider's {line.receipt}"
    )


def _exchange(account: ProviderAccount, line: Line, record: Record) -> _Entry:
    """What the customer paid leaves the clearing account in its own currency and comes to it in the settled one."""
    paid, settled = record.amount, line.amount
    codes = paid.currency.code, settled.currency.code
    given = fx_trading(codes[0], codes[1], livemode=account.livemode)
    taken = fx_trading(codes[1], codes[0], livemode=account.livemode)
    sign = 1 if line.direction == IN else -1
    moves = [
        *_between(taken, _clearing(account, settled), -sign * settled),
        *_between(given, _clearing(account, paid), sign * paid),
    ]
    return _Entry(line=line, kind="settled_exchange", moves=moves, description=f"Settles {record.object_id}")


def _out(to: AccountRef, clearing: AccountRef, line: Line) -> Move:
    """The line's amount away from the clearing account, or back to it."""
    debit, credit = (clearing, to) if line.direction == IN else (to, clearing)
    return Move(debit=debit, credit=credit, amount=line.amount)


def _between(debit: AccountRef, credit: AccountRef, amount: Money) -> list[Move]:
    """A signed amount as a move; none for nothing."""
    if not amount.amount:
        return []
    if amount.amount < 0:
        debit, credit = credit, debit
    return [Move(debit=debit, credit=credit, amount=abs(amount))]


def _clearing(account: ProviderAccount, amount: Money) -> AccountRef:
    return AccountRef(AccountKind.PROVIDER_CLEARING, account.public_id, amount.currency.code, livemode=account.livemode)


def _fees(account: ProviderAccount, amount: Money) -> AccountRef:
    owner = account.store.public_id if account.store else PLATFORM
    return AccountRef(AccountKind.PROVIDER_FEES, owner, amount.currency.code, livemode=account.livemode)


def _differs(entry: _Entry, booked: Money) -> Finding:
    line = entry.line
    return Finding(
        kind=AMOUNT_DIFFERS,
        direction=line.direction,
        receipt=line.receipt,
        occurred_at=line.occurred_at,
        line_pk=line.pk,
        part="booked",
        here=booked,
        there=line.amount,
        detail="It was booked with another amount before the statement changed.",
    )
