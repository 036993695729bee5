"""Cards that customers leave for later: a SetupIntent with a token, or Stripe's own page without one."""

from __future__ import annotations

import re
from typing import Any

from majuu_core.providers import (
    FetchRequest,
    InvalidPaymentData,
    NotKnown,
    OutcomeUnknown,
    RequestRejected,
    SavedMethodState,
    SavedMethodStatus,
    SaveMethodRequest,
    Violation,
)
from majuu_stripe.account import Account, window_around
from majuu_stripe.client import keyed
from majuu_stripe.declines import failure_by_code, failure_of
from majuu_stripe.errors import CardDeclined, Refused, is_missing
from majuu_stripe.fields import CHECKOUT, DIRECT, FLOW, Obj, id_of, items, moment, obj, reference_of, shown, text, whole
from majuu_stripe.mapping import next_action_of, redirect
from majuu_stripe.payments import is_gone
from majuu_stripe.preparing import METHOD, TOKEN, card_data_violations

_S = SavedMethodStatus
_SEARCHED_PAGES = 5
_SETUP = ["payment_method"]
_SESSION = ["setup_intent.payment_method"]
_OUR_CUSTOMER = "majuu_customer"
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def save(account: Account, request: SaveMethodRequest) -> SavedMethodState:
    """Save a card for payments to come. REQUIRES_ACTION where the customer or the bank has something to do."""
    _check(request)
    customer = request.customer_reference or _customer(account, request)
    token = request.payment_method_data.get(TOKEN, "").strip()
    options = keyed(request.idempotency_key)
    if not token:
        params = _session_params(account, request, customer)
        session = account.api.send(lambda v1: v1.checkout.sessions.create(params, options))
        return session_state(account, session)
    params = _setup_params(account, request, customer, token)
    try:
        setup = account.api.send(lambda v1: v1.setup_intents.create(params, options))
    except CardDeclined as problem:
        return _declined(problem, request, customer)
    return setup_state(account, setup)


def fetch(account: Account, request: FetchRequest) -> SavedMethodState:
    """What became of the saving. Raises NotKnown when Stripe knows nothing under our id."""
    reference = request.provider_reference or ""
    if not reference:
        return _find(account, request.reference)
    if reference.startswith("cs_"):
        found = account.api.send(lambda v1: v1.checkout.sessions.retrieve(reference, {"expand": _SESSION}))
    else:
        found = account.api.send(lambda v1: v1.setup_intents.retrieve(reference, {"expand": _SETUP}))
    if not account.owns(found, request.reference):
        raise RequestRejected("Stripe has this saving under another reference.", code="saved_method_unknown")
    return session_state(account, found) if reference.startswith("cs_") else setup_state(account, found)


def forget(account: Account, state: SavedMethodState) -> SavedMethodState:
    """Let payments name the card no longer. One that is gone already is REMOVED all the same."""
    method = state.method_reference
    if method:
        try:
            account.api.send(lambda v1: v1.payment_methods.detach(method))
        except Refused as problem:
            if not (is_missing(problem) or is_gone(account, method)):
                raise
    return SavedMethodState(
        status=_S.REMOVED,
        provider_reference=state.provider_reference,
        customer_reference=state.customer_reference,
        method_reference=method,
        reference=state.reference,
        brand=state.brand,
        last4=state.last4,
        expires=state.expires,
    )


def setup_state(account: Account, setup: Obj, *, provider_reference: str = "") -> SavedMethodState:
    """A SetupIntent as a state. Whether the card is still there is only known where it is expanded."""
    common = _common(account, setup, provider_reference)
    status, error = text(setup, "status"), obj(setup, "last_setup_error")
    hosted = text(setup, "metadata", FLOW) == CHECKOUT
    if status == "succeeded" and common["method_reference"]:
        method = obj(setup, "payment_method")
        gone = bool(method) and not id_of(method, "customer")
        return SavedMethodState(status=_S.REMOVED if gone else _S.ACTIVE, **common)
    if status == "requires_action":
        action = next_action_of(setup, account.publishable_key)
        return SavedMethodState(status=_S.REQUIRES_ACTION, next_action=action, **common)
    if status == "canceled":
        failure = failure_by_code("setup_canceled", "The card was not saved: it was canceled.")
        return SavedMethodState(status=_S.FAILED, failure=failure, **common)
    if status == "requires_payment_method" and error and not hosted:
        return SavedMethodState(status=_S.FAILED, failure=failure_of(error), **common)
    return SavedMethodState(status=_S.PENDING, **common)


def session_state(account: Account, session: Obj) -> SavedMethodState:
    """A Checkout Session in which a card is saved, as a state."""
    reference, setup = text(session, "id"), obj(session, "setup_intent")
    if text(session, "status") == "complete" and setup:
        return setup_state(account, setup, provider_reference=reference)
    common = _common(account, session, reference) | {"method_reference": ""}
    if text(session, "status") == "expired":
        failure = failure_by_code("session_expired", "The page was closed or left open too long.")
        return SavedMethodState(status=_S.FAILED, failure=failure, **common)
    if text(session, "status") == "open" and text(session, "url"):
        action = redirect(text(session, "url"), moment(session, "expires_at"))
        return SavedMethodState(status=_S.REQUIRES_ACTION, next_action=action, **common)
    return SavedMethodState(status=_S.PENDING, **common)


