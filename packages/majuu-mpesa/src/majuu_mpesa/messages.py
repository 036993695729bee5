"""Which kind of message this is: an M-Pesa Express callback, a C2B notice, or a result that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from majuu_core.providers import ProviderEvent, Trust, WebhookRejected, WebhookRequest
from majuu_mpesa import c2b, callbacks, results
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.fields import read_json

# Bodies of APIs that this package does not speak, by a key that only they have.
_FOREIGN = {
    "responseHeader": "a standing order (Ratiba)",
    "ResponseHeader": "a standing order (Ratiba)",
    "paymentReference": "a B2B Express prompt",
    "requestId": "a B2B Express prompt",
    "paidAmount": "Bill Manager",
    "rescode": "Bill Manager",
}


def read_events(request: WebhookRequest, credentials: MpesaCredentials) -> Sequence[ProviderEvent]:
    """The events in a message. Raises WebhookRejected, with the reason, for one that means nothing where it came."""
    payload = read_json(request.body)
    if "TransID" in payload:
        if request.reference is not None:
            raise WebhookRejected("this is a C2B notification; it belongs to the account's own address")
        return [c2b.read_notice(request, payload, credentials)]
    if "Result" in payload:
        return [results.read_event(request, payload, credentials)]
    if "Body" in payload:
        if results.event_type(request.reference) is not None:
            raise WebhookRejected("this is an M-Pesa Express callback, sent to the address of another kind of request")
        return [callbacks.read_event(request, payload)]
    for key, kind in _FOREIGN.items():
        if key in payload:
            raise WebhookRejected(f"this is a message of {kind}, which is not offered here")
    raise WebhookRejected("this is no message of M-Pesa: Body.stkCallback is missing, and so are TransID and Result")


def trust(request: WebhookRequest) -> Trust:
    """What comes to the address of a payout, refund or check may be compared with what Daraja acknowledged."""
    return Trust.CORRELATED if results.event_type(request.reference) is not None else Trust.UNSIGNED
