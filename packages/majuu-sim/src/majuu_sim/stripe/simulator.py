"""The simulated Stripe as one object: serve it, script it, be its customers and banks, read its books."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from aiohttp import web

from majuu_sim.clock import Clock
from majuu_sim.faults import FaultRule, FaultScript
from majuu_sim.simulator import ScriptLike, Simulator
from majuu_sim.stripe import control, pages
from majuu_sim.stripe.book import Book
from majuu_sim.stripe.cards import OUTCOMES, PAY, REFUND_ACTION, REFUND_FAILS, REFUND_PENDING
from majuu_sim.stripe.checkout import CheckoutDesk
from majuu_sim.stripe.config import StripeConfig
from majuu_sim.stripe.customers import Wallets
from majuu_sim.stripe.disputes import DisputeDesk
from majuu_sim.stripe.errors import Obj
from majuu_sim.stripe.gateway import Gateway
from majuu_sim.stripe.hands import Hands
from majuu_sim.stripe.idempotency import KeyRing
from majuu_sim.stripe.money import Till
from majuu_sim.stripe.office import EventOffice
from majuu_sim.stripe.payments import PaymentDesk
from majuu_sim.stripe.payouts import PayoutDesk
from majuu_sim.stripe.refunds import RefundDesk
from majuu_sim.stripe.routes import OPERATIONS
from majuu_sim.stripe.schema import RequestSchemas
from majuu_sim.stripe.search import Searcher
from majuu_sim.stripe.setups import SetupDesk
from majuu_sim.stripe.versions import SHAPES
from majuu_sim.transport import HttpTransport, Transport

# What a script's outcome may be.
OUTCOMES_OF: dict[str, frozenset[str]] = {
    **dict.fromkeys(("payment_create", "payment_confirm", "checkout_create", "setup_create"), OUTCOMES),
    "refund_create": frozenset({PAY, REFUND_ACTION, REFUND_FAILS, REFUND_PENDING}),
}


class StripeSimulator(Hands, Simulator):
    """A Stripe-shaped server. ``with StripeSimulator(seed=1, clock=VirtualClock()).serve() as sim: sim.base_url``."""

    name: ClassVar[str] = "stripe"
    operations: ClassVar[tuple[str, ...]] = OPERATIONS
    outcomes: ClassVar[frozenset[str]] = OUTCOMES
    largest_request: ClassVar[int] = 16 * 1024**2

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        config: StripeConfig | None = None,
        transport: Transport | None = None,
    ) -> None:
        """``seed`` decides ids, ``clock`` all times, ``transport`` how events leave (real HTTP)."""
        self.config = config or StripeConfig()
        carrier = transport or HttpTransport(timeout=self.config.callback_timeout)
        super().__init__(seed=seed, clock=clock, transport=carrier)
        self.schema = RequestSchemas(self.config.schema_path or os.environ.get("MAJUU_STRIPE_SCHEMA"))
        self.keys = KeyRing(self.clock)
        self.searcher = Searcher(self.config)
        self.books = [Book(one, clock=self.clock, rng=self.rng) for one in self.config.accounts]
        self.books_by_key = {book.account.secret_key: book for book in self.books}
        if len(self.books_by_key) != len(self.books):
            raise ValueError("every account needs a secret key of its own")
        self.expired_keys: set[str] = set()
        self.down: FaultScript | None = None
        self._build_desks()
        self._gateway = Gateway(self)

    def _build_desks(self) -> None:
        config, scheduler = self.config, self.scheduler
        self.office = EventOffice(config=config, clock=self.clock, scheduler=scheduler, desk=self.desk)
        self.till = Till(config)
        self.wallets = Wallets(self.office)
        self.dispute_desk = DisputeDesk(config=config, scheduler=scheduler, office=self.office, till=self.till)
        self.refund_desk = RefundDesk(config=config, scheduler=scheduler, office=self.office, till=self.till)
        self.payout_desk = PayoutDesk(config=config, scheduler=scheduler, office=self.office, till=self.till)
        self.setup_desk = SetupDesk(office=self.office, wallets=self.wallets)
        self.payment_desk = PaymentDesk(
            config=config,
            scheduler=scheduler,
            office=self.office,
            till=self.till,
            wallets=self.wallets,
            disputes=self.dispute_desk,
            payouts=self.payout_desk,
        )
        self.checkout_desk = CheckoutDesk(
            config=config,
            scheduler=scheduler,
            office=self.office,
            payments=self.payment_desk,
            setups=self.setup_desk,
            wallets=self.wallets,
        )

    def learn_address(self, base_url: str) -> None:
        """Where the hosted pages are, as whoever asked sees it."""
        self.payment_desk.base_url = self.setup_desk.base_url = self.config.public_url or base_url

    # On the loop.

    def add_routes(self, app: web.Application) -> None:
        """The API, the hosted pages, and Stripe's own control addresses."""
        control.add_routes(app, self)
        pages.add_routes(app, self)
        self._gateway.add_routes(app)

    def payments_here(self) -> list[dict[str, Any]]:
        """Every charge that took money, oldest first, of all accounts."""
        return [_payment(book, one) for book in self.books for one in book.where("charge", captured=True)]

    def state_here(self) -> dict[str, Any]:
        """Clock, counts, and every account with its objects."""
        return {
            "provider": self.name,
            "now": self.clock.now().isoformat(),
            "payments": len(self.payments_here()),
            "callbacks": len(self.desk.attempts()),
            "planned": len(self.scheduler.pending()),
            "faults": [rule.to_dict() for rule in self.faults.rules],
            "checked_against_schema": len(self.schema.known),
            "accounts": [self._account_state(book) for book in self.books],
        }

    def _account_state(self, book: Book) -> Obj:
        return {
            "id": book.account.id,
            "livemode": book.account.livemode,
            "endpoints": [{"url": one.url, "api_version": one.api_version} for one in book.endpoints],
            "authorised": [
                {"charge": one["id"], "payment_intent": one["payment_intent"], "amount": one["amount"]}
                for one in book.where("charge", captured=False, status="succeeded")
                if book.get("payment_intent", one["payment_intent"])["status"] == "requires_capture"
            ],
            "payment_intents": {one["id"]: one["status"] for one in book.all("payment_intent")},
            "checkout_sessions": {one["id"]: one["status"] for one in book.all("checkout.session")},
            "refunds": {one["id"]: one["status"] for one in book.all("refund")},
            "disputes": {one["id"]: one["status"] for one in book.all("dispute")},
            "payouts": {one["id"]: one["status"] for one in book.all("payout")},
        }

    def clear_here(self) -> None:
        """Forget every object, key and event; endpoints are as at the start."""
        for book in self.books:
            book.clear()
        for one in (self.office, self.keys, self.payout_desk):
            one.clear()
        self.expired_keys.clear()
        self.down = None

    def make_rule(self, script: ScriptLike, operation: str | None, customer: str | None, times: int) -> FaultRule:
        """As every simulator; an outcome is only for what has one."""
        rule = super().make_rule(script, operation, customer, times)
        known = OUTCOMES_OF.get(rule.operation, frozenset())
        if rule.script.outcome is not None and rule.script.outcome not in known:
            words = ", ".join(sorted(known)) or "none"
            raise ValueError(f"{rule.operation} knows no outcome {rule.script.outcome!r}; known: {words}")
        return rule

    def make_script(self, script: ScriptLike) -> FaultScript:
        """As every simulator; what Stripe never does is refused with ValueError."""
        made = super().make_script(script)
        if made.event_shape is not None and made.event_shape not in SHAPES:
            raise ValueError(f"unknown event shape {made.event_shape!r}; known: {', '.join(sorted(SHAPES))}")
        if made.notice_after is not None or made.validation_lost or made.token_dies_after:
            raise ValueError("Stripe has no notices, no validation questions and no tokens that die after a request")
        return made


def _payment(book: Book, charge: Obj) -> Obj:
    return {
        "account": book.account.id,
        "reference": charge["metadata"].get("majuu_reference", ""),
        "payment_intent": charge["payment_intent"],
        "charge": charge["id"],
        "amount": charge["amount_captured"],
        "refunded": charge["amount_refunded"],
        "disputed": charge["disputed"],
        "currency": charge["currency"],
        "at": charge["created"],
    }
