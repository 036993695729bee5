from __future__ import annotations

from decimal import Decimal

import pytest

from majuu_core.common.money import CURRENCY_CODES, Money, decimal_places
from majuu_core.providers import InvalidPaymentData
from majuu_stripe.currencies import CURRENCIES, MINIMUM, charge_violations, from_stripe, stripe_places, to_stripe


@pytest.mark.parametrize(
    ("amount", "currency", "wire"),
    [
        ("10.50", "KES", 1050),
        ("100", "KES", 10_000),
        ("1.99", "USD", 199),
        ("500", "JPY", 500),
        ("500", "RWF", 500),
        ("1500", "XAF", 1500),
        ("5", "UGX", 500),  # no decimals, sent as if it had two
        ("5", "ISK", 500),
        ("45.67", "HUF", 4567),  # whole only when it is paid out
        ("800.45", "TWD", 80_045),
        ("5.12", "KWD", 5120),
        ("5.120", "BHD", 5120),
    ],
)
def test_an_amount_and_back(amount: str, currency: str, wire: int) -> None:
    money = Money(Decimal(amount), currency)

    assert to_stripe(money) == wire
    assert from_stripe(wire, currency.lower()) == money


@pytest.mark.parametrize(
    ("amount", "currency", "advice"),
    [
        ("10.505", "KES", "with 2 decimals"),
        ("500.5", "JPY", "with 0 decimals"),
        ("5.5", "UGX", "whole UGX only"),
        ("5.01", "ISK", "whole ISK only"),
        ("5.124", "KWD", "third decimal of an amount in KWD must be 0"),
        ("10.50", "MGA", "with 0 decimals"),
        ("10", "SSP", "does not charge SSP"),
        ("10", "GHS", "does not charge GHS"),
        ("NaN", "KES", "not a number"),
        ("Infinity", "KES", "not a number"),
        ("1e40", "KES", "more digits"),
    ],
)
def test_what_stripe_cannot_express_is_refused_and_never_rounded(amount: str, currency: str, advice: str) -> None:
    with pytest.raises(InvalidPaymentData) as refused:
        to_stripe(Money(Decimal(amount), currency))

    [violation] = refused.value.violations
    assert violation.field == "amount"
    assert advice in violation.message


def test_every_currency_survives_the_way_there_and_back() -> None:
    for code in sorted(CURRENCIES):
        money = Money(Decimal(1234), code)
        assert from_stripe(to_stripe(money), code.lower()) == money
        assert to_stripe(money) == 1234 * 10 ** stripe_places(code)


def test_the_smallest_step_of_our_own_currency_is_taken_wherever_stripe_has_it() -> None:
    """Only where Stripe's unit is larger than ours may an amount be refused for its decimals."""
    coarse = {code for code in CURRENCIES if stripe_places(code) < decimal_places(code)} | {
        *("BHD", "JOD", "KWD", "OMR", "TND")
    }
    for code in CURRENCIES - coarse:
        step = Decimal(1).scaleb(-decimal_places(code))
        assert from_stripe(to_stripe(Money(step, code)), code) == Money(step, code)
    assert coarse >= {"MGA"}


def test_a_fraction_that_our_currency_cannot_hold_is_reported_as_it_is() -> None:
    assert from_stripe(550, "ugx").amount == Decimal("5.50")


def test_only_currencies_that_majuu_knows() -> None:
    assert CURRENCIES <= set(CURRENCY_CODES)
    assert set(CURRENCY_CODES) - CURRENCIES == {"GHS", "SSP"}
    assert {"KES", "UGX", "TZS", "RWF", "ETB", "USD", "EUR", "GBP"} <= CURRENCIES


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("0.49", "USD", "amount_too_small"),
        ("0.29", "GBP", "amount_too_small"),
        ("174.99", "HUF", "amount_too_small"),
        ("49", "JPY", "amount_too_small"),
        ("0", "KES", "amount_too_small"),
        ("-1", "KES", "amount_too_small"),
        ("10000000000.00", "KES", "amount_too_large"),
    ],
)
def test_amounts_beyond_stripes_limits_are_refused(amount: str, currency: str, code: str) -> None:
    [violation] = charge_violations(Money(Decimal(amount), currency))

    assert (violation.code, violation.field) == (code, "amount")


def test_amounts_at_the_limits_are_taken() -> None:
    for code, least in MINIMUM.items():
        assert charge_violations(from_stripe(least, code)) == []
    assert charge_violations(Money(Decimal("9999999999.99"), "KES")) == []
    assert charge_violations(Money(Decimal("0.01"), "KES")) == []  # only Stripe knows the equivalent
