"""What the API says about balances."""

from __future__ import annotations

from typing import Literal

from ninja import Schema
from pydantic import Field


class BalanceLineOut(Schema):
    name: str = Field(description="The provider's own name of the account.")
    currency: str
    current: str
    available: str | None = Field(description="What can be spent now; null where the provider does not tell.")
    reserved: str | None
    uncleared: str | None


class BalanceOut(Schema):
    object: Literal["balance"]
    livemode: bool
    provider_account: str
    provider: str
    name: str
    reported_at: str | None = Field(description="Null while nothing was reported.")
    accounts: list[BalanceLineOut]
