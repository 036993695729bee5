from __future__ import annotations

import pytest

from majuu_core.providers import ExplainsFailures
from majuu_mpesa.codes import BAD_REQUEST, OVERLOADED, STK_FAILURES
from majuu_mpesa.explanations import EXPLANATIONS, explain
from tests.mpesa.support import make_provider


def test_every_code_that_fails_a_payment_is_explained_and_no_other() -> None:
    assert set(EXPLANATIONS) == {*STK_FAILURES, BAD_REQUEST, OVERLOADED}


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_each_explanation_has_a_reason_and_a_next_step_in_both_languages(code: str) -> None:
    english, swahili = explain(code, language="en"), explain(code, language="sw")

    assert english is not None
    assert swahili is not None
    assert english != swahili
    for text in (english.text, english.next_step, swahili.text, swahili.next_step):
        assert text.endswith(".")
        assert 15 < len(text) < 200
        assert text == " ".join(text.split())


@pytest.mark.parametrize(
    ("code", "language", "text"),
    [
        ("1", "en", "There is not enough money in your M-Pesa account for this payment."),
        ("1", "sw", "Salio lako la M-Pesa halitoshi kwa malipo haya."),
        ("2001", "sw", "PIN ya M-Pesa iliyowekwa si sahihi."),
        ("1032", "fr", "The request was cancelled, or it closed by itself, on your phone."),
    ],
)
def test_what_the_customer_reads(code: str, language: str, text: str) -> None:
    found = make_provider().explain_failure(code, language=language)

    assert found is not None
    assert found.text == text


@pytest.mark.parametrize("code", ["", "77777", "0", "4999", "01"])
def test_what_only_safaricom_can_explain_is_left_to_its_text(code: str) -> None:
    assert make_provider().explain_failure(code, language="en") is None


def test_the_capability_is_whole() -> None:
    assert isinstance(make_provider(), ExplainsFailures)
