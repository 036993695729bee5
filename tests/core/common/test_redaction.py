"""What is stored or logged about an exchange holds no secret and no card number."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from majuu_core.common import redaction
from majuu_core.common.redaction import (
    MASK,
    contains_card_number,
    is_card_number,
    is_secret_name,
    redact,
    redact_text,
    redact_url,
)

# Numbers that the card schemes publish for tests.
CARDS = [
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3566002020360505",
    "6304000000000000",
]


def luhn_digit(digits: str) -> str:
    """The check digit that makes ``digits`` + it right: the definition, written the other way round."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value // 10 + value % 10
    return str(-total % 10)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """Any 13 to 19 digits that satisfy the check digit, as issuers give them (none begins with 0, 1 or 2)."""
    body = draw(st.text(alphabet="0123456789", min_size=11, max_size=17))
    body = draw(st.sampled_from("3456789")) + body
    return body + luhn_digit(body)


@pytest.mark.parametrize("card", CARDS)
def test_known_card_numbers_are_recognised_and_masked(card: str) -> None:
    assert is_card_number(card)
    assert contains_card_number(f"paid with {card}, thanks")
    assert redact_text(f"paid with {card}, thanks") == f"paid with {MASK}, thanks"


@given(card=card_numbers(), data=st.data())
def test_any_card_number_is_found_whatever_stands_around_it(card: str, data: st.DataObject) -> None:
    around = st.text(alphabet=st.sampled_from(" .,;:/()\n\"'ae€"), max_size=8)
    text = data.draw(around) + " " + card + data.draw(st.sampled_from(["", " ", ".", "/", " 12/28", " 123", ";"]))
    assert contains_card_number(text)
    assert card not in redact_text(text)


@given(card=card_numbers(), separator=st.sampled_from([" ", "-"]), size=st.integers(1, 6))
def test_grouping_does_not_hide_a_card_number(card: str, separator: str, size: int) -> None:
    grouped = separator.join(card[start : start + size] for start in range(0, len(card), size))
    assert contains_card_number(grouped)
    assert redact_text(f"card {grouped} exp 12 28") != f"card {grouped} exp 12 28"


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111 12 28",
        "4111 1111 1111 1111 123",
        "99 4111 1111 1111 1111",
        "Visa4111111111111111",
        "card:4111111111111111exp1228",
        "4111111111111111_1",
        "0712345678 4111111111111111",
    ],
)
def test_neighbours_do_not_hide_a_card_number(text: str) -> None:
    assert contains_card_number(text)
    masked = redact_text(text)
    assert MASK in masked
    assert "1111" not in masked


def test_two_card_numbers_are_both_masked() -> None:
    assert redact_text("4111111111111111,5555555555554444") == f"{MASK},{MASK}"


@given(card=card_numbers(), position=st.integers(0, 18), step=st.integers(1, 9))
def test_one_wrong_digit_is_no_card_number(card: str, position: int, step: int) -> None:
    position %= len(card)
    wrong = card[:position] + str((int(card[position]) + step) % 10) + card[position + 1 :]
    assert not is_card_number(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "254708374149",
        "123456789012",
        "4111111111111112",
        "1" * 20,
        "ws_CO_191220191020363925",
        "NLJ7RT61SV",
        "2654-4b64-97ff-b827b542881d3130",
        "pi_0r2t3v4w5x6y7z8a9b0c1d2e3f",
        "4²11111111111111",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert not contains_card_number(text)
    assert redact_text(text) == text


@given(st.datetimes())
def test_a_date_with_its_time_is_no_card_number(moment: Any) -> None:
    text = moment.replace(year=2000 + moment.year % 100).strftime("%Y%m%d%H%M%S")
    assert not contains_card_number(text)
    assert redact(int(text)) == int(text)


@given(st.from_regex(r"[0-9]{5}-[0-9]{8}-[0-9]", fullmatch=True))
def test_a_gateway_s_request_number_is_no_card_number(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "01994567-0008-7abc-8123-0123456789ab",
        "C-01994567-0008-7abc-8123-0123456789ab",
        "order 01994567-0008-7abc-8123-0123456789ab!",
    ],
)
def test_a_uuid_whose_digits_pass_the_check_is_no_card_number(text: str) -> None:
    assert is_card_number("01994567-0008-7")
    assert not contains_card_number(text)
    assert redact_text(text) == text


@given(st.uuids())
def test_no_uuid_is_a_card_number(uuid: Any) -> None:
    assert redact_text(f"for {uuid}.") == f"for {uuid}."


def test_a_uuid_does_not_hide_a_card_number_beside_it() -> None:
    assert (
        redact_text("01994567-0008-7abc-8123-0123456789ab 4111111111111111")
        == f"01994567-0008-7abc-8123-0123456789ab {MASK}"
    )


def test_a_card_number_sent_as_a_number_is_masked() -> None:
    assert redact({"reference": 4111111111111111, "count": 12, "paid": True}) == {
        "reference": MASK,
        "count": 12,
        "paid": True,
    }


