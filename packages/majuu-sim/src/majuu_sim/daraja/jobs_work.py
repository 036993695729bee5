"""Does what B2C, B2B and reversal requests ask for, if the accounts and the rules let it; finds transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from majuu_sim.clock import Clock
from majuu_sim.daraja.books import CHARGES, UTILITY, WORKING, Books, Entry, Movement
from majuu_sim.daraja.c2b_records import C2BPayment
from majuu_sim.daraja.config import DarajaConfig, Shortcode
from majuu_sim.daraja.customers import Customers
from majuu_sim.daraja.jobs_records import B2B, B2C, REVERSAL, STATUS, Job

REASONS = {
    "BusinessPayment": "Business Payment to Customer via API",
    "SalaryPayment": "Salary Payment via API",
    "PromotionPayment": "Promotion Payment via API",
    "BusinessPayBill": "Business Pay Bill via API",
    "BusinessBuyGoods": "Business Buy Goods via API",
    "BusinessPayToBulk": "Business Pay to Bulk via API",
    "BusinessTransferFromMMFToUtility": "Transfer from Working to Utility via API",
    "TransactionReversal": "Transaction Reversal via API",
}
_C2B_STATES = {
    "validating": "Pending",
    "completed": "Completed",
    "rejected": "Cancelled",
    "cancelled": "Cancelled",
    "declined": "Declined",
}

Outcome = tuple[str, Movement | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a status query found. ``status`` is Daraja's word."""

    status: str
    amount: Decimal
    started_at: datetime
    finished_at: datetime | None
    payer: str
    receiver: str
    reason: str
    receipt: str = ""
    conversation_id: str = ""
    originator_conversation_id: str = ""
    debit_account: str = ""
    charges: str = ""


