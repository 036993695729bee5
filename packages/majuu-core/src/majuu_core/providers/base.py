"""The contract a payment provider package implements.

Required of everyone: ``code``, ``contract_version``, ``info``, ``credentials_schema``, ``check_credentials()`` and
``fetch_payment()``. Everything else is a small protocol: to implement it is to have the capability. The base class
does not define the optional methods, or every provider would seem to support everything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import BinaryIO, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel

from majuu_core.providers.disputes import DisputeState, EvidenceRequest
from majuu_core.providers.http import ProviderHttp
from majuu_core.providers.incoming import (
    BalanceAnswer,
    BalanceQuery,
    IncomingAddresses,
    IncomingMoney,
    IncomingQuery,
    QrCode,
    QrRequest,
    RefundQuestion,
    RefundRoute,
    SelfCheck,
)
from majuu_core.providers.saved_methods import SavedMethodState, SaveMethodRequest
from majuu_core.providers.statements import StatementLine, StatementProblem
from majuu_core.providers.types import (
    EnvironmentAccount,
    Explanation,
    FetchRequest,
    FollowUpRequest,
    PaymentRequest,
    PayoutRequest,
    ProviderEvent,
    ProviderInfo,
    Result,
    SettlementLine,
    Trust,
    Violation,
    WebhookRequest,
    WebhookResponse,
)

CONTRACT_VERSION = 1


class SharedCache(Protocol):
    """A cache that all processes share, for access tokens and the like."""

    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str, *, seconds: int) -> None: ...

    def delete(self, key: str) -> None: ...

    def lock(self, key: str, *, seconds: int) -> AbstractContextManager[bool]:
        """Hold a short lock across processes. Yields False when another held it all the while; go on all the same."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderContext:
    """Everything core gives a provider: one account's credentials and the tools to talk to the outside."""

    account_id: str  # public id of the ProviderAccount
    livemode: bool
    credentials: BaseModel = field(repr=False)  # an instance of the provider's credentials_schema
    http: ProviderHttp
    cache: SharedCache
    options: Mapping[str, str] = field(default_factory=dict)  # the operator's settings, e.g. another base address


class PaymentProvider(ABC):
    """Base class of every provider. One instance serves one provider account and keeps no state between calls."""

    code: ClassVar[str]  # stored on rows, never renamed
    contract_version: ClassVar[int] = CONTRACT_VERSION
    info: ClassVar[ProviderInfo]
    credentials_schema: ClassVar[type[BaseModel]]

    def __init__(self, context: ProviderContext) -> None:
        self.context = context

    @abstractmethod
    def check_credentials(self) -> None:
        """Make one cheap authenticated call. Raise InvalidCredentials if it is refused."""

    @abstractmethod
    def fetch_payment(self, request: FetchRequest) -> Result:
        """Report the payment's present state; never invent one.

        ``provider_reference`` is None when the first call never answered. Look up by our reference then; a provider
        that cannot (M-Pesa STK) returns UNKNOWN, and the webhook or the settlement decides.
        """


@runtime_checkable
class SupportsSale(Protocol):
    """Takes money in one step."""

    def sale(self, request: PaymentRequest) -> Result: ...


@runtime_checkable
class SupportsAuthorization(Protocol):
    """Holds money first and takes it later."""

    def authorize(self, request: PaymentRequest) -> Result: ...

    def capture(self, request: FollowUpRequest) -> Result: ...

    def void(self, request: FollowUpRequest) -> Result: ...


@runtime_checkable
class SupportsCompletion(Protocol):
    """Needs a call when the customer comes back from a redirect or an approval.

    A fetched or told Result says so by ``needs_completion``. The call takes the money, or holds it where authorize()
    began. Called again it says what became of the first call.
    """

    def complete(self, request: FollowUpRequest) -> Result: ...


@runtime_checkable
class SupportsRefund(Protocol):
    """Gives money back."""

    def refund(self, request: FollowUpRequest) -> Result: ...

    def fetch_refund(self, request: FetchRequest) -> Result: ...


@runtime_checkable
class SupportsPayout(Protocol):
    """Sends money out."""

    def payout(self, request: PayoutRequest) -> Result: ...

    def fetch_payout(self, request: FetchRequest) -> Result: ...


