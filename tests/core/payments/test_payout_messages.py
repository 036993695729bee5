"""What providers tell of payouts, in any order, at any time, true or not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from majuu_core.common import clock, ids
from majuu_core.common.clock import VirtualClock
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.addresses import account_callback_url, payout_callback_url
from majuu_core.payments.models import Payout, ProviderCall
from majuu_core.payments.notices import Ending, Notice, Verdict
from majuu_core.payments.payout_sending import apply_payout_event, run_due_payout_questions
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    OutcomeUnknown,
    ProviderEvent,
    Result,
    ResultStatus,
    Trust,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.inbound import receive_webhook
from majuu_core.webhooks.models import InboundWebhook
from tests.core.payments.payout_support import Paymaster, told

DONE = Result(status=ResultStatus.SUCCEEDED, provider_reference="AG_2026_0001", receipt="R1", payer="254700 - JANE")
NO = Result(
    status=ResultStatus.FAILED,
    provider_reference="AG_2026_0001",
    failure=Failure(code=FailureCode.INVALID_PAYMENT_METHOD, provider_code="SFC_IC0003", message="No such number."),
)
ACCEPTED = Result(status=ResultStatus.PENDING, provider_reference="AG_2026_0001")
UNKNOWN = Result(status=ResultStatus.UNKNOWN)


def notice(
    paymaster: Paymaster,
    payout: Payout,
    result: Result,
    *,
    trust: Trust = Trust.CORRELATED,
    named: str = "AG_2026_0001",
    **more: Any,
) -> Notice:
    event = ProviderEvent(
        event_id=str(ids.new_uuid()),
        type="payout.updated",
        reference=more.pop("reference", payout.public_id),
        provider_reference=named,
        result=result,
        occurred_at=clock.now(),
    )
    more.setdefault("subject_id", payout.public_id)
    return Notice(account=paymaster.account, event=event, trust=trust, **more)


@pytest.fixture
def accepted(paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch) -> Payout:
    """A payout that an asynchronous provider has acknowledged as AG_2026_0001."""
    monkeypatch.setattr(FakeProvider, "payout", lambda self, request: ACCEPTED)
    return paymaster.send("1500")


def state(payout: Payout) -> tuple[str, bool]:
    payout.refresh_from_db()
    return payout.status, payout.is_parked


# --- end to end, signed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["its own", "the account's"])
def test_a_signed_message_settles_it(paymaster: Paymaster, virtual_clock: VirtualClock, address: str) -> None:
    """Given a pending payout, when the provider's message comes twice, then it is applied once."""
    payout = paymaster.send("7721")
    virtual_clock.advance(6)
    where = {} if address == "its own" else {"address": account_callback_url(paymaster.account.pk)}
    paymaster.deliver(payout, **where)
    assert state(payout) == ("succeeded", False)
    paymaster.deliver(payout, **where)
    assert [row.state for row in InboundWebhook.objects.order_by("pk")] == ["applied", "duplicate"]
    assert paymaster.books() == (Decimal(-7721), Decimal(0))
    assert told(payout) == ["payout.created", "payout.succeeded"]


def test_a_forged_message_is_rejected(paymaster: Paymaster, virtual_clock: VirtualClock) -> None:
    payout = paymaster.send("7721")
    virtual_clock.advance(6)
    forged = replace(paymaster.webhook(payout), body=b'{"type": "payout.updated"}')
    answer = receive_webhook(forged)
    assert answer is not None
    assert (answer.status, InboundWebhook.objects.get().state, state(payout)) == (400, "rejected", ("pending", False))


def test_a_message_about_another_payout_at_this_address_is_parked(
    paymaster: Paymaster, virtual_clock: VirtualClock
) -> None:

    first, second = paymaster.send("7721", "A"), paymaster.send("7722", "B")
    virtual_clock.advance(6)
    paymaster.deliver(first, address=payout_callback_url(second.pk))
    found = InboundWebhook.objects.get()
    assert (found.state, found.subject_id) == ("parked", second.public_id)
    assert (state(first), state(second)) == (("pending", False), ("pending", False))


# --- correlated -----------------------------------------------------------------------------------------------------


def test_a_message_that_names_what_was_acknowledged_is_believed(paymaster: Paymaster, accepted: Payout) -> None:
    assert (accepted.status, accepted.provider_reference) == ("pending", "AG_2026_0001")
    assert apply_payout_event(notice(paymaster, accepted, DONE)).ending is Ending.APPLIED
    assert state(accepted) == ("succeeded", False)
    assert (accepted.receipt, accepted.recipient_name) == ("R1", "254700 - JANE")
    assert list(find_problems()) == []


