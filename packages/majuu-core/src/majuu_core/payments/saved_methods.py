"""Methods that customers leave for later: begin saving one, learn what became of it, let go of it.

The pattern is that of charges: the row first, then the provider with no transaction open, then what it said. What was
not answered, or waits for the customer, is asked about by the worker; nothing becomes active that the provider did not
say is.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction

from majuu_core.audit.services import build_entry
from majuu_core.common import clock, ids
from majuu_core.common.problems import Conflict, Invalid, NotFound
from majuu_core.common.storable import storable
from majuu_core.database.batch import WriteBatch
from majuu_core.events.services import build_event
from majuu_core.merchants.models import ProviderAccount
from majuu_core.merchants.provider_accounts import candidate_accounts
from majuu_core.payments.calls import Conversation, Paused, ask_provider, keep_calls, refuse_open_transaction
from majuu_core.payments.intents import check_method_data
from majuu_core.payments.models import Customer, SavedMethod
from majuu_core.payments.notices import APPLIED, Notice, Verdict, duplicate, parked
from majuu_core.payments.outgoing import claim_due
from majuu_core.payments.representation import represent_action, represent_time
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    InvalidPaymentData,
    PaymentProvider,
    ProviderError,
    RequestRejected,
    SavedMethodState,
    SavedMethodStatus,
    SaveMethodRequest,
    SupportsSavedMethods,
    Trust,
    operations,
)
from majuu_core.providers.installed import installed_providers

logger = logging.getLogger("majuu.payments")
# Seconds after the start at which the provider is asked; a customer has a day to finish.
SCHEDULE: tuple[int, ...] = (60, 300, 900, 3600, 6 * 3600, 24 * 3600, 25 * 3600)
CALL_LEASE = timedelta(seconds=45)
_M = SavedMethod.Status
_OPEN = frozenset({_M.PENDING, _M.REQUIRES_ACTION})
_EVENTS: Mapping[str, str] = {
    _M.ACTIVE: "saved_method.active",
    _M.FAILED: "saved_method.failed",
    _M.REMOVED: "saved_method.removed",
}
# An active one may only be removed; one that failed may turn out to be active after all.
_MAY_BECOME: Mapping[str, frozenset[str]] = {
    _M.PENDING: frozenset({_M.REQUIRES_ACTION, _M.ACTIVE, _M.FAILED, _M.REMOVED}),
    _M.REQUIRES_ACTION: frozenset({_M.PENDING, _M.ACTIVE, _M.FAILED, _M.REMOVED}),
    _M.ACTIVE: frozenset({_M.REMOVED}),
    _M.FAILED: frozenset({_M.ACTIVE, _M.REMOVED}),
    _M.REMOVED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingDetails:
    """What is to be saved, and where the customer comes back to."""

    payment_method: str
    payment_method_data: Mapping[str, str] = field(default_factory=dict)
    return_url: str = ""


def save_method(*, customer: Customer, details: SavingDetails, request_key: str = "") -> SavedMethod:
    """Begin saving a method and return it as it is once the provider has answered.

    ``request_key`` names the API request: the same one again finds what it began. Raises Invalid when nobody saves
    such methods, or for data that cannot be used; a provider that said no is a saved method with status failed.
    """
    check_method_data(details.payment_method_data)
    earlier = customer.saved_methods.filter(request_key=request_key).first() if request_key else None
    if earlier is not None:
        return earlier
    conversation = Conversation(_choose_account(customer, details.payment_method))
    provider = conversation.provider()
    assert isinstance(provider, SupportsSavedMethods)  # noqa: S101 - no other is chosen
    saved = _start(customer, conversation.account, details, request_key)
    conversation.about = saved.public_id
    request = SaveMethodRequest(
        idempotency_key=saved.public_id,
        reference=saved.public_id,
        payment_method=details.payment_method,
        payment_method_data=dict(details.payment_method_data),
        customer=customer.public_id,
        customer_reference=_known_reference(customer, conversation.account),
        customer_name=customer.name,
        customer_email=customer.email,
        return_url=details.return_url,
    )
    call = provider.save_method
    state = _say(conversation, lambda _: call(request))
    keep_calls(conversation)
    return saved if state is None else apply_state(saved.pk, state)[0]


def get_saved_method(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> SavedMethod:
    """The store's saved method. Raises NotFound, also for another store's and another mode's."""
    try:
        rows = SavedMethod.objects.select_related("customer__store", "provider_account")
        return rows.get(pk=SavedMethod.uuid_of(public_id), customer__store_id=store_id, livemode=livemode)
    except (ValueError, SavedMethod.DoesNotExist):
        raise NotFound("saved_method_not_found", "There is no such saved method in this store and mode.") from None


