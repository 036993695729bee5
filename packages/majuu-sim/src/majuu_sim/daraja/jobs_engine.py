"""Requests whose result comes later: what they do, and what is heard of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_sim.clock import Clock
from majuu_sim.daraja import formats
from majuu_sim.daraja.books import Books
from majuu_sim.daraja.c2b_records import C2BPayment
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.courier import Courier, Planned, plan_event
from majuu_sim.daraja.credentials import InitiatorDesk
from majuu_sim.daraja.customers import Customers, fitting
from majuu_sim.daraja.jobs_bodies import Claim, Scribe, choose_shape, notice_body
from majuu_sim.daraja.jobs_records import B2C, Job, JobRequest
from majuu_sim.daraja.jobs_work import Clerk
from majuu_sim.daraja.results import API_RESULTS, RECEIVER_OUTCOMES, Result
from majuu_sim.faults import FaultQueue, FaultScript
from majuu_sim.scheduler import Scheduler

KNOWN = frozenset(API_RESULTS)
ORDINARY = FaultScript()


class JobEngine:
    """B2C, B2B, reversal, status and balance without the HTTP. Lives on the loop; not safe from other threads."""

    def __init__(
        self,
        *,
        config: DarajaConfig,
        clock: Clock,
        rng: random.Random,
        scheduler: Scheduler,
        courier: Courier,
        faults: FaultQueue,
        books: Books,
        customers: Customers,
        initiators: InitiatorDesk,
        c2b_payments: Mapping[str, C2BPayment],
    ) -> None:
        """Plan on ``scheduler``, tell by ``courier``, take scripts from ``faults``, write into ``books``."""
        self.config = config
        self._clock = clock
        self._rng = rng
        self._scheduler = scheduler
        self._courier = courier
        self._faults = faults
        self._books = books
        self._customers = customers
        self._initiators = initiators
        self._scribe = Scribe(books=books, customers=customers)
        self._clerk = Clerk(
            config=config,
            clock=clock,
            books=books,
            customers=customers,
            find_job=self.find,
            c2b_payments=c2b_payments,
        )
        self.jobs: dict[str, Job] = {}  # by ConversationID, in the order they came
        self._by_originator: dict[str, Job] = {}
        self._requests = 0

    def clear(self) -> None:
        """Forget every request."""
        self.jobs.clear()
        self._by_originator.clear()
        self._requests = 0

    def find(self, conversation: str) -> Job | None:
        """The request with this ConversationID or OriginatorConversationID."""
        return self.jobs.get(conversation) or self._by_originator.get(conversation)

    def is_known(self, originator_conversation_id: str) -> bool:
        """True when a B2C request was accepted under this id before."""
        return originator_conversation_id in self._by_originator

    def choose_script(self, request: JobRequest) -> FaultScript:
        """A queued script, else what the receiver's habit or magic number says of receiving, else the ordinary."""
        customer = request.party if request.product == B2C else None
        queued = self._faults.take(request.product, customer)
        if queued is not None or customer is None:
            return queued or ORDINARY
        return fitting(self._customers.habit(customer, paid_out=True) or ORDINARY, RECEIVER_OUTCOMES)

    def open(self, request: JobRequest, script: FaultScript) -> Job:
        """Accept a request."""
        now = self._clock.now()
        self._requests += 1
        job = Job(
            conversation_id=formats.conversation_id(now, self._rng),
            originator_conversation_id=request.originator_conversation_id
            or formats.request_id(self._rng, self._requests),
            request=request,
            created_at=now,
            script=script,
        )
        self.jobs[job.conversation_id] = job
        self._by_originator[job.originator_conversation_id] = job
        return job

    def plan(self, job: Job) -> None:
        """Do it in due time; let notices and forgers come when they like."""
        script = job.script
        if script.notice_after is not None:
            self._courier.schedule(self._notice(job, script.notice_after))
        for _ in range(script.forged):
            self._courier.schedule(self.forged(job, "pay", _amount(script.forged_amount), after=script.forged_after))
        wait = self.config.result_delay if script.answer_after is None else script.answer_after

        async def finish() -> None:
            await self.finish(job)

        job.due = self._scheduler.after(wait, f"result of {job.conversation_id}", finish)

    async def finish(self, job: Job) -> None:
        """Do it now, and tell the result; harmless when it is done already."""
        if not job.active:
            return
        if job.due is not None:
            self._scheduler.cancel(job.due)
        name = self._forced(job) or self._initiators.check(job.request.initiator, job.request.credential)
        if name is None:
            name, job.movement = self._clerk.work(job)
        job.result, job.finished_at = API_RESULTS[name], self._clock.now()
        await self._courier.run(self._plan_results(job, job.result))

    def _forced(self, job: Job) -> str | None:
        """What a script makes of it before anything is looked at."""
        return None if job.script.outcome in (None, "pay") else job.script.outcome

    def _plan_results(self, job: Job, truth: Result) -> list[Planned]:
        script = job.script
        claimed = API_RESULTS[script.event_outcome] if script.event_outcome else truth
        body = self._body(job, claimed, _amount(script.event_amount))
        plan = plan_event(script, subject=job.conversation_id, url=job.request.result_url, body=body)
        if script.stale_outcome:
            stale = self._body(job, API_RESULTS[script.stale_outcome], None)
            after = script.event_delay + script.stale_after
            plan.append(self._planned(job, "stale", stale, after))
        return plan

    def forged(self, job: Job, outcome: str, amount: int | None, *, after: float = 0.0) -> Planned:
        """A result nobody at Daraja sent, with an invented receipt."""
        body = self._body(job, API_RESULTS[outcome], amount, forged=True)
        return self._planned(job, "forged", body, after)

    def _notice(self, job: Job, after: float) -> Planned:
        moment: datetime = self._clock.now()
        body = notice_body(job, moment, self._shape(job))
        return Planned(after=after, kind="timeout", subject=job.conversation_id, url=job.request.timeout_url, body=body)

    def _planned(self, job: Job, kind: str, body: Mapping[str, Any], after: float) -> Planned:
        return Planned(after=after, kind=kind, subject=job.conversation_id, url=job.request.result_url, body=body)

    def _body(self, job: Job, result: Result, amount: int | None, *, forged: bool = False) -> dict[str, Any]:
        claim = Claim(
            result=result,
            receipt=self._receipt(job, result, forged=forged),
            amount=Decimal(job.request.amount if amount is None else amount),
            moment=job.finished_at or self._clock.now(),
            shape=self._shape(job),
        )
        return self._scribe.result_body(job, claim, self._clerk.owner(job), self._clerk.find(job))

    def _receipt(self, job: Job, result: Result, *, forged: bool) -> str:
        """The TransactionID a result carries; "" becomes the dummy of the day."""
        moves_money = job.request.amount > 0
        if job.receipt is not None and result.paid and not forged:
            return job.receipt
        looks_real = (result.paid and moves_money) or (result.code == "2001" and job.request.product == B2C)
        return self._books.new_receipt() if looks_real else ""

    def _shape(self, job: Job) -> str:
        return choose_shape(self.config.result_shape, job.script.event_shape, self._rng)


def _amount(text: str | None) -> int | None:
    return int(text) if text else None
