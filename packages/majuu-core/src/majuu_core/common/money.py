"""Money: exact decimals with an ISO 4217 currency. Amounts are never floats, at any layer."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache

import moneyed
from moneyed import Currency, Money

__all__ = [
    "CURRENCY_CHOICES",
    "CURRENCY_CODES",
    "AmountError",
    "Money",
    "currency_of",
    "decimal_places",
    "format_amount",
    "money_from_minor",
    "parse_amount",
    "round_to_currency",
    "to_minor_units",
]

# Our own fixed list, so that a project's CURRENCIES setting cannot change our migrations. East Africa first, then the
# currencies the card and wallet providers settle in.
CURRENCY_CODES: tuple[str, ...] = (
    *("KES", "UGX", "TZS", "RWF", "BIF", "ETB", "SSP", "SOS", "DJF", "USD", "EUR", "GBP"),
    *("AED", "AOA", "AUD", "BHD", "BRL", "BWP", "CAD", "CDF", "CHF", "CLP", "CNY", "CZK", "DKK", "EGP", "GHS", "GMD"),
    *("GNF", "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JOD", "JPY", "KMF", "KRW", "KWD", "LSL", "MAD", "MGA", "MUR"),
    *("MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NOK", "NZD", "OMR", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "SAR"),
    *("SCR", "SEK", "SGD", "SLE", "SZL", "THB", "TND", "TRY", "TWD", "VND", "VUV", "XAF", "XOF", "XPF", "ZAR", "ZMW"),
)
CURRENCY_CHOICES: tuple[tuple[str, str], ...] = tuple((code, code) for code in sorted(CURRENCY_CODES))
_KNOWN = frozenset(CURRENCY_CODES)
MAX_AMOUNT = Decimal("999999999999999")
_LARGEST_SUM = Decimal(10) ** 21  # balances may exceed one payment's limit; this still fits a Decimal exactly
_EXACT = Context(prec=60)  # wide enough for every number below, whatever context a caller has set
_PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,12})?")


class AmountError(ValueError):
    """An amount or currency that cannot be accepted. ``code`` is stable; the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@cache
def currency_of(code: str) -> Currency:
    """The currency with this ISO code. Raises AmountError for one we do not know."""
    if code not in _KNOWN:
        raise AmountError(
            "currency_unknown", f"{code[:8]!r} is not a currency we know. Use an ISO 4217 code such as KES."
        )
    return moneyed.get_currency(code)


@cache
def decimal_places(code: str) -> int:
    """How many decimals the currency has: 2 for KES, 0 for JPY and UGX, 3 for BHD."""
    return len(str(currency_of(code).sub_unit)) - 1


def parse_amount(value: object, currency: str) -> Money:
    """Read an amount from a decimal string or an integer; anything else is refused, floats above all.

    Raises AmountError with code ``amount_invalid``, ``amount_too_precise``, ``amount_too_large`` or
    ``currency_unknown``. The sign is not checked here.
    """
    places = decimal_places(currency)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise AmountError("amount_invalid", 'Send the amount as a decimal string such as "1500.00", never as a float.')
    if isinstance(value, str) and not _PLAIN_DECIMAL.fullmatch(value):
        raise AmountError("amount_invalid", f'{value[:32]!r} is not an amount. Send digits such as "1500.00".')
    number = Decimal(value)
    if number.copy_abs() > MAX_AMOUNT:
        raise AmountError("amount_too_large", f"The amount must not exceed {MAX_AMOUNT}.")
    rounded = number.quantize(Decimal((0, (1,), -places)), context=_EXACT)
    if number != rounded:
        raise AmountError("amount_too_precise", f"{currency} has {places} decimal places. Round the amount to that.")
    # Adding zero turns "-0" into "0".
    return Money(_EXACT.add(rounded, 0), currency_of(currency))


def format_amount(money: Money) -> str:
    """The amount as the API writes it: all decimals of the currency, no separators, e.g. ``1500.00``.

    Raises AmountError for one with more decimals: round it on purpose, where you know which way.
    """
    return str(money_from_minor(to_minor_units(money), money.currency.code).amount)


def round_to_currency(money: Money) -> Money:
    """The amount with no more decimals than its currency has; halves go to the even neighbour."""
    unit = Decimal((0, (1,), -decimal_places(money.currency.code)))
    return Money(money.amount.quantize(unit, rounding=ROUND_HALF_EVEN, context=_EXACT), money.currency)


def to_minor_units(money: Money) -> int:
    """The amount in the currency's smallest unit: KES 10.50 is 1050. Raises AmountError if it does not fit."""
    places = decimal_places(money.currency.code)
    if not money.amount.is_finite() or money.amount.copy_abs() > _LARGEST_SUM:
        raise AmountError("amount_too_large", f"An amount must not exceed {_LARGEST_SUM}.")
    minor = int(money.amount.scaleb(places, context=_EXACT))
    if Decimal(minor).scaleb(-places, context=_EXACT) != money.amount:
        raise AmountError("amount_too_precise", f"{money.amount} has more decimals than {money.currency.code}.")
    return minor


def money_from_minor(minor: int, currency: str) -> Money:
    """The inverse of to_minor_units. Raises AmountError for one that a Decimal would round."""
    if abs(minor) > _LARGEST_SUM:
        raise AmountError("amount_too_large", f"An amount must not exceed {_LARGEST_SUM}.")
    return Money(Decimal(minor).scaleb(-decimal_places(currency), context=_EXACT), currency_of(currency))
