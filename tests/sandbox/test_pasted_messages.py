"""What the simulated telephone shows is understood by what reads pasted messages."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from majuu_core.payments.sms import parse_message
from majuu_sim.daraja.books import Movement
from majuu_sim.daraja.messages import LANGUAGES, message_text

AT = datetime(2026, 11, 25, 21, 7, tzinfo=UTC)  # seven past midnight in Nairobi
CUSTOMER, DUKA = "254712345678 - JANE ACHIENG", "600100 - Duka Ltd"


def moved(kind: str, payer: str, receiver: str, account: str = "") -> Movement:
    return Movement(
        receipt="UKP0DXQ2RS",
        kind=kind,
        amount=Decimal("12500"),
        at=AT,
        payer=payer,
        receiver=receiver,
        msisdn="254712345678",
        account_reference=account,
        started_at=AT,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_paybill_payment(language):
    found = parse_message(message_text(moved("c2b", CUSTOMER, DUKA, "DUKAORD104526"), language))
    assert found is not None
    assert (found.receipt, found.amount, found.direction, found.kind) == (
        "UKP0DXQ2RS",
        Decimal(12500),
        "sent",
        "paybill",
    )
    assert (found.party, found.account, found.occurred_at) == ("DUKA LTD", "DUKAORD104526", AT)
    assert found.language == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_till_payment(language):
    found = parse_message(message_text(moved("c2b", CUSTOMER, DUKA), language))
    assert found is not None
    assert (found.receipt, found.amount, found.direction, found.account) == ("UKP0DXQ2RS", Decimal(12500), "sent", "")
    assert (found.party, found.occurred_at) == ("DUKA LTD", AT)


@pytest.mark.parametrize("language", LANGUAGES)
def test_money_that_came_back(language):
    found = parse_message(message_text(moved("reversal", DUKA, CUSTOMER), language))
    assert found is not None
    assert (found.receipt, found.amount, found.direction, found.party) == (
        "UKP0DXQ2RS",
        Decimal(12500),
        "received",
        "DUKA LTD",
    )
