"""Takes, holds, captures, voids and looks up card payments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    PaymentRequest,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_stripe.account import Account, window_around
from majuu_stripe.client import keyed
from majuu_stripe.currencies import to_stripe
from majuu_stripe.declines import failure_of
from majuu_stripe.errors import CardDeclined, Refused, is_missing
from majuu_stripe.fields import Obj, id_of, items, money, obj, shown, text
from majuu_stripe.mapping import is_hosted, payment_result, session_result
from majuu_stripe.preparing import is_hosted as wants_page
from majuu_stripe.preparing import payment_intent_params, session_params

SESSION, PAYMENT = "cs_", "pi_"
_CHARGE = ["latest_charge.balance_transaction"]
_SESSION = ["payment_intent.latest_charge.balance_transaction"]
_SEARCHED_PAGES = 5
_UNEXPECTED_STATE = "payment_intent_unexpected_state"


def take(account: Account, request: PaymentRequest, *, capture_method: str) -> Result:
    """Charge the token, or open Stripe's page. ``capture_method`` is "automatic" or "manual"."""
    options = keyed(request.idempotency_key)
    if wants_page(request):
        params = session_params(account, request, capture_method)
        return session_result(account.api.send(lambda v1: v1.checkout.sessions.create(params, options)))
    params = payment_intent_params(account, request, capture_method)
    try:
        payment = account.api.send(lambda v1: v1.payment_intents.create(params, options))
    except CardDeclined as problem:
        return _declined(problem)
    except Refused as problem:
        if request.saved_method and is_gone(account, request.saved_method):
            return _forgotten(problem)
        raise
    return payment_result(payment, publishable_key=account.publishable_key)


def is_gone(account: Account, method: str) -> bool:
    """True when a saved card belongs to no customer any more; Stripe charges it never again then."""
    try:
        found = account.api.send(lambda v1: v1.payment_methods.retrieve(method))
    except RequestRejected as problem:
        return is_missing(problem)
    return not id_of(found, "customer")


def capture(account: Account, request: FollowUpRequest) -> Result:
    """Take what was held, all or a part; Stripe releases the rest."""
    payment = payment_of(account, request.provider_reference)
    params: dict[str, Any] = {"expand": _CHARGE}
    if request.amount is not None:
        _check_currency(payment, request)
        params["amount_to_capture"] = to_stripe(request.amount)
    options, payment_id = keyed(request.idempotency_key), text(payment, "id")
    try:
        payment = account.api.send(lambda v1: v1.payment_intents.capture(payment_id, params, options))
    except CardDeclined as problem:
        return replace(_declined(problem), provider_reference=request.provider_reference)
    except Refused as problem:
        return _already_canceled(problem, request)
    return replace(payment_result(payment), provider_reference=request.provider_reference)


def void(account: Account, request: FollowUpRequest) -> Result:
    """Let the hold go, or close Stripe's page. Again for one that is over it says the same."""
    reference, options = request.provider_reference, keyed(request.idempotency_key)
    if reference.startswith(SESSION):
        session = _session(account, reference)
        if text(session, "status") == "open":
            return _expire(account, reference, request)
        if text(session, "status") == "expired":
            return session_result(session)
        payment_id = id_of(session, "payment_intent")
    else:
        payment_id = reference
    try:
        payment = account.api.send(lambda v1: v1.payment_intents.cancel(payment_id, {}, options))
    except Refused as problem:
        return _already_canceled(problem, request)
    return replace(payment_result(payment), provider_reference=reference)


def fetch(account: Account, request: FetchRequest) -> Result:
    """What Stripe says about the payment that was made for this reference; UNKNOWN when it knows none."""
    reference = request.provider_reference or ""
    try:
        if reference.startswith(SESSION):
            found = _session(account, reference)
            return session_result(found) if account.owns(found, request.reference) else _unknown()
        if reference.startswith(PAYMENT):
            found = _payment(account, reference)
            known = account.owns(found, request.reference)
            return payment_result(found, publishable_key=account.publishable_key) if known else _unknown()
    except RequestRejected as problem:
        if is_missing(problem):
            return _unknown()
        raise
    return _unknown() if reference else _find(account, request.reference)


