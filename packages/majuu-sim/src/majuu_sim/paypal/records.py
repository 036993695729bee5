"""What the simulated PayPal remembers of orders, authorizations, captures and refunds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from majuu_sim.faults import FaultScript
from majuu_sim.paypal.config import Account
from majuu_sim.paypal.currencies import Amount
from majuu_sim.paypal.formats import iso
from majuu_sim.scheduler import Due

ORDINARY = FaultScript()


def no_reads() -> dict[str, int]:
    """No status query goes wrong."""
    return ORDINARY.reads()


@dataclass(frozen=True, slots=True)
class Payer:
    """The customer's PayPal account."""

    payer_id: str
    email: str
    given_name: str = "Wanjiku"
    surname: str = "Otieno"
    country: str = "KE"


@dataclass(slots=True, kw_only=True)
class Order:
    """An order and how far it is."""

    id: str
    account: Account
    intent: str
    amount: Amount
    unit: dict[str, Any]  # the purchase unit as it was sent
    payer: Payer
    wallet: bool  # created with payment_source.paypal: PAYER_ACTION_REQUIRED and a payer-action link
    return_url: str
    cancel_url: str
    user_action: str
    brand_name: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    script: FaultScript
    outcome: str
    status: str
    reads: dict[str, int]
    instrument: str = "pay"  # what it does at the capture
    approved: bool = False
    due: Due | None = None
    authorization_ids: list[str] = field(default_factory=list)
    capture_ids: list[str] = field(default_factory=list)
    refund_ids: list[str] = field(default_factory=list)

    @property
    def custom_id(self) -> str:
        """The shop's own id of it, or ""."""
        return str(self.unit.get("custom_id") or "")

    @property
    def invoice_id(self) -> str:
        """The invoice it pays, or ""."""
        return str(self.unit.get("invoice_id") or "")

    @property
    def waits(self) -> bool:
        """True while the customer may still approve."""
        return self.status in ("CREATED", "PAYER_ACTION_REQUIRED") or (
            self.status == "APPROVED" and self.instrument in ("declined", "payer_action")
        )

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "account": self.account.client_id,
            "intent": self.intent,
            "status": self.status,
            **self.amount.to_dict(),
            "custom_id": self.custom_id,
            "invoice_id": self.invoice_id,
            "waits": self.waits,
            "instrument": self.instrument,
            "created_at": iso(self.created_at),
            "authorizations": list(self.authorization_ids),
            "captures": list(self.capture_ids),
            "refunds": list(self.refund_ids),
        }


@dataclass(slots=True, kw_only=True)
class Authorization:
    """Money that is held."""

    id: str
    order_id: str
    account: Account
    amount: Amount
    status: str
    reason: str = ""
    custom_id: str = ""
    invoice_id: str = ""
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    captured: Decimal = Decimal(0)
    final: bool = False  # nothing more may be captured
    parent_id: str = ""  # of a reauthorization
    script: FaultScript
    reads: dict[str, int]
    due: Due | None = None

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "order": self.order_id,
            "status": self.status,
            **self.amount.to_dict(),
            "captured": str(self.captured),
            "expires_at": iso(self.expires_at),
        }


@dataclass(slots=True, kw_only=True)
class Capture:
    """A payment."""

    id: str
    order_id: str
    account: Account
    authorization_id: str = ""
    amount: Amount
    status: str
    reason: str = ""
    fee: Decimal
    final: bool = True
    custom_id: str = ""
    invoice_id: str = ""
    note: str = ""
    created_at: datetime
    updated_at: datetime
    refunded: Decimal = Decimal(0)  # completed and pending refunds
    dispute_id: str = ""  # the open one
    charged_back: bool = False
    instrument: str = "pay"  # what decided it
    script: FaultScript
    reads: dict[str, int]

    @property
    def paid(self) -> bool:
        """True when the money arrived, even if some of it went back."""
        return self.status in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "order": self.order_id,
            "account": self.account.client_id,
            "status": self.status,
            "reason": self.reason,
            **self.amount.to_dict(),
            "fee": str(self.fee),
            "refunded": str(self.refunded),
            "custom_id": self.custom_id,
            "invoice_id": self.invoice_id,
            "dispute": self.dispute_id,
            "created_at": iso(self.created_at),
        }


@dataclass(slots=True, kw_only=True)
class Refund:
    """Money that goes back to the customer."""

    id: str
    capture_id: str
    order_id: str
    account: Account
    amount: Amount
    status: str
    reason: str = ""
    custom_id: str = ""
    invoice_id: str = ""
    note: str = ""
    by_hand: bool = False  # made in the dashboard
    total: Decimal = Decimal(0)  # refunded of this capture so far, this one included
    created_at: datetime
    updated_at: datetime
    script: FaultScript
    reads: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "capture": self.capture_id,
            "order": self.order_id,
            "status": self.status,
            **self.amount.to_dict(),
            "by_hand": self.by_hand,
            "created_at": iso(self.created_at),
        }
