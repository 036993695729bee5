"""Amounts: exact, with their currency's decimals, never floats."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.money import (
    CURRENCY_CHOICES,
    CURRENCY_CODES,
    MAX_AMOUNT,
    AmountError,
    Money,
    currency_of,
    decimal_places,
    format_amount,
    money_from_minor,
    parse_amount,
    to_minor_units,
)

# ISO 4217, list one: the currencies of ours without two decimals.
NO_DECIMALS = set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMALS = set("BHD JOD KWD OMR TND".split())
CODES = st.sampled_from(CURRENCY_CODES)
MINORS = st.integers(-(10**17), 10**17)


@pytest.mark.parametrize("code", CURRENCY_CODES)
def test_decimal_places_are_those_of_iso_4217(code: str) -> None:
    assert decimal_places(code) == (0 if code in NO_DECIMALS else 3 if code in THREE_DECIMALS else 2)


def test_every_currency_is_listed_once_and_offered_in_order() -> None:
    assert len(set(CURRENCY_CODES)) == len(CURRENCY_CODES)
    assert CURRENCY_CHOICES == tuple((code, code) for code in sorted(CURRENCY_CODES))


@pytest.mark.parametrize("code", ["", "kes", "KSH", "XXX", "KES ", "€", "A" * 100])
def test_unknown_currencies_are_refused(code: str) -> None:
    with pytest.raises(AmountError) as caught:
        currency_of(code)
    assert caught.value.code == "currency_unknown"
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("1500.00", "KES", Decimal("1500.00")),
        ("1500", "KES", Decimal("1500.00")),
        (1500, "KES", Decimal("1500.00")),
        ("1500.5", "KES", Decimal("1500.50")),
        ("1500.500", "KES", Decimal("1500.50")),
        ("0.001", "KWD", Decimal("0.001")),
        ("7", "JPY", Decimal("7")),
        ("7.00", "UGX", Decimal("7")),
        ("-3.20", "USD", Decimal("-3.20")),
        (str(MAX_AMOUNT), "KES", MAX_AMOUNT),
        ("00012", "KES", Decimal("12.00")),
    ],
)
def test_parse_amount_reads(value: str | int, currency: str, expected: Decimal) -> None:
    money = parse_amount(value, currency)
    assert money == Money(expected, currency)
    assert money.amount.as_tuple().exponent == -decimal_places(currency)


@pytest.mark.parametrize("zero", ["0", "-0", "0.00", "-0.00", 0])
def test_zero_has_no_sign(zero: str | int) -> None:
    assert format_amount(parse_amount(zero, "KES")) == "0.00"


@pytest.mark.parametrize(
    ("value", "currency", "code"),
    [
        (10.5, "KES", "amount_invalid"),
        (10.0, "KES", "amount_invalid"),
        (True, "KES", "amount_invalid"),
        (None, "KES", "amount_invalid"),
        (Decimal("10"), "KES", "amount_invalid"),
        ([], "KES", "amount_invalid"),
        ("", "KES", "amount_invalid"),
        (" 10", "KES", "amount_invalid"),
        ("10\n", "KES", "amount_invalid"),
        ("10.", "KES", "amount_invalid"),
        (".5", "KES", "amount_invalid"),
        ("1,000", "KES", "amount_invalid"),
        ("1e3", "KES", "amount_invalid"),
        ("+1", "KES", "amount_invalid"),
        ("0x10", "KES", "amount_invalid"),
        ("1_000", "KES", "amount_invalid"),
        ("NaN", "KES", "amount_invalid"),
        ("Infinity", "KES", "amount_invalid"),
        ("١٠", "KES", "amount_invalid"),
        ("9" * 21, "KES", "amount_invalid"),
        ("1." + "0" * 13, "KES", "amount_invalid"),
        ("10.001", "KES", "amount_too_precise"),
        ("10.5", "JPY", "amount_too_precise"),
        ("0.0001", "KWD", "amount_too_precise"),
        (str(MAX_AMOUNT + 1), "KES", "amount_too_large"),
        ("-" + str(MAX_AMOUNT + 1), "KES", "amount_too_large"),
        ("9" * 20, "KES", "amount_too_large"),
        ("999999999999999.01", "KES", "amount_too_large"),
        (10**30, "KES", "amount_too_large"),
        ("10", "KSH", "currency_unknown"),
    ],
)
def test_parse_amount_refuses(value: object, currency: str, code: str) -> None:
    with pytest.raises(AmountError) as caught:
        parse_amount(value, currency)
    assert caught.value.code == code
    assert len(str(caught.value)) < 200


def test_an_integer_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(AmountError) as caught:
        parse_amount(10**5000, "KES")
    assert caught.value.code == "amount_too_large"


@given(text=st.text(max_size=20) | st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{1,5})?", fullmatch=True), currency=CODES)
def test_whatever_is_sent_is_an_exact_amount_or_a_clear_refusal(text: str, currency: str) -> None:
    code = None
    try:
        assert parse_amount(text, currency).amount == Decimal(text)
    except AmountError as problem:
        code = problem.code
    assert code in {None, "amount_invalid", "amount_too_precise", "amount_too_large"}


@given(minor=MINORS, currency=CODES)
def test_minor_units_are_reversible(minor: int, currency: str) -> None:
    money = money_from_minor(minor, currency)
    assert to_minor_units(money) == minor
    assert money.currency.code == currency


@given(minor=MINORS, currency=CODES)
def test_what_is_written_can_be_read(minor: int, currency: str) -> None:
    money = money_from_minor(minor, currency)
    text = format_amount(money)
    assert Decimal(text) == money.amount
    assert "E" not in text
    assert len(text.partition(".")[2]) == decimal_places(currency)
    if abs(money.amount) <= MAX_AMOUNT:
        assert parse_amount(text, currency) == money


@given(first=MINORS, second=MINORS, currency=CODES)
def test_adding_money_is_adding_minor_units(first: int, second: int, currency: str) -> None:
    assert to_minor_units(money_from_minor(first, currency) + money_from_minor(second, currency)) == first + second


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money("1500", "KES"), "1500.00"),
        (Money("1500.0000", "KES"), "1500.00"),
        (Money("0", "KWD"), "0.000"),
        (Money("1E+3", "JPY"), "1000"),
        (Money("-0.10", "USD"), "-0.10"),
    ],
)
def test_format_amount(money: Money, text: str) -> None:
    assert format_amount(money) == text


@pytest.mark.parametrize("amount", ["1500.005", "0.0001", "1.999"])
def test_an_amount_with_more_decimals_is_never_rounded_in_silence(amount: str) -> None:
    money = Money(amount, "KES")
    for convert in (format_amount, to_minor_units):
        with pytest.raises(AmountError) as caught:
            convert(money)
        assert caught.value.code == "amount_too_precise"


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1E+22"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(AmountError) as caught:
        to_minor_units(Money(Decimal(amount), "KES"))
    assert caught.value.code == "amount_too_large"


def test_minor_units_that_a_decimal_would_round_are_refused() -> None:
    with pytest.raises(AmountError) as caught:
        money_from_minor(10**40 + 1, "KES")
    assert caught.value.code == "amount_too_large"


def test_results_do_not_depend_on_the_caller_s_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 5
        assert to_minor_units(money_from_minor(123456789012, "KES")) == 123456789012
        assert format_amount(Money("1234567890.12", "KES")) == "1234567890.12"
        assert parse_amount("1234567890.12", "KES").amount == Decimal("1234567890.12")
