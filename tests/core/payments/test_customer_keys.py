"""In which spelling a customer's address and number are kept."""

from __future__ import annotations

import pytest

from majuu_core.payments.customer_keys import email_key, phone_key
from tests.core.payments.support import Till


@pytest.mark.parametrize(
    ("written", "kept"),
    [("", ""), ("Asha@Example.COM", "asha@example.com"), (" asha@example.com ", "asha@example.com")],
)
def test_an_address_is_kept_in_lower_case(written: str, kept: str) -> None:
    assert email_key(written) == kept


@pytest.mark.parametrize(
    ("written", "currency", "kept"),
    [
        ("", "KES", ""),
        ("none", "KES", ""),
        ("12", "KES", ""),
        ("+254712345678", "KES", "254712345678"),
        ("+254 712 345 678", "USD", "254712345678"),
        ("00254712345678", "KES", "254712345678"),
        ("254712345678", "KES", "254712345678"),
        ("254712345678", "USD", "254712345678"),
        ("0712-345-678", "KES", "254712345678"),
        ("712345678", "KES", "254712345678"),
        ("0110123456", "KES", "254110123456"),
        ("110123456", "KES", "254110123456"),
        # The same ten digits are another person in each country, and nobody in particular elsewhere.
        ("0712345678", "TZS", "255712345678"),
        ("0772123456", "UGX", "256772123456"),
        ("0712345678", "USD", ""),
        ("256772123456", "KES", "256772123456"),
        ("+999712345678", "KES", ""),
        ("+254712345678 / 0722000000", "KES", ""),
        ("٠٧١٢٣٤٥٦٧٨", "KES", ""),
    ],
)
def test_a_number_is_kept_with_the_country_it_is_of(written: str, currency: str, kept: str) -> None:
    assert phone_key(written, currency) == kept


def test_a_new_payment_has_its_keys(till: Till) -> None:
    intent = till.intent(customer_email="Asha@Example.com", customer_phone="0712345678")
    intent.refresh_from_db()
    assert (intent.customer_email_key, intent.customer_phone_key) == ("asha@example.com", "254712345678")
    assert (intent.customer_email, intent.customer_phone) == ("Asha@Example.com", "0712345678")
