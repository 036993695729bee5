"""What the API takes and gives about QR codes."""

from __future__ import annotations

from typing import Literal

from ninja import Schema
from pydantic import Field

from majuu_core.api.schemas import Input


class QrCodeIn(Input):
    size: int = Field(default=300, description="Width and height in pixels, about; 100 to 1000.")


class QrCodeOut(Schema):
    object: Literal["qr_code"]
    livemode: bool
    payment_intent: str
    provider: str
    amount: str = Field(description="What the customer's app fills in: all that remains to be paid.")
    currency: str
    reference: str = Field(description="The account reference the code fills in; money that names it finds the intent.")
    merchant_name: str
    content_type: Literal["image/png"]
    data: str = Field(description="The picture, base64.")
