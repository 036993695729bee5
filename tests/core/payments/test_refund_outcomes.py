"""What providers say about refunds later: webhooks, questions, late failures, refunds of others; in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import permutations
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneyed import Money

from majuu_core.audit.models import AuditEntry
from majuu_core.common import clock
from majuu_core.common.clock import VirtualClock
from majuu_core.common.problems import Conflict, Invalid
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransaction
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Charge, ProviderCall, Refund
from majuu_core.payments.notices import Ending, Notice
from majuu_core.payments.outgoing import NO_ANSWER, apply_outgoing
from majuu_core.payments.refund_notices import apply_refund_event, record_external_refund
from majuu_core.payments.refund_outcomes import (
    CAME_BACK,
    REFUNDS,
    TOO_MUCH,
    follow_up_refund,
    resolve_refund,
    run_due_refund_questions,
)
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    OutcomeUnknown,
    ProviderEvent,
    Result,
    ResultStatus,
    Trust,
)
from majuu_core.testing.fake import FakeProvider
from majuu_core.webhooks.models import InboundWebhook
from majuu_core.worker.loops import CORE_LOOPS, find_loop
from tests.core.payments.refund_support import deliver, give_back, letter
from tests.core.payments.support import Till

pytestmark = pytest.mark.django_db
_D = Decimal
_S = ResultStatus
PENDING_HOUR, PENDING_FOREVER, LOST_PAID, LOST_FOREVER = "7723", "7724", "7731", "7733"
FAILURE = Failure(code=FailureCode.DECLINED, provider_code="late", message="The account is closed.")


def paid(till: Till, amount: str = "20000") -> Charge:
    return till.pay_new(amount)[1]


def types_of(refund: Refund) -> list[str]:
    rows = Event.objects.filter(object_id=refund.public_id).order_by("pk")
    return [type.removeprefix("refund.") for type in rows.values_list("type", flat=True)]


def event(refund: Refund, result: Result, **fields: Any) -> ProviderEvent:
    fields.setdefault("reference", refund.public_id)
    fields.setdefault("provider_reference", refund.provider_reference or "")
    fields.setdefault("occurred_at", clock.now())
    return ProviderEvent(event_id=f"evt-{result.status}", type="refund.updated", result=result, **fields)


def notice(refund: Refund, result: Result, trust: Trust = Trust.SIGNED, **fields: Any) -> Notice:
    subject = fields.pop("subject_id", refund.public_id)
    topic = fields.pop("topic", "")
    return Notice(
        account=refund.provider_account,
        event=event(refund, result, **fields),
        trust=trust,
        subject_id=subject,
        topic=topic,
    )


def failed(at: datetime | None = None) -> Result:
    return Result(status=_S.FAILED, failure=FAILURE, occurred_at=at)


# --- asking ---------------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_asked_about_and_never_sent_again(
    till: Till, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a refund whose answer was lost, when the time has come, then a question settles it; nothing is sent."""
    charge = paid(till)
    refund = give_back(till, charge, LOST_PAID)
    assert (refund.status, refund.provider_reference) == ("unknown", None)
    assert run_due_refund_questions() == 0
    virtual_clock.advance(10)
    sent: list[FollowUpRequest] = []
    monkeypatch.setattr(FakeProvider, "refund", lambda self, request: sent.append(request))
    assert run_due_refund_questions() == 1
    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.status, sent, charge.amount_refunded) == ("succeeded", [], _D(LOST_PAID))
    assert types_of(refund) == ["created", "updated", "succeeded"]
    assert run_due_refund_questions() == 0


def test_questions_end_with_a_person(till: Till, virtual_clock: VirtualClock) -> None:
    refund = give_back(till, paid(till), LOST_FOREVER)
    for _ in range(40):
        virtual_clock.advance(3700)
        run_due_refund_questions()
    refund.refresh_from_db()
    assert (refund.status, refund.is_parked, refund.parked_reason) == ("unknown", True, NO_ANSWER)
    assert refund.follow_up_at is None
    assert till.books()["store_payable"] == (_D(20000), _D(LOST_FOREVER))
    assert types_of(refund)[-1] == "parked"


