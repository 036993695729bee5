"""Lines of a statement that belong to disputes: known ones are no difference, others are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.reports.matching import Line, Record, judge
from majuu_core.reports.sources import disputed_receipts
from tests.core.payments.dispute_support import hear_of, told
from tests.core.payments.support import Till

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


def line(pk: int, kind: str, direction: str, amount: str, receipt: str = "disp_1") -> Line:
    return Line(pk=pk, receipt=receipt, kind=kind, direction=direction, amount=Money(amount, "KES"), occurred_at=AT)


def test_a_known_disputes_lines_are_matched_and_an_unknown_ones_missing() -> None:
    lines = [line(1, "dispute", "out", "1500"), line(2, "dispute", "in", "1500"), line(3, "dispute", "out", "400")]
    known = judge(lines, [], disputed=True)
    assert (known.outcomes, known.findings) == ({1: "matched", 2: "matched", 3: "matched"}, [])
    unknown = judge(lines[:1], [])
    assert unknown.outcomes == {1: "missing_here"}
    assert [finding.detail for finding in unknown.findings] == ["No dispute here goes by this reference."]


def test_they_do_not_disturb_their_payment() -> None:
    paid = Record(
        object_id="ch_1",
        receipt="R1",
        direction="in",
        amount=Money("1500", "KES"),
        occurred_at=AT,
        booked=Money("1500", "KES"),
    )
    lines = [line(1, "charge", "in", "1500", "R1"), line(2, "dispute", "out", "1500", "R1")]
    judgement = judge(lines, [paid], disputed=True)
    assert (judgement.outcomes, judgement.findings) == ({1: "matched", 2: "matched"}, [])


@pytest.mark.django_db
def test_a_dispute_is_known_by_its_own_reference_and_its_payments(virtual_clock: VirtualClock) -> None:
    till = Till()
    _, charge = till.pay_new("1500")
    hear_of(till, told(charge, withdrawn="1500"))
    names = ["disp_1", charge.provider_reference or "", charge.receipt or "", "elsewhere"]
    assert disputed_receipts(till.account, names) == set(names[:3])
    assert disputed_receipts(Till().account, names) == set()
