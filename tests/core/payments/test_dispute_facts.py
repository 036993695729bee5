"""What is known of a dispute does not depend on the order in which it was told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from majuu_core.payments.dispute_facts import DisputeFacts, hear
from majuu_core.payments.models import Dispute
from majuu_core.payments.transitions import DISPUTE_ORDER, DISPUTE_TRANSITIONS, may_move_dispute
from majuu_core.providers import DisputeReason, DisputeState, DisputeStatus

START = datetime(2026, 5, 4, tzinfo=UTC)
MONEY = st.sampled_from([None, Money("0", "KES"), Money("40", "KES"), Money("100", "KES")])


def state(status: DisputeStatus, second: int, withdrawn: Money | None = None, fee: Money | None = None) -> DisputeState:
    return DisputeState(
        provider_reference="d",
        payment_reference="p",
        status=status,
        reason=DisputeReason.GENERAL,
        amount=Money("100", "KES"),
        opened_at=START,
        withdrawn=withdrawn,
        fee=fee,
        respond_by=START + timedelta(days=second),
        occurred_at=START + timedelta(seconds=second),
    )


def hear_all(states: list[DisputeState]) -> DisputeFacts:
    facts = None
    for item in states:
        assert item.occurred_at is not None
        facts = hear(facts, item, item.occurred_at)
    assert facts is not None
    return facts


STATES = st.builds(state, st.sampled_from(DisputeStatus), st.integers(0, 3), MONEY, MONEY)


@given(states=st.lists(STATES, min_size=1, max_size=4), repeated=st.data())
def test_any_order_and_repetition_ends_in_the_same_facts(states: list[DisputeState], repeated: st.DataObject) -> None:
    expected = hear_all(states)
    again = [*states, *repeated.draw(st.lists(st.sampled_from(states), max_size=3))]
    for order in permutations(range(len(again))) if len(again) <= 4 else [range(len(again))[::-1]]:
        assert hear_all([again[number] for number in order]) == expected


@pytest.mark.parametrize(
    ("words", "withdrawn", "lost"),
    [
        ([("needs_response", 0, None)], "0", "0"),
        ([("needs_response", 0, "100")], "100", "0"),
        ([("needs_response", 0, "100"), ("under_review", 1, None)], "100", "0"),
        ([("needs_response", 0, "100"), ("won", 1, None)], "0", "0"),
        ([("needs_response", 0, "100"), ("won", 1, "100")], "100", "0"),  # won, not yet paid back
        ([("needs_response", 0, "100"), ("won", 1, "100"), ("won", 1, "0")], "0", "0"),
        ([("needs_response", 0, "100"), ("lost", 1, None)], "100", "100"),
        ([("needs_response", 0, "40"), ("lost", 1, None)], "40", "40"),
        ([("needs_response", 0, "0"), ("lost", 1, None)], "100", "100"),
        ([("needs_response", 0, None), ("accepted", 1, None)], "100", "100"),
        ([("needs_response", 0, "0"), ("expired", 1, None)], "0", "0"),  # an inquiry that ended
        ([("needs_response", 0, "100"), ("expired", 1, None)], "100", "100"),
        ([("won", 1, "0"), ("lost", 2, "100")], "100", "100"),
        ([("lost", 1, "100"), ("won", 2, "0")], "0", "0"),
    ],
)
def test_what_is_withdrawn_and_what_is_lost(
    words: list[tuple[str, int, str | None]], withdrawn: str, lost: str
) -> None:
    states = [
        state(DisputeStatus(status), second, None if amount is None else Money(amount, "KES"))
        for status, second, amount in words
    ]
    for order in permutations(states):
        facts = hear_all(list(order))
        assert (facts.withdrawn, facts.lost) == (Decimal(withdrawn), Decimal(lost))


@pytest.mark.parametrize("current", DISPUTE_ORDER)
@pytest.mark.parametrize("target", DISPUTE_ORDER)
def test_later_news_moves_it_anywhere_and_older_news_nowhere(current: str, target: str) -> None:
    later, earlier = START + timedelta(seconds=1), START - timedelta(seconds=1)
    assert may_move_dispute(current, START, target, later) is (current != target)
    assert may_move_dispute(current, START, target, earlier) is False
    further = DISPUTE_ORDER.index(target) > DISPUTE_ORDER.index(current)
    assert may_move_dispute(current, START, target, START) is further


def test_every_status_has_its_transitions() -> None:
    assert set(DISPUTE_TRANSITIONS) == set(DISPUTE_ORDER) == set(Dispute.Status.values)
    assert set(Dispute.Status.values) == {status.value for status in DisputeStatus}
    assert set(Dispute.Reason.values) == {reason.value for reason in DisputeReason}
