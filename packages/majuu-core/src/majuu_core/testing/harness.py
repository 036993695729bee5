"""What a provider's author supplies so that the contract checks can drive the provider."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, cast

from moneyed import Money

from majuu_core.common import ids
from majuu_core.providers import (
    EvidenceRequest,
    FetchRequest,
    FollowUpRequest,
    IncomingMoney,
    PaymentProvider,
    PaymentRequest,
    PayoutRequest,
    Result,
    SaveMethodRequest,
    SupportsPayout,
    SupportsRefund,
    WebhookRequest,
)
from majuu_core.providers.http import Exchange


class NotOffered(Exception):
    """The harness or the provider cannot do this. The check is skipped and the text is shown as the reason."""


class NoHarness(Exception):
    """There is nothing to drive the provider with: only checks that look at its class can run."""


class Outcome(StrEnum):
    """How the other side must behave for a request."""

    SUCCEEDS = "succeeds"  # the customer pays
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    CUSTOMER_CANCELS = "customer_cancels"
    PENDING = "pending"  # not final at first; paid once settle() was called
    # A redirect or the like at first. Once settle() was called it is paid, or approved and waiting for complete().
    NEEDS_ACTION = "needs_action"
    LOST_PAID = "lost_paid"  # the answer never comes back, but the money moved
    LOST_UNPAID = "lost_unpaid"  # the answer never comes back, and nothing happened
    SERVER_ERROR = "server_error"  # the provider answers with a 5xx or with rubbish
    NOT_SENT = "not_sent"  # no connection
    REJECTED = "rejected"  # a 4xx: our request is wrong
    RATE_LIMITED = "rate_limited"
    WRONG_AMOUNT = "wrong_amount"  # the provider reports another amount than was asked
    WRONG_CURRENCY = "wrong_currency"
    FAILS_LATE = "fails_late"  # a refund that is accepted, and fails for good once settle() was called


class WebhookKind(StrEnum):
    """Which webhook to make about a payment."""

    GOOD = "good"
    FORGED = "forged"  # signed with another account's secret
    TAMPERED = "tampered"  # signed well, then the body was changed
    STALE = "stale"  # signed well, long ago
    UNSIGNED = "unsigned"  # without any signature
    WRONG_SENDER = "wrong_sender"  # from an address the provider does not send from


class DisputeOutcome(StrEnum):
    """How a dispute must end once evidence was submitted and settle() was called."""

    WON = "won"
    LOST = "lost"
    INQUIRY = "inquiry"  # only a question so far: no money is withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """A payment whose dispute is open now."""

    request: PaymentRequest
    result: Result
    provider_reference: str  # of the dispute


class AccountWebhook(StrEnum):
    """Which webhook to make that tells accounts and their secrets apart."""

    OTHER_ACCOUNT = "other_account"  # signed well, but about another account of the same owner
    OLD_SECRET = "old_secret"  # signed with a secret that was replaced, and is still listed in the credentials
    RETIRED_SECRET = "retired_secret"  # signed with a secret that was taken out of the credentials


class ProviderHarness(ABC):
    """Drives one provider account in tests, against recorded answers or a simulator.

    A method that cannot do what is asked raises ``NotOffered("why")``. Requests made by the harness are fresh: each
    has a new reference and a new idempotency key.
    """

    provider_class: ClassVar[type[PaymentProvider]]
    secrets: tuple[str, ...] = ()  # every secret value in the credentials, as plain text
    # True where money is given back by new payouts, which the provider does not tie to the payment.
    refunds_are_payouts: ClassVar[bool] = False
    # Required checks, or whole groups, that this provider cannot be put to, each with the reason. The summary shows it.
    waives: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def make_provider(self) -> PaymentProvider:
        """A new instance for the same account, as another process would make it. Called many times in one check."""

    @abstractmethod
    def payment(self, outcome: Outcome = Outcome.SUCCEEDS) -> PaymentRequest:
        """A request that will end like this. The payer's data is as core would send it."""

    def settle(self) -> None:  # noqa: B027 - nothing to wait for is a good default
        """Let the other side finish what is pending: move the clock, let the simulated customer answer."""

    def refund(self, paid: PaymentRequest, result: Result, outcome: Outcome = Outcome.SUCCEEDS) -> FollowUpRequest:
        """A request to give back all of a payment, ending like this."""
        if outcome is not Outcome.SUCCEEDS:
            raise NotOffered(f"this harness has no refund that ends as {outcome}")
        return self.follow_up("re", result)

    def payout(self, outcome: Outcome = Outcome.SUCCEEDS) -> PayoutRequest:
        """A request to send money out, ending like this."""
        raise NotOffered("this harness makes no payouts")

    def learn_refund(self, request: FollowUpRequest, result: Result) -> Result:
        """The last word about a refund, after settle(): what fetch_refund says, unless the provider tells it only by
        webhook. ``result`` is what refund() returned."""
        return cast(SupportsRefund, self.make_provider()).fetch_refund(_question(request, result))

    def learn_payout(self, request: PayoutRequest, result: Result) -> Result:
        """The same about a payout."""
        return cast(SupportsPayout, self.make_provider()).fetch_payout(_question(request, result))

    def save_method(self, outcome: Outcome = Outcome.SUCCEEDS) -> SaveMethodRequest:
        """A request to keep a customer's method, ending like this: SUCCEEDS, NEEDS_ACTION or DECLINED."""
        raise NotOffered(f"this harness saves no method that ends as {outcome}")

    def webhook(self, kind: WebhookKind, request: PaymentRequest, result: Result) -> WebhookRequest:
        """The provider's message about a payment. The same arguments give the same message, as a redelivery would."""
        raise NotOffered(f"this harness makes no {kind} webhooks")

    def dispute(self, outcome: DisputeOutcome = DisputeOutcome.WON) -> Disputed:
        """A payment that was made and is disputed: the dispute waits for an answer, and ends like this."""
        raise NotOffered(f"this harness has no dispute that ends as {outcome}")

    def evidence(self, disputed: Disputed) -> EvidenceRequest:
        """Evidence that the provider takes, to be submitted. By default the first of its texts."""
        fields = [item for item in self.provider_class.info.evidence_fields if item.kind == "text"]
        if not fields:
            raise NotOffered("the provider takes no texts; let the harness make its evidence")
        reference = new_reference("dp")
        return EvidenceRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            provider_reference=disputed.provider_reference,
            texts={fields[0].name: "It was delivered on 3 May."[: fields[0].max_length]},
            submit=True,
        )

    def dispute_webhook(self, disputed: Disputed) -> WebhookRequest:
        """The provider's genuine message about the dispute as it is now."""
        raise NotOffered("this harness makes no messages about disputes")

    def account_webhook(self, kind: AccountWebhook, request: PaymentRequest, result: Result) -> WebhookRequest:
        """The same, where it matters whose message it is and which secret signed it."""
        raise NotOffered(f"this harness makes no {kind} webhooks")

    def redelivery(self, request: PaymentRequest, result: Result) -> WebhookRequest:
        """The good webhook as the provider sends it again later: the same event, another time and signature."""
        raise NotOffered("this harness makes no redeliveries")

    def incoming(self, kind: WebhookKind, money: IncomingMoney) -> WebhookRequest:
        """The provider's message that this money arrived without an intent. The same arguments, the same message."""
        raise NotOffered(f"this harness makes no {kind} messages about incoming money")

    def incoming_check(self, money: IncomingMoney) -> WebhookRequest:
        """The provider's question whether it may take this money."""
        raise NotOffered("this harness asks nothing before money is taken")

    def make_provider_with_bad_credentials(self) -> PaymentProvider:
        """An instance whose keys are well formed but refused."""
        raise NotOffered("this harness has no bad credentials")

    def bad_payment(self) -> PaymentRequest:
        """A request whose payer's data cannot be used: a telephone number that is none, say."""
        raise NotOffered("this harness has no request with bad payer's data")

    def count_payments(self, request: PaymentRequest) -> int:
        """How many payments the other side really made for this request."""
        raise NotOffered("this harness cannot look into the provider")

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """All HTTP exchanges so far, as core would store them."""
        return ()

    def close(self) -> None:  # noqa: B027 - most harnesses hold nothing
        """Give back what the harness holds. Called after each check."""

    def follow_up(self, prefix: str, result: Result, *, amount: Money | None = None) -> FollowUpRequest:
        """A fresh request about an earlier result: capture, void, complete or refund."""
        reference = new_reference(prefix)
        return FollowUpRequest(
            idempotency_key=f"key-{reference}",
            reference=reference,
            provider_reference=result.provider_reference or "",
            receipt=result.receipt,
            amount=amount,
        )


def _question(request: FollowUpRequest | PayoutRequest, result: Result) -> FetchRequest:
    return FetchRequest(
        reference=request.reference, provider_reference=result.provider_reference, amount=request.amount
    )


def new_reference(prefix: str) -> str:
    """A public id like core's own: ``ch_…``, ``re_…``, ``po_…``."""
    return ids.encode_id(prefix, ids.new_uuid())
