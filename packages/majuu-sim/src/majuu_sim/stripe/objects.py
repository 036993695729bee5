"""Builds payment intents, charges, refunds, payment methods and customers as the API shows them."""

from __future__ import annotations

from typing import Any

from majuu_sim.stripe.book import Book, list_of
from majuu_sim.stripe.cards import DECLINES, Card
from majuu_sim.stripe.errors import Obj

NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
CHECKS = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
EXPIRY_YEARS = 4
_CARD_OPTIONS = {"network": None, "request_three_d_secure": "automatic"}


def card_options(three_d_secure: str = "automatic") -> Obj:
    """The options of a payment by card: when the bank is to ask."""
    return {"card": {"installments": None, **_CARD_OPTIONS, "request_three_d_secure": three_d_secure}}


def payment_intent(book: Book, *, amount: int, currency: str, **fields: Any) -> Obj:
    """A payment intent that asks for a payment method."""
    made_id = book.new_id("pi")
    return {
        "id": made_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{made_id}_secret_{book.new_id('x', 25)[2:]}",
        "confirmation_method": "automatic",
        "created": book.now(),
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": book.account.livemode,
        "managed_payments": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": card_options(),
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        **fields,
    }


def payment_method(book: Book, card: Card, *, customer: str | None = None, usage: str = "unspecified") -> Obj:
    """A card somebody pays with."""
    return {
        "id": book.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": usage,
        "billing_details": {"address": dict(NO_ADDRESS), "email": None, "name": None, "phone": None, "tax_id": None},
        "card": {
            "brand": card.brand,
            "checks": dict(CHECKS),
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": expiry_year(book),
            "fingerprint": fingerprint(card),
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": book.now(),
        "customer": customer,
        "customer_account": None,
        "livemode": book.account.livemode,
        "metadata": {},
        "type": "card",
    }


def expiry_year(book: Book) -> int:
    """A year in which the test cards are still good."""
    return 1970 + book.now() // 31_556_952 + EXPIRY_YEARS


def fingerprint(card: Card) -> str:
    """The same for the same card."""
    return f"majuusim{card.brand[:4]:x<4}{card.last4}"


def charge(book: Book, payment: Obj, method: Obj, card: Card, **fields: Any) -> Obj:
    """A charge of a payment intent; ``fields`` say how it went."""
    made_id = book.new_id("ch")
    return {
        "id": made_id,
        "object": "charge",
        "amount": payment["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": book.account.name.upper()[:22],
        "captured": False,
        "created": book.now(),
        "currency": payment["currency"],
        "customer": payment["customer"],
        "description": payment["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": book.account.livemode,
        "metadata": dict(payment["metadata"]),
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": payment["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(book, payment, card), "type": "card"},
        "receipt_email": payment["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": payment["statement_descriptor_suffix"],
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
        **fields,
    }


def _card_details(book: Book, payment: Obj, card: Card) -> Obj:
    return {
        "amount_authorized": payment["amount"],
        "authorization_code": None,
        "brand": card.brand,
        "checks": dict(CHECKS),
        "country": card.country,
        "exp_month": 12,
        "exp_year": expiry_year(book),
        "extended_authorization": {"status": "disabled"},
        "fingerprint": fingerprint(card),
        "funding": "credit",
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": payment["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "transaction_link_id": None,
        "wallet": None,
    }


def authentication() -> Obj:
    """What a charge says of the 3-D Secure question its customer answered."""
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }


def declined(outcome: str) -> Obj:
    """The fields of a charge that was declined."""
    code, decline, message = DECLINES[outcome]
    return {
        "failure_code": code,
        "failure_message": message,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "declined_by_network",
            "reason": decline,
            "risk_level": "normal",
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        },
        "paid": False,
        "status": "failed",
    }


def refund(book: Book, paid: Obj, *, amount: int, **fields: Any) -> Obj:
    """A refund of a charge."""
    return {
        "id": book.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": paid["id"],
        "created": book.now(),
        "currency": paid["currency"],
        "customer": paid["customer"],
        "customer_account": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": {},
        "payment_intent": paid["payment_intent"],
        "payment_method": paid["payment_method"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
        **fields,
    }


def customer(book: Book, **fields: Any) -> Obj:
    """A customer."""
    made_id = book.new_id("cus", 14)
    return {
        "id": made_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": book.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": made_id[4:12].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": book.account.livemode,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **fields,
    }


def setup_intent(book: Book, **fields: Any) -> Obj:
    """A setup intent that asks for a payment method."""
    made_id = book.new_id("seti")
    return {
        "id": made_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{made_id}_secret_{book.new_id('x', 25)[2:]}",
        "created": book.now(),
        "customer": None,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": book.account.livemode,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"mandate_options": None, **_CARD_OPTIONS}},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
        **fields,
    }


def webhook_endpoints(book: Book) -> list[Obj]:
    """Where the account's events go; the secrets are not shown again."""
    return [
        {
            "id": f"we_{book.account.id[5:]}{number:04d}",
            "object": "webhook_endpoint",
            "api_version": one.api_version,
            "application": None,
            "created": 1_700_000_000,
            "description": None,
            "enabled_events": list(one.enabled_events),
            "livemode": book.account.livemode,
            "metadata": {},
            "status": one.status,
            "url": one.url,
        }
        for number, one in enumerate(book.endpoints, 1)
    ]


def account(book: Book) -> Obj:
    """The account itself."""
    mine = book.account
    requirements: Obj = {
        "alternatives": [], "current_deadline": None, "currently_due": [], "disabled_reason": None, "errors": [],
        "eventually_due": [], "past_due": [], "pending_verification": [],
    }  # fmt: skip
    return {
        "id": mine.id,
        "object": "account",
        "business_profile": {"mcc": None, "name": mine.name, "support_email": None, "support_phone": None, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": mine.charges_enabled,
        "controller": {"type": "account"},
        "country": mine.country,
        "created": 1_700_000_000,
        "default_currency": mine.default_currency,
        "details_submitted": True,
        "email": "owner@shop.example",
        "external_accounts": list_of([], f"/v1/accounts/{mine.id}/external_accounts"),
        "future_requirements": requirements,
        "metadata": {},
        "payouts_enabled": True,
        "requirements": requirements,
        "settings": {
            "dashboard": {"display_name": mine.name, "timezone": "Etc/UTC"},
            "payouts": {"debit_negative_balances": True, "schedule": {"delay_days": 2, "interval": "manual"}},
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }
