"""Payment intents: what customers owe the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require, store_of
from majuu_core.api.idempotency import identity_of, replay_or_conflict, run_once
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response, raw_json_response
from majuu_core.api.schemas import (
    CancelIn,
    CaptureIn,
    ConfirmIn,
    Page,
    PaymentIntentIn,
    PaymentIntentOut,
    ProblemOut,
    lifetime_of,
)
from majuu_core.common.money import parse_amount
from majuu_core.common.problems import Invalid
from majuu_core.idempotency.models import IdempotencyKey
from majuu_core.idempotency.services import RequestIdentity, build_finished
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.payments.addresses import payment_url
from majuu_core.payments.captures import capture_payment_intent
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.intents import (
    AlreadyRequested,
    IntentDetails,
    cancel_payment_intent,
    create_payment_intent,
    get_payment_intent,
)
from majuu_core.payments.models import Charge, PaymentIntent, SavedMethod
from majuu_core.payments.representation import represent_charge, represent_intent
from majuu_core.payments.saved_methods import usable_method

router = Router(tags=["Payment intents"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


def represent(intent: PaymentIntent, charge: Charge | None = None) -> dict[str, Any]:
    """The intent with its latest charge, as every answer shows it."""
    shown = represent_intent(intent, payment_url=payment_url(intent))
    shown["latest_charge"] = represent_charge(charge, intent_id=shown["id"]) if charge else None
    return shown


@router.post(
    "",
    response={201: PaymentIntentOut, **_PROBLEMS},
    operation_id="create_payment_intent",
    summary="Create a payment intent",
    url_name="payment_intents",
)
def create(request: HttpRequest, body: PaymentIntentIn) -> HttpResponse:
    """Say what a customer owes. Send an Idempotency-Key: the same key and body give the same intent."""
    caller = require(request, "payments:write")
    identity = identity_of(request, caller)
    details = _details(body)
    answer: list[bytes] = []

    def guard(shown: Mapping[str, Any], identity: RequestIdentity) -> IdempotencyKey:
        answer.append(orjson.dumps({**shown, "latest_charge": None}))
        return build_finished(identity, status=201, body=answer[0].decode())

    try:
        with acting(request):
            intent = create_payment_intent(
                store=store_of(caller),
                livemode=caller.livemode,
                details=details,
                guard=None if identity is None else lambda shown: guard(shown, identity),
            )
    except AlreadyRequested:
        assert identity is not None  # noqa: S101 - only a guard raises it
        return replay_or_conflict(request, identity)
    return raw_json_response(request, 201, answer[0] if answer else orjson.dumps(represent(intent)))


@router.get(
    "",
    response={200: Page[PaymentIntentOut], **_PROBLEMS},
    operation_id="list_payment_intents",
    summary="List payment intents",
    url_name="payment_intents",
)
def list_intents(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    status: str | None = Query(None, description="Only this status."),
    reference: str | None = Query(None, description="Only this order number."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "payments:read")
    rows = PaymentIntent.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    if status is not None:
        rows = rows.filter(status=status)
    if reference is not None:
        rows = rows.filter(reference=reference)
    page = paginate(rows, limit=limit, cursor=cursor, represent=lambda intent: intent)  # type: ignore[arg-type,return-value]
    latest = _latest_charges(page["data"])
    page["data"] = [represent(intent, latest.get(intent.pk)) for intent in page["data"]]
    return json_response(request, 200, page)


@router.get(
    "/{payment_intent_id}",
    response={200: PaymentIntentOut, **_PROBLEMS},
    operation_id="get_payment_intent",
    summary="Retrieve a payment intent",
    url_name="payment_intent",
)
def retrieve(request: HttpRequest, payment_intent_id: str) -> HttpResponse:
    """One payment intent with its latest charge."""
    caller = require(request, "payments:read")
    intent = get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=payment_intent_id)
    return json_response(request, 200, represent(intent, _latest_charges([intent]).get(intent.pk)))


@router.post(
    "/{payment_intent_id}/confirm",
    response={200: PaymentIntentOut, **_PROBLEMS},
    operation_id="confirm_payment_intent",
    summary="Start a payment",
    url_name="payment_intent_confirm",
)
def confirm(request: HttpRequest, payment_intent_id: str, body: ConfirmIn) -> HttpResponse:
    """Charge the customer by a payment method. The answer's status says what happens next.

    ``requires_action``: the customer must do what ``latest_charge.next_action`` says. ``processing``: wait for the
    webhook. Never send another confirm while a charge is open: it is refused.
    """
    caller = require(request, "payments:write")

    def work(request_key: str) -> tuple[int, Any]:
        intent = get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=payment_intent_id)
        saved = _saved_method(caller, body)
        choice = PaymentChoice(
            payment_method=saved.payment_method if saved else body.payment_method,
            saved_method=saved,
            customer_present=not body.off_session,
            payment_method_data=body.payment_method_data,
            amount=None if body.amount is None else parse_amount(body.amount, intent.currency),
            return_url=body.return_url,
        )
        return 200, represent(*confirm_payment_intent(intent=intent, choice=choice, request_key=request_key))

    with acting(request):
        return run_once(request, caller, work)


@router.post(
    "/{payment_intent_id}/capture",
    response={200: PaymentIntentOut, **_PROBLEMS},
    operation_id="capture_payment_intent",
    summary="Capture authorized money",
    url_name="payment_intent_capture",
)
def capture(request: HttpRequest, payment_intent_id: str, body: CaptureIn | None = None) -> HttpResponse:
    """Take the money an intent with ``capture_method`` manual holds, all of it or a part. What a part leaves is let go.

    ``succeeded``: it is taken. ``requires_capture``: look at ``latest_charge``. With ``amount_to_capture`` the
    provider's answer is not there yet: wait for the webhook. With ``failure`` nothing was taken; it may be tried again.
    """
    caller = require(request, "payments:write")

    def work(request_key: str) -> tuple[int, Any]:
        intent = get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=payment_intent_id)
        wanted = None if body is None or body.amount is None else parse_amount(body.amount, intent.currency)
        return 200, represent(*capture_payment_intent(intent=intent, amount=wanted, request_key=request_key))

    with acting(request):
        return run_once(request, caller, work)


@router.post(
    "/{payment_intent_id}/cancel",
    response={200: PaymentIntentOut, **_PROBLEMS},
    operation_id="cancel_payment_intent",
    summary="Cancel a payment intent",
    url_name="payment_intent_cancel",
)
def cancel(request: HttpRequest, payment_intent_id: str, body: CancelIn | None = None) -> HttpResponse:
    """Stop taking money for it, and let authorized money go. Money that comes all the same is booked, never ignored.

    ``requires_capture`` in the answer: the provider has not confirmed that it let the money go, or it refused to; then
    ``latest_charge.failure`` says why.
    """
    caller = require(request, "payments:write")

    def work(_: str) -> tuple[int, Any]:
        intent = get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=payment_intent_id)
        canceled = cancel_payment_intent(intent=intent, reason=(body or CancelIn()).reason)
        return 200, represent(canceled, _latest_charges([canceled]).get(canceled.pk))

    with acting(request):
        return run_once(request, caller, work)


def _saved_method(caller: KeyIdentity, body: ConfirmIn) -> SavedMethod | None:
    if bool(body.saved_method) is bool(body.payment_method):
        raise Invalid("payment_method_missing", "Name a payment_method or a saved_method.", field="payment_method")
    if not body.saved_method:
        return None
    return usable_method(store_id=caller.store_id, livemode=caller.livemode, public_id=body.saved_method)


def _details(body: PaymentIntentIn) -> IntentDetails:
    return IntentDetails(
        amount=parse_amount(body.amount, body.currency),
        capture_method=body.capture_method,
        payment_methods=body.payment_methods,
        reference=body.reference,
        description=body.description,
        customer_email=body.customer_email,
        customer_phone=body.customer_phone,
        metadata=body.metadata,
        return_url=body.return_url,
        lifetime=lifetime_of(body.expires_in),
    )


def _latest_charges(intents: list[PaymentIntent]) -> dict[Any, Charge]:
    """The newest charge of each intent, in one query."""
    by_key = {intent.pk: intent for intent in intents}
    latest = {}
    for charge in Charge.objects.filter(payment_intent_id__in=by_key).order_by("pk"):
        charge.payment_intent = by_key[charge.payment_intent_id]
        latest[charge.payment_intent_id] = charge
    return latest
