"""FakeProvider: the provider behind the "mock" payment method of test mode. No money, no network, no memory.

What a payment is, and since when, is written and signed in its provider reference, so the web process and the worker
agree. How a payment behaves follows from its amount; see ``mock_amounts``. What happened to it afterwards (captured,
voided, given back) is remembered in the shared cache; see ``mock_memory``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
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
    AccountBalance,
    BalanceAnswer,
    BalanceQuery,
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
    MethodField,
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
    QrCode,
    QrRequest,
    RateLimited,
    RequestRejected,
    Result,
    ResultStatus,
    SelfCheck,
    Trust,
    Violation,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.testing.mock_amounts import Behaviour, Trouble, behaviour_for
from majuu_core.testing.mock_disputes import EVIDENCE_FIELDS, MockDisputes, is_dispute, read_dispute, write_dispute
from majuu_core.testing.mock_incoming import is_money, money_event, read_money, told_of, write_money
from majuu_core.testing.mock_memory import MockMemory
from majuu_core.testing.mock_messages import MESSAGES
from majuu_core.testing.mock_pictures import draw_code
from majuu_core.testing.mock_saved import SavesMockMethods
from majuu_core.testing.mock_wire import MockReference, WebhookBody, created_at

WEBHOOK_TOLERANCE_SECONDS = 300
MOCK_BALANCES = (
    AccountBalance(
        name="Main",
        current=Money("50000.00", "KES"),
        available=Money("50000.00", "KES"),
        reserved=Money("0.00", "KES"),
        uncleared=Money("0.00", "KES"),
    ),
    AccountBalance(
        name="Payouts",
        current=Money("20000.00", "KES"),
        available=Money("12500.00", "KES"),
        reserved=Money("7500.00", "KES"),
        uncleared=Money("0.00", "KES"),
    ),
)
_PAYMENTS = frozenset({"sale", "auth", "capture", "void"})


class MockCredentials(BaseModel):
    """Credentials of a mock account: a secret that signs references and webhooks.

    ``old_secret`` is the one before, still good for webhooks while it is being replaced.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: SecretStr = Field(min_length=16)
    old_secret: SecretStr | None = Field(default=None, min_length=16)

    @classmethod
    def generate(cls) -> MockCredentials:
        """Credentials with a new random secret."""
        return cls(secret=SecretStr(randomness.encode_url_safe(randomness.secret_bytes(20))))


