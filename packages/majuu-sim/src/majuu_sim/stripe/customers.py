"""Customers and the cards they have saved."""

from __future__ import annotations

from majuu_sim.stripe import errors, objects
from majuu_sim.stripe.book import Book, Note, list_of
from majuu_sim.stripe.cards import CARDS, Card
from majuu_sim.stripe.errors import Obj, StripeRefusal
from majuu_sim.stripe.office import EventOffice
from majuu_sim.stripe.params import Params

FIELDS = ("name", "email", "phone", "description")


class Wallets:
    """Customers, payment methods, and what test card stands behind each."""

    def __init__(self, office: EventOffice) -> None:
        """Tell through ``office``."""
        self._office = office

    # Customers.

    def create_customer(self, book: Book, params: Params) -> Obj:
        """POST /v1/customers."""
        params.only(*FIELDS, "metadata", "payment_method", "address", "expand")
        fields = {name: params.text(name) for name in FIELDS} | {"address": params.part("address").data or None}
        made = book.add(objects.customer(book, **fields, metadata=params.metadata()))
        if (chosen := params.text("payment_method")) is not None:
            self.attach(book, self.method_for(book, chosen, made["id"]), made["id"])
        self._office.emit(book, "customer.created", made)
        return made

    def update_customer(self, book: Book, customer: Obj, params: Params) -> Obj:
        """POST /v1/customers/{id}."""
        params.only(*FIELDS, "metadata", "address", "expand")
        for name in FIELDS:
            if params.has(name):
                customer[name] = params.text(name)
        if params.has("address"):
            customer["address"] = params.part("address").data or None
        customer["metadata"] = params.metadata(customer["metadata"])
        self._office.emit(book, "customer.updated", customer)
        return customer

    def delete_customer(self, book: Book, customer: Obj) -> Obj:
        """DELETE /v1/customers/{id}: its cards are let go."""
        for method in book.where("payment_method", customer=customer["id"]):
            self.detach(book, method)
        book.remove(customer["id"])
        self._office.emit(book, "customer.deleted", customer)
        return {"id": customer["id"], "object": "customer", "deleted": True}

    def check_customer(self, book: Book, customer: str | None) -> None:
        """A refusal for a customer nobody made."""
        if customer is not None:
            book.get("customer", customer, param="customer", status=400)

    # Payment methods.

    def create_method(self, book: Book, params: Params) -> Obj:
        """POST /v1/payment_methods, with ``card[token]``; card numbers are refused."""
        params.only("type", "card", "billing_details", "metadata", "allow_redisplay", "expand")
        params.choice("type", ("card",))
        token = params.part("card").data.get("token")
        if not isinstance(token, str):
            raise StripeRefusal(
                402,
                "Sending credit card numbers directly to the Stripe API is generally unsafe. Use a test card's token.",
                kind=errors.CARD,
            )
        return self._mint(book, _card_named(token.replace("tok_", "pm_card_"), "card[token]"))

    def method_for(self, book: Book, chosen: str, customer: str | None) -> Obj:
        """The payment method of a test token (a new one) or of an id; a refusal for another customer's."""
        if chosen in CARDS:
            return self._mint(book, CARDS[chosen])
        method = book.get("payment_method", chosen, param="payment_method", status=400)
        _check_unspent(book, method)
        if method["customer"] is not None and method["customer"] != customer:
            raise StripeRefusal(
                400,
                f"The payment method {chosen} belongs to a customer. Please include that customer in the `customer`"
                " parameter.",
                param="payment_method",
            )
        return method

    def card_of(self, book: Book, method: Obj) -> Card:
        """The test card behind a payment method."""
        card = book.note(method["id"]).card
        return card if card is not None else CARDS["pm_card_visa"]

    def attach(self, book: Book, method: Obj, customer: str) -> Obj:
        """Save a card for a customer."""
        self.check_customer(book, customer)
        _check_unspent(book, method)
        if method["customer"] not in (None, customer):
            raise StripeRefusal(
                400, "The payment method you provided has already been attached to a customer.", param="payment_method"
            )
        method["customer"] = customer
        self._office.emit(book, "payment_method.attached", method)
        return method

    def detach(self, book: Book, method: Obj) -> Obj:
        """Let a saved card go."""
        if method["customer"] is None:
            raise StripeRefusal(
                400,
                "The payment method you provided is not attached to a customer so detachment is impossible.",
                param="payment_method",
            )
        before, method["customer"] = method["customer"], None
        book.note(method["id"]).spent = True
        self._office.emit(book, "payment_method.detached", method, customer=before)
        return method

    def keep_if_asked(self, book: Book, paid: Obj, method: Obj) -> None:
        """Save the card a payment was made with, when the payment said so; else it cannot be used again."""
        note = book.note(method["id"])
        if paid["setup_future_usage"] is None or paid["customer"] is None:
            note.spent = method["customer"] is None
            return
        note.set_up = True
        if method["customer"] is None:
            self.attach(book, method, paid["customer"])

    def methods_of(self, book: Book, customer: str, url: str) -> Obj:
        """A customer's cards, newest first."""
        return list_of(reversed(book.where("payment_method", customer=customer)), url)

    def _mint(self, book: Book, card: Card) -> Obj:
        return book.add(objects.payment_method(book, card), Note(card=card))


def _check_unspent(book: Book, method: Obj) -> None:
    if book.note(method["id"]).spent:
        raise StripeRefusal(
            400,
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a"
            " Customer, and may not be used again.",
            param="payment_method",
        )


def _card_named(token: str, param: str) -> Card:
    if token not in CARDS:
        raise errors.invalid(param, f"No such token: '{token}'", "resource_missing")
    return CARDS[token]
