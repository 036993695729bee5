"""QR codes of payment intents."""

from __future__ import annotations

import base64
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from majuu_core.api.auth import acting, require
from majuu_core.api.idempotency import run_once
from majuu_core.api.schemas import ProblemOut
from majuu_core.api.v1.qr_codes_schemas import QrCodeIn, QrCodeOut
from majuu_core.common.money import format_amount
from majuu_core.payments.intents import get_payment_intent
from majuu_core.payments.models import PaymentIntent
from majuu_core.payments.qr_codes import MadeQrCode, make_intent_qr_code

router = Router(tags=["Payment intents"])
_PROBLEMS = {401: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut}


@router.post(
    "/{payment_intent_id}/qr-code",
    response={201: QrCodeOut, **_PROBLEMS},
    operation_id="create_payment_intent_qr_code",
    summary="Make a QR code",
    url_name="payment_intent_qr_code",
)
def create(request: HttpRequest, payment_intent_id: str, body: QrCodeIn) -> HttpResponse:
    """A picture that a customer scans with the provider's app to pay what remains of the intent.

    What is paid by it arrives like any payment to the account number in ``reference``: listen for the intent's events.
    """
    caller = require(request, "payments:write")

    def work(request_key: str) -> tuple[int, Any]:
        intent = get_payment_intent(store_id=caller.store_id, livemode=caller.livemode, public_id=payment_intent_id)
        return 201, _represent(intent, make_intent_qr_code(intent=intent, size=body.size))

    with acting(request):
        return run_once(request, caller, work)


def _represent(intent: PaymentIntent, made: MadeQrCode) -> dict[str, Any]:
    amount = made.request.amount
    assert amount is not None  # noqa: S101 - an intent's code always says how much
    return {
        "object": "qr_code",
        "livemode": intent.livemode,
        "payment_intent": intent.public_id,
        "provider": made.account.provider,
        "amount": format_amount(amount),
        "currency": amount.currency.code,
        "reference": made.request.reference,
        "merchant_name": made.request.merchant_name,
        "content_type": "image/png",
        "data": base64.b64encode(made.code.png).decode(),
    }
