"""What an M-Pesa Express account needs: the app's keys, the shortcode and its passkey."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

# Per transaction. It was 150,000 until September 2023 and may change again, so an account can set its own.
DEFAULT_MAX_AMOUNT = 250_000

_NUMBER = re.compile(r"[0-9]{5,7}")


class MpesaCredentials(BaseModel):
    """One shortcode at Safaricom's Daraja, test or live.

    Errors never repeat what was entered, because what was entered is a secret.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, coerce_numbers_to_str=True, hide_input_in_errors=True
    )

    consumer_key: SecretStr = Field(title="Consumer key", description="Of your app on the Daraja portal.")
    consumer_secret: SecretStr = Field(title="Consumer secret", description="Of the same app.")
    passkey: SecretStr = Field(
        title="Passkey", description="For M-Pesa Express. Safaricom mails it when the shortcode goes live."
    )
    kind: Literal["paybill", "till"] = Field(
        default="paybill", title="Kind", description="A paybill takes an account number, a till (buy goods) does not."
    )
    shortcode: str = Field(
        title="Shortcode",
        description="The paybill number. For a till: the head-office or store number it went live with.",
    )
    till_number: str | None = Field(
        default=None, title="Till number", description="Only for a till.", validate_default=True
    )
    max_amount: int = Field(
        default=DEFAULT_MAX_AMOUNT,
        ge=1,
        title="Largest amount",
        description="In whole shillings, for one payment. Safaricom's own limit is the default.",
    )

    @field_validator("consumer_key", "consumer_secret", "passkey")
    @classmethod
    def _not_empty(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value().strip()
        if not secret:
            raise ValueError("must not be empty. Copy it from the Daraja portal.")
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            raise ValueError("holds a space or a character that no key has. Copy it again from the Daraja portal.")
        return SecretStr(secret)

    @field_validator("shortcode")
    @classmethod
    def _five_to_seven_digits(cls, value: str) -> str:
        if not _NUMBER.fullmatch(value):
            raise ValueError("must be 5 to 7 digits, such as 174379")
        return value

    @field_validator("till_number", mode="before")
    @classmethod
    def _blank_is_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("till_number")
    @classmethod
    def _exactly_for_tills(cls, value: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("kind")
        if kind == "till" and value is None:
            raise ValueError("is needed for a till: the number customers pay, which is not the store number")
        if kind == "paybill" and value is not None:
            raise ValueError('belongs to a till. Leave it empty for a paybill, or choose the kind "till"')
        if value is not None and not _NUMBER.fullmatch(value):
            raise ValueError("must be 5 to 7 digits")
        return value

    @property
    def transaction_type(self) -> str:
        """Daraja's name for this kind of payment."""
        return "CustomerPayBillOnline" if self.kind == "paybill" else "CustomerBuyGoodsOnline"

    @property
    def receiver(self) -> str:
        """PartyB: the paybill itself, or the till (never its store number)."""
        return self.till_number or self.shortcode
