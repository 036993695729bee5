"""What requests about payment intents may say, and how they are refused."""

from __future__ import annotations

from typing import Any

from majuu_sim.stripe import errors, objects
from majuu_sim.stripe.book import Book
from majuu_sim.stripe.errors import Obj, StripeRefusal
from majuu_sim.stripe.params import Params

CREATE = (
    "amount", "currency", "confirm", "capture_method", "payment_method", "payment_method_types", "customer",
    "off_session", "setup_future_usage", "metadata", "description", "return_url", "statement_descriptor",
    "statement_descriptor_suffix", "automatic_payment_methods", "receipt_email", "confirmation_method",
    "error_on_requires_action", "payment_method_options", "shipping", "mandate_data", "use_stripe_sdk",
    "excluded_payment_method_types", "expand",
)  # fmt: skip
CONFIRM = (
    "payment_method", "off_session", "return_url", "setup_future_usage", "receipt_email", "error_on_requires_action",
    "capture_method", "payment_method_types", "payment_method_options", "mandate_data", "use_stripe_sdk", "expand",
)  # fmt: skip
UPDATE = (
    "amount", "currency", "metadata", "description", "receipt_email", "payment_method", "customer",
    "setup_future_usage", "statement_descriptor_suffix", "expand",
)  # fmt: skip
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELLABLE = (*CONFIRMABLE, "requires_capture", "processing")
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
THREE_D_SECURE = ("automatic", "any", "challenge")
CAPTURE_METHODS = ("automatic", "automatic_async", "manual")


def refuse_checkouts(book: Book, payment: Obj) -> Obj:
    """A refusal for what an open checkout session has the say over."""
    session = book.find(book.note(payment["id"]).session)
    if session is not None and session["status"] == "open":
        raise StripeRefusal(
            400,
            "You cannot perform this action on PaymentIntents created by Checkout while their session is open. Expire"
            f" the Checkout Session {session['id']} instead.",
            code="payment_intent_unexpected_state",
            payment_intent=payment,
        )
    return payment


def declined(payment: Obj) -> StripeRefusal:
    """402 for a payment that was just declined."""
    error: dict[str, Any] = payment["last_payment_error"]
    return StripeRefusal(
        402,
        error["message"],
        kind=errors.CARD,
        code=error["code"],
        decline_code=error["decline_code"],
        charge=error["charge"],
        payment_method=error["payment_method"],
        payment_intent=payment,
    )


def asked(params: Params) -> Obj:
    """The fields of a new payment intent."""
    automatic = params.part("automatic_payment_methods").only("enabled", "allow_redirects")
    kinds = params.texts("payment_method_types")
    if kinds and automatic.flag("enabled"):
        raise errors.invalid(
            "payment_method_types", "You may only specify one of these parameters: automatic_payment_methods,"
            " payment_method_types.",
        )  # fmt: skip
    for kind in kinds:
        if kind != "card":
            raise errors.invalid("payment_method_types", f"The payment method type provided: {kind} is invalid here.")
    redirects = automatic.choice("allow_redirects", ("always", "never"), "always")
    fields: Obj = {
        "capture_method": params.choice("capture_method", CAPTURE_METHODS, "automatic_async"),
        "confirmation_method": params.choice("confirmation_method", ("automatic",), "automatic"),
        "automatic_payment_methods": None if kinds else {"allow_redirects": redirects, "enabled": True},
        "setup_future_usage": params.choice("setup_future_usage", ("on_session", "off_session")),
        "statement_descriptor_suffix": params.text("statement_descriptor_suffix", most=22),
        "description": params.text("description", most=1000),
        "metadata": params.metadata(),
        "payment_method_options": objects.card_options(_three_d_secure(params)),
        "shipping": params.part("shipping").data or None,
    }
    return fields | {name: params.text(name) for name in ("customer", "receipt_email", "statement_descriptor")}


def _three_d_secure(params: Params) -> str:
    card = params.part("payment_method_options").part("card")
    return str(card.choice("request_three_d_secure", THREE_D_SECURE, "automatic"))


def check_return_url(payment: Obj, params: Params, confirm: bool) -> None:
    """A refusal when a page may be needed and there is no way back from it."""
    automatic = payment["automatic_payment_methods"]
    if confirm and automatic and automatic["allow_redirects"] == "always" and params.text("return_url") is None:
        raise errors.invalid(
            "return_url",
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of"
            " these payment methods might redirect your customer off of your page, you must provide a `return_url`. If"
            " you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to"
            " `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and"
            " Payment Intents.",
        )


def off_session(params: Params) -> bool:
    """True when the customer is not there."""
    return params.text("off_session") not in (None, "false")


def strict(params: Params) -> bool:
    """True when a question to the customer counts as a decline."""
    return params.flag("error_on_requires_action")


def needs_method(payment: Obj) -> StripeRefusal:
    """There is nothing to pay with."""
    return StripeRefusal(
        400,
        "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent with a"
        " payment method and try again, or pass a payment method when you confirm.",
        code="payment_intent_unexpected_state",
        payment_intent=payment,
    )


def unexpected(payment: Obj, verb: str, wanted: tuple[str, ...]) -> StripeRefusal:
    """The wrong moment for what is asked."""
    return StripeRefusal(
        400,
        f"You cannot {verb} this PaymentIntent because it has a status of {payment['status']}. Only a PaymentIntent"
        f" with one of the following statuses can be used: {', '.join(wanted)}.",
        code="payment_intent_unexpected_state",
        payment_intent=payment,
    )
