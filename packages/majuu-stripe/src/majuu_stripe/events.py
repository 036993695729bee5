"""Stripe's events as ours: of any API version, in any order, and only of what Majuu made or what concerns it.

Other systems may use the same Stripe account. What they made is answered with yes and leaves no event here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from majuu_core.providers import (
    OutcomeUnknown,
    ProviderError,
    ProviderEvent,
    Result,
    ResultStatus,
    SavedMethodState,
    WebhookRejected,
    WebhookRequest,
)
from majuu_stripe import disputes, saved_methods
from majuu_stripe.account import Account
from majuu_stripe.fields import CHECKOUT, FLOW, REFERENCE, Obj, id_of, items, moment, obj, plain, reference_of, text
from majuu_stripe.lookups import owner_of_charge
from majuu_stripe.mapping import charge_result, failed_session_result, is_hosted, payment_result, session_result
from majuu_stripe.refunds import refund_result
from majuu_stripe.signatures import read_event

PAYMENT, REFUND, DISPUTE, SAVED = "payment.updated", "refund.updated", "dispute.updated", "saved_method.updated"
_Reader = Callable[[Account, Obj, Obj], "list[ProviderEvent]"]


def read(account: Account, request: WebhookRequest) -> Sequence[ProviderEvent]:
    """The events of a message; none for a kind that says nothing to us, and for what others made.

    Raises WebhookRejected for a body that cannot be read, and when Stripe has to be asked and cannot be: it sends the
    message again.
    """
    event = read_event(account, request)
    kind = text(event, "type")
    reader = READERS.get(kind)
    if reader is None or event.get("account"):  # an account named on top is one that is connected to this one
        return []
    try:
        return reader(account, event, plain(event["data"]["object"]))
    except OutcomeUnknown as problem:
        raise WebhookRejected(f"the event {kind} cannot be read: {problem}") from None


def _read_payment(account: Account, event: Obj, payment: Obj) -> list[ProviderEvent]:
    result = payment_result(payment, publishable_key=account.publishable_key)
    if result.status is ResultStatus.UNKNOWN or (is_hosted(payment) and result.status is ResultStatus.REQUIRES_ACTION):
        return []  # inside Stripe's page: the customer may still try another card
    return _payment_event(account, event, payment, result, text(payment, "id"))


def _read_charge(account: Account, event: Obj, charge: Obj) -> list[ProviderEvent]:
    result = charge_result(charge)
    if result is None:
        return []
    return _payment_event(account, event, charge, result, id_of(charge, "payment_intent") or text(charge, "id"))


def _read_expired_charge(account: Account, event: Obj, charge: Obj) -> list[ProviderEvent]:
    reference = id_of(charge, "payment_intent")
    result = Result(status=ResultStatus.CANCELED, provider_reference=None if is_hosted(charge) else reference or None)
    return _payment_event(account, event, charge, result, reference or text(charge, "id"))


def _read_session(account: Account, event: Obj, session: Obj) -> list[ProviderEvent]:
    if text(session, "mode") == "setup":
        return _saved_event(account, event, session, saved_methods.session_state)
    failed = text(event, "type") == "checkout.session.async_payment_failed"
    result = failed_session_result(session) if failed else session_result(session)
    if text(event, "type") == "checkout.session.completed" and result.status is ResultStatus.PENDING:
        return []  # held, or a delayed payment: the payment intent's own events say more
    return _payment_event(account, event, session, result, text(session, "id"))


def _payment_event(
    account: Account, event: Obj, made: Obj, result: Result, provider_reference: str
) -> list[ProviderEvent]:
    reference = reference_of(made, "ch", account.account_id)
    if not reference or not provider_reference:
        return []
    return [_event(event, PAYMENT, reference, provider_reference, result)]


def _read_refund(account: Account, event: Obj, refund: Obj) -> list[ProviderEvent]:
    return _refund_event(account, event, refund, text(event, "id"))


def _read_refunded_charge(account: Account, event: Obj, charge: Obj) -> list[ProviderEvent]:
    """Older API versions list the refunds in their charge; in newer ones the events of the refunds tell of them.

    A hold that was let go is "refunded" too.
    """
    found: list[ProviderEvent] = []
    for refund in items(charge, "refunds"):
        found += _refund_event(account, event, {**refund, "charge": charge}, f"{event['id']}:{text(refund, 'id')}")
    result = charge_result(charge)
    return found or (_read_charge(account, event, charge) if result and result.status is ResultStatus.CANCELED else [])


def _refund_event(account: Account, event: Obj, refund: Obj, event_id: str) -> list[ProviderEvent]:
    """A refund of ours by its own id; one that was made in the dashboard names the charge it takes back."""
    if _is_release(refund):
        return []
    reference = reference_of(refund, "re", account.account_id) or _owner(account, refund)
    if not reference or not text(refund, "id"):
        return []
    result = refund_result(refund)
    if result.status is ResultStatus.FAILED:
        result = replace(result, occurred_at=_at(event))  # it failed now, not when it was made
    return [replace(_event(event, REFUND, reference, text(refund, "id"), result), event_id=event_id)]


def _is_release(refund: Obj) -> bool:
    """True for what a partial capture leaves: Stripe shows it as a refund, but it never moved on the balance."""
    unmoved = "balance_transaction" in refund and refund["balance_transaction"] is None
    return unmoved and text(refund, "status") == "succeeded" and not text(refund, "metadata", REFERENCE)


def _owner(account: Account, about: Obj) -> str:
    """Our id of the charge that a refund or dispute is about; "" for somebody else's."""
    told = reference_of(obj(about, "charge"), "ch", account.account_id)
    charge = id_of(about, "charge")
    if told or not charge:
        return told
    try:
        return owner_of_charge(account, charge)
    except ProviderError as problem:
        text_ = f"Stripe could not be asked whose the charge is ({type(problem).__name__}); it sends the event again"
        raise WebhookRejected(text_) from None


