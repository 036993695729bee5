"""What the API takes and gives about payouts."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StrictStr

from majuu_core.api.schemas import Amount, CurrencyCode, FailureOut, Input, Text64, Text255
from majuu_core.payments.payout_files import MAX_ROWS


class PayoutIn(Input):
    amount: Amount
    currency: CurrencyCode
    reference: Text64 = Field(description="Your own number for this debt. Used once, for ever.")
    destination: dict[str, Annotated[StrictStr, Field(max_length=255)]] = Field(
        max_length=20, description="What the provider asks for.", examples=[{"phone": "0712345678"}]
    )
    purpose: Annotated[StrictStr, Field(max_length=32)] = Field(default="", description="The provider's own word.")
    description: Text255 = ""
    metadata: dict[str, StrictStr] = {}
    provider: Annotated[StrictStr, Field(max_length=32)] = Field(
        default="", description="Default: the first that fits."
    )


class PayoutBatchIn(Input):
    name: Annotated[StrictStr, Field(max_length=200)] = ""
    payouts: list[PayoutIn] = Field(min_length=1, max_length=MAX_ROWS)


class PayoutOut(Schema):
    id: str
    object: Literal["payout"]
    livemode: bool
    reference: str
    amount: str
    fee: str
    currency: str
    status: Literal["requires_approval", "pending", "succeeded", "failed", "canceled", "unknown"]
    provider: str
    purpose: str
    destination: dict[str, str]
    description: str
    metadata: dict[str, str]
    recipient_name: str
    provider_reference: str | None
    receipt: str | None
    failure: FailureOut | None
    batch: str | None
    parked: bool
    approved_at: str | None
    occurred_at: str | None
    created_at: str


class PayoutBatchOut(Schema):
    id: str
    object: Literal["payout_batch"]
    livemode: bool
    name: str
    rows: int
    statuses: dict[str, int] = Field(description="How many payouts of the batch have each status.")
    created_at: str


class RowErrorOut(Schema):
    row: int = Field(description="As a spreadsheet counts them; 0 for the whole file.")
    column: str
    code: str
    message: str


class PayoutBatchPreviewOut(Schema):
    object: Literal["payout_batch_preview"]
    name: str
    rows: int
    totals: dict[str, str] = Field(description="The sum in each currency.")
    requires_approval: int
    error_count: int
    errors: list[RowErrorOut] = Field(description="The first hundred.")
