"""Amounts as Stripe writes them: integers whose unit depends on the currency, by rules of its own.

Stripe's table of currencies is not ISO 4217. UGX and ISK have no decimals and are sent as if they had two; MGA is sent
whole; of three decimals the last must be 0.
"""

from __future__ import annotations

from decimal import Context, Decimal

from majuu_core.common.money import CURRENCY_CODES, Money, currency_of, decimal_places
from majuu_core.providers import InvalidPaymentData, Violation

ZERO_DECIMAL = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# Two decimals on paper; only whole units exist.
WHOLE_UNITS = frozenset({"ISK", "UGX"})
# Stripe does not charge these, Majuu knows them.
_NOT_AT_STRIPE = frozenset({"GHS", "SSP"})
CURRENCIES: frozenset[str] = frozenset(CURRENCY_CODES) - _NOT_AT_STRIPE

# In Stripe's units, for an account that is paid out in that currency. For all others Stripe takes the equivalent of its
# payout currency, which only Stripe can know.
MINIMUM: dict[str, int] = {
    **dict.fromkeys(("AUD", "BRL", "CAD", "CHF", "EUR", "IDR", "ILS", "INR", "NZD", "PHP", "SGD", "USD", "ZAR"), 50),
    "AED": 200,
    "CZK": 1500,
    "DKK": 250,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17_500,
    "JPY": 50,
    "KRW": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "THB": 1000,
}
MAXIMUM = 999_999_999_999  # twelve digits, for cards
_EXACT = Context(prec=60)


def stripe_places(currency: str) -> int:
    """How many decimals Stripe's integers stand for."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def to_stripe(money: Money) -> int:
    """The amount as Stripe wants it: KES 10.50 is 1050, UGX 5 is 500, JPY 5 is 5.

    Raises InvalidPaymentData for an amount that Stripe cannot express; it is never rounded.
    """
    objection = _expressible(money)
    if objection is not None:
        raise InvalidPaymentData(objection)
    return int(money.amount.scaleb(stripe_places(money.currency.code), context=_EXACT))


def from_stripe(amount: int, currency: str) -> Money:
    """Stripe's integer as money. Raises AmountError for a currency that Majuu does not know."""
    code = currency.upper()
    known = currency_of(code)
    value = Decimal(amount).scaleb(-stripe_places(code), context=_EXACT)
    places = decimal_places(code)
    rounded = value.quantize(Decimal((0, (1,), -places)), context=_EXACT)
    # What our own currency cannot hold (half a shilling of Uganda) is shown as it is, and core parks it.
    return Money(rounded if rounded == value else value, known)


def charge_violations(money: Money) -> list[Violation]:
    """Every objection to charging this amount."""
    code = money.currency.code
    objection = _expressible(money)
    if objection is not None:
        return [objection]
    if money.amount <= 0:
        return [_violation("amount_too_small", "The amount must be above zero.")]
    amount = to_stripe(money)
    least = MINIMUM.get(code, 1)
    if amount < least:
        shown = from_stripe(least, code)
        return [_violation("amount_too_small", f"The smallest card payment in {code} is {shown.amount}.")]
    if amount > MAXIMUM:
        shown = from_stripe(MAXIMUM, code)
        return [_violation("amount_too_large", f"The largest card payment in {code} is {shown.amount}.")]
    return []


def _expressible(money: Money) -> Violation | None:
    code, amount = money.currency.code, money.amount
    if code not in CURRENCIES:
        return _violation("currency_unsupported", f"Stripe does not charge {code}. Use another currency or method.")
    if not amount.is_finite():
        return _violation("amount_invalid", "The amount is not a number.")
    if amount.copy_abs() > 10 * MAXIMUM:
        return _violation("amount_too_large", "The amount has more digits than Stripe takes.")
    if code in WHOLE_UNITS and amount != amount.to_integral_value():
        return _violation(
            "amount_too_precise", f"Stripe charges whole {code} only. Round the amount to a whole number."
        )
    minor = amount.scaleb(stripe_places(code), context=_EXACT)
    if minor != minor.to_integral_value(context=_EXACT):
        text = f"Stripe charges {code} with {stripe_places(code)} decimals. Round the amount to that."
        return _violation("amount_too_precise", text)
    if code in THREE_DECIMAL and int(minor) % 10:
        text = f"The third decimal of an amount in {code} must be 0 for Stripe. Round the amount to two decimals."
        return _violation("amount_too_precise", text)
    return None


def _violation(code: str, message: str) -> Violation:
    return Violation(code=code, message=message, field="amount")