def test_a_number_that_is_not_a_customer_s_fails_as_a_value(paymaster: Paymaster, accepted: Payout) -> None:
    apply_payout_event(notice(paymaster, accepted, NO))
    assert state(accepted) == ("failed", False)
    assert (accepted.failure_code, accepted.provider_failure_code) == ("invalid_payment_method", "SFC_IC0003")
    assert paymaster.books() == (Decimal(0), Decimal(0))


@pytest.mark.parametrize("where", [{}, {"subject_id": "", "reference": None}], ids=["its address", "the account's"])
def test_a_message_that_names_something_else_is_not_believed(
    paymaster: Paymaster, accepted: Payout, where: dict[str, Any]
) -> None:
    """Given somebody who knows an address and invents an id, then nothing happens to the payout."""
    verdict = apply_payout_event(notice(paymaster, accepted, DONE, named="AG_2026_9999", **where))
    assert verdict.ending in (Ending.WAITING, Ending.PARKED)
    assert state(accepted) == ("pending", False)
    assert paymaster.books() == (Decimal(0), Decimal(1500))


def test_the_right_id_at_the_account_s_address_is_not_enough(paymaster: Paymaster, accepted: Payout) -> None:
    """Given an account's address, which many requests share, then a correlated message there proves nothing."""
    verdict = apply_payout_event(notice(paymaster, accepted, DONE, subject_id="", reference=None))
    assert (verdict.ending, state(accepted)) == (Ending.PARKED, ("pending", False))


