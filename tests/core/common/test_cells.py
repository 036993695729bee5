"""Exported cells: no text becomes a formula, no number becomes text."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from majuu_core.common.cells import safe_cell


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+254700000000", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＠x", "\x1f@", "\u200b=1"],
)
def test_what_could_be_a_formula_is_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (-5, "-5"),
        (Decimal("-1500.50"), "-1500.50"),
        (Decimal("1E+3"), "1000"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        ("Asha Otieno", "Asha Otieno"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_everything_else_stays_what_it_is(value: object, cell: str) -> None:
    assert safe_cell(value) == cell
