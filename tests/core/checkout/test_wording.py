from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone
from moneyed import Money

from majuu_core.checkout.texts import ENGLISH, SWAHILI
from majuu_core.checkout.wording import amount_text, clock_text, masked, method_label, time_text


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1500.0000", "KES", "KES 1,500"),
        ("1500.5000", "KES", "KES 1,500.50"),
        ("0.05", "USD", "USD 0.05"),
        ("1234567", "UGX", "UGX 1,234,567"),
        ("1.234", "BHD", "BHD 1.234"),
    ],
)
def test_amounts(amount: str, currency: str, expected: str) -> None:
    assert amount_text(Money(amount, currency)).replace("\u00a0", " ") == expected


def test_an_amount_never_breaks_across_lines() -> None:
    assert " " not in amount_text(Money(1500, "KES"))


def test_times_are_in_the_projects_zone_and_the_pages_language() -> None:
    moment = datetime(2026, 8, 21, 22, 5, tzinfo=UTC)
    with timezone.override("Africa/Nairobi"):
        assert time_text(moment, ENGLISH) == "22 Aug 2026, 01:05 EAT"
        assert time_text(moment, SWAHILI) == "22 Ago 2026, 01:05 EAT"


@pytest.mark.parametrize(
    ("payer", "expected"),
    [
        ("254712345678", "2547 ***** 678"),
        ("+254 712 345 678", "+254 ***** 678"),
        ("2547 ***** 678", "2547 ***** 678"),
        ("jane@example.com", "jane@example.com"),
        ("", ""),
    ],
)
def test_phone_numbers_are_masked(payer: str, expected: str) -> None:
    assert masked(payer) == expected


def test_seconds_as_a_clock() -> None:
    assert [clock_text(seconds) for seconds in (-5, 0, 9, 60, 125)] == ["0:00", "0:00", "0:09", "1:00", "2:05"]


def test_a_card_is_a_card_in_every_language() -> None:
    assert [method_label("card", "Cards (Stripe)", language) for language in ("en", "sw")] == ["card", "kadi"]
    assert method_label("paypal_wallet", "PayPal", "sw") == "PayPal"
