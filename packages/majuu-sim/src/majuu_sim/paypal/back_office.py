"""What PayPal's own people and a shop's owner do: clear, refund by hand, open and decide disputes, end payouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from majuu_sim.paypal import refusals
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.books import Movement
from majuu_sim.paypal.captures import Captures
from majuu_sim.paypal.currencies import Amount
from majuu_sim.paypal.disputes import Dispute, Disputes
from majuu_sim.paypal.office import Office, Planned
from majuu_sim.paypal.orders import Orders
from majuu_sim.paypal.payouts import Item, Payouts
from majuu_sim.paypal.records import ORDINARY, Capture, Order, Refund
from majuu_sim.paypal.refunds import Refunds
from majuu_sim.simulator import ScriptLike, Simulator


@contextmanager
def as_value_error() -> Iterator[None]:
    """Turns PayPal's refusals into the ValueErrors the control API knows."""
    try:
        yield
    except refusals.Refusal as error:
        issues = ", ".join(one["issue"] for one in error.details) or error.name
        raise ValueError(f"{issues}: {error.message}") from error


class BackOffice(Simulator):
    """The part of the simulated PayPal that customers and shops' programs do not see."""

    bank: Bank
    office: Office
    order_desk: Orders
    capture_desk: Captures
    refund_desk: Refunds
    dispute_desk: Disputes
    payout_desk: Payouts

    # From any thread.

    def movements(self) -> list[Movement]:
        """All money that moved, oldest first."""
        return self._on_loop(lambda: list(self.bank.books.movements))

    def disputes(self) -> list[Dispute]:
        """Every dispute, oldest first, as it stands now (copies)."""
        return self._on_loop(lambda: [replace(one) for one in self.dispute_desk.known.values()])

    def payouts(self) -> list[Item]:
        """Every item of every payout, oldest first, as it stands now (copies)."""
        return self._on_loop(lambda: [replace(one) for one in self.payout_desk.items.values()])

    def void_order(self, order_id: str) -> Order:
        """Give up an order nobody captured; KeyError for an unknown one. CHECKOUT.ORDER.VOIDED when it was approved."""
        return self._on_loop(lambda: self.void_order_here(order_id))

    def clear_capture(self, capture_id: str, *, good: bool = True) -> Capture:
        """End a pending capture now, well or badly; KeyError for an unknown one."""
        return self._on_loop(lambda: self.clear_capture_here(capture_id, good))

    def refund(
        self, capture_id: str, amount: Decimal | None = None, *, note: str = "", script: ScriptLike | None = None
    ) -> Refund:
        """Refund in the dashboard: all that is left, or ``amount``; ValueError when PayPal would not."""
        return self._on_loop(lambda: self.refund_here(capture_id, amount, note, script))

    def end_refund(self, refund_id: str, status: str = "FAILED") -> Refund:
        """Let a refund end now as COMPLETED, FAILED or CANCELLED; KeyError for an unknown one."""
        return self._on_loop(lambda: self.end_refund_here(refund_id, status))

    def open_dispute(
        self,
        capture_id: str,
        *,
        reason: str = "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        stage: str = "CHARGEBACK",
        channel: str = "INTERNAL",
        amount: Decimal | None = None,
        note: str = "",
    ) -> Dispute:
        """Complain about a capture, all of it or ``amount``; channel EXTERNAL is the customer's bank.

        KeyError for an unknown capture, ValueError when it cannot be disputed or a word is unknown.
        """
        return self._on_loop(
            lambda: self.open_dispute_here(
                capture_id, reason=reason, stage=stage, channel=channel, amount=amount, note=note
            )
        )

    def escalate_dispute(self, dispute_id: str) -> Dispute:
        """Turn an inquiry into a claim; KeyError for an unknown one, ValueError when it is none."""
        return self._on_loop(lambda: self.escalate_dispute_here(dispute_id))

    def decide_dispute(self, dispute_id: str, decision: str) -> Dispute:
        """End a dispute for the ``buyer`` or the ``seller``, by a ``payout`` of PayPal's, or as ``canceled``.

        KeyError for an unknown one, ValueError when it has ended.
        """
        return self._on_loop(lambda: self.decide_dispute_here(dispute_id, decision))

    def end_payout(self, item_id: str, status: str) -> Item:
        """Let a payout's item end now, as SUCCESS, RETURNED, FAILED, …; KeyError for an unknown one."""
        return self._on_loop(lambda: self.end_payout_here(item_id, status))

    # On the loop.

    def void_order_here(self, order_id: str) -> Order:
        """See :meth:`void_order`."""
        order = self.bank.orders[order_id]
        self._follow(self.order_desk.void(order))
        return replace(order)

    def clear_capture_here(self, capture_id: str, good: bool) -> Capture:
        """See :meth:`clear_capture`."""
        capture = self.bank.captures[capture_id]
        self._follow(self.capture_desk.clear(capture, good))
        return replace(capture)

    def refund_here(
        self, capture_id: str, amount: Decimal | None, note: str = "", script: ScriptLike | None = None
    ) -> Refund:
        """See :meth:`refund`."""
        capture = self.bank.captures[capture_id]
        wanted = Amount(amount, capture.amount.currency) if amount is not None else None
        made = self.make_script(script) if script is not None else ORDINARY
        with as_value_error():
            refund = self.refund_desk.make(capture, made, amount=wanted, note=note, by_hand=True)
        self._follow(self.refund_desk.plan(refund))
        return replace(refund)

    def end_refund_here(self, refund_id: str, status: str) -> Refund:
        """See :meth:`end_refund`."""
        refund = self.bank.refunds[refund_id]
        self._follow(self.refund_desk.end(refund, status))
        return replace(refund)

    def open_dispute_here(
        self, capture_id: str, *, reason: str, stage: str, channel: str, amount: Decimal | None, note: str
    ) -> Dispute:
        """See :meth:`open_dispute`."""
        capture = self.bank.captures[capture_id]
        dispute, plan = self.dispute_desk.open(
            capture, reason=reason, stage=stage, channel=channel, amount=amount, note=note
        )
        self._follow(plan)
        return replace(dispute)

    def escalate_dispute_here(self, dispute_id: str) -> Dispute:
        """See :meth:`escalate_dispute`."""
        dispute = self.dispute_desk.known[dispute_id]
        self._follow(self.dispute_desk.escalate(dispute))
        return replace(dispute)

    def decide_dispute_here(self, dispute_id: str, decision: str) -> Dispute:
        """See :meth:`decide_dispute`."""
        dispute = self.dispute_desk.known[dispute_id]
        self._follow(self.dispute_desk.decide(dispute, decision))
        return replace(dispute)

    def end_payout_here(self, item_id: str, status: str) -> Item:
        """See :meth:`end_payout`."""
        item = self.payout_desk.items[item_id]
        self._follow(self.payout_desk.end(self.payout_desk.batches[item.batch_id], item, status))
        return replace(item)

    def _follow(self, plan: list[Planned]) -> None:
        """Let events follow, in the usual time."""
        self.office.schedule(plan)
