"""A provider that holds money, and one whose customers approve on a page of its own: a bank with a memory.

What the next call meets is put into ``trouble``: an exception raised before anything happens, ``LOST`` for a call that
is carried out and whose answer is lost, or a Result that is given instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.test import Client
from moneyed import Money
from pydantic import BaseModel

from majuu_core.common import clock
from majuu_core.merchants.models import ProviderAccount, Store
from majuu_core.payments.addresses import charge_callback_url
from majuu_core.payments.charges import PaymentChoice, confirm_payment_intent
from majuu_core.payments.models import Charge, PaymentIntent
from majuu_core.plugins import hookimpl
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    FollowUpRequest,
    NextAction,
    OutcomeUnknown,
    PaymentMethodInfo,
    PaymentProvider,
    PaymentRequest,
    ProviderEvent,
    ProviderInfo,
    RequestRejected,
    Result,
    ResultStatus,
    Trust,
    WebhookRequest,
    WebhookResponse,
)
from majuu_core.testing.factories import make_provider_account
from tests.core.payments.support import Till

LOST = object()
_S = ResultStatus


@dataclass
class Payment:
    """What the bank knows of one payment."""

    amount: Money
    holds: bool
    state: ResultStatus
    is_approved: bool = False
    taken: Money | None = None
    ends: datetime | None = None  # when the bank lets the hold go


@dataclass
class Bank:
    """The provider's side: payments by our reference, and every call it received."""

    payments: dict[str, Payment] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    trouble: dict[str, list[Any]] = field(default_factory=dict)
    redirects: bool = False
    holds_for: timedelta | None = timedelta(days=7)
    on_call: Callable[[str], None] | None = None  # runs inside a call, before it answers

    def names(self) -> list[str]:
        return [name for name, _ in self.calls if name != "fetch"]

    def keys(self, name: str) -> list[str]:
        return [request.idempotency_key for called, request in self.calls if called == name]

    def approve(self, charge: Charge) -> None:
        """The customer says yes on the bank's page."""
        self.payments[charge.public_id].is_approved = True


def refusal(code: str = "do_not_honor") -> Result:
    failure = Failure(code=FailureCode.DECLINED, provider_code=code, message="The bank refused.")
    return Result(status=_S.FAILED, failure=failure)


class NoCredentials(BaseModel):
    """This provider needs none."""


class HoldingProvider(PaymentProvider):
    """Asks the bank. ``info.replay_safe`` is True; ForgetfulProvider is the same without."""

    code: ClassVar[str] = "holding"
    info: ClassVar[ProviderInfo] = ProviderInfo(
        display_name="Holding Bank",
        payment_methods=(PaymentMethodInfo(code="holding_card", label="Bank card"),),
        currencies=frozenset({"KES"}),
        countries=frozenset({"KE"}),
        replay_safe=True,
        partial_refunds=True,
        partial_captures=True,
    )
    credentials_schema: ClassVar[type[BaseModel]] = NoCredentials
    bank: ClassVar[Bank]

    def check_credentials(self) -> None:
        return None

    def sale(self, request: PaymentRequest) -> Result:
        return self._run("sale", request, lambda: self._open(request, holds=False))

    def authorize(self, request: PaymentRequest) -> Result:
        return self._run("authorize", request, lambda: self._open(request, holds=True))

    def complete(self, request: FollowUpRequest) -> Result:
        return self._run("complete", request, lambda: self._complete(request))

    def capture(self, request: FollowUpRequest) -> Result:
        return self._run("capture", request, lambda: self._capture(request))

    def void(self, request: FollowUpRequest) -> Result:
        return self._run("void", request, lambda: self._void(request))

    def refund(self, request: FollowUpRequest) -> Result:
        answer = Result(status=_S.SUCCEEDED, provider_reference=f"re-{request.reference}", amount=request.amount)
        return self._run("refund", request, lambda: answer)

    def fetch_refund(self, request: FetchRequest) -> Result:
        return Result(status=_S.UNKNOWN)

    def fetch_payment(self, request: FetchRequest) -> Result:
        return self._run("fetch", request, lambda: self._state(request.reference))

    def verify_webhook(self, request: WebhookRequest) -> Trust:
        return Trust.SIGNED

    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        told = json.loads(request.body)
        result = Result(
            status=_S(told["status"]),
            provider_reference=f"bank-{told['reference']}",
            amount=Money(told["amount"], "KES") if "amount" in told else None,
            needs_completion=told.get("needs_completion", False),
        )
        return [
            ProviderEvent(
                event_id=told["id"],
                type="payment.updated",
                reference=told["reference"],
                provider_reference=f"bank-{told['reference']}",
                result=result,
                occurred_at=clock.now(),
            )
        ]

    def webhook_response(self, *, accepted: bool) -> WebhookResponse:
        return WebhookResponse(status=200 if accepted else 400)

    def _run(self, name: str, request: Any, work: Callable[[], Result]) -> Result:
        self.bank.calls.append((name, request))
        if self.bank.on_call is not None:
            self.bank.on_call(name)
        queue = self.bank.trouble.get(name, [])
        met = queue.pop(0) if queue else None
        if isinstance(met, Exception):
            raise met
        if isinstance(met, Result):
            return met
        answer = work()
        if met is LOST:
            raise OutcomeUnknown("the line went dead")
        return answer

    def _open(self, request: PaymentRequest, *, holds: bool) -> Result:
        state = _S.REQUIRES_ACTION if self.bank.redirects else _S.AUTHORIZED if holds else _S.SUCCEEDED
        payment = Payment(amount=request.amount, holds=holds, state=state, ends=self._ends())
        self.bank.payments.setdefault(request.reference, payment)
        return self._state(request.reference)

    def _complete(self, request: FollowUpRequest) -> Result:
        payment = self.bank.payments[request.reference]
        if not payment.is_approved:
            raise RequestRejected("the customer has not approved it", code="not_approved")
        payment.state = _S.AUTHORIZED if payment.holds else _S.SUCCEEDED
        return self._state(request.reference)

    def _capture(self, request: FollowUpRequest) -> Result:
        payment = self.bank.payments[request.reference]
        if payment.state not in (_S.AUTHORIZED, _S.SUCCEEDED):
            raise RequestRejected(f"it is {payment.state}", code="wrong_state")
        payment.state, payment.taken = _S.SUCCEEDED, payment.taken or request.amount
        return self._state(request.reference)

    def _void(self, request: FollowUpRequest) -> Result:
        payment = self.bank.payments[request.reference]
        if payment.state is not _S.SUCCEEDED:
            payment.state = _S.CANCELED
        return self._state(request.reference)

    def _state(self, reference: str) -> Result:
        payment = self.bank.payments.get(reference)
        if payment is None:
            return Result(status=_S.UNKNOWN)
        bare = Result(status=_S.PENDING, provider_reference=f"bank-{reference}", amount=payment.amount)
        if payment.state is _S.REQUIRES_ACTION:
            action = NextAction(type="redirect", data={"url": f"https://bank.example/approve/{reference}"})
            if payment.is_approved:
                return replace(bare, needs_completion=True)
            return replace(bare, status=_S.REQUIRES_ACTION, next_action=action)
        if payment.state is _S.AUTHORIZED:
            return replace(bare, status=_S.AUTHORIZED, capture_before=payment.ends)
        return replace(bare, status=payment.state, amount=payment.taken or payment.amount)

    def _ends(self) -> datetime | None:
        return clock.now() + self.bank.holds_for if self.bank.holds_for else None


