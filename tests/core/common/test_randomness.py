"""The one source of randomness."""

from __future__ import annotations

import json
import os
import threading

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


def test_id_bits_are_of_the_wanted_size_and_all_used() -> None:
    """given many draws of odd sizes / then each fits, every bit is set at times, and none repeats."""
    for size in (1, 7, 8, 9, 62, 74):
        drawn = [randomness.id_bits(size) for _ in range(500)]
        assert max(drawn) < 1 << size
        union = 0
        for bits in drawn:
            union |= bits
        assert union == (1 << size) - 1
    assert len({randomness.id_bits(74) for _ in range(5_000)}) == 5_000


def test_threads_never_draw_the_same_bits() -> None:
    drawn: list[int] = []
    threads = [
        threading.Thread(target=lambda: drawn.extend(randomness.id_bits(74) for _ in range(1_000))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 8_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_draws_other_bits() -> None:
    """given a process that has drawn before / when it forks / then parent and child go on with different bits."""
    randomness.id_bits(74)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str([randomness.id_bits(74) for _ in range(20)]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = set(json.loads(pipe.read()))
    os.waitpid(child, 0)
    assert len(theirs) == 20
    assert theirs.isdisjoint(randomness.id_bits(74) for _ in range(200))
