"""Charges: every attempt to pay an intent."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from majuu_core.api.auth import require
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import ChargeOut, Page, ProblemOut
from majuu_core.payments.charges import get_charge
from majuu_core.payments.intents import get_payment_intent
from majuu_core.payments.models import Charge
from majuu_core.payments.representation import represent_charge

router = Router(tags=["Charges"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 422: ProblemOut}


def _represent(charge: Charge) -> dict[str, Any]:
    return represent_charge(charge, intent_id=charge.payment_intent.public_id)


@router.get(
    "",
    response={200: Page[ChargeOut], **_PROBLEMS},
    operation_id="list_charges",
    summary="List charges",
    url_name="charges",
)
def list_charges(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    payment_intent: str | None = Query(None, description="Only charges of this intent."),
) -> HttpResponse:
    """Newest first."""
    caller = require(request, "payments:read")
    rows = Charge.objects.select_related("payment_intent").filter(
        payment_intent__store_id=caller.store_id, livemode=caller.livemode
    )
    if payment_intent is not None:
        rows = rows.filter(
            payment_intent=get_payment_intent(
                store_id=caller.store_id, livemode=caller.livemode, public_id=payment_intent
            )
        )
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=_represent))


@router.get(
    "/{charge_id}",
    response={200: ChargeOut, **_PROBLEMS},
    operation_id="get_charge",
    summary="Retrieve a charge",
    url_name="charge",
)
def retrieve(request: HttpRequest, charge_id: str) -> HttpResponse:
    """One attempt to pay."""
    caller = require(request, "payments:read")
    charge = get_charge(store_id=caller.store_id, livemode=caller.livemode, public_id=charge_id)
    return json_response(request, 200, _represent(charge))
