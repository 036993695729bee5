"""The sandbox's fixed rate: shillings in dollars, where it is set, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from moneyed import Money

from majuu_core.plugins.contributions import FxQuote
from sandbox_project.majuu_hooks import quote_fx
from sandbox_project.providers import demo_rate

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_shillings_are_quoted_in_dollars_and_called_a_demo(settings: Any) -> None:
    settings.SANDBOX_DEMO_RATE = Decimal("0.0077")

    quote = quote_fx(amount=Money("1509", "KES"), to_currency="USD", at=NOW)

    assert quote == FxQuote(
        amount=Money("1509", "KES"),
        converted=Money("11.62", "USD"),  # 11.6193
        rate=Decimal("0.0077"),
        source="fixed demo rate",
        expires_at=NOW + timedelta(minutes=15),
    )


@pytest.mark.parametrize(("owed", "wanted"), [("USD", "KES"), ("KES", "EUR"), ("UGX", "USD")])
def test_no_other_pair_is_quoted(settings: Any, owed: str, wanted: str) -> None:
    settings.SANDBOX_DEMO_RATE = Decimal("0.0077")

    assert quote_fx(amount=Money(100, owed), to_currency=wanted, at=NOW) is None


def test_without_the_setting_nothing_is_quoted(settings: Any) -> None:
    settings.SANDBOX_DEMO_RATE = None

    assert quote_fx(amount=Money(100, "KES"), to_currency="USD", at=NOW) is None


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "a lot"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SANDBOX_DEMO_RATE must be dollars for one shilling"):
        demo_rate(text, debug=True)
