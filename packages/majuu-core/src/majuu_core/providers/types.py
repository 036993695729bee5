"""The values that cross the provider contract: frozen, keyword-only, explicit.

Amounts are ``moneyed.Money``. Times are timezone-aware. ``raw`` is for people who read the console: it is redacted
already, and no code may depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from moneyed import Money

from majuu_core.providers.disputes import DisputeState, EvidenceField
from majuu_core.providers.incoming import AccountBalance, IncomingMoney

if TYPE_CHECKING:
    from majuu_core.providers.saved_methods import SavedMethodState

# Seconds after the call at which core asks the provider for the truth, while it is not known: promise P3.
DEFAULT_FOLLOW_UP_SECONDS: tuple[int, ...] = (10, 20, 40, 120, 300, 900, 3600, *(3600 * hour for hour in range(2, 26)))


class ResultStatus(StrEnum):
    """What is known about an operation at the provider."""

    SUCCEEDED = "succeeded"  # money moved (or the refund or payout completed)
    AUTHORIZED = "authorized"  # held, not captured
    PENDING = "pending"  # accepted; a webhook or a fetch will settle it
    REQUIRES_ACTION = "requires_action"  # the customer must do something: see next_action
    FAILED = "failed"  # definite: no money moved; see failure
    CANCELED = "canceled"  # definite: voided, expired or abandoned
    UNKNOWN = "unknown"  # may or may not have happened: must be fetched


class FailureCode(StrEnum):
    """Why a payment failed, in words that are the same for every provider."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    DECLINED = "declined"
    CUSTOMER_CANCELED = "customer_canceled"
    AUTHENTICATION_FAILED = "authentication_failed"
    LIMIT_EXCEEDED = "limit_exceeded"
    INVALID_PAYMENT_METHOD = "invalid_payment_method"
    EXPIRED = "expired"
    PROCESSING_ERROR = "processing_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A definite no. ``provider_code`` is text, exactly as the provider sent it."""

    code: FailureCode
    provider_code: str
    message: str  # safe to show to the merchant


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """What the customer has to do now.

    ``type`` is one of "redirect" (data: url), "await_phone_prompt" (data: phone), "use_client_secret",
    "display_instructions" (data: text and reference).
    """

    type: str
    data: Mapping[str, str]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The provider's answer about one operation."""

    status: ResultStatus
    provider_reference: str | None = None  # what the provider is asked by later
    receipt: str | None = None  # the number the customer sees, e.g. an M-Pesa receipt
    amount: Money | None = None  # as the provider reports it; core compares it with the request
    next_action: NextAction | None = None
    failure: Failure | None = None
    fee: Money | None = None
    payer: str | None = None  # who paid, as the provider names them; may be masked or hashed
    occurred_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)  # redacted already
    # Of a refund or payout whose outcome no question can tell: why a person has to look. Core parks it; the hold stays.
    doubt: str = ""
    # PENDING: the customer has approved, and nothing moves until complete() is called. Core calls it.
    needs_completion: bool = False
    capture_before: datetime | None = None  # AUTHORIZED: when the provider lets the hold go

    def __post_init__(self) -> None:
        if self.needs_completion and self.status is not ResultStatus.PENDING:
            raise ValueError("needs_completion is set only when status is PENDING")
        if self.doubt and self.status is not ResultStatus.UNKNOWN:
            raise ValueError("doubt is set only when status is UNKNOWN")
        if (self.status is ResultStatus.FAILED) != (self.failure is not None):
            raise ValueError("failure is set exactly when status is FAILED")
        if (self.status is ResultStatus.REQUIRES_ACTION) != (self.next_action is not None):
            raise ValueError("next_action is set exactly when status is REQUIRES_ACTION")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    idempotency_key: str  # stable for this operation across every retry
    reference: str  # our public id, e.g. "ch_..."; sent to the provider as its merchant reference
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest(_Request):
    """For sale() and authorize()."""

    amount: Money
    payment_method: str  # "mpesa_stk" | "card" | "paypal_wallet" ...
    payment_method_data: Mapping[str, str]  # tokens and phone numbers, never a card number
    description: str = ""
    merchant_reference: str = ""  # the shop's own order number, for statements the customer reads
    return_url: str = ""
    webhook_url: str = ""  # unguessable and this charge's own
    cancel_url: str = ""  # where a customer goes who does not want to pay after all
    customer_email: str = ""
    # A method the customer saved before, by the provider's own ids (``SavedMethodState``); "" without one.
    saved_method: str = ""
    customer_reference: str = ""
    customer_present: bool = True  # False: nobody is there to answer a bank's question


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpRequest(_Request):
    """For capture, void, refund and complete.

    A capture is the last of its authorization: what it leaves is released.
    """

    provider_reference: str
    amount: Money | None = None  # None: the full remaining amount
    reason: str = ""
    receipt: str | None = None  # the receipt of the original payment, where the provider refunds by it
    webhook_url: str = ""
    method: str = ""  # the RefundRoute that was chosen; "" where the provider has only one
    destination: Mapping[str, str] = field(default_factory=dict)  # where a refund goes that is paid out anew
    paid: Money | None = None  # what the payment brought, for a provider that cannot look at it when it refunds


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutRequest(_Request):
    """Money we send out."""

    amount: Money
    destination: Mapping[str, str]
    reason: str = ""
    webhook_url: str = ""
    purpose: str = ""  # the provider's own kind of payout, one of ``ProviderInfo.payout_purposes``


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """Ask for the truth about an operation."""

    reference: str
    provider_reference: str | None  # None when the first call never answered
    amount: Money | None = None  # what was asked for, so that an answer without an amount can be understood
    webhook_url: str = ""  # where an answer goes that comes later: the result is PENDING then


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A provider's request to us, exactly as it came."""

    method: str
    headers: Mapping[str, str]  # lower-cased keys
    query: Mapping[str, str]
    body: bytes
    remote_addr: str  # resolved through trusted proxies only
    reference: str | None = None  # our public id, when the request came to the address of one charge, payout or refund
    topic: str = ""  # the last part of the address, such as "timeout"; "" without one


