"""What people paid, whatever the store: for themselves, by an access token."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from ninja.params.functions import Query

from majuu_core.accounts.profiles import proved_contacts
from majuu_core.api.pagination import paginate
from majuu_core.api.responses import json_response
from majuu_core.api.schemas import Page, ProblemOut
from majuu_core.api.user_auth import UserBearer, person
from majuu_core.payments.own_payments import payments_of, represent_own_payment

router = Router(tags=["User"], auth=UserBearer())


class UserReceiptOut(Schema):
    receipt: str | None
    payment_method: str
    amount: str
    currency: str
    paid_at: str


class UserPaymentOut(Schema):
    object: Literal["user_payment"]
    id: str
    store: str
    amount: str
    amount_paid: str
    amount_refunded: str
    currency: str
    status: str
    refund_status: Literal["none", "partially_refunded", "refunded"]
    payment_method: str | None
    receipts: list[UserReceiptOut]
    created_at: str
    paid_at: str | None


@router.get(
    "",
    response={200: Page[UserPaymentOut], 401: ProblemOut, 422: ProblemOut, 429: ProblemOut},
    operation_id="list_user_payments",
    summary="List one's payments",
    url_name="user_payments",
)
def payments(
    request: HttpRequest,
    limit: int = Query(20, description="1 to 100."),
    cursor: str | None = Query(None, description="The next_cursor of the page before."),
    status: str | None = Query(None, description="Only this status."),
) -> HttpResponse:
    """Live payments of all stores made out to one's verified addresses or verified phone number, newest first."""
    emails, phone = proved_contacts(person(request).user)
    rows = payments_of(emails=emails, phone=phone)
    if status is not None:
        rows = rows.filter(status=status)
    return json_response(request, 200, paginate(rows, limit=limit, cursor=cursor, represent=represent_own_payment))
