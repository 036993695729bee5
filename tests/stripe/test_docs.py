"""The documentation says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from majuu_stripe.credentials import StripeCredentials
from majuu_stripe.currencies import MINIMUM, THREE_DECIMAL, WHOLE_UNITS, ZERO_DECIMAL, from_stripe
from majuu_stripe.declines import CODES
from majuu_stripe.environment import KEYS, PUBLISHABLE_KEY, WEBHOOK_SECRET
from majuu_stripe.events import NEEDED_EVENTS
from majuu_stripe.evidence import FIELDS
from majuu_stripe.explanations import EXPLANATIONS, LANGUAGES
from majuu_stripe.options import API, DEFAULT_CHECKOUT_MINUTES, FILES, LONGEST_CHECKOUT, SHORTEST_CHECKOUT

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "stripe.md"


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.exists():
        pytest.skip("the documentation is not here")
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_explanation_is_in_the_reference(page: str, language: str) -> None:
    lines = set(page.splitlines())
    for code, both in EXPLANATIONS.items():
        meaning = CODES[code].value if code in CODES else "declined"
        assert f"| `{code}` | `{meaning}` | {both[language].text} | {both[language].next_step} |" in lines


def test_every_credential_option_and_name_is_in_the_reference(page: str) -> None:
    for name in (*StripeCredentials.model_fields, "base_url", "files_url", "checkout_minutes"):
        assert f"| `{name}` |" in page
    for text in (API, FILES, *KEYS, PUBLISHABLE_KEY, WEBHOOK_SECRET, str(DEFAULT_CHECKOUT_MINUTES)):
        assert text in page
    assert f"from {SHORTEST_CHECKOUT} to {LONGEST_CHECKOUT} minutes" in page


def test_every_event_and_piece_of_evidence_is_in_the_reference(page: str) -> None:
    lines = set(page.splitlines())
    for event in NEEDED_EVENTS:
        assert f"    {event}" in lines
    for field in FIELDS:
        assert f"| `{field.name}` | {field.kind} | {field.label} | {field.hint} |" in lines


def test_every_currency_with_a_rule_of_its_own_is_in_the_reference(page: str) -> None:
    for group in (ZERO_DECIMAL, WHOLE_UNITS, THREE_DECIMAL):
        assert f"| {', '.join(sorted(group))} |" in page
    for code, least in MINIMUM.items():
        assert f"| {code} | {from_stripe(least, code).amount} |" in page
