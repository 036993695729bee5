"""PayPal as a payment provider. What each API is and how its answers are read stands in the modules this one calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar

from majuu_core.providers import (
    DisputeState,
    EnvironmentAccount,
    EvidenceRequest,
    Explanation,
    FetchRequest,
    FollowUpRequest,
    InvalidPaymentData,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    PayoutRequest,
    ProviderContext,
    ProviderEvent,
    ProviderInfo,
    RequestRejected,
    Result,
    SelfCheck,
    SettlementLine,
    Trust,
    Violation,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_paypal import (
    authorizations,
    disputes,
    evidence,
    mapping,
    messages,
    options,
    orders,
    payouts,
    refunds,
    self_checks,
    settlements,
    signatures,
)
from majuu_paypal.client import PaypalClient
from majuu_paypal.credentials import PaypalCredentials
from majuu_paypal.currencies import CURRENCIES, amount_violations
from majuu_paypal.environment import read_environment
from majuu_paypal.explanations import explain

METHOD = "paypal"
# Where accounts can take payments, as far as it matters here; PayPal itself lists some two hundred.
COUNTRIES = frozenset(
    {
        *("KE", "UG", "TZ", "RW", "ET", "BW", "LS", "MU", "MW", "MZ", "SC", "ZA", "ZM", "EG", "MA", "SN", "AE"),
        *("US", "CA", "MX", "GB", "IE", "DE", "FR", "NL", "BE", "LU", "AT", "CH", "IT", "ES", "PT", "DK", "SE"),
        *("NO", "FI", "PL", "CZ", "HU", "GR", "IL", "AU", "NZ", "HK", "SG", "JP", "TW", "TH", "PH"),
    }
)


class PaypalProvider(PaymentProvider):
    """PayPal's wallet through Orders v2: the customer approves an order at PayPal, and one more call takes the money.

    Every request carries our idempotency key, so a lost answer is found again by sending the same request.
    """

    code: ClassVar[str] = "paypal"
    info: ClassVar[ProviderInfo] = ProviderInfo(
        display_name="PayPal",
        payment_methods=(PaymentMethodInfo(code=METHOD, label="PayPal", currencies=CURRENCIES),),
        currencies=CURRENCIES,
        countries=COUNTRIES,
        replay_safe=True,
        partial_refunds=True,
        partial_captures=True,
        refund_window_days=refunds.WINDOW_DAYS,
        payout_fields=payouts.FIELDS,
        evidence_fields=evidence.FIELDS,
    )
    credentials_schema: ClassVar[type[PaypalCredentials]] = PaypalCredentials

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        if not isinstance(context.credentials, PaypalCredentials):
            raise TypeError("the credentials of a PayPal account must be PaypalCredentials")
        self.credentials = context.credentials

    @classmethod
    def credentials_from_environment(cls, environ: Mapping[str, str]) -> EnvironmentAccount | None:
        """The account as PAYPAL_CLIENT_ID and its like describe it."""
        return read_environment(environ)

    def check_credentials(self) -> None:
        """Ask for a new access token."""
        self._client().tokens.renew()

    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        """The request as it is; every objection in InvalidPaymentData. PayPal asks the payer itself for all else."""
        if request.payment_method != METHOD:
            message = f"Use the payment method {METHOD}."
            raise InvalidPaymentData(
                Violation(code="payment_method_unsupported", message=message, field="payment_method")
            )
        if violations := amount_violations(request.amount):
            raise InvalidPaymentData(*violations)
        return request

    def sale(self, request: PaymentRequest) -> Result:
        """Make an order to be taken at once when it is approved. REQUIRES_ACTION: send the customer to PayPal."""
        return self._create(request, mapping.CAPTURE)

    def authorize(self, request: PaymentRequest) -> Result:
        """Make an order to be held when it is approved."""
        return self._create(request, mapping.AUTHORIZE)

    def complete(self, request: FollowUpRequest) -> Result:
        """Take or hold the money of an approved order; for any other what it says."""
        return orders.complete(self._client(), request)

    def fetch_payment(self, request: FetchRequest) -> Result:
        """What the order says. UNKNOWN without its id: the order is made again under the same key instead."""
        return orders.fetch(self._client(), request)

    def capture(self, request: FollowUpRequest) -> Result:
        """Take what is held or a part of it; the rest is released. Raises RequestRejected for more than is held."""
        return authorizations.capture(self._client(), request)

    def void(self, request: FollowUpRequest) -> Result:
        """Let go of what is held."""
        return authorizations.void(self._client(), request)

    def refund(self, request: FollowUpRequest) -> Result:
        """Give back any part of a payment, by its capture (``request.receipt``, else the order is asked for it)."""
        return refunds.refund(self._client(), request)

    def fetch_refund(self, request: FetchRequest) -> Result:
        """What the refund says."""
        return refunds.fetch(self._client(), request)

    def prepare_payout(self, request: PayoutRequest) -> PayoutRequest:
        """The payout with its destination in canonical form; every objection in InvalidPaymentData."""
        return payouts.prepare(request)

    def payout(self, request: PayoutRequest) -> Result:
        """Send once: PENDING when taken."""
        return payouts.send(self._client(), request)

    def fetch_payout(self, request: FetchRequest) -> Result:
        """What became of the payout."""
        return payouts.fetch(self._client(), request)

    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        """What the dispute is like now."""
        return disputes.fetch(self._client(), request)

    def list_disputes(self, *, since: datetime) -> Iterator[DisputeState]:
        """Every dispute opened since then, 180 days back at most."""
        return disputes.list_since(self._client(), since)

    def submit_evidence(self, request: EvidenceRequest) -> DisputeState:
        """Send evidence. PayPal keeps no drafts: InvalidPaymentData without ``submit``."""
        return disputes.submit(self._client(), request)

    def accept_dispute(self, request: FollowUpRequest) -> DisputeState:
        """Give in: PayPal gives the money back to the customer."""
        return disputes.accept(self._client(), request)

    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        """Everything that moved on the account, by the transaction search."""
        return settlements.list_lines(self._client(), start=start, end=end)

    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        """What is wrong with the account, as far as it can be found without moving money."""
        return self_checks.run(
            self._make_client,
            self._verification,
            webhook_id=self.credentials.webhook_id,
            livemode=self.context.livemode,
            callback_url=callback_url,
        )

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        """SIGNED for PayPal's message to this account's webhook; UNSIGNED when PayPal cannot be asked just now."""
        try:
            settings = self._verification()
            return signatures.verify(self._make_client(), request, credentials=self.credentials, settings=settings)
        except options.OptionsError as problem:
            raise WebhookRejected(f"the setting is wrong: {problem}") from problem

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        """The one event of a message; none for one about another shop's payment on the same account."""
        return messages.read_events(request, self._client())

    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        """PayPal sends what was not answered with 2xx again for three days: time to mend a wrong webhook id."""
        return WebhookResponse(status=200 if accepted else 400, body=b"{}")

    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        """The code in the customer's words, "en" or "sw"; None for a code that only PayPal can explain."""
        return explain(provider_code, language=language)

    def _create(self, request: PaymentRequest, intent: str) -> Result:
        request = self.prepare_payment(request)
        brand = options.brand_name(self.context.options)
        return orders.create(self._client(), request, intent=intent, brand=brand)

    def _verification(self) -> options.Verification:
        return options.verification(self.context.options, livemode=self.context.livemode)

    def _client(self) -> PaypalClient:
        try:
            return self._make_client()
        except options.OptionsError as problem:
            raise RequestRejected(f"the setting is wrong: {problem}", code="configuration") from problem

    def _make_client(self) -> PaypalClient:
        return PaypalClient(
            http=self.context.http,
            cache=self.context.cache,
            base_url=options.base_url(self.context.options, livemode=self.context.livemode),
            client_id=self.credentials.client_id.get_secret_value(),
            client_secret=self.credentials.client_secret.get_secret_value(),
        )
