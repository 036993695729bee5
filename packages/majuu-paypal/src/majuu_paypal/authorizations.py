"""Money that is held: taken once, all or a part of it, or let go. PayPal holds it for 29 days, surely for 3."""

from __future__ import annotations

from typing import Any

from majuu_core.providers import FollowUpRequest, InvalidPaymentData, RequestRejected, Result, ResultStatus
from majuu_core.providers.http import Answer
from majuu_paypal import failures, mapping, orders
from majuu_paypal.answers import body_of, issue, issue_text, refusal
from majuu_paypal.client import PaypalClient, request_id
from majuu_paypal.currencies import amount_violations, read_money, write_money
from majuu_paypal.fields import path_part, text

PATH = "/v2/payments/authorizations"
_TAKEN_BEFORE = frozenset({"AUTHORIZATION_ALREADY_CAPTURED", "MAX_CAPTURE_COUNT_EXCEEDED"})


def capture(client: PaypalClient, request: FollowUpRequest) -> Result:
    """Take what is held, or ``request.amount`` of it and release the rest.

    Raises RequestRejected for more than is held: PayPal itself would take up to 115 %, the customer agreed to no more.
    """
    held = _held(client, request)
    body: dict[str, Any] = {"final_capture": True}
    if request.amount is not None:
        if violations := amount_violations(request.amount):
            raise InvalidPaymentData(*violations)
        limit = read_money(held.get("amount"))
        if limit is None or limit.currency != request.amount.currency or request.amount > limit:
            text_ = f"{limit} is held; {request.amount} cannot be taken."
            raise RequestRejected(text_, code="amount_too_large")
        body["amount"] = write_money(request.amount)
    path = f"{PATH}/{path_part(text(held, 'id'))}/capture"
    answer = client.post(
        path, body, operation="capture_authorization", request_id=request_id(request.idempotency_key, "capture")
    )
    if answer.status != 422:
        return mapping.captured_result(body_of(answer), order_id=request.provider_reference)
    return _capture_refused(client, request, answer)


def void(client: PaypalClient, request: FollowUpRequest) -> Result:
    """Let go of what is held: CANCELED, also when it was let go before."""
    held = _held(client, request)
    gone = Result(status=ResultStatus.CANCELED, provider_reference=request.provider_reference)
    if text(held, "status") == "VOIDED":
        return gone
    path = f"{PATH}/{path_part(text(held, 'id'))}/void"
    answer = client.post(
        path, None, operation="void_authorization", request_id=request_id(request.idempotency_key, "void")
    )
    if answer.status in {200, 204}:
        return gone
    if answer.status == 422 and issue(answer) in {"PREVIOUSLY_VOIDED", "AUTHORIZATION_VOIDED"}:
        return gone
    raise refusal(answer)


def _held(client: PaypalClient, request: FollowUpRequest) -> dict[str, Any]:
    """The order's authorization. Raises RequestRejected when there is none."""
    body = body_of(orders.look(client, request.provider_reference))
    found = orders.payments(body, "authorizations")
    if not found:
        raise RequestRejected("The order holds no money.", code="nothing_held")
    return found[-1]


def _capture_refused(client: PaypalClient, request: FollowUpRequest, answer: Answer) -> Result:
    found = issue(answer)
    if found in _TAKEN_BEFORE:
        return mapping.order_result(body_of(orders.look(client, request.provider_reference)))
    if found in failures.DECLINES:
        why = failures.failure(failures.DECLINES[found], found, issue_text(answer))
        return Result(status=ResultStatus.FAILED, failure=why, provider_reference=request.provider_reference)
    raise refusal(answer)
