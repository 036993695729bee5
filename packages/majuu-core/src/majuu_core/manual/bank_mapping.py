"""How one bank writes its CSV statements: which column is what. Saved with the account, entered once."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from majuu_core.common.money import CURRENCY_CODES

# As people write them, and as strptime reads them.
DATE_FORMATS: dict[str, str] = {
    "DD/MM/YYYY": "%d/%m/%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
    "YYYY-MM-DD": "%Y-%m-%d",
    "YYYY/MM/DD": "%Y/%m/%d",
    "YYYYMMDD": "%Y%m%d",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD/MM/YY": "%d/%m/%y",
    "DD-MMM-YYYY": "%d-%b-%Y",
    "DD MMM YYYY": "%d %b %Y",
    "DD-MMM-YY": "%d-%b-%y",
    "DD/MM/YYYY HH:MM": "%d/%m/%Y %H:%M",
    "DD/MM/YYYY HH:MM:SS": "%d/%m/%Y %H:%M:%S",
    "YYYY-MM-DD HH:MM:SS": "%Y-%m-%d %H:%M:%S",
}
Column = Annotated[str, Field(max_length=80)]


class BankMapping(BaseModel):
    """Columns are named by their heading, or by their number, counted from 1, where a file has no headings."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    delimiter: Literal["auto", ",", ";", "tab", "|"] = "auto"
    skip_rows: int = Field(default=0, ge=0, le=100)  # above the headings
    has_headings: bool = True
    date: Column = Field(min_length=1)
    date_format: str = "DD/MM/YYYY"
    decimal_sign: Literal[".", ","] = "."
    amount: Column = ""  # one column: below zero is money out
    credit: Column = ""  # or two
    debit: Column = ""
    currency_column: Column = ""
    currency: str = ""  # of every line, where no column says it
    description: tuple[Column, ...] = ()  # texts in which the payer's reference may stand
    payer: Column = ""
    bank_reference: Column = ""  # the bank's own number of the posting; never the payer's text
    balance: Column = ""

    @field_validator("description", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value

    @field_validator("date_format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        if value not in DATE_FORMATS:
            raise ValueError(f"Choose one of {', '.join(DATE_FORMATS)}.")
        return value

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        if value and value.upper() not in CURRENCY_CODES:
            raise ValueError("Give a currency code such as KES.")
        return value.upper()

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        if bool(self.amount) is bool(self.credit):
            raise ValueError("Name one column with the amount, or one for money in (and one for money out).")
        if self.debit and not self.credit:
            raise ValueError("A column for money out goes with one for money in.")
        if not self.currency and not self.currency_column:
            raise ValueError("Name the currency, or the column that says it.")
        if not self.has_headings:
            named = [getattr(self, name) for name in ("date", "amount", "credit", "debit", "payer", "balance")]
            others = [self.bank_reference, self.currency_column, *self.description]
            if any(name and not name.isdecimal() for name in (*named, *others)):
                raise ValueError("A file without headings has its columns named by number, such as 1.")
        return self
