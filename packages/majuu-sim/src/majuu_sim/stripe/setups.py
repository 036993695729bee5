"""Setup intents: a card is saved for later without being charged."""

from __future__ import annotations

from majuu_sim.faults import FaultScript
from majuu_sim.stripe import errors, objects
from majuu_sim.stripe.book import ORDINARY, Book, Note
from majuu_sim.stripe.cards import DECLINES, DISPUTE, INQUIRY, REQUIRES_ACTION, Card
from majuu_sim.stripe.customers import Wallets
from majuu_sim.stripe.errors import Obj, StripeRefusal
from majuu_sim.stripe.office import EventOffice
from majuu_sim.stripe.params import Params

CREATE = (
    "confirm", "customer", "payment_method", "payment_method_types", "automatic_payment_methods", "usage", "metadata",
    "description", "return_url", "payment_method_options", "mandate_data", "use_stripe_sdk", "expand",
)  # fmt: skip
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
REASONS = ("abandoned", "duplicate", "requested_by_customer")
# Saves, and fails only when it is charged.
SAVED_ALL_THE_SAME = frozenset(["pm_card_chargeCustomerFail"])


class SetupDesk:
    """Everything that happens to setup intents."""

    def __init__(self, *, office: EventOffice, wallets: Wallets) -> None:
        """Tell through ``office``, save in ``wallets``."""
        self._office = office
        self._wallets = wallets
        self.base_url = ""

    def create(self, book: Book, params: Params, script: FaultScript = ORDINARY) -> Obj:
        """POST /v1/setup_intents."""
        params.only(*CREATE)
        kinds = params.texts("payment_method_types")
        automatic = params.part("automatic_payment_methods").only("enabled", "allow_redirects")
        redirects = automatic.choice("allow_redirects", ("always", "never"), "always")
        confirm = params.flag("confirm")
        if confirm and not kinds and redirects == "always" and params.text("return_url") is None:
            raise errors.invalid(
                "return_url", "This SetupIntent may redirect your customer: you must provide a `return_url`, or set"
                " `automatic_payment_methods[allow_redirects]` to `never`.",
            )  # fmt: skip
        setup = objects.setup_intent(
            book,
            customer=params.text("customer"),
            usage=params.choice("usage", ("on_session", "off_session"), "off_session"),
            description=params.text("description"),
            metadata=params.metadata(),
            automatic_payment_methods=None if kinds else {"allow_redirects": redirects, "enabled": True},
        )
        self._wallets.check_customer(book, setup["customer"])
        self._use(book, setup, params)
        book.add(setup, Note(script=script, reads=script.reads()))
        self._office.emit(book, "setup_intent.created", setup, script)
        if confirm:
            self._try(book, setup, params.text("return_url"))
        return setup

    def confirm(self, book: Book, setup: Obj, params: Params) -> Obj:
        """POST /v1/setup_intents/{id}/confirm."""
        params.only(
            "payment_method", "return_url", "mandate_data", "payment_method_options", "use_stripe_sdk", "expand"
        )
        if setup["status"] not in CONFIRMABLE:
            raise _unexpected(setup)
        self._use(book, setup, params)
        self._try(book, setup, params.text("return_url"))
        return setup

    def cancel(self, book: Book, setup: Obj, params: Params) -> Obj:
        """POST /v1/setup_intents/{id}/cancel."""
        params.only("cancellation_reason", "expand")
        reason = params.choice("cancellation_reason", REASONS)
        if setup["status"] not in CONFIRMABLE:
            raise _unexpected(setup)
        setup |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
        self._office.emit(book, "setup_intent.canceled", setup)
        return setup

    def authenticated(self, book: Book, setup: Obj, approved: bool) -> None:
        """The customer answered the bank's question."""
        if setup["status"] != "requires_action":
            return
        setup["next_action"] = None
        if approved:
            self._succeed(book, setup)
            return
        error = {
            "type": "invalid_request_error",
            "code": "setup_intent_authentication_failure",
            "message": "The latest attempt to set up the payment method has failed because authentication failed.",
        }
        self._fail(book, setup, error)

    def _use(self, book: Book, setup: Obj, params: Params) -> None:
        chosen = params.text("payment_method")
        if chosen is not None:
            setup["payment_method"] = self._wallets.method_for(book, chosen, setup["customer"])["id"]
            setup["status"] = "requires_confirmation"

    def _try(self, book: Book, setup: Obj, return_url: str | None) -> None:
        if setup["payment_method"] is None:
            raise StripeRefusal(
                400,
                "You cannot confirm this SetupIntent because it's missing a payment method.",
                code="setup_intent_unexpected_state",
                setup_intent=setup,
            )
        setup["last_setup_error"] = None
        card = self._wallets.card_of(book, book.get("payment_method", setup["payment_method"]))
        outcome = book.note(setup["id"]).script.outcome or self._usual(card)
        if outcome == REQUIRES_ACTION:
            self._ask(book, setup, return_url)
        elif outcome in DECLINES:
            code, decline, message = DECLINES[outcome]
            error = {"type": errors.CARD, "code": code, "decline_code": decline, "message": message}
            self._fail(book, setup, error)
            raise StripeRefusal(402, message, kind=errors.CARD, code=code, decline_code=decline, setup_intent=setup)
        else:
            self._succeed(book, setup)

    def _usual(self, card: Card) -> str:
        if card.three_d_secure != "none":
            return REQUIRES_ACTION
        harmless = card.outcome in (DISPUTE, INQUIRY) or card.token in SAVED_ALL_THE_SAME
        return "pay" if harmless else card.outcome

    def _ask(self, book: Book, setup: Obj, return_url: str | None) -> None:
        page = f"{self.base_url}/pages/authenticate/{setup['id']}"
        setup["status"] = "requires_action"
        setup["next_action"] = (
            {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
            if return_url
            else {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page}}
        )
        self._office.emit(book, "setup_intent.requires_action", setup, book.note(setup["id"]).script)

    def _succeed(self, book: Book, setup: Obj) -> None:
        setup["status"] = "succeeded"
        method = book.get("payment_method", setup["payment_method"])
        book.note(method["id"]).set_up = True
        self._office.emit(book, "setup_intent.succeeded", setup, book.note(setup["id"]).script)
        if setup["customer"] is not None and method["customer"] is None:
            self._wallets.attach(book, method, setup["customer"])

    def _fail(self, book: Book, setup: Obj, error: Obj) -> None:
        setup |= {"status": "requires_payment_method", "payment_method": None, "last_setup_error": error}
        self._office.emit(book, "setup_intent.setup_failed", setup, book.note(setup["id"]).script)


def _unexpected(setup: Obj) -> StripeRefusal:
    return StripeRefusal(
        400,
        f"This SetupIntent has a status of {setup['status']}, so that cannot be done.",
        code="setup_intent_unexpected_state",
        setup_intent=setup,
    )
