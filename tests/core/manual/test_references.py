"""The reference that people copy: what it catches, and where it is found again."""

from __future__ import annotations

import pytest

from majuu_core.manual.references import (
    ALPHABET,
    LENGTH,
    check_character,
    find_references,
    grouped,
    make_reference,
    read_reference,
)

CHARGE = "ch_01jd0000000000000000000001"
REFERENCE = make_reference(CHARGE)


def test_the_same_seed_has_the_same_reference_and_another_has_another() -> None:
    assert make_reference(CHARGE) == REFERENCE
    assert make_reference(CHARGE + "x") != REFERENCE
    assert len(REFERENCE) == LENGTH == 9
    assert set(REFERENCE) <= set(ALPHABET)


def test_exact_check_characters() -> None:
    """Worked out by hand: the sum of weight times value, with the ninth, is a multiple of 31."""
    assert check_character("00000000") == "0"
    # 1x1 = 1; 9c = -1 modulo 31, so c = 24, which is R.
    assert check_character("10000000") == ALPHABET[24] == "R"
    # 8x30 = 240 = 23 modulo 31; 9c = 8 modulo 31, so c = 25, which is S.
    assert check_character("0000000Z") == ALPHABET[25] == "S"
    # 1+2+…+8 = 36 = 5 modulo 31; 9c = 26 modulo 31, so c = 27, which is W.
    assert check_character("11111111") == ALPHABET[27] == "W"


@pytest.mark.parametrize("reference", [REFERENCE, "00000000" + "0", "11111111" + "W"])
def test_every_single_wrong_character_is_caught(reference: str) -> None:
    for place in range(LENGTH):
        for other in ALPHABET:
            wrong = reference[:place] + other + reference[place + 1 :]
            assert read_reference(wrong) == (reference if other == reference[place] else None)


def test_every_swap_of_two_characters_is_caught() -> None:
    for seed in range(200):
        reference = make_reference(f"ch_{seed}")
        for first in range(LENGTH):
            for second in range(first + 1, LENGTH):
                swapped = list(reference)
                swapped[first], swapped[second] = swapped[second], swapped[first]
                alike = reference[first] == reference[second]
                assert read_reference("".join(swapped)) == (reference if alike else None)


def test_a_missing_or_doubled_character_is_caught() -> None:
    assert read_reference(REFERENCE[:-1]) is None
    assert read_reference(REFERENCE + REFERENCE[-1]) is None
    assert read_reference("") is None


def test_case_spaces_hyphens_and_lookalikes_do_not_matter() -> None:
    body = "10A0B1C2"
    reference = body + check_character(body)
    assert grouped(reference) == f"{reference[:3]}-{reference[3:6]}-{reference[6:]}"
    for typed in (grouped(reference), reference.lower(), f" {reference[:4]} {reference[4:]}. "):
        assert read_reference(typed) == reference
    assert read_reference(reference.replace("0", "O").replace("1", "I")) == reference
    assert read_reference(reference.replace("0", "o").replace("1", "l")) == reference


@pytest.mark.parametrize(
    "text",
    [
        "PESALINK 0712345678 {grouped} JANE WANJIKU",
        "TRF/{plain}/OCT RENT",
        "inv {lower} thanks",
        "RTGS REF{plain}KCB",
        "{first} {second} {third}",
        "FT26329XYZ12//{first}-\n{second}{third}",
    ],
)
def test_it_is_found_inside_a_banks_text(text: str) -> None:
    groups = {"first": REFERENCE[:3], "second": REFERENCE[3:6], "third": REFERENCE[6:]}
    told = text.format(grouped=grouped(REFERENCE), plain=REFERENCE, lower=REFERENCE.lower(), **groups)
    assert REFERENCE in find_references(told)


def test_a_whole_word_comes_before_what_holds_by_chance() -> None:
    assert find_references(f"ABCDEFGHJKMNPQRSTWXYZ0123456789 {grouped(REFERENCE)}")[0] == REFERENCE


def test_a_hostile_text_costs_little_and_finds_few() -> None:
    assert len(find_references("0" * 10_000_000)) == 1
    assert len(find_references("".join(ALPHABET[i * 7 % 31] for i in range(100_000)))) <= 40
    assert find_references("") == find_references("ÄÖÜ ☃ ١٢٣٤٥٦٧٨٩") == ()
