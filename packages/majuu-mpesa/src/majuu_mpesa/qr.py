"""Dynamic QR: a picture that fills in the customer's M-Pesa app. Answered at once."""

from __future__ import annotations

import base64
import binascii

from majuu_core.common.money import format_amount
from majuu_core.providers import InvalidPaymentData, OutcomeUnknown, QrCode, QrRequest, RequestRejected, Violation
from majuu_core.providers.http import Answer
from majuu_mpesa.account import Account, whole_shillings
from majuu_mpesa.answers import refusal
from majuu_mpesa.codes import code_text
from majuu_mpesa.fields import read_id
from majuu_mpesa.text import plain_text, simple_words

PATH = "/mpesa/qrcode/v1/generate"
_PNG = b"\x89PNG\r\n\x1a\n"
_SIZES = range(50, 1001)


def make(account: Account, request: QrRequest) -> QrCode:
    """The code for the account's paybill or till. Raises InvalidPaymentData for what Daraja would not take."""
    credentials = account.credentials
    reference = plain_text(request.reference, limit=20)
    violations = []
    if not reference:
        violations.append(Violation(code="reference_missing", message="Say what is paid for.", field="reference"))
    if request.size not in _SIZES:
        text = f"Choose {_SIZES.start} to {_SIZES.stop - 1} pixels."
        violations.append(Violation(code="size_invalid", message=text, field="size"))
    if request.amount is not None:
        violations += whole_shillings(
            request.amount, smallest=1, largest=credentials.max_amount, what="one M-Pesa payment"
        )
    if violations:
        raise InvalidPaymentData(*violations)
    body = {
        "MerchantName": simple_words(request.merchant_name)[:100] or credentials.receiver,
        "RefNo": reference,
        "Amount": format_amount(request.amount).split(".")[0] if request.amount is not None else "0",
        "TrxCode": "PB" if credentials.kind == "paybill" else "BG",
        "CPI": credentials.receiver,
        "Size": str(request.size),
    }
    return read_answer(account.post(PATH, body, "qr_code"))


def read_answer(answer: Answer) -> QrCode:
    """The picture in an answer. Its ResponseCode is "00", or an id as in the documentation, so the picture decides."""
    body = answer.json()
    if answer.status != 200:
        raise refusal(answer)
    if not isinstance(body, dict):
        raise OutcomeUnknown("M-Pesa answered HTTP 200 with a body that is not Daraja's")
    try:
        png = base64.b64decode(str(body.get("QRCode") or ""), validate=True)
    except (binascii.Error, ValueError):
        png = b""
    if not png.startswith(_PNG):
        said = plain_text(body.get("ResponseDescription"), limit=200)
        raise RequestRejected(f"M-Pesa drew no code: {said}", code=code_text(body.get("ResponseCode")) or "")
    return QrCode(png=png, provider_reference=read_id(body.get("RequestID")) or "")
