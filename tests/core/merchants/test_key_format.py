"""The shape of API keys."""

from __future__ import annotations

import io
import itertools
import zlib
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.redaction import MASK, redact_text
from majuu_core.merchants import key_format

KINDS = [(kind, livemode) for kind in ("secret", "publishable", "client", "token") for livemode in (False, True)]
LETTERS = {"secret": "sk_", "publishable": "pk_", "client": "ck_", "token": "tk_"}


@pytest.mark.parametrize(("kind", "livemode"), KINDS)
def test_a_new_key_names_its_kind_and_mode(kind: str, livemode: bool) -> None:
    key = key_format.new_key(kind=kind, livemode=livemode)
    assert len(key) == 63
    assert key_format.PATTERN.fullmatch(key)
    assert key_format.is_well_formed(key)
    assert key.startswith(LETTERS[kind] + ("live_" if livemode else "test_"))
    assert key_format.kind_of(key) == kind
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


def test_the_checksum_can_be_worked_out_by_others() -> None:
    """The recipe of docs/how-to/keys-and-accounts.md, in other words than ours."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for kind, livemode in KINDS:
        key = key_format.new_key(kind=kind, livemode=livemode)
        value = 0
        for character in key[-6:]:
            value = value * 62 + digits.index(character)
        assert value == zlib.crc32(key[:-6].encode())


def test_keys_are_found_in_any_text() -> None:
    secret, public = (key_format.new_key(kind=kind, livemode=True) for kind in ("secret", "publishable"))
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    text = f'API_KEY="{secret}"\n\npk={public},x{secret}\n{secret}0 {wrong}'
    found = key_format.find_keys(text)
    assert [(key.line, key.kind, key.livemode, key.is_right) for key in found] == [
        (1, "secret", True, True),
        (3, "publishable", True, True),
        (4, "secret", True, False),
    ]
    assert found[0].shown == f"sk_live_…{secret[-4:]}"
    assert secret not in repr(found)


def test_the_command_names_file_line_and_kind_but_not_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = key_format.new_key(kind="secret", livemode=True)
    leaked, clean = tmp_path / "settings.py", tmp_path / "clean.py"
    leaked.write_text(f"\nKEY = '{key}'\nOTHER = '{key[:-1]}?'\n")
    clean.write_text("KEY = ''\n")
    call_command("majuu_check_key", str(leaked), str(clean))
    printed = capsys.readouterr().out
    assert printed == f"{leaked}:2: sk_live_…{key[-4:]}: a live secret key\n"
    with pytest.raises(CommandError, match="No API key found") as caught:
        call_command("majuu_check_key", str(clean))
    assert caught.value.returncode == 1
    with pytest.raises(CommandError, match="No such file") as caught:
        call_command("majuu_check_key", str(tmp_path / "missing"))
    assert caught.value.returncode == 2


def test_the_command_reads_what_is_piped_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = key_format.new_key(kind="publishable", livemode=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(key[:-1] + ("a" if key[-1] != "a" else "b")))
    call_command("majuu_check_key")
    assert "looks like a test publishable key, but its checksum is wrong" in capsys.readouterr().out
