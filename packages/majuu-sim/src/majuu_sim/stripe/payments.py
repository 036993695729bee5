"""Payment intents: what a card does when it is charged, and what is captured, released and cancelled."""

from __future__ import annotations

from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Scheduler
from majuu_sim.stripe import asking, currencies, errors, objects
from majuu_sim.stripe.book import ORDINARY, Book, Note
from majuu_sim.stripe.cards import DECLINES, DISPUTE, INQUIRY, PAY, REQUIRES_ACTION, Card
from majuu_sim.stripe.config import StripeConfig
from majuu_sim.stripe.customers import Wallets
from majuu_sim.stripe.disputes import DisputeDesk
from majuu_sim.stripe.errors import Obj, StripeRefusal
from majuu_sim.stripe.money import Till
from majuu_sim.stripe.office import EventOffice
from majuu_sim.stripe.params import Params
from majuu_sim.stripe.payouts import PayoutDesk

AUTHENTICATION_FAILED = {
    "type": "invalid_request_error",
    "code": "payment_intent_authentication_failure",
    "message": "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new"
    " PaymentMethod to attempt to fulfill this PaymentIntent again.",
}


class PaymentDesk:
    """Everything that happens to payment intents. Lives on the simulator's loop."""

    def __init__(
        self,
        *,
        config: StripeConfig,
        scheduler: Scheduler,
        office: EventOffice,
        till: Till,
        wallets: Wallets,
        disputes: DisputeDesk,
        payouts: PayoutDesk,
    ) -> None:
        """Tell through ``office``, book through ``till``."""
        self._config = config
        self._scheduler = scheduler
        self._office = office
        self._till = till
        self._wallets = wallets
        self._disputes = disputes
        self._payouts = payouts
        self.base_url = ""  # where the 3-D Secure page is; known once a request has come in

    def check_currency(self, book: Book, currency: str) -> None:
        """A refusal for a currency the account cannot settle."""
        self._till.check(book, currency)

    def create(self, book: Book, params: Params, script: FaultScript = ORDINARY) -> Obj:
        """POST /v1/payment_intents."""
        params.only(*asking.CREATE)
        if not book.account.charges_enabled:
            raise StripeRefusal(400, "Your account cannot currently make charges.")
        currency = currencies.check_currency(params.need_text("currency"))
        amount = currencies.check_amount(params.need_whole("amount"), currency)
        self._till.check(book, currency)
        confirm = params.flag("confirm")
        for name in ("off_session", "return_url", "error_on_requires_action"):
            if params.has(name) and not confirm:
                raise errors.invalid(name, f"{name} can only be used when `confirm` is `true`.")
        payment = objects.payment_intent(book, amount=amount, currency=currency, **asking.asked(params))
        asking.check_return_url(payment, params, confirm)
        self._wallets.check_customer(book, payment["customer"])
        if (chosen := params.text("payment_method")) is not None:
            self._use(book, payment, chosen)
        if confirm and chosen is None:
            raise errors.missing("payment_method")
        book.add(payment, Note(script=script, reads=script.reads()))
        self._office.emit(book, "payment_intent.created", payment, script)
        self._office.forge(book, payment, script)
        if confirm:
            self._try(
                book,
                payment,
                params.text("return_url"),
                off_session=asking.off_session(params),
                strict=asking.strict(params),
            )
        return payment

    def confirm(self, book: Book, payment: Obj, params: Params, script: FaultScript | None = None) -> Obj:
        """POST /v1/payment_intents/{id}/confirm."""
        params.only(*asking.CONFIRM)
        if payment["status"] not in asking.CONFIRMABLE:
            raise asking.unexpected(payment, "confirm", asking.CONFIRMABLE)
        asking.check_return_url(payment, params, confirm=True)
        if (chosen := params.text("payment_method")) is not None:
            self._use(book, payment, chosen)
        if payment["payment_method"] is None:
            raise asking.needs_method(payment)
        if script is not None:
            note = book.note(payment["id"])
            note.script, note.reads = script, script.reads()
        for name in ("setup_future_usage", "receipt_email"):
            payment[name] = params.text(name, payment[name])
        self._try(
            book,
            payment,
            params.text("return_url"),
            off_session=asking.off_session(params),
            strict=asking.strict(params),
        )
        return payment

    def update(self, book: Book, payment: Obj, params: Params) -> Obj:
        """POST /v1/payment_intents/{id}."""
        params.only(*asking.UPDATE)
        if params.has("amount") or params.has("currency"):
            if payment["status"] not in asking.CONFIRMABLE:
                raise asking.unexpected(payment, "update the amount of", asking.CONFIRMABLE)
            payment["currency"] = currencies.check_currency(params.text("currency") or payment["currency"])
            amount = params.whole("amount")
            payment["amount"] = currencies.check_amount(
                payment["amount"] if amount is None else amount, payment["currency"]
            )
        for name in ("description", "receipt_email", "setup_future_usage", "statement_descriptor_suffix", "customer"):
            if params.has(name):
                payment[name] = params.text(name)
        if (chosen := params.text("payment_method")) is not None:
            self._use(book, payment, chosen)
        payment["metadata"] = params.metadata(payment["metadata"])
        return payment

    def capture(self, book: Book, payment: Obj, params: Params, script: FaultScript = ORDINARY) -> Obj:
        """POST /v1/payment_intents/{id}/capture. What is not captured is released."""
        params.only("amount_to_capture", "metadata", "statement_descriptor_suffix", "final_capture", "expand")
        if payment["status"] != "requires_capture":
            raise asking.unexpected(payment, "capture", ("requires_capture",))
        asked = params.whole("amount_to_capture")
        amount = payment["amount_capturable"] if asked is None else asked
        currencies.check_amount(amount, payment["currency"], "amount_to_capture", smallest=False)
        if amount > payment["amount_capturable"]:
            raise StripeRefusal(
                400,
                f"The amount provided ({amount}) is greater than the remaining amount you can capture"
                f" ({payment['amount_capturable']}).",
                code="amount_too_large",
                param="amount_to_capture",
                payment_intent=payment,
            )
        payment["metadata"] = params.metadata(payment["metadata"])
        charge = book.get("charge", payment["latest_charge"])
        self._take(book, payment, charge, amount, script)
        self._office.emit(book, "charge.captured", charge, script)
        self._office.emit(book, "payment_intent.succeeded", payment, script)
        return payment

    def cancel(self, book: Book, payment: Obj, params: Params, script: FaultScript = ORDINARY) -> Obj:
        """POST /v1/payment_intents/{id}/cancel."""
        params.only("cancellation_reason", "expand")
        reason = params.choice("cancellation_reason", asking.REASONS)
        if payment["status"] not in asking.CANCELLABLE:
            raise asking.unexpected(payment, "cancel", asking.CANCELLABLE)
        self.end(book, payment, reason, script)
        return payment

    def end(self, book: Book, payment: Obj, reason: str | None, script: FaultScript = ORDINARY) -> None:
        """Cancel it, whoever wanted that."""
        payment |= {
            "status": "canceled",
            "canceled_at": book.now(),
            "cancellation_reason": reason,
            "amount_capturable": 0,
            "next_action": None,
        }
        self._office.emit(book, "payment_intent.canceled", payment, script)

    def authenticated(self, book: Book, payment: Obj, approved: bool) -> None:
        """The customer answered the bank's question."""
        if payment["status"] != "requires_action":
            return
        script = book.note(payment["id"]).script
        payment["next_action"] = None
        method = book.get("payment_method", payment["payment_method"])
        if approved:
            outcome = PAY if script.outcome in (None, REQUIRES_ACTION) else script.outcome
            self._charge(book, payment, method, outcome, authenticated=True)
            return
        payment |= {
            "status": "requires_payment_method",
            "payment_method": None,
            "last_payment_error": {**AUTHENTICATION_FAILED, "payment_method": method},
        }
        self._office.emit(book, "payment_intent.payment_failed", payment, script)

    def _use(self, book: Book, payment: Obj, chosen: str) -> None:
        method = self._wallets.method_for(book, chosen, payment["customer"])
        payment["payment_method"] = method["id"]
        if payment["status"] == "requires_payment_method":
            payment["status"] = "requires_confirmation"

    def _try(self, book: Book, payment: Obj, return_url: str | None, *, off_session: bool, strict: bool) -> None:
        """Charge the card, ask the customer first, or wait; a refusal when it is declined."""
        note = book.note(payment["id"])
        method = book.get("payment_method", payment["payment_method"])
        card = self._wallets.card_of(book, method)
        outcome = note.script.outcome or PAY
        payment["last_payment_error"] = None
        asks = outcome == REQUIRES_ACTION or (
            note.script.outcome is None and self._must_ask(book, payment, method, card)
        )
        if asks and (off_session or strict):
            self._charge(book, payment, method, "authentication_required")
        elif asks:
            self.ask(book, payment, return_url)
        elif note.script.answer_after is not None:
            self._wait(book, payment, method, outcome, note.script.answer_after)
        else:
            self._charge(book, payment, method, outcome)
        if payment["status"] == "requires_payment_method":
            raise asking.declined(payment)

    def _must_ask(self, book: Book, payment: Obj, method: Obj, card: Card) -> bool:
        if payment["payment_method_options"]["card"]["request_three_d_secure"] != "automatic":
            return True
        return card.three_d_secure == "always" or (card.three_d_secure == "once" and not book.note(method["id"]).set_up)

    def ask(self, book: Book, payment: Obj, return_url: str | None) -> None:
        """Let the bank ask the customer: a page to go to, when there is a way back from it."""
        payment["status"] = "requires_action"
        page = f"{self.base_url}/pages/authenticate/{payment['id']}"
        payment["next_action"] = (
            {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
            if return_url
            else {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page}}
        )
        self._office.emit(book, "payment_intent.requires_action", payment, book.note(payment["id"]).script)

    def _wait(self, book: Book, payment: Obj, method: Obj, outcome: str, seconds: float) -> None:
        payment["status"] = "processing"
        self._office.emit(book, "payment_intent.processing", payment, book.note(payment["id"]).script)

        async def finish() -> None:
            if payment["status"] == "processing":
                self._charge(book, payment, method, outcome)
                await self._office.dispatch()

        self._scheduler.after(seconds, f"result of {payment['id']}", finish)

    def _charge(self, book: Book, payment: Obj, method: Obj, outcome: str, *, authenticated: bool = False) -> None:
        """The bank's answer: a charge, and the payment intent as it is afterwards."""
        note = book.note(payment["id"])
        card = self._wallets.card_of(book, method)
        outcome = card.outcome if outcome == PAY else outcome
        failed = outcome in DECLINES
        charge = objects.charge(book, payment, method, card, **(objects.declined(outcome) if failed else {}))
        book.add(charge, Note(script=note.script, card=card, request={"outcome": outcome}))
        if authenticated:
            charge["payment_method_details"]["card"]["three_d_secure"] = objects.authentication()
        payment["latest_charge"] = charge["id"]
        if failed:
            self._fail(book, payment, charge, method, note)
            return
        manual = payment["capture_method"] == "manual"
        if manual:
            payment |= {"status": "requires_capture", "amount_capturable": payment["amount"]}
            self._expire_later(book, payment)
        else:
            self._take(book, payment, charge, payment["amount"], note.script)
        self._office.emit(book, "charge.succeeded", charge, note.script)
        kind = "payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded"
        self._office.emit(book, kind, payment, note.script)
        self._wallets.keep_if_asked(book, payment, method)

    def _fail(self, book: Book, payment: Obj, charge: Obj, method: Obj, note: Note) -> None:
        payment |= {
            "status": "requires_payment_method",
            "payment_method": None,
            "last_payment_error": {
                "type": "card_error",
                "code": charge["failure_code"],
                "decline_code": charge["outcome"]["reason"],
                "message": charge["failure_message"],
                "doc_url": f"{errors.DOCS}{charge['failure_code'].replace('_', '-')}",
                "charge": charge["id"],
                "payment_method": method,
            },
        }
        self._office.emit(book, "charge.failed", charge, note.script)
        self._office.emit(book, "payment_intent.payment_failed", payment, note.script)

    def _take(self, book: Book, payment: Obj, charge: Obj, amount: int, script: FaultScript) -> None:
        charge |= {"captured": True, "amount_captured": amount}
        if payment["capture_method"] == "automatic_async":
            self._book_later(book, charge, script)
        else:
            self._book(book, charge)
        session = book.find(book.note(payment["id"]).session)
        if session is not None and session["status"] == "complete":
            session["payment_status"] = "paid"
        payment |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
        outcome = book.note(charge["id"]).request["outcome"]
        if outcome in (DISPUTE, INQUIRY):
            self._disputes.open_later(book, charge, inquiry=outcome == INQUIRY)

    def _book(self, book: Book, charge: Obj) -> None:
        moved = self._till.move(book, "charge", charge, charge["amount_captured"])
        charge["balance_transaction"] = moved["id"]
        self._payouts.plan(book, moved["currency"])

    def _book_later(self, book: Book, charge: Obj, script: FaultScript) -> None:
        """Captured in the background: what it cost is known a little later."""

        async def settle() -> None:
            self._book(book, charge)
            self._office.emit(book, "charge.updated", charge, script, balance_transaction=None)
            await self._office.dispatch()

        self._scheduler.after(self._config.async_capture, f"capture of {charge['id']}", settle)

    def _expire_later(self, book: Book, payment: Obj) -> None:
        async def expire() -> None:
            if payment["status"] == "requires_capture":
                self._office.emit(book, "charge.expired", book.get("charge", payment["latest_charge"]))
                self.end(book, payment, "expired")
                await self._office.dispatch()

        self._scheduler.after(self._config.hold_seconds, f"end of the hold of {payment['id']}", expire)
