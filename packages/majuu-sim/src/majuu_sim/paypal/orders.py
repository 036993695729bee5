"""Orders: created by a shop, approved by a customer, captured or authorized by the shop again."""

from __future__ import annotations

from datetime import timedelta

from majuu_sim.faults import FaultScript
from majuu_sim.paypal import bodies, formats, outcomes, refusals
from majuu_sim.paypal.authorizations import Authorizations
from majuu_sim.paypal.bank import Bank
from majuu_sim.paypal.captures import Captures, without_forged
from majuu_sim.paypal.checking import OrderRequest
from majuu_sim.paypal.config import Account
from majuu_sim.paypal.office import Planned
from majuu_sim.paypal.records import ORDINARY, Authorization, Capture, Order, Payer

APPROVED, VOIDED = "CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.VOIDED"
STEPS = {"CAPTURE": "capture", "AUTHORIZE": "authorize"}


class Orders:
    """All of checkout but the HTTP."""

    def __init__(self, bank: Bank, captures: Captures, authorizations: Authorizations) -> None:
        """Work on ``bank``."""
        self._bank = bank
        self._captures = captures
        self._authorizations = authorizations

    # The shop.

    def create(self, account: Account, wanted: OrderRequest, script: FaultScript | None) -> Order:
        """A new order; its customer acts in due time, when one acts by itself."""
        bank = self._bank
        chosen = script or ORDINARY
        order = Order(
            id=bank.new_id(),
            account=account,
            intent=wanted.intent,
            amount=wanted.amount,
            unit=wanted.unit,
            payer=self._payer(wanted.email),
            wallet=wanted.wallet,
            return_url=wanted.return_url,
            cancel_url=wanted.cancel_url,
            user_action=wanted.user_action,
            brand_name=wanted.brand_name,
            created_at=bank.now,
            updated_at=bank.now,
            expires_at=bank.now + timedelta(seconds=bank.config.order_seconds),
            script=chosen,
            outcome=chosen.outcome or outcomes.PAY,
            status="PAYER_ACTION_REQUIRED" if wanted.wallet else "CREATED",
            reads=chosen.reads(),
        )
        bank.orders[order.id] = order
        self._plan_customer(order)
        if chosen.forged:
            told = self._captures.claim(order, None, outcomes.PAY, chosen.forged_amount)
            bank.office.schedule(bank.office.plan_forged(chosen, account=account, subject=order.id, told=told))
        return order

    def _payer(self, email: str) -> Payer:
        made = formats.payer_id(self._bank.rng)
        return Payer(made, email or f"customer-{made[:6].lower()}@majuu-sim.example")

    def _plan_customer(self, order: Order) -> None:
        seconds = self._delay(order)
        if seconds is not None:
            order.due = self._bank.later(seconds, f"customer of order {order.id}", lambda: self.act(order))

    def _delay(self, order: Order) -> float | None:
        """Until the customer acts by itself; None when it does not."""
        config, script = self._bank.config, order.script
        if order.outcome in outcomes.SILENT:
            return None
        if script.answer_after is not None:
            return script.answer_after
        return config.scripted_delay if script.outcome is not None else config.answer_delay

    def capture(self, order: Order, script: FaultScript | None) -> Capture:
        """Take the money of an approved order; Refusal when that is not possible."""
        self._require_intent(order, "CAPTURE")
        if order.capture_ids:
            raise refusals.unprocessable("ORDER_ALREADY_CAPTURED")
        instrument = self._instrument(order, script)
        self._captures.check_invoice(order, order.invoice_id)
        order.status, order.updated_at = "COMPLETED", self._bank.now
        return self._captures.make(order, order.amount, instrument, script or ORDINARY)

    def authorize(self, order: Order, script: FaultScript | None) -> Authorization:
        """Hold the money of an approved order; Refusal when that is not possible."""
        self._require_intent(order, "AUTHORIZE")
        if order.authorization_ids:
            raise refusals.unprocessable("ORDER_ALREADY_AUTHORIZED")
        instrument = self._instrument(order, script)
        self._captures.check_invoice(order, order.invoice_id)
        order.status, order.updated_at = "COMPLETED", self._bank.now
        return self._authorizations.make(order, order.amount, instrument, script or ORDINARY)

    def _require_intent(self, order: Order, intent: str) -> None:
        if order.intent != intent:
            raise refusals.unprocessable("ACTION_DOES_NOT_MATCH_INTENT")

    def _instrument(self, order: Order, script: FaultScript | None) -> str:
        if order.status != "APPROVED":
            raise refusals.unprocessable("ORDER_NOT_APPROVED")
        instrument = (script.outcome if script is not None else None) or order.instrument
        back = [bodies.link(self._bank.origin.pages, f"/checkoutnow?token={order.id}", "redirect")]
        if instrument == outcomes.DECLINED:
            order.instrument = instrument
            raise refusals.unprocessable("INSTRUMENT_DECLINED", links=back)
        if instrument == outcomes.PAYER_ACTION:
            order.instrument = instrument
            raise refusals.unprocessable("PAYER_ACTION_REQUIRED", links=[{**back[0], "rel": "payer-action"}])
        return instrument if instrument in outcomes.INSTRUMENTS else outcomes.PAY

    # The customer.

    def act(self, order: Order) -> list[Planned]:
        """Let the customer do what was chosen, now; nothing when it is too late."""
        if self.is_over(order) or not order.waits:
            return []
        if order.outcome in (outcomes.CANCEL, outcomes.TIMEOUT):
            return self.cancel(order)
        return self.approve(order, order.outcome if order.outcome != outcomes.MANUAL else outcomes.PAY)

    def approve(self, order: Order, instrument: str = outcomes.PAY) -> list[Planned]:
        """Approve with an instrument that will do ``instrument``; ValueError when nothing waits to be approved."""
        if instrument not in outcomes.INSTRUMENTS:
            raise ValueError(f"an instrument cannot do {instrument!r}")
        if self.is_over(order) or not order.waits:
            raise ValueError(f"order {order.id} is {order.status}: nobody can approve it")
        bank = self._bank
        if order.due is not None:
            bank.scheduler.cancel(order.due)
        again = order.approved
        order.status, order.approved, order.instrument = "APPROVED", True, instrument
        order.updated_at = bank.now
        order.expires_at = bank.now + timedelta(seconds=bank.config.order_seconds)
        if again:
            return []
        told = bank.order_told(order, APPROVED, "An order has been approved by buyer")
        return bank.office.plan(_without_claims(order.script), account=order.account, subject=order.id, told=told)

    def cancel(self, order: Order) -> list[Planned]:
        """Go back to the shop without approving: PayPal tells nobody. An event that lies about it is sent anyway."""
        if order.waits and order.due is not None:
            self._bank.scheduler.cancel(order.due)
        claimed = order.script.event_outcome
        if claimed is None:
            return []
        told = self._captures.claim(order, None, claimed, order.script.event_amount, order.script.event_receiver)
        return self._bank.office.plan(without_forged(order.script), account=order.account, subject=order.id, told=told)

    def void(self, order: Order) -> list[Planned]:
        """Give an order up that nobody finished; what was approved is told to be void."""
        if order.status not in ("CREATED", "PAYER_ACTION_REQUIRED", "APPROVED"):
            return []
        was_approved = order.status == "APPROVED"
        order.status, order.updated_at = "VOIDED", self._bank.now
        if not was_approved:
            return []
        told = self._bank.order_told(order, VOIDED, "Checkout Order Voided")
        return self._bank.office.plain(order.account, order.id, told)

    def is_over(self, order: Order) -> bool:
        """True when an order was not finished in time: PayPal then knows it no more."""
        if self._bank.now >= order.expires_at:
            self._bank.office.schedule(self.void(order))
        return order.status == "VOIDED"

    def seen(self, order: Order, pending: bool) -> dict[str, object]:
        """An order as a query shows it: as the script claims, or as it was before."""
        claim = order.script.read_outcome
        lies = claim is not None and claim != outcomes.PAY
        body = self._bank.order_body(order, with_payments=not pending and not lies)
        if pending:
            body["status"] = "PAYER_ACTION_REQUIRED" if order.wallet else "CREATED"
            body.pop("payer", None)
        elif lies:
            body["status"] = "VOIDED"
        elif claim is not None and order.status != "COMPLETED":
            body["status"] = "APPROVED"
        return body


def _without_claims(script: FaultScript) -> FaultScript:
    """The script of an approval: late, lost and twice, but it claims nothing of money."""
    keep = {"event_lost", "event_delay", "event_out_of_order", "duplicates", "duplicate_gap", "event_shape"}
    shaped = {name: value for name, value in script.to_dict().items() if name in keep}
    if script.forged:
        shaped.pop("event_shape", None)
    return FaultScript.from_dict(shaped)