class Trust(StrEnum):
    """What a webhook's origin is worth."""

    SIGNED = "signed"  # cryptographically verified: the payload may be applied
    UNSIGNED = "unsigned"  # no proof of origin: core fetches the truth before applying
    # Unsigned, but sent to the secret address of one request and naming the id that the provider itself gave to it:
    # as good as it gets where the truth cannot be fetched in another way (M-Pesa's results). Core compares the ids.
    CORRELATED = "correlated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """One thing a provider told us. ``event_id`` is unique per provider account: the deduplication key."""

    event_id: str
    # "payment.updated" | "refund.updated" | "payout.updated" | "balance.reported"
    # "incoming.received" (with ``incoming``) | "incoming.checked" (the answer to verify_incoming)
    # "dispute.updated" (with ``dispute``) | "saved_method.updated" (with ``saved_method``); their ``result`` is UNKNOWN
    type: str
    reference: str | None
    provider_reference: str
    result: Result
    occurred_at: datetime
    incoming: IncomingMoney | None = None
    balances: tuple[AccountBalance, ...] = ()
    dispute: DisputeState | None = None
    saved_method: SavedMethodState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookResponse:
    """What the provider wants to hear from us."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLine:
    """One line of the provider's statement."""

    provider_reference: str
    kind: str  # "charge" | "refund" | "fee" | "payout" | "dispute" | "adjustment"
    gross: Money  # above zero for money in, below zero for money out
    fee: Money  # kept from this very line; below zero when it was given back
    settled_on: date  # when it could be paid out, by the provider's own days
    occurred_at: datetime | None = None
    counterparty: str = ""
    description: str = ""
    line_id: str = ""  # the provider's id of this very line, the same however often it is listed
    reference: str = ""  # our public id of the charge, refund or payout, where the provider repeats it
    receipt: str = ""
    # The provider's payout to the bank that holds this line. A line of the kind "payout" that names one is that payout,
    # or its return; one that names none is money sent to somebody else.
    payout_reference: str = ""
    presented: Money | None = None  # what the customer paid or got back, above zero, where gross is another currency

    def __post_init__(self) -> None:
        if self.gross.currency != self.fee.currency:
            raise ValueError("gross and fee are in one currency")
        if self.presented is not None and self.presented.amount <= 0:
            raise ValueError("what was presented is above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """An objection to a request: a stable code, a sentence that says what to do, and the field it is about."""

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A failure in the customer's own words, and what to do next."""

    text: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentAccount:
    """An account as the names say that people already have in their environment. Values are never shown."""

    livemode: bool
    credentials: Mapping[str, Any] = field(repr=False)
    used: tuple[str, ...] = ()  # the names that were read
    missing: tuple[str, ...] = ()  # names without which the account cannot be made
    callback_url: str = ""  # where the environment says that the provider should call, to compare with ours
    notes: tuple[str, ...] = ()  # sentences about values that mean something else here


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodField:
    """One thing the customer has to enter. ``kind`` is "phone", "email" or "text"."""

    name: str
    kind: str
    label: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodInfo:
    """A way to pay, as checkout and the API present it."""

    code: str
    label: str
    fields: tuple[MethodField, ...] = ()
    currencies: frozenset[str] = frozenset()  # empty: all of the provider's


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInfo:
    """Facts the code cannot express. Behaviour is read off the Supports* protocols."""

    display_name: str
    payment_methods: tuple[PaymentMethodInfo, ...]
    currencies: frozenset[str]
    countries: frozenset[str]
    replay_safe: bool = False  # honours idempotency keys: resending the same key is a safe look-up
    partial_refunds: bool = False
    partial_captures: bool = False
    refund_window_days: int | None = None
    follow_up_seconds: tuple[int, ...] = DEFAULT_FOLLOW_UP_SECONDS
    payout_purposes: tuple[str, ...] = ()  # the first is the usual one
    payout_fields: tuple[MethodField, ...] = ()  # what ``PayoutRequest.destination`` must hold
    evidence_fields: tuple[EvidenceField, ...] = ()  # what ``SupportsDisputes.submit_evidence`` takes
    # Nobody can be asked: a statement or a person tells that money came, or that a refund was paid. A charge waits
    # until its intent expires, and gives way when the customer chooses another method.
    told_by_people: bool = False

    def method(self, code: str) -> PaymentMethodInfo | None:
        """The payment method with this code, or None."""
        return next((method for method in self.payment_methods if method.code == code), None)

    def takes(self, method: str, currency: str) -> bool:
        """True when the method can be paid in the currency."""
        found = self.method(method)
        return found is not None and currency in (found.currencies or self.currencies)
