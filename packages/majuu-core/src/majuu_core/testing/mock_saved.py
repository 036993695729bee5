"""Saved methods of the mock provider: what a customer leaves for later payments.

How a saving goes follows from ``payment_method_data["behaviour"]``: "active" (at once), "action" (a redirect, active
after 5 seconds) or "declined". The saving is written and signed in its reference.
"""

from __future__ import annotations

import hashlib
import hmac
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from majuu_core.common import clock
from majuu_core.providers import (
    Failure,
    FailureCode,
    FetchRequest,
    InvalidPaymentData,
    NextAction,
    PaymentRequest,
    Result,
    ResultStatus,
    SavedMethodState,
    SavedMethodStatus,
    SaveMethodRequest,
    Violation,
)
from majuu_core.testing.mock_memory import MockMemory
from majuu_core.testing.mock_messages import MESSAGES
from majuu_core.testing.mock_wire import created_at

BEHAVIOURS = ("active", "action", "declined")
ACTION_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MockSaving:
    """What the reference of a saving says: how it goes, since when, for which customer, and which one."""

    behaviour: str
    started_at: datetime
    customer: str
    nonce: str

    def sign(self, secret: bytes) -> str:
        milliseconds = int(self.started_at.timestamp() * 1000)
        text = f"mocksaved_{self.behaviour}_{milliseconds:x}_{self.customer}_{self.nonce}"
        return f"{text}_{_tag(secret, text)}"

    @classmethod
    def read(cls, text: str, secret: bytes) -> MockSaving | None:
        """None when the text was not made with this secret."""
        body, _, tag = text.rpartition("_")
        if not hmac.compare_digest(tag.encode(), _tag(secret, body).encode()):
            return None
        _, behaviour, milliseconds, customer, nonce = body.split("_")
        started_at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(milliseconds, 16))
        return cls(behaviour=behaviour, started_at=started_at, customer=customer, nonce=nonce)


class SavesMockMethods(ABC):
    """The part of FakeProvider that keeps methods and refuses payments by forgotten ones."""

    _secret: bytes
    _memory: MockMemory

    def save_method(self, request: SaveMethodRequest) -> SavedMethodState:
        self._refuse_livemode()
        behaviour = request.payment_method_data.get("behaviour", "active")
        if behaviour not in BEHAVIOURS:
            message = f"The behaviour is one of {', '.join(BEHAVIOURS)}."
            raise InvalidPaymentData(Violation(code="behaviour_unknown", message=message, field="behaviour"))
        customer = request.customer_reference.removeprefix("mockcus_") or _digest(request.customer or request.reference)
        saving = MockSaving(
            behaviour=behaviour,
            started_at=created_at(request.reference),
            customer=customer.replace("_", ""),
            nonce=_digest(request.reference),
        )
        return self._saving_state(saving, url=request.return_url)

    def fetch_saved_method(self, request: FetchRequest) -> SavedMethodState:
        self._refuse_livemode()
        saving = MockSaving.read(request.provider_reference or "", self._secret)
        if saving is None:
            return _failed(request.provider_reference or "", "not_found", "There is no such saved method.")
        return self._saving_state(saving)

    def forget_method(self, state: SavedMethodState) -> SavedMethodState:
        self._refuse_livemode()
        saving = MockSaving.read(state.provider_reference, self._secret)
        if saving is None:
            return _failed(state.provider_reference, "not_found", "There is no such saved method.")
        self._memory.keep("forgotten", saving.nonce, "1")
        return self._saving_state(saving)

    def _saving_state(self, saving: MockSaving, *, url: str = "") -> SavedMethodState:
        reference = saving.sign(self._secret)
        state = SavedMethodState(
            status=SavedMethodStatus.PENDING,
            provider_reference=reference,
            customer_reference=f"mockcus_{saving.customer}",
            raw={"behaviour": saving.behaviour},
        )
        if self._memory.get("forgotten", saving.nonce):
            return replace(state, status=SavedMethodStatus.REMOVED)
        if saving.behaviour == "declined":
            return replace(state, status=SavedMethodStatus.FAILED, failure=_decline("declined", FailureCode.DECLINED))
        until = saving.started_at + timedelta(seconds=ACTION_SECONDS)
        if saving.behaviour == "action" and clock.now() < until:
            data = {"url": url or f"https://mock.invalid/save/{reference}"}
            action = NextAction(type="redirect", data=data, expires_at=until)
            return replace(state, status=SavedMethodStatus.REQUIRES_ACTION, next_action=action)
        method = f"mockcard_{saving.nonce}_{_tag(self._secret, saving.nonce)}"
        return replace(
            state,
            status=SavedMethodStatus.ACTIVE,
            method_reference=method,
            brand="mock",
            last4="4242",
            expires="2030-04",
        )

    def _refused_method(self, request: PaymentRequest) -> Result | None:
        """The decline of a payment by a method that is not kept here, or not any more; None when all is well."""
        if not request.saved_method:
            return None
        _, _, rest = request.saved_method.partition("_")
        nonce, _, tag = rest.partition("_")
        genuine = hmac.compare_digest(tag.encode(), _tag(self._secret, nonce).encode())
        if genuine and not self._memory.get("forgotten", nonce):
            return None
        failure = _decline("method_forgotten", FailureCode.INVALID_PAYMENT_METHOD)
        return Result(status=ResultStatus.FAILED, failure=failure)

    @abstractmethod
    def _refuse_livemode(self) -> None: ...


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _tag(secret: bytes, text: str) -> str:
    return hmac.new(secret, b"saved." + text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]


def _decline(provider_code: str, code: FailureCode) -> Failure:
    return Failure(code=code, provider_code=provider_code, message=MESSAGES[code][0])


def _failed(reference: str, code: str, message: str) -> SavedMethodState:
    failure = Failure(code=FailureCode.INVALID_PAYMENT_METHOD, provider_code=code, message=message)
    return SavedMethodState(status=SavedMethodStatus.FAILED, provider_reference=reference, failure=failure)