class HoldingPlugin:
    """Brings the provider in, with a bank of its own. ``replay_safe`` says whether it looks repeated keys up."""

    def __init__(self, *, replay_safe: bool = True, partial_captures: bool = True) -> None:
        self.bank = Bank()
        info = replace(HoldingProvider.info, replay_safe=replay_safe, partial_captures=partial_captures)
        self.provider = type("OneHoldingProvider", (HoldingProvider,), {"bank": self.bank, "info": info})

    @hookimpl
    def register_payment_providers(self) -> list[type[HoldingProvider]]:
        return [self.provider]


class HoldingTill(Till):
    """A store with an account at the bank instead of the mock one."""

    def __init__(self, bank: Bank, **store_fields: Any) -> None:
        super().__init__(**store_fields)
        ProviderAccount.objects.filter(pk=self.account.pk).update(is_active=False)
        self.bank = bank
        self.account = make_provider_account(store=self.store, provider="holding", credentials={})

    def pay(self, intent: PaymentIntent, part: str | None = None, **choice: Any) -> tuple[PaymentIntent, Charge]:
        amount = None if part is None else Money(part, intent.currency)
        chosen = PaymentChoice(payment_method="holding_card", amount=amount, **choice)
        return confirm_payment_intent(intent=intent, choice=chosen)

    def authorize(self, amount: str = "1500") -> tuple[PaymentIntent, Charge]:
        """An intent whose money the bank holds."""
        return self.pay(self.intent(amount, capture_method="manual"))

    def late(self, policy: str) -> None:
        Store.objects.filter(pk=self.store.pk).update(late_success=policy)


def tell(charge: Charge, **what: Any) -> int:
    """The bank's signed message about a charge."""
    body = json.dumps({"reference": charge.public_id, **what})
    path = charge_callback_url(charge.pk).removeprefix("http://testserver")
    return int(Client().post(path, body, content_type="application/json").status_code)


def held(amount: str) -> dict[str, tuple[Decimal, Decimal]]:
    """The books while the amount is held."""
    pair = (Decimal(0), Decimal(amount))
    return {"provider_clearing": pair, "store_payable": pair}


def booked(amount: str) -> dict[str, tuple[Decimal, Decimal]]:
    """The books once it is paid."""
    pair = (Decimal(amount), Decimal(0))
    return {"provider_clearing": pair, "store_payable": pair}
