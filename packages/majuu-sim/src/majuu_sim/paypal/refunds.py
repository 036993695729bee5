"""Refunds: all or part of a capture goes back, at once, later, or after all not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from majuu_sim.faults import FaultScript
from majuu_sim.paypal import outcomes, refusals
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.books import REFUND, REFUND_RETURNED
from majuu_sim.paypal.currencies import Amount
from majuu_sim.paypal.disputes import Disputes
from majuu_sim.paypal.office import Planned, Told
from majuu_sim.paypal.records import ORDINARY, Capture, Refund

REFUNDED, REFUND_PENDING, REFUND_FAILED = (
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.REFUND.PENDING",
    "PAYMENT.REFUND.FAILED",
)
ENDS = {
    outcomes.REFUND_PENDING: "COMPLETED",
    outcomes.REFUND_FAILED: "FAILED",
    outcomes.REFUND_CANCELLED: "CANCELLED",
}

CLAIMS = {outcomes.PAY: "COMPLETED", **ENDS, outcomes.REFUND_PENDING: "PENDING", outcomes.REFUND_FAILED_LATE: "FAILED"}


class Refunds:
    """Makes refunds and lets them end."""

    def __init__(self, bank: Bank, disputes: Disputes) -> None:
        """Work on ``bank``; ``disputes`` hear of refunds that settle them."""
        self._bank = bank
        self._disputes = disputes

    def make(
        self,
        capture: Capture,
        script: FaultScript | None,
        *,
        amount: Amount | None,
        custom_id: str = "",
        invoice_id: str = "",
        note: str = "",
        by_hand: bool = False,
    ) -> Refund:
        """Send money back; Refusal when that is not possible."""
        wanted = self._checked(capture, amount)
        self._check_invoice(capture, invoice_id)
        bank, chosen = self._bank, script or ORDINARY
        outcome = chosen.outcome if chosen.outcome in outcomes.REFUND else outcomes.PAY
        capture.refunded += wanted.value
        refund = Refund(
            id=bank.new_id(),
            capture_id=capture.id,
            order_id=capture.order_id,
            account=capture.account,
            amount=wanted,
            status="PENDING" if outcome in ENDS else "COMPLETED",
            reason="ECHECK" if outcome in ENDS else "",
            custom_id=custom_id,
            invoice_id=invoice_id,
            note=note,
            by_hand=by_hand,
            total=capture.refunded,
            created_at=bank.now,
            updated_at=bank.now,
            script=chosen,
            reads=chosen.reads(),
        )
        bank.refunds[refund.id] = refund
        bank.orders[capture.order_id].refund_ids.append(refund.id)
        bank.book(capture, REFUND, -wanted.value, movement_id=refund.id)
        self._note_status(capture)
        self._plan_end(refund, outcome)
        return refund

    def _checked(self, capture: Capture, amount: Amount | None) -> Amount:
        left = capture.amount.value - capture.refunded
        if capture.status == "PENDING":
            raise refusals.unprocessable("PENDING_CAPTURE")
        if not capture.paid:
            raise refusals.unprocessable("REFUND_NOT_ALLOWED")
        if capture.charged_back:
            raise refusals.unprocessable("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")
        if left <= 0:
            raise refusals.unprocessable("CAPTURE_FULLY_REFUNDED")
        if self._bank.now > capture.created_at + timedelta(seconds=self._bank.config.refund_seconds):
            raise refusals.unprocessable("REFUND_TIME_LIMIT_EXCEEDED")
        wanted = amount or Amount(left, capture.amount.currency)
        if wanted.currency != capture.amount.currency:
            raise refusals.unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code", wanted.currency)
        if wanted.value > left:
            raise refusals.unprocessable("REFUND_AMOUNT_EXCEEDED", "/amount/value", str(wanted.value))
        if capture.dispute_id and wanted.value < left:
            raise refusals.unprocessable("TRANSACTION_DISPUTED")
        if not self._bank.books.can_pay(capture.account.client_id, wanted):
            raise refusals.unprocessable("REFUND_FAILED_INSUFFICIENT_FUNDS")
        return wanted

    def _check_invoice(self, capture: Capture, invoice_id: str) -> None:
        if not invoice_id or not capture.account.unique_invoices:
            return
        for one in self._bank.refunds.values():
            ours = one.account.client_id == capture.account.client_id
            if ours and one.invoice_id == invoice_id and one.status in ("COMPLETED", "PENDING"):
                raise refusals.unprocessable("DUPLICATE_INVOICE_ID", "/invoice_id", invoice_id)

    def _plan_end(self, refund: Refund, outcome: str) -> None:
        config = self._bank.config
        if outcome in ENDS:
            self._later(config.clearing_seconds, refund, ENDS[outcome])
        elif outcome == outcomes.REFUND_FAILED_LATE:
            self._later(config.late_failure_seconds, refund, "FAILED")

    def _later(self, seconds: float, refund: Refund, status: str) -> None:
        self._bank.later(seconds, f"end of refund {refund.id}", lambda: self.end(refund, status))

    def end(self, refund: Refund, status: str) -> list[Planned]:
        """Complete, fail or cancel a refund; what fails comes back into the account. What is to be told."""
        if status not in ("COMPLETED", "FAILED", "CANCELLED"):
            raise ValueError(f"a refund cannot end as {status!r}")
        if refund.status in ("FAILED", "CANCELLED") or refund.status == status:
            return []
        bank, capture = self._bank, self._bank.captures[refund.capture_id]
        refund.status, refund.reason, refund.updated_at = status, "", bank.now
        if status != "COMPLETED":
            capture.refunded -= refund.amount.value
            bank.book(capture, REFUND_RETURNED, refund.amount.value)
            self._note_status(capture)
        return bank.office.plain(refund.account, refund.id, self.told(refund))

    def _note_status(self, capture: Capture) -> None:
        capture.updated_at = self._bank.now
        if capture.refunded <= Decimal(0):
            capture.status = "COMPLETED"
        else:
            capture.status = "REFUNDED" if capture.refunded >= capture.amount.value else "PARTIALLY_REFUNDED"

    def told(self, refund: Refund) -> Told:
        """The event that says how a refund stands."""
        shown = f"{refund.amount.to_dict()['value']} {refund.amount.currency}"
        if refund.status == "PENDING":
            return self._bank.refund_told(refund, REFUND_PENDING, f"A {shown} refund is pending")
        if refund.status in ("FAILED", "CANCELLED"):
            return self._bank.refund_told(refund, REFUND_FAILED, f"A {shown} refund failed")
        return self._bank.refund_told(refund, REFUNDED, f"A {shown} capture payment was refunded")

    def plan(self, refund: Refund) -> list[Planned]:
        """What follows from a new refund, as its script wants it told."""
        script = refund.script
        told = self._claim(refund, script.event_outcome, script.event_amount)
        stale = replace(self._claim(refund, script.stale_outcome), age=60.0) if script.stale_outcome else None
        forged = None
        if script.forged:
            invented = replace(refund, id=self._bank.new_id())
            forged = self._claim(invented, outcomes.PAY, script.forged_amount)
        plan = self._bank.office.plan(
            script, account=refund.account, subject=refund.id, told=told, stale=stale, forged=forged
        )
        return [*plan, *self._disputes.refunded(self._bank.captures[refund.capture_id])]

    def _claim(self, refund: Refund, outcome: str | None, amount: str | None = None) -> Told:
        """The event that claims ``outcome`` and ``amount`` of a refund, true or not."""
        value = Amount(Decimal(amount), refund.amount.currency) if amount else refund.amount
        status = CLAIMS.get(outcome, refund.status) if outcome else refund.status
        return self.told(replace(refund, status=status, amount=value))
