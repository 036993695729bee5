"""Disputes: a customer complains, the shop answers or gives in, PayPal decides, and money moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from majuu_sim.paypal import formats, refusals
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.books import (
    CHARGEBACK,
    CHARGEBACK_FEE,
    CHARGEBACK_WON,
    DISPUTE_FEE,
    HOLD,
    HOLD_RELEASED,
    REVERSAL,
)
from majuu_sim.paypal.captures import Captures
from majuu_sim.paypal.config import Account
from majuu_sim.paypal.currencies import Amount
from majuu_sim.paypal.formats import iso
from majuu_sim.paypal.office import Planned, Told
from majuu_sim.paypal.records import Capture

REASONS = (
    "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
    "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED",
    "UNAUTHORISED",
    "CREDIT_NOT_PROCESSED",
    "DUPLICATE_TRANSACTION",
    "INCORRECT_AMOUNT",
    "PAYMENT_BY_OTHER_MEANS",
    "CANCELED_RECURRING_BILLING",
    "PROBLEM_WITH_REMITTANCE",
    "OTHER",
)
STAGES = ("INQUIRY", "CHARGEBACK", "PRE_ARBITRATION", "ARBITRATION")
CHANNELS = ("INTERNAL", "EXTERNAL", "ALERT")
DECISIONS = {
    "buyer": "RESOLVED_BUYER_FAVOUR",
    "seller": "RESOLVED_SELLER_FAVOUR",
    "payout": "RESOLVED_WITH_PAYOUT",  # PayPal pays the customer itself
    "canceled": "CANCELED_BY_BUYER",
}
WAITING, REVIEW, RESOLVED = "WAITING_FOR_SELLER_RESPONSE", "UNDER_REVIEW", "RESOLVED"


@dataclass(slots=True, kw_only=True)
class Dispute:
    """A complaint about a capture."""

    id: str
    account: Account
    capture: Capture
    amount: Amount
    reason: str
    stage: str
    channel: str
    status: str = WAITING
    outcome: str = ""
    note: str = ""
    created_at: datetime
    updated_at: datetime
    due_at: datetime
    evidences: list[dict[str, Any]] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)  # name and size of what the shop sent
    movements: list[dict[str, Any]] = field(default_factory=list)
    refunded: Decimal = Decimal(0)

    @property
    def external(self) -> bool:
        """True for a chargeback of the customer's bank."""
        return self.channel == "EXTERNAL"

    @property
    def state(self) -> str:
        """What a list filters by."""
        if self.status == RESOLVED:
            return "RESOLVED"
        if self.status == REVIEW:
            return "UNDER_PAYPAL_REVIEW"
        return "OPEN_INQUIRIES" if self.stage == "INQUIRY" else "REQUIRED_ACTION"

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "capture": self.capture.id,
            "custom_id": self.capture.custom_id,
            "status": self.status,
            "outcome": self.outcome,
            "reason": self.reason,
            "stage": self.stage,
            "channel": self.channel,
            **self.amount.to_dict(),
            "due_at": iso(self.due_at),
            "evidences": len(self.evidences),
            "files": [name for name, _ in self.files],
        }


