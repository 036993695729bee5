"""What a merchant enters to connect an account."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class PesapalCredentials(BaseModel):
    """One merchant account. Errors never repeat what was entered, because what was entered is a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    consumer_key: SecretStr = Field(min_length=8, title="Consumer key")
    consumer_secret: SecretStr = Field(min_length=8, title="Consumer secret")
    ipn_id: str = Field(min_length=1, title="IPN id", description="Of the notification address in the dashboard.")
    username: str = Field(min_length=1, title="User", description="Stands on refunds as the one who asked.")
