"""Incoming payments: money that arrived without a payment intent, and claims to it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import acting, require, store_of
from majuu_core.api.idempotency import run_once
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import Page, ProblemOut
from majuu_core.api.v1.incoming_payments_schemas import ClaimIn, ClaimOut, IncomingPaymentOut, ReceiptOut
from majuu_core.common.problems import Conflict, NotFound
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.payments.claims import ClaimRequest, claim_incoming
from majuu_core.payments.incoming_shown import represent_claim, represent_incoming
from majuu_core.payments.models import IncomingPayment
from majuu_core.payments.receipt_guesses import check_guesses, count_wrong_guess
from majuu_core.payments.receipts import verify_receipt

router = Router(tags=["Incoming payments"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 422: ProblemOut, 429: ProblemOut}


@router.get(
    "",
    response={200: Page[IncomingPaymentOut], **_PROBLEMS},
    operation_id="list_incoming_payments",
    summary="List incoming payments",
    url_name="incoming_payments",
)
def list_incoming(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    ownership: str | None = Query(None, description="Only unclaimed, claimed, or charge."),
) -> HttpResponse:
    """The store's own, newest first: what it claimed, and what was sent to it and waits to be claimed."""
    caller = require(request, "incoming:read")
    rows = IncomingPayment.objects.filter(store_id=caller.store_id, livemode=caller.livemode)
    if ownership is not None:
        rows = rows.filter(ownership=ownership)
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=represent_incoming))


@router.get(
    "/verify",
    response={200: ReceiptOut, **_PROBLEMS},
    operation_id="verify_receipt",
    summary="Verify a receipt",
    url_name="incoming_payment_verify",
)
def verify(
    request: HttpRequest,
    receipt: str | None = Query(None, max_length=64, description="The receipt number the customer shows."),
    external_reference: str | None = Query(None, max_length=64, description="Or the account number the payer typed."),
) -> HttpResponse:
    """Is this receipt real, and is it still free? ``available`` means: claim it. Nothing is changed."""
    caller = require(request, "incoming:read")
    check_guesses(store_id=caller.store_id, livemode=caller.livemode)
    found = verify_receipt(
        store=store_of(caller), livemode=caller.livemode, receipt=receipt, external_reference=external_reference
    )
    if found["state"] in ("unknown", "taken"):
        _count_wrong_guess(caller, receipt or external_reference or "")
    return json_response(request, 200, found)


@router.post(
    "/claim",
    response={200: ClaimOut, **_PROBLEMS, 409: ProblemOut},
    operation_id="claim_incoming_payment",
    summary="Claim a receipt",
    url_name="incoming_payment_claim",
)
def claim(request: HttpRequest, body: ClaimIn) -> HttpResponse:
    """Make the money of a receipt yours, for one purpose. Exactly one claim of a receipt succeeds, ever.

    With ``payment_intent`` the money pays that intent. The receipt of one of your own charges is marked as used, so
    that it cannot pay for a second order. The same claim again gets the same answer; any other one gets 409.
    """
    caller = require(request, "incoming:write")
    wanted = ClaimRequest(receipt=body.receipt, reference=body.reference, payment_intent=body.payment_intent or "")

    def work(request_key: str) -> tuple[int, Any]:
        check_guesses(store_id=caller.store_id, livemode=caller.livemode)
        # Safe to repeat by itself, so a refusal's side effects (hurrying a question) may stay.
        try:
            made = claim_incoming(store=store_of(caller), livemode=caller.livemode, request=wanted)
        except (NotFound, Conflict) as problem:
            if problem.code in ("receipt_not_found", "incoming_payment_claimed"):
                _count_wrong_guess(caller, body.receipt)
            raise
        return 200, represent_claim(made)

    with acting(request):
        return run_once(request, caller, work)


@router.get(
    "/{incoming_payment_id}",
    response={200: IncomingPaymentOut, **_PROBLEMS},
    operation_id="get_incoming_payment",
    summary="Retrieve an incoming payment",
    url_name="incoming_payment",
)
def retrieve(request: HttpRequest, incoming_payment_id: str) -> HttpResponse:
    """One incoming payment of the store."""
    caller = require(request, "incoming:read")
    try:
        key = IncomingPayment.uuid_of(incoming_payment_id)
        row = IncomingPayment.objects.get(pk=key, store_id=caller.store_id, livemode=caller.livemode)
    except (ValueError, IncomingPayment.DoesNotExist):
        text = "There is no such incoming payment in this store and mode."
        raise NotFound("incoming_payment_not_found", text) from None
    return json_response(request, 200, represent_incoming(row))


def _count_wrong_guess(caller: KeyIdentity, receipt: str) -> None:
    count_wrong_guess(store_id=caller.store_id, livemode=caller.livemode, receipt=receipt)
