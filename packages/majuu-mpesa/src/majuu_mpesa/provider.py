"""M-Pesa as a payment provider. What each API is and how its answers are read stands in the modules this one calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO, ClassVar

from majuu_core.common import clock
from majuu_core.providers import (
    BalanceAnswer,
    BalanceQuery,
    EnvironmentAccount,
    Explanation,
    FetchRequest,
    FollowUpRequest,
    IncomingAddresses,
    IncomingMoney,
    IncomingQuery,
    InvalidPaymentData,
    MethodField,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    PayoutRequest,
    ProviderContext,
    ProviderEvent,
    ProviderInfo,
    QrCode,
    QrRequest,
    RefundQuestion,
    RefundRoute,
    RequestRejected,
    Result,
    ResultStatus,
    SelfCheck,
    StatementLine,
    StatementProblem,
    Trust,
    Violation,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_mpesa import (
    balances,
    c2b,
    mapping,
    messages,
    options,
    payouts,
    pull,
    qr,
    refunds,
    self_checks,
    statements,
    status,
)
from majuu_mpesa.account import Account
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

    Nothing that moves money is repeated after a lost answer: the prompt may be on the phone already, the payout on its
    way. Callbacks of pushes are unsigned; core asks by query before it believes one. Results of all else come to the
    secret address of one request and are correlated by an id.
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
        partial_refunds=True,
        payout_purposes=payouts.PURPOSES,
        payout_fields=payouts.FIELDS,
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
        account = self._account()
        account.check_url(request.webhook_url)
        answer = account.post(PUSH_PATH, mapping.push_body(self.credentials, request, clock.now()), "stk_push")
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

    def prepare_payout(self, request: PayoutRequest) -> PayoutRequest:
        """The payout with its destination and purpose in canonical form; every objection in InvalidPaymentData."""
        return payouts.prepare(request, self.credentials)

    def payout(self, request: PayoutRequest) -> Result:
        """Send once, by B2C or B2B: PENDING when taken, UNKNOWN when the answer was lost or the id came twice."""
        return payouts.send(self._account(), request)

    def fetch_payout(self, request: FetchRequest) -> Result:
        """Ask for the transaction's status: PENDING, the answer comes to ``request.webhook_url``."""
        return status.ask_about_outgoing(self._account(), request)

    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        """By reversal and by B2C, open or closed, each with its reason."""
        return refunds.routes(question, self.credentials)

    def refund(self, request: FollowUpRequest) -> Result:
        """Reverse the payment, or pay it back by B2C; PENDING when taken."""
        return refunds.refund(self._account(), request)

    def fetch_refund(self, request: FetchRequest) -> Result:
        """As fetch_payout."""
        return status.ask_about_outgoing(self._account(), request, reversals_too=True)

    def register_incoming(self, addresses: IncomingAddresses) -> None:
        """Register the C2B addresses, and the Pull API where a nominated number is known."""
        c2b.register(self._account(), addresses)

    def read_incoming_check(self, request: WebhookRequest) -> IncomingMoney:
        """The payment that Daraja asks about before it takes it."""
        return c2b.read_check(request, self.credentials)

    def incoming_check_response(self, objection: Violation | None) -> WebhookResponse:
        """Accept, or refuse with one of C2B00011 to C2B00016."""
        return c2b.check_response(objection)

    def verify_incoming(self, query: IncomingQuery) -> Result:
        """Ask by receipt: PENDING, the answer is an "incoming.checked" event."""
        return status.ask_about_incoming(self._account(), query)

    def list_incoming(self, *, start: datetime, end: datetime) -> Iterator[IncomingMoney]:
        """Payments of the last 48 hours at most, by the Pull API."""
        return pull.list_incoming(self._account(), start, end)

    def request_balances(self, query: BalanceQuery) -> BalanceAnswer:
        """Ask; the balances come as a "balance.reported" event under the answer's reference."""
        return balances.request(self._account(), query)

    def make_qr_code(self, request: QrRequest) -> QrCode:
        """A code for the paybill or till."""
        return qr.make(self._account(), request)

    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        """What is wrong with the account, as far as it can be found without moving money."""
        return self_checks.run(self._account(), callback_url)

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        """Refuse what does not come from Safaricom's addresses. What does is UNSIGNED, or CORRELATED for results."""
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
        return messages.trust(request)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        """The one event of a callback, C2B notice or result."""
        return messages.read_events(request, self.credentials)

    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        """Always 200: Safaricom may throttle an address that answers anything else."""
        return WebhookResponse(status=200, body=b'{"ResultCode":0,"ResultDesc":"Success"}')

    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        """The code in the customer's words, "en" or "sw"; None for a code that only Safaricom can explain."""
        return explain(provider_code, language=language)

    def read_statement(self, file: BinaryIO, *, name: str) -> Iterator[StatementLine | StatementProblem]:
        """The lines of a statement from the organisation portal, CSV or XLSX."""
        return statements.read_statement(file)

    def statement_time_zone(self) -> str:
        """M-Pesa's days are East Africa's."""
        return statements.TIME_ZONE

    def _account(self) -> Account:
        return Account(
            credentials=self.credentials,
            client=self._client(),
            options=self.context.options,
            livemode=self.context.livemode,
        )

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


def _violation(code: str, message: str, field: str) -> Violation:
    return Violation(code=code, message=message, field=field)
