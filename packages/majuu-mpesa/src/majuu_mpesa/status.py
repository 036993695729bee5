"""Transaction status: the question what became of money, and its answer, which comes later.

The answer's own result code is about the question: 0 means that it could be answered, anything else that it could not
(a wrong password, an id that is not known yet), and then nothing is known about the money. What became of it stands in
``TransactionStatus``.
"""

from __future__ import annotations

from datetime import timedelta

from majuu_core.common import clock
from majuu_core.common.money import format_amount
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    IncomingMoney,
    IncomingQuery,
    ProviderEvent,
    RequestRejected,
    Result,
    ResultStatus,
    WebhookRequest,
)
from majuu_mpesa import pull
from majuu_mpesa.account import STATUS_TOPIC, Account
from majuu_mpesa.acknowledgements import acknowledged
from majuu_mpesa.codes import SUCCESS
from majuu_mpesa.conversation import is_own, own_conversation_id
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.fields import read_amount, read_id, read_moment, read_receipt
from majuu_mpesa.parties import payer_fields, split_party
from majuu_mpesa.result_codes import UNKNOWN_TRANSACTION
from majuu_mpesa.result_message import ResultMessage

PATH = "/mpesa/transactionstatus/v1/query"
INCOMING = "incoming.checked"
_COMPLETED = "completed"
_FAILED = {
    "failed": FailureCode.PROCESSING_ERROR,
    "cancelled": FailureCode.PROCESSING_ERROR,
    "declined": FailureCode.DECLINED,
    "expired": FailureCode.EXPIRED,
}
_OPEN = frozenset({"pending", "initiated", "authorized"})
_PULLED = timedelta(hours=3)  # a notice is checked soon after it came; more would be many pages
_UNKNOWN = Result(status=ResultStatus.UNKNOWN)


def ask_about_outgoing(account: Account, request: FetchRequest, *, reversals_too: bool = False) -> Result:
    """Ask what became of a payout or refund: PENDING, the answer comes to its address. UNKNOWN when nobody can ask.

    Without the provider's reference the question is about the id that we would have sent. ``reversals_too``: what does
    not carry our id was reversed on the shortcode that customers pay to.
    """
    if not account.credentials.has_initiator or not request.webhook_url:
        return _UNKNOWN
    credentials = account.credentials
    named = request.provider_reference or own_conversation_id(credentials, request.reference)
    if read_id(named) is None:
        return _UNKNOWN
    own = is_own(credentials, request.reference, named)
    about = {"OriginatorConversationID" if own else "OriginalConversationID": named}
    party = credentials.shortcode if reversals_too and not own else credentials.payout_shortcode
    _ask(account, about, party=party, url=request.webhook_url)
    return Result(status=ResultStatus.PENDING, provider_reference=named)


def ask_about_incoming(account: Account, query: IncomingQuery) -> Result:
    """Ask whether money with this receipt arrived: PENDING under the question's own id.

    An account without an initiator looks into the Pull API, if it has that: SUCCEEDED when the receipt is listed.
    """
    receipt = read_receipt(query.receipt)
    if receipt is None:
        return _UNKNOWN
    if not account.credentials.has_initiator:
        return _look_up(account, receipt) if account.credentials.nominated_number else _UNKNOWN
    if not query.webhook_url:
        return _UNKNOWN
    asked = _ask(account, {"TransactionID": receipt}, party=account.credentials.shortcode, url=query.webhook_url)
    return Result(status=ResultStatus.PENDING, provider_reference=asked)


def read_event(
    request: WebhookRequest, message: ResultMessage, kind: str, credentials: MpesaCredentials
) -> ProviderEvent:
    """The event of an answer, at the address of the payout, refund or incoming payment that was asked about."""
    incoming = None
    if kind == INCOMING:
        reference = message.conversation_id or message.originator_id or ""
        result, incoming = _incoming_result(message, reference, credentials)
    else:
        reference = _asked_about(request, message, credentials)
        result = _outgoing_result(message, reference)
    amount = format_amount(result.amount) if result.amount else ""
    about = message.conversation_id or message.originator_id
    return ProviderEvent(
        event_id=f"status:{about}:{message.code or ''}:{result.status.value}:{result.receipt or ''}:{amount}",
        type=kind,
        reference=request.reference,
        provider_reference=reference,
        result=result,
        occurred_at=result.occurred_at or clock.now(),
        incoming=incoming,
    )


def _look_up(account: Account, receipt: str) -> Result:
    """What is not listed may be listed later: that is no answer."""
    now = clock.now()
    try:
        listed = pull.list_incoming(account, now - _PULLED, now)
        money = next((one for one in listed if one.receipt == receipt), None)
    except RequestRejected:  # the shortcode is not open for pulling
        money = None
    if money is None:
        return _UNKNOWN
    return Result(
        status=ResultStatus.SUCCEEDED,
        provider_reference=receipt,
        receipt=receipt,
        amount=money.amount,
        payer=money.payer_name or None,
        occurred_at=money.occurred_at,
        raw=money.raw,
    )