@runtime_checkable
class SupportsWebhooks(Protocol):
    """Is told by the provider what happened."""

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        """Say what the request's origin is worth. Raise WebhookRejected when it is forged, stale or unreadable."""
        ...

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        """The events in the request. Raise WebhookRejected for a body that cannot be read."""
        ...

    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        """What the provider wants to hear."""
        ...


@runtime_checkable
class SupportsDisputes(Protocol):
    """Is where customers dispute payments. Told of by "dispute.updated" events."""

    def fetch_dispute(self, request: FetchRequest) -> DisputeState:
        """What it is like now. Raise RequestRejected when there is no such dispute."""
        ...

    def list_disputes(self, *, since: datetime) -> Iterator[DisputeState]:
        """Every dispute opened since then, for what the webhooks lost."""
        ...

    def submit_evidence(self, request: EvidenceRequest) -> DisputeState:
        """Send evidence. Raise InvalidPaymentData for what the provider does not take, naming the field."""
        ...

    def accept_dispute(self, request: FollowUpRequest) -> DisputeState:
        """Give in. Called again for an accepted one it says the same."""
        ...


@runtime_checkable
class SupportsSavedMethods(Protocol):
    """Keeps customers' methods for later payments. Told of by "saved_method.updated" events."""

    def save_method(self, request: SaveMethodRequest) -> SavedMethodState: ...

    def fetch_saved_method(self, request: FetchRequest) -> SavedMethodState:
        """What became of a saving. Never invents an active one."""
        ...

    def forget_method(self, state: SavedMethodState) -> SavedMethodState:
        """Let payments name it no longer. Called again it says REMOVED."""
        ...


@runtime_checkable
class SupportsSettlements(Protocol):
    """Can list what the provider's statement holds."""

    def list_settlement_lines(self, *, start: date, end: date) -> Iterator[SettlementLine]:
        """Everything that moved on the account from ``start`` to ``end``, both days included, in UTC."""
        ...


@runtime_checkable
class LimitsMethods(Protocol):
    """Takes less with some of its accounts than its ProviderInfo says."""

    def offers(self, method: str, currency: str) -> bool:
        """Whether this very account takes the method in the currency. Pure: no call, no clock."""
        ...


@runtime_checkable
class ReadsReferences(Protocol):
    """Gives its payments references that payers write into a transfer."""

    def payment_references(self, text: str) -> Sequence[str]:
        """The ``provider_reference`` values that a payer's text may hold, the likeliest first, at most forty. Pure."""
        ...

    def takes_other_amounts(self) -> bool:
        """Whether a named payment takes another amount than was asked for without a person's word. Pure."""
        ...

    def posting_receipt(self, bank_reference: str, day: date) -> str:
        """What ``read_statement`` will call a posting of that day with this number of the bank's. Pure."""
        ...


@runtime_checkable
class ReadsStatements(Protocol):
    """Understands the statement files that its portal gives to people."""

    def read_statement(self, file: BinaryIO, *, name: str) -> Iterator[StatementLine | StatementProblem]:
        """The rows of a file that can be rewound, one after the other, in constant memory; no call, no clock. Raise
        StatementUnreadable when none of it can be used."""
        ...

    def statement_time_zone(self) -> str:
        """Whose days the statement counts, such as "Africa/Nairobi"."""
        ...


@runtime_checkable
class PreparesPayments(Protocol):
    """Checks and normalises what the payer entered, before anything is stored or sent."""

    def prepare_payment(self, request: PaymentRequest) -> PaymentRequest:
        """The request in canonical form (a phone number in full, say). Raise InvalidPaymentData with reasons."""
        ...


@runtime_checkable
class ExplainsFailures(Protocol):
    """Can tell a customer what went wrong, in their language ("en" or "sw")."""

    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None: ...


@runtime_checkable
class SupportsIncoming(Protocol):
    """Takes money that nobody asked for by an intent (a paybill or till), and tells of it by webhook."""

    def register_incoming(self, addresses: IncomingAddresses) -> None:
        """Tell the provider where to ask and to tell. Raise RequestRejected with what to do when it refuses."""
        ...

    def read_incoming_check(self, request: WebhookRequest) -> IncomingMoney:
        """The payment the provider asks about before it takes it. Raise WebhookRejected for an unreadable one."""
        ...

    def incoming_check_response(self, objection: Violation | None) -> WebhookResponse:
        """Accept (None), or refuse; ``objection.code`` is the provider's own code where it is one of those."""
        ...


