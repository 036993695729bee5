"""M-Pesa Express: prompts, the customers who answer them, and the money that really moves."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from majuu_sim.clock import Clock
from majuu_sim.daraja import formats, refusals
from majuu_sim.daraja.callbacks import Planned, choose_shape, plan_forged, plan_result
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.magic import magic_script
from majuu_sim.daraja.records import Payment, Prompt, PushRequest, Subscriber
from majuu_sim.daraja.results import MANUAL, RESULTS, UNANSWERED
from majuu_sim.events import EventDesk
from majuu_sim.faults import FaultQueue, FaultScript
from majuu_sim.scheduler import Scheduler

ORDINARY = FaultScript()


class StkEngine:
    """All of M-Pesa Express but the HTTP. Lives on the simulator's loop; not safe from other threads."""

    def __init__(
        self,
        *,
        config: DarajaConfig,
        clock: Clock,
        rng: random.Random,
        scheduler: Scheduler,
        desk: EventDesk,
        faults: FaultQueue,
    ) -> None:
        """Plan on ``scheduler``, send through ``desk``, take scripts from ``faults``."""
        self.config = config
        self._clock = clock
        self._rng = rng
        self._scheduler = scheduler
        self._desk = desk
        self._faults = faults
        self.prompts: dict[str, Prompt] = {}
        self.payments: list[Payment] = []
        self.subscribers: dict[str, Subscriber] = {}
        self._ringing: dict[str, str] = {}  # number → CheckoutRequestID
        self._receipts: set[str] = set()
        self._last_paid: dict[tuple[str, str, int], datetime] = {}
        self._requests = 0

    def clear(self) -> None:
        """Forget prompts, payments and customers."""
        for store in (self.prompts, self.subscribers, self._ringing, self._last_paid):
            store.clear()
        self.payments.clear()
        self._receipts.clear()
        self._requests = 0

    def next_request_id(self) -> str:
        """An id for an answer."""
        self._requests += 1
        return formats.request_id(self._rng, self._requests)

    def require_free(self, msisdn: str) -> None:
        """Refusal while the customer's phone shows a prompt."""
        if msisdn in self._ringing:
            raise refusals.subscriber_locked()

    def choose_script(self, operation: str, msisdn: str) -> FaultScript:
        """What shall happen: a queued script, else the customer's own, else the magic number's, else the ordinary."""
        queued = self._faults.take(operation, msisdn)
        if queued is not None:
            return queued
        known = self.subscribers.get(msisdn)
        if known is not None and known.script is not None:
            return known.script
        return (magic_script(msisdn) if self.config.magic_numbers else None) or ORDINARY

    def open_prompt(self, request: PushRequest, script: FaultScript) -> Prompt:
        """Ring the phone."""
        now = self._clock.now()
        prompt = Prompt(
            checkout_request_id=self._new_checkout_id(now, request.msisdn),
            merchant_request_id=self.next_request_id(),
            request=request,
            created_at=now,
            script=script,
            outcome=self._wrong_product(request) or script.outcome or "pay",
            reads=script.reads(),
        )
        self.prompts[prompt.checkout_request_id] = prompt
        self._ringing[request.msisdn] = prompt.checkout_request_id
        return prompt

    def plan_answer(self, prompt: Prompt) -> None:
        """Let the customer answer in due time, and forgers whenever they like."""
        shape = self.shape_of(prompt)
        for forged in plan_forged(prompt, shape=shape, moment=self._clock.now(), invent=self.new_receipt):
            self._plan(prompt, forged)
        wait = prompt.script.answer_after
        if wait is None:
            config = self.config
            wait = config.prompt_seconds if prompt.outcome in UNANSWERED else config.answer_delay

        async def answer() -> None:
            await self.answer_now(prompt)

        prompt.due = self._scheduler.after(wait, f"answer {prompt.checkout_request_id}", answer)

    async def answer_now(self, prompt: Prompt) -> None:
        """Let the customer do what was chosen, at once; a prompt left to be answered by hand times out."""
        await self.answer(prompt, "timeout" if prompt.outcome == MANUAL else prompt.outcome)

    async def answer(self, prompt: Prompt, outcome: str) -> None:
        """End a prompt as ``outcome`` (or as the purse and the rules will have it) and send what follows."""
        if not prompt.active:
            return
        if prompt.due is not None:
            self._scheduler.cancel(prompt.due)
        now = self._clock.now()
        name = self._apply_rules(prompt, outcome, now)
        prompt.result, prompt.answered_at = RESULTS[name], now
        self._ringing.pop(prompt.request.msisdn, None)
        if name == "pay":
            self._take_money(prompt, now)
        plan = plan_result(prompt, shape=self.shape_of(prompt), moment=now, invent=self.new_receipt)
        for planned in plan:
            if planned.after > 0:
                self._plan(prompt, planned)
        for planned in plan:
            if planned.after <= 0:
                await self._carry_out(prompt, planned)

    def find(self, checkout_request_id: str, shortcode: str) -> Prompt | None:
        """The shortcode's own prompt of this id, unless it is too fresh to be seen."""
        prompt = self.prompts.get(checkout_request_id)
        if prompt is None or prompt.request.shortcode != shortcode:
            return None
        visible_at = prompt.created_at + timedelta(seconds=self.config.query_visible_after)
        return prompt if self._clock.now() >= visible_at else None

    def ringing(self, msisdn: str) -> Prompt | None:
        """The prompt a customer's phone shows now."""
        checkout_request_id = self._ringing.get(msisdn)
        return self.prompts[checkout_request_id] if checkout_request_id else None

    def balance_of(self, msisdn: str) -> int | None:
        """What is in a customer's purse; None: enough for anything."""
        known = self.subscribers.get(msisdn)
        return known.balance if known is not None else self.config.default_balance

    def new_receipt(self) -> str:
        """A receipt number not given out before."""
        while (made := formats.receipt(self._clock.now(), self._rng)) in self._receipts:
            continue
        self._receipts.add(made)
        return made

    def pick(self, choices: list[str]) -> str:
        """One of ``choices``, as the seed has it."""
        return self._rng.choice(choices)

    def shape_of(self, prompt: Prompt) -> str:
        """The shape of the prompt's next callback."""
        return choose_shape(self.config.event_shape, prompt.script.event_shape, self._rng)

    def _wrong_product(self, request: PushRequest) -> str | None:
        shortcode = self.config.find(request.shortcode)
        if shortcode is None or request.transaction_type != shortcode.transaction_type:
            return "not_permitted"
        return None if request.receiver in shortcode.receivers else "unknown_operator"

    def _apply_rules(self, prompt: Prompt, outcome: str, now: datetime) -> str:
        if outcome != "pay":
            return outcome
        request = prompt.request
        before = self._last_paid.get((request.msisdn, request.shortcode, request.amount))
        if before is not None and (now - before).total_seconds() < self.config.same_amount_seconds:
            return "same_amount"
        balance = self.balance_of(request.msisdn)
        return "insufficient" if balance is not None and balance < request.amount else "pay"

    def _take_money(self, prompt: Prompt, now: datetime) -> None:
        request = prompt.request
        prompt.receipt = self.new_receipt()
        balance = self.balance_of(request.msisdn)
        if balance is not None:
            known = self.subscribers.setdefault(request.msisdn, Subscriber(request.msisdn))
            known.balance = balance - request.amount
        self._last_paid[request.msisdn, request.shortcode, request.amount] = now
        self.payments.append(
            Payment(
                receipt=prompt.receipt,
                amount=request.amount,
                msisdn=request.msisdn,
                shortcode=request.shortcode,
                receiver=request.receiver,
                account_reference=request.account_reference,
                checkout_request_id=prompt.checkout_request_id,
                merchant_request_id=prompt.merchant_request_id,
                paid_at=now,
            )
        )

    def _plan(self, prompt: Prompt, planned: Planned) -> None:
        async def carry_out() -> None:
            await self._carry_out(prompt, planned)

        self._scheduler.after(planned.after, f"{planned.kind} callback of {prompt.checkout_request_id}", carry_out)

    async def _carry_out(self, prompt: Prompt, planned: Planned) -> None:
        subject, url = prompt.checkout_request_id, prompt.request.callback_url
        if planned.lost:
            self._desk.record_lost(subject=subject, kind=planned.kind, url=url, body=planned.body)
        elif planned.held:
            self._desk.hold(subject=subject, kind=planned.kind, url=url, body=planned.body)
        else:
            await self._desk.send(subject=subject, kind=planned.kind, url=url, body=planned.body)

    def _new_checkout_id(self, now: datetime, msisdn: str) -> str:
        moment = now
        while (made := formats.checkout_request_id(moment, msisdn)) in self.prompts:
            moment += timedelta(milliseconds=1)
        return made
