"""Captures: the moment money moves, at once or when a check has cleared, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_sim.faults import FaultScript
from majuu_sim.paypal import bodies, outcomes, refusals
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.books import CHECKOUT
from majuu_sim.paypal.currencies import Amount
from majuu_sim.paypal.office import Planned, Told
from majuu_sim.paypal.records import ORDINARY, Authorization, Capture, Order

COMPLETED, CAPTURE_PENDING = "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING"
CAPTURE_DENIED, CAPTURE_DECLINED = "PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED"
SUMMARIES = {
    COMPLETED: "Payment completed for {} {}",
    CAPTURE_PENDING: "Payment pending for {} {}",
    CAPTURE_DENIED: "Payment denied for {} {}",
    CAPTURE_DECLINED: "Payment declined for {} {}",
    "PAYMENT.CAPTURE.REFUNDED": "A {} {} capture payment was refunded",
    "PAYMENT.CAPTURE.REVERSED": "A {} {} capture payment was reversed",
}
# What an instrument leads to: status, reason, event.
RESULTS = {
    outcomes.PAY: ("COMPLETED", "", COMPLETED),
    outcomes.CAPTURE_DECLINED: ("DECLINED", "", CAPTURE_DECLINED),
    outcomes.DECLINED: ("DECLINED", "", CAPTURE_DECLINED),
    outcomes.PENDING: ("PENDING", "ECHECK", CAPTURE_PENDING),
    outcomes.PENDING_DENIED: ("PENDING", "ECHECK", CAPTURE_PENDING),
    outcomes.REVIEW: ("PENDING", "PENDING_REVIEW", CAPTURE_PENDING),
}
CLEARS = {outcomes.PENDING: True, outcomes.REVIEW: True, outcomes.PENDING_DENIED: False}


class Captures:
    """Makes captures and lets pending ones end."""

    def __init__(self, bank: Bank) -> None:
        """Work on ``bank``."""
        self._bank = bank

    def check_invoice(self, order: Order, invoice_id: str) -> None:
        """Refusal when the account's invoices are paid once and this one is paid by another order already."""
        if not invoice_id or not order.account.unique_invoices:
            return
        for one in self._bank.captures.values():
            if one.account.client_id != order.account.client_id or one.order_id == order.id:
                continue
            if one.invoice_id == invoice_id and (one.paid or one.status == "PENDING"):
                raise refusals.unprocessable("DUPLICATE_INVOICE_ID", "/purchase_units/invoice_id", invoice_id)

    def make(
        self,
        order: Order,
        amount: Amount,
        instrument: str,
        script: FaultScript,
        *,
        authorization: Authorization | None = None,
        final: bool = True,
        invoice_id: str = "",
        note: str = "",
    ) -> Capture:
        """Take the money, or begin to."""
        status, reason, _ = RESULTS[instrument]
        bank = self._bank
        capture = Capture(
            id=bank.new_id(),
            order_id=order.id,
            account=order.account,
            authorization_id=authorization.id if authorization is not None else "",
            amount=amount,
            status=status,
            reason=reason,
            fee=bank.fee_of(amount),
            final=final,
            custom_id=order.custom_id,
            invoice_id=invoice_id or order.invoice_id,
            note=note,
            created_at=bank.now,
            updated_at=bank.now,
            instrument=instrument,
            script=script,
            reads=order.reads if script is ORDINARY else script.reads(),
        )
        bank.captures[capture.id] = capture
        order.capture_ids.append(capture.id)
        if capture.paid:
            bank.book(capture, CHECKOUT, amount.value, -capture.fee, capture.id)
        elif status == "PENDING":
            self._wait(capture, CLEARS[instrument])
        return capture

    def _wait(self, capture: Capture, clears: bool) -> None:
        seconds = self._bank.config.clearing_seconds
        self._bank.later(seconds, f"clearing of {capture.id}", lambda: self.clear(capture, clears))

    def clear(self, capture: Capture, good: bool) -> list[Planned]:
        """End a pending capture; what is to be told. Nothing when it has ended already."""
        if capture.status != "PENDING":
            return []
        bank = self._bank
        capture.reason, capture.updated_at = "", bank.now
        if not good:
            capture.status = "DECLINED"
            return bank.office.plain(capture.account, capture.id, self.told(capture, CAPTURE_DENIED))
        capture.status = "COMPLETED"
        bank.book(capture, CHECKOUT, capture.amount.value, -capture.fee, capture.id)
        return bank.office.plain(capture.account, capture.id, self.told(capture, COMPLETED))

    # Telling.

    def told(self, capture: Capture, event_type: str, receiver: str | None = None) -> Told:
        """An event about a capture, as it is."""
        body = bodies.with_relations(bodies.capture_body(capture, self._bank.origin.api), capture, receiver)
        summary = SUMMARIES[event_type].format(body["amount"]["value"], capture.amount.currency)
        return Told(event_type=event_type, resource_type="capture", resource=body, summary=summary)

    def plan(self, capture: Capture, order: Order) -> list[Planned]:
        """What follows from a new capture, as its own script wants it told, or else the order's."""
        script = capture.script if capture.script is not ORDINARY else without_forged(order.script)
        claimed = script.event_outcome or capture.instrument
        told = self.claim(order, capture, claimed, script.event_amount, script.event_receiver)
        stale = None
        if script.stale_outcome:
            stale = replace(self.claim(order, capture, script.stale_outcome), age=60.0)
        forged = None
        if script.forged:
            forged = self.claim(order, capture, outcomes.PAY, script.forged_amount, invented=True)
        plan = self._bank.office.plan(
            script, account=capture.account, subject=capture.id, told=told, stale=stale, forged=forged
        )
        if order.status == "COMPLETED":
            done = self._bank.order_told(order, "CHECKOUT.ORDER.COMPLETED", "Checkout Order Completed")
            plan += self._bank.office.plan(
                FaultScript(
                    event_lost=script.event_lost,
                    event_delay=script.event_delay,
                    event_out_of_order=script.event_out_of_order,
                ),
                account=order.account,
                subject=order.id,
                told=done,
            )
        return plan

    def claim(
        self,
        order: Order,
        capture: Capture | None,
        outcome: str,
        amount: str | None = None,
        receiver: str | None = None,
        *,
        invented: bool = False,
    ) -> Told:
        """An event that claims ``outcome`` of an order, true or not; without a capture it invents one."""
        if outcome not in RESULTS:
            return self._bank.order_told(order, "CHECKOUT.ORDER.VOIDED", "Checkout Order Voided")
        status, reason, event_type = RESULTS[outcome]
        shown = capture if capture is not None and not invented else self._invent(order)
        value = Amount(Decimal(amount), shown.amount.currency) if amount else shown.amount
        changed = replace(shown, status=status if outcome != outcomes.PAY or not shown.paid else shown.status)
        changed = replace(changed, reason=reason, amount=value, fee=self._bank.fee_of(value))
        return self.told(changed, event_type, receiver)

    def _invent(self, order: Order) -> Capture:
        bank = self._bank
        now: datetime = bank.now
        return Capture(
            id=bank.new_id(),
            order_id=order.id,
            account=order.account,
            amount=order.amount,
            status="COMPLETED",
            fee=bank.fee_of(order.amount),
            custom_id=order.custom_id,
            invoice_id=order.invoice_id,
            created_at=now,
            updated_at=now,
            script=ORDINARY,
            reads=ORDINARY.reads(),
        )

    def body(self, capture: Capture) -> dict[str, Any]:
        """As the payments API shows it."""
        return bodies.with_relations(bodies.capture_body(capture, self._bank.origin.api), capture)


def without_forged(script: FaultScript) -> FaultScript:
    """The script of an order whose forged events are under way already."""
    if not script.forged:
        return script
    theirs = {"forged", "forged_amount", "forged_after", "event_shape"}
    fields = {name: value for name, value in script.to_dict().items() if name not in theirs}
    return FaultScript.from_dict(fields)
