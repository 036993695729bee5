"""The simulated Daraja as one object: serve it, script it, read its books."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from aiohttp import web

from majuu_sim.clock import Clock
from majuu_sim.daraja import control, control_money, phone
from majuu_sim.daraja.books import Books
from majuu_sim.daraja.c2b_engine import C2B_PAY, STK_CONFIRMATION, C2BEngine
from majuu_sim.daraja.c2b_gateway import C2B_REGISTER, C2B_SIMULATE, C2BGateway
from majuu_sim.daraja.callbacks import callback_body, check_shape
from majuu_sim.daraja.checking import is_msisdn
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.courier import Courier
from majuu_sim.daraja.credentials import InitiatorDesk
from majuu_sim.daraja.customers import Customers
from majuu_sim.daraja.engine import StkEngine
from majuu_sim.daraja.front import Front
from majuu_sim.daraja.gateway import OAUTH, STK_PUSH, STK_QUERY, Gateway
from majuu_sim.daraja.jobs_engine import JobEngine
from majuu_sim.daraja.jobs_gateway import JobGateway
from majuu_sim.daraja.jobs_records import JOBS
from majuu_sim.daraja.money import MoneySimulator
from majuu_sim.daraja.pull import PULL_QUERY, PULL_REGISTER, PullGateway
from majuu_sim.daraja.qr import QR_CODE, QrGateway
from majuu_sim.daraja.records import Payment, Prompt, Subscriber
from majuu_sim.daraja.results import API_RESULTS, EVERY_OUTCOME, MANUAL, OUTCOMES, REGISTER_OUTCOMES, RESULTS
from majuu_sim.daraja.tokens import TokenOffice
from majuu_sim.events import EventAttempt
from majuu_sim.faults import FaultRule, FaultScript, is_whole
from majuu_sim.simulator import ScriptLike
from majuu_sim.transport import HttpTransport, Transport

# What a script's outcome may be, where it is not just any.
ALLOWED: dict[str, frozenset[str]] = {
    STK_PUSH: OUTCOMES,
    C2B_PAY: frozenset(RESULTS),
    C2B_REGISTER: REGISTER_OUTCOMES,
    **dict.fromkeys(JOBS, frozenset(API_RESULTS)),
}


class DarajaSimulator(MoneySimulator):
    """A Daraja-shaped server. ``with DarajaSimulator(seed=1, clock=VirtualClock()).serve() as sim: sim.base_url``."""

    name: ClassVar[str] = "daraja"
    operations: ClassVar[tuple[str, ...]] = (
        STK_PUSH,
        STK_QUERY,
        OAUTH,
        STK_CONFIRMATION,
        C2B_PAY,
        C2B_REGISTER,
        C2B_SIMULATE,
        *JOBS,
        PULL_REGISTER,
        PULL_QUERY,
        QR_CODE,
    )
    outcomes: ClassVar[frozenset[str]] = EVERY_OUTCOME

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        config: DarajaConfig | None = None,
        transport: Transport | None = None,
    ) -> None:
        """``seed`` decides ids and receipts, ``clock`` all times, ``transport`` how callbacks leave (real HTTP)."""
        self.config = config or DarajaConfig()
        headers = self.config.callback_headers
        carrier = transport or HttpTransport(timeout=self.config.callback_timeout, headers=headers)
        super().__init__(seed=seed, clock=clock, transport=carrier)
        self.tokens = TokenOffice(self.config, self.rng)
        self.books = Books(config=self.config, clock=self.clock, rng=self.rng)
        self.customers = Customers(self.config)
        self.initiators = InitiatorDesk(self.config)
        self._build_engines()
        self._build_gateways()

    def _build_engines(self) -> None:
        courier = Courier(scheduler=self.scheduler, desk=self.desk)
        config, clock, rng, scheduler, faults = self.config, self.clock, self.rng, self.scheduler, self.faults
        books, customers = self.books, self.customers
        self.engine = StkEngine(
            config=config,
            clock=clock,
            rng=rng,
            scheduler=scheduler,
            courier=courier,
            faults=faults,
            books=books,
            customers=customers,
        )
        self.c2b = C2BEngine(
            config=config,
            clock=clock,
            rng=rng,
            scheduler=scheduler,
            desk=self.desk,
            courier=courier,
            faults=faults,
            books=books,
            customers=customers,
        )
        self.engine.confirm = self.c2b.confirm_push
        self.jobs_engine = JobEngine(
            config=config,
            clock=clock,
            rng=rng,
            scheduler=scheduler,
            courier=courier,
            faults=faults,
            books=books,
            customers=customers,
            initiators=self.initiators,
            c2b_payments=self.c2b.payments,
        )

    def _build_gateways(self) -> None:
        front = Front(
            config=self.config,
            clock=self.clock,
            tokens=self.tokens,
            faults=self.faults,
            next_request_id=self.engine.next_request_id,
        )
        self.qr = QrGateway(front=front, rng=self.rng)
        self.pull = PullGateway(front=front, books=self.books)
        self._c2b_gateway = C2BGateway(engine=self.c2b, front=front, scheduler=self.scheduler, rng=self.rng)
        self._job_gateway = JobGateway(engine=self.jobs_engine, front=front)
        self.gateway = Gateway(
            config=self.config, clock=self.clock, engine=self.engine, front=front, faults=self.faults
        )

    # From any thread.

    def payments(self) -> list[Payment]:
        """The money it really took, oldest first."""
        return self._on_loop(lambda: list(self.engine.payments))

    def prompts(self) -> list[Prompt]:
        """Every accepted push, oldest first, as it stands now (copies)."""
        return self._on_loop(lambda: [replace(prompt) for prompt in self.engine.prompts.values()])

    def set_subscriber(
        self,
        msisdn: str,
        *,
        balance: int | None = None,
        script: ScriptLike | None = None,
        names: str = "",
        registered: bool = True,
    ) -> None:
        """Set up a customer: shillings in the purse (None: the configured default), how they behave from now on, their
        name ("": the configured one), and whether the line has M-Pesa at all."""
        self._on_loop(
            lambda: self.set_subscriber_here(msisdn, balance=balance, script=script, names=names, registered=registered)
        )

    def balance(self, msisdn: str) -> int | None:
        """What is in a customer's purse; None: enough for anything."""
        return self._on_loop(lambda: self.engine.balance_of(msisdn))

    def answer(self, who: str, outcome: str = "pay") -> Prompt:
        """Answer a ringing prompt now, as its customer, by CheckoutRequestID or by number; sends its callback.

        KeyError when nothing rings there, ValueError for an unknown outcome.
        """
        return self._await(lambda: self.answer_here(who, outcome))

    def forge(self, checkout_request_id: str, *, outcome: str = "pay", amount: int | None = None) -> EventAttempt:
        """Send a callback nobody at Daraja sent to a prompt's own address; KeyError when there is no such prompt."""
        return self._await(lambda: self.forge_here(checkout_request_id, outcome=outcome, amount=amount))

    def expire_tokens(self) -> None:
        """Void every access token: the next product call gets the 404 that says so."""
        self._on_loop(self.tokens.revoke_all)

    # On the loop.

    def add_routes(self, app: web.Application) -> None:
        """Daraja's addresses and its own control addresses."""
        control.add_routes(app, self)
        control_money.add_routes(app, self)
        phone.add_routes(app, self)
        for gateway in (self._c2b_gateway, self._job_gateway, self.pull, self.qr):
            gateway.add_routes(app)
        self.gateway.add_routes(app)  # last: it answers for every other address

    def payments_here(self) -> list[dict[str, Any]]:
        """See :meth:`payments`."""
        return [payment.to_dict() for payment in self.engine.payments]

    def state_here(self) -> dict[str, Any]:
        """Clock, counts, prompts, customers, queued faults."""
        engine = self.engine
        return {
            "provider": self.name,
            "now": self.clock.now().isoformat(),
            "shortcodes": [
                {"number": code.number, "type": code.transaction_type, "tills": list(code.tills)}
                for code in self.config.shortcodes
            ],
            "tokens_issued": self.tokens.issued,
            "payments": len(engine.payments),
            "taken": sum(payment.amount for payment in engine.payments),
            "callbacks": len(self.desk.attempts()),
            "planned": len(self.scheduler.pending()),
            "faults": [rule.to_dict() for rule in self.faults.rules],
            "subscribers": [known.to_dict() for known in engine.subscribers.values()],
            "prompts": [prompt.to_dict() for prompt in engine.prompts.values()],
            **self.money_state_here(),
        }

    def clear_here(self) -> None:
        """Forget prompts, payments, requests, customers, registrations and tokens; the accounts are as at the start."""
        for one in (self.engine, self.c2b, self.jobs_engine, self.books, self.customers, self.initiators):
            one.clear()
        for gateway in (self.tokens, self.gateway, self.pull):
            gateway.clear()
        self.qr.codes.clear()

    def make_rule(self, script: ScriptLike, operation: str | None, customer: str | None, times: int) -> FaultRule:
        """As every simulator, but a customer is an M-Pesa number."""
        if customer is not None and not (is_msisdn(customer)):
            raise ValueError(f"a customer is a number like 254712345678, not {customer!r}")
        rule = super().make_rule(script, operation, customer, times)
        known = ALLOWED.get(rule.operation)
        for claimed in (rule.script.outcome, rule.script.event_outcome, rule.script.stale_outcome):
            if known is not None and claimed is not None and claimed not in known:
                raise ValueError(f"{rule.operation} knows no outcome {claimed!r}; known: {', '.join(sorted(known))}")
        return rule

    def make_script(self, script: ScriptLike) -> FaultScript:
        """As every simulator; what an event or a query claims must be a real result, and the shape must exist."""
        made = super().make_script(script)
        check_shape(made.event_shape)
        if MANUAL in (made.event_outcome, made.stale_outcome, made.read_outcome):
            raise ValueError("'manual' is no result a callback or a query could report")
        return made

    def set_subscriber_here(
        self,
        msisdn: str,
        *,
        balance: int | None,
        script: ScriptLike | None,
        names: str = "",
        registered: bool = True,
    ) -> Subscriber:
        """See :meth:`set_subscriber`."""
        if not is_msisdn(msisdn):
            raise ValueError(f"a customer is a number like 254712345678, not {msisdn!r}")
        if balance is not None and (not is_whole(balance) or balance < 0):
            raise ValueError("a balance is a whole number of shillings, zero or more")
        made = self.make_script(script) if script is not None else None
        purse = balance if balance is not None else self.config.default_balance
        known = Subscriber(msisdn, purse, made, names, registered)
        self.customers.known[msisdn] = known
        return known

    async def answer_here(self, who: str, outcome: str) -> Prompt:
        """See :meth:`answer`."""
        if outcome not in RESULTS:
            raise ValueError(f"unknown outcome {outcome!r}; known: {', '.join(sorted(RESULTS))}")
        prompt = self.engine.ringing(who) or self.engine.prompts.get(who)
        if prompt is None or not prompt.active:
            raise KeyError(who)
        await self.engine.answer(prompt, outcome)
        return replace(prompt)

    async def forge_here(self, checkout_request_id: str, *, outcome: str, amount: int | None) -> EventAttempt:
        """See :meth:`forge`."""
        if outcome not in RESULTS:
            raise ValueError(f"unknown outcome {outcome!r}; known: {', '.join(sorted(RESULTS))}")
        prompt = self.engine.prompts[checkout_request_id]
        body = callback_body(
            prompt,
            RESULTS[outcome],
            amount=prompt.request.amount if amount is None else amount,
            receipt=self.engine.new_receipt(),
            moment=self.clock.now(),
            shape=self.engine.shape_of(prompt),
        )
        url = prompt.request.callback_url
        return await self.desk.send(subject=checkout_request_id, kind="forged", url=url, body=body)
