"""What the API takes and gives about incoming money and claims."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StrictStr

from majuu_core.api.schemas import Input, Text64


class ClaimIn(Input):
    receipt: Annotated[StrictStr, Field(min_length=1, max_length=64, examples=["UKP7X1A2B3"])]
    reference: Text64 = Field(description="What the money is for: your own order number.", examples=["1001"])
    payment_intent: Text64 | None = Field(default=None, description="Pay this payment intent with the money.")


class IncomingPaymentOut(Schema):
    id: str
    object: Literal["incoming_payment"]
    livemode: bool
    receipt: str
    receiver: str
    channel: str
    amount: str
    currency: str
    account_reference: str
    payer_name: str
    payer_phone: str
    status: Literal["succeeded", "refuted", "reversed"]
    ownership: Literal["unclaimed", "claimed", "charge"]
    verified: bool
    charge: str | None
    payment_intent: str | None
    occurred_at: str
    created_at: str


class ClaimOut(Schema):
    id: str
    object: Literal["claim"]
    livemode: bool
    receipt: str
    reference: str
    method: Literal["manual", "automatic", "reference", "charge"]
    incoming_payment: IncomingPaymentOut | None
    charge: str | None
    payment_intent: str | None
    created_at: str
    undone_at: str | None


class ReceiptOut(Schema):
    object: Literal["receipt_verification"]
    state: Literal["unknown", "available", "waiting", "yours", "used", "taken", "ambiguous"]
    claimable: bool
    receipt: str | None
    amount: str | None
    currency: str | None
    occurred_at: str | None
    payer_name: str | None = Field(description="Masked until the money is yours.")
    payer_phone: str | None
    account_reference: str | None
    incoming_payment: str | None
    charge: str | None
    reference: str | None = Field(description="What you claimed it for.")