def _ask(account: Account, about: dict[str, str], *, party: str, url: str) -> str:
    body = {
        **account.initiator(),
        "CommandID": "TransactionStatusQuery",
        **about,
        "PartyA": party,
        "IdentifierType": "4",
        "Remarks": "Status",
        "Occasion": "",
        **account.result_urls(url, topic=STATUS_TOPIC),
    }
    return acknowledged(account.post(PATH, body, "transaction_status")).conversation_id


def _asked_about(request: WebhookRequest, message: ResultMessage, credentials: MpesaCredentials) -> str:
    """The id of the transaction that was asked about; the question's own when the answer does not name it."""
    own = read_id(message.first("OriginatorConversationID"))
    if own is not None and is_own(credentials, request.reference, own):
        return own
    original = read_id(message.first("ConversationID"))
    return original or message.conversation_id or message.originator_id or ""


def _status_of(message: ResultMessage) -> tuple[ResultStatus, Failure | None]:
    if message.is_interim or message.code != SUCCESS:
        return ResultStatus.UNKNOWN, None
    said = message.text("TransactionStatus")
    word = said.lower()
    if word == _COMPLETED:
        return ResultStatus.SUCCEEDED, None
    if word in _FAILED:
        text = f"M-Pesa says that this transaction is {said}: no money was moved by it."
        return ResultStatus.FAILED, Failure(code=_FAILED[word], provider_code=said[:32], message=text)
    return (ResultStatus.PENDING if word in _OPEN else ResultStatus.UNKNOWN), None


def _outgoing_result(message: ResultMessage, reference: str) -> Result:
    outcome, failure = _status_of(message)
    if outcome is not ResultStatus.SUCCEEDED:
        return Result(status=outcome, provider_reference=reference, failure=failure, raw=message.raw)
    return Result(
        status=outcome,
        provider_reference=reference,
        receipt=read_receipt(message.first("ReceiptNo")),
        amount=read_amount(message.first("Amount")),
        fee=message.charge(),
        payer=_credit_party(message) or None,
        occurred_at=read_moment(message.first("FinalisedTime", "FinalizedTime")),
        raw=message.raw,
    )


def _incoming_result(
    message: ResultMessage, reference: str, credentials: MpesaCredentials
) -> tuple[Result, IncomingMoney | None]:
    """SUCCEEDED only for money that came from somebody else to a number of ours."""
    outcome, failure = _status_of(message)
    if message.code == UNKNOWN_TRANSACTION and not message.is_interim:
        text = "M-Pesa knows no payment with this receipt to this shortcode."
        outcome = ResultStatus.FAILED
        failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code=UNKNOWN_TRANSACTION, message=text)
    if outcome is not ResultStatus.SUCCEEDED:
        return Result(status=outcome, provider_reference=reference, failure=failure, raw=message.raw), None
    debit, credit = split_party(message.text("DebitPartyName")), split_party(_credit_party(message))
    if debit[0] in credentials.own_numbers:
        text = "This receipt is of money that left the shortcode, not of money that arrived."
        failure = Failure(code=FailureCode.PROCESSING_ERROR, provider_code="outgoing", message=text)
        return Result(status=ResultStatus.FAILED, provider_reference=reference, failure=failure, raw=message.raw), None
    money = _incoming_money(message, debit, credit[0], credentials)
    if money is None:
        return Result(status=ResultStatus.UNKNOWN, provider_reference=reference, raw=message.raw), None
    return Result(
        status=outcome,
        provider_reference=reference,
        receipt=money.receipt,
        amount=money.amount,
        payer=money.payer_name or None,
        occurred_at=money.occurred_at,
        raw=message.raw,
    ), money


def _incoming_money(
    message: ResultMessage, debit: tuple[str, str], receiver: str, credentials: MpesaCredentials
) -> IncomingMoney | None:
    """The payment's facts; None when the answer lacks receipt or amount, or names a receiver that is not ours."""
    receipt, amount = read_receipt(message.first("ReceiptNo")), read_amount(message.first("Amount"))
    if receipt is None or amount is None or (receiver and receiver not in credentials.receivers):
        return None
    return IncomingMoney(
        receipt=receipt,
        amount=amount,
        occurred_at=read_moment(message.first("FinalisedTime", "FinalizedTime")) or clock.now(),
        receiver=receiver or credentials.receiver,
        payer_name=debit[1],
        channel=credentials.kind,
        raw=message.raw,
        **payer_fields(debit[0]),
    )


def _credit_party(message: ResultMessage) -> str:
    """Who got the money. Safaricom's own sample writes a second DebitPartyName for it."""
    debits = message.parameters.get("DebitPartyName", ())
    return message.text("CreditPartyName") or (str(debits[1]) if len(debits) > 1 else "")
