"""What people outside the API do: customers on the hosted pages, banks, and the merchant in the dashboard."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from majuu_sim.events import EventAttempt
from majuu_sim.faults import FaultScript, Reply
from majuu_sim.stripe.book import Book
from majuu_sim.stripe.cards import CARDS
from majuu_sim.stripe.config import Endpoint
from majuu_sim.stripe.errors import Obj, StripeRefusal

if TYPE_CHECKING:
    from majuu_sim.stripe.checkout import CheckoutDesk
    from majuu_sim.stripe.disputes import DisputeDesk
    from majuu_sim.stripe.office import EventOffice
    from majuu_sim.stripe.payments import PaymentDesk
    from majuu_sim.stripe.payouts import PayoutDesk
    from majuu_sim.stripe.refunds import RefundDesk
    from majuu_sim.stripe.setups import SetupDesk


class Hands:
    """Methods for tests, from any thread; the ones named ``*_here`` run on the loop. Objects are given as copies."""

    if TYPE_CHECKING:
        books: list[Book]
        expired_keys: set[str]
        down: FaultScript | None
        office: EventOffice
        payment_desk: PaymentDesk
        checkout_desk: CheckoutDesk
        setup_desk: SetupDesk
        refund_desk: RefundDesk
        dispute_desk: DisputeDesk
        payout_desk: PayoutDesk
        _on_loop: Callable[[Callable[[], Any]], Any]
        _await: Callable[[Callable[[], Any]], Any]

    def payments(self) -> list[Obj]:
        """Every charge that took money, oldest first: reference, ids, amount, refunded, currency, account."""
        return list(self._on_loop(self.payments_here))  # type: ignore[attr-defined]  # every simulator has it

    def charges_of(self, reference: str) -> list[Obj]:
        """The charges that took money under this ``majuu_reference``: more than one is one too many."""
        return [one for one in self.payments() if one["reference"] == reference]

    def object(self, object_id: str) -> Obj:
        """Any object as it stands; KeyError when there is none of this id."""
        return dict(self._on_loop(lambda: copy.deepcopy(self.find_here(object_id)[1])))

    def pay_session(self, session_id: str, card: str = "pm_card_visa") -> Obj:
        """Pay (or save a card) on a session's page; returns the session. A decline leaves it open."""
        return dict(self._await(lambda: self.pay_session_here(session_id, card)))

    def authenticate(self, intent_id: str, *, approve: bool = True) -> Obj:
        """Answer the bank's 3-D Secure question; returns the intent. RuntimeError when none is asked."""
        return dict(self._await(lambda: self.authenticate_here(intent_id, approve)))

    def dispute(
        self, charge_id: str, *, reason: str = "fraudulent", amount: int | None = None, inquiry: bool = False
    ) -> Obj:
        """Let a bank dispute a charge (or a payment intent's charge); an inquiry takes no money yet."""
        return dict(self._await(lambda: self.dispute_here(charge_id, reason, amount, inquiry)))

    def decide_dispute(self, dispute_id: str, *, won: bool) -> Obj:
        """The bank's word; RuntimeError when it has been said."""
        return dict(self._await(lambda: self.decide_dispute_here(dispute_id, won)))

    def refund_in_dashboard(self, charge_id: str, amount: int | None = None) -> Obj:
        """A refund nobody asked the API for, of a charge or of a payment intent's charge."""
        return dict(self._await(lambda: self.refund_in_dashboard_here(charge_id, amount)))

    def fail_refund(self, refund_id: str, reason: str = "expired_or_canceled_card") -> Obj:
        """The customer's bank sends a refund back."""
        return dict(self._await(lambda: self.fail_refund_here(refund_id, reason)))

    def make_payout(self, currency: str = "usd", account: str | None = None) -> Obj:
        """Pay out what is available; ValueError when there is nothing."""
        return dict(self._await(lambda: self.make_payout_here(currency, account)))

    def fail_payout(self, payout_id: str) -> Obj:
        """The bank sends a payout back."""
        return dict(self._await(lambda: self.fail_payout_here(payout_id)))

    def forge(self, object_id: str, amount: str | None = None) -> list[EventAttempt]:
        """Send a success event of a payment intent or session that is signed with nobody's secret."""
        return list(self._await(lambda: self.forge_here(object_id, amount)))

    def set_endpoints(self, *endpoints: Endpoint, account: str | None = None) -> None:
        """Where an account's events go from now on."""
        self._on_loop(lambda: self.set_endpoints_here(endpoints, account))

    def expire_key(self, account: str | None = None) -> None:
        """Roll an account's secret key: every request is answered with 401 from now on."""
        self._on_loop(lambda: self.expired_keys.add(self.book_here(account).account.secret_key))

    def start_outage(self, reply: str = "refuse_connection") -> None:
        """Do nothing that the API is asked, until :meth:`end_outage`; ValueError for a reply that does something."""
        self._on_loop(lambda: self.start_outage_here(reply))

    def end_outage(self) -> None:
        """Work again; harmless when there is no outage."""
        self._on_loop(lambda: setattr(self, "down", None))

    # On the loop.

    def start_outage_here(self, reply: str) -> None:
        """See :meth:`start_outage`."""
        known = sorted(one.value for one in Reply if not one.commits)
        if reply not in known:
            raise ValueError(f"an outage cannot be {reply!r}; known: {', '.join(known)}")
        self.down = FaultScript(reply=Reply(reply))

    def book_here(self, account: str | None) -> Book:
        """An account's book by its id, the first one's by default; KeyError when there is none."""
        if account is None:
            return self.books[0]
        for book in self.books:
            if book.account.id == account:
                return book
        raise KeyError(account)

    def find_here(self, object_id: str, kind: str | None = None) -> tuple[Book, Obj]:
        """An object of any account, with its book; KeyError when there is none."""
        for book in self.books:
            found = book.find(object_id)
            if found is not None and kind in (None, found["object"]):
                return book, found
        raise KeyError(object_id)

    async def pay_session_here(self, session_id: str, card: str) -> Obj:
        """See :meth:`pay_session`."""
        if card not in CARDS:
            raise ValueError(f"unknown test card {card!r}; known: {', '.join(sorted(CARDS))}")
        book, session = self.find_here(session_id, "checkout.session")
        try:
            self.checkout_desk.pay(book, session, card)
        except StripeRefusal as refusal:
            if refusal.status != 402:
                raise
        await self.office.dispatch()
        return copy.deepcopy(session)

    async def authenticate_here(self, intent_id: str, approve: bool) -> Obj:
        """See :meth:`authenticate`."""
        book, intent = self.find_here(intent_id)
        if intent.get("status") != "requires_action":
            raise RuntimeError(f"{intent_id} does not wait for the customer")
        desk = self.payment_desk if intent["object"] == "payment_intent" else self.setup_desk
        desk.authenticated(book, intent, approve)
        self.checkout_desk.settle_for(book, intent)
        await self.office.dispatch()
        return copy.deepcopy(intent)

    def charge_here(self, object_id: str) -> tuple[Book, Obj]:
        """The charge of an id, or of a payment intent's."""
        _, found = self.find_here(object_id)
        if found["object"] == "payment_intent":
            return self.find_here(str(found["latest_charge"]), "charge")
        return self.find_here(object_id, "charge")

    async def dispute_here(self, charge_id: str, reason: str, amount: int | None, inquiry: bool) -> Obj:
        """See :meth:`dispute`."""
        book, charge = self.charge_here(charge_id)
        made = self.dispute_desk.open(book, charge, reason=reason, amount=amount, inquiry=inquiry)
        await self.office.dispatch()
        return copy.deepcopy(made)

    async def decide_dispute_here(self, dispute_id: str, won: bool) -> Obj:
        """See :meth:`decide_dispute`."""
        book, dispute = self.find_here(dispute_id, "dispute")
        self.dispute_desk.decide(book, dispute, won=won)
        await self.office.dispatch()
        return copy.deepcopy(dispute)

    async def refund_in_dashboard_here(self, charge_id: str, amount: int | None) -> Obj:
        """See :meth:`refund_in_dashboard`; ValueError with Stripe's words when it cannot be."""
        book, charge = self.charge_here(charge_id)
        try:
            made = self.refund_desk.refund(book, charge, amount, "requested_by_customer", {})
        except StripeRefusal as refusal:
            raise ValueError(str(refusal)) from refusal
        await self.office.dispatch()
        return copy.deepcopy(made)

    async def fail_refund_here(self, refund_id: str, reason: str) -> Obj:
        """See :meth:`fail_refund`."""
        book, refund = self.find_here(refund_id, "refund")
        self.refund_desk.fail(book, refund, reason)
        await self.office.dispatch()
        return copy.deepcopy(refund)

    async def make_payout_here(self, currency: str, account: str | None) -> Obj:
        """See :meth:`make_payout`."""
        made = self.payout_desk.make(self.book_here(account), currency)
        await self.office.dispatch()
        return copy.deepcopy(made)

    async def fail_payout_here(self, payout_id: str) -> Obj:
        """See :meth:`fail_payout`."""
        book, payout = self.find_here(payout_id, "payout")
        self.payout_desk.fail(book, payout)
        await self.office.dispatch()
        return copy.deepcopy(payout)

    async def forge_here(self, object_id: str, amount: str | None) -> list[EventAttempt]:
        """See :meth:`forge`."""
        book, about = self.find_here(object_id)
        if about["object"] not in ("payment_intent", "checkout.session"):
            raise ValueError(f"{object_id} is a {about['object']}; forge events of payment intents and sessions")
        return [replace(one) for one in await self.office.send_forged(book, about, amount)]

    def set_endpoints_here(self, endpoints: tuple[Endpoint, ...], account: str | None) -> None:
        """See :meth:`set_endpoints`."""
        self.book_here(account).endpoints = list(endpoints)
