"""Giving money back: any part of a capture, any number of times, for 180 days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_paypal import failures, mapping, orders
from majuu_paypal.answers import body_of, issue, issue_text
from majuu_paypal.client import PaypalClient, request_id
from majuu_paypal.currencies import amount_violations, read_money, write_money
from majuu_paypal.fields import inside, moment, path_part, shown, text

CAPTURES, REFUNDS = "/v2/payments/captures", "/v2/payments/refunds"
WINDOW_DAYS = 180
_LONGEST_NOTE = 255
_S = ResultStatus
_STATUS = {"COMPLETED": _S.SUCCEEDED, "PENDING": _S.PENDING, "CANCELLED": _S.CANCELED, "FAILED": _S.FAILED}


def refund(client: PaypalClient, request: FollowUpRequest) -> Result:
    """Give back ``request.amount``, or all that is left, once for each idempotency key.

    FAILED when PayPal will not (no money on the account, too late, disputed). Raises RequestRejected for what cannot
    be: more than is left, another currency, a payment that took nothing.
    """
    if request.amount is not None and (violations := amount_violations(request.amount)):
        raise InvalidPaymentData(*violations)
    capture_id = request.receipt or _capture_of(client, request.provider_reference)
    body: dict[str, Any] = {
        "custom_id": request.reference,
        "invoice_id": mapping.invoice_id("", request.reference),
    }
    if request.amount is not None:
        body["amount"] = write_money(request.amount)
    if note := mapping.note(request.reason, _LONGEST_NOTE):
        body["note_to_payer"] = note
    path = f"{CAPTURES}/{path_part(capture_id)}/refund"
    answer = client.post(path, body, operation="refund", request_id=request_id(request.idempotency_key))
    found = issue(answer) if answer.status == 422 else ""
    if found in failures.REFUND_DECLINES:
        why = failures.failure(failures.REFUND_DECLINES[found], found, issue_text(answer))
        return Result(status=_S.FAILED, failure=why)
    return refund_result(body_of(answer))


def fetch(client: PaypalClient, request: FetchRequest) -> Result:
    """What the refund says. Without its id UNKNOWN: it is sent again under the same key instead."""
    if not request.provider_reference:
        return Result(status=_S.UNKNOWN)
    answer = client.get(f"{REFUNDS}/{path_part(request.provider_reference)}", operation="fetch_refund")
    if answer.status == 404:
        return Result(status=_S.UNKNOWN)
    return refund_result(body_of(answer))


def refund_result(body: Mapping[str, Any]) -> Result:
    """What a refund says."""
    status = _STATUS.get(text(body, "status"), _S.UNKNOWN)
    why = text(body, "status_details", "reason") or "FAILED"
    return Result(
        status=status,
        provider_reference=text(body, "id") or None,
        receipt=text(body, "id") or None,
        amount=read_money(inside(body, "amount")),
        failure=_failure(why) if status is _S.FAILED else None,
        occurred_at=moment(body, "update_time") or moment(body, "create_time"),
        raw=shown(body),
    )


def _failure(why: str) -> Failure:
    return failures.failure(FailureCode.PROCESSING_ERROR, why, f"PayPal could not give the money back ({why}).")


def _capture_of(client: PaypalClient, order_id: str) -> str:
    """The capture of an order. Raises RequestRejected when it took no money."""
    if order_id:
        result = mapping.order_result(body_of(orders.look(client, order_id)))
        if result.status is _S.SUCCEEDED and result.receipt:
            return result.receipt
    raise RequestRejected("The payment took no money that could be given back.", code="nothing_captured")


def charge_of_capture(client: PaypalClient, capture_id: str) -> str:
    """The ``custom_id`` of a capture; "" where PayPal has none."""
    answer = client.get(f"{CAPTURES}/{path_part(capture_id)}", operation="fetch_capture")
    return "" if answer.status == 404 else text(body_of(answer), "custom_id")
