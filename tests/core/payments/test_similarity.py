from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.payments.similarity import NameLikeness, compare_names, email_words, name_words, slips

WORDS = st.text("ABC1", max_size=8)
NAMES = st.lists(st.sampled_from(["JOHN", "OTIENO", "J", "O", "JOHNOTIENO", "ACHIENG", "ACHIEN", "JANE"]), max_size=4)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("10452", "10452", 0),
        ("10452", "10425", 1),
        ("10452", "1042", 1),
        ("10452", "104552", 1),
        ("10452", "10459", 1),
        ("10452", "01425", 2),
        ("10452", "99999", 3),
        ("", "12", 2),
        ("", "123", 3),
    ],
)
def test_slips_are_counted_up_to_two(one, other, distance):
    assert slips(one, other) == distance


@given(WORDS, WORDS)
def test_slips_are_the_same_both_ways(one, other):
    assert slips(one, other) == slips(other, one)
    assert (slips(one, other) == 0) == (one == other)


@given(WORDS, WORDS)
def test_stopping_early_changes_nothing(one, other):
    assert min(slips(one, other, 9), 3) == slips(one, other, 2)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("JOHN OTIENO", "Otieno John", NameLikeness.SAME),
        ("JOHN KAMAU OTIENO", "John Otieno", NameLikeness.SAME),
        ("JANE ACHIENG", "Jane Achien'g", NameLikeness.SAME),
        ("Mr. JOHN OTIENO", "otieno j", NameLikeness.SAME),
        ("JOHN", "John Otieno", NameLikeness.PART),
        ("JOTIENO", "John Otieno", NameLikeness.PART),
        ("J O", "John Otieno", NameLikeness.PART),
        ("J KAMAU", "John Otieno", NameLikeness.INITIALS),
        ("MARY WANJIKU", "John Otieno", NameLikeness.DIFFERENT),
        ("", "John Otieno", NameLikeness.UNKNOWN),
        ("Ngũgĩ Wanjirũ", "NGUGI WANJIRU", NameLikeness.SAME),
    ],
)
def test_names_agree_whatever_their_order(one, other, likeness):
    assert compare_names(name_words(one), name_words(other)) == likeness


@given(NAMES, NAMES)
def test_names_agree_the_same_both_ways(one, other):
    assert compare_names(tuple(one), tuple(other)) == compare_names(tuple(other), tuple(one))


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_makes_comparing_fail(one, other):
    left, right = name_words(one), name_words(other)
    assert compare_names(left, right) == compare_names(right, left)


def test_the_name_in_an_email_address():
    assert email_words("otieno.j77@example.com") == ("OTIENO", "J")
    assert email_words("") == ()
