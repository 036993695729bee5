"""What sign-in by API takes and gives."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StrictStr

from majuu_core.api.schemas import Email, Input, ProblemOut

Password = Annotated[StrictStr, Field(min_length=1, max_length=1000)]
Token = Annotated[StrictStr, Field(min_length=1, max_length=4000)]
Key = Annotated[StrictStr, Field(min_length=1, max_length=500)]


class CredentialsIn(Input):
    email: Email
    password: Password


class SecondFactorIn(Input):
    session_token: Key
    code: Annotated[StrictStr, Field(min_length=1, max_length=40, description="Of an app, or a backup code.")]


class RefreshIn(Input):
    refresh_token: Token


class AddressIn(Input):
    email: Email


class VerifyEmailIn(Input):
    key: Annotated[Key, Field(description="The last part of the address in the letter.")]


class NewPasswordIn(Input):
    key: Annotated[Key, Field(description="The last part of the address in the letter.")]
    password: Password


class TokensOut(Schema):
    object: Literal["tokens"]
    token_type: Literal["Bearer"]
    access_token: str
    expires_in: int = Field(description="Seconds the access token lives.")
    refresh_token: str = Field(description="Used once; the answer holds the next one.")
    session: str
    session_expires_at: str = Field(description="When to sign in again, whatever is refreshed.")


class SecondFactorRequiredOut(ProblemOut):
    session_token: str | None = Field(None, description="With the code second_factor_required: for the next step.")


class AcceptedOut(Schema):
    object: Literal["accepted"]
