"""A payout by M-Pesa from end to end: held, sent over real HTTP, told by the simulated Daraja, booked or given back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from majuu_core.payments.models import Payout
from majuu_core.payments.outgoing_follow_ups import follow_up_outgoing
from majuu_core.payments.payout_sending import PAYOUTS
from tests.sandbox.daraja_office import Office


def ask(office: Office, payout: Payout) -> None:
    """Ask Daraja what became of it, and hear the answer."""
    follow_up_outgoing(PAYOUTS, payout.pk)
    office.deliver(office.wait())


@pytest.mark.parametrize(
    ("fault", "at_once", "asked", "money"),
    [
        ("normal", "succeeded", "succeeded", 500),
        ("duplicate", "succeeded", "succeeded", 500),
        ("timeout_after_commit", "succeeded", "succeeded", 500),
        ("accepted_5xx", "succeeded", "succeeded", 500),
        ("lost", "pending", "succeeded", 500),
        ("insufficient", "failed", "failed", 0),
        ("not_registered", "failed", "failed", 0),
        ("internal_failure", "pending", "failed", 0),
    ],
)
def test_a_payout_ends_as_the_money_did(office: Office, fault: str, at_once: str, asked: str, money: int) -> None:
    """Given any trouble on the way, when results and status queries are in, then books and Daraja agree."""
    office.sim.script(fault, operation="b2c_payment")
    payout = office.send("500")

    office.deliver(office.wait())

    payout.refresh_from_db()
    assert payout.status == at_once
    for _ in range(2):
        ask(office, payout)
    payout.refresh_from_db()
    moved = office.sim.movements()
    assert (payout.status, payout.is_parked) == (asked, False)
    assert sum(one.amount for one in moved) == Decimal(money)
    assert (payout.receipt or "") == (moved[0].receipt if moved else "")


def test_a_status_query_that_is_refused_gives_no_money_back(office: Office) -> None:
    """Given a paid payout whose result was lost, when the question is refused for its password, it stays open."""
    office.sim.script("lost", operation="b2c_payment")
    payout = office.send("500")
    office.deliver(office.wait())
    office.sim.script("initiator_wrong", operation="transaction_status")

    ask(office, payout)

    payout.refresh_from_db()
    assert payout.status in ("pending", "unknown")
    ask(office, payout)
    payout.refresh_from_db()
    assert payout.status == "succeeded"
