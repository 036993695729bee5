"""Reads the requests of orders and payments; whatever PayPal would refuse is refused here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from majuu_sim.paypal import refusals
from majuu_sim.paypal.currencies import Amount, read_amount

LENGTHS = {
    "reference_id": 256,
    "description": 127,
    "custom_id": 127,
    "invoice_id": 127,
    "soft_descriptor": 22,
    "note_to_payer": 255,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What a new order asks for."""

    intent: str
    amount: Amount
    unit: dict[str, Any]
    wallet: bool
    email: str
    return_url: str
    cancel_url: str
    user_action: str
    brand_name: str


def read_order(data: dict[str, Any], request_id: str) -> OrderRequest:
    """The body of ``POST /v2/checkout/orders``; Refusal otherwise."""
    intent = data.get("intent")
    if intent is None:
        raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", "/intent")
    if intent not in ("CAPTURE", "AUTHORIZE"):
        raise refusals.bad_field("INVALID_PARAMETER_VALUE", "/intent", str(intent))
    unit = _the_unit(data, intent)
    amount = read_amount(unit.get("amount"), "/purchase_units/@reference_id=='default'/amount")
    source = data.get("payment_source")
    if source is not None and not request_id:
        raise refusals.bad_field("PAYPAL_REQUEST_ID_REQUIRED", "PayPal-Request-Id", location="header")
    wallet = _the_wallet(source)
    context = _context(data, wallet)
    return OrderRequest(
        intent=intent,
        amount=amount,
        unit=unit,
        wallet=wallet is not None,
        email=str((wallet or {}).get("email_address") or (data.get("payer") or {}).get("email_address") or ""),
        return_url=_url(context, "return_url"),
        cancel_url=_url(context, "cancel_url"),
        user_action=str(context.get("user_action") or "CONTINUE"),
        brand_name=str(context.get("brand_name") or ""),
    )


def _the_unit(data: dict[str, Any], intent: str) -> dict[str, Any]:
    units = data.get("purchase_units")
    if not units:
        raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", "/purchase_units")
    if not isinstance(units, list) or not all(isinstance(one, dict) for one in units):
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", "/purchase_units")
    if len(units) > 1:
        # PayPal takes up to ten with intent CAPTURE; this simulator, like the shops it serves, knows orders of one.
        issue = "UNSUPPORTED_INTENT" if intent == "AUTHORIZE" else "INVALID_ARRAY_MAX_ITEMS"
        raise refusals.unprocessable(issue, "/purchase_units")
    check_texts(units[0], "/purchase_units/@reference_id=='default'")
    return dict(units[0])


def _the_wallet(source: object) -> dict[str, Any] | None:
    if source is None:
        return None
    if not isinstance(source, dict) or not isinstance(source.get("paypal"), dict) or len(source) != 1:
        raise refusals.unprocessable("INVALID_PARAMETER_VALUE", "/payment_source")
    return dict(source["paypal"])


def _context(data: dict[str, Any], wallet: dict[str, Any] | None) -> dict[str, Any]:
    context = (wallet or {}).get("experience_context") or data.get("application_context") or {}
    if not isinstance(context, dict):
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", "/application_context")
    action = context.get("user_action")
    if action not in (None, "CONTINUE", "PAY_NOW"):
        raise refusals.bad_field("INVALID_PARAMETER_VALUE", "/application_context/user_action", str(action))
    return context


def _url(context: dict[str, Any], name: str) -> str:
    value = context.get(name) or ""
    if not isinstance(value, str) or (value and urlsplit(value).scheme not in ("http", "https")):
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", f"/application_context/{name}", str(value))
    return value


def check_texts(data: dict[str, Any], field: str = "") -> None:
    """Refusal for a text that is none, or too long."""
    for name, most in LENGTHS.items():
        value = data.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", f"{field}/{name}", str(value))
        if len(value) > most:
            raise refusals.bad_field("INVALID_STRING_MAX_LENGTH", f"{field}/{name}", value)


def optional_amount(data: dict[str, Any]) -> Amount | None:
    """The field ``amount`` of a capture or refund; None when everything is meant."""
    return read_amount(data["amount"], "/amount") if data.get("amount") is not None else None


def flag(data: dict[str, Any], name: str) -> bool:
    """A field that is true or false, and false when it is absent."""
    value = data.get(name, False)
    if not isinstance(value, bool):
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", f"/{name}", str(value))
    return value
