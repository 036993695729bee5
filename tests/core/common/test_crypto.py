"""Encryption at rest: authenticated, bound to its place, rotatable."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common.crypto import Cipher, DecryptionError, derive_key, key_id, keyed_hash

OLD = "an-old-master-key-of-some-length-0001"
NEW = "a-new-master-key-of-some-length-00002"
PURPOSE = "provider-credentials"


def test_keys_are_derived_by_hkdf_for_their_purpose() -> None:
    expected = HKDF(algorithm=SHA256(), length=32, salt=b"majuu", info=b"api-key").derive(NEW.encode())
    assert derive_key(NEW, "api-key") == expected
    assert derive_key(NEW, "webhook-secret") != expected
    assert derive_key(OLD, "api-key") != expected


def test_a_short_master_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32 characters"):
        derive_key("x" * 31, PURPOSE)
    with pytest.raises(ValueError, match="at least one master key"):
        Cipher([], PURPOSE)


def test_the_name_of_a_master_is_short_and_is_not_the_master() -> None:
    assert len(key_id(NEW)) == 8
    assert set(key_id(NEW)) <= set("0123456789abcdef")
    assert key_id(NEW) != key_id(OLD)
    assert key_id(NEW) not in NEW


@given(message=st.binary(max_size=200))
def test_keyed_hash_is_hmac_under_the_derived_key(message: bytes) -> None:
    expected = hmac.new(derive_key(NEW, "api-key"), message, hashlib.sha256).digest()
    assert keyed_hash(NEW, "api-key", message) == expected
    assert keyed_hash(NEW, "other", message) != expected


@given(plaintext=st.binary(max_size=500), place=st.text(max_size=40))
def test_what_was_sealed_opens_in_its_place(plaintext: bytes, place: str) -> None:
    cipher = Cipher([NEW], PURPOSE)
    sealed = cipher.encrypt(plaintext, bound_to=place)
    assert cipher.decrypt(sealed, bound_to=place) == plaintext
    assert sealed.startswith(f"m1.{key_id(NEW)}.")
    assert not cipher.needs_rotation(sealed)
    with pytest.raises(DecryptionError):
        cipher.decrypt(sealed, bound_to=place + "x")


def test_the_same_text_never_looks_the_same_twice() -> None:
    cipher = Cipher([NEW], PURPOSE)
    assert len({cipher.encrypt(b"secret", bound_to="pa_1") for _ in range(50)}) == 50


@given(data=st.data())
def test_no_single_character_can_be_changed(data: st.DataObject) -> None:
    cipher = Cipher([NEW], PURPOSE)
    sealed = cipher.encrypt(data.draw(st.binary(max_size=40)), bound_to="pa_1")
    position = data.draw(st.integers(0, len(sealed) - 1))
    character = data.draw(st.characters(codec="utf-8").filter(lambda found: found != sealed[position]))
    with pytest.raises(DecryptionError):
        cipher.decrypt(sealed[:position] + character + sealed[position + 1 :], bound_to="pa_1")


@given(data=st.data())
def test_nothing_can_be_added_or_left_out(data: st.DataObject) -> None:
    cipher = Cipher([NEW], PURPOSE)
    sealed = cipher.encrypt(b"a secret", bound_to="pa_1")
    position = data.draw(st.integers(0, len(sealed) - 1))
    added = data.draw(st.text(min_size=1, max_size=3))
    for changed in (sealed[:position] + added + sealed[position:], sealed[:position] + sealed[position + 1 :]):
        if changed != sealed:
            with pytest.raises(DecryptionError):
                cipher.decrypt(changed, bound_to="pa_1")


@given(text=st.text(max_size=200))
def test_any_other_text_is_refused_with_the_one_error(text: str) -> None:
    with pytest.raises(DecryptionError):
        Cipher([NEW], PURPOSE).decrypt(text, bound_to="pa_1")


@pytest.mark.parametrize("text", ["", "m1", "m1..", f"m1.{key_id(NEW)}.", f"m2.{key_id(NEW)}.AAAA", "a.b.c.d"])
def test_broken_forms_are_refused(text: str) -> None:
    with pytest.raises(DecryptionError):
        Cipher([NEW], PURPOSE).decrypt(text, bound_to="pa_1")


def test_a_value_of_another_purpose_does_not_open() -> None:
    sealed = Cipher([NEW], "webhook-secret").encrypt(b"secret", bound_to="pa_1")
    with pytest.raises(DecryptionError, match="changed or belongs elsewhere"):
        Cipher([NEW], PURPOSE).decrypt(sealed, bound_to="pa_1")


def test_rotation_opens_old_values_and_tells_them_apart() -> None:
    sealed = Cipher([OLD], PURPOSE).encrypt(b"secret", bound_to="pa_1")
    rotating = Cipher([NEW, OLD], PURPOSE)
    assert rotating.decrypt(sealed, bound_to="pa_1") == b"secret"
    assert rotating.needs_rotation(sealed)
    renewed = rotating.encrypt(b"secret", bound_to="pa_1")
    assert not rotating.needs_rotation(renewed)
    assert Cipher([NEW], PURPOSE).decrypt(renewed, bound_to="pa_1") == b"secret"


def test_a_value_whose_master_is_gone_says_so() -> None:
    sealed = Cipher([OLD], PURPOSE).encrypt(b"secret", bound_to="pa_1")
    with pytest.raises(DecryptionError, match="not configured any more"):
        Cipher([NEW], PURPOSE).decrypt(sealed, bound_to="pa_1")


def test_errors_hold_neither_the_value_nor_a_key() -> None:
    sealed = Cipher([NEW], PURPOSE).encrypt(b"secret", bound_to="pa_1")
    with pytest.raises(DecryptionError) as caught:
        Cipher([NEW], PURPOSE).decrypt(sealed, bound_to="pa_2")
    assert sealed not in str(caught.value)
    assert NEW not in str(caught.value)
    assert caught.value.__cause__ is None
