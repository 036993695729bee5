"""Refunds: giving money back, and seeing beforehand which way it would go."""

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
from majuu_core.api.v1.refunds_schemas import RefundIn, RefundListOut, RefundOut, RefundPlanOut
from majuu_core.common.money import format_amount, parse_amount
from majuu_core.merchants.api_keys import KeyIdentity
from majuu_core.payments.charges import get_charge
from majuu_core.payments.intents import get_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent, Refund
from majuu_core.payments.refund_planner import RefundPlan
from majuu_core.payments.refunds import RefundDetails, create_refund, get_refund, plan_refund
from majuu_core.payments.representation import represent_refund
from majuu_core.providers import RefundRoute

router = Router(tags=["Refunds"])
plan_router = Router(tags=["Refunds"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


@router.post(
    "",
    response={201: RefundOut | RefundListOut, **_PROBLEMS},
    operation_id="create_refund",
    summary="Give money back",
    url_name="refunds",
)
def create(request: HttpRequest, body: RefundIn) -> HttpResponse:
    """Refund a charge, or an intent's charges: the answer is a list then, one refund for each charge.

    Send an Idempotency-Key. ``pending`` and ``unknown``: wait for the webhook; the amount counts as refunded until the
    refund has failed. A failure names the way that is still open, in its message; nothing else is tried unasked.
    """
    caller = require(request, "refunds:write")

    def work(request_key: str) -> tuple[int, Any]:
        made = create_refund(
            store=store_of(caller), livemode=caller.livemode, details=_details(caller, body), request_key=request_key
        )
        shown = [represent_refund(refund) for refund in made]
        if body.charge:
            return 201, shown[0]
        return 201, {"object": "list", "data": shown, "has_more": False, "next_cursor": None}

    with acting(request):
        return run_once(request, caller, work)


@router.get(
    "",
    response={200: Page[RefundOut], **_PROBLEMS},
    operation_id="list_refunds",
    summary="List refunds",
    url_name="refunds",
)
def list_refunds(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    charge: str | None = Query(None, description="Only refunds of this charge."),
    payment_intent: str | None = Query(None, description="Only refunds of this intent's charges."),
    status: str | None = Query(None, description="Only this status."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "refunds:read")
    rows = Refund.objects.select_related("charge__payment_intent").filter(
        store_id=caller.store_id, livemode=caller.livemode
    )
    if charge is not None:
        rows = rows.filter(charge=_charge(caller, charge))
    if payment_intent is not None:
        rows = rows.filter(charge__payment_intent=_intent(caller, payment_intent))
    if status is not None:
        rows = rows.filter(status=status)
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=represent_refund))


@router.get(
    "/{refund_id}",
    response={200: RefundOut, **_PROBLEMS},
    operation_id="get_refund",
    summary="Retrieve a refund",
    url_name="refund",
)
def retrieve(request: HttpRequest, refund_id: str) -> HttpResponse:
    """One return of money."""
    caller = require(request, "refunds:read")
    refund = get_refund(store_id=caller.store_id, livemode=caller.livemode, public_id=refund_id)
    return json_response(request, 200, represent_refund(refund))


@plan_router.get(
    "/{charge_id}/refund-plan",
    response={200: RefundPlanOut, **_PROBLEMS},
    operation_id="get_refund_plan",
    summary="Plan a refund",
    url_name="refund_plan",
)
def plan(
    request: HttpRequest,
    charge_id: str,
    amount: str | None = Query(None, description="Default: all that remains."),
    method: str = Query("", max_length=32, description="Plan this way. Default: the first that is open."),
) -> HttpResponse:
    """Which way the money would go and why, which ways are closed and why, and what must be given. Changes nothing."""
    caller = require(request, "refunds:read")
    charge = _charge(caller, charge_id)
    wanted = None if amount is None else parse_amount(amount, charge.currency)
    return json_response(request, 200, represent_plan(charge, plan_refund(charge=charge, amount=wanted, method=method)))


def represent_plan(charge: Charge, made: RefundPlan) -> dict[str, Any]:
    """A plan as the API shows it."""
    return {
        "object": "refund_plan",
        "charge": charge.public_id,
        "amount": format_amount(made.amount),
        "refundable": format_amount(made.refundable),
        "currency": made.amount.currency.code,
        "chosen": _represent_route(made.chosen) if made.chosen else None,
        "alternatives": [_represent_route(route) for route in made.alternatives],
        "rejected": [_represent_route(route) for route in made.rejected],
        "destination": dict(made.destination),
        "missing": list(made.missing),
        "sources": [
            {"account": source.account, "amount": format_amount(source.amount), "reason": source.reason}
            for source in made.sources
        ],
        "notes": list(made.notes),
    }


def _represent_route(route: RefundRoute) -> dict[str, Any]:
    return {
        "method": route.method,
        "open": route.possible,
        "reason": route.reason,
        "books_as": route.books_as,
        "needs": list(route.needs),
    }


def _details(caller: KeyIdentity, body: RefundIn) -> RefundDetails:
    return RefundDetails(
        charge=body.charge,
        payment_intent=body.payment_intent,
        amount=None if body.amount is None else parse_amount(body.amount, _currency(caller, body)),
        reason=body.reason,
        method=body.method,
        destination=body.destination,
        metadata=body.metadata,
    )


def _currency(caller: KeyIdentity, body: RefundIn) -> str:
    """Of what is refunded: amounts are in it."""
    return _charge(caller, body.charge).currency if body.charge else _intent(caller, body.payment_intent).currency


def _charge(caller: KeyIdentity, public_id: str) -> Charge:
    return get_charge(store_id=caller.store_id, livemode=caller.livemode, public_id=public_id)


def _intent(caller: KeyIdentity, public_id: str) -> PaymentIntent:
    return get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=public_id)
