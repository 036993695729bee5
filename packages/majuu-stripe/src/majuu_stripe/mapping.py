"""What Stripe says about a payment, as results. Objects come from answers, look-ups and events of any API version."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from majuu_core.common.money import Money
from majuu_core.providers import NextAction, Result, ResultStatus
from majuu_stripe.declines import failure_by_code, failure_of
from majuu_stripe.fields import CHECKOUT, FLOW, Obj, id_of, inside, items, moment, money, obj, shown, text, whole

_S = ResultStatus


def payment_result(payment: Obj, *, publishable_key: str = "") -> Result:
    """A payment intent as a result.

    A declined attempt inside Stripe's own page is not the end of the payment: the customer may try another card there.
    """
    status = text(payment, "status")
    if status in ("succeeded", "requires_capture"):
        return _paid(payment, captured=status == "succeeded")
    common: dict[str, Any] = {"provider_reference": _reference(payment), "raw": shown(payment)}
    if status == "requires_action":
        return Result(status=_S.REQUIRES_ACTION, next_action=next_action_of(payment, publishable_key), **common)
    if status == "canceled":
        return Result(status=_S.CANCELED, occurred_at=moment(payment, "canceled_at"), **common)
    if status in ("processing", "requires_confirmation"):
        return Result(status=_S.PENDING, **common)
    error = obj(payment, "last_payment_error")
    if status == "requires_payment_method" and error and not is_hosted(payment):
        return Result(status=_S.FAILED, failure=failure_of(error), occurred_at=moment(payment, "created"), **common)
    return Result(status=_S.UNKNOWN, **common)


def session_result(session: Obj) -> Result:
    """A Checkout Session as a result. Asked about it, Stripe gives the payment intent with it; events only name it."""
    common: dict[str, Any] = {"provider_reference": text(session, "id") or None, "raw": shown(session)}
    status, paid = text(session, "status"), text(session, "payment_status")
    payment = obj(session, "payment_intent")
    if status == "expired":
        return Result(status=_S.CANCELED, **common)
    if payment:
        inner = payment_result(payment)
        if inner.status in (_S.SUCCEEDED, _S.AUTHORIZED, _S.CANCELED):
            return replace(inner, provider_reference=common["provider_reference"])
    elif paid in ("paid", "no_payment_required"):
        return Result(status=_S.SUCCEEDED, amount=money(session, "amount_total"), **common)
    if status == "open" and text(session, "url"):
        action = redirect(text(session, "url"), moment(session, "expires_at"))
        return Result(status=_S.REQUIRES_ACTION, next_action=action, **common)
    return Result(status=_S.PENDING, **common)


def failed_session_result(session: Obj) -> Result:
    """A session whose delayed payment failed for good."""
    failure = failure_by_code("payment_failed", "The payment failed after the customer had confirmed it.")
    return Result(status=_S.FAILED, failure=failure, provider_reference=text(session, "id") or None, raw=shown(session))


def charge_result(charge: Obj) -> Result | None:
    """A charge that an event tells of; None when it says nothing about the payment's end (a declined attempt)."""
    if text(charge, "status") != "succeeded":
        return None
    reference = None if is_hosted(charge) else id_of(charge, "payment_intent") or None
    if inside(charge, "captured") is not True:
        if inside(charge, "refunded") is True:  # what was held has been let go
            return Result(status=_S.CANCELED, provider_reference=reference, raw=shown(charge))
        return Result(
            status=_S.AUTHORIZED,
            provider_reference=reference,
            amount=money(charge, "amount"),
            capture_before=capture_before(charge),
            payer=payer_of(charge),
            raw=shown(charge),
        )
    name = "amount" if whole(charge, "amount_captured") is None else "amount_captured"
    return Result(
        status=_S.SUCCEEDED,
        provider_reference=reference,
        receipt=text(charge, "id") or None,
        amount=money(charge, name),
        fee=fee_of(charge),
        payer=payer_of(charge),
        occurred_at=moment(charge, "created"),
        raw=shown(charge),
    )


def latest_charge(payment: Obj) -> Obj:
    """The charge of a payment intent, expanded or not: older API versions list them, newest first."""
    found = inside(payment, "latest_charge")
    if isinstance(found, dict):
        return found
    if isinstance(found, str) and found:
        return {"id": found}
    return next(items(payment, "charges"), {})


def fee_of(charge: Obj) -> Money | None:
    """What Stripe kept of the charge, where its balance transaction is at hand. In the currency of the payout."""
    return money(obj(charge, "balance_transaction"), "fee")


def capture_before(charge: Obj) -> datetime | None:
    """When the card's bank lets the hold go."""
    return moment(charge, "payment_method_details", "card", "capture_before")


def payer_of(charge: Obj) -> str | None:
    """The card as its owner recognises it: ``visa ····4242``."""
    card = obj(charge, "payment_method_details", "card")
    brand, last4 = text(card, "brand"), text(card, "last4")
    return f"{brand or 'card'} ····{last4}"[:80] if last4 else None


def is_hosted(value: Obj) -> bool:
    """True for a payment (or its charge) that is made in Stripe's own page."""
    return text(value, "metadata", FLOW) == CHECKOUT


def redirect(url: str, expires_at: datetime | None = None) -> NextAction:
    """Send the customer there."""
    return NextAction(type="redirect", data={"url": url}, expires_at=expires_at)


def next_action_of(intent: Obj, publishable_key: str) -> NextAction:
    """What the customer's bank asks for, of a payment intent or a setup intent: its page, or Stripe's script."""
    url = text(intent, "next_action", "redirect_to_url", "url")
    if url:
        return redirect(url)
    data = {"client_secret": text(intent, "client_secret"), "publishable_key": publishable_key}
    return NextAction(type="use_client_secret", data={name: value for name, value in data.items() if value})


def _paid(payment: Obj, *, captured: bool) -> Result:
    charge = latest_charge(payment)
    name = "amount_received" if captured else "amount_capturable"
    amount = money(payment, name if whole(payment, name) else "amount")
    return Result(
        status=_S.SUCCEEDED if captured else _S.AUTHORIZED,
        provider_reference=_reference(payment),
        receipt=(text(charge, "id") or None) if captured else None,
        amount=amount,
        fee=fee_of(charge) if captured else None,
        payer=payer_of(charge),
        occurred_at=moment(charge, "created") or moment(payment, "created"),
        capture_before=None if captured else capture_before(charge),
        raw=shown(payment),
    )


def _reference(payment: Obj) -> str | None:
    """A payment made in Stripe's page is known by its session, which it does not name."""
    return None if is_hosted(payment) else text(payment, "id") or None