class Disputes:
    """All of disputes but the HTTP."""

    def __init__(self, bank: Bank, captures: Captures) -> None:
        """Work on ``bank``."""
        self._bank = bank
        self._captures = captures
        self.known: dict[str, Dispute] = {}

    def clear(self) -> None:
        """Forget every dispute."""
        self.known.clear()

    def find(self, account: Account, dispute_id: str) -> Dispute:
        """An account's own dispute; Refusal when it has none of this id."""
        found = self.known.get(dispute_id)
        if found is None or found.account.client_id != account.client_id:
            raise refusals.not_found("dispute_id", dispute_id)
        return found

    # The customer and PayPal.

    def open(
        self, capture: Capture, *, reason: str, stage: str, channel: str, amount: Decimal | None, note: str
    ) -> tuple[Dispute, list[Planned]]:
        """Complain; ValueError when there is nothing to complain about or a word is unknown."""
        for value, known in ((reason, REASONS), (stage, STAGES), (channel, CHANNELS)):
            if value not in known:
                raise ValueError(f"{value!r} is none of {', '.join(known)}")
        left = capture.amount.value - capture.refunded
        wanted = left if amount is None else amount
        if not capture.paid or capture.dispute_id or not 0 < wanted <= left:
            raise ValueError(f"capture {capture.id} cannot be disputed for {wanted} {capture.amount.currency}")
        bank = self._bank
        dispute = Dispute(
            id=formats.dispute_id(bank.rng),
            account=capture.account,
            capture=capture,
            amount=Amount(wanted, capture.amount.currency),
            reason=reason,
            stage=stage,
            channel=channel,
            note=note,
            created_at=bank.now,
            updated_at=bank.now,
            due_at=bank.now + timedelta(seconds=bank.config.dispute_due_seconds),
        )
        self.known[dispute.id] = dispute
        capture.dispute_id = dispute.id
        bank.later(bank.config.dispute_due_seconds, f"deadline of {dispute.id}", lambda: self._overdue(dispute))
        return dispute, [*self._take(dispute), *self._tell(dispute, "CREATED")]

    def _take(self, dispute: Dispute) -> list[Planned]:
        """Hold the money, or let the customer's bank take it back with a fee."""
        capture = dispute.capture
        if not dispute.external:
            self._bank.book(capture, HOLD, -dispute.amount.value)
            return []
        capture.charged_back = True
        self._bank.book(capture, CHARGEBACK, -dispute.amount.value)
        self._charge(dispute, CHARGEBACK_FEE, "CHARGEBACK_FEE")
        self._move(dispute, "DEBIT", dispute.amount, "DISPUTE_SETTLEMENT")
        told = self._captures.told(capture, "PAYMENT.CAPTURE.REVERSED")
        return self._bank.office.plain(dispute.account, capture.id, told)

    def _overdue(self, dispute: Dispute) -> list[Planned]:
        return self.decide(dispute, "buyer") if dispute.status == WAITING else []

    def escalate(self, dispute: Dispute) -> list[Planned]:
        """Turn an inquiry into a claim; ValueError when it is none."""
        if dispute.status == RESOLVED or dispute.stage != "INQUIRY":
            raise ValueError(f"dispute {dispute.id} is no open inquiry")
        dispute.stage, dispute.updated_at = "CHARGEBACK", self._bank.now
        return self._tell(dispute, "UPDATED")

    def decide(self, dispute: Dispute, decision: str) -> list[Planned]:
        """End a dispute; ValueError for an unknown decision or one that has ended."""
        if decision not in DECISIONS:
            raise ValueError(f"unknown decision {decision!r}; known: {', '.join(DECISIONS)}")
        if dispute.status == RESOLVED:
            raise ValueError(f"dispute {dispute.id} is resolved already")
        dispute.status, dispute.outcome, dispute.updated_at = RESOLVED, DECISIONS[decision], self._bank.now
        dispute.capture.dispute_id = ""
        plan = self._lose(dispute) if decision == "buyer" else self._win(dispute)
        return [*plan, *self._tell(dispute, "RESOLVED")]

    def _win(self, dispute: Dispute) -> list[Planned]:
        code = CHARGEBACK_WON if dispute.external else HOLD_RELEASED
        self._bank.book(dispute.capture, code, dispute.amount.value)
        if dispute.external:
            dispute.capture.charged_back = False
            self._move(dispute, "CREDIT", dispute.amount, "DISPUTE_SETTLEMENT")
        return []

    def _lose(self, dispute: Dispute) -> list[Planned]:
        capture, amount = dispute.capture, dispute.amount
        dispute.refunded = amount.value
        capture.refunded += amount.value
        whole = capture.refunded >= capture.amount.value
        capture.status, capture.updated_at = "REFUNDED" if whole else "PARTIALLY_REFUNDED", self._bank.now
        if dispute.external:
            return []
        self._bank.book(capture, HOLD_RELEASED, amount.value)
        self._bank.book(capture, REVERSAL, -amount.value)
        self._move(dispute, "DEBIT", amount, "DISPUTE_SETTLEMENT")
        self._charge(dispute, DISPUTE_FEE, "DISPUTE_FEE")
        told = self._captures.told(capture, "PAYMENT.CAPTURE.REVERSED")
        return self._bank.office.plain(dispute.account, capture.id, told)

    def refunded(self, capture: Capture) -> list[Planned]:
        """The shop gave all the money back by itself: the dispute is over, without a fee."""
        dispute = self.known.get(capture.dispute_id)
        if dispute is None or capture.refunded < capture.amount.value:
            return []
        dispute.status, dispute.outcome = RESOLVED, DECISIONS["buyer"]
        dispute.updated_at, dispute.refunded = self._bank.now, dispute.amount.value
        capture.dispute_id = ""
        self._bank.book(capture, HOLD_RELEASED, dispute.amount.value)
        return self._tell(dispute, "RESOLVED")

    def _charge(self, dispute: Dispute, code: str, reason: str) -> None:
        fee = Amount(self._bank.config.dispute_fee, dispute.amount.currency)
        if fee.value > 0:
            self._bank.book(dispute.capture, code, -fee.value)
            self._move(dispute, "DEBIT", fee, reason)

    def _move(self, dispute: Dispute, kind: str, amount: Amount, reason: str) -> None:
        dispute.movements.append(
            {
                "affected_party": "SELLER",
                "amount": amount.to_dict(),
                "initiated_time": iso(self._bank.now),
                "type": kind,
                "reason": reason,
            }
        )

    # The shop.

    def provide(self, dispute: Dispute, evidences: list[dict[str, Any]], files: list[tuple[str, int]]) -> list[Planned]:
        """Answer with evidence; Refusal when nobody waits for the shop."""
        self._require_waiting(dispute)
        now = self._bank.now
        for one in evidences:
            documents = [{"name": name} for name, _ in files]
            stamped = {"source": "SUBMITTED_BY_SELLER", "date": iso(now)}
            dispute.evidences.append({**one, **stamped, **({"documents": documents} if documents else {})})
        dispute.files += files
        dispute.status, dispute.updated_at = REVIEW, now
        return self._tell(dispute, "UPDATED")

    def accept(self, dispute: Dispute, amount: Amount | None) -> list[Planned]:
        """Give in: the customer gets the money (or so much of it); Refusal when nobody waits for the shop."""
        self._require_waiting(dispute)
        if amount is not None:
            if amount.currency != dispute.amount.currency or amount.value > dispute.amount.value:
                raise refusals.unprocessable("INVALID_REFUND_AMOUNT", "/refund_amount/value", str(amount.value))
            code = CHARGEBACK_WON if dispute.external else HOLD_RELEASED
            if amount.value < dispute.amount.value:
                self._bank.book(dispute.capture, code, dispute.amount.value - amount.value)
            dispute.amount = amount
        return self.decide(dispute, "buyer")

    def _require_waiting(self, dispute: Dispute) -> None:
        if dispute.status != WAITING:
            raise refusals.unprocessable("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")

    # Telling.

    def _tell(self, dispute: Dispute, what: str) -> list[Planned]:
        event_type = f"CUSTOMER.DISPUTE.{what}"
        summary = {
            "CREATED": "A new dispute opened with Case # {}",
            "UPDATED": "Dispute updated with Case # {}",
            "RESOLVED": "Dispute resolved with Case # {}",
        }[what].format(dispute.id)
        body = dispute_body(dispute, self._bank)
        told = Told(event_type=event_type, resource_type="dispute", resource=body, summary=summary)
        return self._bank.office.plain(dispute.account, dispute.id, told)


