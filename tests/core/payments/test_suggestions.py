"""Scores of money against orders: exact points, and what rivals take away."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common import ids
from majuu_core.payments.suggestion_reasons import AUTO_CLAIM_SCORE, KINDS, NEAR_TIE, WITHOUT_IDENTITY
from majuu_core.payments.suggestions import (
    Suggestion,
    arrival_keys,
    expectation_keys,
    fits_mask,
    is_certain,
    rank,
    round_up,
    score_pair,
    subscriber,
)
from tests.core.payments.arrivals import STORE, arrival, order

HASH = hashlib.sha256(b"254712345678").hexdigest()


def codes(found: Suggestion) -> list[str]:
    return [reason.code for reason in found.reasons]


def code_of(found: Suggestion, kind: str) -> str:
    """The reason of one kind; "" when there is none."""
    return next((code for code in codes(found) if code.startswith(kind)), "")


def test_the_printed_reference_and_the_amount_are_enough():
    found = score_pair(arrival(account_reference="duka ord104526"), order(prefix="DUKA", reference="ORD-10452"))
    assert [(reason.code, reason.points) for reason in found.reasons] == [
        ("reference_checked", 60),
        ("amount_exact", 26),
        ("time_minutes", 8),
    ]
    assert found.score == 94 >= AUTO_CLAIM_SCORE


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("DUKAORD104526", "reference_checked"),
        ("DUKAORD104526JOHN", "reference_checked"),
        ("ord10452", "reference_exact"),
        ("DUKA-ORD-10452", "reference_exact"),
        ("acc 0RD-1O452 asante", "reference_exact"),
        ("10452", "reference_digits"),
        ("DUKAORD104256", "reference_corrected"),
        ("ORD10425", "reference_near"),
        ("0712345678", "reference_phone"),
        ("KPLC 778812", "reference_other"),
        ("mzigo", ""),
        ("", ""),
        ("\u200b", ""),
    ],
)
def test_what_was_typed(typed, code):
    expected = order(prefix="DUKA", reference="ORD-10452", phones=("+254 712 345 678",))
    assert code_of(score_pair(arrival(account_reference=typed), expected), "reference") == code


def test_a_short_order_number_proves_little():
    found = score_pair(arrival(account_reference="7"), order(reference="7"))
    assert code_of(found, "reference") == "reference_short"
    assert found.score == WITHOUT_IDENTITY


def test_a_number_of_another_order_speaks_against_this_one():
    """Given typed ORD-10453, one slip from ORD-10452, when 10453 exists, then 10452 loses all but certainty."""
    expected = order(reference="ORD-10452")
    near = score_pair(arrival(account_reference="ORD10453"), expected)
    named = arrival(account_reference="ORD10453", named_orders=frozenset({(STORE, "0RD10453")}))
    assert code_of(near, "reference") == "reference_near"
    assert code_of(score_pair(named, expected), "reference") == "reference_of_another_order"
    assert score_pair(named, expected).score == 0
    other_stores = arrival(account_reference="ORD10453", named_orders=frozenset({(ids.new_uuid(), "0RD10453")}))
    assert code_of(score_pair(other_stores, expected), "reference") == "reference_near"


def test_another_stores_prefix_outweighs_the_same_number():
    soko = ids.new_uuid()
    money = arrival(account_reference="SOKO 10452", prefix="S0K0", named_stores=frozenset({soko}))
    assert score_pair(money, order(reference="10452")).score == 0
    assert code_of(score_pair(money, order(reference="10452")), "reference") == "reference_of_another_store"
    own = score_pair(money, order(reference="10452", store=soko, prefix="SOKO"))
    assert code_of(own, "reference") == "reference_exact"


def test_a_shops_number_may_begin_like_anothers_prefix_unless_the_check_character_agrees():
    """Given a shop with numbers such as ORD10452 and another whose prefix is ORD."""
    fields: dict[str, Any] = {
        "account_reference": "ORD10452",
        "prefix": "0RD",
        "named_stores": frozenset({ids.new_uuid()}),
    }
    assert code_of(score_pair(arrival(**fields), order(reference="ORD-10452")), "reference") == "reference_exact"
    certain = arrival(**fields, prefix_is_certain=True)
    found = score_pair(certain, order(reference="ORD-10452"))
    assert code_of(found, "reference") == "reference_of_another_store"


@pytest.mark.parametrize(
    ("paid", "price", "remaining", "code"),
    [
        ("1500", "1500", "1500", "amount_exact"),
        ("500", "1500", "500", "amount_exact"),
        ("1500", "1487", "1487", "amount_rounded"),
        ("1500", "1499.50", "1499.50", "amount_rounded"),
        ("1500", "1500", "500", "amount_whole"),
        ("1470", "1500", "1500", "amount_less_fee"),
        ("1050", "1500", "1500", "amount_slip"),
        ("150", "1500", "1500", "amount_slip"),
        ("700", "1500", "1500", "amount_part"),
        ("3000", "1500", "1500", "amount_other"),
    ],
)
def test_the_amount(paid, price, remaining, code):
    assert code_of(score_pair(arrival(paid), order(price, remaining=remaining)), "amount") == code


def test_another_currency_never_fits():
    found = score_pair(arrival(currency="UGX", account_reference="ORD10452"), order(reference="ORD-10452"))
    assert (found.score, found.reasons) == (0, ())


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"phone": "254712345678"}, "phone_same"),
        ({"phone": "254799999999"}, "phone_other"),
        ({"phone_hash": HASH}, "phone_same"),
        ({"phone_hash": HASH.upper()}, "phone_same"),
        ({"phone_hash": hashlib.sha256(b"254700000000").hexdigest()}, "phone_other"),
        ({"phone_hash": f"{HASH[:20]} ***** {HASH[-20:]}"}, ""),
        ({"phone_masked": f"{HASH[:34]} ***** {HASH[42:]}"}, "phone_same"),
        ({"phone_masked": f"{HASH[:34]} ***** {HASH[:22]}"}, "phone_other"),
        ({"phone_masked": "2547 ***** 678"}, "phone_masked"),
        ({"phone_masked": "25471****678"}, "phone_masked"),
        ({"phone_masked": "2547 ***** 679"}, "phone_other"),
        ({}, ""),
    ],
)
def test_the_phone_plain_hashed_and_masked(told, code):
    assert code_of(score_pair(arrival(**told), order(phones=("0712 345 678",))), "phone") == code
    assert code_of(score_pair(arrival(**told), order()), "phone") == ""


def test_a_phone_of_an_earlier_attempt_counts():
    found = score_pair(arrival(phone="254733000111"), order(phones=("0712345678", "254733000111")))
    assert code_of(found, "phone") == "phone_same"


@pytest.mark.parametrize(
    ("payer", "known", "code"),
    [
        ("JANE ACHIENG", {"name": "Achieng Jane"}, "name_same"),
        ("JANE", {"name": "Achieng Jane"}, "name_part"),
        ("JANE ACHIENG", {"email": "j.achieng@example.com"}, "name_same"),
        ("JANE ACHIENG", {"email": "queen7@example.com"}, "name_other"),
        ("JANE ACHIENG", {"email": "queen7@example.com", "name": "Jane Achieng"}, "name_same"),
        ("", {"name": "Jane"}, ""),
        ("JANE", {}, ""),
    ],
)
def test_the_name(payer, known, code):
    assert code_of(score_pair(arrival(payer_name=payer), order(**known)), "name") == code


def test_a_customers_name_typed_as_the_account_counts():
    """Given a brother who pays and types his sister's name."""
    money = arrival(payer_name="PETER OKOTH", account_reference="Jane Achieng")
    assert code_of(score_pair(money, order(name="Jane Achieng")), "name") == "name_same"


