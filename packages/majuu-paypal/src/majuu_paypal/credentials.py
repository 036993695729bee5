"""What a PayPal account needs: the REST app's id and secret; the id of its webhook, once there is one."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_WEBHOOK_ID = re.compile(r"[A-Za-z0-9]{1,50}")


class PaypalCredentials(BaseModel):
    """One REST app at PayPal, sandbox or live.

    Errors never repeat what was entered, because what was entered is a secret.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    client_id: SecretStr = Field(title="Client ID", description="Of your REST app on developer.paypal.com.")
    client_secret: SecretStr = Field(title="Client secret", description="Of the same app.")
    webhook_id: str = Field(
        default="",
        title="Webhook ID",
        description="PayPal shows it beside the webhook's address in the app. Left empty, PayPal is asked for it.",
    )

    @field_validator("client_id", "client_secret")
    @classmethod
    def _usable(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value().strip()
        if not secret:
            raise ValueError("must not be empty. Copy it from developer.paypal.com.")
        if not secret.isascii() or not secret.isprintable() or " " in secret or len(secret) > 255:
            raise ValueError("holds a character that no such value has. Copy it again from developer.paypal.com.")
        return SecretStr(secret)

    @field_validator("webhook_id")
    @classmethod
    def _no_address(cls, value: str) -> str:
        if value and not _WEBHOOK_ID.fullmatch(value):
            raise ValueError(
                "must be the webhook's id, such as 1JE4291016473214C: neither its address nor an event's id (WH-…)."
            )
        return value
