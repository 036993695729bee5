"""C2B: registered addresses, customers who pay a paybill or a till, and what their business hears of it."""

from __future__ import annotations

import random
from decimal import Decimal

from majuu_sim.clock import Clock
from majuu_sim.daraja import refusals
from majuu_sim.daraja.books import UTILITY, Books, Entry, Movement
from majuu_sim.daraja.c2b_bodies import MERCHANT_PAYMENT, Told, Verdict, choose_shape, payment_body, read_verdict
from majuu_sim.daraja.c2b_records import C2BPayment, Registration
from majuu_sim.daraja.config import DarajaConfig, Shortcode
from majuu_sim.daraja.courier import Courier, Planned, plan_event
from majuu_sim.daraja.customers import Customers, fitting
from majuu_sim.daraja.records import Payment
from majuu_sim.daraja.results import RESULTS
from majuu_sim.events import EventAttempt, EventDesk
from majuu_sim.faults import FaultQueue, FaultScript
from majuu_sim.scheduler import Scheduler

C2B_PAY, STK_CONFIRMATION = "c2b_pay", "stk_confirmation"
NO_OUTCOME: frozenset[str] = frozenset()


class C2BEngine:
    """All of C2B but the HTTP. Lives on the simulator's loop; not safe from other threads."""

    def __init__(
        self,
        *,
        config: DarajaConfig,
        clock: Clock,
        rng: random.Random,
        scheduler: Scheduler,
        desk: EventDesk,
        courier: Courier,
        faults: FaultQueue,
        books: Books,
        customers: Customers,
    ) -> None:
        """Ask through ``desk``, tell by ``courier``, write into ``books``."""
        self.config = config
        self._clock = clock
        self._rng = rng
        self._scheduler = scheduler
        self._desk = desk
        self._courier = courier
        self._faults = faults
        self._books = books
        self._customers = customers
        self.registrations: dict[str, Registration] = {}
        self.payments: dict[str, C2BPayment] = {}
        self.validating: set[str] = set()
        self.clear()

    def clear(self) -> None:
        """Forget registrations and payments; external validation is as configured."""
        self.registrations.clear()
        self.payments.clear()
        self.validating = {code.number for code in self.config.shortcodes if code.validation}

    def register(self, registration: Registration) -> None:
        """Keep the addresses of a shortcode; Refusal when production has some already."""
        if self.config.production and registration.shortcode in self.registrations:
            raise refusals.already_registered()
        self.registrations[registration.shortcode] = registration

    def registration_for(self, receiver: str) -> Registration | None:
        """The addresses for payments to a paybill or till: its own, or those of the till's store."""
        own = self.registrations.get(receiver)
        owner = self.config.owner_of(receiver)
        return own or (self.registrations.get(owner.number) if owner is not None else None)

    # Paying.

    def open(
        self, *, msisdn: str, receiver: str, amount: int, account: str, names: str, script: FaultScript | None
    ) -> C2BPayment:
        """The customer has typed everything. KeyError when nobody has that number."""
        owner = self.config.owner_of(receiver)
        if owner is None:
            raise KeyError(receiver)
        payment = C2BPayment(
            receipt=self._books.new_receipt(),
            msisdn=msisdn,
            names=names or self._customers.names_of(msisdn),
            shortcode=owner.number,
            receiver=receiver,
            amount=amount,
            account_reference=account,
            started_at=self._clock.now(),
            script=script or self.choose_script(msisdn),
        )
        self.payments[payment.receipt] = payment
        return payment

    def choose_script(self, msisdn: str) -> FaultScript:
        """A queued script, else what the customer's habit says about events: who pays by hand means to pay."""
        queued = self._faults.take(C2B_PAY, msisdn)
        return queued or fitting(self._customers.habit(msisdn) or FaultScript(), NO_OUTCOME)

    async def pay(self, payment: C2BPayment) -> None:
        """Ask the business if it wants to be asked, then move the money and tell it."""
        self._plan_forged(payment)
        outcome = payment.script.outcome or "pay"
        if outcome == "pay" and not self._customers.can_pay(payment.msisdn, payment.amount):
            outcome = "insufficient"
        if outcome != "pay":
            self._end(payment, "declined", RESULTS[outcome].code)
            return
        registration = self.registration_for(payment.receiver)
        if registration is None or payment.shortcode not in self.validating:
            await self.complete(payment)
        else:
            await self._validate(payment, registration)

    async def _validate(self, payment: C2BPayment, registration: Registration) -> None:
        owner = self._owner(payment)
        shape = self._shape(payment, registration.version, owner)
        body = payment_body(self._told(payment, owner), shape)
        event = {"subject": payment.receipt, "kind": "validation", "url": registration.validation_url}
        if payment.script.validation_lost:
            self._desk.record_lost(**event, body=body)
            self._wait_in_vain(payment, registration)
            return
        attempt, answer = await self._desk.ask(**event, body=body, within=self.config.validation_seconds)
        if answer is not None and answer.kept:
            self._wait_in_vain(payment, registration)
            return
        await self._decide(payment, _verdict_of(attempt), registration)

    def _wait_in_vain(self, payment: C2BPayment, registration: Registration) -> None:
        """The answer may still be given by hand; if none is, the default decides."""

        async def give_up() -> None:
            await self._decide(payment, None, registration)

        label = f"validation of {payment.receipt}"
        payment.due = self._scheduler.after(self.config.validation_seconds, label, give_up)

    async def answer_validation(self, payment: C2BPayment, verdict: Verdict) -> None:
        """Give the business's answer by hand; KeyError when the payment does not wait for one."""
        registration = self.registration_for(payment.receiver)
        if payment.state != "validating" or payment.due is None or registration is None:
            raise KeyError(payment.receipt)
        await self._decide(payment, verdict, registration)

    async def _decide(self, payment: C2BPayment, verdict: Verdict | None, registration: Registration) -> None:
        if payment.state != "validating":
            return
        if payment.due is not None:
            self._scheduler.cancel(payment.due)
            payment.due = None
        if verdict is None and registration.response_type == "Cancelled":
            self._end(payment, "cancelled", "C2B00016")
        elif verdict is not None and not verdict.accepted:
            self._end(payment, "rejected", verdict.code)
        else:
            payment.third_party_id = verdict.third_party_id if verdict is not None else ""
            await self.complete(payment)

    def _end(self, payment: C2BPayment, state: str, code: str) -> None:
        payment.state, payment.result, payment.completed_at = state, code, self._clock.now()

    async def complete(self, payment: C2BPayment) -> None:
        """Move the money and tell the business, if it has addresses."""
        if not self._customers.can_pay(payment.msisdn, payment.amount):  # spent while the business thought
            self._end(payment, "declined", RESULTS["insufficient"].code)
            return
        self._end(payment, "completed", "0")
        owner = self._owner(payment)
        self._book(payment, owner)
        registration = self.registration_for(payment.receiver)
        if registration is not None:
            await self._courier.run(self._confirmations(payment, registration, owner))

    def _book(self, payment: C2BPayment, owner: Shortcode) -> None:
        self._customers.change(payment.msisdn, -payment.amount)
        movement = Movement(
            receipt=payment.receipt,
            kind="c2b",
            amount=Decimal(payment.amount),
            at=payment.completed_at or self._clock.now(),
            started_at=payment.started_at,
            payer=f"{payment.msisdn} - {payment.names.upper()}",
            receiver=owner.public_name,
            msisdn=payment.msisdn,
            reason=MERCHANT_PAYMENT if owner.is_till else "Pay Bill",
            account_reference="" if owner.is_till else payment.account_reference,
        )
        self._books.record(movement, [Entry(owner.number, UTILITY, movement.amount)])

    # Telling.

    def _confirmations(self, payment: C2BPayment, registration: Registration, owner: Shortcode) -> list[Planned]:
        told = self._told(payment, owner, balance=self._books.account(owner.number, UTILITY).current)
        body = payment_body(told, self._shape(payment, registration.version, owner))
        return plan_event(
            payment.script,
            subject=payment.receipt,
            url=registration.confirmation_url,
            body=body,
            kind="confirmation",
            retries=self.config.confirmation_retries,
            retry_gap=self.config.confirmation_retry_gap,
        )

    def confirm_push(self, payment: Payment) -> tuple[list[Planned], list[Planned]]:
        """The confirmations a paid push leads to: those before its callback, and those after it."""
        registration = self.registration_for(payment.receiver)
        owner = self.config.owner_of(payment.receiver)
        if registration is None or owner is None or not self.config.stk_confirmations:
            return [], []
        script = self._faults.take(STK_CONFIRMATION, payment.msisdn) or FaultScript()
        twin = C2BPayment(
            receipt=payment.receipt,
            msisdn=payment.msisdn,
            names=self._customers.names_of(payment.msisdn),
            shortcode=owner.number,
            receiver=payment.receiver,
            amount=payment.amount,
            account_reference=payment.account_reference,
            started_at=payment.paid_at,
            state="completed",
            script=script,
        )
        plan = self._confirmations(twin, registration, owner)
        return (plan, []) if script.event_before_reply else ([], plan)

    def _plan_forged(self, payment: C2BPayment) -> None:
        registration = self.registration_for(payment.receiver)
        if registration is None:
            return
        script = payment.script
        for _ in range(script.forged):
            amount = int(script.forged_amount) if script.forged_amount else payment.amount
            self._courier.schedule(self.forged(payment, registration, amount=amount, after=script.forged_after))

    def forged(self, like: C2BPayment, registration: Registration, *, amount: int, after: float = 0.0) -> Planned:
        """A confirmation of a payment that was never made, with an invented receipt."""
        owner = self._owner(like)
        account = self._books.account(owner.number, UTILITY)
        told = self._told(like, owner, balance=account.current + amount, amount=amount, forged=True)
        return Planned(
            after=after,
            kind="forged",
            subject=told.receipt,
            url=registration.confirmation_url,
            body=payment_body(told, self._shape(like, registration.version, owner)),
        )

    async def send(self, planned: Planned) -> EventAttempt:
        """Send one event now."""
        return await self._desk.send(subject=planned.subject, kind=planned.kind, url=planned.url, body=planned.body)

    def _told(
        self,
        payment: C2BPayment,
        owner: Shortcode,
        *,
        balance: Decimal | None = None,
        amount: int | None = None,
        forged: bool = False,
    ) -> Told:
        script = payment.script
        claimed = int(script.event_amount) if script.event_amount and balance is not None else payment.amount
        return Told(
            receipt=self._books.new_receipt() if forged else payment.receipt,
            moment=self._clock.now() if balance is not None else payment.started_at,
            amount=amount if amount is not None else claimed,
            receiver=script.event_receiver if script.event_receiver and balance is not None else payment.receiver,
            account_reference=payment.account_reference,
            msisdn=payment.msisdn,
            names=payment.names,
            is_till=owner.is_till,
            third_party_id=payment.third_party_id,
            balance=balance,
        )

    def _shape(self, payment: C2BPayment, version: str, owner: Shortcode) -> str:
        wanted = payment.script.event_shape
        return choose_shape(
            self.config.confirmation_shape, wanted, version=version, is_till=owner.is_till, rng=self._rng
        )

    def _owner(self, payment: C2BPayment) -> Shortcode:
        owner = self.config.find(payment.shortcode)
        if owner is None:
            raise KeyError(payment.shortcode)
        return owner


def _verdict_of(attempt: EventAttempt) -> Verdict | None:
    return read_verdict(attempt.answer) if attempt.state == "delivered" else None
