"""FakeProvider: the provider behind the "mock" payment method of test mode. No money, no network, no memory.

It keeps no state: what a payment is, and since when, is written and signed in its provider reference, so the web
process and the worker agree. How a payment behaves follows from its amount; see ``mock_amounts``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from moneyed import Money
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from majuu_core.common import clock, randomness
from majuu_core.common.money import (
    CURRENCY_CODES,
    AmountError,
    currency_of,
    format_amount,
    to_minor_units,
)
from majuu_core.providers import (
    Explanation,
    Failure,
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    IncomingAddresses,
    IncomingMoney,
    IncomingQuery,
    InvalidCredentials,
    InvalidPaymentData,
    NextAction,
    NotSent,
    OutcomeUnknown,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    PayoutRequest,
    ProviderContext,
    ProviderEvent,
    ProviderInfo,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    Trust,
    Violation,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.testing.mock_amounts import Behaviour, Trouble, behaviour_for
from majuu_core.testing.mock_incoming import is_money, money_event, read_money, told_of, write_money
from majuu_core.testing.mock_messages import MESSAGES
from majuu_core.testing.mock_wire import MockReference, WebhookBody, created_at

WEBHOOK_TOLERANCE_SECONDS = 300
_PAYMENTS = frozenset({"sale", "auth", "capture", "void"})


class MockCredentials(BaseModel):
    """Credentials of a mock account: a secret that signs references and webhooks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: SecretStr = Field(min_length=16)

    @classmethod
    def generate(cls) -> MockCredentials:
        """Credentials with a new random secret."""
        return cls(secret=SecretStr(randomness.encode_url_safe(randomness.secret_bytes(20))))


