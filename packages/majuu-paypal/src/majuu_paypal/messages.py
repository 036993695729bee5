"""What PayPal's messages say. Those about other shops' payments on the same account hold nothing for us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_core.common import clock
from majuu_core.providers import (
    FetchRequest,
    ProviderError,
    ProviderEvent,
    Result,
    ResultStatus,
    WebhookRejected,
    WebhookRequest,
)
from majuu_paypal import disputes, mapping, payouts, refunds
from majuu_paypal.client import PaypalClient
from majuu_paypal.fields import inside, is_ours, last_part, link, moment, rows, shown, text

# What a webhook at PayPal has to be subscribed to; self_checks compares.
NEEDED_EVENTS: tuple[str, ...] = (
    "CHECKOUT.ORDER.APPROVED",
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
    *(f"PAYMENT.AUTHORIZATION.{what}" for what in ("CREATED", "VOIDED")),
    *(f"PAYMENT.CAPTURE.{what}" for what in ("COMPLETED", "DENIED", "DECLINED", "PENDING", "REFUNDED", "REVERSED")),
    *(f"PAYMENT.REFUND.{what}" for what in ("PENDING", "FAILED")),
    *(f"CUSTOMER.DISPUTE.{what}" for what in ("CREATED", "UPDATED", "RESOLVED")),
    *(
        f"PAYMENT.PAYOUTS-ITEM.{what}"
        for what in (
            *("SUCCEEDED", "FAILED", "BLOCKED", "DENIED", "HELD", "RETURNED", "REFUNDED", "UNCLAIMED", "CANCELED"),
        )
    ),
)
_PAYMENT, _REFUND, _PAYOUT, _DISPUTE = "payment.updated", "refund.updated", "payout.updated", "dispute.updated"


@dataclass(frozen=True, slots=True)
class Message:
    """One message, read as far as all of them are alike."""

    id: str
    type: str
    at: datetime
    resource: Mapping[str, Any]

    def event(self, kind: str, *, reference: str | None, provider_reference: str, result: Result) -> ProviderEvent:
        """The event that it is for us."""
        return ProviderEvent(
            event_id=self.id,
            type=kind,
            reference=reference,
            provider_reference=provider_reference,
            result=result,
            occurred_at=self.at,
        )


def read_events(request: WebhookRequest, client: PaypalClient) -> list[ProviderEvent]:
    """The one event of a message; none for one that is not about anything of ours. Raises WebhookRejected for rubbish.

    PayPal is asked where a message does not say enough: about a refund made in its dashboard, a reversal, or a dispute
    told in short. When it cannot be asked the message is refused: PayPal sends it again for three days.
    """
    message = _read(request.body)
    try:
        event = _event(message, client)
    except ProviderError as problem:
        raise WebhookRejected(f"PayPal could not be asked what the message is about: {problem}") from problem
    return [event] if event else []


def _event(message: Message, client: PaypalClient) -> ProviderEvent | None:
    kind = message.type
    if kind == "PAYMENT.CAPTURE.REVERSED":
        return _reversal(message, client)
    if kind == "PAYMENT.CAPTURE.REFUNDED" or kind.startswith("PAYMENT.REFUND."):
        return _refund(message, client)
    if kind.startswith(("PAYMENT.CAPTURE.", "PAYMENT.AUTHORIZATION.")):
        return _payment(message)
    if kind.startswith(("CHECKOUT.ORDER.", "CHECKOUT.PAYMENT-APPROVAL.")):
        return _order(message)
    if kind.startswith("PAYMENT.PAYOUTS-ITEM."):
        return _payout(message)
    if kind.startswith("CUSTOMER.DISPUTE."):
        return _dispute(message, client)
    return None


def _read(body: bytes) -> Message:
    try:
        found = json.loads(body, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise WebhookRejected("the message is no JSON") from None
    event_id, kind, resource = text(found, "id"), text(found, "event_type"), inside(found, "resource")
    if not event_id or not kind or not isinstance(resource, Mapping):
        raise WebhookRejected("the message lacks its id, its event_type or its resource")
    return Message(event_id, kind, moment(found, "create_time") or clock.now(), resource)


def _payment(message: Message) -> ProviderEvent | None:
    """Of a capture or an authorization."""
    resource = message.resource
    reference = text(resource, "custom_id")
    if not is_ours("ch", reference):
        return None
    order_id = text(resource, "supplementary_data", "related_ids", "order_id") or None
    read = mapping.captured_result if message.type.startswith("PAYMENT.CAPTURE.") else mapping.authorization_result
    result = read(resource, order_id=order_id)
    return message.event(
        _PAYMENT, reference=reference, provider_reference=order_id or text(resource, "id"), result=result
    )


def _order(message: Message) -> ProviderEvent | None:
    """Of an order: above all that the customer approved it."""
    resource = message.resource
    reference = text(next(iter(rows(resource, "purchase_units")), None), "custom_id")
    if not is_ours("ch", reference):
        return None
    order_id = text(resource, "id") or text(resource, "order_id")
    if message.type.startswith("CHECKOUT.PAYMENT-APPROVAL."):  # approved, and never taken: PayPal lets it go
        result = Result(status=ResultStatus.CANCELED, provider_reference=order_id or None)
    else:
        result = mapping.order_result(resource)
    return message.event(_PAYMENT, reference=reference, provider_reference=order_id, result=result)


def _refund(message: Message, client: PaypalClient) -> ProviderEvent | None:
    """Of a refund: ours carries our id, one made at PayPal is told under the charge it is of."""
    resource = message.resource
    custom = text(resource, "custom_id")
    if not custom:
        capture_id = last_part(link(resource, "up"))
        custom = refunds.charge_of_capture(client, capture_id) if capture_id else ""
    if not (is_ours("re", custom) or is_ours("ch", custom)):
        return None
    result = refunds.refund_result(resource)
    return message.event(_REFUND, reference=custom, provider_reference=text(resource, "id"), result=result)


def _reversal(message: Message, client: PaypalClient) -> ProviderEvent | None:
    """Of money that PayPal or a bank took back. With a dispute it is told and booked as that; one without is left to a
    person: core books no refund whose amount it is not told."""
    resource = message.resource
    reference = text(resource, "custom_id")
    if not is_ours("ch", reference):
        return None
    keys = (last_part(link(resource, "up")), text(resource, "id"))
    if any(disputes.has_any(client, key) for key in keys if key):
        return None
    result = Result(status=ResultStatus.SUCCEEDED, raw=shown(resource))
    return message.event(_REFUND, reference=reference, provider_reference=text(resource, "id"), result=result)


def _payout(message: Message) -> ProviderEvent | None:
    resource = message.resource
    reference = text(resource, "payout_item", "sender_item_id") or text(resource, "sender_batch_id")
    if not is_ours("po", reference):
        return None
    batch_id = text(resource, "payout_batch_id")
    result = payouts.item_result(resource, batch_id=batch_id or None)
    return message.event(_PAYOUT, reference=reference, provider_reference=batch_id, result=result)


def _dispute(message: Message, client: PaypalClient) -> ProviderEvent | None:
    resource = message.resource
    dispute_id = text(resource, "dispute_id")
    if disputes.is_foreign(resource) or not dispute_id:
        return None
    state = disputes.state_of(resource)
    if state is None:
        state = disputes.fetch(client, FetchRequest(reference="", provider_reference=dispute_id))
        if disputes.is_foreign(state.raw):
            return None
    return ProviderEvent(
        event_id=message.id,
        type=_DISPUTE,
        reference=state.charge_reference or None,
        provider_reference=dispute_id,
        result=Result(status=ResultStatus.UNKNOWN),
        occurred_at=message.at,
        dispute=state,
    )