def test_a_doubt_of_the_providers_own_is_a_persons_matter(till: Till) -> None:
    """Given a provider that says no question will help, then nothing more is asked, the hold stays, and a failure that
    is told afterwards does not take the matter from the person."""
    refund = give_back(till, paid(till), PENDING_FOREVER)
    doubt = Result(status=_S.UNKNOWN, doubt="It was reversed before, by another request.")

    assert [apply_refund_event(notice(refund, doubt)).ending for _ in range(2)] == [Ending.PARKED, Ending.APPLIED]

    refund.refresh_from_db()
    assert (refund.status, refund.is_parked, refund.parked_reason) == ("pending", True, doubt.doubt)
    assert (refund.follow_up_at, types_of(refund)) == (None, ["created", "parked"])
    assert till.books()["store_payable"] == (_D(20000), _D(PENDING_FOREVER))
    apply_refund_event(notice(refund, failed(clock.now())))
    refund.refresh_from_db()
    assert (refund.status, refund.is_parked, refund.parked_reason) == ("failed", True, doubt.doubt)


def test_a_doubt_about_what_is_settled_changes_nothing(till: Till) -> None:
    refund = give_back(till, paid(till), "500")
    apply_refund_event(notice(refund, Result(status=_S.UNKNOWN, doubt="Who knows?")))
    refund.refresh_from_db()
    assert (refund.status, refund.is_parked) == ("succeeded", False)
    with pytest.raises(ValueError, match="doubt"):
        Result(status=_S.SUCCEEDED, doubt="Who knows?")


