"""Orders: made here, approved by the customer at PayPal, and then taken or held by one more call.

A decline when the approved order is taken ends this attempt. PayPal would let the customer choose another way to pay
in the same order; a new attempt does the same with a new order, and no old one can be paid behind our back.
"""

from __future__ import annotations

from datetime import timedelta

from majuu_core.common import clock
from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    OutcomeUnknown,
    PaymentRequest,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_core.providers.http import Answer
from majuu_paypal import failures, mapping
from majuu_paypal.answers import body_of, issue, issue_text, refusal
from majuu_paypal.client import PaypalClient, request_id
from majuu_paypal.fields import inside, is_ours, path_part, rows, text, written_at

PATH = "/v2/checkout/orders"
# When an order is certainly gone that nobody approved: what PayPal keeps it for, and an hour.
_GONE_AFTER = mapping.APPROVAL_TIME + timedelta(hours=1)
_LOOK_AGAIN = frozenset(
    {
        *("ORDER_ALREADY_CAPTURED", "ORDER_ALREADY_AUTHORIZED", "ORDER_COMPLETED_OR_VOIDED", "ORDER_NOT_APPROVED"),
        *("ORDER_COMPLETION_IN_PROGRESS", "MAX_AUTHORIZATION_COUNT_EXCEEDED"),
    }
)


def create(client: PaypalClient, request: PaymentRequest, *, intent: str, brand: str) -> Result:
    """Make the order, once for each idempotency key. REQUIRES_ACTION with PayPal's page, or what it says already."""
    if not request.return_url:
        raise RequestRejected("PayPal needs an address to send the customer back to.", code="return_url_missing")
    body = mapping.order_body(request, intent=intent, brand=brand)
    answer = client.post(PATH, body, operation="create_order", request_id=request_id(request.idempotency_key))
    result = mapping.order_result(body_of(answer))
    if result.provider_reference is None:
        raise OutcomeUnknown("PayPal's answer names no order")
    return result


def fetch(client: PaypalClient, request: FetchRequest) -> Result:
    """What the order says. Without its id UNKNOWN: PayPal does not look up by our reference; the order is made again
    under the same key instead. CANCELED when PayPal has forgotten an order that is too old to be approved."""
    if not request.provider_reference:
        return Result(status=ResultStatus.UNKNOWN)
    answer = look(client, request.provider_reference)
    if answer.status == 404:
        made_at = written_at("ch", request.reference)
        gone = made_at is not None and clock.now() - made_at > _GONE_AFTER
        return Result(status=ResultStatus.CANCELED if gone else ResultStatus.UNKNOWN)
    body = body_of(answer)
    unit = next(iter(rows(body, "purchase_units")), None)
    named = text(unit, "custom_id")
    if named != request.reference and is_ours("ch", named):
        return Result(status=ResultStatus.UNKNOWN)  # another charge's order
    return mapping.order_result(body)


def complete(client: PaypalClient, request: FollowUpRequest) -> Result:
    """Take or hold the money of an approved order, as its own intent says; for any other order what it says."""
    path = f"{PATH}/{path_part(request.provider_reference)}"
    body = body_of(look(client, request.provider_reference))
    now = mapping.order_result(body)
    if not now.needs_completion:
        return now
    action = "authorize" if text(body, "intent") == mapping.AUTHORIZE else "capture"
    answer = client.post(
        f"{path}/{action}", {}, operation=f"{action}_order", request_id=request_id(request.idempotency_key, action)
    )
    if answer.status != 422:
        return mapping.order_result(body_of(answer))
    return _refused(client, request, now, answer)


def look(client: PaypalClient, order_id: str) -> Answer:
    """Ask for an order."""
    return client.get(f"{PATH}/{path_part(order_id)}", operation="fetch_order")


def _refused(client: PaypalClient, request: FollowUpRequest, order: Result, answer: Answer) -> Result:
    """What a refusal to take an approved order means."""
    found = issue(answer)
    if found in failures.DECLINES:
        why = failures.failure(failures.DECLINES[found], found, issue_text(answer))
        return Result(
            status=ResultStatus.FAILED,
            failure=why,
            provider_reference=order.provider_reference,
            amount=order.amount,
            payer=order.payer,
            raw=order.raw,
        )
    url = mapping.approval_link(answer.json())
    if found == "PAYER_ACTION_REQUIRED" and url:
        return Result(
            status=ResultStatus.REQUIRES_ACTION,
            next_action=mapping.redirect(url, clock.now()),
            provider_reference=order.provider_reference,
            amount=order.amount,
            raw=order.raw,
        )
    if found in _LOOK_AGAIN:
        return mapping.order_result(body_of(look(client, request.provider_reference)))
    raise refusal(answer)


def only_unit(body: object) -> object:
    """The one purchase unit that our orders have."""
    return next(iter(rows(body, "purchase_units")), {})


def payments(body: object, kind: str) -> list[dict[str, object]]:
    """The captures or authorizations of an order, oldest first."""
    return [dict(row) for row in rows(inside(only_unit(body), "payments"), kind)]