def _links(dispute: Dispute, base: str) -> list[dict[str, str]]:
    path = f"{base}/v1/customer/disputes/{dispute.id}"
    links = [{"href": path, "rel": "self", "method": "GET"}]
    if dispute.status == WAITING:
        links.append({"href": f"{path}/provide-evidence", "rel": "provide_evidence", "method": "POST"})
        links.append({"href": f"{path}/accept-claim", "rel": "accept_claim", "method": "POST"})
    return links


def dispute_row(dispute: Dispute, bank: Bank) -> dict[str, Any]:
    """A dispute in a list."""
    due = {"seller_response_due_date": iso(dispute.due_at)} if dispute.status == WAITING else {}
    return {
        "dispute_id": dispute.id,
        "create_time": iso(dispute.created_at),
        "update_time": iso(dispute.updated_at),
        "reason": dispute.reason,
        "status": dispute.status,
        "dispute_state": dispute.state,
        "dispute_amount": dispute.amount.to_dict(),
        "dispute_life_cycle_stage": dispute.stage,
        "dispute_channel": dispute.channel,
        **due,
        "links": _links(dispute, bank.origin.api),
    }


def dispute_body(dispute: Dispute, bank: Bank) -> dict[str, Any]:
    """The whole dispute."""
    capture, payer = dispute.capture, bank.orders[dispute.capture.order_id].payer
    transaction: dict[str, Any] = {
        "buyer_transaction_id": capture.id,
        "seller_transaction_id": capture.id,
        "create_time": iso(capture.created_at),
        "transaction_status": capture.status,
        "gross_amount": capture.amount.to_dict(),
        "buyer": {"name": f"{payer.given_name} {payer.surname}"},
        "seller": {"email": dispute.account.email, "merchant_id": dispute.account.merchant_id},
    }
    if capture.custom_id:
        transaction["custom"] = capture.custom_id
    if capture.invoice_id and set(capture.invoice_id) <= _INVOICE:
        transaction["invoice_number"] = capture.invoice_id
    body = {**dispute_row(dispute, bank), "disputed_transactions": [transaction]}
    del body["dispute_state"]  # only in lists
    if dispute.movements:
        body["money_movements"] = dispute.movements
    if dispute.note:
        posted = {"posted_by": "BUYER", "time_posted": iso(dispute.created_at), "content": dispute.note}
        body["messages"] = [posted]
    if dispute.evidences:
        body["evidences"] = dispute.evidences
    if dispute.outcome:
        refunded = Amount(dispute.refunded, dispute.amount.currency)
        outcome = {"outcome_code": dispute.outcome}
        body["dispute_outcome"] = {**outcome, **({"amount_refunded": refunded.to_dict()} if dispute.refunded else {})}
    return body


_INVOICE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-|")
