"""The shape of API keys."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.redaction import MASK, redact_text
from majuu_core.merchants import key_format

KINDS = [("secret", False), ("secret", True), ("publishable", False), ("publishable", True)]


@pytest.mark.parametrize(("kind", "livemode"), KINDS)
def test_a_new_key_names_its_kind_and_mode(kind: str, livemode: bool) -> None:
    key = key_format.new_key(kind=kind, livemode=livemode)
    assert len(key) == 63
    assert key_format.PATTERN.fullmatch(key)
    assert key_format.is_well_formed(key)
    assert key.startswith(("sk_" if kind == "secret" else "pk_") + ("live_" if livemode else "test_"))
    assert key_format.prefix_of(key) == key_format.PREFIXES[kind, livemode]


def test_keys_hold_more_than_256_bits_beyond_what_is_shown() -> None:
    secret_bits = key_format._SECRET_BYTES * 8
    shown_bits = 24  # four characters of base 62
    assert secret_bits - shown_bits >= 256
    assert 62**key_format._SECRET_LENGTH >= 2**secret_bits


def test_keys_differ() -> None:
    assert len({key_format.new_key(kind="secret", livemode=False) for _ in range(500)}) == 500


@given(data=st.data())
def test_any_wrong_character_is_noticed(data: st.DataObject) -> None:
    key = key_format.new_key(kind="secret", livemode=True)
    position = data.draw(st.integers(0, len(key) - 1))
    character = data.draw(st.characters(codec="ascii").filter(lambda found: found != key[position]))
    assert not key_format.is_well_formed(key[:position] + character + key[position + 1 :])


def test_swapped_neighbours_are_noticed() -> None:
    key = key_format.new_key(kind="secret", livemode=False)
    for position, (one, other) in enumerate(itertools.pairwise(key)):
        if one != other:
            assert not key_format.is_well_formed(key[:position] + other + one + key[position + 2 :])


@given(text=st.text(max_size=80))
def test_other_texts_are_no_keys(text: str) -> None:
    assert not key_format.is_well_formed(text)


def test_cut_padded_and_relabelled_keys_are_no_keys() -> None:
    key = key_format.new_key(kind="secret", livemode=False)
    for wrong in (key[:-1], key + "0", key + "\n", " " + key, key.upper(), "sk_live_" + key[8:], "pk_test_" + key[8:]):
        assert not key_format.is_well_formed(wrong)


def test_the_pattern_finds_a_leaked_key_and_logs_hide_it() -> None:
    key = key_format.new_key(kind="secret", livemode=True)
    text = f'MAJUU_KEY="{key}"  # do not commit'
    found = key_format.PATTERN.search(text)
    assert found is not None
    assert found.group() == key
    assert redact_text(text) == f'MAJUU_KEY="{MASK}"  # do not commit'