def usable_method(*, store_id: uuid.UUID, livemode: bool, public_id: str) -> SavedMethod:
    """A saved method that can be charged. Raises NotFound, Conflict for one that is not active."""
    saved = get_saved_method(store_id=store_id, livemode=livemode, public_id=public_id)
    if saved.status != _M.ACTIVE:
        raise Conflict("saved_method_not_active", f"The saved method is {saved.status}; it cannot be charged.")
    return saved


def remove_method(*, saved: SavedMethod) -> SavedMethod:
    """Let go of a method, at the provider too. Doing so twice is a no-op.

    Raises Conflict when the provider did not confirm it: the method stays as it is then, and may be removed again.
    """
    if saved.status == _M.REMOVED:
        return saved
    if saved.method_reference:
        conversation = Conversation(saved.provider_account, about=saved.public_id)
        state = _say(conversation, lambda provider: _forget(provider, saved))
        keep_calls(conversation)
        if state is None or state.status is not SavedMethodStatus.REMOVED:
            raise Conflict("saved_method_not_removed", "The provider did not confirm it. Try again in a moment.")
    gone = SavedMethodState(status=SavedMethodStatus.REMOVED, provider_reference=saved.provider_reference or "")
    return apply_state(saved.pk, gone)[0]


def run_due_savings(limit: int = 50) -> int:
    """Ask about every saving whose time has come; returns how many were asked about."""
    return sum(follow_up_saving(key) for key in claim_due(SavedMethod, lease=timedelta(seconds=60), limit=limit))


def follow_up_saving(saved_id: uuid.UUID) -> bool:
    """Ask the provider what became of one saving. True when it was asked."""
    refuse_open_transaction()
    saved = SavedMethod.objects.select_related("provider_account").get(pk=saved_id)
    if saved.status not in _OPEN:
        SavedMethod.objects.filter(pk=saved_id).update(follow_up_at=None)
        return False
    conversation = Conversation(saved.provider_account, about=saved.public_id)
    question = FetchRequest(reference=saved.public_id, provider_reference=saved.provider_reference)
    state = _say(conversation, lambda provider: _fetch(provider, question))
    keep_calls(conversation)
    values = _next_question(saved)
    if state is None and values["follow_up_at"] is None:
        state = _given_up(saved)
    if state is not None:
        apply_state(saved_id, state, values)
    else:
        SavedMethod.objects.filter(pk=saved_id, status__in=_OPEN).update(**values)
    return True


def apply_saved_method_event(notice: Notice) -> Verdict:
    """What a provider's message says of a saved method. One that proves nothing only makes us ask."""
    state = notice.event.saved_method
    if state is None:
        return parked("It tells of a saved method without saying how it is.")
    saved = _find(notice, state)
    if saved is None:
        return parked(f"No saved method of this account has the reference {state.provider_reference[:100]}.")
    if notice.trust is not Trust.SIGNED:
        SavedMethod.objects.filter(pk=saved.pk, status__in=_OPEN).update(follow_up_at=clock.now())
        return APPLIED
    _, moved = apply_state(saved.pk, state)
    return APPLIED if moved else duplicate("It says what is known already.")


