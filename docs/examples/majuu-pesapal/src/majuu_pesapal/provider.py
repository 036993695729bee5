"""Pesapal as a provider of Majuu. It translates and stores nothing."""

from __future__ import annotations

from collections.abc import Sequence

from moneyed import Money

from majuu_core.common import clock
from majuu_core.common.money import AmountError, format_amount, to_minor_units
from majuu_core.providers import (
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    NextAction,
    OutcomeUnknown,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    ProviderContext,
    ProviderEvent,
    ProviderInfo,
    RequestRejected,
    Result,
    ResultStatus,
    Trust,
    Violation,
    WebhookRequest,
    WebhookResponse,
)
from majuu_pesapal import mapping
from majuu_pesapal.client import Number, PesapalClient
from majuu_pesapal.credentials import PesapalCredentials

_REFUND = "refund-"  # a refund has no id of its own: it is known by its payment


class PesapalProvider(PaymentProvider):
    """Payments by redirect, in full refundable once."""

    code = "pesapal"
    info = ProviderInfo(
        display_name="Pesapal",
        payment_methods=(PaymentMethodInfo(code="pesapal", label="Card or mobile money (Pesapal)"),),
        currencies=frozenset({"KES", "UGX", "TZS", "USD"}),
        countries=frozenset({"KE", "UG", "TZ", "RW", "MW", "ZM", "ZW"}),
        replay_safe=False,  # it has no idempotency keys
        partial_refunds=False,
    )
    credentials_schema = PesapalCredentials
    majuu_harness = "majuu_pesapal.testing:PesapalHarness"

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        if not isinstance(context.credentials, PesapalCredentials):
            raise TypeError("PesapalProvider needs PesapalCredentials")
        self._credentials = context.credentials
        self._client = PesapalClient(context, context.credentials)

    def check_credentials(self) -> None:
        self._client.token(fresh=True)

    def sale(self, request: PaymentRequest) -> Result:
        order = {
            "id": request.reference,
            "currency": request.amount.currency.code,
            "amount": Number(self._checked(request.amount)),
            "description": (request.description or request.merchant_reference or request.reference)[:100],
            "callback_url": request.return_url,
            "notification_id": self._credentials.ipn_id,
            "billing_address": {"email_address": request.customer_email},
        }
        answer = self._client.post("/api/Transactions/SubmitOrderRequest", order, operation="submit_order")
        tracking_id, url = str(answer.get("order_tracking_id") or ""), str(answer.get("redirect_url") or "")
        if not (tracking_id and url):
            raise OutcomeUnknown("submit_order: the answer lacks order_tracking_id or redirect_url")
        return Result(
            status=ResultStatus.REQUIRES_ACTION,
            provider_reference=tracking_id,
            next_action=NextAction(type="redirect", data={"url": url}),
        )

    def fetch_payment(self, request: FetchRequest) -> Result:
        if not request.provider_reference:  # Pesapal looks nothing up by our reference
            return Result(status=ResultStatus.UNKNOWN)
        return mapping.payment_result(request.provider_reference, self._status(request.provider_reference))

    def refund(self, request: FollowUpRequest) -> Result:
        paid = mapping.payment_result(request.provider_reference, self._status(request.provider_reference))
        if paid.status is not ResultStatus.SUCCEEDED or paid.receipt is None:
            raise RequestRejected(f"the payment is {paid.status}, not succeeded", code="not_paid")
        if request.amount not in (None, paid.amount):
            raise RequestRejected(f"Pesapal gives back all of a payment ({paid.amount}), or nothing", code="full_only")
        body = {
            "confirmation_code": paid.receipt,
            "amount": Number(format_amount(paid.amount)) if paid.amount else None,
            "username": self._credentials.username,
            "remarks": request.reason or request.reference,
        }
        self._client.post("/api/Transactions/RefundRequest", body, operation="refund")
        return Result(status=ResultStatus.PENDING, provider_reference=f"{_REFUND}{request.provider_reference}")

    def fetch_refund(self, request: FetchRequest) -> Result:
        reference = request.provider_reference or ""
        if not reference.startswith(_REFUND):
            return Result(status=ResultStatus.UNKNOWN)
        return mapping.refund_result(reference, self._status(reference.removeprefix(_REFUND)))

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        mapping.read_notification(request.body)
        return Trust.UNSIGNED  # anybody can send one: core asks for the truth and believes only that

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        tracking_id, reference = mapping.read_notification(request.body)
        return [
            ProviderEvent(
                event_id=f"ipn-{tracking_id}",
                type="payment.updated",
                reference=reference,
                provider_reference=tracking_id,
                result=Result(status=ResultStatus.UNKNOWN, provider_reference=tracking_id),
                occurred_at=clock.now(),
            )
        ]

    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        status = 200 if accepted else 400
        return WebhookResponse(status=status, body=b'{"status":%d}' % status)

    def _status(self, tracking_id: str) -> dict[str, object]:
        query = {"orderTrackingId": tracking_id}
        return self._client.get("/api/Transactions/GetTransactionStatus", query, operation="status")

    def _checked(self, amount: Money) -> str:
        """The amount as text. Raises InvalidPaymentData before anything is sent."""
        if amount.currency.code not in self.info.currencies:
            taken = ", ".join(sorted(self.info.currencies))
            raise InvalidPaymentData(_about("currency_not_supported", f"Pay in one of {taken}.", "currency"))
        if amount.amount <= 0:
            raise InvalidPaymentData(_about("amount_invalid", "The amount must be above zero.", "amount"))
        try:
            to_minor_units(amount)
        except AmountError as problem:
            raise InvalidPaymentData(_about(problem.code, str(problem), "amount")) from problem
        return format_amount(amount)


def _about(code: str, message: str, field: str) -> Violation:
    return Violation(code=code, message=message, field=field)
