"""Money told by a message that anybody could have sent is nobody's before the provider confirms it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from moneyed import Money

from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict
from majuu_core.events.models import Event
from majuu_core.ledger.verification import find_problems
from majuu_core.merchants.models import ProviderAccount
from majuu_core.payments.incoming import check_incoming
from majuu_core.payments.incoming_pull import pull_all
from majuu_core.payments.incoming_settling import confirm_by_hand, run_due_incoming
from majuu_core.payments.models import Claim, IncomingPayment
from majuu_core.payments.notices import Ending, Notice
from majuu_core.providers import (
    Failure,
    FailureCode,
    IncomingQuery,
    InvalidCredentials,
    NotSent,
    ProviderEvent,
    Result,
    ResultStatus,
    Trust,
)
from majuu_core.testing.factories import make_provider_account
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.incoming_support import arrive, claim, clearing, money, payable, the_money, unclaimed
from tests.core.payments.support import Till

YES = Result(status=ResultStatus.SUCCEEDED, receipt="UKP7X1A2B3", amount=Money("1500", "KES"))
LATER = Result(status=ResultStatus.PENDING, provider_reference="AG_1")
FAILURE = Failure(code=FailureCode.DECLINED, provider_code="not_found", message="No such transaction.")
NO = Result(status=ResultStatus.FAILED, failure=FAILURE)


class Bank:
    """The provider's side: what it says when it is asked about a receipt, and what was asked."""

    def __init__(self) -> None:
        self.answer: Result | Exception = YES
        self.asked: list[IncomingQuery] = []

    def verify(self, provider: Any, query: IncomingQuery) -> Result:
        self.asked.append(query)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def bank() -> Iterator[Bank]:
    bank = Bank()
    with mock.patch.object(FakeProvider, "verify_incoming", lambda provider, query: bank.verify(provider, query)):
        yield bank


@pytest.fixture
def paybill(till: Till, custodian: None) -> ProviderAccount:
    return make_provider_account(platform=True)


def told(account: ProviderAccount, **fields: Any) -> Any:
    return arrive(account, trust=Trust.UNSIGNED, **fields)


def answered(result: Result, trust: Trust = Trust.CORRELATED, reference: str = "AG_1") -> Ending:
    kept = the_money()
    event = ProviderEvent(
        event_id="check-1",
        type="incoming.checked",
        reference=None,
        provider_reference=reference,
        result=result,
        occurred_at=kept.occurred_at,
    )
    notice = Notice(account=kept.provider_account, event=event, trust=trust, subject_id=kept.public_id)
    return check_incoming(notice).ending


def refusal(work: Any) -> str:
    with pytest.raises(Conflict) as caught:
        work()
    return str(caught.value.code)


def test_it_is_asked_and_believed(till: Till, paybill: ProviderAccount, bank: Bank) -> None:
    told(paybill)
    kept = the_money()
    assert (kept.verified_by, kept.verified_at, kept.follow_up_at) == ("question", kept.created_at, None)
    query = bank.asked[0]
    assert (query.receipt, query.reference) == ("UKP7X1A2B3", kept.public_id)
    assert query.webhook_url.startswith("http://testserver/in/i")
    assert claim(till.store).store == till.store


def test_a_signed_message_needs_no_question(paybill: ProviderAccount, bank: Bank) -> None:
    arrive(paybill)
    assert (the_money().verified_by, bank.asked) == ("signature", [])


def test_the_answer_comes_later_and_the_money_waits(till: Till, bank: Bank) -> None:
    bank.answer = LATER
    intent = till.intent("1500", reference="1001")
    told(till.account, account_reference="1001")
    intent.refresh_from_db()
    assert (intent.status, the_money().check_reference) == ("requires_payment_method", "AG_1")
    assert refusal(lambda: claim(till.store)) == "incoming_payment_unverified"
    assert answered(YES) is Ending.APPLIED
    intent.refresh_from_db()
    assert (intent.status, the_money().ownership, the_money().verified_by) == ("succeeded", "claimed", "question")
    assert answered(YES) is Ending.DUPLICATE


def test_an_answer_is_believed_only_by_the_question_s_own_id(till: Till, bank: Bank) -> None:
    bank.answer = NotSent("away")
    told(till.account)
    assert answered(YES) is Ending.WAITING
    IncomingPayment.objects.update(check_reference="AG_1")
    assert answered(NO, reference="AG_2") is Ending.PARKED
    assert answered(NO, trust=Trust.UNSIGNED) is Ending.PARKED
    assert (the_money().status, the_money().verified_at) == ("succeeded", None)


