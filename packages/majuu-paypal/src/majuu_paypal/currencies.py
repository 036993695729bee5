"""Which currencies PayPal takes and how it writes amounts: as decimal strings, some without decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from majuu_core.common.money import AmountError, Money, format_amount, parse_amount
from majuu_core.providers import Violation

# PayPal's list without those that only accounts of one country may use (BRL, CNY, MYR) and those it no longer serves.
CURRENCIES: frozenset[str] = frozenset(
    {
        *("AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY"),
        *("MXN", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"),
    }
)
# Two of these have decimals in ISO 4217; PayPal refuses them all the same.
WITHOUT_DECIMALS: frozenset[str] = frozenset({"HUF", "JPY", "TWD"})


def write_money(money: Money) -> dict[str, str]:
    """The amount as PayPal wants it, such as ``{"currency_code": "USD", "value": "10.00"}``. Checked before."""
    code = money.currency.code
    value = str(int(money.amount)) if code in WITHOUT_DECIMALS else format_amount(money)
    return {"currency_code": code, "value": value}


def read_money(value: Any) -> Money | None:
    """An amount of an answer; None for one that is missing or cannot be read. Payouts say ``currency``, orders
    ``currency_code``."""
    if not isinstance(value, Mapping):
        return None
    code, number = value.get("currency_code") or value.get("currency"), value.get("value")
    if not isinstance(code, str) or not isinstance(number, str):
        return None
    try:
        return parse_amount(number, code)
    except AmountError:
        return None


def amount_violations(money: Money, *, field: str = "amount") -> list[Violation]:
    """The objections to an amount that PayPal is to move."""
    amount, code = money.amount, money.currency.code
    if code not in CURRENCIES:
        text = f"PayPal does not take {code}. It takes {', '.join(sorted(CURRENCIES))}."
        return [Violation(code="currency_unsupported", message=text, field=field)]
    if not amount.is_finite() or amount <= 0:
        return [Violation(code="amount_too_small", message="The amount must be above zero.", field=field)]
    if code in WITHOUT_DECIMALS:
        if amount != amount.to_integral_value():
            text = f"PayPal takes {code} without decimals. Round the amount."
            return [Violation(code="amount_not_whole", message=text, field=field)]
        return []
    try:
        format_amount(money)
    except AmountError as problem:
        return [Violation(code=problem.code, message=str(problem), field=field)]
    return []
