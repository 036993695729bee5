"""The one source of randomness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common import randomness

FORBIDDEN_IN_CALLBACKS = ("mpesa", "safaricom", "exe", "exec", "cmd", "sql", "query")


@given(data=st.binary(max_size=64))
def test_url_safe_encoding_is_reversible_and_of_fixed_length(data: bytes) -> None:
    text = randomness.encode_url_safe(data)
    assert randomness.decode_url_safe(text, size=len(data)) == data
    assert len(text) == (len(data) * 8 + 4) // 5
    assert set(text) <= set(randomness.URL_SAFE_ALPHABET)


@pytest.mark.parametrize("word", FORBIDDEN_IN_CALLBACKS)
def test_the_alphabet_cannot_spell_a_forbidden_word(word: str) -> None:
    assert not set(word) <= set(randomness.URL_SAFE_ALPHABET)


def test_the_alphabet_has_32_different_characters() -> None:
    assert len(set(randomness.URL_SAFE_ALPHABET)) == len(randomness.URL_SAFE_ALPHABET) == 32


@pytest.mark.parametrize(
    ("text", "size", "reason"),
    [
        ("0", 2, "wrong length"),
        ("00000", 2, "wrong length"),
        ("000e", 2, "not in the alphabet"),
        ("000A", 2, "not in the alphabet"),
        ("zzzz", 2, "too large"),
    ],
)
def test_decoding_refuses_other_texts(text: str, size: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        randomness.decode_url_safe(text, size=size)


@given(text=st.text(alphabet=randomness.URL_SAFE_ALPHABET, min_size=8, max_size=8))
def test_five_bytes_use_every_text_of_eight_characters(text: str) -> None:
    assert randomness.encode_url_safe(randomness.decode_url_safe(text, size=5)) == text


def test_secrets_are_never_seeded_ids_and_jitter_are() -> None:
    with randomness.seeded_ids(1):
        first = (randomness.id_bits(62), randomness.jitter(0, 10**9), randomness.secret_bytes(16))
    with randomness.seeded_ids(1):
        second = (randomness.id_bits(62), randomness.jitter(0, 10**9), randomness.secret_bytes(16))
    assert first[:2] == second[:2]
    assert first[2] != second[2]
    assert randomness.id_bits(62) != first[0]


def test_seeding_is_undone_after_an_error() -> None:
    with randomness.seeded_ids(1):
        expected = randomness.id_bits(62)
    with pytest.raises(KeyError), randomness.seeded_ids(1):
        raise KeyError
    assert randomness.id_bits(62) != expected


@given(low=st.integers(-1000, 1000), width=st.integers(0, 1000))
def test_jitter_stays_within_its_bounds(low: int, width: int) -> None:
    assert low <= randomness.jitter(low, low + width) <= low + width


@pytest.mark.parametrize("count", [1, 12, 32])
def test_secret_bytes_have_the_length_asked_for(count: int) -> None:
    assert len(randomness.secret_bytes(count)) == count
