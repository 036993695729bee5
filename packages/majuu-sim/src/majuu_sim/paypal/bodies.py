"""The JSON of orders, authorizations, captures and refunds. Pure functions of the records."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from majuu_sim.paypal.currencies import Amount
from majuu_sim.paypal.formats import iso
from majuu_sim.paypal.records import Authorization, Capture, Order, Payer, Refund

Body = dict[str, Any]
PROTECTED = {"status": "ELIGIBLE", "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"]}
UNIT_FIELDS = ("description", "custom_id", "invoice_id", "soft_descriptor", "items", "shipping")


def link(base: str, path: str, rel: str, method: str = "GET") -> dict[str, str]:
    """One HATEOAS link."""
    return {"href": base + path, "rel": rel, "method": method}


def order_links(order: Order, base: str, page: str) -> list[dict[str, str]]:
    """What can be done with an order now."""
    path = f"/v2/checkout/orders/{order.id}"
    links = [link(base, path, "self")]
    if order.status in ("CREATED", "PAYER_ACTION_REQUIRED", "APPROVED"):
        rel = "payer-action" if order.wallet else "approve"
        if order.waits:
            links.append(link(page, f"/checkoutnow?token={order.id}", rel))
        if order.status == "APPROVED" or not order.wallet:
            step = "capture" if order.intent == "CAPTURE" else "authorize"
            links.append(link(base, f"{path}/{step}", step, "POST"))
    return links


def order_created(order: Order, base: str, page: str) -> Body:
    """The minimal answer to a new order."""
    body: Body = {"id": order.id, "status": order.status, "links": order_links(order, base, page)}
    if order.wallet:
        body["payment_source"] = {"paypal": {}}
    return body


def order_body(
    order: Order,
    *,
    base: str,
    page: str,
    authorizations: list[Authorization],
    captures: list[Capture],
    refunds: list[Refund],
) -> Body:
    """The whole order."""
    body: Body = {
        "id": order.id,
        "intent": order.intent,
        "status": order.status,
        "purchase_units": [unit_body(order)],
        "create_time": iso(order.created_at),
        "update_time": iso(order.updated_at),
        "links": order_links(order, base, page),
    }
    payments = {
        "authorizations": [authorization_body(one, base) for one in authorizations],
        "captures": [capture_body(one, base) for one in captures],
        "refunds": [refund_body(one, base) for one in refunds],
    }
    shown = {name: made for name, made in payments.items() if made}
    if shown:
        body["purchase_units"][0]["payments"] = shown
    if order.approved:
        body["payer"] = payer_body(order.payer)
        body["payment_source"] = {"paypal": wallet_body(order.payer)}
    elif order.wallet:
        body["payment_source"] = {"paypal": {}}
    return body


def unit_body(order: Order) -> Body:
    """The purchase unit as PayPal echoes it."""
    unit = order.unit
    amount = {**order.amount.to_dict()}
    breakdown = unit["amount"].get("breakdown")
    return {
        "reference_id": unit.get("reference_id") or "default",
        "amount": {**amount, "breakdown": breakdown} if breakdown else amount,
        "payee": {"email_address": order.account.email, "merchant_id": order.account.merchant_id},
        **{name: unit[name] for name in UNIT_FIELDS if unit.get(name)},
    }


def payer_body(payer: Payer) -> Body:
    """The customer."""
    return {
        "name": {"given_name": payer.given_name, "surname": payer.surname},
        "email_address": payer.email,
        "payer_id": payer.payer_id,
        "address": {"country_code": payer.country},
    }


def wallet_body(payer: Payer) -> Body:
    """The customer's wallet, as ``payment_source.paypal``."""
    return {
        "email_address": payer.email,
        "account_id": payer.payer_id,
        "account_status": "VERIFIED",
        "name": {"given_name": payer.given_name, "surname": payer.surname},
        "address": {"country_code": payer.country},
    }


def _named(custom_id: str, invoice_id: str) -> Body:
    made = {"custom_id": custom_id, "invoice_id": invoice_id}
    return {name: value for name, value in made.items() if value}


def _status(status: str, reason: str) -> Body:
    return {"status": status, **({"status_details": {"reason": reason}} if reason else {})}


def authorization_body(one: Authorization, base: str) -> Body:
    """An authorization, as inside an order."""
    path = f"/v2/payments/authorizations/{one.id}"
    return {
        "id": one.id,
        **_status(one.status, one.reason),
        "amount": one.amount.to_dict(),
        **_named(one.custom_id, one.invoice_id),
        "seller_protection": PROTECTED,
        "expiration_time": iso(one.expires_at),
        "create_time": iso(one.created_at),
        "update_time": iso(one.updated_at),
        "links": [
            link(base, path, "self"),
            link(base, f"{path}/capture", "capture", "POST"),
            link(base, f"{path}/void", "void", "POST"),
            link(base, f"{path}/reauthorize", "reauthorize", "POST"),
            link(base, f"/v2/checkout/orders/{one.order_id}", "up"),
        ],
    }


def receivable(capture: Capture) -> Body:
    """What the seller gets of a capture."""
    amount, currency = capture.amount, capture.amount.currency
    return {
        "gross_amount": amount.to_dict(),
        "paypal_fee": Amount(capture.fee, currency).to_dict(),
        "net_amount": Amount(amount.value - capture.fee, currency).to_dict(),
    }


def capture_body(one: Capture, base: str) -> Body:
    """A capture, as inside an order."""
    path = f"/v2/payments/captures/{one.id}"
    up = f"/v2/payments/authorizations/{one.authorization_id}" if one.authorization_id else ""
    return {
        "id": one.id,
        **_status(one.status, one.reason),
        "amount": one.amount.to_dict(),
        **_named(one.custom_id, one.invoice_id),
        "final_capture": one.final,
        "seller_protection": PROTECTED,
        **({"seller_receivable_breakdown": receivable(one)} if one.paid else {}),
        "create_time": iso(one.created_at),
        "update_time": iso(one.updated_at),
        "links": [
            link(base, path, "self"),
            link(base, f"{path}/refund", "refund", "POST"),
            link(base, up or f"/v2/checkout/orders/{one.order_id}", "up"),
        ],
    }


def with_relations(body: Body, one: Capture | Authorization, receiver: str | None = None) -> Body:
    """A body as the payments API and events give it: with the payee and the ids of what it belongs to."""
    ids = {"order_id": one.order_id}
    if isinstance(one, Capture) and one.authorization_id:
        ids["authorization_id"] = one.authorization_id
    payee = {"email_address": one.account.email, "merchant_id": receiver or one.account.merchant_id}
    return {**body, "payee": payee, "supplementary_data": {"related_ids": ids}}


def refund_body(one: Refund, base: str) -> Body:
    """A refund. PayPal keeps its fee, so that the seller pays the whole amount."""
    path = f"/v2/payments/refunds/{one.id}"
    nothing = Amount(Decimal(0), one.amount.currency)
    return {
        "id": one.id,
        **_status(one.status, one.reason),
        "amount": one.amount.to_dict(),
        **_named(one.custom_id, one.invoice_id),
        **({"note_to_payer": one.note} if one.note else {}),
        "seller_payable_breakdown": {
            "gross_amount": one.amount.to_dict(),
            "paypal_fee": nothing.to_dict(),
            "net_amount": one.amount.to_dict(),
            "total_refunded_amount": Amount(one.total, one.amount.currency).to_dict(),
        },
        "create_time": iso(one.created_at),
        "update_time": iso(one.updated_at),
        "links": [link(base, path, "self"), link(base, f"/v2/payments/captures/{one.capture_id}", "up")],
    }
