from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.payments.account_references import (
    ALPHABET,
    MAX_PAYBILL,
    MAX_PROMPT,
    ReferenceRefused,
    canonical,
    check_character,
    check_holds,
    compact,
    full_reference,
    parse_account_reference,
    possible_prefixes,
    readings,
    suggest_account_reference,
    whole_readings,
)

ANY_TEXT = st.text(max_size=60)
CANONICAL = st.text(ALPHABET, min_size=2, max_size=20)
ORDERS = st.text(string.ascii_letters + string.digits + "-/ ", min_size=1, max_size=11).filter(
    lambda text: any(map(str.isdigit, text))
)


def test_what_is_printed_is_prefix_order_and_check_character():
    assert suggest_account_reference("DUKA", "ord-10452") == "DUKAORD104526"
    assert suggest_account_reference("", "10452") == "10452" + check_character("10452")


def test_the_check_character_is_worked_out_by_hand_once():
    """Given a=2 in GF(32) by x^5+x^2+1 and a start of 1: "1" gives 2*(1+1)=0, "12" then 2*(0+2)=4."""
    assert check_character("1") == "0"
    assert check_character("12") == "4"


@given(CANONICAL, st.data())
def test_every_wrong_character_is_found(body, data):
    whole = body + check_character(body)
    at = data.draw(st.integers(0, len(whole) - 1))
    wrong = data.draw(st.sampled_from([c for c in ALPHABET if c != whole[at]]))
    assert check_holds(whole)
    assert not check_holds(whole[:at] + wrong + whole[at + 1 :])


@given(CANONICAL, st.data())
def test_every_swap_is_found_of_neighbours_or_not(body, data):
    whole = body + check_character(body)
    first = data.draw(st.integers(0, len(whole) - 2))
    second = data.draw(st.integers(first + 1, len(whole) - 1))
    swapped = list(whole)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    assert check_holds("".join(swapped)) == (whole[first] == whole[second])


def test_all_slips_of_one_reference_are_found():
    """All 31 wrong characters at all places and all swaps of neighbours, with nothing drawn by chance."""
    whole = full_reference("DUKA", "ORD-10452")
    wrong = [whole[:at] + c + whole[at + 1 :] for at in range(len(whole)) for c in ALPHABET if c != whole[at]]
    swaps = [whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :] for at in range(len(whole) - 1)]
    assert len(wrong) == 13 * 31
    assert not any(map(check_holds, wrong))
    assert not any(check_holds(text) for text in swaps if text != whole)


@given(ANY_TEXT)
def test_canonical_text_stays_what_it_is(text):
    once = canonical(text)
    assert canonical(once) == once
    assert compact(compact(text)) == compact(text)
    assert set(once) <= set(ALPHABET)


@given(ANY_TEXT, st.lists(st.text(string.ascii_uppercase, min_size=1, max_size=8), max_size=3))
def test_no_text_makes_reading_fail(text, prefixes):
    assert all(reading == canonical(reading) for reading in readings(text))
    assert "" not in possible_prefixes(text)
    found = parse_account_reference(text, [*prefixes, ""])
    assert (found is None) == (not readings(text))
    assert found is None or found.order_reference == canonical(found.order_reference) != ""


@given(st.sampled_from(["DUKA", "SOKO", "", "KIOSK1"]), ORDERS)
def test_what_is_printed_is_read_again(prefix, order):
    printed = suggest_account_reference(prefix, order)
    found = parse_account_reference(printed, [prefix])
    assert found is not None
    assert (found.prefix, found.order_reference, found.check_holds) == (prefix, canonical(order), True)


@pytest.mark.parametrize(
    "typed",
    [
        "dukaord104526",
        "DUKA-ORD-10452-6",
        "duka ord 10452 6",
        "DUKA0RD1O4526",
        "DUKAORDI04526",
        "acc DUKAORD104526",
        "Akaunti: dukaord104526",
        "INVOICE NO. dukaord104526",
        "DUKAORD104526 john",
        "DUKA\u200bORD\u202e104526",
        "\uff24\uff35\uff2b\uff21ORD10452\u0666",  # full width, and an Arabic six
        "  dükaord104526  ",
    ],
)
def test_what_customers_type_is_understood(typed):
    found = parse_account_reference(typed, ["DUKA", "SOKO"])
    assert found is not None
    assert (found.prefix, found.order_reference, found.check_holds) == ("DUKA", "0RD10452", True)


