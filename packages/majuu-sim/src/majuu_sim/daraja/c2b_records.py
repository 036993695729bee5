"""What the simulated Daraja remembers of money that customers send by themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Due


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a shortcode wants to hear of payments. ``version``: v1 hashes the customer's number, v2 masks it."""

    shortcode: str  # as registered: a paybill, a till or its store number
    version: str
    response_type: str  # Completed or Cancelled: what happens when a validation is not answered
    confirmation_url: str
    validation_url: str
    registered_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {**asdict(self), "registered_at": self.registered_at.isoformat()}


@dataclass(slots=True)
class C2BPayment:
    """A customer's payment to a paybill or a till.

    ``state``: validating (the business has not answered yet), completed, rejected (the business said no), cancelled
    (the business did not answer), declined (the customer could not or would not pay).
    """

    receipt: str
    msisdn: str
    names: str
    shortcode: str  # whose accounts get the money
    receiver: str  # what the customer typed: the paybill or the till
    amount: int
    account_reference: str
    started_at: datetime
    state: str = "validating"
    result: str = ""  # Daraja's code when it failed: C2B00012, 1, …
    third_party_id: str = ""
    completed_at: datetime | None = None
    script: FaultScript = field(default_factory=FaultScript)
    due: Due | None = None

    def copy(self) -> C2BPayment:
        """As it stands now."""
        return replace(self)

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "receipt": self.receipt,
            "msisdn": self.msisdn,
            "names": self.names,
            "shortcode": self.shortcode,
            "receiver": self.receiver,
            "amount": self.amount,
            "account_reference": self.account_reference,
            "started_at": self.started_at.isoformat(),
            "state": self.state,
            "result": self.result,
            "third_party_id": self.third_party_id,
            "completed_at": self.completed_at.isoformat() if self.completed_at else None,
            "script": self.script.to_dict(),
        }
