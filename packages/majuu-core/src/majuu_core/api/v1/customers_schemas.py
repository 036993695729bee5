"""What the customers resource takes and gives."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StrictStr

from majuu_core.api.schemas import Email, FailureOut, Input, NextActionOut, Text64


class CustomerIn(Input):
    reference: Text64 = Field(default="", description="Your own number of them, unique in the store.")
    name: Annotated[StrictStr, Field(max_length=200)] = ""
    email: Email = ""
    metadata: dict[str, StrictStr] = {}


class CustomerOut(Schema):
    id: str
    object: Literal["customer"]
    livemode: bool
    reference: str | None
    name: str
    email: str
    metadata: dict[str, str]
    created_at: str


class SavedMethodIn(Input):
    payment_method: StrictStr = Field(examples=["card"])
    payment_method_data: dict[str, StrictStr] = Field(
        default={}, description="A token of the provider's, where you have one. Never a card number."
    )
    return_url: Annotated[StrictStr, Field(max_length=500)] = ""


class SavedMethodOut(Schema):
    id: str
    object: Literal["saved_method"]
    livemode: bool
    customer: str
    payment_method: str
    status: Literal["pending", "requires_action", "active", "failed", "removed"]
    brand: str
    last4: str
    expires: str = Field(description='Year and month, such as "2030-04"; empty where it does not expire.')
    next_action: NextActionOut | None
    failure: FailureOut | None
    created_at: str