@runtime_checkable
class VerifiesIncoming(Protocol):
    """Can be asked whether money really arrived."""

    def verify_incoming(self, query: IncomingQuery) -> Result:
        """SUCCEEDED with receipt and amount, FAILED when there is no such money, PENDING when the answer comes later
        as an "incoming.checked" event; UNKNOWN when it cannot be asked."""
        ...


@runtime_checkable
class ListsIncoming(Protocol):
    """Can list the money that arrived lately, for what its webhooks lost."""

    def list_incoming(self, *, start: datetime, end: datetime) -> Iterator[IncomingMoney]: ...


@runtime_checkable
class SupportsBalances(Protocol):
    """Knows what stands on the accounts behind a provider account."""

    def request_balances(self, query: BalanceQuery) -> BalanceAnswer: ...


@runtime_checkable
class MakesQrCodes(Protocol):
    """Can draw a code that a customer's app scans to pay."""

    def make_qr_code(self, request: QrRequest) -> QrCode: ...


@runtime_checkable
class PlansRefunds(Protocol):
    """Has more than one way of giving money back. Pure: no call, no clock."""

    def refund_routes(self, question: RefundQuestion) -> Sequence[RefundRoute]:
        """Every way in the order of preference, the closed ones too, each with its reason."""
        ...


@runtime_checkable
class PreparesPayouts(Protocol):
    """Checks and normalises a payout before anything is stored or sent."""

    def prepare_payout(self, request: PayoutRequest) -> PayoutRequest:
        """The request in canonical form. Raise InvalidPaymentData with reasons."""
        ...


@runtime_checkable
class ChecksItself(Protocol):
    """Can find out what is wrong with an account before customers do."""

    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        """One answer after the other. ``callback_url`` is what the provider would be given."""
        ...


@runtime_checkable
class CredentialsFromEnvironment(Protocol):
    """Knows environment names that people already use for its credentials."""

    @classmethod
    def credentials_from_environment(cls, environ: Mapping[str, str]) -> EnvironmentAccount | None:
        """The account that the names describe; None when none of them is set. Raise InvalidPaymentData for values
        that cannot be understood, without repeating them."""
        ...


CAPABILITIES: tuple[type, ...] = (
    SupportsSale,
    SupportsAuthorization,
    SupportsCompletion,
    SupportsRefund,
    SupportsPayout,
    SupportsWebhooks,
    SupportsDisputes,
    SupportsSavedMethods,
    SupportsSettlements,
    ReadsStatements,
    ReadsReferences,
    LimitsMethods,
    SupportsIncoming,
    VerifiesIncoming,
    ListsIncoming,
    SupportsBalances,
    MakesQrCodes,
    PlansRefunds,
    PreparesPayments,
    PreparesPayouts,
    ExplainsFailures,
    ChecksItself,
    CredentialsFromEnvironment,
)


def operations(provider: type[PaymentProvider] | PaymentProvider) -> frozenset[str]:
    """The optional operations this provider really implements, e.g. {"sale", "refund", …}."""
    return frozenset(
        name
        for capability in CAPABILITIES
        if all(hasattr(provider, name) for name in methods_of(capability))
        for name in methods_of(capability)
    )


def incomplete_capabilities(provider: type[PaymentProvider]) -> dict[str, list[str]]:
    """Capabilities only half implemented: {"SupportsRefund": ["fetch_refund"]}. A system check reports them."""
    found: dict[str, list[str]] = {}
    for capability in CAPABILITIES:
        missing = [name for name in methods_of(capability) if not hasattr(provider, name)]
        if missing and len(missing) < len(methods_of(capability)):
            found[capability.__name__] = missing
    return found


@cache
def methods_of(capability: type) -> tuple[str, ...]:
    """The operations that make up a capability, in the order of its protocol."""
    return tuple(
        name
        for name, value in vars(capability).items()
        if (callable(value) or isinstance(value, classmethod)) and not name.startswith("_")
    )
