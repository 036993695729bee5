"""What a Stripe account needs: a secret key, and the signing secrets of its webhook endpoint."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

SECRET_KEY = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9_]{8,240}")
_PUBLISHABLE_KEY = re.compile(r"pk_(test|live)_[A-Za-z0-9_]{8,240}")
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,200}")
# What Stripe takes behind the account's own descriptor; together they have 22 characters.
_SUFFIX = re.compile(r"[A-Za-z0-9 .,#&/+-]{1,20}")
_MOST_SECRETS = 10


class StripeCredentials(BaseModel):
    """One Stripe account, test or live.

    Errors never repeat what was entered, because what was entered is a secret.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    secret_key: SecretStr = Field(
        title="Secret key", description="sk_test_…, sk_live_…, or a restricted key (rk_…), from Developers, API keys."
    )
    webhook_secrets: tuple[SecretStr, ...] = Field(
        default=(),
        title="Signing secrets",
        description="whsec_… of the webhook endpoint. Keep the old one beside the new one while a secret is rolled.",
    )
    publishable_key: str | None = Field(
        default=None, title="Publishable key", description="pk_…, for shops that show Stripe's card form themselves."
    )
    statement_descriptor_suffix: str | None = Field(
        default=None,
        title="Statement suffix",
        description="What the card statement shows behind the account's own name, up to 20 characters.",
    )
    account_label: str = Field(default="", max_length=80, title="Label", description="For people who have several.")

    @field_validator("secret_key")
    @classmethod
    def _is_secret_key(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value().strip()
        if secret.startswith("pk_"):
            raise ValueError("is a publishable key. Enter the secret key, which begins with sk_ or rk_.")
        if secret.startswith("whsec_"):
            raise ValueError("is a webhook's signing secret. Enter the secret key, which begins with sk_ or rk_.")
        if not SECRET_KEY.fullmatch(secret):
            raise ValueError("must begin with sk_test_, sk_live_, rk_test_ or rk_live_. Copy it from the dashboard.")
        return SecretStr(secret)

    @field_validator("webhook_secrets", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        """A form has one line for them: they may be separated by spaces or commas."""
        if isinstance(value, str):
            return value.replace(",", " ").split()
        return value or ()

    @field_validator("webhook_secrets")
    @classmethod
    def _are_signing_secrets(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if len(value) > _MOST_SECRETS:
            raise ValueError(f"are more than {_MOST_SECRETS}. Take out those that were rolled.")
        secrets = [secret.get_secret_value().strip() for secret in value]
        if not all(_WEBHOOK_SECRET.fullmatch(secret) for secret in secrets):
            raise ValueError("must begin with whsec_. Copy them from the webhook endpoint's page.")
        return tuple(SecretStr(secret) for secret in dict.fromkeys(secrets))

    @field_validator("publishable_key", "statement_descriptor_suffix", mode="before")
    @classmethod
    def _blank_is_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("publishable_key")
    @classmethod
    def _is_publishable_key(cls, value: str | None) -> str | None:
        if value is not None and not _PUBLISHABLE_KEY.fullmatch(value):
            raise ValueError("must begin with pk_test_ or pk_live_. Never enter a secret key here.")
        return value

    @field_validator("statement_descriptor_suffix")
    @classmethod
    def _fits_a_statement(cls, value: str | None) -> str | None:
        if value is not None and not (_SUFFIX.fullmatch(value) and any(letter.isalpha() for letter in value)):
            raise ValueError("must be up to 20 Latin letters, digits and spaces, with one letter at least.")
        return value

    @property
    def livemode(self) -> bool:
        """Whether the secret key is a live one."""
        return "_live_" in self.secret_key.get_secret_value()[:8]
