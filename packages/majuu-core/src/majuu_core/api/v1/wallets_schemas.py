"""What the API takes and gives about wallets."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StrictStr

from majuu_core.api.schemas import Amount, ChargeOut, CurrencyCode, Input, PaymentIntentOut, Text64, Text255

Reference = Annotated[StrictStr, Field(min_length=1, max_length=64)]


class WalletIn(Input):
    customer_reference: Reference = Field(description="Your own number of the customer; one wallet per currency.")
    currency: CurrencyCode
    customer_name: Annotated[StrictStr, Field(max_length=200)] = ""
    customer_phone: Annotated[StrictStr, Field(max_length=32)] = Field(
        default="", description="Where withdrawals go when they name no destination."
    )


class WalletDepositIn(Input):
    amount: Amount
    payment_methods: list[StrictStr] = Field(default=[], max_length=20)
    description: Text255 = ""
    return_url: Annotated[StrictStr, Field(max_length=500)] = ""
    expires_in: int | None = Field(default=None, description="Seconds until the payment intent expires.")


class WalletPaymentIn(Input):
    payment_intent: StrictStr
    amount: Amount | None = Field(default=None, description="A part; default: all that remains.")


class WalletWithdrawalIn(Input):
    amount: Amount
    reference: Reference = Field(description="Your own number of it, used once for ever.")
    destination: dict[StrictStr, StrictStr] = Field(
        default={}, max_length=20, description="What the provider asks for; default: the customer's phone."
    )
    purpose: Text64 = ""
    description: Text255 = ""
    provider: Text64 = ""


class WalletReasonIn(Input):
    reason: Text255 = ""


class WalletOut(Schema):
    id: str
    object: Literal["wallet"]
    livemode: bool
    currency: str
    customer_reference: str
    customer_name: str
    customer_phone: str
    status: Literal["active", "frozen", "closed"]
    status_reason: str | None
    balance: str = Field(description="What stands on it.")
    available: str = Field(description="What may be spent: the balance less what is on its way out.")
    created_at: str


class WalletDepositOut(Schema):
    id: str
    object: Literal["wallet_deposit"]
    livemode: bool
    wallet: str
    amount: str
    currency: str
    credited: str = Field(description="What the wallet has received of it.")
    credited_surplus: str = Field(description="How much of that was paid beyond the amount.")
    payment_intent: PaymentIntentOut
    created_at: str


class WalletPaymentOut(Schema):
    id: str
    object: Literal["wallet_payment"]
    livemode: bool
    wallet: str
    amount: str
    currency: str
    charge: ChargeOut
    payment_intent: PaymentIntentOut
    created_at: str


class WalletPayoutOut(Schema):
    """The payout of a withdrawal; the whole of it is at /payouts."""

    id: str
    object: Literal["payout"]
    reference: str
    amount: str
    fee: str
    currency: str
    status: str
    provider: str
    destination: dict[str, str]
    receipt: str | None
    failure: dict[str, str] | None
    parked: bool
    created_at: str


class WalletWithdrawalOut(Schema):
    id: str
    object: Literal["wallet_withdrawal"]
    livemode: bool
    wallet: str
    amount: str
    currency: str
    status: str
    payout: WalletPayoutOut
    created_at: str


class WalletMovementOut(Schema):
    id: str
    object: Literal["wallet_movement"]
    type: str = Field(description="deposit, payment, refund or withdrawal.")
    reference: str
    description: str
    amount: str = Field(description="Negative when money left the wallet.")
    balance: str = Field(description="What stood on the wallet after it.")
    currency: str
    at: str


class WalletStatementOut(Schema):
    object: Literal["wallet_statement"]
    wallet: str
    livemode: bool
    currency: str
    start: str
    end: str
    opening_balance: str
    closing_balance: str
    movements: list[WalletMovementOut]
