"""One receipt, two sides: every way they can disagree, and no order matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from moneyed import KES, Money

from majuu_core.reports.matching import (
    AMOUNT_DIFFERS,
    DUPLICATE,
    IN,
    MATCHED,
    MISSING_HERE,
    MISSING_THERE,
    OUT,
    Line,
    Nameless,
    Record,
    judge,
    names_phone,
    pair_nameless,
)

AT = datetime(2026, 1, 10, 9, tzinfo=UTC)


def kes(amount: int | str) -> Money:
    return Money(amount, KES)


def line(pk: int = 1, amount: int = 100, *, kind: str = "charge", direction: str = IN, leg: int = 1, **more) -> Line:
    return Line(
        pk=pk,
        receipt=more.pop("receipt", "UBO1"),
        kind=kind,
        direction=direction,
        amount=kes(amount),
        occurred_at=more.pop("at", AT),
        leg=leg,
        **more,
    )


def record(amount: int = 100, *, object_id: str = "ch_1", direction: str = IN, **more) -> Record:
    booked = more.pop("booked", amount)
    return Record(
        object_id=object_id,
        receipt="UBO1",
        direction=direction,
        amount=kes(amount),
        occurred_at=AT,
        booked=None if booked is None else kes(booked),
        **more,
    )


def found(judgement) -> list[tuple[str, str, int | None]]:
    return [(item.kind, item.object_id, item.line_pk) for item in judgement.findings]


def test_equal_sides_match() -> None:
    judgement = judge([line()], [record()])
    assert (judgement.outcomes, judgement.findings) == ({1: MATCHED}, [])


def test_a_line_alone_is_missing_here() -> None:
    judgement = judge([line()], [])
    assert judgement.outcomes == {1: MISSING_HERE}
    assert found(judgement) == [(MISSING_HERE, "", 1)]
    assert (judgement.findings[0].here, judgement.findings[0].there) == (None, kes(100))


def test_a_record_alone_is_missing_there() -> None:
    judgement = judge([], [record()])
    assert found(judgement) == [(MISSING_THERE, "ch_1", None)]
    assert (judgement.findings[0].here, judgement.findings[0].there) == (kes(100), None)


def test_another_amount_differs() -> None:
    judgement = judge([line(amount=90)], [record(100)])
    assert judgement.outcomes == {1: AMOUNT_DIFFERS}
    assert (judgement.findings[0].here, judgement.findings[0].there) == (kes(100), kes(90))


def test_another_currency_differs() -> None:
    other = Line(pk=1, receipt="UBO1", kind="charge", direction=IN, amount=Money(100, "USD"), occurred_at=AT)
    assert judge([other], [record(100)]).outcomes == {1: AMOUNT_DIFFERS}


def test_the_ledger_must_hold_it_too() -> None:
    unbooked, other = judge([line()], [record(booked=None)]), judge([line()], [record(booked=99)])
    assert (unbooked.outcomes, other.outcomes) == ({1: AMOUNT_DIFFERS}, {1: AMOUNT_DIFFERS})
    assert unbooked.findings[0].detail == "The ledger has no booking of it."
    assert other.findings[0].here == kes(99)


def test_a_second_posting_is_a_duplicate() -> None:
    judgement = judge([line(1), line(2, leg=2)], [record()])
    assert judgement.outcomes == {1: MATCHED, 2: DUPLICATE}
    assert found(judgement) == [(DUPLICATE, "", 2)]


def test_a_second_posting_of_what_is_missing_is_a_duplicate_of_it() -> None:
    assert judge([line(1), line(2, leg=2)], []).outcomes == {1: MISSING_HERE, 2: DUPLICATE}


def test_the_posting_with_our_amount_is_the_one_that_matches() -> None:
    judgement = judge([line(1, 90), line(2, 100, leg=2)], [record(100)])
    assert judgement.outcomes == {1: DUPLICATE, 2: MATCHED}


def test_recorded_twice_is_a_duplicate() -> None:
    judgement = judge([line()], [record(), record(object_id="in_1")])
    assert judgement.outcomes == {1: MATCHED}
    assert found(judgement) == [(DUPLICATE, "in_1", None)]


def test_money_in_is_not_matched_with_money_out() -> None:
    judgement = judge([line(direction=OUT, kind="payout")], [record()])
    assert found(judgement) == [(MISSING_THERE, "ch_1", None), (MISSING_HERE, "", 1)]


def test_a_fee_line_belongs_to_its_transaction() -> None:
    lines = [line(1, direction=OUT, kind="payout"), line(2, 23, direction=OUT, kind="fee")]
    judgement = judge(lines, [record(direction=OUT, fee=kes(23))])
    assert (judgement.outcomes, judgement.findings, judgement.unbooked_fees) == ({1: MATCHED, 2: MATCHED}, [], [])


def test_a_fee_nobody_told_is_no_difference_and_to_be_booked() -> None:
    lines = [line(1, direction=OUT, kind="payout"), line(2, 23, direction=OUT, kind="fee")]
    payout = record(direction=OUT)
    judgement = judge(lines, [payout])
    assert (judgement.outcomes, judgement.findings) == ({1: MATCHED, 2: MATCHED}, [])
    assert (judgement.late_fees, judgement.unbooked_fees) == ([(payout.object_id, kes(23))], [])


def test_a_fee_of_money_without_an_intent_is_counted_only() -> None:
    judgement = judge([line(1, fee=kes(3))], [record(keeps_fees=False)])
    assert (judgement.outcomes, judgement.late_fees, judgement.unbooked_fees) == ({1: MATCHED}, [], [kes(3)])


def test_another_fee_differs() -> None:
    lines = [line(1, direction=OUT, kind="payout"), line(2, 23, direction=OUT, kind="fee")]
    judgement = judge(lines, [record(direction=OUT, fee=kes(28))])
    assert judgement.outcomes == {1: MATCHED, 2: AMOUNT_DIFFERS}
    assert (judgement.findings[0].here, judgement.findings[0].there) == (kes(28), kes(23))


def test_a_fee_kept_from_the_line_itself_is_the_fee() -> None:
    assert judge([line(fee=kes(3))], [record(fee=kes(3))]).findings == []
    assert len(judge([line(fee=kes(3))], [record(fee=kes(4))]).findings) == 1


def test_a_fee_without_its_transaction_is_missing_here_once() -> None:
    alone = judge([line(1, 23, kind="fee", direction=OUT)], [])
    both = judge([line(1, kind="payout", direction=OUT), line(2, 23, kind="fee", direction=OUT)], [])
    assert found(alone) == [(MISSING_HERE, "", 1)]
    assert (found(both), both.outcomes) == ([(MISSING_HERE, "", 1)], {1: MISSING_HERE, 2: MISSING_HERE})


def test_differences_of_amount_and_fee_of_one_payout_are_two() -> None:
    lines = [line(1, 90, direction=OUT, kind="payout"), line(2, 23, direction=OUT, kind="fee")]
    keys = {item.key for item in judge(lines, [record(direction=OUT, fee=kes(28))]).findings}
    assert len(keys) == 2


LINES = st.lists(
    st.builds(
        line,
        amount=st.integers(1, 3),
        kind=st.sampled_from(["charge", "fee", "payout"]),
        direction=st.sampled_from([IN, OUT]),
        leg=st.integers(1, 3),
        at=st.integers(0, 2).map(lambda seconds: AT + timedelta(seconds=seconds)),
    ),
    max_size=4,
)
RECORDS = st.lists(
    st.builds(
        record, amount=st.integers(1, 3), direction=st.sampled_from([IN, OUT]), booked=st.sampled_from([1, 2, None])
    ),
    max_size=3,
)


def numbered(lines: list[Line], records: list[Record]) -> tuple[list[Line], list[Record]]:
    """With keys of their own, as the database gives them."""
    return (
        [replace(item, pk=number, leg=number + 1) for number, item in enumerate(lines)],
        [replace(item, object_id=f"ch_{number}") for number, item in enumerate(records)],
    )


@given(LINES, RECORDS)
def test_every_line_ends_in_exactly_one_way_and_order_does_not_matter(lines, records) -> None:
    lines, records = numbered(lines, records)
    first = judge(lines, records)
    assert set(first.outcomes) == {item.pk for item in lines}
    # every difference has a key of its own
    assert len({item.key for item in first.findings}) == len(first.findings)
    for some_lines in permutations(lines):
        again = judge(some_lines, reversed(records))
        assert (again.outcomes, again.findings) == (first.outcomes, first.findings)


@given(LINES, RECORDS)
def test_nothing_is_lost_between_the_sides(lines, records) -> None:
    """Principal lines: matched or told. Records: as many are matched as lines are, all others are told."""
    lines, records = numbered(lines, records)
    judgement = judge(lines, records)
    told_lines = {item.line_pk for item in judgement.findings}
    principal = [item for item in lines if item.kind != "fee"]
    assert all(judgement.outcomes[item.pk] == MATCHED or item.pk in told_lines for item in principal)
    matched = sum(judgement.outcomes[item.pk] == MATCHED for item in principal)
    told_records = {item.object_id for item in judgement.findings if item.object_id}
    assert len(records) - len(told_records) <= matched


def nameless(object_id: str = "ch_1", amount: int = 100, phone: str = "254712345678", minutes: int = 0) -> Nameless:
    at = AT + timedelta(minutes=minutes)
    return Nameless(object_id=object_id, amount=kes(amount), started_at=at, phone=phone)


def test_a_nameless_charge_is_known_by_amount_time_and_phone() -> None:
    one = line(counterparty="254712345678 - JANE", at=AT + timedelta(minutes=1))
    assert pair_nameless([one], [nameless()]) == [(one, nameless())]
    assert pair_nameless([one], [nameless(amount=99)]) == []
    assert pair_nameless([one], [nameless(phone="254712345679")]) == []
    assert pair_nameless([one], [nameless(minutes=-15)]) == []
    assert pair_nameless([one], [nameless(minutes=4)]) == []


def test_two_alike_are_paired_with_the_nearest_and_each_once() -> None:
    lines = [
        line(pk, receipt=f"UBO{pk}", counterparty="0712345678 JANE", at=AT + timedelta(minutes=pk)) for pk in (1, 5)
    ]
    charges = [nameless("ch_1"), nameless("ch_5", minutes=4)]
    for some in (lines, lines[::-1]):
        pairs = {(item.receipt, charge.object_id) for item, charge in pair_nameless(some, charges)}
        assert pairs == {("UBO1", "ch_1"), ("UBO5", "ch_5")}
    assert len(pair_nameless(lines, charges[:1])) == 1


def test_phones_are_compared_masked_and_plain() -> None:
    phone = "254712345678"
    assert all(
        names_phone(text, phone) for text in ("254712345678 - A", "0712345678", "2547*****678 - A", "2547 ***** 678")
    )
    assert not any(
        names_phone(text, phone) for text in ("", "JANE", "254712345679", "2547*****679", "*********", "2541*****678")
    )
    assert not names_phone("254712345678", "")
