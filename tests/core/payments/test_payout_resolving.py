"""A person settles what nobody could find out."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Payout
from majuu_core.payments.outgoing import apply_outgoing
from majuu_core.payments.payout_resolving import resolve_payout
from majuu_core.payments.payout_sending import PAYOUTS
from majuu_core.providers import Result, ResultStatus
from tests.core.payments.payout_support import Paymaster

LINE = "line 7 of the statement of today"


def command(payout: str, *options: str) -> str:
    out = StringIO()
    call_command("majuu_resolve_payout", payout, *options, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("option", "status", "owed"), [("--succeeded", "succeeded", Decimal(-7733)), ("--failed", "failed", Decimal(0))]
)
def test_an_open_payout_is_settled(paymaster: Paymaster, option: str, status: str, owed: Decimal) -> None:
    payout = paymaster.send("7733")
    assert (
        command(payout.public_id, option, "--reason", LINE, "--receipt", "R9") == f"{payout.public_id} is {status}.\n"
    )
    payout.refresh_from_db()
    assert (payout.status, payout.is_parked, payout.follow_up_at) == (status, False, None)
    assert paymaster.books() == (owed, Decimal(0))
    entry = AuditEntry.objects.get(action="payout.resolved")
    assert entry.changes == {"outcome": ["unknown", status], "reason": LINE, "receipt": "R9"}
    assert list(find_problems()) == []


def test_a_doubt_that_was_settled_does_not_come_back(paymaster: Paymaster) -> None:
    """Given a payout parked for its amount and settled, when the provider repeats itself, then it stays settled."""
    payout = paymaster.send("7751")
    done = resolve_payout(payout=payout, succeeded=True, reason=LINE)
    assert (done.status, done.is_parked) == ("succeeded", False)
    apply_outgoing(PAYOUTS, payout.pk, Result(status=ResultStatus.SUCCEEDED, amount=Money(7750, "KES")))
    done.refresh_from_db()
    assert (done.status, done.is_parked, paymaster.books()) == ("succeeded", False, (Decimal(-7751), Decimal(0)))


@pytest.mark.parametrize(
    ("amount", "arguments", "kind", "code"),
    [
        ("7733", {"succeeded": True, "reason": " x "}, Invalid, "reason_missing"),
        ("1500", {"succeeded": True, "reason": LINE}, Conflict, "payout_settled"),
        ("60000", {"succeeded": True, "reason": LINE}, Conflict, "payout_waits"),
    ],
)
def test_what_cannot_be_settled(
    paymaster: Paymaster, amount: str, arguments: dict[str, Any], kind: type[Conflict | Invalid], code: str
) -> None:
    payout = paymaster.send(amount)
    before = Payout.objects.filter(pk=payout.pk).values().get()
    with pytest.raises(kind) as refused:
        resolve_payout(payout=payout, **arguments)
    assert refused.value.code == code
    assert Payout.objects.filter(pk=payout.pk).values().get() == before


def test_sent_money_is_not_made_unsent(paymaster: Paymaster) -> None:
    payout = paymaster.send("1500")
    apply_outgoing(PAYOUTS, payout.pk, Result(status=ResultStatus.SUCCEEDED, amount=Money(1, "KES")))
    with pytest.raises(Conflict):
        resolve_payout(payout=payout, succeeded=False, reason=LINE)
    assert resolve_payout(payout=payout, succeeded=True, reason=LINE).is_parked is False


def test_a_payout_that_is_none(db: None) -> None:
    with pytest.raises(CommandError, match="There is no payout"):
        command("po_nothing", "--failed", "--reason", LINE)
