"""What a "manual" account holds: not keys, but what a customer is told. The bank's mapping is kept with it."""

from __future__ import annotations

import re
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from majuu_core.common.money import CURRENCY_CODES
from majuu_core.manual.bank_mapping import BankMapping

_SWIFT = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_MOST_IN_97 = 97


class ManualCredentials(BaseModel):
    """Where money goes, by bank, in cash, or both. Nothing here is secret, except who banks where."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    currencies: tuple[str, ...] = Field(min_length=1)  # that the account holds
    bank_name: str = Field(default="", max_length=80)
    account_name: str = Field(default="", max_length=80)
    account_number: str = Field(default="", max_length=40)
    iban: str = Field(default="", max_length=42)
    branch: str = Field(default="", max_length=80)
    swift: str = Field(default="", max_length=11)
    note: str = Field(default="", max_length=500)  # shown below the bank's details
    cash: str = Field(default="", max_length=500)  # where and how cash is paid; empty: not taken
    # Another amount than was asked for pays a part, or leaves a surplus. Off: a person decides about it.
    amount_may_differ: bool = False
    time_zone: str = "Africa/Nairobi"  # whose days the bank's statements count
    statement: BankMapping | None = None  # how the bank writes its CSV files

    @property
    def takes_transfers(self) -> bool:
        """Whether there is a bank account."""
        return bool(self.account_number or self.iban)

    @field_validator("currencies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(re.split(r"[\s,;]+", value.strip().upper())) if isinstance(value, str) else value

    @field_validator("currencies")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [code[:8] for code in value if code not in CURRENCY_CODES]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: give currency codes such as KES.")
        return value

    @field_validator("iban")
    @classmethod
    def _is_iban(cls, value: str) -> str:
        compact = re.sub(r"\s", "", value).upper()
        if compact and not _holds(compact):
            raise ValueError("This IBAN is mistyped: its check digits do not hold.")
        return compact

    @field_validator("swift")
    @classmethod
    def _is_swift(cls, value: str) -> str:
        if value and not _SWIFT.fullmatch(value.upper()):
            raise ValueError("A SWIFT code has eight or eleven characters, such as KCBLKENX.")
        return value.upper()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):
            raise ValueError('Name a time zone such as "Africa/Nairobi".') from None
        return value

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if not self.takes_transfers and not self.cash:
            raise ValueError("Give a bank account, or say how cash is paid.")
        if self.takes_transfers and not (self.bank_name and self.account_name):
            raise ValueError("A bank account needs the bank's name and the name it is held in.")
        return self


def _holds(iban: str) -> bool:
    """ISO 13616: moved round and written in numbers, it leaves one when divided by 97."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban):
        return False
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % _MOST_IN_97 == 1
