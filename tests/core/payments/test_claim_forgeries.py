"""What somebody could try who knows an account's address, a receipt or another shop's numbers, and what comes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common import clock
from majuu_core.events.models import Event
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.incoming import Arrival, take_incoming
from majuu_core.payments.models import IncomingPayment, ProviderCall
from majuu_core.payments.notices import Ending
from majuu_core.payments.receipts import verify_receipt
from majuu_core.providers import Result, ResultStatus
from majuu_core.testing.factories import make_provider_account, make_store
from tests.core.payments.incoming_support import arrive, claim, money, payable, the_money, unclaimed
from tests.core.payments.support import Till
from tests.core.payments.test_incoming_links import PENDING, hand_out, paid, prompted
from tests.core.payments.test_incoming_verifying import LATER, NO, YES, Bank, answered, bank, told

__all__ = ["bank"]


@pytest.fixture
def paybill(till: Till) -> ProviderAccount:
    return make_provider_account(platform=True)


def by_number(till: Till, text: str) -> dict[str, Any]:
    return verify_receipt(store=till.store, livemode=False, external_reference=text)


def test_another_shops_order_number_does_not_tell_its_receipt(till: Till, paybill: ProviderAccount) -> None:
    """Given money on a shared account, when a store asks by a number of no order of its own, it learns nothing."""
    arrive(paybill, account_reference="INV-77")
    assert (by_number(till, "INV-77")["state"], by_number(till, "INV-77")["receipt"]) == ("unknown", None)


def test_an_order_made_after_the_money_does_not_tell_it_either(till: Till, paybill: ProviderAccount) -> None:
    arrive(paybill, account_reference="INV-77", occurred_at=clock.now() - timedelta(hours=2))
    till.intent("1500", reference="INV-77")
    assert by_number(till, "INV-77")["state"] == "unknown"


def test_its_own_order_number_tells_it(till: Till, paybill: ProviderAccount) -> None:
    till.intent("1500", reference="INV-77")
    arrive(paybill, account_reference="INV-77")
    assert by_number(till, "INV-77")["receipt"] == "UKP7X1A2B3"


def test_a_trusted_list_corrects_what_a_forged_notice_said(till: Till, bank: Bank) -> None:
    """Given a true receipt told first with another's order number, when the list tells it, then the list counts."""
    mine, other = till.intent("1500", reference="1001"), till.intent("1500", reference="6666")
    bank.answer = LATER
    told(till.account, account_reference="6666", payer_name="Thief", payer_phone="254799000111")
    real = money(account_reference="1001")
    take_incoming(Arrival(account=till.account, money=real, source="pull", verified_by="pull"))
    for intent in (mine, other):
        intent.refresh_from_db()
    assert (mine.status, other.status) == ("succeeded", "requires_payment_method")
    kept = the_money()
    assert (kept.account_reference, kept.payer_name, kept.payer_phone) == ("1001", "Jane Wanjiru", "254712345678")


def test_an_old_payment_told_anew_pays_for_nothing_by_itself(till: Till, bank: Bank) -> None:
    """Given a true receipt of a year ago, when a notice tells of it as today's, then it is dated by the provider."""
    intent = till.intent("1500", reference="1001")
    bank.answer = LATER
    told(till.account, account_reference="1001")
    long_ago = clock.now() - timedelta(days=365)
    answer = Result(
        status=ResultStatus.SUCCEEDED, receipt="UKP7X1A2B3", amount=Money("1500", "KES"), occurred_at=long_ago
    )
    answered(answer)
    intent.refresh_from_db()
    assert (the_money().occurred_at, intent.status) == (long_ago, "requires_payment_method")
    assert (the_money().ownership, unclaimed()) == ("unclaimed", Decimal(1500))
    assert claim(till.store).store == till.store  # a person may still decide
    assert payable(till.store) == Decimal(1500)
    assert Event.objects.filter(type="incoming_payment.verified").count() == 1


def test_a_payment_of_just_now_still_pays(till: Till, bank: Bank) -> None:
    intent = till.intent("1500", reference="1001")
    bank.answer = LATER
    told(till.account, account_reference="1001")
    answered(YES)
    intent.refresh_from_db()
    assert (intent.status, IncomingPayment.objects.count()) == ("succeeded", 1)
    assert make_store().pk != till.store.pk


@pytest.mark.parametrize(("about", "ending"), [("", Ending.APPLIED), ("in_another", Ending.PARKED)])
def test_an_answer_to_an_earlier_question_counts(till: Till, bank: Bank, about: str, ending: Ending) -> None:
    """Given two questions, when the first one is answered after the second was asked, then it is an answer."""
    first, second = "AG_20260105_00001111", "AG_20260105_00002222"
    bank.answer = Result(status=ResultStatus.PENDING, provider_reference=second)
    told(till.account)
    for given in (first, second):
        ProviderCall.objects.create(
            provider_account=till.account,
            about=about or the_money().public_id,
            operation="transaction_status",
            method="POST",
            url="https://api.example.com",
            request_headers={},
            response_body=json.dumps({"ConversationID": given, "ResponseCode": "0"}),
            started_at=clock.now(),
            duration_ms=1,
        )
    assert answered(YES, reference="AG_20260105_00003333") is Ending.PARKED
    assert answered(YES, reference=first) is ending
    assert (the_money().verified_at is not None) is (ending is Ending.APPLIED)


def test_a_forged_notice_gives_no_charge_a_receipt(till: Till, bank: Bank) -> None:
    """Given a paid charge without a receipt, when an unproved notice fits it, then the provider's word decides."""
    charge = prompted(till)
    paid(charge, None)
    bank.answer = LATER
    told(till.account, amount=PENDING)
    hand_out()
    charge.refresh_from_db()
    assert (charge.receipt or "", the_money().ownership) == ("", "unclaimed")
    assert answered(NO) is Ending.APPLIED
    assert ((the_money().status, unclaimed())) == ("refuted", Decimal(0))
    arrive(till.account, "UKP7REAL01", PENDING)
    charge.refresh_from_db()
    assert (charge.receipt, the_money("UKP7REAL01").ownership) == ("UKP7REAL01", "charge")
    assert payable(till.store) == Decimal(PENDING)


def test_a_proved_notice_gives_the_charge_its_receipt(till: Till, bank: Bank) -> None:
    charge = prompted(till)
    paid(charge, None)
    bank.answer = Result(status=ResultStatus.SUCCEEDED, receipt="UKP7X1A2B3", amount=Money(PENDING, "KES"))
    told(till.account, amount=PENDING)
    charge.refresh_from_db()
    assert (charge.receipt, the_money().ownership, payable(till.store)) == ("UKP7X1A2B3", "charge", Decimal(PENDING))
