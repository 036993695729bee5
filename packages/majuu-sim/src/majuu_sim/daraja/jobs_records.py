"""Requests whose result comes later: B2C, B2B, reversal, transaction status, account balance."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from majuu_sim.daraja.books import Movement
from majuu_sim.daraja.results import Result
from majuu_sim.faults import FaultScript
from majuu_sim.scheduler import Due

B2C, B2B, REVERSAL = "b2c_payment", "b2b_payment", "reversal"
STATUS, BALANCE = "transaction_status", "account_balance"
JOBS = (B2C, B2B, REVERSAL, STATUS, BALANCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """A request that passed every check. Fields a product does not have are empty."""

    product: str  # one of JOBS
    command: str
    initiator: str
    credential: str
    shortcode: str  # whose accounts it is about
    result_url: str
    timeout_url: str
    remarks: str
    occasion: str = ""
    amount: int = 0
    party: str = ""  # who gets the money
    account_reference: str = ""
    transaction_id: str = ""  # the receipt a reversal or a status query is about
    conversation: str = ""  # or the conversation a status query is about
    originator_conversation_id: str = ""  # the caller's own, B2C v3 only

    def to_dict(self) -> dict[str, Any]:
        """For the control API, without the credential."""
        return {name: value for name, value in asdict(self).items() if name != "credential"}


@dataclass(slots=True)
class Job:
    """One accepted request, from its acknowledgement to its result."""

    conversation_id: str
    originator_conversation_id: str
    request: JobRequest
    created_at: datetime
    script: FaultScript
    result: Result | None = None
    movement: Movement | None = None
    finished_at: datetime | None = None
    due: Due | None = None

    @property
    def active(self) -> bool:
        """True until it has a result."""
        return self.result is None

    @property
    def receipt(self) -> str | None:
        """Of the money it moved, if it did."""
        return self.movement.receipt if self.movement is not None else None

    def copy(self) -> Job:
        """As it stands now."""
        return replace(self)

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            **self.request.to_dict(),
            "conversation_id": self.conversation_id,
            "originator_conversation_id": self.originator_conversation_id,
            "created_at": self.created_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "active": self.active,
            "result_code": self.result.code if self.result else None,
            "result": self.result.name if self.result else None,
            "receipt": self.receipt,
            "script": self.script.to_dict(),
        }
