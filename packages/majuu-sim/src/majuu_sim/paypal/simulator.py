"""The simulated PayPal as one object: serve it, script it, be its customers, read its books."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from aiohttp import web

from majuu_sim.clock import Clock
from majuu_sim.events import EventAttempt
from majuu_sim.faults import FaultRule, FaultScript, Reply
from majuu_sim.paypal import (
    approval,
    checkout_gateway,
    control,
    control_money,
    dispute_gateway,
    outcomes,
    payout_gateway,
    refusals,
    signing,
    webhook_gateway,
)
from majuu_sim.paypal.authorizations import Authorizations
from majuu_sim.paypal.back_office import BackOffice, as_value_error
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.captures import Captures
from majuu_sim.paypal.config import Account, PaypalConfig
from majuu_sim.paypal.disputes import Disputes
from majuu_sim.paypal.front import Front
from majuu_sim.paypal.office import FORGERY, Office, Planned, check_shape
from majuu_sim.paypal.orders import Orders
from majuu_sim.paypal.origin import Origin
from majuu_sim.paypal.payouts import PAYOUT_ITEM, Payouts
from majuu_sim.paypal.records import Capture, Order, Refund
from majuu_sim.paypal.refunds import Refunds
from majuu_sim.paypal.tokens import TokenOffice
from majuu_sim.simulator import ScriptLike
from majuu_sim.transport import HttpTransport, Transport

# What a script's outcome may be; nothing where an operation is not named.
ALLOWED: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            checkout_gateway.ORDER_CREATE,
            checkout_gateway.ORDER_CAPTURE,
            checkout_gateway.ORDER_AUTHORIZE,
            checkout_gateway.AUTHORIZATION_CAPTURE,
        ),
        outcomes.CUSTOMER,
    ),
    checkout_gateway.CAPTURE_REFUND: outcomes.REFUND,
    payout_gateway.PAYOUT_CREATE: outcomes.PAYOUT,
    PAYOUT_ITEM: frozenset(outcomes.PAYOUT_STATUS),
}


class PaypalSimulator(BackOffice):
    """A PayPal-shaped server. ``with PaypalSimulator(seed=1, clock=VirtualClock()).serve() as sim: sim.base_url``."""

    name: ClassVar[str] = "paypal"
    operations: ClassVar[tuple[str, ...]] = (
        *checkout_gateway.OPERATIONS,
        *webhook_gateway.OPERATIONS,
        *dispute_gateway.OPERATIONS,
        *payout_gateway.OPERATIONS,
    )
    outcomes: ClassVar[frozenset[str]] = outcomes.EVERY_OUTCOME

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        config: PaypalConfig | None = None,
        transport: Transport | None = None,
    ) -> None:
        """``seed`` decides ids, ``clock`` all times, ``transport`` how events leave (real HTTP)."""
        self.config = config or PaypalConfig()
        carrier = transport or HttpTransport(timeout=self.config.callback_timeout)
        super().__init__(seed=seed, clock=clock, transport=carrier)
        self.origin = Origin(self.config)
        self.tokens = TokenOffice(self.config, self.rng)
        surroundings: dict[str, Any] = {"config": self.config, "clock": self.clock, "rng": self.rng}
        self.office = Office(scheduler=self.scheduler, desk=self.desk, origin=self.origin, **surroundings)
        self.bank = Bank(scheduler=self.scheduler, office=self.office, origin=self.origin, **surroundings)
        self.front = Front(
            tokens=self.tokens, faults=self.faults, office=self.office, origin=self.origin, **surroundings
        )
        self._build_desks()

    def _build_desks(self) -> None:
        self.capture_desk = Captures(self.bank)
        self.authorization_desk = Authorizations(self.bank, self.capture_desk)
        self.order_desk = Orders(self.bank, self.capture_desk, self.authorization_desk)
        self.dispute_desk = Disputes(self.bank, self.capture_desk)
        self.refund_desk = Refunds(self.bank, self.dispute_desk)
        self.payout_desk = Payouts(self.bank, self.faults)
        self._gateways = (
            checkout_gateway.CheckoutGateway(
                front=self.front,
                bank=self.bank,
                orders=self.order_desk,
                authorizations=self.authorization_desk,
                captures=self.capture_desk,
                refunds=self.refund_desk,
            ),
            webhook_gateway.WebhookGateway(front=self.front, office=self.office),
            dispute_gateway.DisputeGateway(front=self.front, bank=self.bank, disputes=self.dispute_desk),
            payout_gateway.PayoutGateway(front=self.front, bank=self.bank, payouts=self.payout_desk),
        )

    # From any thread.

    @property
    def root_pem(self) -> str:
        """The root certificate of the events' signatures, as PEM; NoCryptography (a RuntimeError) without the extra."""
        return signing.chains().root_pem

    def payments(self) -> list[Capture]:
        """The captures that really brought money, oldest first (copies), refunded or not."""
        return self._on_loop(lambda: [replace(one) for one in self.bank.captures.values() if one.paid])

    def orders(self) -> list[Order]:
        """Every order, oldest first, as it stands now (copies)."""
        return self._on_loop(lambda: [replace(one) for one in self.bank.orders.values()])

    def refunds(self) -> list[Refund]:
        """Every refund, oldest first, as it stands now (copies)."""
        return self._on_loop(lambda: [replace(one) for one in self.bank.refunds.values()])

    def captures_of(self, custom_id: str) -> list[Capture]:
        """The captures that really brought money for a shop's own id."""
        return [one for one in self.payments() if one.custom_id == custom_id]

    def register_webhook(self, url: str, *, account: str | None = None, event_types: Iterable[str] = ("*",)) -> str:
        """Register an address as in the dashboard (for the first account, or that of a client id); its webhook id."""
        return self._on_loop(lambda: self.register_webhook_here(url, account, tuple(event_types)))

    def approve(self, order_id: str, instrument: str = "pay") -> Order:
        """Approve an order as its customer, with an instrument that will do ``instrument`` at the capture.

        KeyError when there is no such order, ValueError when nobody can approve it (any more).
        """
        return self._on_loop(lambda: self.approve_here(order_id, instrument))

    def cancel(self, order_id: str) -> Order:
        """Go back to the shop as the customer; KeyError when there is no such order."""
        return self._on_loop(lambda: self.cancel_here(order_id))

    def forge(self, order_id: str, *, shape: str = FORGERY, amount: Decimal | None = None) -> list[EventAttempt]:
        """Send a success of an order that nobody at PayPal wrote, to the account's webhooks; see ``event_shape``."""
        return self._await(lambda: self.forge_here(order_id, shape, amount))

    def renew_certificate(self) -> None:
        """Sign with a new certificate from now on, at another address; the old one is still served."""
        self._on_loop(self.renew_certificate_here)

    def start_outage(self, reply: str = "refuse_connection") -> None:
        """Do nothing that the API is asked, until :meth:`end_outage`; ValueError for a reply that does something."""
        self._on_loop(lambda: self.start_outage_here(reply))

    def end_outage(self) -> None:
        """Work again; harmless when there is no outage."""
        self._on_loop(self.end_outage_here)

    def expire_tokens(self) -> None:
        """Void every access token: the next call gets the 401 that says so."""
        self._on_loop(self.tokens.revoke_all)

    # On the loop.

    def add_routes(self, app: web.Application) -> None:
        """PayPal's addresses, the approval page and its own control addresses."""
        control.add_routes(app, self)
        control_money.add_routes(app, self)
        approval.add_routes(app, self)
        for gateway in self._gateways:
            gateway.add_routes(app)
        app.router.add_route("*", "/{anything:.*}", self._unknown)

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        return self.front.refused(refusals.Refusal(404))

    def payments_here(self) -> list[dict[str, Any]]:
        """See :meth:`payments`."""
        return [one.to_dict() for one in self.bank.captures.values() if one.paid]

    def state_here(self) -> dict[str, Any]:
        """Clock, counts, every record, queued faults."""
        bank = self.bank
        return {
            "provider": self.name,
            "now": self.clock.now().isoformat(),
            "accounts": [
                {
                    "client_id": one.client_id,
                    "merchant_id": one.merchant_id,
                    "balances": {c: str(v) for c, v in bank.books.balances_of(one.client_id).items()},
                }
                for one in self.config.accounts
            ],
            "tokens_issued": self.tokens.issued,
            "payments": len(self.payments_here()),
            "callbacks": len(self.desk.attempts()),
            "planned": len(self.scheduler.pending()),
            "faults": [rule.to_dict() for rule in self.faults.rules],
            "orders": [one.to_dict() for one in bank.orders.values()],
            "authorizations": [one.to_dict() for one in bank.authorizations.values()],
            "captures": [one.to_dict() for one in bank.captures.values()],
            "refunds": [one.to_dict() for one in bank.refunds.values()],
            "disputes": [one.to_dict() for one in self.dispute_desk.known.values()],
            "payouts": [one.to_dict() for one in self.payout_desk.items.values()],
            "webhooks": [
                {"id": one.id, "account": one.client_id, "url": one.url} for one in self.office.webhooks.all()
            ],
            "spec_mistakes": list(self.front.specs.mistakes),
        }

    def clear_here(self) -> None:
        """Forget orders, payments, webhooks, tokens and kept answers."""
        for one in (self.bank, self.office, self.tokens, self.front.memory, self.dispute_desk, self.payout_desk):
            one.clear()
        self.front.specs.mistakes.clear()
        self.front.down = None

    def make_script(self, script: ScriptLike) -> FaultScript:
        """As every simulator; the shape must be one that PayPal's events can have."""
        made = super().make_script(script)
        check_shape(made.event_shape)
        return made

    def make_rule(self, script: ScriptLike, operation: str | None, customer: str | None, times: int) -> FaultRule:
        """As every simulator, but an outcome must be one that the operation can have."""
        rule = super().make_rule(script, operation, customer, times)
        known = ALLOWED.get(rule.operation, frozenset())
        for claimed in (rule.script.outcome, rule.script.event_outcome, rule.script.stale_outcome):
            if claimed is not None and claimed not in known:
                listed = ", ".join(sorted(known)) or "none"
                raise ValueError(f"{rule.operation} knows no outcome {claimed!r}; known: {listed}")
        return rule

    def account_of(self, client_id: str | None) -> Account:
        """An account by its client id, the first without one; KeyError when there is none."""
        if client_id is None:
            return self.config.accounts[0]
        found = self.config.find(client_id)
        if found is None:
            raise KeyError(client_id)
        return found

    def register_webhook_here(self, url: str, account: str | None, event_types: tuple[str, ...]) -> str:
        """See :meth:`register_webhook`."""
        with as_value_error():
            return self.office.webhooks.register(self.account_of(account).client_id, url, event_types).id

    def start_outage_here(self, reply: str) -> None:
        """See :meth:`start_outage`."""
        known = sorted(one.value for one in Reply if not one.commits)
        if reply not in known:
            raise ValueError(f"an outage cannot be {reply!r}; known: {', '.join(known)}")
        self.front.down = FaultScript(reply=Reply(reply))

    def end_outage_here(self) -> None:
        """See :meth:`end_outage`."""
        self.front.down = None

    def renew_certificate_here(self) -> None:
        """See :meth:`renew_certificate`."""
        self.office.signer = signing.RENEWED

    def approve_here(self, order_id: str, instrument: str = "pay") -> Order:
        """See :meth:`approve`."""
        order = self.bank.orders[order_id]
        self._follow(self.order_desk.approve(order, instrument))
        return replace(order)

    def cancel_here(self, order_id: str) -> Order:
        """See :meth:`cancel`."""
        order = self.bank.orders[order_id]
        self._follow(self.order_desk.cancel(order))
        return replace(order)

    async def forge_here(self, order_id: str, shape: str, amount: Decimal | None) -> list[EventAttempt]:
        """See :meth:`forge`."""
        check_shape(shape)
        order = self.bank.orders[order_id]
        told = self.capture_desk.claim(order, None, outcomes.PAY, str(amount) if amount is not None else None)
        body = self.office.write(order.account, told)
        planned = Planned(after=0, kind="forged", subject=order_id, account=order.account, body=body, shape=shape)
        return await self.office.carry_out(planned)