def test_a_forged_confirmation_is_refuted_and_taken_back(till: Till, paybill: ProviderAccount, bank: Bank) -> None:
    bank.answer = NO
    told(paybill)
    assert the_money().status == "refuted"
    assert (unclaimed(), clearing(paybill)) == (Decimal(0), Decimal(0))
    assert Event.objects.filter(type="incoming_payment.refuted").count() == 1
    assert told(paybill).ending is Ending.PARKED
    assert list(find_problems()) == []
    assert run_due_incoming() == 0


def test_what_was_refuted_and_is_listed_after_all_is_brought_back(
    till: Till, paybill: ProviderAccount, bank: Bank
) -> None:
    bank.answer = NO
    told(paybill)
    with mock.patch.object(FakeProvider, "list_incoming", return_value=[money()]):
        assert pull_all() == 0
    assert (the_money().status, the_money().verified_by, unclaimed()) == ("succeeded", "pull", Decimal(1500))
    assert claim(till.store).store == till.store
    assert list(find_problems()) == []


def test_a_message_with_another_amount_is_corrected(till: Till, paybill: ProviderAccount, bank: Bank) -> None:
    bank.answer = replace(YES, amount=Money("15", "KES"))
    told(paybill)
    assert (the_money().amount, the_money().verified_by) == (Money("15", "KES"), "question")
    assert (unclaimed(), clearing(paybill)) == (Decimal(15), Decimal(15))
    shown = Event.objects.get(type="incoming_payment.corrected").data["incoming_payment"]
    assert shown["amount"] == "15.00"
    claim(till.store)
    assert payable(till.store) == Decimal(15)
    assert list(find_problems()) == []


def test_an_answer_about_another_receipt_proves_nothing(paybill: ProviderAccount, bank: Bank) -> None:
    bank.answer = replace(YES, receipt="OTHER")
    told(paybill)
    assert (the_money().verified_at, the_money().status) == (None, "succeeded")


@pytest.mark.parametrize("problem", [NotSent("away"), InvalidCredentials("no"), RuntimeError("a bug")])
def test_a_provider_that_cannot_be_asked_is_asked_again(
    paybill: ProviderAccount, bank: Bank, virtual_clock: VirtualClock, problem: Exception
) -> None:
    bank.answer = problem
    told(paybill)
    kept = the_money()
    assert (kept.verified_at, kept.follow_up_at) == (None, kept.created_at + timedelta(seconds=10))
    bank.answer = YES
    virtual_clock.advance(10)
    assert (run_due_incoming(), the_money().verified_by, run_due_incoming()) == (1, "question", 0)


def test_the_schedule_ends_with_a_person(
    till: Till, paybill: ProviderAccount, bank: Bank, virtual_clock: VirtualClock
) -> None:
    bank.answer = Result(status=ResultStatus.UNKNOWN)
    told(paybill)
    for _ in range(40):
        virtual_clock.advance(3600)
        run_due_incoming()
    assert the_money().follow_up_at is None
    assert len(bank.asked) == 26, "once at arrival, then what was due together once, then hourly for a day"
    assert Event.objects.filter(type="incoming_payment.unverified").count() == 1
    assert refusal(lambda: claim(till.store)) == "incoming_payment_unverified"
    confirm_by_hand(incoming=the_money(), reason="Seen on the statement of 25 November.")
    assert the_money().verified_by == "person"
    claim(till.store)
    assert Claim.objects.count() == 1


def test_with_the_setting_off_every_message_is_believed(
    till: Till, paybill: ProviderAccount, bank: Bank, settings: Any
) -> None:
    settings.MAJUU_VERIFY_INCOMING = "off"
    told(paybill)
    assert (bank.asked, the_money().verified_at) == ([], None)
    assert claim(till.store).store == till.store


def test_lost_confirmations_come_by_the_list(till: Till, bank: Bank) -> None:
    """Given two payments of which one was told of, when the list is pulled twice, then the other is new, once."""
    bank.answer = LATER
    told(till.account)
    intent = till.intent("200", reference="1001")
    listed = [money(), money("LOST", "200", account_reference="1001"), money("BAD", "0")]
    with mock.patch.object(FakeProvider, "list_incoming", return_value=listed):
        assert (pull_all(), pull_all()) == (1, 0)
    intent.refresh_from_db()
    assert (intent.status, the_money("LOST").source, the_money("LOST").verified_by) == ("succeeded", "pull", "pull")
    assert (the_money().source, the_money().verified_by) == ("webhook", "pull")
    assert IncomingPayment.objects.count() == 2


def test_one_account_that_fails_does_not_stop_the_others(till: Till, paybill: ProviderAccount) -> None:
    def listing(provider: FakeProvider, **_: Any) -> Any:
        if provider.context.account_id == till.account.public_id:
            raise NotSent("away")
        return iter([money()])

    with mock.patch.object(FakeProvider, "list_incoming", listing):
        assert pull_all() == 1
