"""Money that arrives by itself is kept and booked once, whatever is told, how often, and by whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from majuu_core.audit.models import AuditEntry
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.services import intake_store
from majuu_core.payments.models import IncomingPayment
from majuu_core.payments.notices import Ending
from majuu_core.testing.factories import make_provider_account
from tests.core.payments.incoming_support import arrive, clearing, the_money, unclaimed
from tests.core.payments.support import Till


@pytest.fixture
def paybill(till: Till) -> ProviderAccount:
    """The platform's own account, which all stores use."""
    return make_provider_account(platform=True)


def test_money_is_kept_and_booked_under_the_intake(paybill: ProviderAccount) -> None:
    """Given nothing, when money arrives, then the intake owes it and the console, outbox and audit trail know of it."""
    assert arrive(paybill, account_reference="who knows").ending is Ending.APPLIED
    kept = the_money()
    assert (kept.status, kept.ownership, kept.store) == ("succeeded", "unclaimed", intake_store())
    assert (kept.amount.amount, kept.currency, kept.follow_up_at) == (Decimal(1500), "KES", None)
    assert kept.raw == '{"TransID": "�"}'
    assert (clearing(paybill), unclaimed()) == (Decimal(1500), Decimal(1500))
    assert list(Event.objects.values_list("type", "object_id")) == [("incoming_payment.received", kept.public_id)]
    assert AuditEntry.objects.filter(action="incoming_payment.received", object_id=kept.public_id).count() == 1
    assert list(find_problems()) == []


def test_the_same_again_changes_nothing(paybill: ProviderAccount) -> None:
    arrive(paybill)
    before = list(IncomingPayment.objects.values())
    assert [arrive(paybill).ending for _ in range(3)] == [Ending.DUPLICATE] * 3
    assert list(IncomingPayment.objects.values()) == before
    assert (unclaimed(), Event.objects.count(), LedgerTransaction.objects.count()) == (Decimal(1500), 1, 1)


def test_the_same_receipt_with_another_amount_is_parked(paybill: ProviderAccount) -> None:
    arrive(paybill)
    verdict = arrive(paybill, amount="9500")
    assert verdict.ending is Ending.PARKED
    assert verdict.reason == "It names 9500 KES; 1500 KES is known by this receipt."
    assert (unclaimed(), IncomingPayment.objects.count()) == (Decimal(1500), 1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"at_this_account": False}, "600984, which is not this account's"),
        ({"receipt": ""}, "cannot be one"),
        ({"receipt": "X" * 65}, "cannot be one"),
        ({"receipt": "A\x00B"}, "cannot be one"),
        ({"amount": "0"}, "no money"),
        ({"amount": "-5"}, "cannot hold|no money"),
        ({"amount": "1.005"}, "cannot hold"),
    ],
)
def test_what_cannot_be_true_is_parked_and_changes_nothing(
    paybill: ProviderAccount, fields: dict[str, Any], reason: str
) -> None:
    verdict = arrive(paybill, **fields)
    assert verdict.ending is Ending.PARKED
    assert any(part in verdict.reason for part in reason.split("|")), verdict.reason
    assert (IncomingPayment.objects.count(), Event.objects.count(), LedgerTransaction.objects.count()) == (0, 0, 0)


def test_hostile_text_is_kept_as_far_as_a_database_can(paybill: ProviderAccount) -> None:
    name = '=HYPERLINK("http://x")\x00<script>' + "ж" * 300
    arrive(paybill, payer_name=name, account_reference="'; DROP TABLE --\ud800" + "9" * 90, payer_phone="x" * 99)
    kept = the_money()
    assert kept.payer_name == name.replace("\x00", "�")[:200]
    assert kept.account_reference == ("'; DROP TABLE --�" + "9" * 90)[:64]
    assert kept.payer_phone == "x" * 32


def test_money_at_a_stores_own_account_is_offered_to_that_store_only(till: Till) -> None:
    arrive(till.account)
    assert (the_money().store, the_money().ownership) == (till.store, "unclaimed")
    assert unclaimed() == Decimal(1500)