def test_a_message_before_the_acknowledgement_waits_for_it(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a result that overtakes the answer to the call, then it is applied once the answer is written."""
    verdicts: list[Verdict] = []

    def payout(self: FakeProvider, request: Any) -> Result:
        row = Payout.objects.get()
        verdicts.append(apply_payout_event(notice(paymaster, row, DONE)))
        return ACCEPTED

    monkeypatch.setattr(FakeProvider, "payout", payout)
    sent = paymaster.send("1500")
    assert (verdicts[0].ending, sent.status) == (Ending.WAITING, "pending")
    assert apply_payout_event(notice(paymaster, sent, DONE)).ending is Ending.APPLIED
    assert state(sent) == ("succeeded", False)


def test_the_answer_to_a_question_names_the_question_s_own_id(
    paymaster: Paymaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a lost acknowledgement and a question whose answer comes by message, then the id of the question counts,
    because the provider gave it to us, and it is not taken for the money's."""

    def lost(self: FakeProvider, request: Any) -> Result:
        raise OutcomeUnknown("gone")

    monkeypatch.setattr(FakeProvider, "payout", lost)
    sent = paymaster.send("1500")
    answer = notice(paymaster, sent, replace(DONE, provider_reference="AG_QUERY_0001"), named="AG_QUERY_0001")
    assert apply_payout_event(answer).ending is Ending.WAITING
    ProviderCall.objects.create(
        provider_account=paymaster.account,
        about=sent.public_id,
        operation="fetch_payout",
        method="POST",
        url="https://provider.example",
        response_body='{"ConversationID": "AG_QUERY_0001"}',
        started_at=clock.now(),
        duration_ms=1,
    )
    assert apply_payout_event(answer).ending is Ending.APPLIED
    assert state(sent) == ("succeeded", False)
    assert sent.provider_reference is None


@pytest.mark.parametrize(
    "named",
    [
        "ConversationID",
        "ResponseDescription",
        "The service request is accepted.",
        "AG_QUERY_000",
        "2026-11-25",
        "its own",
    ],
)
def test_words_that_stand_in_every_answer_prove_nothing(paymaster: Paymaster, accepted: Payout, named: str) -> None:
    """Given a forged message that names a word or a part of an answer, or our own id, then it is not believed."""
    ProviderCall.objects.create(
        provider_account=paymaster.account,
        about=accepted.public_id,
        operation="fetch_payout",
        method="POST",
        url="https://provider.example",
        response_body=json.dumps(
            {
                "ConversationID": "AG_QUERY_0001",
                "ResponseDescription": "The service request is accepted.",
                "day": "2026-11-25",
                "reference": accepted.public_id,
            }
        ),
        started_at=clock.now(),
        duration_ms=1,
    )
    said = accepted.public_id if named == "its own" else named
    verdict = apply_payout_event(notice(paymaster, accepted, replace(DONE, provider_reference=said), named=said))
    assert (verdict.ending, state(accepted)) == (Ending.WAITING, ("pending", False))


def test_what_is_known_already_is_a_duplicate(paymaster: Paymaster, accepted: Payout) -> None:
    apply_payout_event(notice(paymaster, accepted, DONE))
    again = apply_payout_event(notice(paymaster, accepted, DONE, named="AG_OTHER_01"))
    assert again.ending is Ending.DUPLICATE


def test_a_timeout_only_makes_the_question_due(
    paymaster: Paymaster, accepted: Payout, virtual_clock: VirtualClock
) -> None:
    """Given "it took too long", which is not final, then the payout is asked about now, and nothing else changes."""
    before = accepted.follow_up_at
    verdict = apply_payout_event(notice(paymaster, accepted, UNKNOWN, topic="timeout", named=""))
    assert (verdict.ending, state(accepted)) == (Ending.APPLIED, ("pending", False))
    assert before is not None
    assert accepted.follow_up_at == virtual_clock.now() < before
    apply_payout_event(notice(paymaster, accepted, DONE))
    apply_payout_event(notice(paymaster, accepted, NO, topic="timeout"))
    assert state(accepted) == ("succeeded", False)
    assert Payout.objects.get().follow_up_at is None


def test_success_after_failure_books_the_money(paymaster: Paymaster, accepted: Payout) -> None:
    apply_payout_event(notice(paymaster, accepted, NO))
    apply_payout_event(notice(paymaster, accepted, DONE))
    assert (state(accepted), paymaster.books()) == (("succeeded", False), (Decimal(-1500), Decimal(0)))


@pytest.mark.parametrize(
    "doubtful",
    [replace(DONE, amount=Money(1499, "KES")), replace(DONE, receipt="R2"), replace(DONE, amount=Money(1500, "USD"))],
    ids=["amount", "receipt", "currency"],
)
def test_a_success_that_does_not_fit_is_for_a_person(paymaster: Paymaster, accepted: Payout, doubtful: Result) -> None:
    apply_payout_event(notice(paymaster, accepted, DONE))
    verdict = apply_payout_event(notice(paymaster, accepted, doubtful))
    assert (verdict.ending, state(accepted)) == (Ending.PARKED, ("succeeded", True))
    assert paymaster.books() == (Decimal(-1500), Decimal(0))


def test_a_success_nobody_approved_is_for_a_person(paymaster: Paymaster) -> None:
    waiting = paymaster.send("60000")
    verdict = apply_payout_event(notice(paymaster, waiting, DONE, trust=Trust.SIGNED))
    assert (verdict.ending, state(waiting)) == (Ending.PARKED, ("requires_approval", True))


def test_a_reference_that_another_payout_has_is_parked(paymaster: Paymaster, accepted: Payout) -> None:
    other = paymaster.send("60000", "B")
    Payout.objects.filter(pk=other.pk).update(status="unknown")
    verdict = apply_payout_event(notice(paymaster, other, DONE, trust=Trust.SIGNED))
    assert (verdict.ending, state(other)) == (Ending.PARKED, ("unknown", False))


def test_an_event_about_nothing_we_know_is_parked(paymaster: Paymaster, accepted: Payout) -> None:
    stranger = Payout(id=ids.new_uuid())
    verdict = apply_payout_event(notice(paymaster, stranger, DONE))
    assert verdict.ending is Ending.PARKED


# --- unsigned -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truth", "told_result", "ending", "status"),
    [
        (DONE, DONE, Ending.APPLIED, "succeeded"),
        (NO, DONE, Ending.PARKED, "failed"),
        (DONE, NO, Ending.APPLIED, "succeeded"),
        (ACCEPTED, DONE, Ending.WAITING, "pending"),
        (UNKNOWN, NO, Ending.WAITING, "pending"),
    ],
)
def test_an_unsigned_message_is_a_reason_to_ask(
    paymaster: Paymaster,
    accepted: Payout,
    monkeypatch: pytest.MonkeyPatch,
    truth: Result,
    told_result: Result,
    ending: Ending,
    status: str,
) -> None:
    """Given a message without proof, then the provider is asked, and what it says then is what counts."""
    monkeypatch.setattr(FakeProvider, "fetch_payout", lambda self, request: truth)
    verdict = apply_payout_event(notice(paymaster, accepted, told_result, trust=Trust.UNSIGNED))
    assert (verdict.ending, state(accepted)[0]) == (ending, status)


def test_a_question_says_where_its_answer_may_come(
    paymaster: Paymaster, accepted: Payout, monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock
) -> None:
    """Given a provider that answers questions by message, then it is told the payout's own address and amount."""
    asked: list[FetchRequest] = []

    def fetch(self: FakeProvider, request: FetchRequest) -> Result:
        asked.append(request)
        return ACCEPTED

    monkeypatch.setattr(FakeProvider, "fetch_payout", fetch)
    virtual_clock.advance(60)
    assert run_due_payout_questions() == 1
    assert asked == [
        FetchRequest(
            reference=accepted.public_id,
            provider_reference="AG_2026_0001",
            amount=Money(1500, "KES"),
            webhook_url=payout_callback_url(accepted.pk),
        )
    ]
    assert state(accepted) == ("pending", False)
    assert (accepted.follow_up_count, accepted.follow_up_at) == (1, virtual_clock.now() + timedelta(seconds=10))
