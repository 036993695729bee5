"""Amounts in currencies with other than two decimals, and in currencies that the provider does not take."""

from __future__ import annotations

from dataclasses import replace

from moneyed import Money

from majuu_core.testing.harness import NotOffered, ProviderHarness
from majuu_core.testing.kit import check
from majuu_core.testing.steps import PAID, any_payment, attempt, describe, expect, finish, start

_PAY = ("payment",)
# Where providers and ISO 4217 agree about the decimals, before the others.
_WITHOUT_DECIMALS = ("JPY", "KRW", "XAF", "RWF", "UGX")
_WITH_THREE = ("KWD", "BHD", "JOD", "TND", "OMR")


@check(
    "currency",
    needs=_PAY,
    why="JPY 1500 sent as 150000 is a hundred times the price.",
    fix="Convert by the currency's own decimals (majuu_core.common.money.to_minor_units), never by a hundred.",
)
def currency_without_decimals_survives(harness: ProviderHarness) -> None:
    _expect_round_trip(harness, _WITHOUT_DECIMALS, "1500")


@check(
    "currency",
    needs=_PAY,
    why="KWD 12.340 sent as 1234 is a tenth of the price.",
    fix="Convert by the currency's own decimals (majuu_core.common.money.to_minor_units), never by a hundred.",
)
def currency_with_three_decimals_survives(harness: ProviderHarness) -> None:
    _expect_round_trip(harness, _WITH_THREE, "12.340")


@check(
    "currency",
    needs=_PAY,
    why="A request that was refused here but sent all the same may be a payment there.",
    fix="Check the amount and its currency before anything leaves.",
)
def unsupported_currency_is_never_sent(harness: ProviderHarness) -> None:
    start(harness, any_payment(harness))
    if not harness.exchanges:
        raise NotOffered("the harness records no exchanges")
    request = any_payment(harness)
    outside = next(code for code in ("IRR", "KPW", "XDR") if code not in harness.provider_class.info.currencies)
    attempt(lambda: start(harness, replace(request, amount=Money(request.amount.amount, outside))))
    sent = [
        exchange.operation
        for exchange in harness.exchanges
        if request.reference in f"{exchange.url}{exchange.request_body}" or outside in exchange.request_body
    ]
    expect(not sent, f"a payment in {outside}, which is not in info.currencies, was sent: {sent}")


def _expect_round_trip(harness: ProviderHarness, currencies: tuple[str, ...], number: str) -> None:
    info, request = harness.provider_class.info, harness.payment()
    code = next((code for code in currencies if info.takes(request.payment_method, code)), None)
    if code is None:
        raise NotOffered(f"the provider takes none of {', '.join(currencies)}")
    asked = replace(request, amount=Money(number, code))
    last = finish(harness, asked, start(harness, asked))
    expect(last.status in PAID, f"{number} {code} ended as {describe(last)}")
    expect(last.amount in (None, asked.amount), f"asked for {number} {code}, reported {last.amount}")