def test_a_missing_check_character_is_told():
    found = parse_account_reference("DUKA 10452", ["DUKA"])
    assert found is not None
    assert (found.order_reference, found.check_holds) == ("10452", False)
    alone = parse_account_reference("DUKA 7", ["DUKA"])
    assert alone is not None
    assert (alone.order_reference, alone.check_holds) == ("7", None)


@pytest.mark.parametrize(
    "slip",
    ["DUKAORD104256", "DUKAORD10452", "DUKAORD1045526", "DUKAORD104596", "DUKAODR104526"],
    ids=["swapped", "missing", "additional", "wrong", "swapped in the middle"],
)
def test_the_right_order_is_among_the_near_misses(slip):
    found = parse_account_reference(slip, ["DUKA"])
    assert found is not None
    assert found.check_holds is False
    assert "0RD10452" in found.near_misses
    assert all(check_holds(full_reference("DUKA", near)) for near in found.near_misses)


def test_a_reference_that_is_right_has_no_near_misses():
    found = parse_account_reference("DUKAORD104526", ["DUKA"])
    assert found is not None
    assert found.near_misses == ()


def test_another_stores_text_fits_no_prefix():
    assert parse_account_reference("KPLC 10452", ["DUKA", "SOKO"]) is None
    assert parse_account_reference("", ["DUKA", ""]) is None
    assert parse_account_reference("\u200b\u202e", [""]) is None


def test_the_longest_prefix_wins():
    found = parse_account_reference("DUKA10452", ["DU", "DUKA"])
    assert found is not None
    assert found.prefix == "DUKA"


def test_a_prefix_wins_over_none():
    """Given text that would hold its check character by chance for a store without a prefix."""
    text = "DUKA1" + check_character("DVKA1")
    found = parse_account_reference(text, ["", "DUKA"])
    assert found is not None
    assert found.prefix == "DUKA"


@pytest.mark.parametrize(
    ("prefix", "order", "longest"), [("DUKA", "1" * 16, MAX_PAYBILL), ("DUKA", "12345678", MAX_PROMPT)]
)
def test_what_is_too_long_is_refused_with_the_room_there_is(prefix, order, longest):
    with pytest.raises(ReferenceRefused) as refused:
        suggest_account_reference(prefix, order, longest=longest)
    assert refused.value.code == "account_reference_too_long"
    assert str(refused.value).endswith(f"Use at most {longest - 5} letters and digits.")
    assert len(suggest_account_reference(prefix, order[:-1], longest=longest)) == longest


@pytest.mark.parametrize("order", ["", "---", "\u4f60\u597d"])
def test_an_order_without_letters_and_digits_is_refused(order):
    with pytest.raises(ReferenceRefused) as refused:
        suggest_account_reference("DUKA", order)
    assert refused.value.code == "account_reference_empty"


def test_prefixes_are_looked_for_as_stores_write_them():
    assert "SOKO" in possible_prefixes("s0k0 10452")
    assert "KIOSK1" in possible_prefixes("KLOSKI99")
    assert "DUKA" in possible_prefixes("acc duka 10452")
    assert possible_prefixes("") == frozenset()


@pytest.mark.parametrize("text", ["SOKONI", "SOKONI 5", "sokolilo", "SOKOINE JOHN"])
def test_a_name_that_begins_like_a_prefix_is_not_the_store(text):
    assert parse_account_reference(text, ["SOKO"]) is None


@pytest.mark.parametrize("text", ["SOKO", "SOKO JOHN", "SOKO10452", "soko ord104", "SOKO5", "SOKOORD104"])
def test_a_prefix_alone_or_before_a_number_is_the_store(text):
    found = parse_account_reference(text, ["SOKO"])
    assert (found is None) == (text == "SOKO")


def test_letters_alone_after_a_prefix_are_a_name_even_if_a_check_character_holds():
    text = suggest_account_reference("DUKA", "C")
    assert parse_account_reference(text, ["DUKA"]) is None
    assert parse_account_reference(f"DUKA {text[4:]}", ["DUKA"]) is not None


def test_words_around_are_left_out_and_added_ones_are_not():
    assert whole_readings("Akaunti no. ord-10452") == ("AKAVNT1N00RD10452", "0RD10452")
    assert whole_readings("10452 john") == ("10452J0HN",)