def _read_dispute(account: Account, event: Obj, dispute: Obj) -> list[ProviderEvent]:
    reference = _owner(account, dispute)
    if not reference:
        return []
    state = disputes.dispute_state(dispute, charge_reference=reference, occurred_at=_at(event))
    nothing = Result(status=ResultStatus.UNKNOWN)
    told = _event(event, DISPUTE, None, state.provider_reference, nothing)
    return [replace(told, dispute=state)]


def _read_setup(account: Account, event: Obj, setup: Obj) -> list[ProviderEvent]:
    if text(setup, "metadata", FLOW) == CHECKOUT and text(event, "type") == "setup_intent.setup_failed":
        return []  # inside Stripe's page: the customer may still try another card
    return _saved_event(account, event, setup, saved_methods.setup_state)


def _saved_event(
    account: Account, event: Obj, made: Obj, state_of: Callable[[Account, Obj], SavedMethodState]
) -> list[ProviderEvent]:
    """Events name the card only by its id; what people know it by is asked for, and left out if that fails."""
    reference = reference_of(made, "", account.account_id)
    if not reference:
        return []
    if text(made, "status") in ("succeeded", "complete"):
        made = _with_details(account, made)
    state = state_of(account, made)
    told = _event(event, SAVED, reference, state.provider_reference, Result(status=ResultStatus.UNKNOWN))
    return [replace(told, saved_method=state)]


def _with_details(account: Account, made: Obj) -> Obj:
    try:
        if text(made, "object") == "checkout.session":
            setup_id = id_of(made, "setup_intent")
            expand = {"expand": ["payment_method"]}
            return {**made, "setup_intent": account.api.send(lambda v1: v1.setup_intents.retrieve(setup_id, expand))}
        method_id = id_of(made, "payment_method")
        return {**made, "payment_method": account.api.send(lambda v1: v1.payment_methods.retrieve(method_id))}
    except ProviderError:
        return made


def _event(event: Obj, kind: str, reference: str | None, provider_reference: str, result: Result) -> ProviderEvent:
    return ProviderEvent(
        event_id=event["id"],
        type=kind,
        reference=reference,
        provider_reference=provider_reference,
        result=result,
        occurred_at=_at(event),
    )


def _at(event: Any) -> datetime:
    return moment(event, "created") or datetime.fromtimestamp(0, UTC)


READERS: dict[str, _Reader] = {
    **dict.fromkeys(
        (
            *("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"),
            *("payment_intent.amount_capturable_updated", "payment_intent.requires_action"),
            "payment_intent.processing",
        ),
        _read_payment,
    ),
    **dict.fromkeys(("charge.succeeded", "charge.captured", "charge.updated"), _read_charge),
    "charge.expired": _read_expired_charge,
    "charge.refunded": _read_refunded_charge,
    **dict.fromkeys(
        (
            *("checkout.session.completed", "checkout.session.expired"),
            *("checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"),
        ),
        _read_session,
    ),
    **dict.fromkeys(
        ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"),
        _read_refund,
    ),
    **dict.fromkeys(
        (
            *("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"),
            *("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"),
        ),
        _read_dispute,
    ),
    **dict.fromkeys(
        (
            *("setup_intent.succeeded", "setup_intent.setup_failed", "setup_intent.canceled"),
            "setup_intent.requires_action",
        ),
        _read_setup,
    ),
}
# What the endpoint at Stripe has to send. The others add nothing that these do not tell.
NEEDED_EVENTS: tuple[str, ...] = tuple(
    sorted(
        READERS.keys()
        - {"charge.refund.updated", "payment_intent.processing", "payment_intent.requires_action"}
        - {"setup_intent.requires_action"}
    )
)
