"""Money that leaves: to customers' phones (B2C), and to paybills, tills and other shortcodes (B2B).

A destination names exactly one of ``phone``, ``paybill`` (with ``account``), ``till`` and ``top_up``.
"""

from __future__ import annotations

from dataclasses import replace

from majuu_core.providers import (
    InvalidPaymentData,
    MethodField,
    OutcomeUnknown,
    PayoutRequest,
    Result,
    ResultStatus,
    Violation,
)
from majuu_mpesa.account import Account, missing_initiator_text, whole_shillings
from majuu_mpesa.acknowledgements import Acknowledgement, acknowledged
from majuu_mpesa.answers import read_error
from majuu_mpesa.conversation import own_conversation_id
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.destinations import B2BKind, kind_of, normalise_destination
from majuu_mpesa.text import simple_words

B2C_V3 = "/mpesa/b2c/v3/paymentrequest"
B2C_V1 = "/mpesa/b2c/v1/paymentrequest"
B2B = "/mpesa/b2b/v1/paymentrequest"
PURPOSES = ("BusinessPayment", "SalaryPayment", "PromotionPayment")
B2C_MINIMUM = 10
FIELDS = (
    MethodField(name="phone", kind="phone", label="M-Pesa phone number", required=False),
    MethodField(name="paybill", kind="text", label="Paybill", required=False),
    MethodField(name="account", kind="text", label="Account number at the paybill", required=False),
    MethodField(name="till", kind="text", label="Till number", required=False),
    MethodField(name="top_up", kind="text", label="B2C shortcode to top up", required=False),
)
_REMARKS_LENGTH = 100
_NOT_AUTHORISED = "403.002.1001"
_DUPLICATE_TEXT = "duplicate originatorconversationid"


def prepare(request: PayoutRequest, credentials: MpesaCredentials) -> PayoutRequest:
    """The request in canonical form; every objection at once, in InvalidPaymentData. Pure."""
    violations = []
    if not credentials.has_initiator:
        violations.append(Violation(code="payouts_not_configured", message=missing_initiator_text()))
    destination, objections = normalise_destination(request.destination)
    violations += objections
    kind = kind_of(destination)
    if kind is None:
        violations += whole_shillings(
            request.amount, smallest=B2C_MINIMUM, largest=credentials.max_amount, what="an M-Pesa payout"
        )
    else:
        violations += whole_shillings(request.amount, smallest=1, largest=None, what="a business payment")
    purpose = request.purpose or PURPOSES[0]
    if purpose not in PURPOSES or (kind is not None and purpose != PURPOSES[0]):
        text = f"Choose one of {', '.join(PURPOSES)}; a payment to a business has only the first."
        violations.append(Violation(code="purpose_unknown", message=text, field="purpose"))
    if violations:
        raise InvalidPaymentData(*violations)
    return replace(request, destination=destination, purpose=purpose)


def send(account: Account, request: PayoutRequest) -> Result:
    """Send once. PENDING when Daraja took it; the result comes to the request's own address."""
    request = prepare(request, account.credentials)
    kind = kind_of(request.destination)
    return _send_b2c(account, request) if kind is None else _send_b2b(account, request, kind)


def _send_b2c(account: Account, request: PayoutRequest) -> Result:
    """By v3, whose id is ours: after a lost answer, too, the request and its result can be known by it."""
    own = own_conversation_id(account.credentials, request.reference)
    body = _b2c_body(account, request)
    try:
        answer = account.post(B2C_V3, {"OriginatorConversationID": own, **body}, "b2c_payment")
        error = read_error(answer) if answer.status >= 400 else None
        if error is not None and error.code == _NOT_AUTHORISED:
            return _send_b2c_v1(account, body)
        if error is not None and error.says(_DUPLICATE_TEXT):
            return _unknown(own, "M-Pesa has had this request before: its status decides.")
        return _pending(acknowledged(answer), own)
    except OutcomeUnknown as problem:
        return _unknown(own, str(problem))


def _send_b2c_v1(account: Account, body: dict[str, object]) -> Result:
    """For apps without v3, which refused it before anything was executed. A lost answer leaves no id at all."""
    try:
        taken = acknowledged(account.post(B2C_V1, body, "b2c_payment_v1"))
    except OutcomeUnknown as problem:
        return Result(status=ResultStatus.UNKNOWN, raw={"problem": str(problem)})
    return _pending(taken, taken.conversation_id)


def _b2c_body(account: Account, request: PayoutRequest) -> dict[str, object]:
    return {
        **account.initiator("InitiatorName"),
        "CommandID": request.purpose,
        "Amount": int(request.amount.amount),
        "PartyA": account.credentials.payout_shortcode,
        "PartyB": request.destination["phone"],
        "Remarks": remarks(request.reason),
        **account.result_urls(request.webhook_url),
        "Occassion": "",
    }


def _send_b2b(account: Account, request: PayoutRequest, kind: B2BKind) -> Result:
    body = {
        **account.initiator(),
        "CommandID": kind.command,
        "SenderIdentifierType": "4",
        "RecieverIdentifierType": kind.receiver_type,
        "Amount": int(request.amount.amount),
        "PartyA": account.credentials.payout_shortcode,
        "PartyB": request.destination[kind.field],
        "AccountReference": request.destination.get("account", ""),
        "Remarks": remarks(request.reason),
        **account.result_urls(request.webhook_url),
        "Occassion": "",
    }
    taken = acknowledged(account.post(B2B, body, "b2b_payment"))
    return _pending(taken, taken.conversation_id)


def remarks(reason: str) -> str:
    """2 to 100 simple characters."""
    text = simple_words(reason)[:_REMARKS_LENGTH].strip()
    return text if len(text) >= 2 else "Payment"


def _pending(taken: Acknowledgement, reference: str) -> Result:
    return Result(status=ResultStatus.PENDING, provider_reference=reference, raw=taken.raw)


def _unknown(own: str, why: str) -> Result:
    return Result(status=ResultStatus.UNKNOWN, provider_reference=own, raw={"problem": why})
