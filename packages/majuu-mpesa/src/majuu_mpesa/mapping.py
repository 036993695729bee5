"""Between the contract and Daraja's M-Pesa Express: what is sent, and what an answer means."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from typing import Any

from majuu_core.common import clock
from majuu_core.providers import (
    Failure,
    FailureCode,
    NextAction,
    OutcomeUnknown,
    PaymentRequest,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_core.providers.http import Answer
from majuu_mpesa.answers import ErrorBody, read_error, refusal
from majuu_mpesa.codes import BAD_REQUEST, OVERLOADED, STILL_PROCESSING, STK_FAILURES, SUCCESS, code_text
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.phone import mask_phone
from majuu_mpesa.text import alphanumeric, plain_text, safe_raw, simple_words

# Daraja writes times without a zone: they are East Africa Time, which has no summer time.
EAST_AFRICA = timezone(timedelta(hours=3), "EAT")
REFERENCE_LENGTH = 12
DESCRIPTION_LENGTH = 13
CHECKOUT_ID_LENGTH = 100
# The prompt lives about a minute on the phone; the rest is the way there and back.
PROMPT_SECONDS = 75

_SUBSCRIBER_BUSY_TEXT = "unable to lock subscriber"
_IN_PROGRESS_TEXT = "transaction is being processed"
_UNKNOWN_CHECKOUT_TEXT = "invalid checkoutrequestid"


def signature_fields(credentials: MpesaCredentials, at: datetime) -> dict[str, str]:
    """Shortcode, password and timestamp: the password holds the very timestamp that is sent beside it."""
    timestamp = at.astimezone(EAST_AFRICA).strftime("%Y%m%d%H%M%S")
    secret = f"{credentials.shortcode}{credentials.passkey.get_secret_value()}{timestamp}"
    return {
        "BusinessShortCode": credentials.shortcode,
        "Password": base64.b64encode(secret.encode()).decode(),
        "Timestamp": timestamp,
    }


def push_body(credentials: MpesaCredentials, request: PaymentRequest, at: datetime) -> dict[str, Any]:
    """The body of an STK push for a prepared request: phone in full, amount in whole shillings."""
    phone = request.payment_method_data["phone"]
    return {
        **signature_fields(credentials, at),
        "TransactionType": credentials.transaction_type,
        "Amount": int(request.amount.amount),
        "PartyA": phone,
        "PartyB": credentials.receiver,
        "PhoneNumber": phone,
        "CallBackURL": request.webhook_url,
        "AccountReference": account_reference(request),
        "TransactionDesc": simple_words(request.description)[:DESCRIPTION_LENGTH].strip() or "Payment",
    }


def account_reference(request: PaymentRequest) -> str:
    """The shop's order number, or our reference, in at most 12 letters and digits.

    Of a longer one the end is kept: that is where order numbers and our ids differ.
    """
    for candidate in (request.merchant_reference, request.reference):
        if text := alphanumeric(candidate):
            return text[-REFERENCE_LENGTH:]
    return "Payment"


def push_result(answer: Answer, *, phone: str) -> Result:
    """What the answer to an STK push means. Raises when there is no definite answer, or a refusal."""
    if answer.status != 200:
        return _push_refused(answer)
    body = answer.json()
    code = code_text(body.get("ResponseCode")) if isinstance(body, dict) else None
    if code is None:
        raise OutcomeUnknown("M-Pesa answered HTTP 200 with a body that is not Daraja's")
    checkout_id = checkout_request_id(body.get("CheckoutRequestID"))
    if code == SUCCESS and checkout_id:
        return _awaiting_prompt(checkout_id, phone, body)
    if checkout_id:
        return Result(status=ResultStatus.UNKNOWN, provider_reference=checkout_id, raw=safe_raw(body))
    if code == SUCCESS:
        raise OutcomeUnknown("M-Pesa accepted the request but sent no CheckoutRequestID")
    raise RequestRejected(
        f"M-Pesa refused the request: {plain_text(body.get('ResponseDescription'), limit=200)}", code=code
    )


def query_result(answer: Answer, *, checkout_id: str) -> Result:
    """What the answer to an STK query means. Only known codes for this very payment settle it."""
    if answer.status != 200:
        return _query_refused(answer, checkout_id)
    body = answer.json()
    if not isinstance(body, dict):
        raise OutcomeUnknown("M-Pesa answered HTTP 200 with a body that is not Daraja's")
    code = code_text(body.get("ResultCode"))
    if code == STILL_PROCESSING:
        return _open(ResultStatus.PENDING, checkout_id, body)
    about_it = checkout_request_id(body.get("CheckoutRequestID")) == checkout_id
    if code is None or not about_it:
        return _open(ResultStatus.UNKNOWN, checkout_id, body)
    return settled(code, checkout_id=checkout_id, description=body.get("ResultDesc"), raw=safe_raw(body))


def settled(
    code: str, *, checkout_id: str, description: Any, raw: dict[str, Any], occurred_at: datetime | None = None
) -> Result:
    """The result for a final code of a query or callback; UNKNOWN for a code that is not in our table."""
    if code == SUCCESS:
        status, failure = ResultStatus.SUCCEEDED, None
    elif code in STK_FAILURES:
        message = plain_text(description, limit=200) or "M-Pesa gave no reason."
        status, failure = ResultStatus.FAILED, Failure(code=STK_FAILURES[code], provider_code=code, message=message)
    else:
        status, failure = (ResultStatus.PENDING if code == STILL_PROCESSING else ResultStatus.UNKNOWN), None
    return Result(status=status, provider_reference=checkout_id, failure=failure, occurred_at=occurred_at, raw=raw)


def checkout_request_id(value: Any) -> str | None:
    """A CheckoutRequestID as it can be stored, or None."""
    text = plain_text(value, limit=CHECKOUT_ID_LENGTH + 1)
    clean = text == value and 0 < len(text) <= CHECKOUT_ID_LENGTH and text.isascii() and " " not in text
    return text if clean else None


def _push_refused(answer: Answer) -> Result:
    error = read_error(answer)
    if error and error.code == OVERLOADED and error.says(_SUBSCRIBER_BUSY_TEXT):
        return _subscriber_busy(error)
    raise refusal(answer)


def _subscriber_busy(error: ErrorBody) -> Result:
    """Refused before anything was executed: another prompt is open on that phone."""
    failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code=error.code, message=error.message)
    return Result(
        status=ResultStatus.FAILED,
        failure=failure,
        raw={"errorCode": error.code, "errorMessage": error.message},
    )


def _awaiting_prompt(checkout_id: str, phone: str, body: dict[str, Any]) -> Result:
    action = NextAction(
        type="await_phone_prompt",
        data={"phone": mask_phone(phone)},
        expires_at=clock.now() + timedelta(seconds=PROMPT_SECONDS),
    )
    return Result(
        status=ResultStatus.REQUIRES_ACTION, provider_reference=checkout_id, next_action=action, raw=safe_raw(body)
    )


def _query_refused(answer: Answer, checkout_id: str) -> Result:
    error = read_error(answer)
    if error:
        in_progress = error.code == OVERLOADED and error.says(_IN_PROGRESS_TEXT)
        too_early = error.code == BAD_REQUEST and error.says(_UNKNOWN_CHECKOUT_TEXT)
        raw = {"errorCode": error.code, "errorMessage": error.message}
        if in_progress:
            return _open(ResultStatus.PENDING, checkout_id, raw)
        if too_early:  # or Daraja does not know the id at all: whoever asked must not learn it from this answer
            return Result(status=ResultStatus.PENDING, raw=raw)
    raise refusal(answer)


def _open(status: ResultStatus, checkout_id: str, body: dict[str, Any]) -> Result:
    return Result(status=status, provider_reference=checkout_id, raw=safe_raw(body))
