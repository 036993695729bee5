"""Gives money back, and reads what became of it."""

from __future__ import annotations

from typing import Any

from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_stripe.account import Account, window_around
from majuu_stripe.client import keyed
from majuu_stripe.currencies import to_stripe
from majuu_stripe.errors import CardDeclined, Refused, is_missing
from majuu_stripe.fields import REFERENCE, Obj, moment, money, obj, shown, text
from majuu_stripe.payments import payment_of

_S = ResultStatus
_SEARCHED_PAGES = 10
_CHARGES = ("ch_", "py_")
_LONGEST_REASON = 500
# Refusals that say something about the payment, not about our request.
_DEFINITE: dict[str, FailureCode] = {
    "charge_already_refunded": FailureCode.DECLINED,
    "charge_disputed": FailureCode.DECLINED,
    "refund_disputed_payment": FailureCode.DECLINED,
    "charge_expired_for_capture": FailureCode.EXPIRED,
    "insufficient_funds": FailureCode.INSUFFICIENT_FUNDS,
    "balance_insufficient": FailureCode.INSUFFICIENT_FUNDS,
}
_WHY = {
    "lost_or_stolen_card": "The card was lost or stolen, so its bank did not take the refund.",
    "expired_or_canceled_card": "The card has expired or was canceled, so its bank did not take the refund.",
    "charge_for_pending_refund_disputed": "The payment was disputed before the refund arrived.",
    "insufficient_funds": "The Stripe balance was too small for the refund.",
    "declined": "The bank declined the refund.",
    "merchant_request": "The refund was canceled at the store's wish.",
}


def refund(account: Account, request: FollowUpRequest) -> Result:
    """Give back a part or all. PENDING where the bank decides later; it may fail days after it succeeded."""
    params = _target(account, request)
    params["metadata"] = account.metadata(
        request.reference, {**request.metadata, "majuu_reason": request.reason[:_LONGEST_REASON]}
    )
    if request.amount is not None:
        params["amount"] = to_stripe(request.amount)
    options = keyed(request.idempotency_key)
    try:
        return refund_result(account.api.send(lambda v1: v1.refunds.create(params, options)))
    except (Refused, CardDeclined) as problem:
        code = _DEFINITE.get(problem.code)
        if code is None:
            raise
        failure = Failure(code=code, provider_code=problem.code, message=str(problem))
        return Result(status=_S.FAILED, failure=failure, raw=shown(problem.error))


def fetch(account: Account, request: FetchRequest) -> Result:
    """What Stripe says about the refund; without its id it is looked for by ours. UNKNOWN when there is none."""
    reference = request.provider_reference or ""
    if not reference:
        return _find(account, request.reference)
    try:
        found = account.api.send(lambda v1: v1.refunds.retrieve(reference))
    except RequestRejected as problem:
        if is_missing(problem):
            return Result(status=_S.UNKNOWN)
        raise
    # One that was made in Stripe's dashboard names nothing of ours; one that names another refund is not this one.
    if text(found, "metadata", REFERENCE) and not account.owns(found, request.reference):
        return Result(status=_S.UNKNOWN)
    return refund_result(found)


def refund_result(found: Obj) -> Result:
    """A refund of Stripe's as a result."""
    common: dict[str, Any] = {
        "provider_reference": text(found, "id") or None,
        "amount": money(found, "amount"),
        "receipt": text(found, "destination_details", "card", "reference") or None,
        "occurred_at": moment(found, "created"),
        "raw": shown(found),
    }
    status = text(found, "status")
    if status == "failed":
        return Result(status=_S.FAILED, failure=_failure(found), **common)
    known = {"succeeded": _S.SUCCEEDED, "pending": _S.PENDING, "requires_action": _S.PENDING, "canceled": _S.CANCELED}
    return Result(status=known.get(status, _S.UNKNOWN), **common)


def _target(account: Account, request: FollowUpRequest) -> dict[str, Any]:
    """What is refunded, by the charge where we know it. Refunds name no currency, so it is compared here."""
    receipt = request.receipt or ""
    known = request.paid
    if receipt.startswith(_CHARGES) and (request.amount is None or known is not None):
        target = {"charge": receipt}
    else:
        payment = payment_of(account, request.provider_reference)
        known, target = money(payment, "amount"), {"payment_intent": text(payment, "id")}
    if request.amount is not None and known is not None and known.currency != request.amount.currency:
        raise RequestRejected(
            f"The payment was in {known.currency.code}; it cannot be given back in {request.amount.currency.code}.",
            code="currency_mismatch",
        )
    return target


def _find(account: Account, reference: str) -> Result:
    window = window_around(reference)
    if window is not None:
        for found in account.api.pages(
            lambda v1, params: v1.refunds.list(params), {"created": window}, most=_SEARCHED_PAGES
        ):
            if account.owns(found, reference):
                return refund_result(found)
    return Result(status=_S.UNKNOWN)


def _failure(found: Obj) -> Failure:
    code = text(found, "failure_reason") or "unknown"
    known = FailureCode.INSUFFICIENT_FUNDS if code == "insufficient_funds" else FailureCode.PROCESSING_ERROR
    message = _WHY.get(code, "The refund did not arrive. The money is back on the Stripe balance.")
    return Failure(code=known, provider_code=code[:64], message=message)


def charge_of(found: Obj) -> str:
    """The charge that a refund gives back, whether it is expanded or not."""
    charge = obj(found, "charge")
    return text(charge, "id") if charge else text(found, "charge")
