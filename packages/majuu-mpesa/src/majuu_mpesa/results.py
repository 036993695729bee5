"""Reads results that come later: of B2C, B2B, reversals, status queries and balances, in every shape they were seen in.

A result is a message to one request's secret address. It names two ids: Safaricom's ``ConversationID`` and an
``OriginatorConversationID``, which is ours for B2C v3 and Safaricom's for everything else. The event carries ours where
it is ours (only somebody to whom we sent it can know it), else Safaricom's, which the acknowledgement gave us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from majuu_core.common import clock
from majuu_core.common.money import Money, format_amount
from majuu_core.providers import ProviderEvent, Result, ResultStatus, WebhookRejected, WebhookRequest
from majuu_mpesa import balances, status
from majuu_mpesa.account import STATUS_TOPIC, TIMEOUT_TOPIC
from majuu_mpesa.codes import SUCCESS
from majuu_mpesa.conversation import is_own
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.fields import read_amount, read_moment
from majuu_mpesa.result_codes import REVERSAL_DOUBTS, definite_failure
from majuu_mpesa.result_message import ResultMessage, read_result

EVENT_TYPES: Mapping[str, str] = {"po_": "payout.updated", "re_": "refund.updated", "in_": "incoming.checked"}
INCOMING = "incoming.checked"
REFUND = "refund.updated"


def event_type(reference: str | None) -> str | None:
    """What a result at the address of this request is about; None for any other address."""
    return EVENT_TYPES.get((reference or "")[:3])


def read_event(request: WebhookRequest, payload: dict[str, Any], credentials: MpesaCredentials) -> ProviderEvent:
    """The event of a result. Raises WebhookRejected for one that is about nothing we asked for."""
    message = read_result(payload)
    kind = event_type(request.reference)
    if kind is None:
        return _account_event(request, message)
    if request.topic == TIMEOUT_TOPIC:
        return _timeout_event(request, message, kind, credentials)
    if kind == INCOMING or request.topic == STATUS_TOPIC or message.first("TransactionStatus") is not None:
        return status.read_event(request, message, kind, credentials)
    reference = request_id(request, message, credentials)
    result = outgoing_result(message, provider_reference=reference, reversal=kind == REFUND)
    return ProviderEvent(
        event_id=_event_id("result", message, result.receipt, result.amount),
        type=kind,
        reference=request.reference,
        provider_reference=reference,
        result=result,
        occurred_at=result.occurred_at or clock.now(),
    )


def request_id(request: WebhookRequest, message: ResultMessage, credentials: MpesaCredentials) -> str:
    """The id under which the request is known to us: our own where it is named, else Safaricom's."""
    own = message.originator_id
    if own is not None and is_own(credentials, request.reference, own):
        return own
    return message.conversation_id or message.originator_id or ""


def outgoing_result(message: ResultMessage, *, provider_reference: str, reversal: bool = False) -> Result:
    """What the result of a payout or reversal means. Only codes that are a definite no make it FAILED."""
    if message.is_interim:
        return Result(status=ResultStatus.PENDING, provider_reference=provider_reference, raw=message.raw)
    if message.code != SUCCESS:
        code = message.code or ""
        failure = definite_failure(code, description=message.description, reversal=reversal)
        outcome = ResultStatus.FAILED if failure else ResultStatus.UNKNOWN
        doubt = REVERSAL_DOUBTS.get(code, "") if reversal else ""
        return Result(
            status=outcome, provider_reference=provider_reference, failure=failure, raw=message.raw, doubt=doubt
        )
    receiver = message.text("ReceiverPartyPublicName") or message.text("CreditPartyPublicName")
    return Result(
        status=ResultStatus.SUCCEEDED,
        provider_reference=provider_reference,
        receipt=message.receipt,
        amount=read_amount(message.first("TransactionAmount", "Amount")),
        fee=message.charge(),
        payer=receiver or None,
        occurred_at=read_moment(message.first("TransactionCompletedDateTime", "TransCompletedTime")),
        raw=message.raw,
    )


def _timeout_event(
    request: WebhookRequest, message: ResultMessage, kind: str, credentials: MpesaCredentials
) -> ProviderEvent:
    """The queue took too long. Decides nothing: the result may still come."""
    reference = request_id(request, message, credentials)
    return ProviderEvent(
        event_id=_event_id("timeout", message, None, None),
        type=kind,
        reference=request.reference,
        provider_reference=reference,
        result=Result(status=ResultStatus.PENDING, provider_reference=reference, raw=message.raw),
        occurred_at=clock.now(),
    )


def _account_event(request: WebhookRequest, message: ResultMessage) -> ProviderEvent:
    """Balances, which come to the account's own address."""
    if request.reference is not None:
        raise WebhookRejected("this is a B2C, B2B or query result, sent to the address of an M-Pesa Express payment")
    if request.topic != balances.TOPIC and message.first("AccountBalance") is None:
        raise WebhookRejected("this result came to no request's own address, so nothing says what it is about")
    return balances.read_event(message, event_id=_event_id("balance", message, None, None))


def _event_id(kind: str, message: ResultMessage, receipt: str | None, amount: Money | None) -> str:
    """The same for a repeated delivery; another one as soon as the outcome, receipt or amount differs."""
    about = message.conversation_id or message.originator_id or ""
    shown = format_amount(amount) if amount else ""
    return f"{kind}:{about}:{message.code or ''}:{receipt or ''}:{shown}"
