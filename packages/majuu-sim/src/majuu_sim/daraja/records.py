"""What the simulated Daraja remembers. Amounts are whole shillings, moments aware UTC."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from majuu_sim.daraja.results import Result
from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Due


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A push that passed every check."""

    shortcode: str
    receiver: str  # PartyB: the paybill itself, or the till
    transaction_type: str
    amount: int
    msisdn: str
    callback_url: str
    account_reference: str
    description: str


@dataclass(frozen=True, slots=True)
class Payment:
    """Money the simulator really took: the truth to compare one's books with."""

    receipt: str
    amount: int
    msisdn: str
    shortcode: str
    receiver: str
    account_reference: str
    checkout_request_id: str
    merchant_request_id: str
    paid_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {**asdict(self), "paid_at": self.paid_at.isoformat()}


@dataclass(slots=True)
class Prompt:
    """One accepted push, from the ring of the phone to its result."""

    checkout_request_id: str
    merchant_request_id: str
    request: PushRequest
    created_at: datetime
    script: FaultScript
    outcome: str  # what is going to happen, unless the balance or a rule says otherwise
    reads: dict[str, int] = field(default_factory=dict)
    result: Result | None = None
    receipt: str | None = None
    answered_at: datetime | None = None
    due: Due | None = None

    @property
    def active(self) -> bool:
        """True while the phone rings."""
        return self.result is None

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "checkout_request_id": self.checkout_request_id,
            "merchant_request_id": self.merchant_request_id,
            **asdict(self.request),
            "created_at": self.created_at.isoformat(),
            "script": self.script.to_dict(),
            "active": self.active,
            "result_code": self.result.code if self.result else None,
            "result": self.result.name if self.result else None,
            "receipt": self.receipt,
            "answered_at": self.answered_at.isoformat() if self.answered_at else None,
        }


@dataclass(slots=True)
class Subscriber:
    """A customer somebody set up: what is in the purse, and how they behave."""

    msisdn: str
    balance: int | None = None  # None: enough for anything
    script: FaultScript | None = None
    names: str = ""  # "": the configured name
    registered: bool = True  # False: there is no M-Pesa on this line

    def to_dict(self) -> dict[str, Any]:
        """For the control API; names and registration only where somebody set them."""
        script = self.script.to_dict() if self.script else None
        known: dict[str, Any] = {"msisdn": self.msisdn, "balance": self.balance, "script": script}
        if self.names:
            known["names"] = self.names
        if not self.registered:
            known["registered"] = False
        return known