def apply_state(
    saved_id: uuid.UUID, state: SavedMethodState, values: Mapping[str, Any] | None = None
) -> tuple[SavedMethod, bool]:
    """Write what the provider says, with its event and audit entry, in one transaction. Whether it moved."""
    with transaction.atomic():
        saved = _locked(saved_id)
        before, target = saved.status, _M(state.status.value)
        moves = target in _MAY_BECOME[saved.status]
        changes = {**(values or {}), **_details(saved, state)}
        if moves:
            changes |= {"status": target, "updated_at": clock.now(), **_end_or_wait(state)}
        elif saved.status not in _OPEN:
            changes |= {"follow_up_at": None}
        batch = WriteBatch()
        if changes:
            batch.update(SavedMethod, saved.pk, changes)
            for name, value in changes.items():
                setattr(saved, name, value)
        if moves:
            _tell(batch, saved, before)
        batch.execute()
    return saved, moves


def represent_saved_method(saved: SavedMethod) -> dict[str, Any]:
    """A saved method as the API and events show it. Reads its customer."""
    failure = None
    if saved.failure_code:
        failure = {
            "code": saved.failure_code,
            "provider_code": saved.provider_failure_code,
            "message": saved.failure_message,
        }
    return {
        "id": saved.public_id,
        "object": "saved_method",
        "livemode": saved.livemode,
        "customer": saved.customer.public_id,
        "payment_method": saved.payment_method,
        "status": saved.status,
        "brand": saved.brand,
        "last4": saved.last4,
        "expires": saved.expires,
        "next_action": saved.next_action,
        "failure": failure,
        "created_at": represent_time(saved.created_at),
    }


def _choose_account(customer: Customer, method: str) -> ProviderAccount:
    registry = installed_providers()
    for account in candidate_accounts(store=customer.store, livemode=customer.livemode):
        provider = registry.get(account.provider) if account.provider in registry else None
        if provider and provider.info.method(method) and "save_method" in operations(provider):
            return account
    raise Invalid(
        "payment_method_not_saveable",
        f"This store has no active account that keeps {method[:32]!r} for later.",
        field="payment_method",
    )


def _start(customer: Customer, account: ProviderAccount, details: SavingDetails, request_key: str) -> SavedMethod:
    now = clock.now()
    saved = SavedMethod(
        id=ids.new_uuid(),
        customer=customer,
        provider_account=account,
        livemode=customer.livemode,
        payment_method=details.payment_method,
        follow_up_at=now + max(CALL_LEASE, timedelta(seconds=SCHEDULE[0])),
        request_key=request_key,
        created_at=now,
        updated_at=now,
    )
    with transaction.atomic():
        saved.save(force_insert=True)
    return saved


def _say(
    conversation: Conversation, question: Callable[[PaymentProvider], SavedMethodState]
) -> SavedMethodState | None:
    """The provider's answer; None when there is none, so that it is asked later."""
    refuse_open_transaction()
    try:
        return ask_provider(conversation, question)
    except InvalidPaymentData as problem:
        first = problem.violations[0]
        return _failed(first.code, first.message)
    except RequestRejected as problem:
        return _failed(problem.code or "request_rejected", str(problem))
    except (Paused, ProviderError) as problem:
        logger.warning("%s: %s", conversation.about, problem)
    except Exception:
        logger.exception("%s: the provider failed", conversation.about)
    return None


def _forget(provider: PaymentProvider, saved: SavedMethod) -> SavedMethodState:
    if not isinstance(provider, SupportsSavedMethods):
        raise RequestRejected("The provider package keeps no methods any more.", code="not_supported")
    return provider.forget_method(
        SavedMethodState(
            status=SavedMethodStatus.ACTIVE,
            provider_reference=saved.provider_reference or "",
            customer_reference=saved.customer_reference,
            method_reference=saved.method_reference,
            reference=saved.public_id,
        )
    )


