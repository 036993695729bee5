"""The currencies PayPal takes, and how an amount in one is read and written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from majuu_sim.paypal import refusals

CURRENCIES = frozenset(
    "AUD BRL CAD CNY CZK DKK EUR HKD HUF ILS JPY MYR MXN TWD NZD NOK PHP PLN GBP RUB SGD SEK CHF THB USD".split()
)
WITHOUT_DECIMALS = frozenset({"HUF", "JPY", "TWD"})
LARGEST = Decimal("999999999999999.99")
_VALUE = re.compile(r"-?[0-9]*\.?[0-9]+")
_CODE = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of a currency."""

    value: Decimal
    currency: str

    def to_dict(self) -> dict[str, str]:
        """As every PayPal API but payouts writes it."""
        return {"currency_code": self.currency, "value": written(self.value, self.currency)}

    def to_payout(self) -> dict[str, str]:
        """As the payouts API writes it."""
        return {"currency": self.currency, "value": written(self.value, self.currency)}


def places(currency: str) -> int:
    """How many decimals an amount may have."""
    return 0 if currency in WITHOUT_DECIMALS else 2


def rounded(value: Decimal, currency: str) -> Decimal:
    """``value`` in the currency's smallest unit, halves away from zero."""
    return value.quantize(Decimal(1).scaleb(-places(currency)), ROUND_HALF_UP)


def written(value: Decimal, currency: str) -> str:
    """``10.00``, in yen ``1000``."""
    return f"{value:.{places(currency)}f}"


def read_amount(data: object, field: str, *, code: str = "currency_code") -> Amount:
    """An amount out of a request; Refusal for a wrong shape, currency, sign or number of decimals."""
    if not isinstance(data, dict):
        raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", field)
    currency, value = data.get(code), data.get("value")
    for name, part in ((code, currency), ("value", value)):
        if part is None or part == "":
            raise refusals.bad_field("MISSING_REQUIRED_PARAMETER", f"{field}/{name}")
    if not isinstance(value, str) or len(value) > 32 or _VALUE.fullmatch(value) is None:
        raise refusals.bad_field("INVALID_PARAMETER_SYNTAX", f"{field}/value", str(value))
    if not isinstance(currency, str) or _CODE.fullmatch(currency) is None:
        raise refusals.unprocessable("INVALID_CURRENCY_CODE", f"{field}/{code}", str(currency))
    if currency not in CURRENCIES:
        raise refusals.unprocessable("CURRENCY_NOT_SUPPORTED", f"{field}/{code}", currency)
    return Amount(_checked(Decimal(value), value, currency, f"{field}/value"), currency)


def _checked(number: Decimal, text: str, currency: str, field: str) -> Decimal:
    if number <= 0:
        raise refusals.unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", field, text)
    if number > LARGEST:
        raise refusals.unprocessable("MAX_VALUE_EXCEEDED", field, text)
    if number != rounded(number, currency):
        issue = "DECIMALS_NOT_SUPPORTED" if currency in WITHOUT_DECIMALS else "DECIMAL_PRECISION"
        raise refusals.unprocessable(issue, field, text)
    return rounded(number, currency)
