"""A payment that only the statement knows is taken in, and the next close is content."""

from __future__ import annotations

import pytest

from majuu_core.common.problems import Conflict
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.models import IncomingPayment
from majuu_core.payments.notices import APPLIED, Verdict, parked
from majuu_core.providers import IncomingMoney
from majuu_core.reports.intake import may_be_taken_in, take_into_intake
from majuu_core.reports.models import Mismatch
from tests.core.reports.desk import NOON, Desk, at, kes


def test_it_is_taken_in_and_the_difference_disappears(desk: Desk) -> None:
    seen: list[tuple[ProviderAccount, IncomingMoney]] = []

    def take_in(account: ProviderAccount, money: IncomingMoney) -> Verdict:
        seen.append((account, money))
        desk.incoming(money.receipt, money.amount.amount, source="statement")
        return APPLIED

    desk.bring(f"UA01,{NOON},100,,254712345678 - JANE")
    desk.close()
    row = Mismatch.objects.get()
    assert may_be_taken_in(row)
    assert take_into_intake(mismatch=row, receiver="174379", take_in=take_in) == APPLIED
    ((account, money),) = seen
    assert account == desk.account
    assert (money.receipt, money.amount, money.receiver) == ("UA01", kes(100), "174379")
    assert (money.occurred_at, money.payer_name, money.payer_phone) == (at(NOON), "254712345678 - JANE", "")
    desk.close()
    assert desk.open_ones() == []


@pytest.mark.parametrize("line", [f"UA01,{NOON},-100", f"UA01,{NOON},100,adjustment", f"UA01,{NOON},5,fee"])
def test_nothing_else_can_be_taken_in(desk: Desk, line: str) -> None:
    desk.bring(line)
    desk.close()
    row = Mismatch.objects.get()
    assert not may_be_taken_in(row)
    with pytest.raises(Conflict) as caught:
        take_into_intake(mismatch=row, receiver="174379", take_in=lambda *_: APPLIED)
    assert caught.value.code == "mismatch_not_incoming"


def test_what_the_intake_refuses_is_said(desk: Desk) -> None:
    desk.bring(f"UA01,{NOON},100")
    desk.close()
    row = Mismatch.objects.get()
    with pytest.raises(Conflict) as caught:
        take_into_intake(mismatch=row, receiver="1", take_in=lambda *_: parked("It went to another shortcode."))
    assert (caught.value.code, caught.value.message) == ("intake_refused", "It went to another shortcode.")
    row.refresh_from_db()
    assert (row.state, IncomingPayment.objects.count()) == ("open", 0)
