"""The simulated Daraja as one object: serve it, script it, read its books."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from aiohttp import web

from majuu_sim.clock import Clock
from majuu_sim.daraja import control
from majuu_sim.daraja.callbacks import callback_body, check_shape
from majuu_sim.daraja.checking import is_msisdn
from majuu_sim.daraja.config import DarajaConfig
from majuu_sim.daraja.engine import StkEngine
from majuu_sim.daraja.gateway import OAUTH, STK_PUSH, STK_QUERY, Gateway
from majuu_sim.daraja.records import Payment, Prompt, Subscriber
from majuu_sim.daraja.results import MANUAL, OUTCOMES, RESULTS
from majuu_sim.daraja.tokens import TokenOffice
from majuu_sim.events import EventAttempt
from majuu_sim.faults import FaultRule, FaultScript, is_whole
from majuu_sim.simulator import ScriptLike, Simulator
from majuu_sim.transport import HttpTransport, Transport


class DarajaSimulator(Simulator):
    """A Daraja-shaped server. ``with DarajaSimulator(seed=1, clock=VirtualClock()).serve() as sim: sim.base_url``."""

    name: ClassVar[str] = "daraja"
    operations: ClassVar[tuple[str, ...]] = (STK_PUSH, STK_QUERY, OAUTH)
    outcomes: ClassVar[frozenset[str]] = OUTCOMES

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
        self.engine = StkEngine(
            config=self.config,
            clock=self.clock,
            rng=self.rng,
            scheduler=self.scheduler,
            desk=self.desk,
            faults=self.faults,
        )
        self.gateway = Gateway(
            config=self.config, clock=self.clock, engine=self.engine, tokens=self.tokens, faults=self.faults
        )

    # From any thread.

    def payments(self) -> list[Payment]:
        """The money it really took, oldest first."""
        return self._on_loop(lambda: list(self.engine.payments))

    def prompts(self) -> list[Prompt]:
        """Every accepted push, oldest first, as it stands now (copies)."""
        return self._on_loop(lambda: [replace(prompt) for prompt in self.engine.prompts.values()])

    def set_subscriber(self, msisdn: str, *, balance: int | None = None, script: ScriptLike | None = None) -> None:
        """Set up a customer: shillings in the purse (None: the configured default) and how they behave from now on."""
        self._on_loop(lambda: self.set_subscriber_here(msisdn, balance=balance, script=script))

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
        self.gateway.add_routes(app)

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
        }

    def clear_here(self) -> None:
        """Forget prompts, payments, customers and tokens."""
        self.engine.clear()
        self.tokens.clear()
        self.gateway.clear()

    def make_rule(self, script: ScriptLike, operation: str | None, customer: str | None, times: int) -> FaultRule:
        """As every simulator, but a customer is an M-Pesa number."""
        if customer is not None and not (is_msisdn(customer)):
            raise ValueError(f"a customer is a number like 254712345678, not {customer!r}")
        return super().make_rule(script, operation, customer, times)

    def make_script(self, script: ScriptLike) -> FaultScript:
        """As every simulator; what an event or a query claims must be a real result, and the shape must exist."""
        made = super().make_script(script)
        check_shape(made.event_shape)
        if MANUAL in (made.event_outcome, made.stale_outcome, made.read_outcome):
            raise ValueError("'manual' is no result a callback or a query could report")
        return made

    def set_subscriber_here(self, msisdn: str, *, balance: int | None, script: ScriptLike | None) -> Subscriber:
        """See :meth:`set_subscriber`."""
        if not is_msisdn(msisdn):
            raise ValueError(f"a customer is a number like 254712345678, not {msisdn!r}")
        if balance is not None and (not is_whole(balance) or balance < 0):
            raise ValueError("a balance is a whole number of shillings, zero or more")
        made = self.make_script(script) if script is not None else None
        purse = balance if balance is not None else self.config.default_balance
        known = Subscriber(msisdn, purse, made)
        self.engine.subscribers[msisdn] = known
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
