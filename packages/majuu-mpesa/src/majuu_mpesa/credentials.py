"""What an M-Pesa account needs: the app's keys, the shortcode and its passkey; for all but M-Pesa Express more."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from majuu_mpesa.phone import PhoneError, normalise_phone

# Per transaction. It was 150,000 until September 2023 and may change again, so an account can set its own.
DEFAULT_MAX_AMOUNT = 250_000

_NUMBER = re.compile(r"[0-9]{5,7}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{170,1400}={0,2}")
_LONGEST_CERTIFICATE = 20_000


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

    # Only for payouts, reversals, transaction status and balances.
    initiator_name: str | None = Field(
        default=None,
        title="Initiator name",
        description="API operator of the organisation. Needed for payouts, refunds, status and balances.",
    )
    initiator_password: SecretStr | None = Field(
        default=None, title="Initiator password", description="Of that operator; it is encrypted for Safaricom's key."
    )
    security_credential: SecretStr | None = Field(
        default=None,
        title="Ready security credential",
        description="In place of the password: the encrypted value that the Daraja portal makes.",
    )
    certificate: str | None = Field(
        default=None,
        title="Safaricom's certificate",
        description="PEM, for this environment. Not needed with a ready security credential.",
    )
    b2c_shortcode: str | None = Field(
        default=None, title="B2C shortcode", description="Only when payouts leave from another shortcode."
    )
    c2b_version: Literal["v1", "v2"] = Field(
        default="v2",
        title="C2B version",
        description="How payers' numbers arrive: v2 masks them, v1 sends their SHA-256, which can be matched.",
    )
    nominated_number: str | None = Field(
        default=None,
        title="Nominated number",
        description="The organisation's phone number for the Pull API, which lists payments that were never told.",
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

    @field_validator(
        *("till_number", "initiator_name", "initiator_password", "security_credential", "certificate"),
        *("b2c_shortcode", "nominated_number"),
        mode="before",
    )
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

    @field_validator("initiator_name")
    @classmethod
    def _one_word(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isprintable() and len(value) <= 100):
            raise ValueError("holds a character that no operator's name has. Copy it from the organisation's portal.")
        return value

    @field_validator("initiator_password")
    @classmethod
    def _printable(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value is not None else ""
        if not text.isascii() or (text and not text.isprintable()):
            raise ValueError("holds a character that no such password has.")
        return value

    @field_validator("security_credential")
    @classmethod
    def _encrypted(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = "".join(value.get_secret_value().split())
        if not _BASE64.fullmatch(text) or len(text) % 4:
            raise ValueError(
                "is not an encrypted value (344 characters for today's keys). A password belongs into its own field."
            )
        return SecretStr(text)

    @field_validator("certificate")
    @classmethod
    def _not_private(cls, value: str | None) -> str | None:
        if value is not None and "PRIVATE KEY" in value:
            raise ValueError("is a private key. Paste Safaricom's certificate, which holds the public one.")
        if value is not None and len(value) > _LONGEST_CERTIFICATE:
            raise ValueError("is too long for a certificate.")
        return value

    @field_validator("b2c_shortcode")
    @classmethod
    def _shortcode_or_none(cls, value: str | None) -> str | None:
        if value is not None and not _NUMBER.fullmatch(value):
            raise ValueError("must be 5 to 7 digits")
        return value

    @field_validator("nominated_number")
    @classmethod
    def _phone_or_none(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return normalise_phone(value)
        except PhoneError as problem:
            raise ValueError(f"is not a Kenyan number: {problem}") from None

    @property
    def has_initiator(self) -> bool:
        """True when there is a name and a password or ready credential: enough to ask for more than a push."""
        secret = self.security_credential or self.initiator_password
        return self.initiator_name is not None and secret is not None

    @property
    def payout_shortcode(self) -> str:
        """The shortcode that payouts leave from."""
        return self.b2c_shortcode or self.shortcode

    @property
    def receivers(self) -> frozenset[str]:
        """The numbers under which customers' money arrives here."""
        return frozenset(number for number in (self.shortcode, self.till_number) if number)

    @property
    def own_numbers(self) -> frozenset[str]:
        """Every number of this account."""
        return self.receivers | {self.payout_shortcode}

    @property
    def transaction_type(self) -> str:
        """Daraja's name for this kind of payment."""
        return "CustomerPayBillOnline" if self.kind == "paybill" else "CustomerBuyGoodsOnline"

    @property
    def receiver(self) -> str:
        """PartyB: the paybill itself, or the till (never its store number)."""
        return self.till_number or self.shortcode
