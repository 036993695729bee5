"""The records every part of the simulated PayPal works on, and what they share."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from majuu_sim.clock import Clock
from majuu_sim.paypal import bodies, formats, refusals
from majuu_sim.paypal.books import Books, Movement
from majuu_sim.paypal.config import Account, PaypalConfig
from majuu_sim.paypal.currencies import Amount, rounded
from majuu_sim.paypal.office import Office, Planned, Told
from majuu_sim.paypal.origin import Origin
from majuu_sim.paypal.records import Authorization, Capture, Order, Refund
from majuu_sim.scheduler import Due, Scheduler

Record = TypeVar("Record", Order, Authorization, Capture, Refund)


class Bank:
    """Orders, authorizations, captures, refunds, and the tools to work on them. Lives on the simulator's loop."""

    def __init__(
        self,
        *,
        config: PaypalConfig,
        clock: Clock,
        rng: random.Random,
        scheduler: Scheduler,
        office: Office,
        origin: Origin,
    ) -> None:
        """Write what happens into books of its own, and tell it through ``office``."""
        self.config = config
        self.clock = clock
        self.rng = rng
        self.scheduler = scheduler
        self.office = office
        self.origin = origin
        self.books = Books(config)
        self.orders: dict[str, Order] = {}
        self.authorizations: dict[str, Authorization] = {}
        self.captures: dict[str, Capture] = {}
        self.refunds: dict[str, Refund] = {}

    def clear(self) -> None:
        """Forget everything but the opening balances."""
        for store in (self.orders, self.authorizations, self.captures, self.refunds):
            store.clear()
        self.books.clear()

    # Tools.

    @property
    def now(self) -> datetime:
        """The simulator's time."""
        return self.clock.now()

    def new_id(self) -> str:
        """A transaction id not given out before."""
        taken: list[Mapping[str, Any]] = [self.orders, self.authorizations, self.captures, self.refunds]
        while any((made := formats.transaction_id(self.rng)) in store for store in taken):
            continue
        return made

    def fee_of(self, amount: Amount) -> Decimal:
        """What PayPal keeps of a payment."""
        fee = amount.value * self.config.fee_percent / 100 + self.config.fee_fixed
        return min(amount.value, rounded(fee, amount.currency))

    def later(self, seconds: float, label: str, job: Callable[[], list[Planned]]) -> Due:
        """Do something in so many seconds, and send what follows from it."""

        async def run() -> None:
            await self.office.run(job())

        return self.scheduler.after(seconds, label, run)

    def book(
        self, capture: Capture, code: str, value: Decimal, fee: Decimal = Decimal(0), movement_id: str = ""
    ) -> None:
        """Write down money that moved because of a capture."""
        made = Movement(
            id=movement_id or self.new_id(),
            account=capture.account.client_id,
            code=code,
            amount=Amount(value, capture.amount.currency),
            fee=fee,
            at=self.now,
            reference_id="" if movement_id == capture.id else capture.id,
            invoice_id=capture.invoice_id,
            custom_id=capture.custom_id,
        )
        self.books.record(made)

    # Finding.

    def order(self, account: Account, order_id: str) -> Order:
        """An account's own order; Refusal when it has none of this id."""
        return _own(self.orders, account, order_id)

    def authorization(self, account: Account, authorization_id: str) -> Authorization:
        """An account's own authorization; Refusal when it has none of this id."""
        return _own(self.authorizations, account, authorization_id)

    def capture(self, account: Account, capture_id: str) -> Capture:
        """An account's own capture; Refusal when it has none of this id."""
        return _own(self.captures, account, capture_id)

    def refund(self, account: Account, refund_id: str) -> Refund:
        """An account's own refund; Refusal when it has none of this id."""
        return _own(self.refunds, account, refund_id)

    # Speaking.

    def order_body(self, order: Order, *, with_payments: bool = True) -> dict[str, Any]:
        """The whole order as JSON."""
        return bodies.order_body(
            order,
            base=self.origin.api,
            page=self.origin.pages,
            authorizations=[self.authorizations[one] for one in order.authorization_ids] if with_payments else [],
            captures=[self.captures[one] for one in order.capture_ids] if with_payments else [],
            refunds=[self.refunds[one] for one in order.refund_ids] if with_payments else [],
        )

    def order_told(self, order: Order, event_type: str, summary: str) -> Told:
        """An event about an order."""
        return Told(
            event_type=event_type, resource_type="checkout-order", resource=self.order_body(order), summary=summary
        )

    def authorization_told(self, one: Authorization, event_type: str, summary: str) -> Told:
        """An event about an authorization."""
        body = bodies.with_relations(bodies.authorization_body(one, self.origin.api), one)
        return Told(event_type=event_type, resource_type="authorization", resource=body, summary=summary)

    def refund_told(self, one: Refund, event_type: str, summary: str) -> Told:
        """An event about a refund."""
        body = bodies.refund_body(one, self.origin.api)
        return Told(event_type=event_type, resource_type="refund", resource=body, summary=summary)


def _own(store: Mapping[str, Record], account: Account, wanted: str) -> Record:
    found = store.get(wanted)
    if found is None or found.account.client_id != account.client_id:
        raise refusals.not_found("id", wanted)
    return found


Job = Callable[[], Awaitable[None]]