@pytest.mark.parametrize(
    ("minutes", "code"),
    [
        (-11, "time_before"),
        (-10, "time_minutes"),
        (30, "time_minutes"),
        (31, "time_hours"),
        (360, "time_hours"),
        (1440, "time_day"),
        (10080, "time_week"),
        (10081, "time_late"),
    ],
)
def test_the_time(minutes, code):
    assert code_of(score_pair(arrival(minutes=minutes), order()), "time") == code


def test_amount_and_time_alone_never_pass_the_limit_without_identity():
    found = score_pair(arrival(phone_masked="2547 ***** 678"), order(phones=("0712345678",)))
    assert [reason.points for reason in found.reasons] == [26, 12, 8, -1]
    assert found.score == WITHOUT_IDENTITY == 45
    two_hints = score_pair(
        arrival(phone_masked="2547 ***** 678", payer_name="JANE"), order(phones=("0712345678",), name="Jane Achieng")
    )
    assert two_hints.score == 53


def test_a_closed_order_and_an_expired_one_score_less():
    fields = {"reference": "ORD-10452"}
    money = arrival(account_reference="ORD10452")
    assert score_pair(money, order(**fields)).score - score_pair(money, order(**fields, is_open=False)).score == 15


def test_paying_from_a_phone_and_typing_its_number_is_one_fact():
    money = arrival(phone="254712345678", account_reference="0712345678")
    assert codes(score_pair(money, order(phones=("0712345678",)))) == ["phone_same", "amount_exact", "time_minutes"]


# Rivals


def test_two_orders_that_fit_alike_are_both_uncertain():
    money = arrival(phone="254712345678", payer_name="JANE ACHIENG")
    twins = [order(phones=("0712345678",), name="Jane Achieng") for _ in range(2)]
    ranked = rank([score_pair(money, one) for one in twins])
    assert [one.score for one in ranked] == [84 - NEAR_TIE, 84 - NEAR_TIE]
    assert [one.rival_gap for one in ranked] == [0, 0]
    assert all(codes(one)[-1] == "ambiguous" for one in ranked)
    assert not is_certain(ranked[0], 50)


def test_a_near_tie_takes_what_is_missing_to_the_distance():
    money = arrival(phone="254712345678", payer_name="JANE ACHIENG")
    best = order(phones=("0712345678",), name="Jane Achieng")
    second = order("1487", phones=("0712345678",), name="Jane Achieng")
    ranked = rank([score_pair(money, second), score_pair(money, best)])
    assert [(one.expectation, one.score, one.rival_gap) for one in ranked] == [
        (best, 84 - (NEAR_TIE - 10), 10),
        (second, 74 - NEAR_TIE, -10),
    ]


