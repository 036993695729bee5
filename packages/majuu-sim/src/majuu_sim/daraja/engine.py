"""M-Pesa Express: prompts, the customers who answer them, and the money that really moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from majuu_sim.clock import Clock
from majuu_sim.daraja import formats, refusals
from majuu_sim.daraja.books import UTILITY, Books, Entry, Movement
from majuu_sim.daraja.callbacks import choose_shape, plan_forged, plan_result
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.courier import Courier, Planned
from majuu_sim.daraja.customers import Customers, fitting
from majuu_sim.daraja.records import Payment, Prompt, PushRequest, Subscriber
from majuu_sim.daraja.results import MANUAL, OUTCOMES, RESULTS, UNANSWERED
from majuu_sim.faults import FaultQueue, FaultScript
from majuu_sim.scheduler import Scheduler

ORDINARY = FaultScript()

Confirmations = tuple[list[Planned], list[Planned]]  # what goes before the callback, and what goes after it


class StkEngine:
    """All of M-Pesa Express but the HTTP. Lives on the simulator's loop; not safe from other threads."""

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
    ) -> None:
        """Plan on ``scheduler``, send by ``courier``, take scripts from ``faults``, write into ``books``."""
        self.config = config
        self._clock = clock
        self._rng = rng
        self._scheduler = scheduler
        self._courier = courier
        self._faults = faults
        self._books = books
        self._customers = customers
        self.confirm: Callable[[Payment], Confirmations] | None = None  # set by C2B: what else a payment leads to
        self.prompts: dict[str, Prompt] = {}
        self.payments: list[Payment] = []
        self._ringing: dict[str, str] = {}  # number → CheckoutRequestID
        self._last_paid: dict[tuple[str, str, int], datetime] = {}
        self._requests = 0

    def clear(self) -> None:
        """Forget prompts and payments."""
        for store in (self.prompts, self._ringing, self._last_paid):
            store.clear()
        self.payments.clear()
        self._requests = 0

    @property
    def subscribers(self) -> dict[str, Subscriber]:
        """The customers somebody set up."""
        return self._customers.known

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
        if queued is not None and queued.outcome is not None:
            return queued
        usual = queued or fitting(self._customers.habit(msisdn) or ORDINARY, OUTCOMES)
        return self._customers.by_hand(msisdn, usual)

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
            self._courier.schedule(forged)
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
        before: list[Planned] = []
        after: list[Planned] = []
        if name == "pay":
            payment = self._take_money(prompt, now)
            before, after = self.confirm(payment) if self.confirm is not None else ([], [])
        plan = plan_result(prompt, shape=self.shape_of(prompt), moment=now, invent=self.new_receipt)
        await self._courier.run([*before, *plan, *after])

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
        return self._customers.balance_of(msisdn)

    def new_receipt(self) -> str:
        """A receipt number not given out before."""
        return self._books.new_receipt()

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
        wrong = self._wrong_product(request)
        if wrong is not None:
            return wrong
        before = self._last_paid.get((request.msisdn, request.shortcode, request.amount))
        if before is not None and (now - before).total_seconds() < self.config.same_amount_seconds:
            return "same_amount"
        return "pay" if self._customers.can_pay(request.msisdn, request.amount) else "insufficient"

    def _take_money(self, prompt: Prompt, now: datetime) -> Payment:
        request = prompt.request
        prompt.receipt = self.new_receipt()
        self._customers.change(request.msisdn, -request.amount)
        self._last_paid[request.msisdn, request.shortcode, request.amount] = now
        payment = Payment(
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
        self.payments.append(payment)
        self._book(payment, prompt.created_at)
        return payment

    def _book(self, payment: Payment, started_at: datetime) -> None:
        owner = self.config.find(payment.shortcode)
        if owner is None:  # a prompt of another shortcode ends as not_permitted, never here
            raise ValueError(f"{payment.shortcode} is no shortcode of this simulator")
        movement = Movement(
            receipt=payment.receipt,
            kind="stk",
            amount=Decimal(payment.amount),
            at=payment.paid_at,
            started_at=started_at,
            payer=self._customers.public_name(payment.msisdn),
            receiver=owner.public_name,
            msisdn=payment.msisdn,
            reason="Customer Merchant Payment" if owner.is_till else "Pay Bill",
            account_reference="" if owner.is_till else payment.account_reference,
            conversation_id=payment.checkout_request_id,
            originator_conversation_id=payment.merchant_request_id,
        )
        self._books.record(movement, [Entry(owner.number, UTILITY, movement.amount)])

    def _new_checkout_id(self, now: datetime, msisdn: str) -> str:
        moment = now
        while (made := formats.checkout_request_id(moment, msisdn)) in self.prompts:
            moment += timedelta(milliseconds=1)
        return made