class Clerk:
    """Moves the money of jobs."""

    def __init__(
        self,
        *,
        config: DarajaConfig,
        clock: Clock,
        books: Books,
        customers: Customers,
        find_job: Callable[[str], Job | None],
        c2b_payments: Mapping[str, C2BPayment],
    ) -> None:
        """Work on ``books`` and ``customers``; look up jobs and customers' payments for status queries."""
        self._config = config
        self._clock = clock
        self._books = books
        self._customers = customers
        self._find_job = find_job
        self._c2b_payments = c2b_payments

    def work(self, job: Job) -> Outcome:
        """Do it: the name of the outcome, and the movement when money moved."""
        match job.request.product:
            case "b2c_payment":
                return self._pay_out(job)
            case "b2b_payment":
                return self._pay_business(job)
            case "reversal":
                return self._reverse(job)
            case "transaction_status" if self.find(job) is None:
                return "unknown_transaction", None
            case _:
                return "pay", None

    def owner(self, job: Job) -> Shortcode:
        """The shortcode a job is about."""
        found = self._config.find(job.request.shortcode)
        if found is None:
            raise KeyError(job.request.shortcode)
        return found

    # B2C.

    def _pay_out(self, job: Job) -> Outcome:
        request, owner = job.request, self.owner(job)
        amount = Decimal(request.amount)
        refusal = self._payout_refusal(request.amount, request.party)
        if refusal is None and self._books.account(owner.number, UTILITY).available < amount:
            refusal = "insufficient"
        if refusal is not None:
            return refusal, None
        self._customers.change(request.party, request.amount)
        receiver = self._customers.public_name(request.party)
        entries = [Entry(owner.number, UTILITY, -amount), *self._charge(owner, self._config.payout_charge)]
        return "pay", self._record(job, "b2c", owner.public_name, receiver, entries, msisdn=request.party)

    def _payout_refusal(self, amount: int, msisdn: str) -> str | None:
        if amount < self._config.payout_minimum:
            return "below_minimum"
        if amount > self._config.max_amount:
            return "above_maximum"
        if not self._customers.is_registered(msisdn):
            return self._config.unregistered
        return None if self._customers.has_room(msisdn, amount) else "receiver_full"

    # B2B.

    def _pay_business(self, job: Job) -> Outcome:
        request, owner = job.request, self.owner(job)
        amount = Decimal(request.amount)
        if request.command == "DisburseFundsToBusiness":  # never by API
            return "initiator_not_allowed", None
        receiver = self._business(job, owner)
        if receiver is None:
            return "receiver_invalid", None
        if self._books.account(owner.number, WORKING).available < amount:
            return "insufficient", None
        name, entries = receiver
        debit = Entry(owner.number, WORKING, -amount)
        made = [debit, *entries, *self._charge(owner, self._config.b2b_charge)]
        return "pay", self._record(job, "b2b", owner.public_name, name, made)

    def _business(self, job: Job, owner: Shortcode) -> tuple[str, list[Entry]] | None:
        """The receiver's public name and what it gets; None when there is no such receiver."""
        request = job.request
        if request.party in self._config.outside_shortcodes:
            return f"{request.party} - Another organisation", []
        receiver = self._config.owner_of(request.party)
        if receiver is None or not _suits(request.command, request.party, owner, receiver):
            return None
        return receiver.public_name, [Entry(receiver.number, UTILITY, Decimal(request.amount))]

    # Reversal.

    def _reverse(self, job: Job) -> Outcome:
        request, owner = job.request, self.owner(job)
        original = self._books.find(request.transaction_id)
        if original is None or original.kind not in ("stk", "c2b") or owner.number not in original.shortcodes:
            return "unknown_transaction", None
        if self._books.reversal_of(original.receipt) is not None:
            return "already_reversed", None
        amount = Decimal(request.amount)
        if amount > original.amount or (amount < original.amount and not self._config.partial_reversals):
            return "invalid_parameter", None
        if self._books.account(owner.number, UTILITY).available < amount:
            return "insufficient", None
        self._customers.change(original.msisdn, request.amount)
        entries = [Entry(owner.number, UTILITY, -amount)]
        made = self._record(
            job,
            "reversal",
            owner.public_name,
            original.payer,
            entries,
            msisdn=original.msisdn,
            original_receipt=original.receipt,
        )
        return "pay", made

    def _record(
        self,
        job: Job,
        kind: str,
        payer: str,
        receiver: str,
        entries: list[Entry],
        *,
        msisdn: str = "",
        original_receipt: str = "",
    ) -> Movement:
        movement = Movement(
            receipt=self._books.new_receipt(),
            kind=kind,
            amount=Decimal(job.request.amount),
            at=self._clock.now(),
            started_at=job.created_at,
            payer=payer,
            receiver=receiver,
            msisdn=msisdn,
            reason=REASONS.get(job.request.command, job.request.command),
            account_reference=job.request.account_reference,
            original_receipt=original_receipt,
            conversation_id=job.conversation_id,
            originator_conversation_id=job.originator_conversation_id,
        )
        return self._books.record(movement, entries)

    def _charge(self, owner: Shortcode, amount: Decimal) -> list[Entry]:
        return [Entry(owner.number, CHARGES, -amount, is_charge=True)] if amount else []

    # Status.

    def find(self, job: Job) -> Found | None:
        """The transaction a status query is about, if it is one of the asking shortcode's."""
        request = job.request
        if request.transaction_id:
            movement = self._books.find(request.transaction_id)
        else:
            movement = self._books.find_by_conversation(request.conversation)
        if movement is not None:
            return _found_movement(movement) if request.shortcode in movement.shortcodes else None
        other = self._find_job(request.conversation)
        if other is not None and other.request.shortcode == request.shortcode and other.request.product != STATUS:
            return self._found_job(other)
        payment = self._c2b_payments.get(request.transaction_id)
        if payment is not None and payment.shortcode == request.shortcode:
            return self._found_payment(payment)
        return None

    def _found_job(self, job: Job) -> Found | None:
        if job.request.product not in (B2C, B2B, REVERSAL):
            return None
        request, owner = job.request, self.owner(job)
        receiver = self._customers.public_name(request.party) if request.product == B2C else request.party
        return Found(
            status="Pending" if job.active else "Failed",
            amount=Decimal(request.amount),
            started_at=job.created_at,
            finished_at=job.finished_at,
            payer=owner.public_name,
            receiver=receiver,
            reason=REASONS.get(request.command, request.command),
            conversation_id=job.conversation_id,
            originator_conversation_id=job.originator_conversation_id,
        )

    def _found_payment(self, payment: C2BPayment) -> Found:
        owner = self._config.find(payment.shortcode)
        return Found(
            status=_C2B_STATES[payment.state],
            amount=Decimal(payment.amount),
            started_at=payment.started_at,
            finished_at=payment.completed_at,
            payer=f"{payment.msisdn} - {payment.names.upper()}",
            receiver=owner.public_name if owner is not None else payment.receiver,
            reason="Pay Bill",
            receipt=payment.receipt,
        )


def _suits(command: str, party: str, owner: Shortcode, receiver: Shortcode) -> bool:
    """True when this kind of payment can go to that number."""
    if command == "BusinessTransferFromMMFToUtility":
        return receiver.number == owner.number
    if command == "BusinessBuyGoods":
        return party in receiver.tills
    if command == "BusinessPayBill":
        return not receiver.is_till
    return party == receiver.number


def _found_movement(movement: Movement) -> Found:
    charge = sum((-posting.amount for posting in movement.postings if posting.is_charge), Decimal(0))
    fee = {"b2c": "Fee For B2C Payment", "b2b": "Business Pay Bill Charge"}.get(movement.kind, "Fee")
    return Found(
        status="Completed",
        amount=movement.amount,
        started_at=movement.started_at,
        finished_at=movement.at,
        payer=movement.payer,
        receiver=movement.receiver,
        reason=movement.reason,
        receipt=movement.receipt,
        conversation_id=movement.conversation_id,
        originator_conversation_id=movement.originator_conversation_id,
        debit_account={"b2c": "Utility Account", "b2b": "Working Account"}.get(movement.kind, ""),
        charges=f"{fee}|KES|{charge:.2f}" if charge else "",
    )