def test_a_rival_far_behind_takes_nothing():
    money = arrival(account_reference="ORD10452", phone="254712345678")
    ranked = rank([score_pair(money, order(reference="ORD-10452")), score_pair(money, order(reference="ORD-99999"))])
    assert ranked[0].score == 86
    assert ranked[0].rival_gap == 86 - 22
    assert is_certain(ranked[0], 80)


def test_two_orders_of_one_customer_over_one_amount_tie_whatever_is_known_of_each():
    """Given two orders by one address, one with a phone, when money comes from that phone, then neither is sure."""
    money = arrival(phone="254712345678", payer_name="JANE ACHIENG")
    told = order(phones=("0712345678",), email="jane.achieng@example.com")
    silent = order(email="jane.achieng@example.com")
    ranked = rank([score_pair(money, told), score_pair(money, silent)])
    assert ranked[0].expectation == told
    assert (ranked[0].score, ranked[0].rival_gap) == (84 - NEAR_TIE, 0)


def test_the_order_number_tells_twins_apart():
    money = arrival(account_reference="ORD10452", phone="254712345678")
    twins = [order(reference=f"ORD-{number}", phones=("0712345678",)) for number in (10452, 20777)]
    ranked = rank([score_pair(money, one) for one in twins])
    assert ranked[0].expectation is twins[0]
    assert is_certain(ranked[0], 80)


def test_two_payments_for_one_order_are_rivals_too():
    expected = order(phones=("0712345678",), name="Jane Achieng")
    both = [arrival(phone="254712345678", payer_name="JANE ACHIENG") for _ in range(2)]
    assert [one.score for one in rank([score_pair(money, expected) for money in both])] == [64, 64]


POINTS = st.integers(1, 100)


@given(st.lists(POINTS, min_size=1, max_size=8), st.randoms())
def test_ranking_does_not_depend_on_the_order_given(points, source):
    money = arrival()
    found = [Suggestion(money, order(str(1000 + at)), score) for at, score in enumerate(points)]
    shuffled = found[:]
    source.shuffle(shuffled)
    ranked = rank(found)
    assert rank(shuffled) == ranked
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert ranked[0].score <= max(points)
    certain = [one for one in ranked if is_certain(one, 1)]
    assert len(certain) <= 1


TYPED = st.text(max_size=25)


@given(typed=TYPED, name=TYPED, phone=TYPED, masked=TYPED, reference=TYPED, known=TYPED, email=TYPED)
def test_no_text_makes_scoring_fail(typed, name, phone, masked, reference, known, email):
    money = arrival(account_reference=typed, payer_name=name, phone=phone, phone_masked=masked, phone_hash=masked)
    expected = order(reference=reference, name=known, email=email, phones=(known, phone), prefix=known[:8])
    found = score_pair(money, expected)
    assert 0 <= found.score <= 100
    assert all(code in KINDS for code in codes(found))
    set(arrival_keys(money))
    set(expectation_keys(expected))


@given(
    amount=st.integers(1, 9999),
    paid=st.integers(1, 9999),
    typed=st.sampled_from(["", "ORD10452", "ORD10425", "DUKAORD104526", "DUKAORD10452", "0712345678", "10452"]),
    phone=st.sampled_from(["", "254712345678", "254799999999"]),
)
def test_what_shares_no_key_scores_too_little_to_be_claimed(amount, paid, typed, phone):
    """The keys are only there to compare less; what they leave out must not matter."""
    money = arrival(str(paid), account_reference=typed, phone=phone)
    expected = order(str(amount), prefix="DUKA", reference="ORD-10452", phones=("0712345678",))
    if set(arrival_keys(money)) & set(expectation_keys(expected)) - {("text", "")}:
        return
    assert score_pair(money, expected).score < 45


def test_phones_are_known_by_their_nine_digits():
    for phone in ("254712345678", "+254 712-345-678", "0712345678", "712345678", "00254712345678"):
        assert subscriber(phone) == "712345678"
    assert subscriber("2547123456789") == subscriber("") == subscriber("ORD10452") == ""
    assert subscriber("999999999") == ""


def test_a_mask_needs_five_digits_that_are_seen():
    assert fits_mask("2547 ***** 678", "254712345678")
    assert not fits_mask("2547 ***** 679", "254712345678")
    assert not fits_mask("2***8", "254712345678")
    assert not fits_mask("254712345678", "254712345678")


def test_rounding_up():
    assert round_up(Decimal("1487"), 50) == 1500
    assert round_up(Decimal("1500"), 50) == 1500
    assert round_up(Decimal("0.20"), 1) == 1


def test_every_reason_has_both_languages_and_names_nobody():
    for code, kind in KINDS.items():
        assert kind.english.endswith("."), code
        assert kind.swahili.endswith("."), code
        assert kind.english != kind.swahili
        assert "{" not in kind.english + kind.swahili
