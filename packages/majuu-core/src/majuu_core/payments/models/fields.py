"""Columns that money stands in."""

from __future__ import annotations

from typing import Any

from djmoney.models.fields import MoneyField

from majuu_core.common.money import CURRENCY_CHOICES


def money_field(**options: Any) -> Any:
    """A money column whose currency is the row's one ``currency`` column."""
    return MoneyField(  # type: ignore[no-untyped-call]
        max_digits=19,
        decimal_places=4,
        default_currency=None,
        currency_choices=CURRENCY_CHOICES,
        currency_max_length=3,
        currency_field_name="currency",
        **options,
    )
