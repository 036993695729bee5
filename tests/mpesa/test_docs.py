"""The documentation says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from majuu_mpesa.c2b import REFUSALS
from majuu_mpesa.callback_urls import FORBIDDEN_WORDS, TUNNELS
from majuu_mpesa.codes import STK_FAILURES
from majuu_mpesa.credentials import DEFAULT_MAX_AMOUNT, MpesaCredentials
from majuu_mpesa.explanations import EXPLANATIONS, LANGUAGES
from majuu_mpesa.options import CALLBACK_ADDRESSES, PRODUCTION, SANDBOX
from majuu_mpesa.payouts import FIELDS, PURPOSES
from majuu_mpesa.result_codes import OUTGOING_FAILURES, REVERSAL_FAILURES
from majuu_mpesa.security import CERTIFICATE_OPTION

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "mpesa.md"


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.exists():
        pytest.skip("the documentation is not here")
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", EXPLANATIONS)
def test_every_explanation_is_in_the_reference(page: str, code: str, language: str) -> None:
    meaning = STK_FAILURES[code].value if code in STK_FAILURES else "processing_error"
    found = EXPLANATIONS[code][language]

    assert f"| `{code}` | `{meaning}` | {found.text} | {found.next_step} |" in page.splitlines()


def test_every_credential_is_in_the_reference(page: str) -> None:
    for name in MpesaCredentials.model_fields:
        assert f"| `{name}` |" in page
    assert str(DEFAULT_MAX_AMOUNT) in page


def test_every_definite_no_is_in_the_reference(page: str) -> None:
    for code, (meaning, text) in {**OUTGOING_FAILURES, **REVERSAL_FAILURES}.items():
        assert f"| `{code}` | `{meaning.value}` | {text} |" in page.splitlines()


def test_every_code_of_a_validation_and_every_forbidden_word_is_in_the_reference(page: str) -> None:
    for text in (*REFUSALS, *FORBIDDEN_WORDS, *TUNNELS, *PURPOSES, CERTIFICATE_OPTION):
        assert f"`{text}`" in page
    for field in FIELDS:
        assert f"`{field.name}`" in page


def test_every_address_is_in_the_reference(page: str) -> None:
    for address in (*CALLBACK_ADDRESSES, SANDBOX, PRODUCTION):
        assert address in page