class FakeProvider(PaymentProvider):
    """Does everything the contract knows but settlements. Refuses to work in live mode."""

    code = "mock"
    info = ProviderInfo(
        display_name="Mock (test money)",
        payment_methods=(PaymentMethodInfo(code="mock", label="Test payment"),),
        currencies=frozenset(CURRENCY_CODES),
        countries=frozenset({"KE", "UG", "TZ", "RW", "BI", "ET", "SS"}),
        replay_safe=True,
        partial_refunds=True,
        partial_captures=True,
    )
    credentials_schema = MockCredentials

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        if not isinstance(context.credentials, MockCredentials):
            raise TypeError("FakeProvider needs MockCredentials")
        self._secret = context.credentials.secret.get_secret_value().encode()

    def check_credentials(self) -> None:
        self._refuse_livemode()

    def sale(self, request: PaymentRequest) -> Result:
        return self._start("sale", request, return_url=request.return_url)

    def authorize(self, request: PaymentRequest) -> Result:
        if behaviour_for(request.amount).trouble is Trouble.LOST:  # a fetch could not tell it from a sale
            raise RequestRejected("amounts whose answer is lost work with sale only", code="magic_amount")
        return self._start("auth", request, return_url=request.return_url)

    def complete(self, request: FollowUpRequest) -> Result:
        return self._state(self._parent(request, {"sale", "auth"}))

    def capture(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"auth"}, status=ResultStatus.AUTHORIZED)
        return self._start("capture", request, amount=self._share(request, parent))

    def void(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"auth"}, status=ResultStatus.AUTHORIZED)
        return self._start("void", request, amount=parent.amount)

    def refund(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"sale", "capture"}, status=ResultStatus.SUCCEEDED)
        return self._start("refund", request, amount=self._share(request, parent))

    def payout(self, request: PayoutRequest) -> Result:
        return self._start("payout", request)

    def fetch_payment(self, request: FetchRequest) -> Result:
        return self._fetch(request, _PAYMENTS)

    def fetch_refund(self, request: FetchRequest) -> Result:
        return self._fetch(request, {"refund"})

    def fetch_payout(self, request: FetchRequest) -> Result:
        return self._fetch(request, {"payout"})

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        stamp, signature = request.headers.get("mock-timestamp", ""), request.headers.get("mock-signature", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise WebhookRejected("mock-timestamp is missing or not a number")
        wanted = self._signature(stamp, request.body)
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), wanted.encode()):
            raise WebhookRejected("mock-signature does not fit")
        if abs(clock.now().timestamp() - int(stamp)) > WEBHOOK_TOLERANCE_SECONDS:
            raise WebhookRejected(f"the request is older than {WEBHOOK_TOLERANCE_SECONDS} seconds")
        if self.context.livemode:
            raise WebhookRejected("the mock method takes no real money")
        return Trust.SIGNED

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        try:
            if is_money(request.body):
                return [money_event(read_money(request.body))]
            return [WebhookBody.model_validate_json(request.body).to_event()]
        except (ValidationError, AmountError, ValueError) as problem:
            raise WebhookRejected(f"the body cannot be read: {type(problem).__name__}") from problem

    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        return WebhookResponse(
            status=200 if accepted else 400, body=b'{"received":%s}' % str(accepted).lower().encode()
        )

    def register_incoming(self, addresses: IncomingAddresses) -> None:
        self._refuse_livemode()
        if not addresses.notice_url.startswith(("http://", "https://")):
            raise RequestRejected("the address is not one of the web", code="address")

    def read_incoming_check(self, request: WebhookRequest) -> IncomingMoney:
        return read_money(request.body)

    def incoming_check_response(self, objection: Violation | None) -> WebhookResponse:
        return WebhookResponse(body=json.dumps({"refused": objection.code if objection else None}).encode())

    def verify_incoming(self, query: IncomingQuery) -> Result:
        """A receipt that begins with GONE never was; every other one is as it was told."""
        self._refuse_livemode()
        return told_of(query.receipt)

    def list_incoming(self, *, start: datetime, end: datetime) -> Iterator[IncomingMoney]:
        """What the operator's option ``incoming`` holds (a JSON list of messages), within that time."""
        self._refuse_livemode()
        for item in json.loads(self.context.options.get("incoming", "[]")):
            money = read_money(json.dumps(item).encode())
            if start <= money.occurred_at <= end:
                yield money

    def make_incoming_webhook(self, money: IncomingMoney) -> WebhookRequest:
        """The signed message the mock provider would send now about money that arrived."""
        return self._signed(write_money(money))

    def explain_failure(self, provider_code: str, *, language: str) -> Explanation | None:
        if provider_code not in {code.value for code in MESSAGES}:
            return None
        english, step, swahili, swahili_step = MESSAGES[FailureCode(provider_code)]
        if language == "sw":
            return Explanation(text=swahili, next_step=swahili_step)
        return Explanation(text=english, next_step=step)

    def make_webhook(self, *, reference: str, provider_reference: str, type: str = "payment.updated") -> WebhookRequest:
        """The signed webhook the mock provider would send now about one of its payments, refunds or payouts."""
        token = MockReference.read(provider_reference, self._secret)
        if token is None:
            raise ValueError(f"{provider_reference!r} is not a reference of this account")
        result = self._state(token)
        return self._signed(json.dumps(WebhookBody.describe(type, reference, result).model_dump(mode="json")).encode())

    def _signed(self, body: bytes) -> WebhookRequest:
        stamp = str(int(clock.now().timestamp()))
        headers = {
            "content-type": "application/json",
            "mock-timestamp": stamp,
            "mock-signature": self._signature(stamp, body),
        }
        return WebhookRequest(method="POST", headers=headers, query={}, body=body, remote_addr="127.0.0.1")

    def _start(
        self,
        operation: str,
        request: PaymentRequest | FollowUpRequest | PayoutRequest,
        *,
        amount: Money | None = None,
        return_url: str = "",
    ) -> Result:
        self._refuse_livemode()
        money = self._checked(request.amount if amount is None else amount)
        started = created_at(request.reference)
        _raise_trouble(behaviour_for(money), started)
        # A charge may be captured several times; everything else happens once for each of our ids.
        which = request.idempotency_key if operation == "capture" else ""
        token = MockReference(
            operation=operation, amount=money, started_at=started, nonce=_nonce(request.reference, which)
        )
        return self._state(token, return_url=return_url)

    def _checked(self, money: Money | None) -> Money:
        if money is None or money.amount <= 0:
            raise InvalidPaymentData(_about_amount("amount_invalid", "The amount must be above zero."))
        try:
            currency_of(money.currency.code)
            to_minor_units(money)
        except AmountError as problem:
            raise InvalidPaymentData(_about_amount(problem.code, str(problem))) from problem
        return money

    def _parent(
        self, request: FollowUpRequest, operations: set[str], *, status: ResultStatus | None = None
    ) -> MockReference:
        self._refuse_livemode()
        token = MockReference.read(request.provider_reference, self._secret)
        if token is None or token.operation not in operations:
            raise RequestRejected(f"there is no such {' or '.join(sorted(operations))}", code="not_found")
        if status is not None and (found := self._state(token).status) is not status:
            raise RequestRejected(f"the payment is {found}, not {status}", code="wrong_state")
        return token

    def _share(self, request: FollowUpRequest, parent: MockReference) -> Money:
        money = parent.amount if request.amount is None else request.amount
        if money.currency != parent.amount.currency:
            raise RequestRejected(f"the payment is in {parent.amount.currency.code}", code="wrong_currency")
        if money > parent.amount:
            raise RequestRejected(f"the payment was only {format_amount(parent.amount)}", code="amount_too_large")
        return money

    def _fetch(self, request: FetchRequest, operations: frozenset[str] | set[str]) -> Result:
        self._refuse_livemode()
        if request.provider_reference is None:
            return self._recall(request, "sale" if "sale" in operations else next(iter(operations)))
        token = MockReference.read(request.provider_reference, self._secret)
        if token is None or token.operation not in operations:
            return Result(status=ResultStatus.UNKNOWN)
        return self._state(token)

    def _recall(self, request: FetchRequest, operation: str) -> Result:
        """Only amounts whose answer is lost are known without a provider reference; of others we cannot tell."""
        if request.amount is None or behaviour_for(request.amount).trouble is not Trouble.LOST:
            return Result(status=ResultStatus.UNKNOWN)
        result = self._state(
            MockReference(
                operation=operation,
                amount=request.amount,
                started_at=created_at(request.reference),
                nonce=_nonce(request.reference),
            )
        )
        return result if result.status is not ResultStatus.UNKNOWN else Result(status=ResultStatus.UNKNOWN)

    def _state(self, token: MockReference, *, return_url: str = "") -> Result:
        behaviour, reference = behaviour_for(token.amount), token.sign(self._secret)
        over = behaviour.seconds is not None and clock.now() >= token.started_at + timedelta(seconds=behaviour.seconds)
        status = _status(behaviour.after if over else behaviour.before, token.operation)
        url = return_url or f"https://mock.invalid/approve/{reference}"
        return Result(
            status=status,
            provider_reference=reference,
            receipt=f"MOCK{token.nonce[:8].upper()}" if status is ResultStatus.SUCCEEDED else None,
            amount=_reported(token.amount, behaviour),
            next_action=_redirect(token, behaviour, url) if status is ResultStatus.REQUIRES_ACTION else None,
            failure=_failure(behaviour) if status is ResultStatus.FAILED else None,
            occurred_at=token.started_at + timedelta(seconds=behaviour.seconds or 0) if over else None,
            raw={"behaviour": behaviour.name, "operation": token.operation},
        )

    def _signature(self, stamp: str, body: bytes) -> str:
        return hmac.new(self._secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()

    def _refuse_livemode(self) -> None:
        if self.context.livemode:
            raise InvalidCredentials("The mock method takes no real money: use it in test mode.")


def _nonce(reference: str, which: str = "") -> str:
    return hashlib.sha256(f"{reference}\n{which}".encode()).hexdigest()[:16]


def _raise_trouble(behaviour: Behaviour, started: datetime) -> None:
    over = behaviour.trouble_seconds is not None and clock.now() >= started + timedelta(
        seconds=behaviour.trouble_seconds
    )
    if behaviour.trouble is None or over:
        return
    match behaviour.trouble:
        case Trouble.LOST:
            raise OutcomeUnknown("no answer: the mock provider lost it on purpose")
        case Trouble.NOT_SENT:
            raise NotSent("no connection: the mock provider is away on purpose")
        case Trouble.REJECTED:
            raise RequestRejected("the mock provider refuses this amount on purpose", code="magic_amount")
        case Trouble.BAD_CREDENTIALS:
            raise InvalidCredentials("the mock provider refuses the credentials on purpose")
        case Trouble.RATE_LIMITED:
            raise RateLimited("the mock provider is busy on purpose", retry_after=5)


def _status(status: ResultStatus, operation: str) -> ResultStatus:
    """What a behaviour means for the operation: an authorization holds, a void cancels, a refund needs no redirect."""
    if status is ResultStatus.SUCCEEDED:
        return {"auth": ResultStatus.AUTHORIZED, "void": ResultStatus.CANCELED}.get(operation, status)
    if status is ResultStatus.REQUIRES_ACTION and operation not in {"sale", "auth"}:
        return ResultStatus.PENDING
    return status


def _reported(money: Money, behaviour: Behaviour) -> Money:
    if behaviour.misreported == "amount":
        return Money(money.amount - Decimal(1), money.currency)
    if behaviour.misreported == "currency":
        return Money(money.amount, "USD" if money.currency.code != "USD" else "EUR")
    return money


def _redirect(token: MockReference, behaviour: Behaviour, url: str) -> NextAction:
    until = token.started_at + timedelta(seconds=behaviour.seconds or 0)
    return NextAction(type="redirect", data={"url": url}, expires_at=until)


def _failure(behaviour: Behaviour) -> Failure:
    code = behaviour.failure or FailureCode.PROCESSING_ERROR
    return Failure(code=code, provider_code=code.value, message=MESSAGES[code][0])


def _about_amount(code: str, message: str) -> Violation:
    return Violation(code=code, message=message, field="amount")
