"""Giving a customer's money back: by reversing the payment, or by paying out anew.

A reversal undoes the payment with this receipt; it needs nothing but the receipt, and it is for all of it: what
Safaricom does with a smaller amount is not documented. A payout (B2C) gives back any part from KES 10 on, to a phone
number, from the balance that payouts leave from, and cannot be reversed itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from majuu_core.common.money import Money
from majuu_core.providers import (
    FollowUpRequest,
    InvalidPaymentData,
    PayoutRequest,
    RefundQuestion,
    RefundRoute,
    RequestRejected,
    Result,
    ResultStatus,
)
from majuu_mpesa import payouts
from majuu_mpesa.account import Account, missing_initiator_text, whole_shillings
from majuu_mpesa.acknowledgements import acknowledged
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.fields import CURRENCY, read_receipt

REVERSAL, B2C = "reversal", "b2c"
PATH = "/mpesa/reversal/v1/request"


def routes(question: RefundQuestion, credentials: MpesaCredentials) -> Sequence[RefundRoute]:
    """Both ways, the reversal first, each with the reason why it is open or closed. Pure."""
    reversal, b2c = _reversal_objection(question, credentials), _b2c_objection(question, credentials)
    return (
        RefundRoute(
            method=REVERSAL,
            possible=not reversal,
            reason=reversal or "Undoes the whole payment at M-Pesa, from the account it was paid to.",
            books_as="reversal",
        ),
        RefundRoute(
            method=B2C,
            possible=not b2c,
            reason=b2c or _b2c_reason(question),
            books_as="payout",
            needs=("phone",),
        ),
    )


def refund(account: Account, request: FollowUpRequest) -> Result:
    """Give back ``request.amount`` by the chosen method; without one all of a payment is reversed, a part paid out.

    Raises RequestRejected for more than ``request.paid``, as far as that is told: a payout has no payment that
    Daraja could compare it with.
    """
    amount, paid = request.amount, request.paid
    if amount is None:
        raise RequestRejected("M-Pesa must be told how much to give back.", code="amount_missing")
    if paid is not None and (amount.currency != paid.currency or amount > paid):
        raise RequestRejected(f"{paid} was paid; {amount} cannot be given back.", code="amount_too_large")
    is_part = paid is not None and amount != paid
    method = request.method or (B2C if is_part else REVERSAL)
    if method == B2C:
        return _pay_back(account, request, amount)
    if method != REVERSAL:
        raise RequestRejected(f"M-Pesa gives money back by {REVERSAL} or {B2C}.", code="refund_method_unknown")
    if is_part:
        raise RequestRejected("A reversal undoes the whole payment, not a part of it.", code="reversal_not_partial")
    return _reverse(account, request, amount)


def _reverse(account: Account, request: FollowUpRequest, amount: Money) -> Result:
    receipt = read_receipt(request.receipt)
    if receipt is None:
        raise RequestRejected("A reversal needs the receipt of the payment.", code="receipt_missing")
    if violations := whole_shillings(amount, smallest=1, largest=None, what="a reversal"):
        raise InvalidPaymentData(*violations)
    body = {
        **account.initiator(),
        "CommandID": "TransactionReversal",
        "TransactionID": receipt,
        "Amount": int(amount.amount),
        "ReceiverParty": account.credentials.shortcode,
        "RecieverIdentifierType": "11",
        "Remarks": payouts.remarks(request.reason),
        **account.result_urls(request.webhook_url),
        "Occasion": "",
    }
    taken = acknowledged(account.post(PATH, body, "reversal"))
    return Result(status=ResultStatus.PENDING, provider_reference=taken.conversation_id, raw=taken.raw)


def _pay_back(account: Account, request: FollowUpRequest, amount: Money) -> Result:
    payout = PayoutRequest(
        idempotency_key=request.idempotency_key,
        reference=request.reference,
        metadata=request.metadata,
        amount=amount,
        destination={"phone": request.destination.get("phone", "")},
        reason=request.reason or "Refund",
        webhook_url=request.webhook_url,
    )
    return payouts.send(account, payout)


def _reversal_objection(question: RefundQuestion, credentials: MpesaCredentials) -> str:
    if objection := _common_objection(question, credentials):
        return objection
    if not read_receipt(question.receipt):
        return "The payment's receipt is not known yet, and a reversal needs it."
    if question.refunded.amount > 0:
        return "Part of the payment was given back before. A reversal would undo all of it."
    if question.amount != question.paid:
        return "A reversal undoes the whole payment. A part can only be paid out."
    return ""


def _b2c_objection(question: RefundQuestion, credentials: MpesaCredentials) -> str:
    if objection := _common_objection(question, credentials):
        return objection
    amount = question.amount.amount
    if amount < payouts.B2C_MINIMUM:
        return f"M-Pesa pays out KES {payouts.B2C_MINIMUM} or more."
    if amount > Decimal(credentials.max_amount):
        return f"M-Pesa pays out KES {credentials.max_amount} at most."
    return ""


def _common_objection(question: RefundQuestion, credentials: MpesaCredentials) -> str:
    if not credentials.has_initiator:
        return missing_initiator_text()
    if {question.amount.currency.code, question.paid.currency.code} != {CURRENCY}:
        return f"M-Pesa gives back {CURRENCY} only."
    amount = question.amount.amount
    if amount <= 0 or amount != amount.to_integral_value():
        return "M-Pesa moves whole shillings."
    if question.amount + question.refunded > question.paid:
        return "That is more than is left of the payment."
    return ""


def _b2c_reason(question: RefundQuestion) -> str:
    start = "Pays the customer's phone from the payout balance; it cannot be reversed."
    return start if question.payer_phone else f"{start} Enter the phone number: M-Pesa did not tell it in full."
