"""What the API takes and gives about refunds."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StrictStr

from majuu_core.api.schemas import Amount, FailureOut, Input, Text255

_Id = Annotated[StrictStr, Field(max_length=64)]


class RefundIn(Input):
    charge: _Id = Field(default="", description="The charge to refund. Or name a payment_intent.")
    payment_intent: _Id = Field(default="", description="Refund its charges, newest first. Or name one charge.")
    amount: Amount | None = Field(default=None, description="Default: all that remains.")
    reason: Text255 = Field(min_length=2, description="Why, for the provider and for whoever reads it later.")
    method: Annotated[StrictStr, Field(max_length=32)] = Field(
        default="", description="One of the plan's ways. Default: the first that is open."
    )
    destination: dict[str, Annotated[StrictStr, Field(max_length=200)]] = Field(
        default={}, max_length=10, description="What the way needs and the payment does not tell.", examples=[{}]
    )
    metadata: dict[str, StrictStr] = {}


class RefundOut(Schema):
    id: str
    object: Literal["refund"]
    livemode: bool
    charge: str
    payment_intent: str
    amount: str
    fee: str
    currency: str
    status: Literal["pending", "succeeded", "failed", "canceled", "unknown"]
    source: Literal["merchant", "console", "provider"]
    reason: str
    method: str
    method_reason: str
    books_as: Literal["reversal", "payout"]
    destination: dict[str, str]
    metadata: dict[str, str]
    provider_reference: str | None
    receipt: str | None
    failure: FailureOut | None
    parked: bool
    occurred_at: str | None
    created_at: str


class RefundListOut(Schema):
    """The refunds of one intent's charges."""

    object: Literal["list"]
    data: list[RefundOut]
    has_more: Literal[False]
    next_cursor: None


class RefundRouteOut(Schema):
    method: str
    open: bool
    reason: str
    books_as: Literal["reversal", "payout"]
    needs: list[str]


class RefundSourceOut(Schema):
    account: Literal["store_unapplied", "store_surplus", "store_payable"]
    amount: str
    reason: str


class RefundPlanOut(Schema):
    object: Literal["refund_plan"]
    charge: str
    amount: str
    refundable: str
    currency: str
    chosen: RefundRouteOut | None
    alternatives: list[RefundRouteOut]
    rejected: list[RefundRouteOut]
    destination: dict[str, str]
    missing: list[str]
    sources: list[RefundSourceOut]
    notes: list[str]
