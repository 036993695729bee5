"""The catalogue: whole in both languages, and every text has a place."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import majuu_core.checkout
from majuu_core.checkout.reasons import CANCELED, GENERAL, REFUSALS
from majuu_core.checkout.texts import ENGLISH, LANGUAGES, SWAHILI, TEXTS, Texts
from majuu_core.providers import FailureCode
from majuu_core.testing.mock_amounts import amount_named

NAMES = [field.name for field in dataclasses.fields(Texts)]
ROOM = Path(majuu_core.checkout.__file__).parent


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def test_the_languages_are_english_and_swahili() -> None:
    assert LANGUAGES == ("en", "sw")
    assert set(TEXTS) == set(LANGUAGES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "months"])
def test_both_languages_say_it_and_fill_in_the_same(name: str) -> None:
    english, swahili = getattr(ENGLISH, name), getattr(SWAHILI, name)
    assert english.strip()
    assert swahili.strip()
    assert placeholders(english) == placeholders(swahili)


def test_swahili_is_not_english_left_over() -> None:
    same = {name for name in NAMES if getattr(ENGLISH, name) == getattr(SWAHILI, name)}
    assert same == set()


def test_there_are_twelve_months() -> None:
    assert [len(set(texts.months)) for texts in TEXTS.values()] == [12, 12]


def test_every_text_is_used() -> None:
    sources = [*ROOM.glob("*.py"), *ROOM.rglob("*.html")]
    used = " ".join(path.read_text() for path in sources if path.name != "texts.py")
    assert [name for name in NAMES if not re.search(rf"\b{name}\b", used)] == []


def test_every_kind_of_failure_has_words() -> None:
    assert set(GENERAL) == set(FailureCode)
    for english, swahili in [*GENERAL.values(), CANCELED]:
        assert all([english.text, english.next_step, swahili.text, swahili.next_step])
        assert english.text != swahili.text


def test_every_refusal_has_swahili() -> None:
    assert [code for code, (_, swahili) in REFUSALS.items() if not swahili] == []


def test_the_hint_names_amounts_that_do_what_it_says() -> None:
    for texts in TEXTS.values():
        found = {int(number) for number in re.findall(r"\d{4}", texts.mock_hint)}
        names = ("insufficient_funds", "pending_succeeds", "lost_succeeded")
        assert found == {amount_named(name) for name in names}