def _fetch(provider: PaymentProvider, question: FetchRequest) -> SavedMethodState:
    if not isinstance(provider, SupportsSavedMethods):
        raise RequestRejected("The provider package keeps no methods any more.", code="not_supported")
    return provider.fetch_saved_method(question)


def _failed(provider_code: str, message: str) -> SavedMethodState:
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code=provider_code, message=message)
    return SavedMethodState(status=SavedMethodStatus.FAILED, provider_reference="", failure=failure)


def _given_up(saved: SavedMethod) -> SavedMethodState:
    failure = Failure(code=FailureCode.EXPIRED, provider_code="expired", message="The customer did not finish it.")
    reference = saved.provider_reference or ""
    return SavedMethodState(status=SavedMethodStatus.FAILED, provider_reference=reference, failure=failure)


def _next_question(saved: SavedMethod) -> dict[str, Any]:
    now = clock.now()
    due = (saved.created_at + timedelta(seconds=seconds) for seconds in SCHEDULE)
    return {"follow_up_at": next((at for at in due if at > now), None), "follow_up_count": saved.follow_up_count + 1}


def _known_reference(customer: Customer, account: ProviderAccount) -> str:
    """The provider's id of the customer, from a method saved before."""
    rows = customer.saved_methods.filter(provider_account=account).exclude(customer_reference="")
    return rows.order_by("-pk").values_list("customer_reference", flat=True).first() or ""


def _find(notice: Notice, state: SavedMethodState) -> SavedMethod | None:
    rows = SavedMethod.objects.filter(provider_account=notice.account)
    try:
        found = rows.filter(pk=SavedMethod.uuid_of(state.reference or notice.event.reference or "")).first()
    except ValueError:
        found = None
    return found or rows.filter(provider_reference=state.provider_reference[:128]).first()


def _locked(saved_id: uuid.UUID) -> SavedMethod:
    saved = SavedMethod.objects.select_for_update().get(pk=saved_id)
    saved.customer = Customer.objects.select_related("store").get(pk=saved.customer_id)
    return saved


def _details(saved: SavedMethod, state: SavedMethodState) -> dict[str, Any]:
    """What the answer adds to what we know. Nothing known is overwritten."""
    told = {
        "provider_reference": (state.provider_reference, 128),
        "customer_reference": (state.customer_reference, 128),
        "method_reference": (state.method_reference, 128),
        "brand": (state.brand, 32),
        "last4": (state.last4, 4),
        "expires": (state.expires, 7),
    }
    return {
        name: storable(value, length) for name, (value, length) in told.items() if value and not getattr(saved, name)
    }


def _end_or_wait(state: SavedMethodState) -> dict[str, Any]:
    values: dict[str, Any] = {"next_action": represent_action(state.next_action)}
    if state.status not in (SavedMethodStatus.PENDING, SavedMethodStatus.REQUIRES_ACTION):
        values["follow_up_at"] = None
    if state.status is SavedMethodStatus.ACTIVE:
        values |= {"failure_code": "", "provider_failure_code": "", "failure_message": ""}
    if state.failure is not None:
        values |= {
            "failure_code": state.failure.code.value,
            "provider_failure_code": storable(state.failure.provider_code, 64),
            "failure_message": storable(state.failure.message, 500),
        }
    return values


def _tell(batch: WriteBatch, saved: SavedMethod, before: str) -> None:
    store = saved.customer.store
    if saved.status not in _OPEN:
        batch.insert(
            build_event(
                store_id=store.pk,
                livemode=saved.livemode,
                type=_EVENTS[saved.status],
                object_id=saved.public_id,
                data={"saved_method": represent_saved_method(saved)},
            )
        )
    batch.insert(
        build_entry(
            action="saved_method.updated",
            object_id=saved.public_id,
            merchant_id=store.merchant_id,
            store_id=store.pk,
            changes={"status": [before, saved.status]},
        )
    )
