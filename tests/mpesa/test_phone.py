from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_mpesa.phone import PhoneError, mask_phone, normalise_phone

CANONICAL = re.compile(r"254[17][0-9]{8}", re.ASCII)


@pytest.mark.parametrize(
    "text",
    [
        "0708374149",
        "708374149",
        "254708374149",
        "+254708374149",
        "00254708374149",
        "0708 374 149",
        "+254 (708) 374-149",
        "  254-708-374-149  ",
        "(0708) 374149",
        "0708\u00a0374\u00a0149",
    ],
)
def test_every_way_to_write_a_number_gives_the_same(text: str) -> None:
    assert normalise_phone(text) == "254708374149"


@pytest.mark.parametrize(("text", "expected"), [("0110123456", "254110123456"), ("110123456", "254110123456")])
def test_the_newer_range_is_taken(text: str, expected: str) -> None:
    assert normalise_phone(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "phone_missing"),
        ("  - ", "phone_missing"),
        ("+447700900123", "phone_foreign"),
        ("+256 772 123456", "phone_foreign"),
        ("00447700900123", "phone_foreign"),
        ("447708374149", "phone_length"),
        ("070837414", "phone_length"),
        ("07083741490", "phone_length"),
        ("25470837414", "phone_length"),
        ("2547083741499", "phone_length"),
        ("0" * 41, "phone_length"),
        ("2540708374149", "phone_invalid"),
        ("+2540708374149", "phone_invalid"),
        ("0208374149", "phone_invalid"),
        ("254208374149", "phone_invalid"),
        ("+0708374149", "phone_invalid"),
        ("++254708374149", "phone_invalid"),
        ("0708374149x", "phone_invalid"),
        ("0708.374.149", "phone_invalid"),
        ("٠٧٠٨٣٧٤١٤٩", "phone_invalid"),
        ("０７０８３７４１４９", "phone_invalid"),
        ("0708374149\u202c", "phone_invalid"),
    ],
)
def test_everything_else_is_refused_with_a_reason(text: str, code: str) -> None:
    with pytest.raises(PhoneError) as refused:
        normalise_phone(text)
    assert refused.value.code == code
    assert len(str(refused.value)) > 20


NATIONAL = st.from_regex(r"[17][0-9]{8}", fullmatch=True).filter(str.isascii)
PREFIX = st.sampled_from(["", "0", "254", "+254", "00254"])


@given(
    prefix=PREFIX, national=NATIONAL, gaps=st.lists(st.sampled_from(["", " ", "-", "(", ")"]), min_size=9, max_size=9)
)
def test_any_accepted_form_becomes_the_same_number(prefix: str, national: str, gaps: list[str]) -> None:
    written = prefix + "".join(gap + digit for gap, digit in zip(gaps, national, strict=True))

    assert normalise_phone(written) == f"254{national}"
    assert normalise_phone(f"254{national}") == f"254{national}"


@given(st.text(alphabet=st.characters() | st.sampled_from("0123456789+- ()٣"), max_size=45))
def test_any_text_gives_a_canonical_number_or_a_clear_refusal(text: str) -> None:
    try:
        assert CANONICAL.fullmatch(normalise_phone(text))
    except PhoneError as refused:
        assert refused.code in {"phone_missing", "phone_foreign", "phone_length", "phone_invalid"}  # noqa: PT017


@given(st.from_regex(r"\+(?!254)[1-9][0-9]{6,13}", fullmatch=True).filter(str.isascii))
def test_no_foreign_number_becomes_a_kenyan_one(text: str) -> None:
    with pytest.raises(PhoneError, match="not a Kenyan number"):
        normalise_phone(text)


def test_a_masked_number_hides_its_middle() -> None:
    assert mask_phone("254708374149") == "2547 ***** 149"
    assert mask_phone("1234567") == "*****"