def test_the_question_names_the_refunds_own_address(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    refund = give_back(till, paid(till), PENDING_FOREVER)
    asked: list[FetchRequest] = []

    def fetch(self: FakeProvider, request: FetchRequest) -> Result:
        asked.append(request)
        return Result(status=_S.PENDING)

    monkeypatch.setattr(FakeProvider, "fetch_refund", fetch)
    assert follow_up_refund(refund.pk) is True
    (question,) = asked
    assert (question.reference, question.provider_reference) == (refund.public_id, refund.provider_reference)
    assert "/in/r" in question.webhook_url
    assert question.amount == refund.amount


def test_a_settled_refund_is_not_asked_about(till: Till) -> None:
    assert follow_up_refund(give_back(till, paid(till), "500").pk) is False


def test_the_worker_asks(till: Till, virtual_clock: VirtualClock) -> None:
    refund = give_back(till, paid(till), LOST_PAID)
    virtual_clock.advance(10)
    assert find_loop("payments.refunds", CORE_LOOPS).run() == 1
    refund.refresh_from_db()
    assert refund.status == "succeeded"


# --- being told -----------------------------------------------------------------------------------------------------


def test_a_signed_message_settles_a_refund_by_the_route(till: Till, virtual_clock: VirtualClock) -> None:
    charge = paid(till)
    refund = give_back(till, charge, PENDING_HOUR)
    virtual_clock.advance(3600)
    told = letter(till, refund)
    assert [deliver(refund, told) for _ in range(3)] == [200] * 3
    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.status, charge.amount_refunded) == ("succeeded", _D(PENDING_HOUR))
    states = list(InboundWebhook.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["applied", "duplicate", "duplicate"]
    assert types_of(refund) == ["created", "succeeded"]


def test_a_forged_message_changes_nothing(till: Till, virtual_clock: VirtualClock) -> None:
    refund = give_back(till, paid(till), PENDING_HOUR)
    virtual_clock.advance(3600)
    good = letter(till, refund)
    forged = replace(good, headers={**good.headers, "mock-signature": "0" * 64})
    assert deliver(refund, forged) == 400
    refund.refresh_from_db()
    assert (refund.status, InboundWebhook.objects.get().state) == ("pending", "rejected")
    assert till.books()["store_payable"] == (_D(20000), _D(PENDING_HOUR))


def test_an_unsigned_message_makes_us_ask(till: Till, virtual_clock: VirtualClock) -> None:
    charge = paid(till)
    refund = give_back(till, charge, PENDING_HOUR)
    said = notice(refund, Result(status=_S.SUCCEEDED, amount=refund.amount), Trust.UNSIGNED)
    assert apply_refund_event(said).ending is Ending.WAITING
    refund.refresh_from_db()
    assert refund.status == "pending"
    virtual_clock.advance(3600)
    assert apply_refund_event(said).ending is Ending.APPLIED
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_a_correlated_message_is_believed_by_the_id_that_was_given(till: Till) -> None:
    refund = give_back(till, paid(till), PENDING_FOREVER)
    wrong = notice(refund, failed(), Trust.CORRELATED, provider_reference="AG_somebody_elses")
    assert apply_refund_event(wrong).ending is not Ending.APPLIED
    refund.refresh_from_db()
    assert refund.status == "pending"
    assert apply_refund_event(notice(refund, failed(), Trust.CORRELATED)).ending is Ending.APPLIED
    refund.refresh_from_db()
    assert (refund.status, till.books()["store_payable"]) == ("failed", (_D(20000), _D(0)))


def test_a_timeout_decides_nothing(till: Till) -> None:
    refund = give_back(till, paid(till), PENDING_FOREVER)
    said = notice(refund, failed(), Trust.CORRELATED, topic="timeout")
    assert apply_refund_event(said).ending is Ending.APPLIED
    refund.refresh_from_db()
    assert (refund.status, refund.follow_up_at) == ("pending", clock.now())


def test_a_message_for_another_refund_is_parked(till: Till) -> None:
    first, second = (give_back(till, paid(till), PENDING_FOREVER) for _ in range(2))
    said = notice(first, failed(), reference=second.public_id)
    assert apply_refund_event(said).ending is Ending.PARKED
    assert set(Refund.objects.values_list("status", flat=True)) == {"pending"}


def test_another_amount_is_parked_and_the_hold_stays(till: Till) -> None:
    charge = paid(till)
    refund = give_back(till, charge, "7751")
    assert (refund.status, refund.is_parked) == ("pending", True)
    assert "7750" in refund.parked_reason
    charge.refresh_from_db()
    assert (charge.amount_refunded, till.books()["store_payable"]) == (_D(0), (_D(20000), _D(7751)))
    assert types_of(refund) == ["created", "parked"]


# --- failing late ---------------------------------------------------------------------------------------------------


def test_a_refund_that_fails_days_later_is_booked_back(till: Till, virtual_clock: VirtualClock) -> None:
    intent, charge = till.pay_new("1500")
    refund = give_back(till, charge, "400")
    virtual_clock.advance(3 * 86400)
    verdict = apply_refund_event(notice(refund, failed()))
    assert (verdict.ending, verdict.reason) == (Ending.PARKED, CAME_BACK)
    for row in (refund, charge, intent):
        row.refresh_from_db()
    assert (refund.status, refund.is_parked, refund.parked_reason) == ("failed", True, CAME_BACK)
    assert (refund.failure_code, refund.failure_message) == ("declined", "The account is closed.")
    assert (charge.amount_refunded, intent.amount_refunded) == (_D(0), _D(0))
    assert till.books() == {"provider_clearing": (_D(1500), _D(0)), "store_payable": (_D(1500), _D(0))}
    back = LedgerTransaction.objects.get(key=f"{refund.public_id}:back")
    assert back.kind == "refund_failed_late"
    assert types_of(refund) == ["created", "succeeded", "failed", "parked"]
    assert list(find_problems()) == []
    assert give_back(till, charge).amount == Money("1500", "KES")


def test_a_parked_payment_that_came_back_is_unapplied_again(db: None, virtual_clock: VirtualClock) -> None:
    till = Till()
    _, charge = till.pay_new("7751")
    refund = give_back(till, charge)
    virtual_clock.advance(60)
    apply_refund_event(notice(refund, failed()))
    charge.payment_intent.refresh_from_db()
    assert till.books()["store_unapplied"] == (_D(7750), _D(0))
    assert charge.payment_intent.refunded_unapplied == 0


def test_an_old_failure_takes_nothing_back(till: Till) -> None:
    """A failure from before the success, or without a time, is overtaken."""
    refund = give_back(till, paid(till), "400")
    before = refund.occurred_at
    assert before is not None
    for result, trust in (
        (failed(before - timedelta(seconds=1)), Trust.SIGNED),
        (failed(before + timedelta(days=1)), Trust.CORRELATED),
    ):
        apply_refund_event(notice(refund, result, trust))
        refund.refresh_from_db()
        assert (refund.status, refund.is_parked) == ("succeeded", False)
    assert till.books()["store_payable"] == (_D(19600), _D(0))


def test_a_given_up_refund_that_went_out_all_the_same_is_booked(till: Till) -> None:
    charge = paid(till)
    refund = give_back(till, charge, "7702")  # declined
    apply_outgoing(REFUNDS, refund.pk, Result(status=_S.SUCCEEDED, amount=refund.amount))
    refund.refresh_from_db()
    charge.refresh_from_db()
    assert (refund.status, refund.is_parked, charge.amount_refunded) == ("succeeded", False, _D(7702))
    assert till.books()["store_payable"] == (_D(20000 - 7702), _D(0))


def test_more_than_came_is_booked_and_parked(till: Till) -> None:
    """Given a failed refund whose money was given back in another way, when it went out after all, somebody hears."""
    charge = paid(till, "8000")
    first = give_back(till, charge, "7702")
    give_back(till, charge)
    apply_outgoing(REFUNDS, first.pk, Result(status=_S.SUCCEEDED, amount=first.amount))
    first.refresh_from_db()
    charge.refresh_from_db()
    assert (first.status, first.is_parked, first.parked_reason) == ("succeeded", True, TOO_MUCH)
    assert charge.amount_refunded == _D(15702)
    assert till.books()["store_payable"] == (_D(-7702), _D(0))
    assert types_of(first) == ["created", "failed", "succeeded", "parked"]
    with pytest.raises(Invalid):
        give_back(till, charge, "1")
    assert list(find_problems()) == []


# --- any order ------------------------------------------------------------------------------------------------------


@contextmanager
def undone() -> Iterator[None]:
    """Whatever the block writes is rolled back."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def state(till: Till, refund: Refund, charge: Charge) -> tuple[Any, ...]:
    refund.refresh_from_db()
    charge.refresh_from_db()
    charge.payment_intent.refresh_from_db()
    money = (charge.amount_refunded, charge.payment_intent.amount_refunded)
    return refund.status, refund.is_parked, refund.provider_reference, money, till.books()


def converge(till: Till, told: list[Result]) -> set[str]:
    """The end states of every order in which these are heard."""
    charge = paid(till)
    refund = give_back(till, charge, LOST_FOREVER)  # nothing is known at first
    ends = set()
    for order in permutations(told):
        with undone():
            for result in order:
                apply_outgoing(REFUNDS, refund.pk, result)
            assert list(find_problems()) == []
            status, *rest = state(till, refund, charge)
            ends.add(repr((str(status), *rest)))
    return ends


AT = datetime.fromisoformat("2026-01-05T10:00:00+00:00")
ACCEPTED = Result(status=_S.PENDING, provider_reference="ref-1")
DONE = Result(status=_S.SUCCEEDED, provider_reference="ref-1", receipt="RB1", occurred_at=AT)
BARE = Result(status=_S.SUCCEEDED, occurred_at=AT)
NOTHING = Result(status=_S.UNKNOWN)
REFUSED = Result(status=_S.FAILED, failure=FAILURE, provider_reference="ref-1")
LATE = Result(status=_S.FAILED, failure=FAILURE, provider_reference="ref-1", occurred_at=AT + timedelta(days=1))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extra=st.lists(st.sampled_from([ACCEPTED, NOTHING, BARE, DONE]), min_size=1, max_size=3))
def test_success_converges(till: Till, extra: list[Result]) -> None:
    """Answer, message and fetched truth in any order and number: one success, booked once."""
    assert len(converge(till, [DONE, *extra])) == 1


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extra=st.lists(st.sampled_from([ACCEPTED, NOTHING, REFUSED]), min_size=1, max_size=3))
def test_failure_converges(till: Till, extra: list[Result]) -> None:
    assert len(converge(till, [REFUSED, *extra])) == 1


@pytest.mark.parametrize("told", [[DONE, LATE], [DONE, LATE, ACCEPTED], [DONE, LATE, DONE], [REFUSED, DONE]])
def test_the_later_word_counts_in_any_order(till: Till, told: list[Result]) -> None:
    (end,) = converge(till, told)
    assert ("failed" if LATE in told else "succeeded") in end


# --- made elsewhere -------------------------------------------------------------------------------------------------


def test_a_refund_made_in_the_providers_dashboard_is_booked_once(till: Till) -> None:
    intent, charge = till.pay_new("1500")
    for _ in range(2):
        refund = record_external_refund(
            charge=charge, provider_reference="dash-1", amount=Money("600", "KES"), fee=Money("5", "KES"), receipt="RX"
        )
    assert Refund.objects.count() == 1
    assert (refund.source, refund.status, refund.receipt, refund.created_by) == (
        "provider",
        "succeeded",
        "RX",
        "provider",
    )
    intent.refresh_from_db()
    assert intent.amount_refunded == _D(600)
    assert till.books() == {
        "provider_clearing": (_D(895), _D(0)),
        "store_payable": (_D(900), _D(0)),
        "provider_fees": (_D(5), _D(0)),
    }
    assert types_of(refund) == ["succeeded"]
    assert list(AuditEntry.objects.filter(object_id=refund.public_id).values_list("action", flat=True)) == [
        "refund.succeeded"
    ]
    with pytest.raises(Invalid):
        give_back(till, charge, "901")


def test_more_than_came_made_elsewhere_is_booked_and_parked(till: Till) -> None:
    charge = paid(till, "100")
    refund = record_external_refund(charge=charge, provider_reference="dash-1", amount=Money("150", "KES"))
    assert (refund.is_parked, refund.parked_reason) == (True, TOO_MUCH)
    assert till.books()["store_payable"] == (_D(-50), _D(0))
    assert types_of(refund) == ["succeeded", "parked"]


@pytest.mark.parametrize(("amount", "currency"), [("0", "KES"), ("5", "USD")])
def test_what_cannot_be_a_refund_is_refused(till: Till, amount: str, currency: str) -> None:
    charge = paid(till, "100")
    with pytest.raises(Invalid):
        record_external_refund(charge=charge, provider_reference="dash-1", amount=Money(amount, currency))
    assert Refund.objects.count() == 0


def external(charge: Charge, result: Result, trust: Trust = Trust.SIGNED) -> Notice:
    told = ProviderEvent(
        event_id="e1",
        type="refund.updated",
        reference=charge.public_id,
        provider_reference="dash-7",
        result=result,
        occurred_at=clock.now(),
    )
    return Notice(account=charge.provider_account, event=told, trust=trust)


def test_a_signed_message_about_a_charge_tells_of_a_refund_made_elsewhere(till: Till) -> None:
    charge = paid(till, "100")
    told = external(charge, Result(status=_S.SUCCEEDED, amount=Money("40", "KES"), receipt="RQ"))
    assert [apply_refund_event(told).ending for _ in range(2)] == [Ending.APPLIED] * 2
    refund = Refund.objects.get()
    assert (refund.amount, refund.provider_reference, refund.receipt) == (Money("40", "KES"), "dash-7", "RQ")


@pytest.mark.parametrize(
    ("result", "trust", "ending"),
    [
        (Result(status=_S.SUCCEEDED, amount=Money("40", "KES")), Trust.UNSIGNED, Ending.PARKED),
        (Result(status=_S.SUCCEEDED, amount=Money("40", "KES")), Trust.CORRELATED, Ending.PARKED),
        (Result(status=_S.SUCCEEDED), Trust.SIGNED, Ending.PARKED),
        (Result(status=_S.SUCCEEDED, amount=Money("40", "USD")), Trust.SIGNED, Ending.PARKED),
        (Result(status=_S.PENDING, amount=Money("40", "KES")), Trust.SIGNED, Ending.DUPLICATE),
    ],
)
def test_what_is_not_proved_is_not_booked(till: Till, result: Result, trust: Trust, ending: Ending) -> None:
    charge = paid(till, "100")
    before = LedgerTransaction.objects.count()
    assert apply_refund_event(external(charge, result, trust)).ending is ending
    assert (Refund.objects.count(), LedgerTransaction.objects.count()) == (0, before)


# --- decided by a person --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("succeeded", "status", "left"), [(True, "succeeded", 12267), (False, "failed", 20000)])
def test_a_person_settles_what_nobody_knows(till: Till, succeeded: bool, status: str, left: int) -> None:
    refund = give_back(till, paid(till), LOST_FOREVER)
    Refund.objects.filter(pk=refund.pk).update(is_parked=True, parked_reason="Other amount.")
    settled = resolve_refund(refund=refund, succeeded=succeeded, reason="Line 7 of the statement", receipt="RB7")
    assert (settled.status, settled.is_parked, settled.follow_up_at) == (status, False, None)
    assert till.books()["store_payable"] == (_D(left), _D(0))
    entry = AuditEntry.objects.get(object_id=refund.public_id, action="refund.resolved")
    assert entry.changes["reason"] == "Line 7 of the statement"


def test_a_settled_refund_can_only_be_taken_note_of(till: Till, virtual_clock: VirtualClock) -> None:
    refund = give_back(till, paid(till), "400")
    virtual_clock.advance(60)
    apply_refund_event(notice(refund, failed()))
    refund.refresh_from_db()
    with pytest.raises(Conflict):
        resolve_refund(refund=refund, succeeded=True, reason="I want it so")
    noted = resolve_refund(refund=refund, succeeded=None, reason="Sent by bank instead")
    assert (noted.status, noted.is_parked) == ("failed", False)
    assert till.books()["store_payable"] == (_D(20000), _D(0))


def test_a_decision_needs_a_reason(till: Till) -> None:
    refund = give_back(till, paid(till), LOST_FOREVER)
    with pytest.raises(Invalid):
        resolve_refund(refund=refund, succeeded=True, reason=" ok ")
    refund.refresh_from_db()
    assert refund.status == "unknown"


def test_every_word_with_the_provider_is_kept(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls about a refund carry its id; the mock provider makes none, so the call is watched."""
    seen: list[Callable[..., Any]] = []
    charge = paid(till)
    monkeypatch.setattr(FakeProvider, "refund", lambda self, request: _lose(seen))
    refund = give_back(till, charge, "500")
    assert (refund.status, len(seen)) == ("unknown", 2)  # replay_safe: the same key once more, at once
    assert ProviderCall.objects.count() == 0


def _lose(seen: list[Any]) -> Result:
    seen.append(1)
    raise OutcomeUnknown("no answer")


def test_the_command_settles_a_refund(till: Till) -> None:
    refund = give_back(till, paid(till), LOST_FOREVER)
    out = StringIO()
    call_command("majuu_resolve_refund", refund.public_id, "--failed", "--reason", "Not on the statement", stdout=out)
    assert out.getvalue() == f"{refund.public_id} is failed.\n"
    for arguments in ((refund.public_id, "--failed"), ("re_1", "--failed"), ("ch_1", "--noted")):
        with pytest.raises(CommandError):
            call_command("majuu_resolve_refund", *arguments, "--reason", "Not on the statement")
    call_command("majuu_resolve_refund", refund.public_id, "--noted", "--reason", "Told the customer", stdout=out)
