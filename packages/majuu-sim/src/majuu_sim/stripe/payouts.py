"""Payouts: what is available is sent to the bank, arrives, or comes back."""

from __future__ import annotations

from majuu_sim.scheduler import Scheduler
from majuu_sim.stripe.book import Book
from majuu_sim.stripe.config import StripeConfig
from majuu_sim.stripe.errors import Obj
from majuu_sim.stripe.money import Till
from majuu_sim.stripe.office import EventOffice

DAY = 86_400


class PayoutDesk:
    """Everything that happens to payouts. Lives on the simulator's loop."""

    def __init__(self, *, config: StripeConfig, scheduler: Scheduler, office: EventOffice, till: Till) -> None:
        """Tell through ``office``, book through ``till``."""
        self._config = config
        self._scheduler = scheduler
        self._office = office
        self._till = till
        self._paid_out: dict[str, str] = {}  # balance transaction → payout

    def clear(self) -> None:
        """Forget what was paid out."""
        self._paid_out.clear()

    def payout_of(self, moved: Obj) -> str | None:
        """The payout a balance transaction went to the bank with."""
        return self._paid_out.get(moved["id"])

    def plan(self, book: Book, currency: str) -> None:
        """Pay out by itself when what has just been charged is available, if that is the setting."""
        if not self._config.automatic_payouts:
            return

        async def pay_out() -> None:
            try:
                self.make(book, currency)
            except ValueError:
                return  # refunds and disputes have eaten it, or another payout has carried it
            await self._office.dispatch()

        self._scheduler.after(self._config.available_after, f"payout in {currency}", pay_out)

    def make(self, book: Book, currency: str) -> Obj:
        """Pay out everything available in a currency; ValueError when there is nothing."""
        self._till.refresh(book)
        moves = [
            one
            for one in book.where("balance_transaction", status="available", currency=currency)
            if one["id"] not in self._paid_out
        ]
        amount = sum(one["net"] for one in moves)
        if amount <= 0:
            raise ValueError(f"nothing in {currency} is available to be paid out")
        payout = book.add(self._made(book, amount, currency))
        moved = self._till.move(book, "payout", payout, -amount)
        payout["balance_transaction"] = moved["id"]
        for one in [*moves, moved]:
            self._paid_out[one["id"]] = payout["id"]
        self._office.emit(book, "payout.created", payout)
        self._scheduler.after(
            self._config.payout_days * DAY, f"arrival of {payout['id']}", lambda: self._arrive(book, payout)
        )
        return payout

    def fail(self, book: Book, payout: Obj, code: str = "account_closed") -> None:
        """The bank sends it back; RuntimeError when it failed already."""
        if payout["status"] == "failed":
            raise RuntimeError(f"{payout['id']} has failed already")
        moved = self._till.move(book, "payout_failure", payout, payout["amount"])
        payout |= {
            "status": "failed",
            "failure_code": code,
            "failure_message": "The bank account has been closed.",
            "failure_balance_transaction": moved["id"],
        }
        self._office.emit(book, "payout.failed", payout)

    async def _arrive(self, book: Book, payout: Obj) -> None:
        if payout["status"] == "in_transit":
            payout |= {"status": "paid", "reconciliation_status": "completed"}
            self._office.emit(book, "payout.paid", payout)
            self._office.emit(book, "payout.reconciliation_completed", payout)
            await self._office.dispatch()

    def _made(self, book: Book, amount: int, currency: str) -> Obj:
        return {
            "id": book.new_id("po"),
            "object": "payout",
            "amount": amount,
            "application_fee": None,
            "application_fee_amount": None,
            "arrival_date": (book.now() // DAY + self._config.payout_days) * DAY,
            "automatic": True,
            "balance_transaction": None,
            "created": book.now(),
            "currency": currency,
            "description": "STRIPE PAYOUT",
            "destination": f"ba_{book.account.id[5:]}",
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": book.account.livemode,
            "metadata": {},
            "method": "standard",
            "original_payout": None,
            "payout_method": None,
            "reconciliation_status": "in_progress",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": None,
            "status": "in_transit",
            "trace_id": None,
            "type": "bank_account",
        }
