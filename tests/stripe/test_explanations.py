from __future__ import annotations

import pytest

from majuu_core.providers import ExplainsFailures
from majuu_stripe.declines import CODES
from majuu_stripe.explanations import EXPLANATIONS, explain
from tests.stripe.support import make_provider

# Ours, or of requests that no customer can do anything about.
_NOT_FOR_CUSTOMERS = {"resource_missing", "lock_timeout", "amount_too_large", "payment_method_unactivated"}


def test_every_decline_with_a_meaning_of_its_own_is_explained() -> None:
    assert set(CODES) - set(EXPLANATIONS) == {*_NOT_FOR_CUSTOMERS, "setup_intent_authentication_failure"}


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_each_explanation_has_a_reason_and_a_next_step_in_both_languages(code: str) -> None:
    english, swahili = explain(code, language="en"), explain(code, language="sw")

    assert english is not None
    assert swahili is not None
    assert english != swahili
    for text in (english.text, english.next_step, swahili.text, swahili.next_step):
        assert text.endswith(".")
        assert 15 < len(text) < 200


def test_a_stolen_card_is_declined_like_any_other() -> None:
    plain = explain("generic_decline", language="en")

    assert plain is not None
    assert all(explain(code, language="en") == plain for code in ("stolen_card", "lost_card", "fraudulent"))


@pytest.mark.parametrize(
    ("code", "language", "text"),
    [
        ("insufficient_funds", "en", "There is not enough money on the card for this payment."),
        ("insufficient_funds", "sw", "Salio la kadi halitoshi kwa malipo haya."),
        ("expired_card", "fr", "The card has expired."),
    ],
)
def test_what_the_customer_reads(code: str, language: str, text: str) -> None:
    found = make_provider().explain_failure(code, language=language)

    assert found is not None
    assert found.text == text


def test_what_nobody_can_explain_is_left_to_stripes_text() -> None:
    assert make_provider().explain_failure("of_the_year_2031", language="en") is None
    assert isinstance(make_provider(), ExplainsFailures)
