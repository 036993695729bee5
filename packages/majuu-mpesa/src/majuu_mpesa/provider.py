"""M-Pesa Express as a payment provider: a prompt on the customer's phone, for paybills and tills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from majuu_core.common import clock
from majuu_core.providers import (
    EnvironmentAccount,
    Explanation,
    FetchRequest,
    InvalidPaymentData,
    MethodField,
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
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_mpesa import callbacks, mapping, options
from majuu_mpesa.client import DarajaClient
from majuu_mpesa.credentials import MpesaCredentials
from majuu_mpesa.environment import read_environment
from majuu_mpesa.explanations import explain
from majuu_mpesa.phone import PhoneError, normalise_phone

PUSH_PATH = "/mpesa/stkpush/v1/processrequest"
QUERY_PATH = "/mpesa/stkpushquery/v1/query"
METHOD = "mpesa_stk"
CURRENCY = "KES"
MIN_AMOUNT = 1


class MpesaProvider(PaymentProvider):
    """Safaricom M-Pesa through Daraja.

    A push is never repeated after a lost answer: the prompt may be on the phone already, and Daraja knows no
    idempotency keys. Callbacks are unsigned; core asks by query before it believes one.
    """

    code: ClassVar[str] = "mpesa"
    info: ClassVar[ProviderInfo] = ProviderInfo(
        display_name="M-Pesa",
        payment_methods=(
            PaymentMethodInfo(
                code=METHOD,
                label="M-Pesa",
                fields=(MethodField(name="phone", kind="phone", label="M-Pesa phone number"),),
                currencies=frozenset({CURRENCY}),
            ),
        ),
        currencies=frozenset({CURRENCY}),
        countries=frozenset({"KE"}),
        replay_safe=False,
    )
    credentials_schema: ClassVar[type[MpesaCredentials]] = MpesaCredentials

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        if not isinstance(context.credentials, MpesaCredentials):
            raise TypeError("the credentials of an M-Pesa account must be MpesaCredentials")
        self.credentials = context.credentials

    @classmethod
    def credentials_from_environment(cls, environ: Mapping[str, str]) -> EnvironmentAccount | None:
        """The account as MPESA_CONSUMER_KEY and its like describe it."""
        return read_environment(environ)

    def check_credentials(self) -> None:
        """Ask for a new access token. The passkey cannot be checked without a push."""
        self._client().fresh_token()

    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        """The request with the phone number as 254…; every objection at once, in InvalidPaymentData."""
        violations = self._amount_violations(request)
        phone = ""
        try:
            phone = normalise_phone(request.payment_method_data.get("phone", ""))
        except PhoneError as problem:
            violations.append(_violation(problem.code, str(problem), "payment_method_data.phone"))
        if violations:
            raise InvalidPaymentData(*violations)
        return replace(request, payment_method_data={**request.payment_method_data, "phone": phone})

    def sale(self, request: PaymentRequest) -> Result:
        """Send the prompt, once. REQUIRES_ACTION when it is on its way; the callback or a query tells the rest."""
        request = self.prepare_payment(request)
        self._check_callback_address(request.webhook_url)
        answer = self._client().post(
            PUSH_PATH, mapping.push_body(self.credentials, request, clock.now()), operation="stk_push"
        )
        return mapping.push_result(answer, phone=request.payment_method_data["phone"])

    def fetch_payment(self, request: FetchRequest) -> Result:
        """Ask by CheckoutRequestID. Daraja cannot look up by our reference: without one, UNKNOWN and no call."""
        checkout_id = request.provider_reference
        if not checkout_id:
            return Result(status=ResultStatus.UNKNOWN)
        body: dict[str, Any] = {
            **mapping.signature_fields(self.credentials, clock.now()),
            "CheckoutRequestID": checkout_id,
        }
        answer = self._client().post(QUERY_PATH, body, operation="stk_query")
        return mapping.query_result(answer, checkout_id=checkout_id)

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        """Refuse what does not come from Safaricom's addresses. What does is still UNSIGNED."""
        if request.method.upper() != "POST":
            raise WebhookRejected(f"M-Pesa sends callbacks by POST, not by {request.method[:10]}")
        try:
            known = options.may_send_callbacks(
                request.remote_addr, self.context.options, livemode=self.context.livemode
            )
        except options.OptionsError as problem:
            raise WebhookRejected(f"the setting is wrong: {problem}") from problem
        if not known:
            raise WebhookRejected(f"{request.remote_addr[:50]!r} is not one of Safaricom's callback addresses")
        return Trust.UNSIGNED

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        """The one event of an M-Pesa Express callback."""
        return [callbacks.read_event(request)]

    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        """Always 200: Safaricom may throttle an address that answers anything else."""
        return WebhookResponse(status=200, body=b'{"ResultCode":0,"ResultDesc":"Accepted"}')

    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        """The code in the customer's words, "en" or "sw"; None for a code that only Safaricom can explain."""
        return explain(provider_code, language=language)

    def _client(self) -> DarajaClient:
        try:
            base_url = options.base_url(self.context.options, livemode=self.context.livemode)
        except options.OptionsError as problem:
            raise RequestRejected(f"the setting is wrong: {problem}", code="configuration") from problem
        return DarajaClient(
            http=self.context.http,
            cache=self.context.cache,
            base_url=base_url,
            consumer_key=self.credentials.consumer_key.get_secret_value(),
            consumer_secret=self.credentials.consumer_secret.get_secret_value(),
        )

    def _amount_violations(self, request: PaymentRequest) -> list[Violation]:
        if request.payment_method != METHOD:
            return [_violation("payment_method_unsupported", f"Use the payment method {METHOD}.", "payment_method")]
        amount, currency = request.amount.amount, request.amount.currency.code
        if currency != CURRENCY:
            return [_violation("currency_unsupported", f"M-Pesa takes KES, not {currency}.", "amount")]
        if not amount.is_finite() or amount != amount.to_integral_value():
            return [_violation("amount_not_whole", "M-Pesa takes whole shillings. Round the amount.", "amount")]
        if amount < MIN_AMOUNT:
            return [_violation("amount_too_small", f"The smallest amount is KES {MIN_AMOUNT}.", "amount")]
        if amount > Decimal(self.credentials.max_amount):
            text = f"The largest amount for one M-Pesa payment is KES {self.credentials.max_amount}."
            return [_violation("amount_too_large", text, "amount")]
        return []

    def _check_callback_address(self, url: str) -> None:
        """Without an address to call back, or with one that Daraja refuses, the prompt had better not be sent."""
        scheme = options.web_scheme(url)
        if scheme is None:
            raise RequestRejected("there is no address that M-Pesa could call back", code="configuration")
        if self.context.livemode and scheme != "https":
            raise RequestRejected("in live mode the callback address must start with https://", code="configuration")


def _violation(code: str, message: str, field: str) -> Violation:
    return Violation(code=code, message=message, field=field)