class FakeProvider(SavesMockMethods, MockDisputes, PaymentProvider):
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
        payout_fields=(MethodField(name="phone", kind="phone", label="Phone number", required=False),),
        evidence_fields=EVIDENCE_FIELDS,
    )
    credentials_schema = MockCredentials
    majuu_harness = "majuu_core.testing.mock_harness:MockHarness"

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        if not isinstance(context.credentials, MockCredentials):
            raise TypeError("FakeProvider needs MockCredentials")
        self._secret = context.credentials.secret.get_secret_value().encode()
        old = context.credentials.old_secret
        self._secrets = (self._secret, *((old.get_secret_value().encode(),) if old else ()))
        self._memory = MockMemory(context)

    def check_credentials(self) -> None:
        self._refuse_livemode()

    def sale(self, request: PaymentRequest) -> Result:
        return self._refused_method(request) or self._start("sale", request, return_url=request.return_url)

    def authorize(self, request: PaymentRequest) -> Result:
        if behaviour_for(request.amount).trouble is Trouble.LOST:  # a fetch could not tell it from a sale
            raise RequestRejected("amounts whose answer is lost work with sale only", code="magic_amount")
        return self._refused_method(request) or self._start("auth", request, return_url=request.return_url)

    def complete(self, request: FollowUpRequest) -> Result:
        token = self._parent(request, {"sale", "auth"})
        if self._state(token).needs_completion:
            self._memory.keep("completed", token.nonce, "1")
        return self._state(token)

    def capture(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"auth"})
        amount, before = self._share(request, parent), self._capture_of(parent)
        if before is not None and before.amount == amount:
            return self._state(before)
        self._expect(parent, ResultStatus.AUTHORIZED)
        result = self._start("capture", request, amount=amount)
        self._memory.keep("captured", parent.nonce, result.provider_reference or "")
        return result

    def void(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"auth"})
        if not self._memory.get("voided", parent.nonce):
            self._expect(parent, ResultStatus.AUTHORIZED)
        result = self._start("void", request, amount=parent.amount)
        self._memory.keep("voided", parent.nonce, "1")
        return result

    def refund(self, request: FollowUpRequest) -> Result:
        parent = self._parent(request, {"sale", "capture"})
        self._expect(parent, ResultStatus.SUCCEEDED)
        result = self._start("refund", request, amount=self._share(request, parent))
        token = MockReference.read(result.provider_reference or "", self._secret)
        if token is not None and not self._memory.give_back(parent, token):
            raise RequestRejected("more would be given back than was paid", code="amount_too_large")
        return result

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
        wanted = [self._signature(stamp, request.body, secret) for secret in self._secrets]
        if not any(hmac.compare_digest(signature.encode("utf-8", "replace"), one.encode()) for one in wanted):
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
            if is_dispute(request.body):
                return [read_dispute(request.body)]
            body = WebhookBody.model_validate_json(request.body)
            if body.account not in ("", self.context.account_id):
                raise WebhookRejected("the event is about another account")
            return [body.to_event()]
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

    def request_balances(self, query: BalanceQuery) -> BalanceAnswer:
        """Always the same two accounts: the second has reserved money, so that nobody takes current for available."""
        self._refuse_livemode()
        return BalanceAnswer(balances=MOCK_BALANCES)

    def make_qr_code(self, request: QrRequest) -> QrCode:
        """A picture that no telephone reads; it differs with what it should say."""
        self._refuse_livemode()
        amount = format_amount(self._checked(request.amount)) if request.amount is not None else ""
        return QrCode(png=draw_code(f"{request.merchant_name}|{request.reference}|{amount}", request.size))

    def self_checks(self, *, callback_url: str) -> Iterator[SelfCheck]:
        """Whether the mode and the address are usable."""
        live = self.context.livemode
        text = "The mock method takes no real money: use it in test mode." if live else "Test mode: no money moves."
        yield SelfCheck(name="Mode", state="error" if live else "ok", message=text)
        good = callback_url.startswith(("http://", "https://"))
        text = "Webhooks can be sent there." if good else "The callback address is not a web address."
        yield SelfCheck(name="Callback address", state="ok" if good else "error", message=text)

    def make_webhook(
        self, *, reference: str, provider_reference: str, type: str = "payment.updated", account: str = ""
    ) -> WebhookRequest:
        """The signed webhook the mock provider would send now about one of its payments, refunds or payouts."""
        token = MockReference.read(provider_reference, self._secret)
        if token is None:
            raise ValueError(f"{provider_reference!r} is not a reference of this account")
        result = self._state(token)
        body = WebhookBody.describe(type, reference, result, account)
        return self._signed(json.dumps(body.model_dump(mode="json")).encode())

    def sign_again(self, message: WebhookRequest) -> WebhookRequest:
        """The same body under a signature of now, by this account's secret."""
        return self._signed(message.body)

    def make_dispute_webhook(self, provider_reference: str) -> WebhookRequest:
        """The signed message the mock provider would send now about the dispute over this payment."""
        dispute = self.dispute_reference(provider_reference)
        return self._signed(write_dispute(self.fetch_dispute(FetchRequest(reference="", provider_reference=dispute))))

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
        self.remember_payment(token)
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

    def _parent(self, request: FollowUpRequest, operations: set[str]) -> MockReference:
        self._refuse_livemode()
        token = MockReference.read(request.provider_reference, self._secret)
        if token is not None and token.operation == "auth" and "capture" in operations:
            token = self._capture_of(token)
        if token is None or token.operation not in operations:
            raise RequestRejected(f"there is no such {' or '.join(sorted(operations))}", code="not_found")
        return token

    def _expect(self, parent: MockReference, status: ResultStatus) -> None:
        if (found := self._state(parent).status) is not status:
            raise RequestRejected(f"the payment is {found}, not {status}", code="wrong_state")

    def _capture_of(self, hold: MockReference) -> MockReference | None:
        return MockReference.read(self._memory.get("captured", hold.nonce), self._secret)

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
        capture = self._capture_of(token) if token.operation == "auth" else None
        if capture is not None:
            return replace(self._state(capture), provider_reference=reference)
        over = behaviour.seconds is not None and clock.now() >= token.started_at + timedelta(seconds=behaviour.seconds)
        status = _status(behaviour.after if over else behaviour.before, token.operation)
        waits = over and self._waits(token, behaviour)
        status = ResultStatus.PENDING if waits else status
        if token.operation == "auth" and self._memory.get("voided", token.nonce):
            status = ResultStatus.CANCELED
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
            needs_completion=waits and status is ResultStatus.PENDING,
        )

    def _waits(self, token: MockReference, behaviour: Behaviour) -> bool:
        """Approved, and nobody has completed it yet. Only payments are approved; refunds and payouts are not."""
        approved = behaviour.completion and token.operation in {"sale", "auth"}
        return approved and not self._memory.get("completed", token.nonce)

    def _signature(self, stamp: str, body: bytes, secret: bytes = b"") -> str:
        return hmac.new(secret or self._secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()

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
