"""Builds checkout sessions and their line items as the API shows them."""

from __future__ import annotations

from typing import Any

from majuu_sim.stripe.book import Book
from majuu_sim.stripe.errors import Obj

_TEXTS = dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"))


def checkout_session(book: Book, *, mode: str, currency: str, total: int | None, page: str, **fields: Any) -> Obj:
    """An open session. ``page`` is the address of the server that shows its page."""
    live = "live" if book.account.livemode else "test"
    made_id = f"cs_{live}_{book.new_id('a', 58)[2:]}"
    return {
        "id": made_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": None,
        "client_reference_id": None,
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": book.now(),
        "currency": currency or None,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": dict(_TEXTS),
        "customer": None,
        "customer_account": None,
        "customer_creation": "always" if mode == "setup" else "if_required",
        "customer_details": None,
        "customer_email": None,
        "discounts": [],
        "expires_at": 0,
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": None,
        "livemode": book.account.livemode,
        "locale": None,
        "managed_payments": None,
        "metadata": {},
        "mode": mode,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": f"{page}/pages/checkout/{made_id}",
        "wallet_options": None,
        **fields,
    }


def line_item(book: Book, *, name: str, currency: str, unit: int, quantity: int) -> Obj:
    """One line of what is bought."""
    return {
        "id": book.new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": unit * quantity,
        "amount_tax": 0,
        "amount_total": unit * quantity,
        "currency": currency,
        "description": name,
        "price": {
            "id": book.new_id("price"),
            "object": "price",
            "currency": currency,
            "product": book.new_id("prod", 14),
            "type": "one_time",
            "unit_amount": unit,
            "unit_amount_decimal": str(unit),
        },
        "quantity": quantity,
    }
