"""Stripe as a payment provider. What each part of its API says is read in the modules this one calls."""

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
    InvalidCredentials,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    ProviderContext,
    ProviderError,
    ProviderEvent,
    ProviderInfo,
    RequestRejected,
    Result,
    SavedMethodState,
    SaveMethodRequest,
    SelfCheck,
    SettlementLine,
    Trust,
    WebhookRequest,
    WebhookResponse,
)
from majuu_stripe import (
    disputes,
    events,
    evidence,
    options,
    payments,
    preparing,
    refunds,
    saved_methods,
    self_checks,
    settlements,
    signatures,
)
from majuu_stripe.account import Account
from majuu_stripe.client import StripeApi
from majuu_stripe.credentials import StripeCredentials
from majuu_stripe.currencies import CURRENCIES
from majuu_stripe.environment import read_environment
from majuu_stripe.explanations import explain


class StripeProvider(PaymentProvider):
    """Cards through Stripe: in Stripe's own page, or by a token that Stripe's form made in the customer's browser.

    Card numbers never come near us. Every request that moves money carries core's idempotency key, so sending it again
    is a look-up.
    """

    code: ClassVar[str] = "stripe"
    info: ClassVar[ProviderInfo] = ProviderInfo(
        display_name="Stripe",
        payment_methods=(PaymentMethodInfo(code=preparing.METHOD, label="Card"),),
        currencies=CURRENCIES,
        countries=frozenset(),
        replay_safe=True,
        partial_refunds=True,
        partial_captures=True,
        evidence_fields=evidence.FIELDS,
    )
    credentials_schema: ClassVar[type[StripeCredentials]] = StripeCredentials

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        if not isinstance(context.credentials, StripeCredentials):
            raise TypeError("the credentials of a Stripe account must be StripeCredentials")
        self.credentials = context.credentials

    @classmethod
    def credentials_from_environment(cls, environ: Mapping[str, str]) -> EnvironmentAccount | None:
        """The account as STRIPE_SECRET_KEY and its like describe it."""
        return read_environment(environ)

    def check_credentials(self) -> None:
        """Ask for the balance, and compare the mode."""
        self_checks.check_mode(self._account())

    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        """The request, unless its amount or the payer's data cannot be used: InvalidPaymentData with every reason."""
        return preparing.prepare(request)

    def sale(self, request: PaymentRequest) -> Result:
        """Charge the token, or open Stripe's page: REQUIRES_ACTION with its address."""
        return payments.take(self._account(), preparing.prepare(request), capture_method="automatic")

    def authorize(self, request: PaymentRequest) -> Result:
        """As sale, but the money is only held."""
        return payments.take(self._account(), preparing.prepare(request), capture_method="manual")

    def capture(self, request: FollowUpRequest) -> Result:
        """Take what is held, or a part of it; the rest is released."""
        return payments.capture(self._account(), request)

    def void(self, request: FollowUpRequest) -> Result:
        """Let go what is held, or close a page in which nobody paid yet."""
        return payments.void(self._account(), request)

    def fetch_payment(self, request: FetchRequest) -> Result:
        """By Stripe's id, else by ours in the metadata; UNKNOWN when Stripe knows nothing of it."""
        return payments.fetch(self._account(), request)

    def refund(self, request: FollowUpRequest) -> Result:
        """Give back all or a part, as often as there is something left."""
        return refunds.refund(self._account(), request)

    def fetch_refund(self, request: FetchRequest) -> Result:
        """As fetch_payment."""
        return refunds.fetch(self._account(), request)

    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        """The dispute as it is now."""
        return disputes.fetch(self._account(), request)

    def list_disputes(self, *, since: datetime) -> Iterator[DisputeState]:
        """Disputes about payments of ours."""
        return disputes.list_since(self._account(), since)

    def submit_evidence(self, request: EvidenceRequest) -> DisputeState:
        """Files first, then the texts that belong to them."""
        return disputes.submit_evidence(self._account(), request)

    def accept_dispute(self, request: FollowUpRequest) -> DisputeState:
        """Close it at Stripe."""
        return disputes.accept(self._account(), request)

    def save_method(self, request: SaveMethodRequest) -> SavedMethodState:
        """Save a card by its token, or in Stripe's page."""
        return saved_methods.save(self._account(), request)

    def fetch_saved_method(self, request: FetchRequest) -> SavedMethodState:
        """What became of the saving."""
        return saved_methods.fetch(self._account(), request)

    def forget_method(self, state: SavedMethodState) -> SavedMethodState:
        """Take the card from its customer at Stripe."""
        return saved_methods.forget(self._account(), state)

    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        """Balance transactions of these days."""
        return settlements.list_lines(self._account(), start=start, end=end)

    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        """What is wrong with the account, as far as it can be found without moving money."""
        try:
            account = self._account()
        except ProviderError as problem:
            yield SelfCheck(name="secret_key", state=self_checks.ERROR, message=str(problem))
            return
        yield from self_checks.run(account, callback_url)

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        """SIGNED, by any of the account's signing secrets."""
        return signatures.verify(self._account(), request)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        """What the message says of payments of ours; nothing for what other systems made in the same account."""
        return events.read(self._account(), request)

    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        """Stripe sends again what was not answered with a 2xx."""
        return WebhookResponse(status=200 if accepted else 400, body=b"{}")

    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        """The decline in the customer's words, "en" or "sw"; None for a code without any."""
        return explain(provider_code, language=language)

    def _account(self) -> Account:
        if self.credentials.livemode is not self.context.livemode:
            wanted = "live" if self.context.livemode else "test"
            raise InvalidCredentials(f"This is a {wanted} account. Enter a secret key that begins with sk_{wanted}_.")
        try:
            addresses = options.base_addresses(self.context.options, livemode=self.context.livemode)
        except options.OptionsError as problem:
            raise RequestRejected(f"the setting is wrong: {problem}", code="configuration") from problem
        api = StripeApi(
            http=self.context.http,
            secret_key=self.credentials.secret_key.get_secret_value(),
            base_addresses=addresses,
        )
        return Account(
            account_id=self.context.account_id,
            livemode=self.context.livemode,
            credentials=self.credentials,
            api=api,
            cache=self.context.cache,
            options=self.context.options,
        )
