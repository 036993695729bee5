"""What the mock provider puts on the wire: signed references, and the bodies of its webhooks."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from moneyed import Money
from pydantic import BaseModel, ConfigDict, Field

from majuu_core.common import clock, ids
from majuu_core.common.money import format_amount, money_from_minor, parse_amount, to_minor_units
from majuu_core.providers import Failure, FailureCode, ProviderEvent, RequestRejected, Result, ResultStatus
from majuu_core.testing.mock_messages import MESSAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class MockReference:
    """What a provider reference of the mock provider says: what was done, how much, since when, and which one."""

    operation: str  # sale | auth | capture | void | refund | payout
    amount: Money
    started_at: datetime
    nonce: str

    def sign(self, secret: bytes) -> str:
        milliseconds = int(self.started_at.timestamp() * 1000)
        text = f"mock_{self.operation}_{to_minor_units(self.amount)}{self.amount.currency.code}"
        text = f"{text}_{milliseconds:x}_{self.nonce}"
        return f"{text}_{_tag(secret, text)}"

    @classmethod
    def read(cls, text: str, secret: bytes) -> MockReference | None:
        """None when the text was not made with this secret."""
        body, _, tag = text.rpartition("_")
        if not hmac.compare_digest(tag.encode(), _tag(secret, body).encode()):
            return None
        _, operation, money, milliseconds, nonce = body.split("_")
        return cls(
            operation=operation,
            amount=money_from_minor(int(money[:-3]), money[-3:]),
            started_at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(milliseconds, 16)),
            nonce=nonce,
        )


class WebhookBody(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field(min_length=1, max_length=80)
    type: Literal["payment.updated", "refund.updated", "payout.updated"]
    reference: str
    provider_reference: str
    status: Literal["succeeded", "authorized", "pending", "failed", "canceled", "unknown"]
    amount: str
    currency: str
    failure_code: str = ""
    needs_completion: bool = False
    account: str = ""  # whose event it is, where one secret serves several accounts
    occurred_at: str

    @classmethod
    def describe(cls, type: str, reference: str, result: Result, account: str = "") -> WebhookBody:
        status = ResultStatus.PENDING if result.status is ResultStatus.REQUIRES_ACTION else result.status
        money = result.amount or Money(0, "KES")
        what = f"{type}|{result.provider_reference}|{status}{'|approved' if result.needs_completion else ''}"
        digest = hashlib.sha256(what.encode()).hexdigest()[:24]
        return cls.model_validate(
            {
                "id": f"mockevt_{digest}",
                "type": type,
                "reference": reference,
                "provider_reference": result.provider_reference or "",
                "status": status.value,
                "amount": format_amount(money),
                "currency": money.currency.code,
                "failure_code": result.failure.code.value if result.failure else "",
                "needs_completion": result.needs_completion,
                "account": account,
                "occurred_at": (result.occurred_at or clock.now()).isoformat(),
            }
        )

    def to_event(self) -> ProviderEvent:
        occurred_at = datetime.fromisoformat(self.occurred_at)
        if occurred_at.tzinfo is None:
            raise ValueError("occurred_at has no time zone")
        status = ResultStatus(self.status)
        code = FailureCode(self.failure_code) if status is ResultStatus.FAILED else None
        result = Result(
            status=status,
            provider_reference=self.provider_reference,
            amount=parse_amount(self.amount, self.currency),
            failure=Failure(code=code, provider_code=code.value, message=MESSAGES[code][0]) if code else None,
            occurred_at=occurred_at,
            raw={"id": self.id},
            needs_completion=self.needs_completion and status is ResultStatus.PENDING,
        )
        return ProviderEvent(
            event_id=self.id,
            type=self.type,
            reference=self.reference,
            provider_reference=self.provider_reference,
            result=result,
            occurred_at=occurred_at,
        )


def _tag(secret: bytes, text: str) -> str:
    return hmac.new(secret, b"reference." + text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]


def created_at(reference: str) -> datetime:
    """When the charge, refund or payout was created: its public id says so."""
    try:
        number = ids.decode_id(reference.rpartition("_")[0], reference).int
    except ValueError:
        raise RequestRejected(f"{reference!r} is not a public id such as ch_…", code="reference") from None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=number >> 80)
