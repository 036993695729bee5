"""Any order of answers, messages, questions, crashes and decisions ends well: the promises hold after every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.test import TransactionTestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from moneyed import Money

from majuu_core.audit.services import acting_as
from majuu_core.common.clock import VirtualClock, use_clock
from majuu_core.common.problems import Problem
from majuu_core.events.models import Event
from majuu_core.ledger.models import LedgerTransfer
from majuu_core.ledger.services import forget_known_accounts
from majuu_core.ledger.verification import find_problems
from majuu_core.payments.models import Payout
from majuu_core.payments.notices import Ending
from majuu_core.payments.outgoing import apply_outgoing
from majuu_core.payments.payout_resolving import resolve_payout
from majuu_core.payments.payout_sending import PAYOUTS, apply_payout_event, run_due_payout_questions, send_due_payouts
from majuu_core.payments.payouts import approve_payout, cancel_payout, reject_payout
from majuu_core.payments.transitions import OPEN_OUTGOING
from majuu_core.providers import (
    Failure,
    FailureCode,
    InvalidCredentials,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    Trust,
)
from majuu_core.testing.fake import FakeProvider
from tests.core.payments.payout_support import CHECKER, MAKER, Paymaster
from tests.core.payments.test_payout_messages import notice

REFERENCE = "AG_2026_0001"
NO = Failure(code=FailureCode.DECLINED, provider_code="1", message="No.")
ANSWERS: dict[str, Result] = {
    "sent": Result(status=ResultStatus.SUCCEEDED, provider_reference=REFERENCE, receipt="R1"),
    "sent, with a fee": Result(status=ResultStatus.SUCCEEDED, receipt="R1", fee=Money(9, "KES")),
    "sent, with the amount": Result(status=ResultStatus.SUCCEEDED, amount=Money(1500, "KES")),
    "not sent": Result(status=ResultStatus.FAILED, failure=NO),
    "accepted": Result(status=ResultStatus.PENDING, provider_reference=REFERENCE),
    "unknown": Result(status=ResultStatus.UNKNOWN),
}
DOUBTS: dict[str, Result] = {
    "another amount": Result(status=ResultStatus.SUCCEEDED, amount=Money(1499, "KES")),
    "another currency": Result(status=ResultStatus.SUCCEEDED, amount=Money(1500, "USD")),
}


def books(payout: Payout) -> tuple[str, bool, Decimal, Decimal, Decimal]:
    """Everything that must not depend on the order: status, doubt, fee, and what the books say."""
    maker = Paymaster.__new__(Paymaster)
    maker.store, maker.account = payout.store, payout.provider_account
    owed, held = maker.books()
    return payout.status, payout.is_parked, payout.fee.amount, owed, held


class Orders(TestCase):
    """Permutations of what is said about one payout."""

    def setUp(self) -> None:
        forget_known_accounts()

    @settings(max_examples=60, deadline=None)
    @given(
        said=st.lists(st.sampled_from([*ANSWERS, "another amount"]), min_size=1, max_size=6),
        order=st.randoms(use_true_random=False),
    )
    def test_any_order_of_the_same_words_ends_alike(self, said: list[str], order: Any) -> None:
        """Given what was said about a payout, twice over and in another order, then it ends in the same state."""
        every = {**ANSWERS, **DOUBTS}
        final = {name for name in said if every[name].status in (ResultStatus.SUCCEEDED, ResultStatus.FAILED)}
        shuffled = said * 2
        order.shuffle(shuffled)
        first, second = self.told(said), self.told(shuffled)
        if final:  # until then, what came last counts
            assert books(first) == books(second)
        assert list(find_problems()) == []

    def told(self, said: Sequence[str]) -> Payout:
        every = {**ANSWERS, **DOUBTS}
        with use_clock(VirtualClock()), pytest.MonkeyPatch.context() as patch:
            patch.setattr(FakeProvider, "payout", lambda provider, request: every[said[0]])
            payout = Paymaster().send("1500")
            for name in said[1:]:
                apply_outgoing(PAYOUTS, payout.pk, every[name])
        return Payout.objects.select_related("store", "provider_account").get(pk=payout.pk)


TROUBLES: dict[str, Exception] = {
    "away": NotSent("away"),
    "lost": OutcomeUnknown("lost"),
    "busy": RateLimited("busy", retry_after=5),
    "refused": RequestRejected("no", code="bad"),
    "known": RequestRejected("known", code="duplicate_reference"),
    "keys": InvalidCredentials("no"),
    "bug": RuntimeError("a bug in the plugin"),
}


class Killed(BaseException):
    """The process ends here."""


class PayoutMachine(RuleBasedStateMachine):
    """A store, its people, a worker that dies, and a provider that may do anything."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._clock = VirtualClock()
        self._time = use_clock(self._clock)
        self._time.__enter__()
        forget_known_accounts()
        self.answer: Result | BaseException = ANSWERS["sent"]
        self.truth: Result | BaseException = ANSWERS["unknown"]
        self.calls: dict[str, int] = {}  # how often the request may have reached the provider
        self.references = 0

    def teardown(self) -> None:
        assert list(find_problems()) == []
        self._patch.undo()
        self._time.__exit__(None, None, None)

    @initialize()
    def open_the_shop(self) -> None:
        machine = self

        def payout(provider: FakeProvider, request: Any) -> Result:
            if isinstance(machine.answer, (NotSent, RateLimited, InvalidCredentials)):  # nothing was done
                raise machine.answer
            machine.calls[request.reference] = machine.calls.get(request.reference, 0) + 1
            if isinstance(machine.answer, BaseException):
                raise machine.answer
            return replace(machine.answer, provider_reference=None)

        def fetch(provider: FakeProvider, request: Any) -> Result:
            if isinstance(machine.truth, BaseException):
                raise machine.truth
            return replace(machine.truth, provider_reference=None)

        self._patch.setattr(FakeProvider, "payout", payout)
        self._patch.setattr(FakeProvider, "fetch_payout", fetch)
        self._patch.setattr(FakeProvider, "info", replace(FakeProvider.info, replay_safe=False))
        self.pool = Paymaster(pooled=True, funds="100000")

    @rule(answer=st.sampled_from([*ANSWERS.values(), *DOUBTS.values(), *TROUBLES.values(), Killed()]))
    def the_provider_will_answer(self, answer: Result | BaseException) -> None:
        self.answer = answer

    @rule(truth=st.sampled_from([*ANSWERS.values(), *TROUBLES.values()]))
    def the_provider_will_say(self, truth: Result | BaseException) -> None:
        self.truth = truth

    @rule(amount=st.sampled_from(["1500", "60000"]), again=st.booleans())
    def ask_for_a_payout(self, amount: str, again: bool) -> None:
        self.references += not again
        try:
            self.pool.send(amount, f"SAL-{self.references}")
        except (Problem, Killed):
            pass

    @rule(seconds=st.sampled_from([1, 16, 60, 900, 3600, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self._clock.advance(seconds)

    @rule()
    def the_worker_sends(self) -> None:
        try:
            send_due_payouts()
        except Killed:
            pass

    @rule()
    def the_worker_asks(self) -> None:
        run_due_payout_questions()

    @precondition(lambda self: Payout.objects.exists())
    @rule(
        data=st.data(), told=st.sampled_from([*ANSWERS.values(), *DOUBTS.values()]), trust=st.sampled_from(list(Trust))
    )
    def a_message_comes(self, data: Any, told: Result, trust: Trust) -> None:
        payout = self.some(data)
        before = payout.status
        verdict = apply_payout_event(
            notice(self.pool, payout, replace(told, provider_reference=None), trust=trust, named="AG_INVENTED_1")
        )
        payout.refresh_from_db()
        if trust is Trust.CORRELATED:  # nobody ever gave us that id
            assert (verdict.ending is Ending.APPLIED, payout.status) == (False, before)

    @precondition(lambda self: Payout.objects.exists())
    @rule(data=st.data(), what=st.sampled_from(["approve", "reject", "cancel", "sent", "not sent"]))
    def a_person_decides(self, data: Any, what: str) -> None:
        payout = self.some(data)
        with acting_as(MAKER if what == "cancel" else CHECKER):
            try:
                match what:
                    case "approve":
                        approve_payout(payout=payout)
                    case "reject":
                        reject_payout(payout=payout, reason="not now")
                    case "cancel":
                        cancel_payout(payout=payout)
                    case _:
                        resolve_payout(payout=payout, succeeded=what == "sent", reason="line 7 of the statement")
            except Problem:
                pass

    def some(self, data: Any) -> Payout:
        keys = list(Payout.objects.order_by("pk").values_list("pk", flat=True))
        return Payout.objects.select_related("store", "provider_account").get(pk=data.draw(st.sampled_from(keys)))

    @invariant()
    def the_request_reached_the_provider_once_at_most(self) -> None:
        assert all(count == 1 for count in self.calls.values())

    @invariant()
    def nothing_left_without_a_second_person(self) -> None:
        for payout in Payout.objects.filter(amount__gt=50_000, approved_by=""):
            assert payout.public_id not in self.calls

    @invariant()
    def books_and_rows_agree(self) -> None:
        if not hasattr(self, "pool"):
            return
        rows = list(Payout.objects.all())
        sent = sum((row.amount.amount for row in rows if row.status == "succeeded"), Decimal(0))
        open_now = [row for row in rows if row.status in (*OPEN_OUTGOING, "requires_approval")]
        held = sum((row.amount.amount for row in open_now), Decimal(0))
        assert self.pool.books() == (Decimal(100_000) - sent, held)
        assert all((row.hold_id is not None) == (row in open_now) for row in rows)
        resolved = LedgerTransfer.objects.exclude(pending=None).values_list("pending_id", flat=True)
        assert len(resolved) == len(set(resolved))

    @invariant()
    def nothing_open_is_forgotten(self) -> None:
        """Whatever is open waits for a time, or for a person."""
        for payout in Payout.objects.filter(status__in=OPEN_OUTGOING):
            assert payout.is_parked or payout.follow_up_at is not None or payout.send_at is not None, payout

    @invariant()
    def every_end_was_told(self) -> None:
        for payout in Payout.objects.exclude(status__in=(*OPEN_OUTGOING, "requires_approval")):
            assert Event.objects.filter(object_id=payout.public_id, type=f"payout.{payout.status}").count() == 1


@pytest.mark.usefixtures("custodian")
class Machine(TransactionTestCase):
    """The machine against the test database, each example in a transaction that is rolled back."""

    def test_the_promises_hold_after_every_step(self) -> None:
        from django.db import transaction
        from hypothesis.stateful import run_state_machine_as_test

        class InTransaction(PayoutMachine):
            def __init__(self) -> None:
                self._atomic = transaction.atomic()
                self._atomic._from_testcase = True  # type: ignore[attr-defined]
                self._atomic.__enter__()
                super().__init__()

            def teardown(self) -> None:
                super().teardown()
                transaction.set_rollback(True)
                self._atomic.__exit__(None, None, None)
                forget_known_accounts()

        checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
        run_state_machine_as_test(
            InTransaction,
            settings=settings(max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=checks),
        )
