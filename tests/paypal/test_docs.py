"""The documentation says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from majuu_core.providers import FailureCode
from majuu_paypal import failures, options
from majuu_paypal.credentials import PaypalCredentials
from majuu_paypal.currencies import CURRENCIES
from majuu_paypal.evidence import FIELDS as EVIDENCE
from majuu_paypal.explanations import EXPLANATIONS, LANGUAGES
from majuu_paypal.messages import NEEDED_EVENTS
from majuu_paypal.payouts import FIELDS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "paypal.md"


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.exists():
        pytest.skip("the documentation is not here")
    return PAGE.read_text(encoding="utf-8")


def test_every_explanation_is_on_the_page(page: str) -> None:
    lines = page.splitlines()
    meanings = {**failures.PAYOUT_DECLINES, **failures.PROCESSOR, **failures.DECLINES}
    for code, both in EXPLANATIONS.items():
        meaning = meanings.get(code, FailureCode.DECLINED).value
        for language in LANGUAGES:
            found = both[language]
            assert f"| `{code}` | `{meaning}` | {found.text} | {found.next_step} |" in lines


def test_every_credential_event_and_field_is_on_the_page(page: str) -> None:
    fields = [*(field.name for field in FIELDS), *(field.name for field in EVIDENCE)]
    for name in (*PaypalCredentials.model_fields, *NEEDED_EVENTS, *fields):
        assert f"`{name}`" in page


def test_every_address_and_limit_is_on_the_page(page: str) -> None:
    for text in (
        *(options.SANDBOX, options.PRODUCTION, options.SANDBOX_CERTIFICATES, options.PRODUCTION_CERTIFICATES),
        *(options.SANDBOX_SIGNER, options.PRODUCTION_SIGNER, str(options.DEFAULT_TOLERANCE)),
    ):
        assert text in page
    takes = page.partition("PayPal takes ")[2].partition(";")[0].replace(" and ", ", ").replace("\n", " ")
    assert {code.strip() for code in takes.split(",")} == CURRENCIES
