"""Whatever is booked, in whatever order: both sides agree, and the balances are what the transfers add up to."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.money import money_from_minor
from majuu_core.ledger import services
from majuu_core.ledger.chart import AccountKind, AccountRef, Side
from majuu_core.ledger.exceptions import HoldAlreadyResolved, NothingToReverse
from majuu_core.ledger.selectors import balance, balances, statement, trial_balance
from majuu_core.ledger.services import Move, Phase
from tests.core.ledger.books import assert_in_order

KINDS = (AccountKind.PROVIDER_CLEARING, AccountKind.STORE_PAYABLE, AccountKind.PROVIDER_FEES, AccountKind.LOSSES)
CURRENCIES = {"KES": 10**9, "UGX": 10**11, "BHD": 10**9}
ACCOUNTS = [AccountRef(kind, "st_any", currency, False) for kind in KINDS for currency in CURRENCIES]


@st.composite
def moves(draw: st.DrawFn) -> Move:
    currency = draw(st.sampled_from(list(CURRENCIES)))
    debit, credit = draw(st.permutations(KINDS))[:2]
    return Move(
        debit=AccountRef(debit, "st_any", currency, False),
        credit=AccountRef(credit, "st_any", currency, False),
        amount=money_from_minor(draw(st.integers(1, CURRENCIES[currency])), currency),
        phase=draw(st.sampled_from(["posted", "pending"])),
    )


bookings = st.tuples(st.just("book"), st.lists(moves(), min_size=1, max_size=4))
resolutions = st.tuples(st.sampled_from(["post", "void"]), st.integers(0, 9), st.integers(1, 100))
reversals = st.tuples(st.just("reverse"), st.integers(0, 9))
steps = st.lists(st.one_of(bookings, resolutions, reversals), min_size=1, max_size=12)


@dataclass
class Model:
    """What the books should say, kept in plain Python."""

    posted: dict[tuple[AccountRef, Side], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    pending: dict[tuple[AccountRef, Side], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    holds: dict[uuid.UUID, Move] = field(default_factory=dict)
    resolved: set[uuid.UUID] = field(default_factory=set)
    transactions: dict[uuid.UUID, list[tuple[uuid.UUID, Move, str]]] = field(default_factory=dict)

    def add(self, column: dict[tuple[AccountRef, Side], Decimal], move: Move, amount: Decimal) -> None:
        column[move.debit, Side.DEBIT] += amount
        column[move.credit, Side.CREDIT] += amount

    def book(self, key: str, wanted: list[Move]) -> None:
        transfers = services.record_transaction(key=key, kind="booking", reference="any", livemode=False, moves=wanted)
        rows = []
        for transfer, move in zip(transfers, wanted, strict=True):
            rows.append((transfer.pk, move, transfer.phase))
            if move.phase == "pending":
                self.holds[transfer.pk] = move
            self.add(self.pending if move.phase == "pending" else self.posted, move, move.amount.amount)
        self.transactions[transfers[0].transaction_id] = rows

    def resolve(self, key: str, verb: str, which: int, percent: int) -> None:
        if not self.holds:
            return
        hold_id, move = list(self.holds.items())[which % len(self.holds)]
        named: dict[str, Any] = {"key": key, "kind": verb, "reference": "any", "hold_id": hold_id}
        minor = max(1, int(move.amount.get_amount_in_sub_unit()) * percent // 100)
        part = money_from_minor(minor, move.amount.currency.code)
        if hold_id in self.resolved:
            with pytest.raises(HoldAlreadyResolved):
                services.void_hold(**named)
            return
        made = services.post_hold(**named, amount=part) if verb == "post" else services.void_hold(**named)
        self.resolved.add(hold_id)
        self.add(self.pending, move, -move.amount.amount)
        if verb == "post":
            self.add(self.posted, move, part.amount)
        posting = Move(debit=move.debit, credit=move.credit, amount=part)
        self.transactions[made[0].transaction_id] = [(made[0].pk, posting, made[0].phase)]

    def reverse(self, key: str, which: int) -> None:
        if not self.transactions:
            return
        transaction_id = list(self.transactions)[which % len(self.transactions)]
        rows = self.transactions.pop(transaction_id)
        open_holds = [(pk, move) for pk, move, phase in rows if phase == Phase.PENDING and pk not in self.resolved]
        back = [move for _, move, phase in rows if phase in (Phase.POSTED, Phase.POST_PENDING)]
        named: dict[str, Any] = {"transaction_id": transaction_id, "key": key, "kind": "undo", "reference": "any"}
        if not back and not open_holds:
            with pytest.raises(NothingToReverse):
                services.reverse_transaction(**named)
            return
        services.reverse_transaction(**named)
        for pk, move in open_holds:
            self.resolved.add(pk)
            self.add(self.pending, move, -move.amount.amount)
        for move in back:
            self.add(self.posted, Move(debit=move.credit, credit=move.debit, amount=move.amount), move.amount.amount)


def run(sequence: list[Any], clock: VirtualClock) -> Model:
    model = Model()
    for number, (verb, *arguments) in enumerate(sequence):
        clock.advance(1)
        if verb == "book":
            model.book(str(number), *arguments)
        elif verb == "reverse":
            model.reverse(str(number), *arguments)
        else:
            model.resolve(str(number), verb, *arguments)
    return model


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_any_sequence_of_bookings(sequence: list[Any]) -> None:
    with use_clock(VirtualClock()) as clock, transaction.atomic():
        assert isinstance(clock, VirtualClock)
        start = clock.now()
        model = run(sequence, clock)

        for ref, present in balances(ACCOUNTS).items():
            assert present.debits_posted.amount == model.posted[ref, Side.DEBIT]
            assert present.credits_posted.amount == model.posted[ref, Side.CREDIT]
            assert present.debits_pending.amount == model.pending[ref, Side.DEBIT]
            assert present.credits_pending.amount == model.pending[ref, Side.CREDIT]
            assert balance(ref, clock.now()) == present
        for currency in CURRENCIES:
            lines = [line for line in trial_balance(False) if line.debits.currency.code == currency]
            assert sum(line.debits.amount for line in lines) == sum(line.credits.amount for line in lines)
        assert_in_order()
        _assert_statements_join(ACCOUNTS[0], start, clock)
        transaction.set_rollback(True)


def _assert_statements_join(ref: AccountRef, start: Any, clock: VirtualClock) -> None:
    """Cut the time anywhere: one period closes where the next one opens, and lines lead from one to the other."""
    end = clock.now() + timedelta(seconds=1)
    middle = start + (end - start) // 2
    first, second = statement(ref, start, middle), statement(ref, middle, end)

    assert first.closing == second.opening
    for part in (first, second):
        lines = list(part.lines)
        assert (lines[-1].balance if lines else part.opening) == part.closing
    assert second.closing == balance(ref).posted
