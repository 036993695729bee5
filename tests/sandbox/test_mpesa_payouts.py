"""Payouts by M-Pesa over real HTTP to the simulated Daraja, and its results back through our own addresses."""

from __future__ import annotations

import json
from decimal import Decimal

from majuu_core.payments.models import ProviderCall
from majuu_core.payments.payout_sending import run_due_payout_questions
from tests.core.payments.payout_support import told
from tests.sandbox.daraja_office import CUSTOMER as PAYEE
from tests.sandbox.daraja_office import Office

STRANGER, SLOW = "254700000010", "254700000034"  # magic numbers of the simulator


def test_money_reaches_a_phone(office: Office) -> None:
    """Given a number as people write it, then it is sent in full, and Daraja's result settles the payout once."""
    payout = office.send()
    assert (payout.status, payout.destination, payout.purpose) == ("pending", {"phone": PAYEE}, "BusinessPayment")
    assert ProviderCall.objects.filter(about=payout.public_id).exists()
    letters = office.wait()
    office.deliver(letters)
    payout.refresh_from_db()
    assert (payout.status, payout.is_parked) == ("succeeded", False)
    assert payout.receipt == office.sim.movements()[0].receipt
    assert PAYEE in payout.recipient_name
    assert office.paymaster.books() == (Decimal(-1500), Decimal(0))
    office.deliver(letters)
    assert (office.states(), told(payout)) == (["applied", "duplicate"], ["payout.created", "payout.succeeded"])


def test_a_number_that_is_not_on_mpesa_fails(office: Office) -> None:
    """Given a stranger's number, then the payout fails with Daraja's own code, and the money is free again."""
    payout = office.send(phone=STRANGER)
    office.deliver(office.wait())
    payout.refresh_from_db()
    assert (payout.status, office.paymaster.books()) == ("failed", (Decimal(0), Decimal(0)))
    assert payout.provider_failure_code == "SFC_IC0003"


def test_a_lost_result_is_asked_for(office: Office) -> None:
    """Given a result that never arrives, then the janitor asks, and the answer comes to the payout's own address."""
    payout = office.send()
    office.wait()  # lost
    for _ in range(4):
        office.clock.advance(60)
        run_due_payout_questions()
        office.deliver(office.wait())
    payout.refresh_from_db()
    assert (payout.status, office.paymaster.books()) == ("succeeded", (Decimal(-1500), Decimal(0)))
    assert len(office.sim.movements()) == 1


def test_a_queue_timeout_is_not_final(office: Office) -> None:
    """Given a queue timeout and never a result, then the payout stays open and is asked about until it is known."""
    payout = office.send(phone=SLOW)
    office.deliver(office.wait(11))
    payout.refresh_from_db()
    assert (payout.status, payout.follow_up_at is not None) == ("pending", True)
    run_due_payout_questions()
    office.deliver(office.wait())
    payout.refresh_from_db()
    assert (payout.status, office.paymaster.books()) == ("succeeded", (Decimal(-1500), Decimal(0)))


def test_a_forged_result_changes_nothing(office: Office) -> None:
    """Given somebody who learnt the address and invents an id, then nothing is believed."""
    payout = office.send()
    [(url, body)] = office.wait()
    told_by_daraja = json.loads(body)
    assert told_by_daraja["Result"]["OriginatorConversationID"] == payout.provider_reference
    told_by_daraja["Result"] |= {"OriginatorConversationID": "invented-0001", "ConversationID": "AG_20261125_invented"}
    office.deliver([(url, json.dumps(told_by_daraja).encode())])
    payout.refresh_from_db()
    assert (payout.status, "applied" in office.states()) == ("pending", False)