def _common(account: Account, found: Obj, provider_reference: str) -> dict[str, Any]:
    method = obj(found, "payment_method")
    card = obj(method, "card")
    month, year = whole(card, "exp_month"), whole(card, "exp_year")
    return {
        "provider_reference": provider_reference or text(found, "id"),
        "customer_reference": id_of(found, "customer"),
        "method_reference": id_of(found, "payment_method"),
        "reference": reference_of(found, "", account.account_id),
        "brand": text(card, "brand"),
        "last4": text(card, "last4"),
        "expires": f"{year:04}-{month:02}" if month and year else "",
        "raw": shown(found),
    }


def _check(request: SaveMethodRequest) -> None:
    violations = card_data_violations(dict(request.payment_method_data))
    if request.payment_method != METHOD:
        message = f"Use the payment method {METHOD}."
        violations.append(Violation(code="payment_method_unsupported", message=message, field="payment_method"))
    if not request.payment_method_data.get(TOKEN, "").strip() and not request.return_url:
        message = "Send a return_url: where the customer goes from Stripe's page."
        violations.append(Violation(code="return_url_required", message=message, field="return_url"))
    if not request.customer_reference and not _PLAIN.fullmatch(request.customer):
        message = "A card is saved for a customer. Send the customer."
        violations.append(Violation(code="customer_required", message=message, field="customer"))
    if violations:
        raise InvalidPaymentData(*violations)


def _customer(account: Account, request: SaveMethodRequest) -> str:
    """Stripe's id of our customer, who is made once. Only what never changes is sent with the idempotency key."""
    query = {"query": f"metadata['{_OUR_CUSTOMER}']:'{request.customer}'"}
    try:
        known = account.api.send(lambda v1: v1.customers.search(query))
    except RequestRejected:
        known = {}  # there are countries without search; the key still keeps a repetition from making another
    for found in items(known):
        if text(found, "metadata", "majuu_account") in ("", account.account_id) and found.get("deleted") is not True:
            return text(found, "id")
    params = {"metadata": {_OUR_CUSTOMER: request.customer, "majuu_account": account.account_id}}
    options = keyed(f"customer-{account.account_id}-{request.customer}")
    made = text(account.api.send(lambda v1: v1.customers.create(params, options)), "id")
    if not made:
        raise OutcomeUnknown("Stripe made a customer and gave no id")
    details = {"name": request.customer_name[:250], "email": request.customer_email[:250]}
    details = {name: value for name, value in details.items() if value}
    if details:
        account.api.send(lambda v1: v1.customers.update(made, details, keyed(request.idempotency_key, "customer")))
    return made


def _setup_params(account: Account, request: SaveMethodRequest, customer: str, token: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        "customer": customer,
        "payment_method": token,
        "payment_method_types": ["card"],
        "usage": "off_session",
        "confirm": True,
        "metadata": account.metadata(request.reference, flow=DIRECT),
        "expand": _SETUP,
    }
    return params | ({"return_url": request.return_url} if request.return_url else {})


def _session_params(account: Account, request: SaveMethodRequest, customer: str) -> dict[str, Any]:
    metadata = account.metadata(request.reference, flow=CHECKOUT)
    return {
        "mode": "setup",
        "payment_method_types": ["card"],
        "customer": customer,
        "client_reference_id": request.reference,
        "metadata": metadata,
        "setup_intent_data": {"metadata": metadata},
        "success_url": request.return_url,
        "cancel_url": request.return_url,
    }


def _declined(problem: CardDeclined, request: SaveMethodRequest, customer: str) -> SavedMethodState:
    return SavedMethodState(
        status=_S.FAILED,
        provider_reference=id_of(problem.error, "setup_intent"),
        customer_reference=customer,
        reference=request.reference,
        failure=failure_of(problem.error),
        raw=shown(problem.error),
    )


def _find(account: Account, reference: str) -> SavedMethodState:
    window = window_around(reference)
    if window is not None:
        for setup in account.api.pages(
            lambda v1, params: v1.setup_intents.list(params),
            {"created": window, "expand": ["data.payment_method"]},
            most=_SEARCHED_PAGES,
        ):
            if account.owns(setup, reference) and text(setup, "metadata", FLOW) == DIRECT:
                return setup_state(account, setup)
        for session in account.api.pages(
            lambda v1, params: v1.checkout.sessions.list(params), {"created": window}, most=_SEARCHED_PAGES
        ):
            if account.owns(session, reference):
                return fetch(account, FetchRequest(reference=reference, provider_reference=text(session, "id")))
    raise NotKnown("Stripe knows nothing of this saved method, or not yet")
