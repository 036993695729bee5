"""What the API takes and gives about disputes."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StrictBool, StrictStr

from majuu_core.api.schemas import Input, Text255


class EvidenceIn(Input):
    texts: dict[Annotated[StrictStr, Field(max_length=64)], Annotated[StrictStr, Field(max_length=100_000)]] = Field(
        max_length=50, description="By field; an empty text removes its field. Fields that are not named stay."
    )


class AcceptIn(Input):
    confirm: StrictBool = Field(description="true: the customer keeps the money, and that cannot be taken back.")
    reason: Text255 = Field(default="", description="For whoever reads it later, and for the provider.")


class DisputeOut(Schema):
    id: str
    object: Literal["dispute"]
    livemode: bool
    charge: str
    payment_intent: str
    amount: str
    currency: str
    withdrawn: str = Field(description="What the provider holds back now, fees apart.")
    fee: str | None
    fee_currency: str | None
    status: Literal["needs_response", "under_review", "won", "lost", "accepted", "expired"]
    reason: Literal[
        "fraudulent",
        "not_received",
        "not_as_described",
        "duplicate",
        "credit_not_processed",
        "canceled",
        "incorrect_amount",
        "unrecognized",
        "general",
    ]
    provider_reason: str
    provider_reference: str
    respond_by: str | None
    evidence_submitted_at: str | None
    accepted_at: str | None
    opened_at: str
    closed_at: str | None
    parked: bool
    created_at: str


class EvidenceFieldOut(Schema):
    name: str
    kind: Literal["text", "file"]
    label: str
    hint: str
    max_length: int | None
    content_types: list[str]
    max_bytes: int | None


class DisputeFileOut(Schema):
    id: str
    object: Literal["dispute_file"]
    field: str
    name: str
    content_type: str
    size: int
    sha256: str
    created_at: str


class EvidenceOut(Schema):
    object: Literal["dispute_evidence"]
    dispute: str
    open: bool = Field(description="Whether evidence can be changed and submitted now.")
    texts: dict[str, str]
    files: list[DisputeFileOut]
    fields: list[EvidenceFieldOut]
    respond_by: str | None
    submitted_at: str | None
