"""What the API takes and gives. Unknown fields are refused: a misspelt one must not be silently ignored."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Generic, Literal, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from ninja import Schema
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr
from pydantic_core import PydanticCustomError

Item = TypeVar("Item")


def _amount(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise PydanticCustomError("amount", 'send the amount as a decimal string such as "1500.00", never as a float')
    return str(value)


def _email(value: str) -> str:
    try:
        if value:
            validate_email(value)
    except ValidationError:
        raise PydanticCustomError("email", "this is not an e-mail address") from None
    return value


Email = Annotated[StrictStr, Field(max_length=254), AfterValidator(_email)]
Amount = Annotated[
    str,
    BeforeValidator(_amount),
    Field(description="A decimal string in the currency's own unit; integers are taken too.", examples=["1500.00"]),
]
CurrencyCode = Annotated[StrictStr, Field(min_length=3, max_length=3, description="ISO 4217.", examples=["KES"])]
Text64 = Annotated[StrictStr, Field(max_length=64)]
Text255 = Annotated[StrictStr, Field(max_length=255)]


class Input(BaseModel):
    """Base of all request bodies. Not Ninja's Schema: bodies are JSON, never Django objects."""

    model_config = ConfigDict(extra="forbid")


def lifetime_of(expires_in: int | None) -> timedelta | None:
    """The seconds of a body as a time; what no intent may have stays out of bounds, whatever its size."""
    return None if expires_in is None else timedelta(seconds=max(-1, min(expires_in, 10**9)))


class PaymentIntentIn(Input):
    amount: Amount
    currency: CurrencyCode
    capture_method: Literal["automatic", "manual"] = Field(
        default="automatic", description='"manual": hold the money first, and take it by a capture.'
    )
    payment_methods: list[StrictStr] = Field(default=[], max_length=20, description="Empty: all that fit.")
    reference: Text64 = Field(default="", description="Your own order number.")
    description: Text255 = ""
    customer_email: Email = ""
    customer_phone: Annotated[StrictStr, Field(max_length=32)] = ""
    metadata: dict[str, StrictStr] = {}
    return_url: Annotated[StrictStr, Field(max_length=500)] = ""
    expires_in: int | None = Field(default=None, description="Seconds, 60 to 90 days; default is one day.")


class ConfirmIn(Input):
    payment_method: StrictStr = Field(default="", examples=["mpesa_stk"], description="Not needed with saved_method.")
    saved_method: StrictStr = Field(default="", description="Charge this saved method of a customer.")
    off_session: bool = Field(default=False, description="The customer is not there to answer their bank.")
    payment_method_data: dict[str, StrictStr] = Field(default={}, examples=[{"phone": "0712345678"}])
    amount: Amount | None = Field(default=None, description="Pay only a part. Default: all that remains.")
    return_url: Annotated[StrictStr, Field(max_length=500)] = ""


class CaptureIn(Input):
    amount: Amount | None = Field(default=None, description="At most what is authorized. Default: all of it.")


class CancelIn(Input):
    reason: Literal["requested", "abandoned", "duplicate"] = "requested"


class WebhookEndpointIn(Input):
    url: Annotated[StrictStr, Field(max_length=500)]
    event_types: list[StrictStr] = Field(default=[], max_length=100, description="Empty: all.")
    description: Text255 = ""


class WebhookEndpointPatch(Input):
    url: Annotated[StrictStr, Field(max_length=500)] | None = None
    event_types: list[StrictStr] | None = Field(default=None, max_length=100)
    description: Text255 | None = None
    enabled: bool | None = None


class RotateIn(Input):
    overlap_hours: int = Field(default=24, ge=0, le=168, description="How long the old secret stays valid.")


class ReplayIn(Input):
    webhook_endpoint: StrictStr | None = Field(default=None, description="Default: every endpoint that wants it.")


class NextActionOut(Schema):
    type: str
    data: dict[str, str]
    expires_at: str | None


class FailureOut(Schema):
    code: str
    provider_code: str
    message: str


class ExchangeOut(Schema):
    """What a charge in another currency pays of its intent. ``rate`` is charged for one owed."""

    amount: str
    currency: str
    rate: str
    source: str


class ChargeOut(Schema):
    id: str
    object: Literal["charge"]
    livemode: bool
    payment_intent: str
    amount: str
    amount_received: str
    fee: str
    amount_refunded: str
    refund_status: Literal["none", "partially_refunded", "refunded"]
    dispute_status: Literal["none", "open", "won", "lost"]
    currency: str
    exchange: ExchangeOut | None
    status: Literal["pending", "requires_action", "authorized", "succeeded", "failed", "canceled", "unknown"]
    provider: str
    payment_method: str
    payer: str
    saved_method: str | None
    provider_reference: str | None
    receipt: str | None
    failure: FailureOut | None
    next_action: NextActionOut | None
    amount_to_capture: str | None = Field(description="What was asked to be captured.")
    capture_before: str | None = Field(description="When the provider lets authorized money go, if it says so.")
    parked: bool
    occurred_at: str | None
    created_at: str


class PaymentIntentOut(Schema):
    id: str
    object: Literal["payment_intent"]
    livemode: bool
    amount: str
    amount_received: str
    amount_remaining: str
    amount_capturable: str
    surplus: str
    amount_refunded: str
    refund_status: Literal["none", "partially_refunded", "refunded"]
    disputed: bool = Field(description="A dispute over one of its charges is open, or was lost.")
    currency: str
    status: Literal[
        "requires_payment_method", "processing", "requires_action", "requires_capture", "succeeded", "canceled"
    ]
    capture_method: str
    payment_methods: list[str]
    reference: str
    description: str
    customer_email: str
    customer_phone: str
    metadata: dict[str, str]
    return_url: str
    payment_url: str
    parked: bool
    cancellation_reason: str | None
    expires_at: str
    succeeded_at: str | None
    canceled_at: str | None
    created_at: str
    latest_charge: ChargeOut | None = None


class EventOut(Schema):
    id: str
    object: Literal["event"]
    type: str
    livemode: bool
    object_id: str
    data: dict[str, Any]
    created_at: str


class WebhookEndpointOut(Schema):
    id: str
    object: Literal["webhook_endpoint"]
    livemode: bool
    url: str
    description: str
    event_types: list[str]
    status: Literal["enabled", "disabled"]
    disabled_reason: str | None


class WebhookEndpointCreated(WebhookEndpointOut):
    secret: str = Field(description="Shown once. Verify webhook signatures with it.")


class DeliveriesOut(Schema):
    object: Literal["replay"]
    deliveries: int


class PingOut(Schema):
    object: Literal["ping"]
    livemode: bool
    store: str
    time: str


class Page(Schema, Generic[Item]):
    object: Literal["list"]
    data: list[Item]
    has_more: bool
    next_cursor: str | None


class ProblemOut(Schema):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    param: str | None
    request_id: str
    messages: dict[str, str]
    errors: list[dict[str, str]] | None = None
