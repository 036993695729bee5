"""Refunds: at once, in a while, or failing days after they succeeded."""

from __future__ import annotations

from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Scheduler
from majuu_sim.stripe import currencies, errors, objects
from majuu_sim.stripe.book import ORDINARY, Book, Note
from majuu_sim.stripe.cards import REFUND_ACTION, REFUND_FAILS, REFUND_PENDING
from majuu_sim.stripe.config import StripeConfig
from majuu_sim.stripe.errors import Obj, StripeRefusal
from majuu_sim.stripe.money import Till
from majuu_sim.stripe.office import EventOffice
from majuu_sim.stripe.params import Params

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
FAILURES = ("expired_or_canceled_card", "lost_or_stolen_card", "unknown", "insufficient_funds", "declined")
WAITING = ("pending", "requires_action")
SETTLED = ("won", "warning_closed", "prevented")


class RefundDesk:
    """Everything that happens to refunds. Lives on the simulator's loop."""

    def __init__(self, *, config: StripeConfig, scheduler: Scheduler, office: EventOffice, till: Till) -> None:
        """Tell through ``office``, book through ``till``."""
        self._config = config
        self._scheduler = scheduler
        self._office = office
        self._till = till

    def create(self, book: Book, params: Params, script: FaultScript = ORDINARY) -> Obj:
        """POST /v1/refunds."""
        params.only("charge", "payment_intent", "amount", "reason", "metadata", "expand")
        charge = self._charge_of(book, params)
        reason = params.choice("reason", REASONS)
        return self.refund(book, charge, params.whole("amount"), reason, params.metadata(), script)

    def refund(
        self,
        book: Book,
        charge: Obj,
        asked: int | None,
        reason: str | None,
        metadata: dict[str, str],
        script: FaultScript = ORDINARY,
    ) -> Obj:
        """Refund a charge, all that is left of it unless an amount is given; a refusal for what cannot be."""
        amount = self._amount(book, charge, asked)
        outcome = script.outcome or book.note(charge["id"]).request.get("outcome")
        made = objects.refund(book, charge, amount=amount, reason=reason, metadata=metadata)
        if outcome == REFUND_ACTION:
            made["status"] = "requires_action"
        elif outcome == REFUND_PENDING or script.answer_after is not None:
            made |= {"status": "pending", "pending_reason": "processing"}
        made["balance_transaction"] = self._till.move(book, "refund", made, -amount)["id"]
        book.add(made, Note(script=script, reads=script.reads()))
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self._office.emit(book, "refund.created", made, script)
        self._office.emit(book, "charge.refunded", charge, script)
        self._go_on(book, made, outcome, script)
        return made

    def update(self, book: Book, refund: Obj, params: Params) -> Obj:
        """POST /v1/refunds/{id}: metadata only."""
        params.only("metadata", "expand")
        refund["metadata"] = params.metadata(refund["metadata"])
        self._office.emit(book, "refund.updated", refund)
        return refund

    def fail(self, book: Book, refund: Obj, reason: str = "expired_or_canceled_card") -> None:
        """The customer's bank sent it back; RuntimeError when it failed already, ValueError for another reason."""
        if reason not in FAILURES:
            raise ValueError(f"unknown reason {reason!r}; known: {', '.join(FAILURES)}")
        if refund["status"] not in ("succeeded", *WAITING):
            raise RuntimeError(f"{refund['id']} is {refund['status']}")
        self._take_back(book, refund, {"status": "failed", "failure_reason": reason})
        for kind in ("refund.updated", "refund.failed", "charge.refund.updated"):
            self._office.emit(book, kind, refund, book.note(refund["id"]).script)

    def cancel(self, book: Book, refund: Obj, params: Params) -> Obj:
        """POST /v1/refunds/{id}/cancel: of one that waits for the customer."""
        params.only("expand")
        if refund["status"] != "requires_action":
            raise StripeRefusal(400, f"You cannot cancel a refund with a status of {refund['status']}.")
        self._take_back(book, refund, {"status": "canceled"})
        for kind in ("refund.updated", "charge.refund.updated"):
            self._office.emit(book, kind, refund, book.note(refund["id"]).script)
        return refund

    def _take_back(self, book: Book, refund: Obj, fields: Obj) -> None:
        """The money stays with the merchant after all."""
        moved = self._till.move(book, "refund_failure", refund, refund["amount"])
        refund |= {**fields, "failure_balance_transaction": moved["id"]}
        refund.pop("pending_reason", None)
        charge = book.get("charge", refund["charge"])
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False

    def _go_on(self, book: Book, refund: Obj, outcome: str | None, script: FaultScript) -> None:
        if outcome == REFUND_FAILS:
            wait = self._config.refund_failure_after if script.answer_after is None else script.answer_after
            self._scheduler.after(wait, f"failure of {refund['id']}", lambda: self._end(book, refund, failed=True))
        elif refund["status"] in WAITING:
            wait = self._config.refund_pending_for if script.answer_after is None else script.answer_after
            self._scheduler.after(wait, f"end of {refund['id']}", lambda: self._end(book, refund, failed=False))

    async def _end(self, book: Book, refund: Obj, *, failed: bool) -> None:
        if failed and refund["status"] in (*WAITING, "succeeded"):
            self.fail(book, refund)
        elif refund["status"] in WAITING:
            refund["status"] = "succeeded"
            refund.pop("pending_reason", None)
            for kind in ("refund.updated", "charge.refund.updated"):
                self._office.emit(book, kind, refund, book.note(refund["id"]).script)
        await self._office.dispatch()

    def _charge_of(self, book: Book, params: Params) -> Obj:
        charge_id, payment_id = params.text("charge"), params.text("payment_intent")
        if charge_id is not None:
            return book.get("charge", charge_id, param="charge", status=404)
        if payment_id is None:
            raise StripeRefusal(
                400, "One of the following params should be provided for this request: payment_intent or charge.",
                began=False,
            )  # fmt: skip
        payment = book.get("payment_intent", payment_id, param="payment_intent", status=404)
        charge = book.find(payment["latest_charge"])
        if charge is None or charge["status"] != "succeeded":
            raise StripeRefusal(
                400,
                f"This PaymentIntent ({payment_id}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        return charge

    def _amount(self, book: Book, charge: Obj, asked: int | None) -> int:
        if not charge["captured"]:
            raise StripeRefusal(
                400,
                f"Charge {charge['id']} has not been captured; cancel its PaymentIntent instead of refunding it.",
                code="charge_not_refundable",
                param="charge",
            )
        if any(one["status"] not in SETTLED and not one["is_charge_refundable"] for one in _disputes(book, charge)):
            raise StripeRefusal(
                400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
            )
        left = charge["amount_captured"] - charge["amount_refunded"]
        if left == 0:
            raise StripeRefusal(
                400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
            )
        amount = left if asked is None else asked
        currencies.check_amount(amount, charge["currency"], smallest=False)
        if amount > left:
            shown, most = currencies.shown(amount, charge["currency"]), currencies.shown(left, charge["currency"])
            raise errors.StripeRefusal(
                400, f"Refund amount ({shown}) is greater than unrefunded amount on charge ({most})", param="amount"
            )
        return amount


def _disputes(book: Book, charge: Obj) -> list[Obj]:
    return book.where("dispute", charge=charge["id"])
