"""Authorizations: money that is held for 29 days, captured in parts, voided, or asked for anew."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from majuu_sim.faults import FaultScript
from majuu_sim.paypal import bodies, outcomes, refusals
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.captures import Captures
from majuu_sim.paypal.currencies import Amount
from majuu_sim.paypal.office import Planned
from majuu_sim.paypal.records import ORDINARY, Authorization, Capture, Order

CREATED, VOIDED = "PAYMENT.AUTHORIZATION.CREATED", "PAYMENT.AUTHORIZATION.VOIDED"
STATUS = {
    outcomes.CAPTURE_DECLINED: ("DENIED", ""),
    outcomes.REVIEW: ("PENDING", "PENDING_REVIEW"),
}


class Authorizations:
    """Makes authorizations and what becomes of them."""

    def __init__(self, bank: Bank, captures: Captures) -> None:
        """Work on ``bank``; captures are made by ``captures``."""
        self._bank = bank
        self._captures = captures

    def make(
        self, order: Order, amount: Amount, instrument: str, script: FaultScript, *, parent: Authorization | None = None
    ) -> Authorization:
        """Hold the money."""
        bank = self._bank
        status, reason = STATUS.get(instrument, ("CREATED", ""))
        expires_at = bank.now + timedelta(seconds=bank.config.authorization_seconds)
        one = Authorization(
            id=bank.new_id(),
            order_id=order.id,
            account=order.account,
            amount=amount,
            status=status,
            reason=reason,
            custom_id=order.custom_id,
            invoice_id=order.invoice_id,
            created_at=bank.now,
            updated_at=bank.now,
            expires_at=parent.expires_at if parent is not None else expires_at,
            parent_id=parent.id if parent is not None else "",
            script=script,
            reads=order.reads if script is ORDINARY else script.reads(),
        )
        bank.authorizations[one.id] = one
        order.authorization_ids.append(one.id)
        seconds = (one.expires_at - bank.now).total_seconds()
        one.due = bank.later(seconds, f"end of authorization {one.id}", lambda: self.expire(one))
        if status == "PENDING":
            bank.later(bank.config.clearing_seconds, f"review of {one.id}", lambda: self.release(one))
        return one

    def release(self, one: Authorization) -> list[Planned]:
        """End the review of a pending authorization well; nothing when it has ended already."""
        if one.status != "PENDING":
            return []
        one.status, one.reason, one.updated_at = "CREATED", "", self._bank.now
        told = self._bank.authorization_told(one, CREATED, "A successful payment authorization was created")
        return self._bank.office.plain(one.account, one.id, told)

    def plan(self, one: Authorization, order: Order) -> list[Planned]:
        """What follows from a new authorization, as its script wants it told."""
        script = one.script if one.script is not ORDINARY else order.script
        if one.status in ("DENIED", "PENDING"):
            return []
        told = self._bank.authorization_told(one, CREATED, "A successful payment authorization was created")
        plain = FaultScript(
            event_lost=script.event_lost,
            event_delay=script.event_delay,
            event_out_of_order=script.event_out_of_order,
            duplicates=script.duplicates,
            duplicate_gap=script.duplicate_gap,
        )
        return self._bank.office.plan(plain, account=one.account, subject=one.id, told=told)

    def expire(self, one: Authorization) -> list[Planned]:
        """Let the money go after 29 days; told as void."""
        if one.status not in ("CREATED", "PARTIALLY_CAPTURED", "PENDING") or one.final:
            return []
        one.status, one.updated_at = "VOIDED", self._bank.now
        return self._voided(one)

    def void(self, one: Authorization) -> list[Planned]:
        """Let the money go; Refusal when some of it was captured, or it is gone already."""
        if one.status == "VOIDED":
            raise refusals.unprocessable("PREVIOUSLY_VOIDED")
        if one.status == "CAPTURED":
            raise refusals.unprocessable("PREVIOUSLY_CAPTURED")
        if one.parent_id:
            raise refusals.unprocessable("CANNOT_BE_VOIDED")
        one.status, one.updated_at, one.final = "VOIDED", self._bank.now, True
        return self._voided(one)

    def _voided(self, one: Authorization) -> list[Planned]:
        told = self._bank.authorization_told(one, VOIDED, "A payment authorization was voided")
        return self._bank.office.plain(one.account, one.id, told)

    def capture(
        self,
        one: Authorization,
        script: FaultScript | None,
        *,
        amount: Amount | None,
        final: bool,
        invoice_id: str = "",
        note: str = "",
    ) -> Capture:
        """Take all or some of the money; Refusal when that is not possible."""
        left = self._left(one)
        wanted = amount or Amount(min(left, one.amount.value - one.captured), one.amount.currency)
        if wanted.currency != one.amount.currency:
            raise refusals.unprocessable("AUTH_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code", wanted.currency)
        if wanted.value > left:
            raise refusals.unprocessable("MAX_CAPTURE_AMOUNT_EXCEEDED", "/amount/value", str(wanted.value))
        order = self._bank.orders[one.order_id]
        self._captures.check_invoice(order, invoice_id)
        instrument = (script.outcome if script is not None else None) or order.instrument
        one.captured += wanted.value
        one.final = final or one.captured >= one.amount.value
        one.status = "CAPTURED" if one.final else "PARTIALLY_CAPTURED"
        one.updated_at = self._bank.now
        return self._captures.make(
            order,
            wanted,
            instrument if instrument in outcomes.INSTRUMENTS - outcomes.REFUSES else outcomes.PAY,
            script or ORDINARY,
            authorization=one,
            final=one.final,
            invoice_id=invoice_id,
            note=note,
        )

    def _left(self, one: Authorization) -> Decimal:
        if one.status == "VOIDED":
            expired = self._bank.now >= one.expires_at
            raise refusals.unprocessable("AUTHORIZATION_EXPIRED" if expired else "AUTHORIZATION_VOIDED")
        if one.status == "DENIED":
            raise refusals.unprocessable("AUTHORIZATION_DENIED")
        if one.status == "PENDING":
            raise refusals.unprocessable("TRANSACTION_REFUSED")
        if one.final:
            raise refusals.unprocessable("AUTHORIZATION_ALREADY_CAPTURED")
        most = one.amount.value * (1 + self._bank.config.over_capture_percent / 100)
        return most - one.captured

    def reauthorize(self, one: Authorization, script: FaultScript | None, amount: Amount | None) -> Authorization:
        """Ask for the money anew, once, after the honor period of three days; Refusal otherwise."""
        if self._left(one) <= 0 or one.captured or one.parent_id:
            raise refusals.unprocessable("REAUTHORIZATION_NOT_SUPPORTED")
        if any(other.parent_id == one.id for other in self._bank.authorizations.values()):
            raise refusals.unprocessable("REAUTHORIZATION_NOT_SUPPORTED")
        if self._bank.now < one.created_at + timedelta(seconds=self._bank.config.honor_seconds):
            raise refusals.unprocessable("REAUTHORIZATION_TOO_SOON")
        wanted = amount or one.amount
        if wanted.currency != one.amount.currency:
            raise refusals.unprocessable("AUTH_CURRENCY_MISMATCH", "/amount/currency_code", wanted.currency)
        if wanted.value > one.amount.value * Decimal("1.15"):
            raise refusals.unprocessable("AUTHORIZATION_AMOUNT_EXCEEDED", "/amount/value", str(wanted.value))
        order = self._bank.orders[one.order_id]
        made = self.make(order, wanted, outcomes.PAY, script or ORDINARY, parent=one)
        one.final, one.status, one.updated_at = True, "VOIDED", self._bank.now
        return made

    def body(self, one: Authorization) -> dict[str, Any]:
        """As the payments API shows it."""
        return bodies.with_relations(bodies.authorization_body(one, self._bank.origin.api), one)
