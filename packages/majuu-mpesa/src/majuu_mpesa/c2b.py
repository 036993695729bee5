"""Money that customers send by themselves: registering addresses, the question before it, the notice after it.

A notice carries no proof of origin and no result code: it is sent once the money is there. A question looks the same
but comes before, and is answered within eight seconds.
"""

from __future__ import annotations

import re
from typing import Any

from majuu_core.common import clock
from majuu_core.providers import (
    IncomingAddresses,
    IncomingMoney,
    OutcomeUnknown,
    ProviderEvent,
    RequestRejected,
    Result,
    ResultStatus,
    Violation,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.providers.http import Answer
from majuu_mpesa import pull
from majuu_mpesa.account import CONFIGURATION, Account
from majuu_mpesa.answers import ErrorBody, read_error, refusal
from majuu_mpesa.callback_urls import forbidden_words
from majuu_mpesa.codes import SUCCESS, code_text
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.fields import read_amount, read_json, read_moment, read_receipt
from majuu_mpesa.parties import payer_fields
from majuu_mpesa.text import plain_text, safe_raw

NOTICE_TOPIC = "notice"
CHECK_TOPIC = "check"
OTHER_ERROR = "C2B00016"
REFUSALS = frozenset({"C2B00011", "C2B00012", "C2B00013", "C2B00014", "C2B00015", OTHER_ERROR})

_REGISTER_PATH = "/mpesa/c2b/{version}/registerurl"
_ACCOUNT_LENGTH = 100
_CHANNELS = {"pay bill": "paybill", "buy goods": "till", "customer merchant payment": "till"}
_SHORTCODE = re.compile(r"[0-9]{5,9}")


def register(account: Account, addresses: IncomingAddresses) -> None:
    """Tell Daraja where to ask and to tell; open the Pull API as well when the account has a nominated number.

    Raises RequestRejected with what to do: production takes addresses once, and some words never.
    """
    for url in (addresses.check_url, addresses.notice_url):
        account.check_url(url)
        if found := forbidden_words(url):
            raise RequestRejected(
                f"M-Pesa refuses addresses that hold {', '.join(found)}. Serve the callbacks under another host name.",
                code=CONFIGURATION,
            )
    credentials = account.credentials
    body = {
        "ShortCode": credentials.shortcode,
        "ResponseType": "Completed" if addresses.accept_when_unreachable else "Cancelled",
        "ConfirmationURL": addresses.notice_url,
        "ValidationURL": addresses.check_url,
    }
    path = _REGISTER_PATH.format(version=credentials.c2b_version)
    _expect_registered(account.post(path, body, "c2b_register"))
    if credentials.nominated_number:
        pull.register(account, addresses.notice_url)


def read_check(request: WebhookRequest, credentials: MpesaCredentials) -> IncomingMoney:
    """The payment Daraja asks about. Raises WebhookRejected for an unreadable one or another's shortcode."""
    money = read_payment(read_json(request.body), credentials)
    if not money.at_this_account:
        raise WebhookRejected(f"it is about the shortcode {money.receiver}, which is not one of this account")
    return money


def check_response(objection: Violation | None) -> WebhookResponse:
    """Accept, or refuse with one of Daraja's codes; any other becomes "other error". Codes are text here."""
    if objection is None:
        return WebhookResponse(body=b'{"ResultCode":"0","ResultDesc":"Accepted"}')
    code = objection.code if objection.code in REFUSALS else OTHER_ERROR
    return WebhookResponse(body=f'{{"ResultCode":"{code}","ResultDesc":"Rejected"}}'.encode())


def read_notice(request: WebhookRequest, payload: dict[str, Any], credentials: MpesaCredentials) -> ProviderEvent:
    """The event of a confirmation. Raises WebhookRejected for a question, which comes before the money."""
    if request.topic == CHECK_TOPIC:
        raise WebhookRejected("this is the question before a payment, not the notice of one")
    if request.topic != NOTICE_TOPIC and payload.get("OrgAccountBalance") == "":
        raise WebhookRejected(
            "without a balance this is the question before a payment, not the notice of one; the addresses may have "
            "been registered the wrong way round"
        )
    money = read_payment(payload, credentials)
    result = Result(
        status=ResultStatus.SUCCEEDED,
        provider_reference=money.receipt,
        receipt=money.receipt,
        amount=money.amount,
        payer=money.payer_name or None,
        occurred_at=money.occurred_at,
        raw=money.raw,
    )
    return ProviderEvent(
        event_id=f"c2b:{money.receipt}:{money.receiver}:{money.amount.amount}",
        type="incoming.received",
        reference=request.reference,
        provider_reference=money.receipt,
        result=result,
        occurred_at=money.occurred_at,
        incoming=money,
    )


def read_payment(payload: dict[str, Any], credentials: MpesaCredentials) -> IncomingMoney:
    """The payment in a question or notice, also one to a shortcode that is not this account's: a person must see that.

    Raises WebhookRejected with the reason when it cannot be read.
    """
    receipt = read_receipt(payload.get("TransID"))
    if receipt is None:
        raise WebhookRejected("TransID is missing or unreadable")
    amount = read_amount(payload.get("TransAmount"), "TransAmount")
    if amount is None:
        raise WebhookRejected("TransAmount is missing")
    receiver = plain_text(payload.get("BusinessShortCode"), limit=20)
    if not _SHORTCODE.fullmatch(receiver):
        raise WebhookRejected("BusinessShortCode is missing or unreadable")
    names = (plain_text(payload.get(name), limit=60) for name in ("FirstName", "MiddleName", "LastName"))
    return IncomingMoney(
        receipt=receipt,
        amount=amount,
        occurred_at=read_moment(payload.get("TransTime")) or clock.now(),
        receiver=receiver,
        account_reference=plain_text(payload.get("BillRefNumber"), limit=_ACCOUNT_LENGTH),
        payer_name=" ".join(name for name in names if name),
        channel=_channel(payload.get("TransactionType"), credentials),
        at_this_account=receiver in credentials.receivers,
        raw=safe_raw(payload),
        **payer_fields(payload.get("MSISDN")),
    )


def _channel(kind: Any, credentials: MpesaCredentials) -> str:
    return _CHANNELS.get(plain_text(kind, limit=40).lower(), credentials.kind)


def _expect_registered(answer: Answer) -> None:
    error = read_error(answer)
    if error is not None:
        raise _registration_refused(answer, error)
    body = answer.json()
    if answer.status != 200 or not isinstance(body, dict):
        raise refusal(answer)
    code = code_text(body.get("ResponseCode"))
    said = plain_text(body.get("ResponseDescription"), limit=200)
    if code == SUCCESS or (code is None and said.lower() == "success"):  # v1 answers without a code
        return
    if code is None:
        raise OutcomeUnknown("M-Pesa answered the registration with a body that is not Daraja's")
    raise RequestRejected(f"M-Pesa refused the addresses: {said}", code=code)


def _registration_refused(answer: Answer, error: ErrorBody) -> Exception:
    if error.says("already registered"):
        return RequestRejected(
            "The shortcode has addresses already, and production takes them once. Delete them in the organisation's "
            "portal (Self Services, URL Management; two operators approve) or write to apisupport@safaricom.co.ke, "
            "then register again.",
            code=error.code,
        )
    if error.says("duplicate notification info"):
        return RequestRejected(
            "The shortcode's addresses are on Safaricom's old broker platform. Ask apisupport@safaricom.co.ke to "
            "remove them, then register again.",
            code=error.code,
        )
    if error.says("addurlvault"):
        return RequestRejected(
            "M-Pesa does not take addresses for this shortcode: it may be one for M-Pesa Express only.",
            code=error.code,
        )
    return refusal(answer)
