"""What a simulated Stripe can be told beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

API_VERSION = "2026-10-28.endive"
# Before this version a payment intent carried its charges, and a charge its refunds.
LATEST_CHARGE_SINCE = "2022-11-15"

SECRET_KEY = "sk_test_majuusim0000000000000001"  # noqa: S105 - a simulator's
WEBHOOK_SECRET = "whsec_majuusim0000000000000001"  # noqa: S105 - a simulator's


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where an account's events go. Every secret signs, so two of them are a rotation under way."""

    url: str
    secrets: tuple[str, ...] = (WEBHOOK_SECRET,)
    api_version: str = API_VERSION
    enabled_events: tuple[str, ...] = ("*",)
    status: str = "enabled"

    def wants(self, kind: str) -> bool:
        """True when events of this type are sent there."""
        return self.status == "enabled" and ("*" in self.enabled_events or kind in self.enabled_events)


@dataclass(frozen=True, kw_only=True, slots=True)
class StripeAccount:
    """One merchant: a secret key and its endpoints. ``sk_live_`` keys make live objects."""

    secret_key: str = SECRET_KEY
    id: str = "acct_majuusim00000001"
    name: str = "Simulated shop"
    country: str = "US"
    default_currency: str = "usd"
    settles: tuple[str, ...] = ()  # currencies with a bank account; others are converted. (): every currency
    api_version: str = API_VERSION
    endpoints: tuple[Endpoint, ...] = ()
    charges_enabled: bool = True

    @property
    def livemode(self) -> bool:
        """Whether its key is a live one."""
        return "_live_" in self.secret_key


@dataclass(frozen=True, kw_only=True, slots=True)
class StripeConfig:
    """Settings of one simulated Stripe. Seconds are of the simulator's clock, amounts in smallest units."""

    accounts: tuple[StripeAccount, ...] = (StripeAccount(),)
    public_url: str | None = None  # of the hosted pages, when a browser reaches them by another address than the API
    schema_path: str | None = None  # Stripe's OpenAPI file: requests are checked against it
    event_delay: float = 1.0  # from what happened to its event
    retry_delays: tuple[float, ...] = (60.0, 300.0, 1800.0, 7200.0, 21_600.0, 43_200.0, 86_400.0)
    callback_timeout: float = 10.0  # REAL seconds an endpoint may take
    fee_percent: Decimal = Decimal("2.9")
    fee_fixed: int = 30
    async_capture: float = 1.0  # until a charge captured in the background (the usual way) shows what it cost
    dispute_fee: int = 1500
    dispute_fee_returned: bool = False  # a dispute that is won gives its fee back
    dispute_after: float = 5.0  # from the payment to the dispute of a card that makes one
    dispute_days: int = 9  # to answer
    available_after: float = 172_800.0  # from a payment to the money that can be paid out
    automatic_payouts: bool = False  # whatever becomes available is paid out; else only when the control says so
    payout_days: int = 2  # from a payout to the bank
    refund_failure_after: float = 259_200.0
    refund_pending_for: float = 86_400.0
    hold_seconds: float = 604_800.0  # an authorisation nobody captures ends after this
    search_lag: float = 0.0  # a search sooner than this after a payment's creation does not find it
    session_seconds: float = 86_400.0
    exchange_rates: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)  # (from, to) → rate
    file_limit: int = 5_242_880