@pytest.mark.parametrize(
    "name",
    "Authorization authorization Cookie Set-Cookie password Password passkey PassKey passphrase secret client_secret "
    "clientSecret SecurityCredential access_token accessToken token X-Signature signature api_key apiKey API-KEY "
    "X-API-KEY ConsumerKey consumer_key private_key client_id cvc cvv2 card_number cardNumber CardNumber pan PAN "
    "card_pan pin PIN userPin initiator_pin".split(),
)
def test_secret_names_are_known_in_every_spelling(name: str) -> None:
    assert is_secret_name(name)
    assert redact({name: "something"}) == {name: MASK}


@pytest.mark.parametrize(
    "name", "amount phone company shipping pinned expand span PhoneNumber AccountReference Description".split()
)
def test_ordinary_names_stay(name: str) -> None:
    assert not is_secret_name(name)
    assert redact({name: "something"}) == {name: "something"}


def test_redact_goes_to_any_depth_and_changes_nothing_in_place() -> None:
    given_value = {"Body": [{"Password": "abc", "Amount": 10, "Nested": ({"token": ["a", "b"]},)}], "empty": None}
    before = json.dumps(given_value, default=list)
    assert redact(given_value) == {
        "Body": [{"Password": MASK, "Amount": 10, "Nested": [{"token": MASK}]}],
        "empty": None,
    }
    assert json.dumps(given_value, default=list) == before


def test_an_absent_secret_stays_visible_as_absent() -> None:
    assert redact({"token": None}) == {"token": None}


def test_names_may_be_kept() -> None:
    assert redact({"client_id": "abc", "token": "x"}, keep=frozenset({"client_id"})) == {
        "client_id": "abc",
        "token": MASK,
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4),
    max_leaves=20,
)


@given(value=JSON)
def test_redacting_twice_changes_nothing_more(value: Any) -> None:
    once = redact(value)
    assert redact(once) == once


@given(secret=st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=60))
def test_tokens_and_keys_in_free_text_are_masked(secret: str) -> None:
    for text in (
        f"Bearer {secret}",
        f"Basic {secret}",
        f"key sk_live_{secret}!",
        f"rk_test_{secret}",
        f"whsec_{secret}",
    ):
        assert secret not in redact_text(f"it said: {text}")


@pytest.mark.parametrize(
    "text",
    [
        "https://hooks.stripe.com/3d_secure/auth?payment_intent=pi_3Nv&payment_intent_client_secret=pi_3Nv_secret_Q7xYz&s=1",
        "https://hooks.stripe.com/redirect/authenticate/src_1?client_secret=src_client_secret_Q7xYz",
        "open seti_1Nv_secret_Q7xYz.",
    ],
)
def test_client_secrets_inside_an_address_are_masked(text: str) -> None:
    found = redact_text(text)
    assert "Q7xYz" not in found
    assert MASK in found
    assert redact({"next_action": {"redirect_to_url": {"url": text}}})["next_action"]["redirect_to_url"]["url"] == found


def test_the_secret_of_a_callback_address_is_masked_and_its_subject_stays() -> None:
    text = "https://pay.example.com/in/p01kaf3v9m2x4y6z8a0b2d4f6h8/abdfghijkl0123456789abdf?x=1"
    assert redact_text(text) == f"https://pay.example.com/in/p01kaf3v9m2x4y6z8a0b2d4f6h8/{MASK}?x=1"


def test_long_texts_are_cut_but_no_number_is_cut_in_half() -> None:
    text = "x " * 9_995 + "4111111111111111 and more"  # the number stands across the limit
    found = redact_text(text)
    assert len(found) == 20_000
    assert "411111" not in found


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com/v1/pay?a=1", "https://api.example.com/v1/pay?a=1"),
        ("https://user:pass@api.example.com:8443/v1", "https://api.example.com:8443/v1"),
        ("https://api.example.com/?token=abc&empty=&a=1", f"https://api.example.com/?token={MASK}&empty=&a=1"),
        ("https://api.example.com/?apiKey=abc#part", f"https://api.example.com/?apiKey={MASK}"),
        ("https://api.example.com/?card=4111+1111+1111+1111", f"https://api.example.com/?card={MASK}"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        ("http://user@[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("http://[broken/x", MASK),
        ("http://host:port/x", MASK),
        ("", ""),
    ],
)
def test_redact_url(url: str, expected: str) -> None:
    assert redact_url(url) == expected


@pytest.mark.parametrize("text", ["1 " * 10_000, "0 " * 10_000, "4 1-" * 5_000, "07 " * 6_000])
def test_many_groups_of_digits_are_looked_at_a_few_times_only(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def counted(window: str) -> bool:
        looks.append(len(window))
        return is_card_number(window)

    monkeypatch.setattr(redaction, "is_card_number", counted)
    redact_text(text)
    assert len(looks) <= len(text) // 2
    assert max(looks, default=0) <= 37  # 19 digits and what stands between them
