"""What the API gives about API keys."""

from __future__ import annotations

from datetime import date
from typing import Literal

from ninja import Schema
from pydantic import Field


class ApiKeyOut(Schema):
    """A key as people recognise it; never the key itself."""

    object: Literal["api_key"]
    id: str
    livemode: bool
    kind: Literal["secret", "publishable", "client"]
    client_id: str | None = Field(description="Of an OAuth client; it stays when the secret is replaced. Else null.")
    name: str
    prefix: str = Field(examples=["sk_test_"])
    last4: str
    status: Literal["active", "expired", "revoked"]
    scopes: list[str]
    allowed_addresses: list[str] = Field(description="Addresses and networks it may be used from; empty: everywhere.")
    rate_limit: int | None = Field(description="Requests a minute; null: as the site has it.")
    monthly_quota: int | None = Field(description="Requests a month; null: no end.")
    rotated_from: str | None = Field(description="The key that this one replaces.")
    rotated_to: str | None = Field(description="The key that replaces this one.")
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None = Field(description="To the minute.")
    created_at: str


class DayUsageOut(Schema):
    day: date
    requests: int = Field(description="Requests that were let in.")
    refused: int = Field(description="Refused by address, rate limit or quota.")


class ApiKeyUsageOut(Schema):
    """A key's requests by day of the site's time zone; days without any are there too."""

    object: Literal["api_key_usage"]
    api_key: str
    time_zone: str
    monthly_quota: int | None
    used_this_month: int = Field(description="Of the quota, with what was taken in advance; of all requests without.")
    data: list[DayUsageOut]
