"""The settings of a simulated PayPal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A merchant's REST app and the account it belongs to."""

    client_id: str = "majuu-sim-client"
    client_secret: str = "majuu-sim-secret"  # noqa: S105 - a simulator's own
    merchant_id: str = "MAJUUSM234567"
    email: str = "shop@majuu-sim.example"
    unique_invoices: bool = True  # the account's setting: an invoice id is paid once
    balances: Mapping[str, Decimal] | None = None  # currency → opening balance; None: enough for anything

    def __post_init__(self) -> None:
        """ValueError for an id PayPal could not have given."""
        if not self.client_id or ":" in self.client_id or not self.client_secret:
            raise ValueError("an account needs a client id without a colon, and a secret")
        if len(self.merchant_id) != 13 or not set(self.merchant_id) <= set("23456789ABCDEFGHJKLMNPQRSTUVWXYZ"):
            raise ValueError(f"a merchant id has 13 of the characters 2-9 A-H J-N P-Z, not {self.merchant_id!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaypalConfig:
    """How the simulated PayPal behaves. Times are seconds of the simulator's clock unless said otherwise."""

    accounts: tuple[Account, ...] = field(default_factory=lambda: (Account(),))
    token_seconds: float = 32_400.0
    answer_delay: float | None = None  # customers approve by themselves so soon; None: they wait for page or test
    scripted_delay: float = 2.0  # until a customer with a scripted outcome acts
    event_delay: float = 1.0  # until an event leaves
    event_retries: int = 25
    event_retry_gap: float = 3 * DAY / 25
    callback_timeout: float = 10.0  # real seconds a receiver of events has
    clearing_seconds: float = 3 * DAY  # until a pending capture, refund or payout has its end
    late_failure_seconds: float = 5 * DAY  # until a refund that seemed good fails
    order_seconds: float = 3 * 3600.0  # until an order nobody approved is gone
    authorization_seconds: float = 29 * DAY
    honor_seconds: float = 3 * DAY
    refund_seconds: float = 180 * DAY
    payout_seconds: float = 2.0  # until a payout batch has been worked on
    unclaimed_seconds: float = 30 * DAY
    reporting_lag_seconds: float = 0.0  # until a transaction search knows a movement; PayPal's takes up to 3 hours
    request_id_seconds: float = 45 * DAY  # so long an answer is kept for its PayPal-Request-Id
    dispute_due_seconds: float = 10 * DAY
    fee_percent: Decimal = Decimal("3.49")
    fee_fixed: Decimal = Decimal("0.49")
    dispute_fee: Decimal = Decimal("15.00")
    payout_fee: Decimal = Decimal("0.25")
    over_capture_percent: Decimal = Decimal(0)  # more than authorised that may be captured
    public_url: str = ""  # where a browser finds the approval page; "": where the API was called
    certificate_url: str = ""  # the same for the signing certificate
    specs: Path | None = None  # a folder with PayPal's official specifications: check every body against them

    def __post_init__(self) -> None:
        """ValueError for settings that make no sense."""
        if not self.accounts:
            raise ValueError("there must be an account")
        for name in ("client_id", "merchant_id"):
            if len({getattr(one, name) for one in self.accounts}) < len(self.accounts):
                raise ValueError(f"two accounts have the same {name}")
        seconds = (self.token_seconds, self.scripted_delay, self.event_delay, self.clearing_seconds)
        if min(seconds) < 0 or (self.answer_delay or 0) < 0 or self.event_retries < 0:
            raise ValueError("seconds and retries are zero or more")

    def find(self, client_id: str) -> Account | None:
        """The account of a REST app."""
        return next((one for one in self.accounts if one.client_id == client_id), None)
