"""Checkout sessions: a page of Stripe's on which the customer pays or saves a card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Scheduler
from majuu_sim.stripe import currencies, errors, objects
from majuu_sim.stripe.asking import CAPTURE_METHODS
from majuu_sim.stripe.book import ORDINARY, Book, Note
from majuu_sim.stripe.cards import REQUIRES_ACTION
from majuu_sim.stripe.config import StripeConfig
from majuu_sim.stripe.customers import Wallets
from majuu_sim.stripe.errors import Obj, StripeRefusal
from majuu_sim.stripe.office import EventOffice
from majuu_sim.stripe.params import Params
from majuu_sim.stripe.payments import PaymentDesk
from majuu_sim.stripe.sessions import checkout_session, line_item
from majuu_sim.stripe.setups import SetupDesk

CREATE = (
    "mode", "line_items", "success_url", "cancel_url", "payment_intent_data", "setup_intent_data", "customer",
    "customer_email", "customer_creation", "client_reference_id", "expires_at", "metadata", "currency",
    "payment_method_types", "locale", "submit_type", "expand",
)  # fmt: skip
PAYMENT_DATA = (
    "capture_method", "metadata", "setup_future_usage", "description", "receipt_email", "statement_descriptor_suffix",
)  # fmt: skip
PLACEHOLDER = "{CHECKOUT_SESSION_ID}"
SHORTEST, LONGEST = 1800, 86_400


class CheckoutDesk:
    """Everything that happens to checkout sessions. Lives on the simulator's loop."""

    def __init__(
        self,
        *,
        config: StripeConfig,
        scheduler: Scheduler,
        office: EventOffice,
        payments: PaymentDesk,
        setups: SetupDesk,
        wallets: Wallets,
    ) -> None:
        """Pay by ``payments``, save by ``setups``."""
        self._config = config
        self._scheduler = scheduler
        self._office = office
        self._payments = payments
        self._setups = setups
        self._wallets = wallets

    def create(self, book: Book, params: Params, script: FaultScript = ORDINARY) -> Obj:
        """POST /v1/checkout/sessions."""
        params.only(*CREATE)
        mode = params.choice("mode", ("payment", "setup", "subscription"))
        if mode is None:
            raise errors.missing("mode")
        if mode == "subscription":
            raise errors.invalid("mode", "This simulator has no subscriptions: use payment or setup.")
        success_url = _address(params, "success_url", needed=True)
        customer = params.text("customer")
        self._wallets.check_customer(book, customer)
        items = [self._item(book, one) for one in params.parts("line_items")]
        if (mode == "payment") != bool(items):
            raise errors.invalid("line_items", f"You must {'' if mode == 'payment' else 'not '}pass line items here.")
        currency = self._currency(params, items, mode)
        session = checkout_session(
            book,
            mode=mode,
            currency=currency,
            total=sum(one["amount_total"] for one in items) if items else None,
            page=self._payments.base_url,
            expires_at=self._expiry(book, params),
            customer=customer,
            success_url=success_url,
            cancel_url=_address(params, "cancel_url"),
            client_reference_id=params.text("client_reference_id", most=200),
            customer_email=params.text("customer_email"),
            locale=params.text("locale"),
            submit_type=params.choice("submit_type", ("auto", "book", "donate", "pay")),
            customer_creation=self._creation(params, mode),
            metadata=params.metadata(),
        )
        if mode == "payment":
            currencies.check_amount(session["amount_total"], currency, "line_items")
            self._payments.check_currency(book, currency)
        request = {"items": items, "payment": _payment_data(params), "setup": _setup_data(params)}
        book.add(session, Note(script=script, reads=script.reads(), request=request))
        self._office.forge(book, session, script)
        self._plan(book, session, script)
        return session

    def pay(self, book: Book, session: Obj, token: str) -> Obj:
        """The customer pays (or saves the card) with the test card ``token``; returns the payment or setup intent.

        A decline is a StripeRefusal and leaves the session open. RuntimeError when it is no longer open.
        """
        if session["status"] != "open":
            raise RuntimeError(f"{session['id']} is {session['status']}")
        self._name_customer(book, session)
        if session["mode"] == "setup":
            return self._save(book, session, token)
        return self._charge(book, session, token)

    def settle(self, book: Book, session: Obj) -> None:
        """Complete the session when what it was for has been done."""
        about = book.find(session["payment_intent"] or session["setup_intent"])
        done = ("succeeded", "requires_capture", "processing")
        if session["status"] != "open" or about is None or about["status"] not in done:
            return
        paid = session["mode"] == "payment" and about["status"] == "succeeded"
        nothing = session["mode"] == "setup"
        customer = book.find(session["customer"])
        email = session["customer_email"] or (customer["email"] if customer is not None else None)
        session |= {
            "status": "complete",
            "url": None,
            "payment_status": "no_payment_required" if nothing else "paid" if paid else "unpaid",
            "customer_details": {
                "address": dict(objects.NO_ADDRESS), "business_name": None, "email": email,
                "individual_name": None, "name": None, "phone": None, "tax_exempt": "none", "tax_ids": [],
            },
        }  # fmt: skip
        self._office.emit(book, "checkout.session.completed", session, book.note(session["id"]).script)

    def settle_for(self, book: Book, about: Obj) -> Obj | None:
        """The session an intent belongs to, completed if that is due."""
        session = book.find(book.note(about["id"]).session)
        if session is not None:
            self.settle(book, session)
        return session

    def expire(self, book: Book, session: Obj, params: Params | None = None) -> Obj:
        """POST /v1/checkout/sessions/{id}/expire."""
        if params is not None:
            params.only("expand")
        if session["status"] != "open":
            raise StripeRefusal(
                400,
                'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of'
                f" {session['status']}.",
            )
        session |= {"status": "expired", "url": None}
        payment = book.find(session["payment_intent"])
        if payment is not None and payment["status"] != "canceled":
            self._payments.end(book, payment, "abandoned")
        self._office.emit(book, "checkout.session.expired", session, book.note(session["id"]).script)
        return session

    def _charge(self, book: Book, session: Obj, token: str) -> Obj:
        note = book.note(session["id"])
        payment = book.find(session["payment_intent"])
        if payment is None:
            fields: dict[str, Any] = note.request["payment"]
            payment = objects.payment_intent(
                book,
                amount=session["amount_total"],
                currency=session["currency"],
                customer=session["customer"],
                automatic_payment_methods={"allow_redirects": "always", "enabled": True},
                **fields,
            )
            script = replace(note.script, answer_after=None)  # the customer has taken their time already
            book.add(payment, Note(script=script, reads=dict(note.reads), session=session["id"]))
            session["payment_intent"] = payment["id"]
            self._office.emit(book, "payment_intent.created", payment, script)
        back = f"{self._payments.base_url}/pages/checkout/{session['id']}"
        made = self._payments.confirm(book, payment, Params({"payment_method": token, "return_url": back}))
        self.settle(book, session)
        return made

    def _save(self, book: Book, session: Obj, token: str) -> Obj:
        note = book.note(session["id"])
        setup = book.find(session["setup_intent"])
        back = f"{self._payments.base_url}/pages/checkout/{session['id']}"
        if setup is None:
            setup = objects.setup_intent(book, customer=session["customer"], **note.request["setup"])
            book.add(setup, Note(script=note.script, session=session["id"]))
            session["setup_intent"] = setup["id"]
            self._office.emit(book, "setup_intent.created", setup, note.script)
        made = self._setups.confirm(book, setup, Params({"payment_method": token, "return_url": back}))
        self.settle(book, session)
        return made

    def _name_customer(self, book: Book, session: Obj) -> None:
        request = book.note(session["id"]).request
        keeps = session["customer_creation"] == "always" or request["payment"].get("setup_future_usage")
        if session["customer"] is None and keeps:
            made = book.add(objects.customer(book, email=session["customer_email"]))
            session["customer"] = made["id"]
            self._office.emit(book, "customer.created", made)

    def _plan(self, book: Book, session: Obj, script: FaultScript) -> None:
        """Let it run out, and let a customer of a script act."""

        async def run_out() -> None:
            if session["status"] == "open":
                self.expire(book, session)
                await self._office.dispatch()

        async def act() -> None:
            if session["status"] == "open":
                try:
                    self.pay(book, session, "pm_card_visa")
                except StripeRefusal:
                    pass  # declined: told by events, and the session stays open
                await self._office.dispatch()

        self._scheduler.after(session["expires_at"] - book.now(), f"end of {session['id']}", run_out)
        if script.answer_after is not None and script.outcome != REQUIRES_ACTION:
            self._scheduler.after(script.answer_after, f"customer of {session['id']}", act)

    def _item(self, book: Book, item: Params) -> Obj:
        item.only("price_data", "quantity")
        if not item.has("price_data"):
            raise errors.missing(item.name("price_data"))
        quantity = item.need_whole("quantity")
        if quantity < 1:
            raise errors.invalid(item.name("quantity"), "This value must be greater than or equal to 1.")
        price = item.part("price_data").only("currency", "unit_amount", "product_data", "product", "tax_behavior")
        product = price.part("product_data").only("name", "description", "images", "metadata")
        currency = currencies.check_currency(price.need_text("currency"), price.name("currency"))
        unit = price.need_whole("unit_amount")
        if unit < 0:
            raise errors.invalid(price.name("unit_amount"), "This value must be greater than or equal to 0.")
        return line_item(book, name=product.need_text("name"), currency=currency, unit=unit, quantity=quantity)

    def _creation(self, params: Params, mode: str) -> str:
        asked = params.choice("customer_creation", ("always", "if_required"), "if_required")
        return "always" if mode == "setup" else str(asked)

    def _currency(self, params: Params, items: list[Obj], mode: str) -> str:
        used = {one["currency"] for one in items}
        if len(used) > 1:
            raise errors.invalid("line_items", "All line items must have the same currency.")
        asked = params.text("currency")
        if mode == "setup":
            return currencies.check_currency(asked) if asked else ""
        return str(used.pop())

    def _expiry(self, book: Book, params: Params) -> int:
        now = book.now()
        asked = params.whole("expires_at")
        if asked is not None and not SHORTEST <= asked - now <= LONGEST:
            raise errors.invalid(
                "expires_at", "The `expires_at` timestamp must be between 30 minutes and 24 hours from now."
            )
        return asked if asked is not None else now + int(self._config.session_seconds)


def _payment_data(params: Params) -> Obj:
    data = params.part("payment_intent_data").only(*PAYMENT_DATA)
    return {
        "capture_method": data.choice("capture_method", CAPTURE_METHODS, "automatic_async"),
        "setup_future_usage": data.choice("setup_future_usage", ("on_session", "off_session")),
        "description": data.text("description", most=1000),
        "receipt_email": data.text("receipt_email"),
        "statement_descriptor_suffix": data.text("statement_descriptor_suffix", most=22),
        "metadata": data.metadata(),
    }


def _setup_data(params: Params) -> Obj:
    data = params.part("setup_intent_data").only("metadata", "description")
    return {"metadata": data.metadata(), "description": data.text("description")}


def _address(params: Params, name: str, *, needed: bool = False) -> str | None:
    value = params.need_text(name) if needed else params.text(name)
    if value is not None and not value.startswith(("https://", "http://")):
        raise errors.invalid(name, "Not a valid URL", "url_invalid")
    return value
