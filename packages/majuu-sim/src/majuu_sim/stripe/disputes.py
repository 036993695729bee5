"""Disputes: the bank takes the money back, the merchant answers with evidence, the bank decides."""

from __future__ import annotations

from majuu_sim.scheduler import Job, Scheduler
from majuu_sim.stripe import errors
from majuu_sim.stripe.book import Book
from majuu_sim.stripe.config import StripeConfig
from majuu_sim.stripe.errors import Obj, StripeRefusal
from majuu_sim.stripe.money import Till
from majuu_sim.stripe.office import EventOffice
from majuu_sim.stripe.params import Params

FILES = (
    "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation", "receipt",
    "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
)  # fmt: skip
TEXTS = (
    "access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal",
    "customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation",
    "service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number",
    "uncategorized_text",
)  # fmt: skip
EVIDENCE = (*FILES, *TEXTS)
LONGEST = 20_000
ALL_TEXTS = 150_000
REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
)  # fmt: skip
ANSWERABLE = ("needs_response", "warning_needs_response")
OVER = ("won", "lost", "warning_closed", "prevented")
DAY = 86_400


class DisputeDesk:
    """Everything that happens to disputes. Lives on the simulator's loop."""

    def __init__(self, *, config: StripeConfig, scheduler: Scheduler, office: EventOffice, till: Till) -> None:
        """Tell through ``office``, book through ``till``."""
        self._config = config
        self._scheduler = scheduler
        self._office = office
        self._till = till

    def open_later(self, book: Book, charge: Obj, *, inquiry: bool) -> None:
        """A card that disputes what it paid."""

        async def dispute() -> None:
            if not charge["disputed"]:
                self.open(book, charge, reason="fraudulent", inquiry=inquiry)
                await self._office.dispatch()

        self._scheduler.after(self._config.dispute_after, f"dispute of {charge['id']}", dispute)

    def open(self, book: Book, charge: Obj, *, reason: str, amount: int | None = None, inquiry: bool = False) -> Obj:
        """Dispute a charge; an inquiry takes no money yet. ValueError for what cannot be."""
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}; known: {', '.join(REASONS)}")
        left = charge["amount_captured"] - charge["amount_refunded"]
        disputed = left if amount is None else amount
        if not charge["captured"] or charge["disputed"] or not 0 < disputed <= charge["amount_captured"]:
            raise ValueError(f"{charge['id']} cannot be disputed for {disputed}")
        made = book.add(self._made(book, charge, disputed, reason, inquiry))
        charge["disputed"] = True
        self._office.emit(book, "charge.dispute.created", made)
        if not inquiry:
            self._withdraw(book, made)
        self._scheduler.after(self._config.dispute_days * DAY, f"end of {made['id']}", self._run_out(book, made))
        return made

    def _run_out(self, book: Book, dispute: Obj) -> Job:
        async def run_out() -> None:
            if dispute["status"] in ANSWERABLE:
                dispute["evidence_details"]["past_due"] = True
                self.decide(book, dispute, won=dispute["status"].startswith("warning_"))
                await self._office.dispatch()

        return run_out

    def _made(self, book: Book, charge: Obj, amount: int, reason: str, inquiry: bool) -> Obj:
        card = charge["payment_method_details"]["card"]
        return {
            "id": book.new_id("du"),
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
            "charge": charge["id"],
            "created": book.now(),
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(sorted(EVIDENCE)), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": book.now() + self._config.dispute_days * DAY,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": inquiry,
            "livemode": book.account.livemode,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": card["brand"],
                    "case_type": "inquiry" if inquiry else "chargeback",
                    "network": card["network"],
                    "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        }

    def _withdraw(self, book: Book, dispute: Obj) -> None:
        moved = self._till.move(
            book,
            "adjustment",
            dispute,
            -dispute["amount"],
            fee=self._config.dispute_fee,
            description=f"Chargeback withdrawal for {dispute['charge']}",
        )
        dispute["balance_transactions"].append(moved)
        self._office.emit(book, "charge.dispute.funds_withdrawn", dispute)

    def update(self, book: Book, dispute: Obj, params: Params) -> Obj:
        """POST /v1/disputes/{id}: evidence, and whether it is handed in now."""
        params.only("evidence", "metadata", "submit", "expand")
        answers = params.has("evidence") or params.has("submit")
        if answers and dispute["status"] not in ANSWERABLE:
            raise StripeRefusal(
                400, f"This dispute is {dispute['status']}; evidence can no longer be given.", param="evidence"
            )
        given = params.part("evidence").only(*EVIDENCE, "enhanced_evidence")
        evidence = {name: given.text(name, most=LONGEST) for name in EVIDENCE if given.has(name)}
        for name in FILES:
            if (file_id := evidence.get(name)) is not None:
                self._check_file(book, file_id, given.name(name))
        merged = dispute["evidence"] | evidence
        if sum(len(merged[name] or "") for name in TEXTS) > ALL_TEXTS:
            raise errors.invalid("evidence", f"The evidence's texts may have {ALL_TEXTS} characters together.")
        dispute["evidence"] = merged
        dispute["metadata"] = params.metadata(dispute["metadata"])
        details = dispute["evidence_details"]
        details["has_evidence"] = any(merged[name] for name in EVIDENCE)
        if answers and params.flag("submit", True):
            details["submission_count"] += 1
            inquiry = dispute["status"].startswith("warning_")
            dispute["status"] = "warning_under_review" if inquiry else "under_review"
        self._office.emit(book, "charge.dispute.updated", dispute)
        return dispute

    def _check_file(self, book: Book, file_id: str, param: str) -> None:
        found = book.get("file", file_id, param=param, status=400)
        if found["purpose"] != "dispute_evidence":
            raise errors.invalid(param, f"The file {file_id} was uploaded for {found['purpose']}.")

    def close(self, book: Book, dispute: Obj, params: Params) -> Obj:
        """POST /v1/disputes/{id}/close: the merchant gives in."""
        params.only("expand")
        if dispute["status"] in OVER:
            raise StripeRefusal(400, "This dispute is already closed.", code="dispute_already_closed")
        self.decide(book, dispute, won=False)
        return dispute

    def decide(self, book: Book, dispute: Obj, *, won: bool) -> None:
        """The bank's word. An inquiry that is lost becomes a dispute; RuntimeError when it is over."""
        if dispute["status"] in OVER:
            raise RuntimeError(f"{dispute['id']} is over: {dispute['status']}")
        if dispute["status"].startswith("warning_"):
            self._end_inquiry(book, dispute, closed=won)
            return
        dispute["status"] = "won" if won else "lost"
        self._office.emit(book, "charge.dispute.closed", dispute)
        if won:
            fee = -self._config.dispute_fee if self._config.dispute_fee_returned else 0
            moved = self._till.move(
                book,
                "adjustment",
                dispute,
                dispute["amount"],
                fee=fee,
                description=f"Chargeback reversal for {dispute['charge']}",
            )
            dispute["balance_transactions"].append(moved)
            self._office.emit(book, "charge.dispute.funds_reinstated", dispute)

    def _end_inquiry(self, book: Book, dispute: Obj, *, closed: bool) -> None:
        if closed:
            dispute["status"] = "warning_closed"
            book.get("charge", dispute["charge"])["disputed"] = False
            self._office.emit(book, "charge.dispute.closed", dispute)
            return
        dispute |= {"status": "needs_response", "is_charge_refundable": False}
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
        self._office.emit(book, "charge.dispute.updated", dispute)
        self._withdraw(book, dispute)