def payment_of(account: Account, reference: str) -> Obj:
    """The payment intent behind a reference of ours. Raises RequestRejected when there is none."""
    if not reference.startswith((SESSION, PAYMENT)):
        raise RequestRejected("There is no Stripe payment to act on.", code="payment_unknown")
    if reference.startswith(PAYMENT):
        return _payment(account, reference)
    payment = obj(_session(account, reference), "payment_intent")
    if not payment:
        raise RequestRejected("The customer has not paid in Stripe's page.", code="payment_not_made")
    return payment


def _find(account: Account, reference: str) -> Result:
    """By our own id: first by search, which is up to a minute behind, then among what was made around that time."""
    for payment in _searched(account, reference):
        if not account.owns(payment, reference):
            continue
        if not is_hosted(payment):
            return payment_result(payment, publishable_key=account.publishable_key)
        params: dict[str, Any] = {"payment_intent": text(payment, "id"), "limit": 1}
        page = account.api.send(lambda v1, params=params: v1.checkout.sessions.list(params))  # type: ignore[misc]
        for session in items(page):
            return session_result({**session, "payment_intent": payment})
    window = window_around(reference)
    if window is None:
        return _unknown()
    for session in account.api.pages(
        lambda v1, params: v1.checkout.sessions.list(params), {"created": window}, most=_SEARCHED_PAGES
    ):
        if account.owns(session, reference):
            return session_result(_session(account, text(session, "id")))
    for payment in account.api.pages(
        lambda v1, params: v1.payment_intents.list(params),
        {"created": window, "expand": ["data.latest_charge.balance_transaction"]},
        most=_SEARCHED_PAGES,
    ):
        if account.owns(payment, reference) and not is_hosted(payment):
            return payment_result(payment, publishable_key=account.publishable_key)
    return _unknown()


def _searched(account: Account, reference: str) -> Iterator[Obj]:
    params = {
        "query": f"metadata['majuu_reference']:'{reference}'",
        "expand": ["data.latest_charge.balance_transaction"],
    }
    try:
        page = account.api.send(lambda v1: v1.payment_intents.search(params))
    except RequestRejected:
        return  # there are countries without search
    yield from items(page)


def _payment(account: Account, reference: str) -> Obj:
    return account.api.send(lambda v1: v1.payment_intents.retrieve(reference, {"expand": _CHARGE}))


def _session(account: Account, reference: str) -> Obj:
    return account.api.send(lambda v1: v1.checkout.sessions.retrieve(reference, {"expand": _SESSION}))


def _expire(account: Account, reference: str, request: FollowUpRequest) -> Result:
    options = keyed(request.idempotency_key, "expire")
    try:
        return session_result(account.api.send(lambda v1: v1.checkout.sessions.expire(reference, {}, options)))
    except Refused:
        # The customer was faster, or the page closed by itself: what it is now decides.
        result = session_result(_session(account, reference))
        if result.status is ResultStatus.CANCELED:
            return result
        raise


def _check_currency(payment: Obj, request: FollowUpRequest) -> None:
    held = money(payment, "amount")
    if request.amount is not None and held is not None and held.currency != request.amount.currency:
        raise RequestRejected(
            f"The payment is in {held.currency.code}; {request.amount.currency.code} cannot be taken from it.",
            code="currency_mismatch",
        )


def _declined(problem: CardDeclined) -> Result:
    return Result(
        status=ResultStatus.FAILED,
        provider_reference=id_of(problem.error, "payment_intent") or None,
        failure=failure_of(problem.error),
        raw=shown(problem.error),
    )


def _forgotten(problem: Refused) -> Result:
    failure = Failure(
        code=FailureCode.INVALID_PAYMENT_METHOD,
        provider_code=problem.code,
        message="The saved card was forgotten and cannot be charged any more.",
    )
    return Result(status=ResultStatus.FAILED, failure=failure, raw=shown(problem.error))


def _already_canceled(problem: Refused, request: FollowUpRequest) -> Result:
    """A payment that is canceled already is no bug of ours; whatever else Stripe refuses is passed on."""
    payment = obj(problem.error, "payment_intent")
    if problem.code == _UNEXPECTED_STATE and text(payment, "status") == "canceled":
        return replace(payment_result(payment), provider_reference=request.provider_reference)
    raise RequestRejected(str(problem), code=problem.code) from None


def _unknown() -> Result:
    return Result(status=ResultStatus.UNKNOWN)
